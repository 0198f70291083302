"""Explanations: what is said of each kind of leaf, and that membership flips exactly when promised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError, LimitExceeded
from coterie.index.explained import Answer, Explained, NodeKind
from coterie.index.model import Event, Identifier, SegmentDefinition, SegmentKind, SubjectKind, Universe
from coterie.index.rules import parse
from coterie.index.settings import Settings
from tests.compare_explanations import explained

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOW = 1_777_636_800_000  # 2026-05-01T12:00Z, a Friday
USER = (Identifier("user_id", "u1"),)
OTHER = (Identifier("user_id", "u2"),)


class Shop:
    """An engine, and short ways to feed it."""

    def __init__(self, **settings: Any) -> None:
        self.engine = Engine(Settings(**settings))
        self.apply(model.Tick(), NOW - 400 * DAY)

    def apply(self, payload: model.Payload, at: int | None = None) -> model.Outcome:
        """Applies one record."""
        return self.engine.apply(model.Record(self.engine.revision + 1, max(self.engine.now, at or 0), payload))

    def happen(self, kind: str, ago: int, who: tuple[Identifier, ...] = USER, **fields: Any) -> None:
        """Something happened so long before NOW."""
        context = fields.pop("context", {})
        account = fields.pop("account", None)
        event = Event(f"{kind}{ago}", kind, who, account, NOW - ago, fields, context)
        self.apply(model.IngestEvents((event,)), NOW)

    def know(self, who: tuple[Identifier, ...] = USER, kind: SubjectKind = SubjectKind.USER, **values: Any) -> None:
        """Attributes of a subject."""
        self.apply(model.SetAttributes((model.AttributeUpdate(kind, who, values),)), NOW)

    def segment(self, name: str, rule: str, **fields: Any) -> None:
        """A rule that is ready."""
        kind = fields.pop("subject_kind", SubjectKind.USER)
        self.apply(model.CreateSegment(SegmentDefinition(name, SegmentKind.RULE, kind, rule, **fields)), NOW)
        if self.engine.segment(name).pending:
            self.apply(model.ActivateBuild(name))

    def explain(self, name: str = "s", who: tuple[Identifier, ...] = USER, kind: Any = SubjectKind.USER) -> Answer:
        """The answer, whose tree must say what is served."""
        answer = explained(self.engine, kind, who, name)
        assert answer.agrees
        assert (answer.revision, answer.now) == (self.engine.revision, self.engine.now)
        return answer

    def rule(self, rule: str) -> Explained:
        """The tree of a segment made for it."""
        self.segment("s", rule)
        answer = self.explain()
        assert answer.segment is not None
        return answer.segment.children[0]


def shop() -> Shop:
    """One subject who viewed and bought, and somebody else."""
    made = Shop()
    made.happen("view", 40 * DAY, category="hats")
    made.happen("purchase", 20 * DAY, price=120.0, category="shoes")
    made.happen("view", 3 * DAY, category="shoes", context={"os": "iOS"})
    made.happen("purchase", 2 * HOUR, price=30.0, category="hats")
    made.happen("view", MINUTE, category="shoes")
    made.happen("view", 30, OTHER)
    made.know(age=30.0, tags=("vip", "new"), trial_ends=NOW + 10 * DAY, joined=NOW - 5 * DAY, latitude=48.85)
    return made


MIDNIGHT = NOW + 12 * HOUR
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
    assert kinds == {"Did", "DidFirst", "MeasureTest", "AttributeTest", "InSplit"}


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
    "user.joined < 2026-05-01": ("< 2026-05-01", NOW - 12 * HOUR, None),
    "user.app = version('4.2')": ("= version('4.2')", "4.2", None),
    "user.plan in ('a', 'b')": ("in ('a', 'b')", ("a", "b"), None),
    "user.plan starts with 'p'": ("starts with 'p'", "p", None),
    "user.plan is set": ("is set", None, None),
    "in split 'spring' 10% to 12.5%": ("10% to 12.5%", 10.0, 12.5),
    "did view for the first time in the last 1 day": ("in the last 1 day", NOW - DAY + 1, NOW),
    "did view for the first time": ("", None, None),
}


@pytest.mark.parametrize("rule", BARS)
def test_a_leaf_names_what_its_value_is_compared_with(rule: str) -> None:
    """As text, and as a value that a program can show."""
    node = shop().rule(rule)
    assert (node.condition, node.threshold, node.upper) == BARS[rule]


def test_every_node_of_a_rule_is_explained() -> None:
    """Truth, text and next flip stand at every node; the membership flips when its rule does."""
    made = shop()
    root = made.rule(
        "at least 2 of (did view in the last 7 days, user.age > 40, did purchase today)"
        " and (did not login or user.joined more than 30 days ago)"
    )
    assert [node.kind for node in _all(root)] == [
        *(NodeKind.AND, NodeKind.AT_LEAST, NodeKind.LEAF, NodeKind.LEAF, NodeKind.LEAF),
        *(NodeKind.OR, NodeKind.NOT, NodeKind.LEAF, NodeKind.LEAF),
    ]
    assert [node.holds for node in _all(root)] == [True, True, True, False, True, True, True, False, False]
    assert root.next_flip == root.children[0].next_flip == MIDNIGHT
    assert root.children[1].next_flip is None
    assert root.children[1].children[1].next_flip == NOW + 25 * DAY
    assert root.children[0].text == "at least 2 of (did view in the last 7 days, user.age > 40, did purchase today)"
    answer = made.explain()
    assert answer.segment is not None
    assert (answer.segment.kind, answer.segment.segment) == (NodeKind.SEGMENT, "s")
    assert answer.segment.next_flip == MIDNIGHT


def _all(node: Explained) -> list[Explained]:
    return [node, *(below for child in node.children for below in _all(child))]


def test_an_event_that_waits_for_its_time_flips_at_it() -> None:
    """What has been acknowledged ahead of its time is looked ahead to."""
    made = shop()
    made.happen("login", -2 * MINUTE)
    node = made.rule("did login")
    assert (node.holds, node.value, node.newest, node.next_flip) == (False, 0.0, None, NOW + 2 * MINUTE)


def test_the_newest_event_has_its_type_and_id() -> None:
    """As long as history holds them."""
    newest = shop().rule("did any event").newest
    assert newest is not None
    assert (newest.type, newest.event_id) == ("view", f"view{MINUTE}")


def test_nested_segments_show_their_own_rule() -> None:
    """A rule's tree stands beneath its membership; lists and frozen segments are what they are."""
    made = shop()
    made.segment("buyers", "did purchase in the last 7 days")
    made.apply(model.CreateSegment(SegmentDefinition("vips", SegmentKind.LIST, SubjectKind.USER)))
    made.apply(model.ChangeList("vips", model.ListOperation.ADD, (USER,)))
    frozen = SegmentDefinition("frozen", SegmentKind.FROZEN, SubjectKind.USER)
    made.apply(model.CreateSegment(frozen, source="not buyers"))
    root = made.rule("in buyers and in list vips and not in frozen")
    buyers, vips, then = root.children
    assert (buyers.kind, buyers.text, buyers.segment) == (NodeKind.SEGMENT, "in buyers", "buyers")
    assert [child.text for child in buyers.children] == ["did purchase in the last 7 days"]
    assert buyers.next_flip == buyers.children[0].next_flip == root.next_flip == NOW + 7 * DAY - 2 * HOUR
    assert (vips.text, vips.holds, vips.children, vips.next_flip) == ("in list vips", True, [], None)
    assert (then.children[0].segment, then.children[0].holds, then.children[0].children) == ("frozen", False, [])
    for name, member in (("vips", True), ("frozen", False)):
        answer = made.explain(name)
        assert answer.segment is not None
        assert (answer.member, answer.segment.holds, answer.segment.children) == (member, member, [])


