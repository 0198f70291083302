"""The oracle itself, held against examples computed by hand: tests of one value, and who is who."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from coterie.index.model import (
    AttributeUpdate,
    ChangeList,
    CreateSegment,
    DeleteSubject,
    Identifier,
    IngestEvents,
    ListOperation,
    MergeSubjects,
    Record,
    SegmentDefinition,
    SegmentKind,
    SetAttributes,
    SubjectKind,
    Tick,
    Universe,
    Value,
)
from coterie.index.rules import ast
from tests.oracle_dataset import Dataset, Moment
from tests.oracle_time import moment_ms
from tests.oracle_values import haversine_km, satisfies, satisfies_near
from tests.shop import device, event, user

DAY = 86_400_000
MAY = ast.LocalTime(datetime(2026, 5, 1), date_only=True)
JUNE = ast.LocalTime(datetime(2026, 6, 1), date_only=True)
MAY_MS = moment_ms(MAY, "UTC")
JUNE_MS = moment_ms(JUNE, "UTC")


def compare(op: str, value: Any, *, ignore_case: bool = False) -> ast.Compare:
    """Returns `x op value`."""
    return ast.Compare(ast.CompareOp(op), value, ignore_case)


def text(op: str, wanted: str, *, negated: bool = False, ignore_case: bool = False) -> ast.TextMatch:
    """Returns `x op 'wanted'`."""
    return ast.TextMatch(ast.TextOp(op), wanted, negated, ignore_case)


EVERY_TEST_BUT_IS_SET: tuple[ast.Test, ...] = (
    *(ast.Compare(op, literal) for op in ast.CompareOp for literal in ("a", 1.0, True, ast.Version("1"), MAY)),
    ast.OneOf(("a", 1.0)),
    ast.OneOf(("a", 1.0), negated=True),
    ast.Between(0.0, 1.0),
    ast.Between(MAY, JUNE),
    *(ast.TextMatch(op, "a", negated=negated) for op in ast.TextOp for negated in (False, True)),
    *(ast.Age(relation, DAY) for relation in ast.AgeRelation),
)


@pytest.mark.parametrize("test", EVERY_TEST_BUT_IS_SET, ids=str)
def test_a_missing_value_satisfies_only_is_not_set(test: ast.Test) -> None:
    """Not `!=`, not `not in`, not `does not contain`: only `is not set`."""
    assert not satisfies(test, None, "UTC", MAY_MS)
    assert satisfies(ast.IsSet(negated=True), None, "UTC")
    assert not satisfies(ast.IsSet(), None, "UTC")


@pytest.mark.parametrize(
    ("test", "other"),
    [
        (compare("!=", 1.0), "1"),
        (compare("!=", "1"), 1.0),
        (compare("!=", True), 1.0),
        (compare("!=", 1.0), True),
        (compare("!=", MAY), 1.0),
        (compare("<", 2e15), MAY_MS),
        (compare("<", ast.Version("9")), 1.0),
        (compare("!=", ast.Version("9")), "beta"),
        (compare("!=", "vip"), ("new",)),
        (ast.OneOf((1.0,), negated=True), "1"),
        (text("contains", "1", negated=True), 2.0),
        (text("starts with", "v"), ("vip",)),
        (ast.Between(0.0, 2.0), "1"),
        (ast.Age(ast.AgeRelation.MORE_THAN_AGO, DAY), 1.0),
    ],
    ids=str,
)
def test_a_value_of_another_type_satisfies_nothing(test: ast.Test, other: Value) -> None:
    """Across types any comparison is false, the negated ones included; it is set, though."""
    assert not satisfies(test, other, "UTC", MAY_MS)
    assert satisfies(ast.IsSet(), other, "UTC")


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        (compare("<", "b"), "a", True),
        (compare("<", "a"), "B", True),  # by code point
        (compare("=", "STRASSE"), "straße", False),
        (compare("=", "STRASSE", ignore_case=True), "straße", True),
        (compare("!=", "PARIS", ignore_case=True), "Paris", False),
        (ast.OneOf(("a", "B"), ignore_case=True), "b", True),
        (ast.OneOf(("a", "b"), negated=True), "c", True),
        (compare(">", ast.Version("4.9")), "4.10", True),
        (compare("=", ast.Version("4.2")), "4.02", True),
        (compare("=", True), True, True),
        (compare("!=", True), False, True),
        (ast.Between(1.0, 2.0), 2.0, True),
        (ast.Between(1.0, 2.0), 2.5, False),
        (ast.Between(MAY, JUNE), MAY_MS, True),
        (ast.Between(MAY, JUNE), JUNE_MS, False),
        (compare("=", MAY), MAY_MS, True),
        (compare("=", MAY), MAY_MS + 1, False),
        (text("contains", "ari"), "Paris", True),
        (text("contains", "ARI", ignore_case=True), "Paris", True),
        (text("contains", "x", negated=True), "Paris", True),
        (text("starts with", "Pa"), "Paris", True),
        (text("ends with", "is", negated=True), "Paris", False),
        (text("matches", "/products/*"), "/products/", True),
        (text("matches", "/products/*"), "/product/", False),
        (text("matches", "P?ris"), "Paris", True),
        (text("matches", "P.ris"), "Paris", False),
        (text("matches", "aris"), "Paris", False),
        (text("contains", "vip"), ("new", "vip"), True),
        (text("contains", "vi"), ("new", "vip"), False),  # the elements, not parts of them
        (text("contains", "vip", negated=True), ("new",), True),
        (ast.OneOf(("vip", "old")), ("new", "vip"), True),
        (ast.OneOf(("vip", "old"), negated=True), ("new", "vip"), False),
        (ast.OneOf(("vip",), negated=True), (), True),
        (ast.IsSet(), (), True),
    ],
    ids=str,
)
def test_tests_of_a_present_value(test: ast.Test, value: Value, expected: bool) -> None:
    """One line for every kind of test."""
    assert satisfies(test, value, "UTC") is expected


@pytest.mark.parametrize(
    ("relation", "first", "after"),
    [
        (ast.AgeRelation.MORE_THAN_AGO, MAY_MS + DAY, None),
        (ast.AgeRelation.WITHIN_LAST, MAY_MS, MAY_MS + DAY),
        (ast.AgeRelation.WITHIN_NEXT, MAY_MS - DAY, MAY_MS),
        (ast.AgeRelation.MORE_THAN_FROM_NOW, None, MAY_MS - DAY),
    ],
)
def test_ages_flip_at_the_millisecond(relation: ast.AgeRelation, first: int | None, after: int | None) -> None:
    """An instant compared with now holds from `first` on until just before `after`."""
    test = ast.Age(relation, DAY)
    for instant in (MAY_MS - DAY - 1, MAY_MS - DAY, MAY_MS - 1, MAY_MS, MAY_MS + DAY - 1, MAY_MS + DAY):
        expected = (first is None or instant >= first) and (after is None or instant < after)
        assert satisfies(test, MAY_MS, "UTC", instant) is expected


def test_near_measures_the_great_circle() -> None:
    """Paris to London is about 344 km; half of a pair is not a place."""
    paris, london = (48.8566, 2.3522), (51.5074, -0.1278)
    assert 343 < haversine_km(*paris, *london) < 345
    place: dict[str, Value] = {"home_latitude": london[0], "home_longitude": london[1]}
    assert satisfies_near(ast.Near(345, *paris), "home", place.get)
    assert not satisfies_near(ast.Near(343, *paris), "home", place.get)
    assert not satisfies_near(ast.Near(20_000, *paris), "home", {"home_latitude": 1.0}.get)
    assert satisfies_near(ast.Near(1, *paris), "location", {"latitude": paris[0], "longitude": paris[1]}.get)


# ---------------------------------------------------------------- who is who


def empty() -> Dataset:
    """Returns a dataset without anything in it, in May."""
    made = Dataset("UTC", {"in everybody": ast.Not(ast.InSplit("x", 0, 0))}.__getitem__)
    made.apply(Record(1, MAY_MS, Tick()))
    return made


def feed(data: Dataset, *names: Identifier, **properties: Value) -> int:
    """Ingests an event with these identifiers and returns whose it became."""
    data.apply(Record(2, MAY_MS, IngestEvents((event("buy", names, **properties),))))
    subject = data.of_kind[SubjectKind.USER].owner(names[0])
    assert subject is not None
    return subject


def events_of(data: Dataset, subject: int) -> int:
    """Returns how many events the user has."""
    return len(Moment(data, SubjectKind.USER, data.now).events(subject))


def test_an_unseen_user_id_is_attached_to_the_anonymous_subject_and_a_seen_one_absorbs_it() -> None:
    """Either way the events before are the user's."""
    data = empty()
    assert feed(data, device("a1")) == feed(data, user("u1"), device("a1")) == 1
    assert feed(data, device("a2")) == 2
    assert feed(data, user("u1"), device("a2")) == 1
    assert events_of(data, 1) == 4
    assert data.of_kind[SubjectKind.USER].canonical(2) == 1


