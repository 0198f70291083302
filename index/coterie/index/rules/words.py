"""The words of the language: reserved words, bare names, keywords, and the shapes of values.

Owns every regular expression that decides what one word is, so that reading and printing cannot
disagree. Invariant: keywords are matched without regard to case in ASCII only, and always as whole words.
"""

from __future__ import annotations

import re

RESERVED = frozenset(
    {
        "all",
        "and",
        "any",
        "at",
        "before",
        "between",
        "did",
        "every",
        "exactly",
        "fewer",
        "first",
        "for",
        "in",
        "is",
        "last",
        "less",
        "more",
        "no",
        "not",
        "or",
        "over",
        "since",
        "the",
        "then",
        "this",
        "today",
        "visits",
        "where",
        "within",
        "yesterday",
    }
)
SEGMENT_WORDS = frozenset({"list", "split"})  # after `in` these say what follows
EVENT_TIME_WORDS = frozenset({"hour", "weekday", "date"})  # in a `where` these are the event's own time

VISIT_EVENT = "$visit"  # the derived event of a finished visit; `visits` before a dot in a measure

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Largest first; the printer takes the first exact one up to days.
UNIT_MS = {
    "weeks": 604_800_000,
    "days": 86_400_000,
    "hours": 3_600_000,
    "minutes": 60_000,
    "seconds": 1_000,
    "milliseconds": 1,
}

# ---------------------------------------------------------------- regular expressions

# What may not follow a keyword: it would be the beginning of a longer name (`in-app`, `today_2`).
WORD_END = r"(?![\w$]|-+[\w$])"
_BARE = r"(?:[^\W\d_]|\$)[\w$]*(?:-+[\w$]+)*"
_NOT_RESERVED = rf"(?!(?ai:{'|'.join(sorted(RESERVED))}){WORD_END})"
_NOT_OWNED = r"(?!(?ai:user|account|current)\.)"
_QUOTED = r"'(?:[^'\\\n\r]|\\[^\n\r])*'|\"(?:[^\"\\\n\r]|\\[^\n\r])*\""

NAME = _NOT_RESERVED + _BARE
DOTTED_NAME = rf"{NAME}(?:\.{_BARE})*"
PROPERTY = _NOT_OWNED + DOTTED_NAME
ATTRIBUTE_NAME = rf"{_BARE}(?:\.{_BARE})*"
ATTRIBUTE = rf"(?ai:user|account|current)\.(?:{ATTRIBUTE_NAME}|{_QUOTED})"
STRING = _QUOTED
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?!\w|\.[0-9])"
PERCENT = r"[0-9]+(?:\.[0-9]+)?\s*%"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?)?(?!\w)"


def keyword(spelling: str) -> str:
    """Returns the expression of a keyword or phrase: any spacing, any ASCII case, whole words only."""
    spaced = spelling.replace(" ", r"\s+")
    return rf"(?ai:{spaced}){WORD_END}"


# A comparison, as far as it must be read to know that a name before it is a property.
_COMPARISON = (
    r"(?:[=!<>~]|"
    + keyword("(?:in|not in|between|contains|starts with|ends with|matches|does not|is|within|more than|less than)")
    + ")"
)
# What opens and the name are taken without giving back: linear time, and `min(` is not `m` and `in (`.
_OPENING = rf"(?>(?:\s+|\(|{keyword('not')}|{keyword('(?:any|all) of')})*)"
_CONTINUES = rf"(?={_OPENING}(?>{PROPERTY}|{_QUOTED})\s*{_COMPARISON})"

CONTINUING_AND = keyword("and") + _CONTINUES
CONTINUING_OR = keyword("or") + _CONTINUES

# ---------------------------------------------------------------- questions about names

_name = re.compile(NAME)
_dotted_name = re.compile(DOTTED_NAME)
_property = re.compile(PROPERTY)
_attribute_name = re.compile(ATTRIBUTE_NAME)


def is_bare_name(name: str) -> bool:
    """Whether a segment, or one side of a dot in a measure, may be written without quotes."""
    return _name.fullmatch(name) is not None


def is_bare_event(name: str) -> bool:
    """Whether an event type after `did` or `then` may be written without quotes."""
    return _dotted_name.fullmatch(name) is not None


def is_bare_property(name: str) -> bool:
    """Whether a property in a `where` may be written without quotes."""
    return _property.fullmatch(name) is not None and not is_word_of(name, EVENT_TIME_WORDS)


def is_bare_attribute(name: str) -> bool:
    """Whether an attribute's name, after its owner and the dot, may be written without quotes."""
    return _attribute_name.fullmatch(name) is not None


def is_word_of(name: str, words: frozenset[str]) -> bool:
    """Whether the name is one of these lower-case words, in any ASCII case."""
    return name.isascii() and name.lower() in words
