"""The oracle itself, held against examples computed by hand: windows, frequencies and first times, to the millisecond."""

from __future__ import annotations

from datetime import datetime

import pytest

from coterie.index.rules import ast
from tests.oracle_examples import DAY, HOUR, NOON, dataset, did, holds, ms, where
from tests.oracle_time import day_start, moment_ms, today
from tests.shop import event

# ---------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("window", "since", "until"),
    [
        (None, 0, None),
        (ast.Sliding(HOUR), 0, HOUR),
        (ast.AgoRange(2 * DAY, DAY), DAY, 2 * DAY),
        (ast.AgoRange(DAY, 0), 0, DAY),
        (ast.Calendar(ast.CalendarUnit.DAY, 0, 0), 0, 12 * HOUR),  # today
        (ast.Calendar(ast.CalendarUnit.DAY, 1, 1), 12 * HOUR, 36 * HOUR),  # yesterday
        (ast.Calendar(ast.CalendarUnit.DAY, 1, 0), 0, 36 * HOUR),  # in the last 2 calendar days
        (ast.Calendar(ast.CalendarUnit.WEEK, 0, 0), 0, ms("2026-01-05") - NOON),  # a week begins on Monday
        (ast.Calendar(ast.CalendarUnit.MONTH, 1, 1), ms("2026-02-01") - NOON, ms("2026-03-01") - NOON),
        (ast.Calendar(ast.CalendarUnit.YEAR, 0, 0), 0, ms("2027-01-01") - NOON),
        (ast.Absolute(ast.Instant(NOON), ast.Instant(NOON + 1)), 0, None),
        (ast.Absolute(ast.Instant(NOON - 1), ast.Instant(NOON)), None, None),  # the end is outside
        (ast.Absolute(ast.Instant(NOON + 1), None), None, None),
        (ast.Absolute(None, ast.Instant(NOON + 1)), 0, None),
        (ast.Absolute(ast.LocalTime(datetime(2026, 1, 1)), ast.LocalTime(datetime(2026, 1, 2))), 0, None),
    ],
)
def test_an_event_is_inside_a_window_exactly_from_and_until(
    window: ast.Window | None, since: int | None, until: int | None
) -> None:
    """An event at noon is inside from noon + since on, and outside from noon + until on."""
    data, rule = dataset(event("buy", time=NOON)), did(window=window)
    if since is None:
        assert not holds(rule, data, NOON)
        assert not holds(rule, data, NOON + 400 * DAY)
        return
    assert not holds(rule, data, NOON + since - 1)
    assert holds(rule, data, NOON + since)
    if until is None:
        assert holds(rule, data, NOON + 1000 * DAY)
    else:
        assert holds(rule, data, NOON + until - 1)
        assert not holds(rule, data, NOON + until)


def test_an_event_at_midnight_is_inside_the_day_that_begins() -> None:
    """00:00:00.000 belongs to the day it begins, 23:59:59.999 to the day it ends."""
    midnight, today = ms("2026-01-02"), did(window=ast.Calendar(ast.CalendarUnit.DAY, 0, 0))
    assert holds(today, dataset(event("buy", time=midnight)), midnight)
    assert not holds(today, dataset(event("buy", time=midnight - 1)), midnight)


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Paris", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Paris", "2026-10-25", "2026-10-24T22:00", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", 23),  # midnight does not exist
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30", 25),  # a minute after midnight it is 23:01 again
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", 0),  # a day left out
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", 24),
    ],
)
def test_days_begin_at_their_first_instant(zone: str, day: str, begins: str, hours: int) -> None:
    """A local day lasts from its first instant to the next day's, 0 to 27 hours."""
    date = datetime.fromisoformat(day).date()
    assert day_start(date, zone) == ms(begins)
    if hours:
        assert today(ms(begins) - 1, zone) < date
        assert today(ms(begins), zone) == date
        assert today(ms(begins) + hours * HOUR - 1, zone) == date
        assert today(ms(begins) + hours * HOUR, zone) > date


def test_a_time_that_does_not_exist_is_the_first_instant_after_the_gap_and_an_ambiguous_one_the_first() -> None:
    """02:30 in Paris: on the last Sunday of March it is 03:00 summer time, in October the earlier of two."""
    gap, twice = ast.LocalTime(datetime(2026, 3, 29, 2, 30)), ast.LocalTime(datetime(2026, 10, 25, 2, 30))
    assert moment_ms(gap, "Europe/Paris") == ms("2026-03-29T01:00")
    assert moment_ms(twice, "Europe/Paris") == ms("2026-10-25T00:30")


def test_a_date_is_that_days_start_in_the_leafs_zone() -> None:
    """`between 2026-05-01 and 2026-07-01` is all of May and June, in the zone named or the dataset's."""
    window = ast.Absolute(ast.LocalTime(datetime(2026, 5, 1), True), ast.LocalTime(datetime(2026, 7, 1), True))
    at_paris_midnight = dataset(event("buy", time=ms("2026-04-30T22:00")))
    assert holds(did(window=window, zone="Europe/Paris"), at_paris_midnight, ms("2027-01-01"))
    assert not holds(did(window=window), at_paris_midnight, ms("2027-01-01"))
    assert not holds(
        did(window=window, zone="Europe/Paris"), dataset(event("buy", time=ms("2026-06-30T22:00"))), ms("2027-01-01")
    )


