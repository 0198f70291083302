"""The oracle's calendar: local dates, periods and windows, in the plainest Python.

Owns what `today`, `last month` and `between DATE and DATE` mean in tests. Invariant: every instant is
found by asking zoneinfo for the local time of many instants, never by adding up offsets.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from coterie.index.rules import ast

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_MS = 60_000
BEGINNING, END = -(2**62), 2**62


@cache
def zone_info(zone: str) -> ZoneInfo:
    """Returns the zone as the tzdata package has it, whatever the machine's own files say."""
    with resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, zone)


def local_datetime(ms: int, zone: str) -> datetime:
    """Returns the local time of an instant, without its offset."""
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(zone_info(zone)).replace(tzinfo=None)


def local_date(ms: int, zone: str) -> date:
    """Returns the local date of an instant."""
    return local_datetime(ms, zone).date()


@cache
def first_instant(local: datetime, zone: str) -> int:
    """Returns the first instant whose local time is not before `local`.

    That is the earlier of two instants where clocks go back, and the first one after the gap where they
    go forward over it.
    """
    naive_ms = (local.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    minute = naive_ms - 18 * 60 * MINUTE_MS  # no zone is further ahead than that
    while local_datetime(minute + 60 * MINUTE_MS, zone) < local - timedelta(hours=3):  # clocks go back by less
        minute += 60 * MINUTE_MS
    while local_datetime(minute + MINUTE_MS, zone) < local:
        minute += MINUTE_MS
    low, high = minute, minute + MINUTE_MS  # low is before it, high is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if local_datetime(middle, zone) < local else (low, middle)
    return high


def day_start(day: date, zone: str) -> int:
    """Returns the first instant of a local date."""
    return first_instant(datetime(day.year, day.month, day.day), zone)


def today(now: int, zone: str) -> date:
    """Returns the newest date that has begun; it never steps back, also where clocks go back over midnight."""
    day = local_date(now, zone) + timedelta(days=1)
    while day_start(day, zone) > now:
        day -= timedelta(days=1)
    return day


def period_first_day(unit: ast.CalendarUnit, day: date, back: int) -> date:
    """Returns the first date of the period `back` periods before the one that holds `day`."""
    if unit is ast.CalendarUnit.DAY:
        return day - timedelta(days=back)
    if unit is ast.CalendarUnit.WEEK:
        return day - timedelta(days=day.weekday() + 7 * back)
    if unit is ast.CalendarUnit.MONTH:
        months = day.year * 12 + day.month - 1 - back
        return date(months // 12, months % 12 + 1, 1)
    return date(day.year - back, 1, 1)


def moment_ms(moment: ast.Moment, zone: str) -> int:
    """Returns the instant a written date or time means in the zone."""
    return moment.ms if isinstance(moment, ast.Instant) else first_instant(moment.value, zone)


def window_bounds(window: ast.Window | None, zone: str, now: int) -> tuple[int, int]:
    """Returns (lower, upper): an event is inside when lower < time <= upper.

    (What `in this visit` is depends on the subject: the oracle asks for its visit.)
    """
    if window is None:
        return BEGINNING, now
    if isinstance(window, ast.Sliding):
        return now - window.duration_ms, now
    if isinstance(window, ast.AgoRange):
        return now - window.far_ms, now - window.near_ms
    if isinstance(window, ast.Absolute):
        lower = BEGINNING if window.start is None else moment_ms(window.start, zone) - 1
        upper = now if window.end is None else min(now, moment_ms(window.end, zone) - 1)
        return lower, upper
    assert isinstance(window, ast.Calendar)
    first = period_first_day(window.unit, today(now, zone), window.first_back)
    after = period_first_day(window.unit, today(now, zone), window.last_back - 1)
    return day_start(first, zone) - 1, min(now, day_start(after, zone) - 1)
