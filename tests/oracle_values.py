"""The oracle's tests of one value: comparisons, text, lists, versions, ages, geography.

Owns what `x in (…)`, `x contains 'a'` or `x more than 30 days ago` mean in tests. Invariant: a missing
value and a value of another type satisfy nothing but `is (not) set`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

from coterie.index.model import Value
from coterie.index.rules import ast
from tests.oracle_time import moment_ms

ORDER: dict[ast.CompareOp, Callable[[Any, Any], bool]] = {
    ast.CompareOp.EQ: lambda a, b: a == b,
    ast.CompareOp.NE: lambda a, b: a != b,
    ast.CompareOp.LT: lambda a, b: a < b,
    ast.CompareOp.LE: lambda a, b: a <= b,
    ast.CompareOp.GT: lambda a, b: a > b,
    ast.CompareOp.GE: lambda a, b: a >= b,
}
EARTH_RADIUS_KM = 6371.0088


def satisfies(test: ast.Test, value: Value | date | None, zone: str, now: int = 0) -> bool:
    """Returns whether a value (None: missing; a date: the event's local date) satisfies the test."""
    if isinstance(test, ast.IsSet):
        return (value is None) == test.negated
    if value is None:
        return False
    if isinstance(test, ast.Compare):
        pair = _comparable(value, test.value, zone, ignore_case=test.ignore_case)
        return pair is not None and ORDER[test.op](*pair)
    if isinstance(test, ast.OneOf):
        return _one_of(test, value, zone)
    if isinstance(test, ast.Between):
        return _between(test, value, zone)
    if isinstance(test, ast.TextMatch):
        return _text_match(test, value)
    assert isinstance(test, ast.Age)
    return type(value) is int and _age(test, value, now)


def _comparable(value: Any, literal: ast.Literal, zone: str, *, ignore_case: bool) -> tuple[Any, Any] | None:
    """Returns the two sides in one comparable form, None where their types differ."""
    if isinstance(literal, ast.LocalTime) and type(value) is date:
        return value, literal.value.date()
    if isinstance(literal, ast.LocalTime | ast.Instant):
        return (value, moment_ms(literal, zone)) if type(value) is int else None
    if isinstance(literal, ast.Version):
        parts = _version(value)
        wanted = _version(literal.text)
        return None if parts is None or wanted is None else (parts, wanted)
    if type(value) is not type(literal):
        return None
    if isinstance(literal, str) and ignore_case:
        return value.casefold(), literal.casefold()
    return value, literal


def _version(value: Any) -> list[int] | None:
    """Returns the numbers between the dots, without zeros at the end (4.2 is 4.2.0), None where it is no version."""
    if type(value) is not str:
        return None
    parts = value.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers


def _one_of(test: ast.OneOf, value: Any, zone: str) -> bool:
    elements = value if type(value) is tuple else (value,)
    pairs = [
        _comparable(element, literal, zone, ignore_case=test.ignore_case)
        for element in elements
        for literal in test.values
    ]
    found = any(pair is not None and pair[0] == pair[1] for pair in pairs)
    if not test.negated:
        return found
    of_a_type_listed = type(value) is tuple or any(pair is not None for pair in pairs)
    return of_a_type_listed and not found


def _between(test: ast.Between, value: Any, zone: str) -> bool:
    low = _comparable(value, test.low, zone, ignore_case=False)
    high = _comparable(value, test.high, zone, ignore_case=False)
    if low is None or high is None:
        return False
    if isinstance(test.high, ast.LocalTime | ast.Instant):
        return low[0] >= low[1] and high[0] < high[1]
    return low[0] >= low[1] and high[0] <= high[1]


def _text_match(test: ast.TextMatch, value: Any) -> bool:
    if type(value) is tuple and test.op is ast.TextOp.CONTAINS:
        return any(_folded(element, test) == _folded(test.text, test) for element in value) != test.negated
    if type(value) is not str:
        return False
    whole, part = _folded(value, test), _folded(test.text, test)
    found = {
        ast.TextOp.CONTAINS: lambda: part in whole,
        ast.TextOp.STARTS_WITH: lambda: whole.startswith(part),
        ast.TextOp.ENDS_WITH: lambda: whole.endswith(part),
        ast.TextOp.MATCHES: lambda: _matches_pattern(part, whole),
    }[test.op]()
    return found != test.negated


def _folded(text: str, test: ast.TextMatch) -> str:
    return text.casefold() if test.ignore_case else text


def _matches_pattern(pattern: str, text: str) -> bool:
    """`*` is any run of characters, `?` any one; nothing else is special."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_matches_pattern(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and _matches_pattern(pattern[1:], text[1:])


def _age(test: ast.Age, instant: int, now: int) -> bool:
    return {
        ast.AgeRelation.MORE_THAN_AGO: instant <= now - test.duration_ms,
        ast.AgeRelation.WITHIN_LAST: now - test.duration_ms < instant <= now,
        ast.AgeRelation.WITHIN_NEXT: now < instant <= now + test.duration_ms,
        ast.AgeRelation.MORE_THAN_FROM_NOW: instant > now + test.duration_ms,
    }[test.relation]


def satisfies_near(test: ast.Near, name: str, value_of: Callable[[str], Value | None]) -> bool:
    """Returns whether the pair NAME_latitude, NAME_longitude (`location`: latitude, longitude) lies near enough."""
    prefix = "" if name == "location" else f"{name}_"
    latitude, longitude = value_of(f"{prefix}latitude"), value_of(f"{prefix}longitude")
    if type(latitude) is not float or type(longitude) is not float:
        return False
    return haversine_km(latitude, longitude, test.latitude, test.longitude) <= test.km


def haversine_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Returns the great-circle distance of two points given in degrees."""
    a, b = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))
