"""Which tests a value may be put to: an attribute, a property, a measure, a part of an event's time.

Owns the table of what fits what. Invariant: a test that passes can be true of some value; what is always
false, whatever the data, is refused with the way to say what was probably meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from coterie.index.rules import ast
from coterie.index.rules.checks import (
    check_has_measure,
    check_literal,
    check_moments_ordered,
    check_number,
    check_term,
    check_term_compare,
    is_extreme_number,
    is_open_valued,
    is_time,
)
from coterie.index.rules.literals import check_duration, check_encodable, print_number
from coterie.index.rules.refusal import Refused
from coterie.index.rules.words import WEEKDAYS

MAX_KM = 20_038.0  # half way round the Earth

LiteralType: TypeAlias = type[str | float | bool | ast.Version | ast.LocalTime | ast.Instant]

_ANY_LITERAL: tuple[LiteralType, ...] = (str, float, bool, ast.Version, ast.LocalTime, ast.Instant)
_MOMENTS: tuple[LiteralType, ...] = (ast.LocalTime, ast.Instant)


@dataclass(frozen=True, slots=True)
class Tested:
    """A kind of tested value: how to speak of it, which tests it takes, with which values."""

    noun: str
    tests: tuple[type[ast.Test], ...]
    literals: tuple[LiteralType, ...]
    expected: str


_LITERAL_TESTS: tuple[type[ast.Test], ...] = (ast.Compare, ast.OneOf, ast.Between)

ATTRIBUTE = Tested("an attribute", (*_LITERAL_TESTS, ast.TextMatch, ast.IsSet, ast.Near, ast.Age), _ANY_LITERAL, "")
PROPERTY = Tested(
    "a property",
    (*_LITERAL_TESTS, ast.TextMatch, ast.IsSet, ast.Near),
    _ANY_LITERAL,
    "a comparison with fixed values; times relative to now belong into the window, as in `in the last 30 days`",
)
NUMBER = Tested("a number", (*_LITERAL_TESTS, ast.IsSet), (float,), "a comparison with a number")
EXTREME = Tested(
    "a smallest or largest number",
    NUMBER.tests,
    NUMBER.literals,
    "a comparison with a number; any other value of the newest event is last(EVENT.PROPERTY)",
)
TIME = Tested(
    "a time", (*_LITERAL_TESTS, ast.IsSet, ast.Age), _MOMENTS, "a date, or an age such as `more than 30 days ago`"
)
OPEN = Tested(
    "a value", (*_LITERAL_TESTS, ast.TextMatch, ast.IsSet, ast.Age), _ANY_LITERAL, "a comparison with a value"
)
HOUR = Tested("the event's hour", _LITERAL_TESTS, (float,), "a comparison with an hour from 0 to 23")
WEEKDAY = Tested("the event's weekday", (ast.Compare, ast.OneOf), (str,), "= or in with " + ", ".join(WEEKDAYS))
DATE = Tested("the event's date", _LITERAL_TESTS, (ast.LocalTime,), "a comparison with a date such as 2026-05-01")

_OF_EVENT_TIME = {
    ast.EventTimePart.HOUR: HOUR,
    ast.EventTimePart.WEEKDAY: WEEKDAY,
    ast.EventTimePart.DATE: DATE,
}


def check_test(test: ast.Test, tested: Tested) -> None:
    """Refuses a test that does not fit the tested value, or makes no sense in itself."""
    if not isinstance(test, tested.tests):
        raise Refused(f"{tested.noun} cannot be tested like this", tested.expected)
    check_form(test)
    for value in _values(test):
        # A bool is an int to Python, never to a rule.
        fits = isinstance(value, bool) if bool in tested.literals else False
        if not (fits or (not isinstance(value, bool) and isinstance(value, _classes(tested)))):
            raise Refused(f"{tested.noun} is compared with {_noun(value)}", tested.expected)


def _classes(tested: Tested) -> tuple[type, ...]:
    classes = tuple(literal for literal in tested.literals if literal is not bool)
    return (*classes, int) if float in classes else classes


def _values(test: ast.Test) -> tuple[ast.Literal, ...]:
    match test:
        case ast.Compare(_, value):
            return (value,)
        case ast.OneOf(values):
            return values
        case ast.Between(low, high):
            return (low, high)
        case _:
            return ()


def _noun(value: ast.Literal) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return f"the text {value[:40]!r}"
        case float() | int():
            return f"the number {print_number(value)}"
        case ast.Version():
            return "a version"
        case ast.LocalTime() | ast.Instant():
            return "a date or time"
        case _:
            assert_never(value)


# ---------------------------------------------------------------- the form of a test, whatever is tested


def check_form(test: ast.Test) -> None:
    """Refuses a test that makes no sense whatever is tested."""
    match test:
        case ast.Compare(op, value, ignore_case):
            _check_compare(op, value, ignore_case)
        case ast.OneOf(values, _, ignore_case):
            if not values:
                raise Refused("the list of values is empty", "at least one value")
            for value in values:
                check_literal(value)
            _check_ignore_case(values, ignore_case)
        case ast.Between(low, high):
            _check_between(low, high)
        case ast.TextMatch(_, text):
            check_encodable(text)
        case ast.Near():
            _check_near(test)
        case ast.Age(_, duration_ms):
            check_duration(duration_ms)
        case ast.IsSet():
            pass
        case _:
            assert_never(test)


def _check_compare(op: ast.CompareOp, value: ast.Literal, ignore_case: bool) -> None:
    check_literal(value)
    _check_ignore_case((value,), ignore_case)
    if isinstance(value, bool) and op not in {ast.CompareOp.EQ, ast.CompareOp.NE}:
        raise Refused("true and false have no order", "= or !=")


def _check_ignore_case(values: tuple[ast.Literal, ...], ignore_case: bool) -> None:
    if ignore_case and not all(isinstance(value, str) for value in values):
        raise Refused(
            "only text has upper and lower case", "a text before `ignoring case`", "leave out `ignoring case`"
        )


def _check_between(low: ast.Literal, high: ast.Literal) -> None:
    check_literal(low)
    check_literal(high)
    if isinstance(low, bool) or isinstance(high, bool):
        raise Refused("true and false have no order", "two numbers, dates, versions or texts")
    match low, high:
        case (ast.LocalTime() | ast.Instant(), ast.LocalTime() | ast.Instant()):
            check_moments_ordered(low, high)
        case (float() | int(), float() | int()):
            _check_ordered(low <= high, print_number(low), print_number(high))
        case str(), str():
            _check_ordered(low <= high, repr(low), repr(high))
        case ast.Version(), ast.Version():
            ordered = tuple(map(int, low.text.split("."))) <= tuple(map(int, high.text.split(".")))
            _check_ordered(ordered, low.text, high.text)
        case _:
            raise Refused(f"nothing lies between {_noun(low)} and {_noun(high)}", "two values of one type")


def _check_ordered(ordered: bool, low: str, high: str) -> None:
    if not ordered:
        raise Refused(
            f"nothing lies between {low} and {high}", "the smaller value first", f"write between {high} and {low}"
        )


def _check_near(near: ast.Near) -> None:
    for number in (near.km, near.latitude, near.longitude):
        check_number(number)
    if not 0 < near.km <= MAX_KM:
        raise Refused("the distance is out of range", f"more than 0 and at most {print_number(MAX_KM)} km")
    if abs(near.latitude) > 90:
        raise Refused(f"{print_number(near.latitude)} is no latitude", "-90 to 90, then a longitude of -180 to 180")
    if abs(near.longitude) > 180:
        raise Refused(f"{print_number(near.longitude)} is no longitude", "a latitude of -90 to 90, then -180 to 180")


# ---------------------------------------------------------------- tests of an event's own time


def check_event_time_test(node: ast.EventTimeTest) -> None:
    """Refuses hours, weekdays and dates that do not exist."""
    _check_night(node)
    check_test(node.test, _OF_EVENT_TIME[node.part])
    values = _values(node.test)
    match node.part:
        case ast.EventTimePart.HOUR:
            _check_hours(values)
        case ast.EventTimePart.WEEKDAY:
            _check_weekdays(node.test, values)
        case ast.EventTimePart.DATE:
            if not all(isinstance(value, ast.LocalTime) and value.date_only for value in values):
                raise Refused("the event's date is compared with a time of day", "a date such as 2026-05-01")
        case _:
            assert_never(node.part)


def _check_night(node: ast.EventTimeTest) -> None:
    match node.test:
        case ast.Between(float() | int() as low, float() | int() as high) if low > high:
            low_hour, high_hour = print_number(low), print_number(high)
            raise Refused(
                f"no hour lies between {low_hour} and {high_hour}",
                "the smaller hour first",
                f"over midnight write (hour >= {low_hour} or hour <= {high_hour})",
            )


def _check_hours(values: tuple[ast.Literal, ...]) -> None:
    for value in values:
        if not (isinstance(value, float | int) and 0 <= value <= 24):
            raise Refused(f"{_noun(value)} is no hour", "an hour from 0 to 23")


def _check_weekdays(test: ast.Test, values: tuple[ast.Literal, ...]) -> None:
    if isinstance(test, ast.Compare) and test.op not in {ast.CompareOp.EQ, ast.CompareOp.NE}:
        raise Refused("weekdays have no order", "=, != or in", "write weekday in ('mon', 'tue')")
    for value in values:
        if value not in WEEKDAYS:
            short = str(value)[:3].lower()
            fix = f"write '{short}'" if short in WEEKDAYS else ""
            raise Refused(f"{_noun(value)} is no weekday", ", ".join(WEEKDAYS), fix)


# ---------------------------------------------------------------- tests of measures


def check_measure_test(node: ast.MeasureTest) -> None:
    """Refuses tests that the term's type can never satisfy."""
    if isinstance(node.test, ast.TermCompare):
        check_term_compare(node.term, node.test.term)
        if isinstance(node.test.term, float | int):
            raise Refused("a fixed number on the right side is a plain comparison")
        return
    check_term(node.term)
    check_has_measure(node.term)
    if is_time(node.term):
        tested = TIME
    elif is_open_valued(node.term):
        tested = OPEN
    else:
        tested = EXTREME if is_extreme_number(node.term) else NUMBER
    check_test(node.test, tested)