def test_of_several_anonymous_subjects_the_lowest_dense_id_survives() -> None:
    """Whatever order the identifiers come in."""
    data = empty()
    assert (feed(data, device("a1")), feed(data, device("a2"))) == (1, 2)
    assert feed(data, device("a2"), device("a1")) == 1
    assert events_of(data, 1) == 3


def test_a_device_moves_to_the_newer_user_and_two_users_are_never_merged_by_an_event() -> None:
    """What the device did before stays with the user it was."""
    data = empty()
    assert feed(data, user("u1"), device("a1")) == 1
    assert feed(data, user("u2"), device("a1")) == 2
    assert feed(data, device("a1")) == 2
    assert (events_of(data, 1), events_of(data, 2)) == (1, 2)


def test_a_merge_keeps_the_survivors_attributes_lists_if_either_and_its_first_identifier() -> None:
    """Absorbed: plan free and age 17; survivor: plan pro. Together: pro, 17, on the list."""
    data = empty()
    feed(data, user("u1"))
    feed(data, user("u2"))
    updates = (
        AttributeUpdate(SubjectKind.USER, (user("u1"),), {"plan": "free", "age": 17.0}),
        AttributeUpdate(SubjectKind.USER, (user("u2"),), {"plan": "pro"}),
    )
    data.apply(Record(3, MAY_MS, SetAttributes(updates)))
    data.apply(Record(4, MAY_MS, CreateSegment(SegmentDefinition("vip", SegmentKind.LIST, SubjectKind.USER))))
    data.apply(Record(5, MAY_MS, ChangeList("vip", ListOperation.ADD, ((user("u1"),),))))
    expected = data.apply(Record(6, MAY_MS, MergeSubjects(SubjectKind.USER, user("u1"), user("u2"))))
    assert expected.gone == [(SubjectKind.USER, 1, 2)]
    assert data.of_kind[SubjectKind.USER].attributes(2) == {"plan": "pro", "age": 17.0}
    assert data.members("vip") == {2}
    assert events_of(data, 2) == 2
    assert Moment(data, SubjectKind.USER, MAY_MS).first_identifier(2) == user("u2")


