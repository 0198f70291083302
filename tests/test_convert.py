"""Messages and the engine's values: what is read is what was meant, and both directions agree."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index import model
from coterie.index.errors import FieldInvalid, InputError, LimitExceeded
from coterie.index.model import Event, Refusal
from coterie.index.rules import ast, parse, print_rule, validate
from coterie.index.settings import Settings
from coterie.server.convert.answers import write_event
from coterie.server.convert.events import EventReader
from coterie.server.convert.rules import expression_of, message_of
from coterie.server.convert.values import (
    MAX_DURATION_MS,
    duration_of,
    instant_of,
    milliseconds_of,
    timestamp_of,
    value_of,
    write_value,
)
from coterie.v1 import common_pb2, event_service_pb2, membership_service_pb2, rule_pb2, segment_service_pb2
from tests.event_messages import MAX_MS, MIN_MS, SETTINGS, events_as_read, read_bytes, values
from tests.rule_strategies import expressions
from tests.serving import event

# ---------------------------------------------------------------- values


@given(values)
def test_a_value_comes_back(value: model.Value) -> None:
    """Every value, of every kind, is read as it was written, kind included."""
    message = common_pb2.Value()
    write_value(value, message)
    read = value_of(common_pb2.Value.FromString(message.SerializeToString()), "f", SETTINGS)
    assert read == value
    assert type(read) is type(value)


@given(st.integers(MIN_MS, MAX_MS))
def test_an_instant_comes_back(instant: int) -> None:
    """Whole milliseconds survive, before 1970 too."""
    assert instant_of(timestamp_of(instant), "f") == instant


@given(st.integers(0, MAX_DURATION_MS))
def test_a_duration_comes_back(milliseconds: int) -> None:
    """Whole milliseconds survive."""
    assert milliseconds_of(duration_of(milliseconds), "f") == milliseconds


def test_a_finer_timestamp_is_cut_down() -> None:
    """Nanoseconds beyond the millisecond are dropped towards the past, also before 1970."""
    for seconds in (-1, 0, 1):
        message = timestamp_of(seconds * 1000)
        message.nanos = 1_999_999
        assert instant_of(message, "f") == seconds * 1000 + 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    """NaN and the infinities are refused."""
    with pytest.raises(FieldInvalid, match="finite"):
        value_of(common_pb2.Value(number=value), "f", SETTINGS)


def test_sizes_are_counted_in_bytes() -> None:
    """A text of many-byte characters is judged by its UTF-8 size, to the byte."""
    limits = Settings(max_text_bytes=12)
    assert value_of(common_pb2.Value(string="é" * 6), "f", limits) == "é" * 6
    with pytest.raises(LimitExceeded) as caught:
        value_of(common_pb2.Value(string="é" * 6 + "a"), "f", limits)
    assert caught.value.metadata == {"given": "13", "maximum": "12"}
    too_many = common_pb2.Value(list=common_pb2.StringList(values=["a"] * 1001))
    with pytest.raises(LimitExceeded):
        value_of(too_many, "f", SETTINGS)


# ---------------------------------------------------------------- events


@given(events_as_read())
def test_an_event_comes_back(given_event: Event) -> None:
    """Every event is read as it was written."""
    message = common_pb2.Event()
    assert given_event.time is not None
    write_event(given_event, given_event.time, message)
    assert _read(message) == ([given_event], [])


def _read(*messages: common_pb2.Event, limits: Settings = SETTINGS) -> tuple[list[Event], list[Refusal]]:
    data = event_service_pb2.IngestEventsRequest(events=messages).SerializeToString()
    events, refused, indexes = read_bytes(data, EventReader(limits))
    assert sorted(indexes + [refusal.index for refusal in refused]) == list(range(len(messages)))
    return events, refused


def test_an_event_without_a_time_keeps_none() -> None:
    """No time means when it is recorded; the epoch is a time of its own."""
    never, epoch = event("a", "u"), event("a", "u", 0)
    read, _ = _read(never, epoch)
    assert [each.time for each in read] == [None, 0]


@pytest.mark.parametrize(
    ("message", "field", "reason"),
    [
        (event("", "u"), "type", "FIELD_INVALID"),
        (event("$visit", "u"), "type", "FIELD_INVALID"),
        (event("a"), "user_id", "FIELD_INVALID"),
        (event("a" * 257, "u"), "type", "LIMIT_EXCEEDED"),
        (event("a", "u" * 257), "user_id", "LIMIT_EXCEEDED"),
        (event("a", account_id="é" * 129), "account_id", "LIMIT_EXCEEDED"),
        (event("a", "u", event_id="i" * 257), "event_id", "LIMIT_EXCEEDED"),
        (event("a", "u", properties={"p": float("inf")}), 'properties["p"]', "FIELD_INVALID"),
        (event("a", "u", context={"": 1}), 'context[""]', "FIELD_INVALID"),
        (event("a", "u", properties={"n" * 257: 1}), f'properties["{"n" * 80}"]', "LIMIT_EXCEEDED"),
        (event("a", "u", properties={str(i): 1 for i in range(257)}), "properties", "LIMIT_EXCEEDED"),
        (event("a", "u", properties={"p": "x" * 8193}), 'properties["p"]', "LIMIT_EXCEEDED"),
        (event("a", "u", properties={"p": ["x" * 8193]}), 'properties["p"].list.values[0]', "LIMIT_EXCEEDED"),
        (
            event("a", "u", identifiers=[common_pb2.Identifier(namespace="user_id", value="other")]),
            "identifiers[0]",
            "FIELD_INVALID",
        ),
        (
            event("a", "u", identifiers=[common_pb2.Identifier(namespace="account_id", value="firm")]),
            "identifiers[0].namespace",
            "FIELD_INVALID",
        ),
        (
            event("a", "u", identifiers=[common_pb2.Identifier(namespace="e", value=str(i)) for i in range(33)]),
            "identifiers",
            "LIMIT_EXCEEDED",
        ),
    ],
)
def test_a_bad_event_is_refused_by_field(message: common_pb2.Event, field: str, reason: str) -> None:
    """What is wrong is named by its path, and the event beside it is taken."""
    events, refused = _read(message, event("fine", "u"))
    assert [each.type for each in events] == ["fine"]
    assert [(r.index, r.reason, r.field) for r in refused] == [(0, reason, f"events[0].{field}")]


def test_a_value_without_a_kind_is_refused() -> None:
    """A property that says nothing is refused."""
    message = event("a", "u")
    message.properties["p"].SetInParent()
    _, refused = _read(message)
    assert refused[0].field == 'events[0].properties["p"]'


def test_a_timestamp_out_of_range_is_refused() -> None:
    """Years before 1 and after 9999 are refused."""
    for seconds in (253_402_300_800, -62_135_596_801):
        message = event("a", "u")
        message.time.seconds = seconds
        assert _read(message)[1][0].field == "events[0].time"


# ---------------------------------------------------------------- rules


@given(expressions())
def test_a_rule_comes_back(rule: ast.Expression) -> None:
    """Every rule that has a text form is the same after a journey as a message."""
    data = message_of(rule).SerializeToString()
    assert expression_of(rule_pb2.Expression.FromString(data), "rule") == rule


@pytest.mark.parametrize(
    "text",
    [
        "user.signed_up more than 30 days ago and user.trial_ends within the next 7 days",
        "sum(add_to_cart.price) - sum(remove_from_cart.price) < 100 in this visit",
        "did login between 60 and 30 days ago or did login this month in 'Europe/Paris'",
        "did purchase where (hour between 18 and 23 and date = 2026-05-01) since 2026-05-01T18:30",
        "any user (in power_users) and every user (did login) and at least 10 users (in vip)",
        "sum(purchase.price) > avg(purchase.price in the last 7 days) * 2",
        "user.app_version >= version('4.2') and current.location within 25 km of (48.85, 2.35)",
        "did (view then add_to_cart within 10 minutes) at least 2 times and did a then not b within 1 hour",
    ],
)
def test_spoken_rules_come_back(text: str) -> None:
    """Sentences of every sort survive the journey, down to the printed form."""
    rule = parse(text)
    assert print_rule(expression_of(message_of(rule), "rule")) == print_rule(rule)


def _random_messages() -> st.SearchStrategy[bytes]:
    """Bytes that often are expressions: valid ones with some bytes changed."""
    return st.builds(
        lambda rule, places: _changed(message_of(rule).SerializeToString(), places),
        expressions(),
        st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3),
    )


def _changed(data: bytes, places: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for place, byte in places:
        if changed:
            changed[place % len(changed)] = byte
    return bytes(changed)


@given(_random_messages())
def test_no_tree_breaks_the_reader(data: bytes) -> None:
    """Whatever a tree says, it is read, or refused as bad input; what is read and valid prints."""
    message = rule_pb2.Expression()
    try:
        message.ParseFromString(data)
    except Exception:  # noqa: BLE001 - protobuf refuses it: not the reader's business
        return
    try:
        rule = expression_of(message, "rule")
        validate(rule)
    except InputError as error:
        named = error.field.startswith("rule")
    else:
        named = parse(print_rule(rule)) == rule
    assert named


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (rule_pb2.Expression(), "rule"),
        (rule_pb2.Expression(did=rule_pb2.Did()), "rule.did.events"),
        (rule_pb2.Expression(in_split=rule_pb2.InSplit(salt="s", low=5, high=5)), "rule.in_split.high"),
        (
            rule_pb2.Expression(inaction=rule_pb2.Inaction(first=rule_pb2.Events(), then_not=rule_pb2.Events())),
            "rule.inaction.within",
        ),
        (
            rule_pb2.Expression(
                at_least=rule_pb2.AtLeast(k=2, children=[rule_pb2.Expression(in_list={"segment": "a"})])
            ),
            "rule.at_least.k",
        ),
        (
            rule_pb2.Expression(
                attribute_test=rule_pb2.AttributeTest(
                    owner=rule_pb2.OWNER_USER,
                    name="d",
                    test=rule_pb2.Test(
                        compare=rule_pb2.Compare(
                            op=rule_pb2.COMPARE_OP_EQ,
                            value=rule_pb2.Literal(local_time=rule_pb2.LocalTime(value="2026-W01")),
                        )
                    ),
                )
            ),
            "rule.attribute_test.test.compare.value.local_time.value",
        ),
    ],
)
def test_a_bad_tree_is_refused_by_path(message: rule_pb2.Expression, field: str) -> None:
    """What is missing or out of range is named by its path from the rule."""
    with pytest.raises(FieldInvalid) as caught:
        expression_of(message, "rule")
    assert caught.value.field == field


def test_local_times_have_one_form() -> None:
    """Dates, minutes, seconds and milliseconds come back as what they were."""
    for text, value, date_only in (
        ("2026-05-01", datetime(2026, 5, 1), True),
        ("2026-05-01T18:30", datetime(2026, 5, 1, 18, 30), False),
        ("2026-05-01T00:00", datetime(2026, 5, 1), False),
        ("2026-05-01T18:30:15", datetime(2026, 5, 1, 18, 30, 15), False),
        ("2026-05-01T18:30:15.250", datetime(2026, 5, 1, 18, 30, 15, 250_000), False),
    ):
        rule = ast.Did(ast.Events("a"), window=ast.Absolute(ast.LocalTime(value, date_only), None))
        message = message_of(rule)
        assert message.did.window.absolute.start.local_time.value == text
        assert expression_of(message, "rule") == rule


# ---------------------------------------------------------------- enums


@pytest.mark.parametrize(
    ("members", "wrapper", "prefix"),
    [
        (model.SubjectKind, common_pb2.SubjectKind, "SUBJECT_KIND"),
        (model.SegmentKind, segment_service_pb2.SegmentKind, "SEGMENT_KIND"),
        (model.Mode, segment_service_pb2.SegmentMode, "SEGMENT_MODE"),
        (model.Universe, segment_service_pb2.Universe, "UNIVERSE"),
        (model.SegmentState, segment_service_pb2.SegmentState, "SEGMENT_STATE"),
        (model.Cause, membership_service_pb2.ChangeCause, "CHANGE_CAUSE"),
    ],
)
def test_enums_count_alike(members: type[Enum], wrapper: Any, prefix: str) -> None:
    """An enum's member has the same name and number in the engine and in the contract."""
    ours = {f"{prefix}_{member.name}": member.value for member in members}
    assert {**ours, f"{prefix}_UNSPECIFIED": 0} == dict(wrapper.items())
