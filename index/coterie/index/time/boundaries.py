"""The edges of windows as functions of now: an event at t is inside iff `lower.value(now) < t <= upper.value(now)`.

A value is the last millisecond outside, so exclusive and inclusive edges need no flags. Invariants: every
value is monotone in now; `due(t)` is the smallest now at which `value(now) >= t`, the instant an event is passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from coterie.index.rules.ast import Absolute, AgoRange, Calendar, CalendarUnit, Sliding, ThisVisit, Window
from coterie.index.time.calendar import HIGHEST, LOWEST, period_start, resolve


class Boundary(Protocol):
    """One edge; hashable, and equal edges are one edge whoever asked for them."""

    def value(self, now: int) -> int:
        """Returns the last millisecond this edge leaves behind at `now`."""
        ...

    def due(self, t: int) -> int | None:
        """Returns the smallest now at which `value(now) >= t`; None: there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Beginning:
    """Before everything: the lower edge of all time."""

    def value(self, now: int) -> int:  # noqa: ARG002 - the same at any now
        """Returns LOWEST."""
        return LOWEST

    def due(self, t: int) -> int | None:
        """Returns None for every instant there is."""
        return LOWEST if t <= LOWEST else None


@dataclass(frozen=True, slots=True)
class Fixed:
    """An instant that does not move (the last millisecond before `since DATE`); it may lie ahead of now."""

    at: int

    def value(self, now: int) -> int:  # noqa: ARG002 - the same at any now
        """Returns the instant."""
        return self.at

    def due(self, t: int) -> int | None:
        """Returns LOWEST for what always was behind it, None for the rest."""
        return LOWEST if t <= self.at else None


@dataclass(frozen=True, slots=True)
class SlidingEdge:
    """A fixed distance behind now; a day of it is 24 hours."""

    ago_ms: int

    def value(self, now: int) -> int:
        """Returns now less the distance."""
        return now - self.ago_ms

    def due(self, t: int) -> int | None:
        """Returns the instant the distance after `t`."""
        return t + self.ago_ms


@dataclass(frozen=True, slots=True)
class CalendarEdge:
    """The last millisecond before the local period `back` periods before now's."""

    unit: CalendarUnit
    back: int
    zone: str

    def value(self, now: int) -> int:
        """Returns the last millisecond before that period."""
        return period_start(self.unit, self.zone, now, self.back) - 1

    def due(self, t: int) -> int | None:
        """Returns the beginning of the period that has the one after `t`'s `back` periods before it."""
        return period_start(self.unit, self.zone, t, -self.back - 1)


@dataclass(frozen=True, slots=True)
class UpTo:
    """Now, until a fixed instant is reached: the upper edge of `before DATE`."""

    at: int

    def value(self, now: int) -> int:
        """Returns now or the instant, whichever is earlier."""
        return min(now, self.at)

    def due(self, t: int) -> int | None:
        """Returns `t` itself up to the instant, None after it."""
        return t if t <= self.at else None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier of two edges."""

    first: Boundary
    second: Boundary

    def value(self, now: int) -> int:
        """Returns the lesser of both values."""
        return min(self.first.value(now), self.second.value(now))

    def due(self, t: int) -> int | None:
        """Returns the instant at which both have reached `t`."""
        first, second = self.first.due(t), self.second.due(t)
        return None if first is None or second is None else max(first, second)


@dataclass(frozen=True, slots=True)
class VisitStart:
    """The lower edge of `in this visit`: another for each subject, so that no cursor stands on it.

    Cells of such a window are emptied when the visit ends; see `visits`.
    """

    def value(self, now: int) -> int:  # noqa: ARG002 - the same at any now
        """Returns LOWEST: what lies before the visit is kept out by its subject."""
        return LOWEST

    def due(self, t: int) -> int | None:
        """Returns None for every instant there is."""
        return LOWEST if t <= LOWEST else None


NOW = SlidingEdge(0)


def Now() -> SlidingEdge:  # noqa: N802 - named like the edges beside it
    """Returns the edge that is now itself."""
    return NOW


def window_bounds(window: Window | None, zone: str) -> tuple[Boundary, Boundary]:
    """Returns the lower and upper edge of a window; local dates are read in `zone`.

    FieldInvalid for an unknown zone.
    """
    match window:
        case None:
            return Beginning(), NOW
        case Sliding(duration):
            return SlidingEdge(duration), NOW
        case AgoRange(far, near):
            return SlidingEdge(far), SlidingEdge(near)
        case Absolute(start, end):
            lower = Beginning() if start is None else Fixed(_before(resolve(start, zone)))
            return lower, NOW if end is None else UpTo(_before(resolve(end, zone)))
        case Calendar(unit, first_back, last_back):
            period_start(unit, zone, 0, 0)  # an unknown zone is refused here, not at midnight
            upper = NOW if last_back == 0 else CalendarEdge(unit, last_back - 1, zone)
            return CalendarEdge(unit, first_back, zone), upper
        case ThisVisit():
            return VisitStart(), NOW


def behind(upper: Boundary, delay_ms: int) -> Boundary:
    """Returns the edge that lets in what `upper` does, but no event younger than `delay_ms`."""
    if isinstance(upper, SlidingEdge):
        return SlidingEdge(max(upper.ago_ms, delay_ms))
    return Earlier(upper, SlidingEdge(delay_ms))


def _before(at: int) -> int:
    return min(max(at - 1, LOWEST), HIGHEST)
