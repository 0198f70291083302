"""Local calendar periods of a zone: which day, week, month or year an instant lies in, and where they begin.

A period begins at the first instant at which wall clocks show its first date or a later one; the period of
an instant is the newest one begun. Invariant: both are monotone whatever the clocks do, so a day has 0 to 27
hours (none where a date was skipped). The event's own `hour`, `weekday` and `date` are what its wall clock showed.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from coterie.index.errors import FieldInvalid
from coterie.index.rules.ast import CalendarUnit, Instant, Moment
from coterie.index.time.offsets import CYCLE_S, read_offsets, zone_names

LOWEST: Final = -(2**62)
HIGHEST: Final = 2**62

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CYCLE_MS: Final = CYCLE_S * 1000
_FARTHEST_MS: Final = 27 * HOUR_MS  # more than any wall clock was ever ahead of UTC
_MONDAY: Final = 3  # 1970-01-01, day 0, was a Thursday

Instants = npt.NDArray[np.int64]


class Zone:
    """One zone's wall clocks; all instants and local times are whole milliseconds (local ones as if in UTC)."""

    def __init__(self, name: str) -> None:
        self.name = name
        table = read_offsets(name)
        self._starts = [LOWEST * 2, *(start * 1000 for start in table.starts_s)]
        self._offsets = [offset * 1000 for offset in table.offsets_s]
        self._starts_array: Instants = np.array(self._starts, dtype=np.int64)
        self._offsets_array: Instants = np.array(self._offsets, dtype=np.int64)
        # From here on everything is as it was 400 years before (but for zones whose last offset stays).
        self._repeats = self._starts[-1] - _FARTHEST_MS if table.cyclic else None
        # The newest span of each unit asked for, [begin, end) and its number: a memo, because now moves slowly.
        self._spans: dict[CalendarUnit, tuple[int, int, int]] = {}

    def _folded(self, at: int) -> int:
        """How far back an instant or local time must be moved to lie inside the table."""
        if self._repeats is None or at < self._repeats:
            return 0
        return (1 + (at - self._repeats) // _CYCLE_MS) * _CYCLE_MS

    def offset_at(self, at: int) -> int:
        """Returns how far wall clocks were ahead of UTC."""
        return self._offsets[bisect_right(self._starts, at - self._folded(at)) - 1]

    def local(self, at: int) -> int:
        """Returns what the wall clock showed."""
        return at + self.offset_at(at)

    def local_times(self, times: Instants) -> Instants:
        """Returns what the wall clock showed at each instant."""
        if self._repeats is None:
            folded = times
        else:
            folded = np.where(
                times < self._repeats, times, (times - self._repeats) % _CYCLE_MS - _CYCLE_MS + self._repeats
            )
        result: Instants = times + self._offsets_array[np.searchsorted(self._starts_array, folded, side="right") - 1]
        return result

    def first_instant(self, local: int) -> int:
        """Returns the first instant at which the wall clock shows `local` or later.

        The first of two where clocks go back, the first after the gap where they go forward.
        """
        moved = self._folded(local)
        local -= moved
        index = bisect_right(self._starts, local - _FARTHEST_MS) - 1
        while index + 1 < len(self._starts) and self._starts[index + 1] + self._offsets[index] <= local:
            index += 1  # all of this stretch lies before `local`
        return max(self._starts[index], local - self._offsets[index]) + moved

    def period_begin(self, unit: CalendarUnit, number: int) -> int:
        """Returns the first instant of the period of that number (1970's first is 0; weeks begin on Monday)."""
        return self.first_instant(_first_day(unit, number) * DAY_MS)

    def period_number(self, unit: CalendarUnit, at: int) -> int:
        """Returns the number of the newest period begun at that instant."""
        begin, end, number = self._spans.get(unit, (0, 0, 0))
        if begin <= at < end:
            return number
        day = self.local(at) // DAY_MS
        while self.first_instant((day + 1) * DAY_MS) <= at:
            day += 1  # clocks went back over midnight: the later date has begun already
        number = _number_of_day(unit, day)
        self._spans[unit] = (self.period_begin(unit, number), self.period_begin(unit, number + 1), number)
        return number


@lru_cache(maxsize=256)
def zone_of(name: str) -> Zone:
    """Returns the zone (FieldInvalid where there is none of that name)."""
    if name not in zone_names():
        raise FieldInvalid("zone", f"there is no time zone {name!r}", zone=name)
    return Zone(name)


def period_start(unit: CalendarUnit, zone: str, now: int, back: int) -> int:
    """Returns the first instant of the period `back` periods before now's (negative: after it)."""
    clock = zone_of(zone)
    return clock.period_begin(unit, clock.period_number(unit, now) - back)


def next_start(unit: CalendarUnit, zone: str, now: int) -> int:
    """Returns the smallest instant after now at which a period begins."""
    return period_start(unit, zone, now, -1)


def resolve(moment: Moment, zone: str) -> int:
    """Returns the instant a written date or time means; local ones in that zone, a date being its first instant."""
    if isinstance(moment, Instant):
        return moment.ms
    return zone_of(zone).first_instant(local_ms(moment.value))


def local_ms(value: datetime) -> int:
    """Returns a local time as milliseconds, as if it were UTC."""
    days = value.toordinal() - _EPOCH_ORDINAL
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return days * DAY_MS + seconds * 1000 + value.microsecond // 1000


def local_hours(times: Instants, zone: str) -> npt.NDArray[np.int64]:
    """Returns the local hours, 0 to 23."""
    result: npt.NDArray[np.int64] = zone_of(zone).local_times(times) % DAY_MS // HOUR_MS
    return result


def local_days(times: Instants, zone: str) -> npt.NDArray[np.int64]:
    """Returns the local dates, as days since 1970-01-01."""
    result: npt.NDArray[np.int64] = zone_of(zone).local_times(times) // DAY_MS
    return result


def local_weekdays(times: Instants, zone: str) -> npt.NDArray[np.int64]:
    """Returns the local weekdays, as indexes into WEEKDAYS."""
    result: npt.NDArray[np.int64] = (local_days(times, zone) + _MONDAY) % 7
    return result


# ---------------------------------------------------------------- numbers of days and periods

_EPOCH_ORDINAL: Final = datetime(1970, 1, 1).toordinal()
_CYCLE_DAYS: Final = CYCLE_S // 86_400


def _first_day(unit: CalendarUnit, number: int) -> int:
    """The first day, since 1970-01-01, of a period."""
    if unit is CalendarUnit.DAY:
        return number
    if unit is CalendarUnit.WEEK:
        return number * 7 - _MONDAY
    months = number if unit is CalendarUnit.MONTH else number * 12
    year, month = 1970 + months // 12, months % 12 + 1
    cycles, year = divmod(year - 1970, 400)  # the datetime module ends in year 9999; the calendar repeats
    return datetime(1970 + year, month, 1).toordinal() - _EPOCH_ORDINAL + cycles * _CYCLE_DAYS


def _number_of_day(unit: CalendarUnit, day: int) -> int:
    """The number of the period a day lies in."""
    if unit is CalendarUnit.DAY:
        return day
    if unit is CalendarUnit.WEEK:
        return (day + _MONDAY) // 7
    cycles, day = divmod(day, _CYCLE_DAYS)
    date = datetime.fromordinal(day + _EPOCH_ORDINAL)
    years = date.year - 1970 + cycles * 400
    return years if unit is CalendarUnit.YEAR else years * 12 + date.month - 1
