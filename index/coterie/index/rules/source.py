"""The text of a rule before it is parsed: comments and unusual spaces become plain spaces, quotes must close.

Invariant: every character keeps its place, so positions in the prepared text are positions in the original.
"""

from __future__ import annotations

import re

from coterie.index.errors import LimitExceeded
from coterie.index.rules.refusal import Refused, Spot

# Quoted text is stepped over; a quote that is left over never closes.
_PIECE = re.compile(
    r"""(?P<quoted>'(?:[^'\\\n\r]|\\[^\n\r])*'|"(?:[^"\\\n\r]|\\[^\n\r])*")"""
    r"""|(?P<blank>\#[^\n\r]*|[\u200b\ufeff]|[^\S \t\n\r])"""
    r"""|(?P<open>['"])"""
)
_JOINT = re.compile(
    r"""[()]|[,+*/]|\b(?i:and|or|not|then)\b|'(?:[^'\\\n\r]|\\[^\n\r])*'|"(?:[^"\\\n\r]|\\[^\n\r])*\""""
)
MAX_PARENTHESES = 1_000  # those that group nothing included, which `max_depth` does not see
_JOINTS_PER_NODE = 5  # generously: what joins it, two `between`, a place, a `not`


def prepare(text: str, max_characters: int, max_nodes: int, field: str) -> str:
    """Returns the text with its comments blanked out. Raises LimitExceeded, and Refused for an open quote."""
    if len(text) > max_characters:
        raise _exceeded(field, "characters of the rule", len(text), max_characters, text, max_characters)
    prepared = _PIECE.sub(_blank, text)
    _check_size(prepared, max_nodes, field)
    return prepared


def _check_size(text: str, max_nodes: int, field: str) -> None:
    """Refuses early what is certainly too large, before the parser spends its time on it.

    Nesting is refused because joining nested conditions costs their depth times their number.
    """
    most = (max_nodes + 1) * _JOINTS_PER_NODE
    depth = joints = beyond = 0
    for joint in _JOINT.finditer(text):
        match joint[0][0]:
            case "(":
                depth += 1
            case ")":
                depth -= 1
            case "'" | '"':
                pass
            case _:
                joints += 1
                if joints == most + 1:
                    beyond = joint.start()
        if depth > MAX_PARENTHESES:
            raise _exceeded(field, "parentheses inside each other", depth, MAX_PARENTHESES, text, joint.start())
    if joints > most:
        raise _exceeded(field, "leaves of the rule", joints // _JOINTS_PER_NODE, max_nodes, text, beyond)


def _exceeded(field: str, what: str, given: int, maximum: int, text: str, position: int) -> LimitExceeded:
    exceeded = LimitExceeded(field, what, given, maximum)
    exceeded.place(*spot(text, position))
    return exceeded


def _blank(match: re.Match[str]) -> str:
    if match["open"]:
        _refuse_short_forms(match.string[: match.end()])
        raise Refused(
            "the quote is never closed",
            f"a closing {match['open']} on the same line",
            rf"inside quotes write \{match['open']} for the quote itself",
            spot(match.string, match.start()),
        )
    return match[0] if match["quoted"] else " " * len(match[0])


_SHORT_FORM = re.compile(r"\b(does|do|did|is|has|was|are)n't\b", re.IGNORECASE)


def _refuse_short_forms(text: str) -> None:
    """Refuses `doesn't` and its like on the last line: their apostrophe opens a quote."""
    line_start = text.rfind("\n") + 1
    if match := _SHORT_FORM.search(text + "t ", line_start):
        place = spot(text, match.start())
        raise Refused(f"`{match[0]}` is written out", "whole words", f"write {match[1].lower()} not", place)


def spot(text: str, position: int) -> Spot:
    """Returns line and column of a position, both from 1."""
    return Spot(text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))