def test_an_event_ahead_of_now_waits_for_its_time() -> None:
    """Without a window too, an event counts from its own time on."""
    data = dataset(event("buy", time=NOON))
    assert not holds(did(), data, NOON - 1)
    assert holds(did(), data, NOON)


# ---------------------------------------------------------------- did


def test_frequencies_count_matching_events_inside_the_window() -> None:
    """`exactly 2`, `at most 1` and `at least 2` look at the number inside; a user can enter when one runs out."""
    data = dataset(event("buy", time=NOON), event("buy", time=NOON + 10), event("view", time=NOON + 10))
    hour = ast.Sliding(HOUR)
    assert holds(did(low=2, high=2, window=hour), data, NOON + HOUR - 1)
    assert not holds(did(low=2, high=2, window=hour), data, NOON + HOUR)
    assert holds(did(low=0, high=1, window=hour), data, NOON + HOUR)
    assert holds(did(None, low=3, window=hour), data, NOON + 10)


def test_at_most_includes_people_who_never_did() -> None:
    """No events is a number too."""
    assert holds(did(low=0, high=4), dataset(event("view", time=NOON)), NOON)


def test_any_event_does_not_match_derived_events() -> None:
    """A type that begins with $ is matched by its name alone."""
    data = dataset(event("$visit", time=NOON))
    assert not holds(did(None), data, NOON)
    assert holds(did("$visit"), data, NOON)


def test_where_sees_properties_first_then_context() -> None:
    """A context value stands in only where no property has the name."""
    data = dataset(event("buy", time=NOON, os="web", context={"os": "iOS", "city": "Paris"}))
    for name, text, found in (("os", "web", True), ("os", "iOS", False), ("city", "Paris", True)):
        assert holds(ast.Did(where((name, ast.Compare(ast.CompareOp.EQ, text)))), data, NOON) is found


@pytest.mark.parametrize(
    ("part", "test", "zone", "expected"),
    [
        ("hour", ast.Compare(ast.CompareOp.EQ, 12.0), None, True),
        ("hour", ast.Between(13.0, 18.0), "Europe/Paris", True),
        ("weekday", ast.OneOf(("thu",)), None, True),
        ("weekday", ast.Compare(ast.CompareOp.EQ, "fri"), "Pacific/Auckland", True),
        ("date", ast.Compare(ast.CompareOp.EQ, ast.LocalTime(datetime(2026, 1, 1), True)), None, True),
        ("date", ast.Compare(ast.CompareOp.GT, ast.LocalTime(datetime(2026, 1, 1), True)), "Pacific/Auckland", True),
        (
            "date",
            ast.Between(*(ast.LocalTime(datetime(2025, 12, 31 if day == 0 else 1, 0, 0), True) for day in (1, 0))),
            None,
            False,
        ),
    ],
)
def test_hour_weekday_and_date_are_the_events_local_ones(
    part: str, test: ast.Test, zone: str | None, expected: bool
) -> None:
    """Noon of Thursday 2026-01-01 in UTC is 13:00 in Paris and Friday in Auckland."""
    events = ast.Events("buy", ast.EventTimeTest(ast.EventTimePart(part), test))
    assert holds(ast.Did(events, zone=zone), dataset(event("buy", time=NOON)), NOON) is expected


# ---------------------------------------------------------------- first time


def test_for_the_first_time_is_the_first_event_that_matches_the_where() -> None:
    """Earlier purchases of something else do not matter; an older late one corrects it."""
    shoes = where(("category", ast.Compare(ast.CompareOp.EQ, "shoes")))
    day = ast.Sliding(DAY)
    hats, first = event("buy", time=NOON, category="hats"), event("buy", time=NOON + 2 * DAY, category="shoes")
    late = event("buy", time=NOON - 1, category="shoes")
    assert holds(ast.DidFirst(shoes, False, day), dataset(hats, first), NOON + 2 * DAY)
    assert not holds(ast.DidFirst(shoes, False, day), dataset(hats, first), NOON + 3 * DAY)
    assert not holds(ast.DidFirst(shoes, False, day), dataset(hats, first, late), NOON + 2 * DAY)


def test_did_first_where_is_about_the_very_first_event() -> None:
    """The very first purchase must lie in the window and match; a later match does not make it true."""
    shoes = where(("category", ast.Compare(ast.CompareOp.EQ, "shoes")))
    hats, first = event("buy", time=NOON, category="hats"), event("buy", time=NOON + 1, category="shoes")
    assert not holds(ast.DidFirst(shoes, True), dataset(hats, first), NOON + 1)
    assert holds(ast.DidFirst(shoes, True), dataset(first), NOON + 1)
    assert not holds(ast.DidFirst(shoes, True, ast.Sliding(10)), dataset(first), NOON + 11)
