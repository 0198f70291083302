"""Why a rule does not parse, said to the person who wrote it: the place, what was expected, the likely fix.

The mistakes_in_… modules hold what people typically write; here they are looked up at the place where the
parser stopped, the first that fits answers. Invariant: every text that does not parse gets an answer, and none shows a terminal's name.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from lark import UnexpectedInput
from lark.exceptions import UnexpectedToken

from coterie.index.rules.expectations import acceptable, in_words, spellings
from coterie.index.rules.mistake import MARK, Mistake
from coterie.index.rules.mistakes_in_events import ACCOUNTS, EVENTS, FREQUENCIES, MEASURES, SEGMENTS
from coterie.index.rules.mistakes_in_logic import LOGIC, WHO
from coterie.index.rules.mistakes_in_values import NUMBERS, SIGNS, TEXT_TESTS, VALUES
from coterie.index.rules.mistakes_in_windows import DATES, WINDOWS
from coterie.index.rules.refusal import Refused, Spot
from coterie.index.rules.source import spot

# Shapes that can be nothing else come before misspelled words, and those before what needs the most guessing.
CERTAIN = (*SIGNS, *DATES, *NUMBERS, *WINDOWS, *WHO)
LIKELY = (*MEASURES, *FREQUENCIES, *EVENTS, *SEGMENTS, *ACCOUNTS, *TEXT_TESTS, *VALUES, *LOGIC)

_REACH = 160  # characters of context on either side
_FOUND = re.compile(r"""'[^'\n]*'|"[^"\n]*"|[\w$]+(?:[-.][\w$]+)*|[^\w\s]{1,2}""")
_WORD = re.compile(r"[A-Za-z]+")
_ALMOST_SURELY, _PROBABLY = 0.84, 0.72  # how like a known word, as difflib measures it


def explain(text: str, unexpected: UnexpectedInput) -> Refused:
    """Returns the refusal of a text at the place where the parser stopped."""
    position = _position(text, unexpected)
    terminals = acceptable(unexpected)
    before, after = text[max(0, position - _REACH) : position], text[position : position + _REACH]
    marked = before.replace(MARK, " ") + MARK + after.replace(MARK, " ")
    found = _FOUND.match(after)
    plain = f"`{found[0]}` cannot stand here" if found else "the rule ends too early"
    expected = in_words(terminals)
    refused = (
        _typical(CERTAIN, marked, terminals)
        or _misspelled(plain, after, terminals, _ALMOST_SURELY)
        or _typical(LIKELY, marked, terminals)
        or _misspelled(plain, after, terminals, _PROBABLY)
        or Refused(plain)
    )
    back = refused.place.column if isinstance(refused.place, Spot) else 0
    refused.expected = refused.expected or expected
    refused.place = spot(text, position - back)
    return refused


def _typical(mistakes: tuple[Mistake, ...], marked: str, terminals: frozenset[str]) -> Refused | None:
    """Returns the first typical mistake that fits; its place is the number of characters to go back."""
    for mistake in mistakes:
        if mistake.when and not mistake.when & terminals:
            continue
        if match := mistake.pattern.search(marked):
            start = match.start("at") if "at" in mistake.pattern.groupindex else marked.index(MARK)
            message, fix = match.expand(mistake.message), match.expand(mistake.fix)
            return Refused(message, mistake.expected, fix, Spot(0, max(0, marked.index(MARK) - start)))
    return None


def _position(text: str, unexpected: UnexpectedInput) -> int:
    if isinstance(unexpected, UnexpectedToken) and unexpected.token.type == "$END":
        return len(text.rstrip())
    position: Any = unexpected.pos_in_stream
    return position or 0


def _misspelled(message: str, after: str, terminals: frozenset[str], likeness: float) -> Refused | None:
    """Returns a refusal with the word or phrase that was probably meant, where one is that like what is written."""
    words = _WORD.findall(after[:40].lower())
    for count in range(min(4, len(words)), 0, -1):
        written = " ".join(words[:count])
        candidates = [spelling for spelling in spellings(terminals) if spelling.count(" ") in {count - 1, count}]
        near = get_close_matches(written, candidates, n=1, cutoff=likeness) if len(written) > 3 else []
        if near and near[0] != written:
            return Refused(message, "", f"did you mean `{near[0]}`?")
    return None
