"""The edges of windows: monotone in now, and `due` is the exact inverse of `value`."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.errors import FieldInvalid
from coterie.index.rules import ast
from coterie.index.time.boundaries import (
    NOW,
    Beginning,
    Boundary,
    CalendarEdge,
    Earlier,
    Fixed,
    Now,
    SlidingEdge,
    UpTo,
    VisitStart,
    behind,
    window_bounds,
)
from coterie.index.time.calendar import DAY_MS, HIGHEST, LOWEST, period_start, resolve
from tests.test_calendar import ZONES, around_changes

units = st.sampled_from(list(ast.CalendarUnit))
zones = st.sampled_from(ZONES)
instants = st.integers(-(10**12), 10**13)
boundaries: st.SearchStrategy[Boundary] = st.one_of(
    st.just(Beginning()),
    st.builds(Fixed, instants),
    st.builds(UpTo, instants),
    st.builds(SlidingEdge, st.integers(0, 10**11)),
    st.builds(CalendarEdge, units, st.integers(-2, 40), zones),
    st.builds(Earlier, st.builds(UpTo, instants), st.builds(SlidingEdge, st.integers(0, 10**11))),
)


@given(boundaries, instants, instants)
def test_due_is_the_inverse_of_value(boundary: Boundary, t: int, now: int) -> None:
    """An event is behind an edge exactly from the instant at which it is due."""
    due = boundary.due(t)
    assert (boundary.value(now) >= t) == (due is not None and now >= due)


@given(around_changes, units, st.integers(-2, 5), st.integers(-2, 2))
def test_calendar_edges_are_exact_where_clocks_change(
    case: tuple[str, int], unit: ast.CalendarUnit, back: int, step: int
) -> None:
    """Around changes of clocks, `due` is the first millisecond that passes the event, and no other."""
    zone, t = case
    edge = CalendarEdge(unit, back, zone)
    due = edge.due(t)
    assert due is not None
    assert edge.value(due) >= t > edge.value(due - 1)
    assert (edge.value(due + step) >= t) == (step >= 0)


@given(boundaries, instants, st.integers(0, 10**11))
def test_values_never_step_back(boundary: Boundary, now: int, later: int) -> None:
    """As now moves on, an edge moves on or stays."""
    assert boundary.value(now) <= boundary.value(now + later)


windows = st.one_of(
    st.none(),
    st.builds(ast.Sliding, st.integers(1, 10**11)),
    st.tuples(st.integers(0, 10**10), st.integers(1, 10**10)).map(lambda pair: ast.AgoRange(sum(pair), pair[0])),
    st.builds(ast.Absolute, st.none() | st.builds(ast.Instant, instants), st.none() | st.builds(ast.Instant, instants)),
    st.tuples(units, st.integers(0, 3), st.integers(0, 3)).map(
        lambda each: ast.Calendar(each[0], max(each[1:]), min(each[1:]))
    ),
)


def inside(window: ast.Window | None, zone: str, t: int, now: int) -> bool:
    """Membership of an instant in a window, straight from the meaning of the words."""
    if t > now:
        return False
    match window:
        case None:
            return True
        case ast.Sliding(duration):
            return t > now - duration
        case ast.AgoRange(far, near):
            return now - far < t <= now - near
        case ast.Absolute(start, end):
            return (start is None or t >= resolve(start, zone)) and (end is None or t < resolve(end, zone))
        case ast.Calendar(unit, first_back, last_back):
            return period_start(unit, zone, now, first_back) <= t < period_start(unit, zone, now, last_back - 1)
    raise AssertionError(window)


@given(windows, zones, instants, st.integers(0, 10**11) | st.integers(-(10**6), 0))
def test_windows_hold_what_their_words_say(window: ast.Window | None, zone: str, now: int, ago: int) -> None:
    """`lower(now) < t <= upper(now)` is the window, for every kind of window, future events left out."""
    lower, upper = window_bounds(window, zone)
    edges = [now, max(lower.value(now), -(10**15)), upper.value(now)]
    if isinstance(window, ast.Calendar):
        edges += [period_start(window.unit, zone, now, back) for back in range(-1, 5)]
    for t in [now - ago, *(edge + step for edge in edges for step in (-1, 0, 1))]:
        assert (lower.value(now) < t <= upper.value(now)) == inside(window, zone, t, now)


def test_events_enter_and_leave_at_the_millisecond() -> None:
    """`in the last day` holds an event from its own time up to the last millisecond of 24 hours."""
    lower, upper = window_bounds(ast.Sliding(DAY_MS), "UTC")
    assert (upper.due(1000), lower.due(1000)) == (1000, 1000 + DAY_MS)


def test_a_date_range_holds_whole_days() -> None:
    """`between 2026-05-01 and 2026-07-01` begins with May's first millisecond and ends with June's last."""
    may, july = (ast.LocalTime(datetime(2026, month, 1), date_only=True) for month in (5, 7))
    lower, upper = window_bounds(ast.Absolute(may, july), "Europe/Paris")
    now = 2 * 10**12
    assert lower.value(now) + 1 == resolve(may, "Europe/Paris")
    assert upper.value(now) + 1 == resolve(july, "Europe/Paris")


def test_equal_edges_are_one_edge() -> None:
    """Edges hash and compare by value, so that segments share them."""
    assert {window_bounds(ast.Sliding(5), "UTC"), window_bounds(ast.Sliding(5), "Asia/Kathmandu")} == {
        (SlidingEdge(5), Now())
    }
    assert Now() == SlidingEdge(0)


def test_edges_reach_from_the_beginning_to_the_end() -> None:
    """All time has no lower edge; nothing is ever due there."""
    assert Beginning().value(HIGHEST) == LOWEST
    assert Beginning().due(LOWEST + 1) is None
    assert UpTo(5).due(6) is None


def test_a_visit_begins_for_each_subject_at_its_own_time() -> None:
    """The lower edge of the running visit keeps nothing out by itself: the subject's visit does."""
    lower, upper = window_bounds(ast.ThisVisit(), "UTC")
    assert (lower, upper) == (VisitStart(), NOW)
    assert lower.value(HIGHEST) == LOWEST


@pytest.mark.parametrize(
    ("upper", "expected"),
    [
        (NOW, SlidingEdge(30)),
        (SlidingEdge(50), SlidingEdge(50)),
        (UpTo(100), Earlier(UpTo(100), SlidingEdge(30))),
    ],
)
def test_an_edge_can_be_held_back(upper: Boundary, expected: Boundary) -> None:
    """What is seen only some time later passes the edge then, unless the edge lies further back anyway."""
    held = behind(upper, 30)
    assert held == expected
    for now in (60, 120, 140, 200):
        assert held.value(now) == min(upper.value(now), now - 30)
    due = held.due(90)
    assert due is not None
    assert held.value(due) >= 90 > held.value(due - 1)


def test_unknown_zones_are_refused_at_once() -> None:
    """A calendar window in a zone that does not exist is an error when it is made, not at its first midnight."""
    with pytest.raises(FieldInvalid):
        window_bounds(ast.Calendar(ast.CalendarUnit.DAY, 0, 0), "Mars/Olympus")
