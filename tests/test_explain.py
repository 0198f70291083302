"""Explanations as a whole: trees, nested segments, universes, limits, steps, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from coterie.index import model
from coterie.index.errors import CoterieError, LimitExceeded
from coterie.index.explained import Explained, NodeKind
from coterie.index.model import Identifier, Mode, SegmentDefinition, SegmentKind, SubjectKind, Universe
from tests.compare_explanations import explained
from tests.explained_shop import DAY, HOUR, MINUTE, NOW, USER, Shop, shop

MIDNIGHT = NOW + 12 * HOUR


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


def _firm(users: int = 3, **settings: Any) -> Shop:
    """An account with users, of whom the first alone viewed an hour ago, and with an event that names nobody."""
    made = Shop(**settings)
    for number in range(1, users + 1):
        who = (Identifier("user_id", f"u{number}"),)
        made.happen("login", DAY + number, who, account="c1")
    made.happen("view", HOUR, account="c1")
    made.happen("invoice", 2 * DAY, (), account="c1", total=80.0)
    made.know((Identifier("account_id", "c1"),), SubjectKind.ACCOUNT, industry="retail")
    return made


def test_what_is_asked_of_a_users_account_is_explained() -> None:
    """The account's rule stands beneath, with the account's values; a user without an account has none."""
    made = _firm()
    made.segment("buyers", "did invoice in the last 7 days", subject_kind=SubjectKind.ACCOUNT)
    made.happen("view", HOUR + 1, (Identifier("user_id", "alone"),))
    rule = "account.industry = 'retail' and account (sum(invoice.total) >= 80 and in buyers)"
    root = made.rule(rule)
    industry, firm = root.children
    assert (industry.text, industry.value, industry.threshold) == ("account.industry = 'retail'", "retail", "retail")
    spent, buyers = firm.children[0].children
    assert (spent.text, spent.value, spent.newest and spent.newest.type) == (
        "sum(invoice.total) >= 80",
        80.0,
        "invoice",
    )
    assert buyers.children[0].next_flip == firm.next_flip == root.next_flip == NOW + 5 * DAY
    answer = made.explain("s", (Identifier("user_id", "alone"),))
    assert answer.segment is not None
    assert [(node.holds, node.value, node.children) for node in answer.segment.children[0].children] == [
        (False, None, [])
    ] * 2


def test_what_is_asked_of_an_accounts_users_is_explained() -> None:
    """How many of them satisfy, and when time alone changes the answer; also from a user's side."""
    made = _firm()
    account = (Identifier("account_id", "c1"),)
    asked = (
        ("any user (did view in the last 1 day)", 1.0, ("at least 1 user", 1.0, None), 23 * HOUR),
        ("at least 2 users (did login in the last 2 days)", 3.0, ("at least 2 users", 2.0, None), DAY - 2),
        ("every user (did login)", 3.0, ("every user", 3.0, None), None),
        ("no user (did view)", 1.0, ("exactly 0 users", 0.0, None), None),
    )
    for number, (text, value, bar, after) in enumerate(asked):
        made.segment(f"firms{number}", text, subject_kind=SubjectKind.ACCOUNT)
        answer = made.explain(f"firms{number}", account, SubjectKind.ACCOUNT)
        assert answer.segment is not None
        node = answer.segment.children[0]
        assert (node.text, node.value, (node.condition, node.threshold, node.upper)) == (text, value, bar)
        assert node.next_flip == (None if after is None else NOW + after)
    root = made.rule("account (any user (did view in the last 1 day))")
    assert root.children[0].value == 1.0
    assert root.next_flip == NOW + 23 * HOUR


def test_an_account_with_too_many_users_is_refused() -> None:
    """Only where the rule looks at them."""
    made = _firm(users=3, max_explain_users=2)
    made.segment("firms", "any user (did view)", subject_kind=SubjectKind.ACCOUNT)
    made.segment("retail", "account.industry = 'retail'", subject_kind=SubjectKind.ACCOUNT)
    account = (Identifier("account_id", "c1"),)
    made.explain("retail", account, SubjectKind.ACCOUNT)
    with pytest.raises(LimitExceeded, match="users of an account"):
        made.explain("firms", account, SubjectKind.ACCOUNT)


def test_a_member_that_stays_is_explained() -> None:
    """The rule does not hold, the membership does; it ends at its deadline, or never."""
    made = shop()
    for name, mode, ttl in (("sticky", Mode.STICKY, 3 * DAY), ("once", Mode.ONCE, 0)):
        made.segment(name, "did view in the last 7 days", mode=mode, ttl_ms=ttl)
    made.segment("both", "in sticky and in once")
    left = NOW + 7 * DAY - MINUTE
    for name, flip in (("sticky", left + 3 * DAY), ("once", None), ("both", left + 3 * DAY)):
        for at in (NOW, left):  # promised while the rule holds as when it no longer does
            made.apply(model.Tick(), at)
            answer = made.explain(name)
            assert answer.segment is not None
            assert (answer.member, answer.segment.next_flip) == (True, flip)
    answer = made.explain("sticky")
    assert answer.segment is not None
    assert (answer.mode, answer.segment.children[0].holds) == (Mode.STICKY, False)
    dense = made.engine.find(SubjectKind.USER, USER)
    assert dense is not None
    made.apply(model.Tick(), left + 3 * DAY - 1)
    assert made.engine.is_member("both", dense)
    made.apply(model.Tick(), left + 3 * DAY)
    assert not made.engine.is_member("both", dense)


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
