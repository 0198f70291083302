"""What may stand at a place of a rule, in the reader's words.

Owns the translation of terminals into words. Invariant: no terminal's name ever reaches a reader; a test asks for
every terminal of the grammar.
"""

from __future__ import annotations

import copy
from typing import Any

from lark import Token, UnexpectedInput
from lark.exceptions import UnexpectedToken

CONDITION = "a condition (`did purchase`, `user.country = 'US'`)"

# Ordered; the first set names the terminals that show the phrase, the second those that it speaks for as well.
_PHRASES: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = tuple(
    (phrase, frozenset(shown.split()), frozenset(spoken_for.split()))
    for phrase, shown, spoken_for in (
        (
            CONDITION,
            "DID",
            (
                "NOT LPAR IN ATTRIBUTE NUMBER AGGREGATE VISITS _ALL_OF _ANY_OF AT_LEAST AT_MOST EXACTLY MORE_THAN FEWER_THAN"
                " LESS_THAN ACCOUNT ANY_USER EVERY_USER NO_USER"
            ),
        ),
        ("a test of a property (`price > 10`)", "PROPERTY", "STRING NOT LPAR _ALL_OF _ANY_OF"),
        ("the name of an event", "EVENT ANY_EVENT", "NAME STRING VISITS FIRST NOT LPAR"),
        ("`list`, `split` or the name of a segment", "_LIST", "NAME STRING SPLIT"),
        (
            "a name",
            "NAME",
            "STRING IN NOT LPAR _ALL_OF _ANY_OF AT_LEAST AT_MOST EXACTLY MORE_THAN FEWER_THAN LESS_THAN",
        ),
        (
            "a comparison (`= 'text'`, `> 10`, `in ('a', 'b')`, `is set`)",
            "NOT_IN",
            "OP IN BETWEEN TEXT_OP IS_SET IS_NOT_SET WITHIN WITHIN_THE_LAST WITHIN_THE_NEXT MORE_THAN LESS_THAN",
        ),
        (
            "a value (a number, a text in quotes, a date, true, false)",
            "TRUE",
            "FALSE NUMBER STRING DATE VERSION AGGREGATE VISITS LPAR",
        ),
        ("a measure or a number", "AGGREGATE", "VISITS NUMBER LPAR"),
        ("`then`", "THEN", ""),
        (
            "a number of times (`at least 3 times`)",
            "FOR_THE_FIRST_TIME",
            "AT_LEAST AT_MOST EXACTLY MORE_THAN FEWER_THAN LESS_THAN NUMBER",
        ),
        ("`where`", "WHERE", ""),
        ("`within` and a duration", "WITHIN", ""),
        (
            "a window (`in the last 7 days`)",
            "IN_THE_LAST",
            "BETWEEN SINCE BEFORE TODAY YESTERDAY THIS_PERIOD LAST_PERIOD THIS_VISIT OVER_ALL_TIME IN",
        ),
        ("a number", "NUMBER", ""),
        ("a date (2026-05-01)", "DATE", ""),
        ("a text in quotes", "STRING", ""),
        ("`once` or `twice`", "ONCE", "TWICE"),
        ("a unit (seconds, minutes, hours, days, weeks)", "UNIT", ""),
        ("a calendar unit (calendar months)", "CALENDAR_UNIT", ""),
        ("`ago`", "_AGO", ""),
        ("`from now`", "FROM_NOW", ""),
        ("`times`", "_TIMES", ""),
        ("`users`", "_USERS", ""),
        ("`of (…)`", "_OF", ""),
        ("`km of`", "_KM_OF", ""),
        ("a share (10%)", "PERCENT", ""),
        ("`to`", "_TO", "_DOTS"),
        ("`.` and a property", "DOT", ""),
        ("arithmetic (`+ - * /`)", "ADD MULTIPLY", "SUBTRACT DIVIDE"),
        ("`ignoring case`", "IGNORING_CASE", ""),
        ("`and`", "_AND _CONTINUING_AND", ""),
        ("`or`", "_OR _CONTINUING_OR", ""),
        ("`(`", "LPAR", ""),
        ("`,`", "COMMA", ""),
        ("`)`", "RPAR", ""),
        ("`not`", "NOT", ""),
        ("the end of the rule", "$END", ""),
    )
)
_REST = {"SPLIT": "`split`", "OP": "a comparison (`> 10`)"}


