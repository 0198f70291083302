"""Tests of values, column by column: one `ast.Test` over one named value of n rows at once.

The same tests serve micro-batches, history and attributes, so a rule cannot mean two things. Invariant: a
missing value, or one of another kind than the test is about, fails every test, negated ones included; only
`is not set` is for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from coterie.index.errors import RuleUnsupported
from coterie.index.rules import ast
from coterie.index.texts import Bools, TextTest, version_key, wildcard_test, words_of
from coterie.index.time.calendar import DAY_MS, local_ms, resolve
from coterie.index.views import ColumnView

__all__ = ["ColumnView", "Judge", "distances", "holds", "judge", "judge_days", "near"]

Judge: TypeAlias = Callable[[ColumnView], Bools]

_OPERATORS: Final[dict[ast.CompareOp, Callable[[Any, Any], Any]]] = {
    ast.CompareOp.EQ: eq,
    ast.CompareOp.NE: ne,
    ast.CompareOp.LT: lt,
    ast.CompareOp.LE: le,
    ast.CompareOp.GT: gt,
    ast.CompareOp.GE: ge,
}


def holds(test: ast.Test, view: ColumnView, zone: str) -> Bools:
    """Returns which rows pass the test; local dates in it are read in `zone`."""
    return _remembered_judge(test, zone, _literal_types(test))(view)


def judge(test: ast.Test, zone: str) -> Judge:
    """Returns the test as a function of a column. RuleUnsupported for tests that need more than one value."""
    match test:
        case ast.IsSet(negated):
            return (lambda view: ~view.present()) if negated else ColumnView.present
        case ast.Compare(op, value, ignore_case):
            return _compare(op, value, zone, ignore_case)
        case ast.Between(low, high):
            below = ast.CompareOp.LT if isinstance(high, ast.LocalTime | ast.Instant) else ast.CompareOp.LE
            return _both(_compare(ast.CompareOp.GE, low, zone), _compare(below, high, zone))
        case ast.OneOf():
            return _one_of(test, zone)
        case ast.TextMatch():
            return _text_match(test)
        case ast.Near() | ast.Age():
            raise RuleUnsupported("where", "a test of distance or age", "a comparison of one value")


@lru_cache(maxsize=4096)
def _remembered_judge(test: ast.Test, zone: str, types: tuple[type, ...]) -> Judge:  # noqa: ARG001 - part of the key
    return judge(test, zone)


def _literal_types(test: ast.Test) -> tuple[type, ...]:
    """What tells `= true` from `= 1`, which Python takes for equal."""
    match test:
        case ast.Compare(value=value):
            return (type(value),)
        case ast.OneOf(values=values):
            return tuple(map(type, values))
        case ast.Between(low, high):
            return (type(low), type(high))
        case _:
            return ()


def near(latitudes: ColumnView, longitudes: ColumnView, test: ast.Near) -> Bools:
    """Returns which rows lie within the distance."""
    within: Bools = distances(latitudes, longitudes, test) <= test.km
    return within


def distances(latitudes: ColumnView, longitudes: ColumnView, test: ast.Near) -> npt.NDArray[np.float64]:
    """Returns how far from the test's place rows lie in km, NaN where one of the two is missing.

    Along the great circle (haversine formula, mean Earth radius).
    """
    result = np.full(latitudes.rows, np.nan)
    if latitudes.numbers is None or longitudes.numbers is None:
        return result
    present = latitudes.numbers[1] & longitudes.numbers[1]
    one, other = np.radians(latitudes.numbers[0][present]), np.radians(test.latitude)
    across = np.radians(test.longitude - longitudes.numbers[0][present])
    half = np.sin((other - one) / 2) ** 2 + np.cos(one) * np.cos(other) * np.sin(across / 2) ** 2
    result[present] = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return result


_EARTH_RADIUS_KM: Final = 6371.0088


def judge_days(test: ast.Test) -> Callable[[npt.NDArray[np.int64]], Bools]:
    """Returns a test of local dates (days since 1970-01-01) as a function; only dates compare with dates."""
    utc = judge(_as_days(test), "UTC")
    return lambda days: utc(ColumnView(len(days), instants=(days, np.ones(len(days), dtype=np.bool_))))


def _as_days(test: ast.Test) -> ast.Test:
    """The same test with dates written as day numbers, and all else as what no date equals."""

    def day(literal: ast.Literal) -> ast.Literal:
        return ast.Instant(local_ms(literal.value) // DAY_MS) if isinstance(literal, ast.LocalTime) else ""

    match test:
        case ast.Compare(op, value):
            return ast.Compare(op, day(value))
        case ast.OneOf(values, negated):
            return ast.OneOf(tuple(day(value) for value in values), negated)
        case ast.Between(low, high):
            return ast.Between(day(low), day(high))
        case _:
            return test


# ---------------------------------------------------------------- comparisons


def _compare(op: ast.CompareOp, literal: ast.Literal, zone: str, ignore_case: bool = False) -> Judge:
    operator = _OPERATORS[op]
    match literal:
        case bool():
            return _masked("booleans", lambda values: operator(values, literal))
        case float() | int():
            return _masked("numbers", lambda values: operator(values, literal))
        case ast.LocalTime() | ast.Instant():
            at = resolve(literal, zone)
            return _masked("instants", lambda values: operator(values, at))
        case ast.Version(text):
            return _texts(_version_test(operator, text))
        case str():
            if op is ast.CompareOp.EQ and not ignore_case:
                return _text_equals(literal)
            if ignore_case:
                folded = literal.casefold()
                return _texts(lambda text: operator(text.casefold(), folded))
            return _texts(lambda text: operator(text, literal))


def _masked(kind: str, test: Callable[[npt.NDArray[Any]], Any]) -> Judge:
    """A test of the numbers, booleans or instants."""

    def passes(view: ColumnView) -> Bools:
        column = getattr(view, kind)
        if column is None:
            return np.zeros(view.rows, dtype=np.bool_)
        result: Bools = test(column[0]) & column[1]
        return result

    return passes


def _texts(test: TextTest) -> Judge:
    """A test of the texts, one dictionary entry at a time."""

    def passes(view: ColumnView) -> Bools:
        if view.texts is None:
            return np.zeros(view.rows, dtype=np.bool_)
        return words_of(view.texts[1]).test(view.texts[0], test)

    return passes


def _text_equals(text: str) -> Judge:
    """Equality needs no look at the other entries."""

    def passes(view: ColumnView) -> Bools:
        code = -1 if view.texts is None else words_of(view.texts[1]).find(text)
        if view.texts is None or code < 0:
            return np.zeros(view.rows, dtype=np.bool_)
        result: Bools = view.texts[0] == code
        return result

    return passes


def _version_test(operator: Callable[[Any, Any], Any], wanted: str) -> TextTest:
    wanted_key = version_key(wanted)

    def passes(text: str) -> bool:
        key = version_key(text)
        return key is not None and wanted_key is not None and bool(operator(key, wanted_key))

    return passes


def _both(one: Judge, other: Judge) -> Judge:
    return lambda view: one(view) & other(view)


# ---------------------------------------------------------------- lists of values, and texts


def _one_of(test: ast.OneOf, zone: str) -> Judge:
    numbers = np.array([value for value in test.values if type(value) is float], dtype=np.float64)
    instants = np.array([resolve(v, zone) for v in test.values if isinstance(v, ast.LocalTime | ast.Instant)], np.int64)
    booleans = [value for value in test.values if type(value) is bool]
    is_one, is_of_kind = _one_of_texts(test)
    negated = test.negated
    judges = [
        _masked("numbers", lambda values: _member(values, numbers) != negated) if len(numbers) else None,
        _masked("instants", lambda values: _member(values, instants) != negated) if len(instants) else None,
        _masked("booleans", lambda values: _member(values, np.array(booleans)) != negated) if booleans else None,
        _texts((lambda text: is_of_kind(text) and not is_one(text)) if negated else is_one) if is_one else None,
        _elements(is_one or (lambda _: False), negated),
    ]
    return _any([held for held in judges if held is not None])


def _one_of_texts(test: ast.OneOf) -> tuple[TextTest | None, TextTest]:
    """The test of one text against the texts and versions listed, and whether it is of a kind listed."""
    texts = frozenset(value for value in test.values if isinstance(value, str))
    versions = {version_key(value.text) for value in test.values if isinstance(value, ast.Version)} - {None}
    if test.ignore_case:
        texts = frozenset(text.casefold() for text in texts)
    if not versions:
        is_one = (lambda text: text.casefold() in texts) if test.ignore_case else texts.__contains__
        return (is_one if texts else None), lambda _: True

    def is_text_or_version(text: str) -> bool:
        return (text.casefold() if test.ignore_case else text) in texts or version_key(text) in versions

    return is_text_or_version, lambda text: bool(texts) or version_key(text) is not None


def _member(values: npt.NDArray[Any], listed: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if len(listed) == 1:
        result: npt.NDArray[Any] = values == listed[0]
        return result
    return np.isin(values, listed)


def _elements(is_one: TextTest, negated: bool) -> Judge:
    """A test of lists: whether any element passes; negated, whether none does."""

    def passes(view: ColumnView) -> Bools:
        if view.lists is None:
            return np.zeros(view.rows, dtype=np.bool_)
        found = (value is not None and any(map(is_one, value)) != negated for value in view.lists)
        return np.fromiter(found, np.bool_, view.rows)

    return passes


def _any(judges: Sequence[Judge]) -> Judge:
    if len(judges) == 1:
        return judges[0]

    def passes(view: ColumnView) -> Bools:
        result = judges[0](view)
        for other in judges[1:]:
            result = result | other(view)
        return result

    return passes


def _text_match(test: ast.TextMatch) -> Judge:
    part = test.text.casefold() if test.ignore_case else test.text
    found: TextTest
    match test.op:
        case ast.TextOp.CONTAINS:
            found = lambda text: part in text  # noqa: E731 - four forms of one function
        case ast.TextOp.STARTS_WITH:
            found = lambda text: text.startswith(part)  # noqa: E731
        case ast.TextOp.ENDS_WITH:
            found = lambda text: text.endswith(part)  # noqa: E731
        case ast.TextOp.MATCHES:
            found = wildcard_test(part)
    equal: TextTest = part.__eq__
    if test.ignore_case:
        found, equal = _folded(found), _folded(equal)
    of_text = _texts((lambda text: not found(text)) if test.negated else found)
    return _any([of_text, _elements(equal, test.negated)]) if test.op is ast.TextOp.CONTAINS else of_text


def _folded(test: TextTest) -> TextTest:
    return lambda text: test(text.casefold())