def test_a_universe_excludes_whoever_it_does_not_range_over() -> None:
    """The rule holds and the subject is no member: the answer says why."""
    made = shop()
    made.segment("strangers", "did view", universe=Universe.ANONYMOUS)
    made.segment("known", "did view", universe=Universe.KNOWN)
    answer = made.explain("strangers")
    assert answer.segment is not None
    assert (answer.member, answer.in_universe, answer.universe) == (False, False, Universe.ANONYMOUS)
    assert answer.segment.children[0].holds
    answer = made.explain("known")
    assert (answer.member, answer.in_universe, answer.universe) == (True, True, Universe.KNOWN)


def test_accounts_are_explained_too() -> None:
    """By the events that carry them."""
    made = shop()
    made.happen("login", HOUR, account="c1")
    account = (Identifier("account_id", "c1"),)
    made.know(account, SubjectKind.ACCOUNT, seats=3.0)
    made.segment("firms", "did login in the last 1 day and account.seats > 2", subject_kind=SubjectKind.ACCOUNT)
    answer = made.explain("firms", account, SubjectKind.ACCOUNT)
    assert answer.segment is not None
    assert (answer.member, answer.segment.next_flip) == (True, NOW + DAY - HOUR)


def test_a_merged_subject_is_explained_with_all_it_did() -> None:
    """The events of whoever it absorbed are its own."""
    made = shop()
    phone = (Identifier("anonymous_id", "phone"),)
    made.happen("login", DAY, phone)
    made.happen("login", HOUR, (*USER, *phone))
    node = made.rule("did login at least 2 times in the last 7 days")
    assert (node.holds, node.value, node.next_flip) == (True, 2.0, NOW + 6 * DAY)


