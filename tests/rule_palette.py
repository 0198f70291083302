"""What random rules are made of: names and values, wild ones unless a test gives its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from coterie.index.rules import ast
from coterie.index.rules.literals import MAX_COUNT, MAX_DURATION_MS, MAX_INSTANT_MS, MIN_INSTANT_MS
from coterie.index.rules.words import RESERVED

LEAVES: frozenset[type] = frozenset(
    {
        ast.AttributeTest,
        ast.Did,
        ast.DidFirst,
        ast.MeasureTest,
        ast.Sequence,
        ast.Inaction,
        ast.InSegment,
        ast.InList,
        ast.InSplit,
    }
)
NESTING: frozenset[type] = frozenset({ast.And, ast.Or, ast.Not, ast.AtLeast, ast.OfAccount, ast.Users})
WINDOWS: frozenset[type] = frozenset({type(None), ast.Sliding, ast.AgoRange, ast.Absolute, ast.Calendar, ast.ThisVisit})
TESTS: frozenset[type] = frozenset({ast.Compare, ast.OneOf, ast.Between, ast.TextMatch, ast.IsSet, ast.Near, ast.Age})

# ---------------------------------------------------------------- wild names and values

_TRICKY_NAMES = [
    *sorted(RESERVED),
    *("list", "split", "hour", "weekday", "date", "Hour", "user.age", "current.os", "account.x", "version", "true"),
    *(
        "$visit",
        "App Launched",
        "checkout.completed",
        "in-app",
        "a-",
        "_x",
        "9lives",
        "été",
        "quote\"'s",
        "back\\slash",
    ),
    *("count", "sum", "days", "times", "ago", "user", "and.or", "first.x", "x.first", "line\nbreak", "tab\t#", "Today"),
]


def texts(max_size: int = 12) -> SearchStrategy[str]:
    """Any text that can be stored, the awkward characters often."""
    awkward = st.sampled_from(list("'\"\\\n\r\t# $.-_\u2028\x00\x7f\ufeff\U0001f600*?%"))
    return st.text(st.one_of(awkward, st.characters(exclude_categories=["Cs"])), max_size=max_size)


def names() -> SearchStrategy[str]:
    """Names, bare ones and ones that need quotes."""
    return st.one_of(
        st.sampled_from(_TRICKY_NAMES), st.from_regex(r"[a-z][a-z_]{0,5}", fullmatch=True), texts().filter(bool)
    )


def numbers() -> SearchStrategy[float]:
    """Finite numbers, whole ones often."""
    return st.one_of(
        st.integers(-1000, 1000).map(float), st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)
    )


def durations() -> SearchStrategy[int]:
    """Durations in milliseconds, whole units often."""
    whole = st.builds(
        lambda count, size: count * size, st.integers(1, 90), st.sampled_from([1000, 60_000, 3_600_000, 86_400_000])
    )
    return st.one_of(whole, st.integers(1, MAX_DURATION_MS))


def local_times() -> SearchStrategy[ast.LocalTime]:
    """Local dates and times in whole milliseconds."""

    def to_milliseconds(value: datetime) -> datetime:
        return value.replace(microsecond=value.microsecond // 1000 * 1000, fold=0)

    return st.one_of(
        local_dates(),
        st.datetimes().map(lambda value: ast.LocalTime(to_milliseconds(value))),
        st.datetimes().map(lambda value: ast.LocalTime(value.replace(second=0, microsecond=0, fold=0))),
    )


def local_dates() -> SearchStrategy[ast.LocalTime]:
    """Local dates."""
    return st.dates().map(lambda day: ast.LocalTime(datetime(day.year, day.month, day.day), date_only=True))


def instants() -> SearchStrategy[ast.Instant]:
    """Instants of the years 1 to 9999."""
    return st.builds(ast.Instant, st.integers(MIN_INSTANT_MS, MAX_INSTANT_MS))


def versions() -> SearchStrategy[ast.Version]:
    """Dotted versions."""
    return st.lists(st.integers(0, 99), min_size=1, max_size=4).map(
        lambda parts: ast.Version(".".join(map(str, parts)))
    )


@dataclass(frozen=True)
class Palette:
    """What rules may be made of. Names and values are strategies; node types are sets."""

    leaves: frozenset[type] = LEAVES
    nesting: frozenset[type] = NESTING
    windows: frozenset[type] = WINDOWS
    tests: frozenset[type] = TESTS
    aggregates: frozenset[ast.Aggregate] = frozenset(ast.Aggregate)
    operators: frozenset[ast.ArithmeticOp] = frozenset(ast.ArithmeticOp)
    event_time: bool = True  # hour, weekday, date in a `where`
    any_event: bool = True
    max_leaves: int = 8
    max_count: int = MAX_COUNT
    events: SearchStrategy[str] = field(default_factory=names)
    properties: SearchStrategy[str] = field(default_factory=names)
    number_properties: SearchStrategy[str] | None = None  # of sums and their like; None: as properties
    attributes: SearchStrategy[str] = field(default_factory=names)
    segments: SearchStrategy[str] = field(default_factory=names)
    lists: SearchStrategy[str] = field(default_factory=names)
    salts: SearchStrategy[str] = field(default_factory=names)
    texts: SearchStrategy[str] = field(default_factory=texts)
    numbers: SearchStrategy[float] = field(default_factory=numbers)
    durations: SearchStrategy[int] = field(default_factory=durations)
    local_times: SearchStrategy[ast.LocalTime] = field(default_factory=local_times)
    instants: SearchStrategy[ast.Instant] = field(default_factory=instants)
    versions: SearchStrategy[ast.Version] | None = field(default_factory=versions)
    zones: SearchStrategy[str | None] = field(
        default_factory=lambda: st.sampled_from([None, None, "Europe/Paris", "UTC", "America/Argentina/Buenos_Aires"])
    )


WILD = Palette()
