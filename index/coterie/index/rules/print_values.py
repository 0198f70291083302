"""Tests, literals, windows and frequencies as text: the parts that several leaves share.

Invariant: as in the printer, what is printed reads as what was printed.
"""

from __future__ import annotations

from typing import assert_never

from coterie.index.rules import ast
from coterie.index.rules.literals import print_count, print_duration, print_moment, print_number, quote
from coterie.index.rules.words import UNIT_MS

_NEGATED = {
    ast.TextOp.CONTAINS: "does not contain",
    ast.TextOp.STARTS_WITH: "does not start with",
    ast.TextOp.ENDS_WITH: "does not end with",
    ast.TextOp.MATCHES: "does not match",
}
_PERIODS = {
    (ast.CalendarUnit.DAY, 0): "today",
    (ast.CalendarUnit.DAY, 1): "yesterday",
    (ast.CalendarUnit.WEEK, 0): "this week",
    (ast.CalendarUnit.WEEK, 1): "last week",
    (ast.CalendarUnit.MONTH, 0): "this month",
    (ast.CalendarUnit.MONTH, 1): "last month",
    (ast.CalendarUnit.YEAR, 0): "this year",
    (ast.CalendarUnit.YEAR, 1): "last year",
}

# ---------------------------------------------------------------- tests


def print_test(test: ast.Test) -> str:
    """Returns the test as it follows the tested value."""
    match test:
        case ast.Compare(op, value, ignore_case):
            return f"{op.value} {print_literal(value)}{_case(ignore_case)}"
        case ast.OneOf(values, negated, ignore_case):
            listed = ", ".join(map(print_literal, values))
            return f"{'not in' if negated else 'in'} ({listed}){_case(ignore_case)}"
        case ast.Between(low, high):
            return f"between {print_literal(low)} and {print_literal(high)}"
        case ast.TextMatch(op, text, negated, ignore_case):
            return f"{_NEGATED[op] if negated else op.value} {quote(text, chr(39))}{_case(ignore_case)}"
        case ast.IsSet(negated):
            return "is not set" if negated else "is set"
        case ast.Near(km, latitude, longitude):
            place = f"({print_number(latitude)}, {print_number(longitude)})"
            return f"within {print_number(km)} km of {place}"
        case ast.Age(relation, duration_ms):
            return _age(relation, print_duration(duration_ms))
        case _:
            assert_never(test)


def _case(ignore_case: bool) -> str:
    return " ignoring case" if ignore_case else ""


def _age(relation: ast.AgeRelation, duration: str) -> str:
    match relation:
        case ast.AgeRelation.MORE_THAN_AGO:
            return f"more than {duration} ago"
        case ast.AgeRelation.WITHIN_LAST:
            return f"within the last {duration}"
        case ast.AgeRelation.WITHIN_NEXT:
            return f"within the next {duration}"
        case ast.AgeRelation.MORE_THAN_FROM_NOW:
            return f"more than {duration} from now"
        case _:
            assert_never(relation)


def print_literal(value: ast.Literal) -> str:
    """Returns a value as it is written in a rule."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quote(value, "'")
        case float() | int():
            return print_number(value)
        case ast.Version(text):
            return f"version({quote(text, chr(39))})"
        case ast.LocalTime() | ast.Instant():
            return print_moment(value)
        case _:
            assert_never(value)


# ---------------------------------------------------------------- frequencies and windows


def print_frequency(frequency: ast.Frequency, noun: str) -> str:
    """Returns the bounds with their noun (`times`, `users`), in the singular for one."""
    low, high = frequency.low, frequency.high
    if high is None:
        return f"at least {print_count(low, noun)}"
    if low == high:
        return f"exactly {print_count(low, noun)}"
    if low == 0:
        return f"at most {print_count(high, noun)}"
    return f"{low} to {high} {noun}"


def print_window(window: ast.Window) -> str:
    """Returns the window as it follows its condition."""
    match window:
        case ast.Sliding(duration_ms):
            return f"in the last {print_duration(duration_ms)}"
        case ast.AgoRange(far_ms, near_ms, unit):
            return f"between {far_ms // UNIT_MS[unit]} and {near_ms // UNIT_MS[unit]} {unit} ago"
        case ast.Absolute(start, end):
            return _absolute(start, end)
        case ast.Calendar(unit, first_back, last_back):
            return _calendar(unit, first_back, last_back)
        case ast.ThisVisit():
            return "in this visit"
        case _:
            assert_never(window)


def _absolute(start: ast.Moment | None, end: ast.Moment | None) -> str:
    if start is None:
        assert end is not None
        return f"before {print_moment(end)}"
    if end is None:
        return f"since {print_moment(start)}"
    return f"between {print_moment(start)} and {print_moment(end)}"


def _calendar(unit: ast.CalendarUnit, first_back: int, last_back: int) -> str:
    if first_back == last_back and (unit, first_back) in _PERIODS:
        return _PERIODS[unit, first_back]
    if last_back == 0:
        return f"in the last {first_back + 1} calendar {unit.value}s"
    return f"between {first_back} and {last_back} calendar {unit.value}s ago"