def acceptable(unexpected: UnexpectedInput) -> frozenset[str]:
    """Returns the terminals that could stand where the parser stopped."""
    state: Any = unexpected.state
    silent = copy.copy(state.parse_conf)
    silent.callbacks = {}
    return frozenset(
        terminal
        for terminal in silent.states[state.position]
        if terminal.isupper() and _would_take(state, silent, terminal)
    )


def _would_take(state: Any, silent: Any, terminal: str) -> bool:
    """Whether the parser, without building anything, would take the terminal next."""
    probe = type(state)(silent, state.lexer, state.state_stack.copy(), [None] * len(state.value_stack))
    try:
        probe.feed_token(Token(terminal, ""), is_end=terminal == "$END")
    except UnexpectedToken:
        return False
    return True


def in_words(terminals: frozenset[str]) -> str:
    """Returns the terminals as an enumeration for readers."""
    phrases = []
    left = set(terminals)
    if "FOR_THE_FIRST_TIME" not in left:
        left.discard("WHERE")  # the grammar takes one after any leaf, so that the builder can say what is wrong with it
    for phrase, shown, spoken_for in _PHRASES:
        if left & shown:
            phrases.append(phrase)
            left -= shown | spoken_for
    phrases += sorted(_REST[terminal] for terminal in left if terminal in _REST)
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}" if phrases else ""


_SPELLINGS = {
    "_AND": "and",
    "_OR": "or",
    "NOT": "not",
    "IN": "in",
    "_ALL_OF": "all of",
    "_ANY_OF": "any of",
    "DID": "did",
    "FIRST": "first",
    "THEN": "then",
    "WHERE": "where",
    "WITHIN": "within",
    "ANY_EVENT": "any event",
    "AT_LEAST": "at least",
    "AT_MOST": "at most",
    "EXACTLY": "exactly",
    "MORE_THAN": "more than",
    "FEWER_THAN": "fewer than",
    "ONCE": "once",
    "TWICE": "twice",
    "_TIMES": "times",
    "FOR_THE_FIRST_TIME": "for the first time",
    "ANY_USER": "any user",
    "EVERY_USER": "every user",
    "NO_USER": "no user",
    "_USERS": "users",
    "IN_THE_LAST": "in the last",
    "BETWEEN": "between",
    "SINCE": "since",
    "BEFORE": "before",
    "TODAY": "today",
    "YESTERDAY": "yesterday",
    "THIS_PERIOD": "this week|this month|this year",
    "LAST_PERIOD": "last week|last month|last year",
    "THIS_VISIT": "in this visit",
    "OVER_ALL_TIME": "over all time",
    "UNIT": "seconds|minutes|hours|days|weeks",
    "CALENDAR_UNIT": "calendar days|calendar weeks|calendar months|calendar years",
    "_AGO": "ago",
    "FROM_NOW": "from now",
    "AGGREGATE": "count|sum|avg|min|max|distinct|days|first|last",
    "VISITS": "visits",
    "ATTRIBUTE": "user|account|current",
    "NOT_IN": "not in",
    "TEXT_OP": "contains|starts with|ends with|matches|does not contain|does not start with|does not end with",
    "IS_SET": "is set",
    "IS_NOT_SET": "is not set",
    "IGNORING_CASE": "ignoring case",
    "_KM_OF": "km of",
    "WITHIN_THE_LAST": "within the last",
    "WITHIN_THE_NEXT": "within the next",
    "TRUE": "true",
    "FALSE": "false",
    "VERSION": "version",
}


def spellings(terminals: frozenset[str]) -> list[str]:
    """Returns the words and phrases that the terminals are written as, sorted."""
    return sorted(word for name in terminals & _SPELLINGS.keys() for word in _SPELLINGS[name].split("|"))