def test_an_edit_under_way_does_not_show() -> None:
    """What is explained is the rule that is served."""
    made = shop()
    made.segment("s", "did view")
    made.apply(model.UpdateSegment(SegmentDefinition("s", SegmentKind.RULE, SubjectKind.USER, "did login")))
    assert made.engine.segment("s").pending
    answer = made.explain()
    assert answer.segment is not None
    assert answer.segment.children[0].text == "did view"


def test_a_subject_nobody_knows_is_an_answer() -> None:
    """There is nothing to explain."""
    made = shop()
    made.segment("s", "not did login")
    answer = explained(made.engine, SubjectKind.USER, (Identifier("user_id", "nobody"),), "s")
    assert (answer.known, answer.member, answer.segment) == (False, False, None)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nope", "SEGMENT_NOT_FOUND"), ("building", "SEGMENT_BUILDING"), ("firms", "WRONG_SEGMENT_KIND")],
)
def test_what_cannot_be_explained_is_refused(name: str, reason: str) -> None:
    """A segment that does not exist, was never ready, or is of accounts."""
    made = shop()
    made.apply(model.CreateSegment(SegmentDefinition("building", SegmentKind.RULE, SubjectKind.USER, "did view")))
    made.segment("firms", "did view", subject_kind=SubjectKind.ACCOUNT)
    with pytest.raises(CoterieError) as refused:
        made.engine.explain(SubjectKind.USER, USER, name)
    assert refused.value.reason == reason


# ---------------------------------------------------------------- limits, steps


def test_a_subject_with_too_many_events_is_refused() -> None:
    """The limit is named; up to it everything is explained."""
    for events, fits in ((3, True), (4, False)):
        made = Shop(max_explain_events=3)
        for ago in range(events):
            made.happen("view", ago)
        made.segment("s", "did view")
        if fits:
            made.explain()
            continue
        with pytest.raises(LimitExceeded) as refused:
            made.explain()
        assert (refused.value.field, refused.value.facts["maximum"]) == ("subject", 3)