def test_current_values_are_the_newest_of_the_type_first_seen() -> None:
    """By event time, not arrival; a value of another type is passed over."""
    data = empty()
    for time, system in ((MAY_MS - 2, "iOS"), (MAY_MS - 3, "Android"), (MAY_MS - 1, 7.0)):
        data.apply(Record(2, MAY_MS, IngestEvents((event("view", time=time, context={"os": system}),))))
    assert Moment(data, SubjectKind.USER, MAY_MS).attribute(1, ast.Owner.CURRENT, "os") == "iOS"


def test_a_deleted_subject_is_nobody_and_comes_back_as_somebody_new() -> None:
    """Its events map to nobody, and dense ids are never given twice."""
    data = empty()
    feed(data, user("u1"))
    data.apply(Record(3, MAY_MS, DeleteSubject(SubjectKind.USER, user("u1"))))
    assert feed(data, user("u1")) == 2
    assert (events_of(data, 1), events_of(data, 2)) == (0, 1)


def test_a_retried_event_counts_once_and_one_too_far_ahead_is_refused() -> None:
    """The id decides, within the call too; five minutes ahead is still taken."""
    data = empty()
    twice = event("buy", event_id="e1", time=MAY_MS)
    ahead = [event("buy", time=MAY_MS + 300_000 + late) for late in (0, 1)]
    expected = data.apply(Record(2, MAY_MS, IngestEvents((twice, twice, *ahead))))
    assert (expected.accepted, expected.duplicates) == (2, 1)
    assert expected.refused == [(3, "EVENT_TIME_IN_FUTURE")]


def test_attributes_keep_the_type_of_their_first_use() -> None:
    """Also when every value was removed; an update with one wrong value changes nothing."""
    data = empty()
    values: tuple[dict[str, Value | None], ...] = ({"age": 17.0}, {"age": None}, {"age": "17", "plan": "pro"})
    updates = tuple(AttributeUpdate(SubjectKind.USER, (user("u1"),), value) for value in values)
    expected = data.apply(Record(2, MAY_MS, SetAttributes(updates)))
    assert expected.refused == [(2, "TYPE_CONFLICT")]
    assert data.of_kind[SubjectKind.USER].attributes(1) == {}


def test_universes_are_known_and_anonymous_subjects() -> None:
    """A subject with a user_id is known; `not` is against the universe."""
    data = empty()
    feed(data, user("u1"))
    feed(data, device("a1"))
    for number, universe in enumerate(Universe):
        name = f"s{number}"
        definition = SegmentDefinition(name, SegmentKind.RULE, SubjectKind.USER, "in everybody", universe=universe)
        data.apply(Record(3, MAY_MS, CreateSegment(definition)))
        data.promote(name)
    assert [data.members(f"s{number}") for number in range(3)] == [{1, 2}, {1}, {2}]
