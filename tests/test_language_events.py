"""What rules can say about events: where, frequencies, windows, sequences, measures, and other spellings of them."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from coterie.index.rules import ast, parse, print_rule
from tests.rule_assertions import refuse, same

DAY_MS = 86_400_000

# ---------------------------------------------------------------- where, and the `and` that continues it


def test_and_continues_a_where_exactly_where_a_comparison_follows() -> None:
    """`and` after a `where` goes on with it when a name and a comparison follow, after any `not` and `(`."""
    price = ast.PropertyTest("price", ast.Compare(ast.CompareOp.GT, 10.0))
    vip, bought = ast.InSegment("vip"), ast.Did(ast.Events("purchase", price))
    assert parse("did purchase where price > 10 and in vip") == ast.And((bought, vip))
    assert parse("did purchase where price > 10 and not in vip") == ast.And((bought, ast.Not(vip)))
    assert parse("did purchase where price > 10 and (in vip or in b)") == ast.And(
        (bought, ast.Or((vip, ast.InSegment("b"))))
    )
    both = parse("did purchase where price > 10 and not (category = 'shoes' or \"in\" = 3)")
    assert isinstance(both, ast.Did)
    assert isinstance(both.events.where, ast.And)


@pytest.mark.parametrize(
    "ending",
    [
        "user.price > 3",
        "current.os = 'iOS'",
        "account.x in ('a')",
        "min(a.b) > 3",
        "count(a) in (1, 2)",
        "days(in-app) >= 1",
        "not (sum(a.b) > 3)",
        "visits >= 3",
        "last(a) more than 3 days ago",
        "3 < count(a)",
        "did a",
        "at least 1 of (in a, in b)",
        "any of (in a, in b)",
        "account (in a)",
    ],
)
@pytest.mark.parametrize("word", ["and", "or"])
def test_other_conditions_end_a_where(word: str, ending: str) -> None:
    """Attributes, measures, events, segments after `and`, `or` are conditions of their own."""
    rule = parse(f"did purchase where price > 10 {word} {ending}")
    kind = ast.And if word == "and" else ast.Or
    assert isinstance(rule, kind)
    alone = parse(f"in a {word} {ending}")
    assert isinstance(alone, kind)
    assert rule.children[1:] == alone.children[1:]


def test_where_takes_properties_only() -> None:
    """Attributes and times relative to now are refused in a `where`."""
    refuse("did a where user.age > 3")
    refuse("did a where (price > 3 and user.age > 3)")
    refuse("did a where price more than 3 days ago")
    assert parse('did a where "user.age" > 3') == ast.Did(
        ast.Events("a", ast.PropertyTest("user.age", ast.Compare(ast.CompareOp.GT, 3.0)))
    )


def test_and_between_belongs_to_between() -> None:
    """The `and` of `between` neither continues nor ends anything."""
    same(
        "did a where x between 1 and 2 and y = 3 between 2 and 1 days ago and in b",
        "did a where (x between 1 and 2 and y = 3) between 2 and 1 days ago and in b",
    )


# ---------------------------------------------------------------- events


def test_options_stand_in_any_order_and_print_in_one() -> None:
    """Frequency, where, window and zone in any order, each once."""
    options = ["at least 2 times", "where price > 3", "in the last 7 days", "in 'Europe/Paris'"]
    canonical = "did buy " + " ".join(options)
    for seed in range(8):
        shuffled = random.Random(seed).sample(options, 4)
        assert print_rule(parse("did buy " + " ".join(shuffled))) == canonical
    for option in options:
        refuse(f"{canonical} {option}")


@pytest.mark.parametrize(
    ("spelled", "low", "high"),
    [
        ("at least 3 times", 3, None),
        ("at most 3 times", 0, 3),
        ("exactly 3 times", 3, 3),
        ("more than 3 times", 4, None),
        ("fewer than 3 times", 0, 2),
        ("less than 3 times", 0, 2),
        ("2 to 4 times", 2, 4),
        ("at least once", 1, None),
        ("exactly twice", 2, 2),
        ("exactly 1 time", 1, 1),
        ("exactly 0 times", 0, 0),
        ("at least 0 times", 0, None),
    ],
)
def test_frequencies(spelled: str, low: int, high: int | None) -> None:
    """The spellings of a number of times."""
    assert parse(f"did a {spelled}") == ast.Did(ast.Events("a"), ast.Frequency(low, high))


def test_first_times() -> None:
    """The first that matches, and the very first."""
    where = ast.PropertyTest("x", ast.Compare(ast.CompareOp.EQ, 1.0))
    assert parse("did a where x = 1 for the first time") == ast.DidFirst(ast.Events("a", where), very_first=False)
    assert parse("did first a where x = 1 today") == ast.DidFirst(
        ast.Events("a", where), very_first=True, window=ast.Calendar(ast.CalendarUnit.DAY, 0, 0)
    )
    refuse("did first a at least 3 times")


@pytest.mark.parametrize(
    ("spelled", "window"),
    [
        ("in the last 2 weeks", ast.Sliding(14 * DAY_MS)),
        ("in the last 1 minute", ast.Sliding(60_000)),
        ("in the last 1500 milliseconds", ast.Sliding(1_500)),
        ("between 60 and 30 days ago", ast.AgoRange(60 * DAY_MS, 30 * DAY_MS, "days")),
        ("between 30 and 60 days ago", ast.AgoRange(60 * DAY_MS, 30 * DAY_MS, "days")),
        ("between 2 weeks and 1 day ago", ast.AgoRange(14 * DAY_MS, DAY_MS, "days")),
        ("between 2 and 0 hours ago", ast.AgoRange(7_200_000, 0, "hours")),
        ("today", ast.Calendar(ast.CalendarUnit.DAY, 0, 0)),
        ("yesterday", ast.Calendar(ast.CalendarUnit.DAY, 1, 1)),
        ("this week", ast.Calendar(ast.CalendarUnit.WEEK, 0, 0)),
        ("in this month", ast.Calendar(ast.CalendarUnit.MONTH, 0, 0)),
        ("last year", ast.Calendar(ast.CalendarUnit.YEAR, 1, 1)),
        ("in the last 3 calendar weeks", ast.Calendar(ast.CalendarUnit.WEEK, 2, 0)),
        ("in the last 1 calendar day", ast.Calendar(ast.CalendarUnit.DAY, 0, 0)),
        ("between 3 and 1 calendar months ago", ast.Calendar(ast.CalendarUnit.MONTH, 3, 1)),
        ("in this visit", ast.ThisVisit()),
        ("over all time", None),
        ("since 2026-05-01", ast.Absolute(ast.LocalTime(datetime(2026, 5, 1), date_only=True), None)),
        ("before 2026-05-01T00:00Z", ast.Absolute(None, ast.Instant(1_777_593_600_000))),
    ],
)
def test_windows(spelled: str, window: ast.Window | None) -> None:
    """The spellings of a window, after `did` and inside a measure."""
    assert parse(f"did a {spelled}") == ast.Did(ast.Events("a"), window=window)
    measured = parse(f"count(a {spelled}) > 1")
    assert isinstance(measured, ast.MeasureTest)
    assert measured.term == ast.Measure(ast.Aggregate.COUNT, ast.Events("a"), window=window)


def test_durations_print_in_the_largest_exact_unit_up_to_days() -> None:
    """Weeks print as days, 90 minutes stay minutes."""
    for spelled, printed in {
        "2 weeks": "14 days",
        "90 minutes": "90 minutes",
        "120 minutes": "2 hours",
        "24 hours": "1 day",
    }.items():
        assert print_rule(parse(f"did a in the last {spelled}")) == f"did a in the last {printed}"


def test_sequences() -> None:
    """Steps with conditions of their own; frequency and window need parentheses; inaction takes two steps and a time."""
    a, b = ast.Events("a"), ast.Events("b")
    where = ast.PropertyTest("x", ast.Compare(ast.CompareOp.EQ, 1.0))
    assert parse("did a where x = 1 then b where x = 1 and x = 1 within 1 day") == ast.Sequence(
        (ast.Events("a", where), ast.Events("b", ast.And((where, where)))), DAY_MS
    )
    assert parse("did (a then b) today") == ast.Sequence((a, b), window=ast.Calendar(ast.CalendarUnit.DAY, 0, 0))
    assert parse("did a then not b within 15 minutes") == ast.Inaction(a, b, 900_000)
    for wrong in (
        "did a then b today",
        "did a then b at least 2 times",
        "did a then not b",
        "did a then not b then a within 1 day",
        "did (a then not b within 1 day) today",
        "did a within 1 day",
        "did a within 1 day then b",
        "did not a then b",
    ):
        refuse(wrong)
    same("did (a where x = 1) at least 2 times", "did a where x = 1 at least 2 times")


# ---------------------------------------------------------------- measures


def test_a_window_after_the_comparison_reaches_every_measure_without_one() -> None:
    """It reaches those with neither window nor zone inside, on both sides; where all have one it is refused."""
    same("sum(a.b) - sum(c.d) < count(e) today", "sum(a.b today) - sum(c.d today) < count(e today)")
    same("sum(a.b) / sum(a.b yesterday) > 2 today", "sum(a.b today) / sum(a.b yesterday) > 2")
    same("sum(a.b over all time) / sum(a.b) > 2 today", "sum(a.b) / sum(a.b today) > 2")
    same("sum(a.b in 'UTC') / sum(a.b) > 2 today", "sum(a.b in 'UTC') / sum(a.b today) > 2")
    refuse("sum(a.b today) > 2 yesterday")


def test_arithmetic_groups_from_the_left_and_products_first() -> None:
    """* and / bind closer; printing keeps exactly the parentheses that are needed."""
    for text in (
        "count(a) + count(b) * 2 > 1",
        "(count(a) + count(b)) * 2 > 1",
        "count(a) - (count(b) - 1) > 1",
        "count(a) / (count(b) / 2) > 1",
        "count(a) - count(b) - 1 > 1",
        "count(a) - -5 > count(b) / 2",
        "5 < count(a)",
    ):
        assert print_rule(parse(text)) == text
    same("(count(a) - count(b)) - 1 > 1", "count(a)-count(b)-1>1")
    same("((count(a))) > (5)", "count(a) > 5")


def test_visits() -> None:
    """`visits` counts visits, with its window inside where others differ; before a dot it is the visit's own event."""
    assert print_rule(parse("visits(today) / count(a yesterday) > 1")) == "visits(today) / count(a yesterday) > 1"
    same("avg(visits.duration_s) > 1", "avg($visit.duration_s) > 1")
    refuse("count(visits) > 1")
    refuse("did visits")


