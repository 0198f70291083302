"""What is said of each kind of leaf, and that membership flips exactly when promised."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coterie.index import model
from coterie.index.explained import NodeKind
from coterie.index.model import SubjectKind
from coterie.index.rules import parse
from tests.explained_shop import DAY, HOUR, MINUTE, NOW, USER, shop

GAP = 30 * MINUTE
_LEAVES = 5 * DAY - 2 * HOUR  # the window, earlier than its value would
FLIPS = {
    # rule: (holds, value, newest event, flips after NOW)
    "did view": (True, 3.0, -MINUTE, None),
    "did login": (False, 0.0, None, None),
    "did view in the last 7 days": (True, 2.0, -MINUTE, 7 * DAY - MINUTE),
    "did view at least 2 times in the last 7 days": (True, 2.0, -MINUTE, 4 * DAY),
    "did view at most 1 times in the last 7 days": (False, 2.0, -MINUTE, 4 * DAY),
    "did view exactly 1 time in the last 7 days": (False, 2.0, -MINUTE, 4 * DAY),
    "did view 2 to 3 times in the last 41 days": (True, 3.0, -MINUTE, 38 * DAY),
    "did view between 60 and 30 days ago": (True, 1.0, -40 * DAY, 20 * DAY),
    "did purchase between 2 and 1 days ago": (False, 0.0, None, DAY - 2 * HOUR),
    "did view today": (True, 1.0, -MINUTE, 12 * HOUR),
    "did view yesterday": (False, 0.0, None, 12 * HOUR),
    "did view this month in 'Europe/Paris'": (True, 1.0, -MINUTE, 30 * DAY + 10 * HOUR),
    "did view before 2026-05-02": (True, 3.0, -MINUTE, None),
    "did view since 2026-05-01": (True, 1.0, -MINUTE, None),
    "did view where category = 'shoes' in the last 2 days": (True, 1.0, -MINUTE, 2 * DAY - MINUTE),
    "sum(purchase.price in the last 30 days) > 100": (True, 150.0, -2 * HOUR, 10 * DAY),
    "avg(purchase.price in the last 30 days) between 50 and 80": (True, 75.0, -2 * HOUR, 10 * DAY),
    "avg(login.price) < 3": (False, None, None, None),
    "min(purchase.price in the last 30 days) < 50": (True, 30.0, -2 * HOUR, 30 * DAY - 2 * HOUR),
    "max(purchase.price in the last 30 days) >= 100": (True, 120.0, -2 * HOUR, 10 * DAY),
    "max(purchase.price) in (120, 7)": (True, 120.0, -2 * HOUR, None),
    "count(purchase) in (2, 3) in the last 30 days": (True, 2.0, -2 * HOUR, 10 * DAY),
    "sum(purchase.price) not in (1, 2)": (True, 150.0, -2 * HOUR, None),
    "distinct(view.category) >= 2 in the last 45 days": (True, 2.0, -MINUTE, 5 * DAY),
    "days(view) >= 2 in the last 7 days": (True, 2.0, -MINUTE, 4 * DAY),
    "last(view) more than 30 days ago": (False, NOW - MINUTE, -MINUTE, 30 * DAY - MINUTE),
    "first(view) within the last 45 days": (True, NOW - 40 * DAY, -40 * DAY, 5 * DAY),
    "last(view.category) = 'shoes' in the last 2 days": (True, "shoes", -MINUTE, 2 * DAY - MINUTE),
    "first(view.category) = 'hats'": (True, "hats", -40 * DAY, None),
    "last(purchase.price) is set": (True, 30.0, -2 * HOUR, None),
    "last(purchase.renews) within the next 7 days": (False, NOW + 9 * DAY, -2 * HOUR, 2 * DAY),
    "last(purchase.renews) more than 2 days from now in the last 5 days": (True, NOW + 9 * DAY, -2 * HOUR, _LEAVES),
    "first(purchase.renews) within the last 30 days": (True, NOW - 10 * DAY, -20 * DAY, 20 * DAY),
    "sum(purchase.price) / count(purchase in the last 7 days) > 100": (True, 150.0, -2 * HOUR, 7 * DAY - 2 * HOUR),
    "count(view in the last 7 days) > count(purchase)": (False, 2.0, -MINUTE, None),
    "last(view) > last(purchase)": (True, NOW - MINUTE, -MINUTE, None),
    "did view for the first time in the last 60 days": (True, NOW - 40 * DAY, -40 * DAY, 20 * DAY),
    "did view where category = 'shoes' for the first time": (True, NOW - 3 * DAY, -3 * DAY, None),
    "did first purchase where category = 'shoes' in the last 30 days": (True, NOW - 20 * DAY, -20 * DAY, 10 * DAY),
    "user.age >= 18": (True, 30.0, None, None),
    "user.height >= 18": (False, None, None, None),
    "user.height is not set": (True, None, None, None),
    "user.tags contains 'vip'": (True, ("vip", "new"), None, None),
    "current.os in ('iOS', 'Android')": (True, "iOS", None, None),
    "user.trial_ends within the next 7 days": (False, NOW + 10 * DAY, None, 3 * DAY),
    "user.trial_ends more than 7 days from now": (True, NOW + 10 * DAY, None, 3 * DAY),
    "user.joined within the last 7 days": (True, NOW - 5 * DAY, None, 2 * DAY),
    "user.joined more than 30 days ago": (False, NOW - 5 * DAY, None, 25 * DAY),
    "user.joined < 2026-05-01": (True, NOW - 5 * DAY, None, None),
    "in split 'spring' 0% to 100%": (True, ..., None, None),
    "user.home within 50 km of (48.85, 2.35)": (True, 0.0, None, None),
    "did view in this visit": (True, 1.0, -MINUTE, GAP - MINUTE),
    "sum(purchase.price) < 10 in this visit": (True, 0.0, None, None),
    "visits >= 2 in the last 7 days": (True, 3.0, -MINUTE, 7 * DAY - 2 * HOUR),
    "avg(visits.events) < 3": (True, 1.0, -2 * HOUR, None),
    "did view then purchase within 20 days": (True, 2.0, -2 * HOUR, None),
    "did (view then purchase) at least 2 times in the last 30 days": (True, 2.0, -2 * HOUR, 10 * DAY),
    "did view then not purchase within 15 minutes": (False, NOW - 3 * DAY, -2 * HOUR, 14 * MINUTE),
    "did view then not login within 15 minutes": (True, NOW - 3 * DAY, -3 * DAY, None),
    "did purchase then not view within 3 hours": (False, NOW - 20 * DAY, -MINUTE, None),
}


@pytest.mark.parametrize("rule", FLIPS)
def test_a_leaf_flips_exactly_when_promised(rule: str) -> None:
    """Nothing happens until a millisecond before the promised instant; at it, and not before, membership flips."""
    holds, value, newest, after = FLIPS[rule]
    made = shop()
    node = made.rule(rule)
    assert node.kind is NodeKind.LEAF
    assert node.holds is holds
    assert value is ... or node.value == value
    assert type(value) is type(...) or type(node.value) is type(value)
    assert (node.newest and node.newest.time - NOW) == newest
    assert node.next_flip == (None if after is None else NOW + after)
    dense = made.engine.find(SubjectKind.USER, USER)
    assert dense is not None
    if after is not None:
        made.apply(model.Tick(), NOW + after - 1)
        assert made.engine.is_member("s", dense) is holds
        made.apply(model.Tick(), NOW + after)
        assert made.engine.is_member("s", dense) is not holds
    else:
        made.apply(model.Tick(), NOW + 3_000 * DAY)
        assert made.engine.is_member("s", dense) is holds


def test_the_table_of_leaves_knows_them_all() -> None:
    """No kind of leaf that can be kept is left out of the test above."""
    kinds = {type(parse(rule)).__name__ for rule in FLIPS}
    assert kinds == {"Did", "DidFirst", "MeasureTest", "AttributeTest", "InSplit", "Sequence", "Inaction"}


BARS = {
    "did view at least 3 times": ("at least 3 times", 3.0, None),
    "did view at most 3 times": ("at most 3 times", 3.0, None),
    "did view exactly 2 times": ("exactly 2 times", 2.0, None),
    "did view 2 to 5 times": ("2 to 5 times", 2.0, 5.0),
    "sum(purchase.price) > 100": ("> 100", 100.0, None),
    "sum(purchase.price) between 1 and 3": ("between 1 and 3", 1.0, 3.0),
    "max(purchase.price) >= 100": (">= 100", 100.0, None),
    "count(view) > count(purchase)": ("> 2", 2.0, None),
    "avg(purchase.price) > avg(login.price)": ("> (missing)", None, None),
    "last(view) > last(purchase)": ("> 2026-05-01T10:00Z", NOW - 2 * HOUR, None),
    "last(view) more than 30 days ago": ("more than 30 days ago", NOW - 30 * DAY, None),
    "user.trial_ends within the next 7 days": ("within the next 7 days", NOW + 7 * DAY, None),
    "last(purchase.renews) within the next 7 days": ("within the next 7 days", NOW + 7 * DAY, None),
    "user.joined < 2026-05-01": ("< 2026-05-01", NOW - 12 * HOUR, None),
    "user.app = version('4.2')": ("= version('4.2')", "4.2", None),
    "user.plan in ('a', 'b')": ("in ('a', 'b')", ("a", "b"), None),
    "user.plan starts with 'p'": ("starts with 'p'", "p", None),
    "user.plan is set": ("is set", None, None),
    "in split 'spring' 10% to 12.5%": ("10% to 12.5%", 10.0, 12.5),
    "did view for the first time in the last 1 day": ("in the last 1 day", NOW - DAY + 1, NOW),
    "did view for the first time": ("", None, None),
    "did view then purchase within 1 day": ("at least 1 time", 1.0, None),
    "did view then not purchase within 15 minutes": ("not followed within 15 minutes", NOW - 2 * HOUR, None),
    "did view then not login within 15 minutes": ("not followed within 15 minutes", None, None),
    "user.home within 50 km of (48.85, 2.35)": ("within 50 km of (48.85, 2.35)", 50.0, None),
    "visits >= 3 in the last 30 days": (">= 3", 3.0, None),
}


@pytest.mark.parametrize("rule", BARS)
def test_a_leaf_names_what_its_value_is_compared_with(rule: str) -> None:
    """As text, and as a value that a program can show."""
    node = shop().rule(rule)
    assert (node.condition, node.threshold, node.upper) == BARS[rule]


def test_dates_are_read_in_the_zone_of_the_leaf() -> None:
    """A date is compared as the instant at which it begins there."""
    node = shop().rule("user.joined < 2026-05-01 in 'Europe/Paris'")
    assert node.threshold == int(datetime(2026, 4, 30, 22, tzinfo=UTC).timestamp() * 1000)
