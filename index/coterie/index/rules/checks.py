"""What a single node of a rule may say: names, tests, windows, measures.

The one place where meaning is checked, for rules read from text (builder) and rules that arrive as trees
(validation) alike. Invariant: a node that passes prints to text that reads as the same node.
"""

from __future__ import annotations

import functools
import math
import zoneinfo
from collections.abc import Iterator
from datetime import datetime
from difflib import get_close_matches
from typing import assert_never

from coterie.index.rules import ast
from coterie.index.rules.literals import (
    FULL_SPLIT,
    MAX_COUNT,
    MAX_INSTANT_MS,
    MIN_INSTANT_MS,
    check_duration,
    check_encodable,
    print_count,
    print_number,
)
from coterie.index.rules.refusal import Refused
from coterie.index.rules.words import UNIT_MS

MAX_STEPS = 32
MAX_PERIODS_BACK = 10_000

# ---------------------------------------------------------------- names and literals


def check_name(name: str, what: str) -> None:
    """Refuses an empty name."""
    if not name:
        raise Refused(f"the {what} has no name", f"the name of the {what}")
    check_encodable(name)


def check_zone(zone: str | None) -> None:
    """Refuses a time zone that the IANA database does not know."""
    if zone is None or zone in _zones():
        return
    near = get_close_matches(zone, sorted(_zones()), n=1, cutoff=0.5)
    raise Refused(
        f"there is no time zone {zone!r}",
        "a name of the IANA database such as 'Europe/Paris' or 'UTC'",
        f"did you mean '{near[0]}'?" if near else "",
    )


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def check_literal(value: ast.Literal) -> None:
    """Refuses values that cannot be written down."""
    match value:
        case bool():
            pass
        case str():
            check_encodable(value)
        case float() | int():
            check_number(value)
        case ast.Version(text):
            check_version(text)
        case ast.LocalTime() | ast.Instant():
            check_moment(value)
        case _:
            assert_never(value)


def check_number(number: float) -> None:
    """Refuses NaN and infinities."""
    if not math.isfinite(number):
        raise Refused("the number is not finite", "a number")


def check_version(text: str) -> None:
    """Refuses versions that are not numbers with dots between."""
    parts = text.split(".")
    if len(text) > 256 or not all(part.isascii() and part.isdigit() for part in parts):
        raise Refused(f"{text[:40]!r} is no version", "numbers with dots between, such as version('4.10')")


def check_moment(moment: ast.Moment) -> None:
    """Refuses moments finer than a millisecond, or that their form cannot show."""
    if isinstance(moment, ast.Instant):
        if not MIN_INSTANT_MS <= moment.ms <= MAX_INSTANT_MS:
            raise Refused("the instant lies outside the years 1 to 9999")
        return
    value = moment.value
    if value.tzinfo is not None or value.microsecond % 1000:
        raise Refused("a local time has no offset and whole milliseconds")
    if moment.date_only and value != datetime(value.year, value.month, value.day):
        raise Refused("a date has no time of day")


# ---------------------------------------------------------------- counts, windows


def check_frequency(frequency: ast.Frequency) -> None:
    """Refuses a frequency no number satisfies."""
    low, high = frequency.low, frequency.high
    if not 0 <= low <= MAX_COUNT or (high is not None and not 0 <= high <= MAX_COUNT):
        raise Refused("the number of times is out of range", f"0 to {MAX_COUNT}")
    if high is not None and low > high:
        raise Refused(
            f"no number lies between {low} and {high}", "the smaller number first", f"write {high} to {low} times"
        )


def check_window(window: ast.Window | None) -> None:
    """Refuses windows that are empty whatever the time, or have no spelling."""
    match window:
        case None | ast.ThisVisit():
            pass
        case ast.Sliding(duration_ms):
            check_duration(duration_ms)
        case ast.AgoRange():
            _check_ago_range(window)
        case ast.Absolute(start, end):
            _check_absolute(start, end)
        case ast.Calendar(_, first_back, last_back):
            if not 0 <= last_back <= first_back <= MAX_PERIODS_BACK:
                raise Refused("the calendar window runs backwards or too far", f"periods 0 to {MAX_PERIODS_BACK} back")
        case _:
            assert_never(window)


def _check_ago_range(window: ast.AgoRange) -> None:
    check_duration(window.far_ms)
    check_duration(window.near_ms, low=0)
    if window.far_ms <= window.near_ms:
        raise Refused("the window is empty: it ends where it begins", "two different ages")
    size = UNIT_MS.get(window.unit)
    if size is None or window.far_ms % size or window.near_ms % size:
        raise Refused(f"the ages are no whole numbers of {window.unit}", f"one of {', '.join(UNIT_MS)} that fits both")


def _check_absolute(start: ast.Moment | None, end: ast.Moment | None) -> None:
    if start is None and end is None:
        raise Refused("the window has neither beginning nor end", "a date")
    for moment in (start, end):
        if moment is not None:
            check_moment(moment)
    check_moments_ordered(start, end)