def test_measures_need_what_they_keep() -> None:
    """A sum needs a property, a count takes none, a time is compared with times."""
    for wrong in ("sum(a) > 1", "count(a.b) > 1", "days(a.b) > 1", "last(a) > 5", "count(a) = 'x'", "count(a) contains 'x'",
                  "last(a) - last(b) > 5", "1 < 2", "count(a) more than 3 days ago", "first(a) = count(b)"):  # fmt: skip
        refuse(wrong)
    parse("last(a) > last(b)")
    parse("last(a.x) = 'text' ignoring case")
    parse("first(a) between 2026-01-01 and 2026-02-01 in 'Europe/Paris'")


# ---------------------------------------------------------------- other spellings


@pytest.mark.parametrize(
    ("also", "canonical"),
    [
        ("user.x == 1", "user.x = 1"),
        ("user.x <> 1", "user.x != 1"),
        ("user.x ~= 1", "user.x != 1"),
        ("did a less than twice", "did a at most 1 time"),
        ("in split 's' 0%..10%", "in split 's' 0% to 10%"),
        ("in split 's' 0.50% to 12.5%", "in split 's' 0.5% to 12.5%"),
        ("did a between 1 and 2 weeks ago", "did a between 2 and 1 weeks ago"),
        ("did a in this month", "did a this month"),
        ("did a at least 1 time", "did a"),
        ("user.x less than 3 days ago", "user.x within the last 3 days"),
        ("user.x less than 3 days from now", "user.x within the next 3 days"),
        ("did a over all time", "did a"),
        ("at least 1 user (in a)", "any user (in a)"),
        ("exactly 0 users (in a)", "no user (in a)"),
        ("2 to 3 users (in a)", "2 to 3 users (in a)"),
        ("did a where x = 1 and y = 2", "did a where (x = 1 and y = 2)"),
    ],
)
def test_generous_spellings(also: str, canonical: str) -> None:
    """Spellings with one meaning are read; one form is printed."""
    assert print_rule(parse(also)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "did a 3 times",
        "did a once",
        "did a in the last week",
        "did a in last month",
        "user.x in 'US'",
        "vip",
        "count(visits) > 1",
    ],
)
def test_spellings_with_two_meanings_are_refused(text: str) -> None:
    """What could mean two things is refused with the way to say either."""
    assert refuse(text).fix