def test_looking_ahead_is_bounded_and_says_how_far_it_went() -> None:
    """What lies beyond is unknown, not never."""
    made = Shop(max_explain_steps=2)
    for ago in (5 * HOUR, 4 * HOUR, 3 * HOUR):
        made.happen("view", ago)
    node = made.rule("did view in the last 1 day")
    assert node.next_flip is None
    assert made.explain().looked_until == NOW + DAY - 4 * HOUR
    made.segment("t", "did view at least 2 times in the last 1 day")
    answer = made.explain("t")
    assert answer.segment is not None
    assert answer.segment.next_flip == NOW + DAY - 4 * HOUR


def test_nested_rules_are_shown_while_there_is_room() -> None:
    """Beyond the depth or number of nodes a nested segment is told without its rule."""
    for settings in ({"max_explain_depth": 6}, {"max_explain_nodes": 8}):
        made = Shop(**settings)
        made.happen("view", 0)
        made.segment("s0", "did view and not (did login)")
        for number in range(1, 5):
            made.segment(f"s{number}", f"in s{number - 1} and did view")
        answer = made.explain("s4")
        assert answer.segment is not None
        nested = [node for node in _all(answer.segment) if node.kind is NodeKind.SEGMENT]
        assert [bool(node.children) for node in nested] == [True, True, True, False]
        assert [node.holds for node in nested] == [True] * 4


def test_an_explanation_is_of_the_revision_it_was_begun_at() -> None:
    """Events, attributes, merges and time that come between its steps do not show."""
    made = shop()
    for ago in range(1, 300):
        made.happen("click", ago * MINUTE)
    made.segment("s", "did click at least 299 times in the last 1 day and user.age = 30 and did not login")
    revision = made.engine.revision
    explanation = made.engine.explain(SubjectKind.USER, USER, "s")
    assert explanation.step()
    made.happen("click", 0)
    made.happen("login", 0)
    made.know(age=31.0)
    made.apply(model.Tick(), NOW + DAY)
    while explanation.step():
        pass
    answer = explanation.answer
    assert (answer.revision, answer.now, answer.member) == (revision, NOW, True)
    assert answer.segment is not None
    assert answer.segment.holds
    assert answer.segment.next_flip == NOW + DAY - 299 * MINUTE


def test_a_subject_deleted_on_the_way_is_one_nobody_knows() -> None:
    """An answer about whoever is no more would be neither of then nor of now."""
    made = shop()
    made.segment("s", "did view")
    explanation = made.engine.explain(SubjectKind.USER, USER, "s")
    made.apply(model.DeleteSubject(SubjectKind.USER, USER[0]))
    while explanation.step():
        pass
    answer = explanation.answer
    assert (answer.known, answer.segment, answer.revision) == (False, None, made.engine.revision)


def test_an_explanation_leaves_the_dataset_as_it_was() -> None:
    """No measure, condition, subject, attribute or cell is left of it."""
    made = shop()
    made.segment("s", "did view in the last 7 days and user.age > 3")
    before = made.engine.status()
    instant = made.engine.next_instant()
    made.explain()
    assert made.engine.status() == before
    assert made.engine.next_instant() == instant


def test_large_rules_are_explained_without_printing_them_again_and_again() -> None:
    """Every leaf is there; what joins a thousand of them only says how many there are."""
    made = shop()
    root = made.rule(" or ".join(f"did view where category = 'c{number}'" for number in range(500)))
    assert root.text == "any of 500 conditions"
    assert len(root.children) == 500
    long = "user.plan in (" + ", ".join(f"'{number:06d}'" for number in range(1000)) + ")"
    made.segment("long", long)
    answer = made.explain("long")
    assert answer.segment is not None
    assert len(answer.segment.children[0].text) == 1_000


def test_dates_are_read_in_the_zone_of_the_leaf() -> None:
    """A date is compared as the instant at which it begins there."""
    node = shop().rule("user.joined < 2026-05-01 in 'Europe/Paris'")
    assert node.threshold == int(datetime(2026, 4, 30, 22, tzinfo=UTC).timestamp() * 1000)
