"""Explanations as a whole: trees, nested segments, universes, limits, steps, and what is refused."""

from __future__ import annotations

import pytest

from coterie.index import model
from coterie.index.errors import CoterieError, LimitExceeded
from coterie.index.explained import Explained, NodeKind
from coterie.index.model import Identifier, SegmentDefinition, SegmentKind, SubjectKind, Universe
from tests.compare_explanations import explained
from tests.explained_shop import DAY, HOUR, MINUTE, NOW, OTHER, USER, Shop, shop

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


def test_an_explanation_waits_until_an_instant_is_passed_for_all() -> None:
    """While some subjects stand at the new instant and others at the old one, nothing is said of either."""
    made = Shop()
    for user in (USER, OTHER):
        made.happen("view", 1 if user is USER else 2, user)
    made.segment("s", "did view in the last 1 day and did not login in the last 1 day")
    at = NOW + DAY
    while not made.engine.prepare_sweep(at):
        pass
    made.apply(model.Tick(below=2), at)
    explanation = made.engine.explain(SubjectKind.USER, OTHER, "s")
    assert explanation.step()
    assert explanation.step()
    made.apply(model.Tick(), at)
    while explanation.step():
        pass
    answer = explanation.answer
    assert (answer.revision, answer.member, answer.agrees) == (made.engine.revision, False, True)


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