def check_moments_ordered(start: ast.Moment | None, end: ast.Moment | None) -> None:
    """Refuses `between` two moments of which the second is not the later one, whatever the zone."""
    match start, end:
        case ast.LocalTime(), ast.LocalTime():
            ordered = start.value < end.value
        case ast.Instant(), ast.Instant():
            ordered = start.ms < end.ms
        case _:
            ordered = True
    if not ordered:
        raise Refused("nothing lies between these dates: the second is not included", "the earlier date first")


def check_split(salt: str, low: int, high: int) -> None:
    """Refuses a split without salt or without a share."""
    check_name(salt, "split")
    if not 0 <= low < high <= FULL_SPLIT:
        raise Refused("the share of the split is empty", "the smaller percentage first, as in 0% to 10%")


def check_at_least(k: int, children: int) -> None:
    """Refuses a number of conditions that is none, or more than there are."""
    if not 1 <= k <= children:
        raise Refused(
            f"at least {k} of {print_count(children, 'conditions')} cannot be asked for",
            f"a number from 1 to {children}",
        )


def check_steps(count: int) -> None:
    """Refuses sequences of one step, or of too many."""
    if not 2 <= count <= MAX_STEPS:
        raise Refused(f"the sequence has {print_count(count, 'steps')}", f"2 to {MAX_STEPS} steps")


# ---------------------------------------------------------------- measures

_NEEDS_PROPERTY = {ast.Aggregate.SUM, ast.Aggregate.AVG, ast.Aggregate.MIN, ast.Aggregate.MAX, ast.Aggregate.DISTINCT}
_TAKES_PROPERTY = _NEEDS_PROPERTY | {ast.Aggregate.FIRST, ast.Aggregate.LAST}


def check_measure(measure: ast.Measure) -> None:
    """Refuses a measure without the property or events it needs, or with one it cannot use."""
    name = measure.aggregate.value
    if measure.aggregate is ast.Aggregate.VISITS:
        if measure.events is not None or measure.property is not None:
            raise Refused("visits counts visits, of no event or property", "visits, or avg(visits.PROPERTY)")
    elif measure.events is None:
        raise Refused(f"{name} needs an event", f"{name}(EVENT)")
    elif measure.property is None and measure.aggregate in _NEEDS_PROPERTY:
        event = measure.events.type or "any event"
        raise Refused(
            f"{name} needs a property of the event", f"{name}(EVENT.PROPERTY)", f"write {name}({event}.PROPERTY)"
        )
    elif measure.property is not None and measure.aggregate not in _TAKES_PROPERTY:
        raise Refused(
            f"{name} counts events and takes no property",
            f"{name}(EVENT)",
            f"for the number of different values write distinct; a dotted event is quoted: {name}("
            f'"{measure.events.type}.{measure.property}")',
        )
    if measure.property is not None:
        check_name(measure.property, "property")


def measures_of(term: ast.Term | None) -> Iterator[ast.Measure]:
    """Yields the measures of a term from left to right; needs no recursion, however deep the term."""
    stack = [term]
    while stack:
        match stack.pop():
            case ast.Arithmetic(_, left, right):
                stack += (right, left)
            case ast.Measure() as measure:
                yield measure


def is_time(term: ast.Term) -> bool:
    """Whether the term is the time of an event."""
    return (
        isinstance(term, ast.Measure)
        and term.aggregate in {ast.Aggregate.FIRST, ast.Aggregate.LAST}
        and term.property is None
    )


def is_open_valued(term: ast.Term) -> bool:
    """Whether the term is a property's own value, of which only the events know the type."""
    return (
        isinstance(term, ast.Measure)
        and term.aggregate in {ast.Aggregate.FIRST, ast.Aggregate.LAST}
        and term.property is not None
    )


def is_extreme_number(term: ast.Term) -> bool:
    """Whether the term is the smallest or the largest of a property's numbers."""
    return isinstance(term, ast.Measure) and term.aggregate in {ast.Aggregate.MIN, ast.Aggregate.MAX}


def check_term(term: ast.Term) -> None:
    """Refuses arithmetic over times."""
    if not isinstance(term, ast.Arithmetic):
        return
    for measure in measures_of(term):
        if is_time(measure):
            name = measure.aggregate.value
            raise Refused(f"{name} of an event is a time, no number", f"{name}(EVENT.PROPERTY), or another measure")


def check_term_compare(left: ast.Term, right: ast.Term) -> None:
    """Refuses comparing two terms that are never of one type, or that no event can change."""
    check_term(left)
    check_term(right)
    check_has_measure(left, right)
    if is_open_valued(left) or is_open_valued(right):
        return
    if is_time(left) != is_time(right):
        raise Refused(
            "a time is compared with a number", "two times or two numbers", "name a property: last(EVENT.PROPERTY)"
        )


def check_has_measure(*terms: ast.Term) -> None:
    """Refuses a comparison of fixed numbers."""
    if not any(True for term in terms for _ in measures_of(term)):
        number = print_number(terms[0]) if isinstance(terms[0], float | int) else "this"
        raise Refused(f"nothing is measured: {number} is a fixed number", "a measure such as count(EVENT)")
