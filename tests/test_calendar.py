"""Local calendars: periods begin where wall clocks say so, whatever clocks do, on every machine alike."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.errors import FieldInvalid
from coterie.index.rules.ast import CalendarUnit, Instant, LocalTime
from coterie.index.time.calendar import (
    DAY_MS,
    WEEKDAYS,
    local_days,
    local_hours,
    local_weekdays,
    next_start,
    period_start,
    resolve,
    zone_of,
)
from coterie.index.time.offsets import zone_names

ZONES = (
    "Europe/Paris",
    "America/Sao_Paulo",  # clocks jumped over midnight until 2018
    "Pacific/Apia",  # had no 30 December 2011
    "Africa/Cairo",  # clocks jump over midnight
    "Asia/Kathmandu",  # 5:45 ahead
    "America/St_Johns",  # clocks went back at 00:01 until 2010
    "Africa/Casablanca",  # summer time pauses for Ramadan
    "Antarctica/Troll",  # two hours of summer time
    "Pacific/Kwajalein",  # a day repeated, a day missing
    "UTC",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1000
HOUR = 3_600_000
instants = st.integers(-(10**13), 2 * 10**14) | st.integers(0, 2 * 10**12)  # 1653 to 8307, and mostly our time


@cache
def reference(zone: str) -> ZoneInfo:
    """The standard library's reading of the same file."""
    data = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    return ZoneInfo.from_file(io.BytesIO(data), key=zone)


def local(at: int, zone: str) -> datetime:
    """The local time of an instant, without its offset."""
    return (EPOCH + timedelta(milliseconds=at)).astimezone(reference(zone)).replace(tzinfo=None)


def ms(text: str) -> int:
    """The instant of an ISO time with an offset."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def fresh_start(unit: CalendarUnit, zone: str, now: int, back: int) -> int:
    """`period_start` without what the zone remembers of earlier questions."""
    zone_of(zone)._spans.clear()
    return period_start(unit, zone, now, back)


def transitions(zone: str) -> list[int]:
    """Instants at which wall clocks changed, by the table under test."""
    return [start for start in zone_of(zone)._starts[1:] if -(10**13) < start < 10**13]


around_changes = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(
        st.just(zone),
        st.sampled_from(transitions(zone) or [0]).flatmap(lambda at: st.integers(at - 26 * HOUR, at + 26 * HOUR))
        | instants,
    )
)


@given(around_changes)
def test_offsets_are_those_of_the_zone_file(case: tuple[str, int]) -> None:
    """At any instant, wall clocks show what the standard library says they show."""
    zone, at = case
    assert EPOCH.replace(tzinfo=None) + timedelta(milliseconds=zone_of(zone).local(at)) == local(at, zone)


def test_every_zone_can_be_read() -> None:
    """Each zone of the package is read, at its changes as between them."""
    for zone in zone_names():
        clock = zone_of(zone)
        for start in [*clock._starts[1::9], ms("2040-07-01T00:00:00Z"), ms("2399-01-01T00:00:00Z")]:
            for at in (start - SECOND, start):
                if at > -(10**13):
                    assert clock.local(at) == (local(at, zone).replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


@given(st.sampled_from(ZONES), st.lists(instants, max_size=20))
def test_columns_of_instants_agree_with_single_ones(zone: str, times: list[int]) -> None:
    """Hours, weekdays and dates of a column are those of each instant."""
    column = np.array(times, dtype=np.int64)
    shown = [local(at, zone) for at in times]
    assert local_hours(column, zone).tolist() == [each.hour for each in shown]
    assert [WEEKDAYS[code] for code in local_weekdays(column, zone)] == [WEEKDAYS[each.weekday()] for each in shown]
    assert local_days(column, zone).tolist() == [(each.date() - EPOCH.date()).days for each in shown]


@given(around_changes, st.integers(-30 * HOUR, 30 * HOUR))
def test_first_instant_is_the_first_that_shows_the_time(case: tuple[str, int], shift: int) -> None:
    """`first_instant` is the smallest instant whose wall clock shows the wanted time or a later one."""
    zone, at = case
    clock = zone_of(zone)
    wanted = clock.local(at) + shift
    first = clock.first_instant(wanted)
    assert clock.local(first) >= wanted
    assert clock.local(first - 1) < wanted
    # Offsets change by at most a day, so an earlier one would lie within the days before.
    assert all(clock.local(first - back) < wanted for back in range(HOUR // 4, 50 * HOUR, HOUR // 4))


@given(around_changes, st.sampled_from(list(CalendarUnit)), st.integers(0, 40 * DAY_MS))
def test_periods_hold_now_and_never_step_back(case: tuple[str, int], unit: CalendarUnit, later: int) -> None:
    """Now lies in its period, the next one begins after now, and time only moves periods forward."""
    zone, now = case
    begun = fresh_start(unit, zone, now, 0)
    assert fresh_start(unit, zone, now, 1) <= begun <= now < next_start(unit, zone, now)
    assert begun <= fresh_start(unit, zone, now + later, 0)
    assert begun == period_start(unit, zone, now, 0)


@given(around_changes, st.sampled_from(list(CalendarUnit)))
def test_periods_begin_with_their_first_date(case: tuple[str, int], unit: CalendarUnit) -> None:
    """Weeks begin on Monday, months on the 1st, years on 1 January, unless clocks skipped that date."""
    zone, now = case
    shown = local(period_start(unit, zone, now, 0), zone)
    before = local(period_start(unit, zone, now, 0) - 1, zone)
    first = {
        CalendarUnit.DAY: shown.date(),
        CalendarUnit.WEEK: shown.date() - timedelta(days=shown.weekday()),
        CalendarUnit.MONTH: shown.date().replace(day=1),
        CalendarUnit.YEAR: shown.date().replace(month=1, day=1),
    }[unit]
    assert before.date() < first <= shown.date()


def test_a_day_begins_after_the_gap_where_clocks_jump_over_midnight() -> None:
    """In São Paulo 4 November 2018 began at 01:00, in Cairo 28 April 2023 did."""
    assert period_start(CalendarUnit.DAY, "America/Sao_Paulo", ms("2018-11-04T12:00:00-02:00"), 0) == ms(
        "2018-11-04T01:00:00-02:00"
    )
    assert period_start(CalendarUnit.DAY, "Africa/Cairo", ms("2023-04-28T12:00:00+03:00"), 0) == ms(
        "2023-04-28T01:00:00+03:00"
    )


def test_a_skipped_date_is_an_empty_day() -> None:
    """In Samoa, where 30 December 2011 did not happen, `yesterday` is empty on the 31st."""
    now = ms("2011-12-31T09:00:00+14:00")
    today, yesterday, before = (period_start(CalendarUnit.DAY, "Pacific/Apia", now, back) for back in range(3))
    assert today == yesterday == ms("2011-12-31T00:00:00+14:00")
    assert before == ms("2011-12-29T00:00:00-10:00")


def test_today_stays_where_clocks_go_back_over_midnight() -> None:
    """In St John's, the hour that was 7 November 2010 and became the 6th again counts as the 7th."""
    begun = ms("2010-11-07T00:00:00-02:30")
    repeated = ms("2010-11-06T23:30:00-03:30")  # half an hour after clocks went from 00:01 back to 23:01
    assert begun < repeated
    assert local(repeated, "America/St_Johns").day == 6
    assert fresh_start(CalendarUnit.DAY, "America/St_Johns", repeated, 0) == begun
    assert period_start(CalendarUnit.DAY, "America/St_Johns", begun, -1) - begun == 25 * HOUR


