"""What one typical mistake is: how it looks, what is wrong, and the way out.

Invariant: a mistake can only word a refusal, never cause one: it is looked up where the parser already stopped.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MARK = "◆"  # stands where the parser stopped


class Mistake(NamedTuple):
    """An expression over the text around the mark; message and fix may use its groups.

    A group named `at` moves the place back to what has to be changed; `when` limits the mistake to places where
    one of these terminals could stand; `expected` replaces what the grammar would say.
    """

    pattern: re.Pattern[str]
    message: str
    fix: str
    expected: str
    when: frozenset[str]


def mistake(pattern: str, message: str, fix: str = "", expected: str = "", when: str = "") -> Mistake:
    """Makes a mistake; letters match in any case, and the group `at` does not count when groups are numbered."""
    compiled = re.compile(pattern, re.IGNORECASE)
    own = compiled.groupindex.get("at", 1_000)

    def renumbered(template: str) -> str:
        return re.sub(r"\\(\d)", lambda number: f"\\{int(number[1]) + (int(number[1]) >= own)}", template)

    return Mistake(compiled, renumbered(message), renumbered(fix), expected, frozenset(when.split()))


# ---------------------------------------------------------------- pieces of the expressions

NAME = r"[^\W\d_][\w$]*"
UNITS = r"(?:milliseconds?|seconds?|minutes?|hours?|days?|weeks?)"
ATTRIBUTE = r"(?:user|account|current)\.(?:[\w$.-]+|'[^']*'|\"[^\"]*\")"
TESTED = rf"(?:{ATTRIBUTE}|\))"  # an attribute, or a measure's closing parenthesis
COMPARISON = (
    r"(?:[=!<>~≥≤≠]|(?:in|not in|between|contains|starts|ends|matches|does|is|more than|less than|within)(?![\w$]))"
)
