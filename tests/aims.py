"""Instants aimed at what matters: edges of windows, gaps of visits, deadlines, midnights, clock changes, other events.

An aim is (anchor, which one, milliseconds beside it), resolved against the state when it is used. Owns where
random journals put events and time. Invariant: an aim means the same instant whenever the state is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st

from tests.oracle_time import day_start, local_date
from tests.oracle_visits import VISIT_GAP_MS
from tests.side_by_side import SideBySide
from tests.vocabulary import CLOCK_CHANGES, DAY, DURATIONS, HOUR, MINUTE

Aim = tuple[str, int, int]
Chosen = TypeVar("Chosen")

FUTURE = 5 * MINUTE
WIDTHS = (*DURATIONS, HOUR, 2 * DAY, VISIT_GAP_MS)
APART = (VISIT_GAP_MS, DURATIONS[0], DURATIONS[1])  # what lies between events of a visit, a sequence or inaction

_EVENT_ANCHORS = ("hours", "edge", "edge", "tied", "tied", "apart", "apart", "midnight", "future")
_STEP_ANCHORS = (
    "expiry",
    "expiry",
    "midnight",
    "due",
    "due",
    "due",
    "deadline",
    "deadline",
    "hours",
    "clock change",
    "far",
)
_BESIDE = st.sampled_from((0, 0, -1, 1))
EVENT_AIMS = st.tuples(st.sampled_from(_EVENT_ANCHORS), st.integers(0, 9), _BESIDE)
STEPS = st.tuples(st.sampled_from(_STEP_ANCHORS), st.integers(0, 9), _BESIDE)
STAY: Aim = ("now", 0, 0)
SHORT_STEPS = st.just(STAY) | STEPS


def pick(choices: Sequence[Chosen], which: int) -> Chosen:
    """Returns one of the choices, whatever the number."""
    return choices[which % len(choices)]


def event_time(pair: SideBySide, aim: Aim, at: int) -> int:
    """Returns an event time at or before `at`, or up to a millisecond too far ahead of it."""
    anchor, which, beside = aim
    times = sorted({happened.time for happened in pair.dataset.events}) or [at]
    found = {
        "hours": at - which * HOUR,
        "edge": at - pick(WIDTHS, which),
        "tied": pick(times, which),
        "apart": _apart(pick(times[::-1], which // len(APART)), pick(APART, which), at),
        "midnight": _midnight(pair, at, -(which % 3)),
        "future": at + (FUTURE if which % 2 else MINUTE),
    }[anchor]
    return found + beside


def step_to(pair: SideBySide, aim: Aim) -> int:
    """Returns an instant not before now."""
    anchor, which, beside = aim
    now = pair.now
    expiries = sorted({happened.time + width for happened in pair.dataset.events for width in WIDTHS})
    ahead = [instant for instant in expiries if instant > now] or [now]
    deadlines = [end for held in pair.dataset.segments.values() for end in held.latch.until.values() if end > now]
    found = {
        "now": now,
        "expiry": pick(ahead, which),
        "midnight": _midnight(pair, now, 1 + which % 2),
        "due": pair.engine.next_instant() or now,
        "deadline": pick(sorted(set(deadlines)) or ahead, which),
        "hours": now + which * HOUR,
        "clock change": pick(CLOCK_CHANGES, which),
        "far": now + 40 * DAY,
    }[anchor]
    return max(now, found + beside)


def any_time(pair: SideBySide, aim: Aim, at: int) -> int:
    """Returns an instant behind or ahead of now."""
    return step_to(pair, aim) if aim[0] in _STEP_ANCHORS else event_time(pair, aim, at)


def _apart(other: int, width: int, at: int) -> int:
    """Returns an instant that far behind another event, or that far before it where `at` does not reach."""
    return other + width if other + width <= at else other - width


def _midnight(pair: SideBySide, at: int, days: int) -> int:
    zone = pair.dataset.zone if days % 2 else "Europe/Paris"
    return day_start(local_date(at, zone) + timedelta(days=days), zone)