def test_days_have_as_many_hours_as_clocks_give_them() -> None:
    """In Paris the last Sundays of March and October have 23 and 25 hours."""
    for text, hours in (("2026-03-29T12:00:00+02:00", 23), ("2026-10-25T12:00:00+01:00", 25)):
        start = period_start(CalendarUnit.DAY, "Europe/Paris", ms(text), 0)
        assert next_start(CalendarUnit.DAY, "Europe/Paris", ms(text)) - start == hours * HOUR


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("Europe/Paris", "2026-05-01", "2026-05-01T00:00:00+02:00"),
        ("Asia/Kathmandu", "2026-05-01", "2026-05-01T00:00:00+05:45"),
        ("Europe/Paris", "2026-03-29T02:30", "2026-03-29T03:00:00+02:00"),  # does not exist
        ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),  # happens twice
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"),
        ("UTC", "1969-12-31T23:59:59.999", "1969-12-31T23:59:59.999+00:00"),
    ],
)
def test_written_local_times_mean_their_first_instant(zone: str, text: str, expected: str) -> None:
    """A local time that clocks skip means the end of the gap, one they show twice the first of the two."""
    assert resolve(LocalTime(datetime.fromisoformat(text)), zone) == ms(expected)


def test_instants_mean_themselves() -> None:
    """A time with an offset needs no zone."""
    assert resolve(Instant(-5), "no zone at all") == -5


def test_far_years_are_reached() -> None:
    """Periods count beyond the years the datetime module knows, both ways."""
    now = ms("2026-05-15T00:00:00Z")
    year = 31_556_952_000  # on average, exact over 400 years
    for cycles in (-30, 30):
        there = period_start(CalendarUnit.YEAR, "UTC", now, -400 * cycles)
        assert there == ms("2026-01-01T00:00:00Z") + 400 * cycles * year
        assert period_start(CalendarUnit.MONTH, "Europe/Paris", there + 7 * DAY_MS, 0) - there in {-HOUR, -561 * SECOND}


@pytest.mark.parametrize("year", [2026, 2399, 2400, 2500, 3000, 6789, 9998])
def test_summer_time_goes_on(year: int) -> None:
    """The rule in force now is in force in any year to come; its table repeats every 400 years."""
    for month, hours in ((1, 1), (7, 2)):
        at = (datetime(year, month, 15, 12, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
        assert zone_of("Europe/Paris").offset_at(at) == hours * HOUR
        assert zone_of("Europe/Paris").local_times(np.array([at])).tolist() == [at + hours * HOUR]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "europe/paris", "Europe"])
def test_unknown_zones_are_refused(name: str) -> None:
    """A zone that does not exist is named in the error; nothing outside the zone files is ever opened."""
    with pytest.raises(FieldInvalid, match="no time zone") as caught:
        zone_of(name)
    assert caught.value.field == "zone"
