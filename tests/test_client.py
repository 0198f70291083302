"""The Python client: what it sends, and what it makes of answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from coterie.client import (
    Client,
    Event,
    NewestEvent,
    RecordsRefused,
    account,
    anonymous,
    user,
)
from coterie.client.answers import bits
from coterie.client.values import from_message, to_message
from coterie.v1 import (
    common_pb2,
    error_reason_pb2,
)
from coterie.v1 import (
    event_service_pb2 as events,
)
from coterie.v1 import (
    membership_service_pb2 as memberships,
)
from coterie.v1 import (
    segment_service_pb2 as segments,
)
from tests.canned_explanation import explanation
from tests.fake_server import FakeServer
from tests.played import NOON, Played, member, succeed


@pytest.fixture
def played() -> Played:
    """A client whose server the test plays."""
    return Played()


# ---------------------------------------------------------------- requests and answers


def test_ingest_sends_every_part_of_an_event_and_returns_the_acknowledgement(played: Played) -> None:
    """An event's identifiers, time and values arrive as given; counts and revision come back."""
    event = Event(
        "purchase", user_id="u1", time=NOON, properties={"price": 30, "tags": ["a", "b"], "gift": True},
        context={"os": "iOS"}, identifiers={"email": "ann@example.com"}, event_id="e1",
    )  # fmt: skip
    call = played.begin(lambda: played.client.ingest([event]))
    request, handle = played.take("EventService/IngestEvents")
    sent = request.events[0]
    assert (sent.type, sent.user_id, sent.event_id, sent.time.seconds) == ("purchase", "u1", "e1", 1777636800)
    assert sent.properties["price"].number == 30.0
    assert list(sent.properties["tags"].list.values) == ["a", "b"]
    assert sent.properties["gift"].boolean is True
    assert sent.context["os"].string == "iOS"
    assert [(one.namespace, one.value) for one in sent.identifiers] == [("email", "ann@example.com")]
    succeed(handle, events.IngestEventsResponse(revision=common_pb2.Revision(token="r7"), accepted=1))
    taken = call.result(5)
    assert (taken.revision, taken.accepted, taken.duplicates, taken.refused) == ("r7", 1, 0, ())


def test_a_batch_gets_a_request_id_only_where_an_event_has_no_id(played: Played) -> None:
    """Sending again is safe either way: by the events' own ids, or by the call's."""
    for event, has_request_id in (
        (Event("view", user_id="u1"), True),
        (Event("view", user_id="u1", event_id="e"), False),
    ):
        call = played.begin(lambda event=event: played.client.ingest([event]))
        request, handle = played.take("EventService/IngestEvents")
        assert bool(request.request_id) is has_request_id
        succeed(handle, events.IngestEventsResponse(accepted=1))
        call.result(5)


def test_refused_events_raise_unless_partial_is_allowed(played: Played) -> None:
    """Losing records silently takes a decision: `partial=True`."""
    refused = error_reason_pb2.RecordError(
        index=3, reason=error_reason_pb2.ERROR_REASON_FIELD_INVALID, field="events[3].type", message="is empty"
    )
    answer = events.IngestEventsResponse(accepted=3, refused=[refused])
    call = played.begin(lambda: played.client.ingest([Event("", user_id="u1")]))
    succeed(played.take("EventService/IngestEvents")[1], answer)
    with pytest.raises(RecordsRefused) as raised:
        call.result(5)
    assert (raised.value.reason, raised.value.field) == ("FIELD_INVALID", "events[3].type")
    assert raised.value.result.accepted == 3
    call = played.begin(lambda: played.client.ingest([Event("", user_id="u1")], partial=True))
    succeed(played.take("EventService/IngestEvents")[1], answer)
    assert call.result(5).refused[0].index == 3


def test_a_read_asks_for_at_least_the_revision_of_a_write(played: Played) -> None:
    """`at_least` takes the acknowledgement itself."""
    write = played.begin(lambda: played.client.ingest([Event("view", user_id="u1")]))
    acknowledgement = events.IngestEventsResponse(revision=common_pb2.Revision(token="r9"), accepted=1)
    succeed(played.take("EventService/IngestEvents")[1], acknowledgement)
    read = played.begin(lambda: played.client.check("u1", "buyers", at_least=write.result(5)))
    request, handle = played.take("MembershipService/CheckMembership")
    assert request.consistency.at_least_as_fresh.token == "r9"
    assert list(request.segments) == ["buyers"]
    membership = memberships.Membership(segment="buyers", member=True)
    succeed(handle, memberships.CheckMembershipResponse(known=True, memberships=[membership]))
    assert read.result(5) is True


def test_subjects_are_user_ids_unless_said_otherwise(played: Played) -> None:
    """Plain text is a user_id; devices and accounts are said so."""
    wanted = [
        ("u1", "user_id", common_pb2.SUBJECT_KIND_USER),
        (user("u1"), "user_id", common_pb2.SUBJECT_KIND_USER),
        (anonymous("u1"), "anonymous_id", common_pb2.SUBJECT_KIND_USER),
        (account("u1"), "account_id", common_pb2.SUBJECT_KIND_ACCOUNT),
    ]
    for subject, namespace, kind in wanted:
        call = played.begin(lambda subject=subject: played.client.check(subject, "s"))
        request, handle = played.take("MembershipService/CheckMembership")
        assert (request.subject.kind, request.subject.identifiers[0].namespace) == (kind, namespace)
        membership = memberships.Membership(segment="s")
        succeed(handle, memberships.CheckMembershipResponse(memberships=[membership]))
        assert call.result(5) is False


def test_an_edit_names_exactly_the_fields_given(played: Played) -> None:
    """What is not given stays as it is; an empty text is a change."""
    call = played.begin(lambda: played.client.update_segment("vip", rule="did purchase", description="", etag="3f"))
    request, handle = played.take("SegmentService/UpdateSegment")
    assert list(request.update_mask.paths) == ["rule_text", "description"]
    assert (request.segment.id, request.segment.etag, request.segment.rule_text) == ("vip", "3f", "did purchase")
    succeed(handle, segments.UpdateSegmentResponse(segment=segments.Segment(id="vip", rule_text="did purchase")))
    assert call.result(5).rule == "did purchase"


def test_pages_are_followed_to_the_last() -> None:
    """A listing is one iterator, however many pages it has."""
    pages = [
        memberships.ListMembersResponse(members=[member("u1"), member("u2")], next_page_token="2"),
        memberships.ListMembersResponse(members=[member("u3")]),
    ]
    with FakeServer(ListMembers=pages) as server, Client(server.target) as client:
        assert [member.id for member in client.members("buyers and not vip")] == ["u1", "u2", "u3"]
        assert [request.page_token for request in server.asked("ListMembers")] == ["", "2"]


def test_an_explanation_is_a_tree_of_plain_values() -> None:
    """Every part of it comes through: truths, values, thresholds, newest events, flips."""
    with FakeServer(ExplainMembership=explanation) as server, Client(server.target) as client:
        answer = client.explain("u1", "vip", at_least="r7")
        request = server.asked("ExplainMembership")[0]
        assert (request.subject.identifiers[0].value, request.segment) == ("u1", "vip")
        assert request.consistency.at_least_as_fresh.token == "r7"
        assert (answer.known, answer.member, answer.universe, answer.in_universe) == (True, True, "all", True)
        assert (answer.next_flip, answer.looked_until) == (datetime(2026, 5, 20, 8, tzinfo=UTC), None)
        assert answer.rule is not None
        loyal, unlike, some = answer.rule.children
        assert [node.kind for node in (answer.rule, loyal, unlike, some)] == ["and", "segment", "not", "at_least"]
        bought, spent = loyal.children[0], some.children[1]
        assert (loyal.segment, bought.kind, bought.holds, bought.value, bought.threshold) == (
            "loyal",
            "leaf",
            True,
            5,
            3,
        )
        assert bought.newest_event == NewestEvent(datetime(2026, 5, 1, 11, tzinfo=UTC), "purchase", "e17")
        assert (spent.threshold, spent.upper_threshold, spent.newest_event, spent.next_flip) == (10, 99.5, None, None)
        assert (some.children[0].value, some.children[0].threshold) == (None, ["pro", "team"])
        nobody = client.explain("nobody", "vip")
        assert (nobody.known, nobody.member, nobody.rule) == (False, False, None)


def test_packed_bits_are_read_row_by_row_from_the_lowest_bit() -> None:
    """Bit n of the answer is `members[n / 8] >> (n % 8) & 1`; rows are not padded."""
    assert bits(bytes([0b10100101, 0b1]), 3, 3) == [[True, False, True], [False, False, True], [False, True, True]]


@pytest.mark.parametrize(
    "value",
    ["text", "", 1.5, -0.0, True, False, NOON, NOON.replace(year=1969, microsecond=123000), ["a", "b"], []],
    ids=repr,
)
def test_values_survive_the_way_there_and_back(value: Any) -> None:
    """What is sent is what is read."""
    assert from_message(to_message(value, "price")) == value


def test_times_keep_their_instant_whatever_their_zone() -> None:
    """An offset moves nothing."""
    eastern = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert from_message(to_message(eastern, "at")) == NOON


@pytest.mark.parametrize("value", [None, {"a": 1}, [1], b"x"], ids=repr)
def test_what_is_no_value_is_refused_by_name(value: Any) -> None:
    """The error names the property."""
    with pytest.raises(TypeError, match=r"properties\.price"):
        Client("127.0.0.1:1").ingest([Event("view", user_id="u1", properties={"price": value})])


def test_a_time_without_a_zone_is_refused() -> None:
    """It has two readings."""
    with pytest.raises(ValueError, match="time zone"):
        Client("127.0.0.1:1").ingest([Event("view", user_id="u1", time=datetime(2026, 5, 1))])


def test_creating_waits_until_the_segment_answers() -> None:
    """What is returned can be read at once; without `wait` it may still be building."""
    building = segments.Segment(id="vip", state=segments.SEGMENT_STATE_BUILDING, build_progress=0.5)
    ready = segments.GetSegmentResponse(segment=segments.Segment(id="vip", state=segments.SEGMENT_STATE_READY))
    answers = {
        "CreateSegment": segments.CreateSegmentResponse(segment=building),
        "GetSegment": [segments.GetSegmentResponse(segment=building), ready],
    }
    with FakeServer(**answers) as server, Client(server.target) as client:
        assert client.create_segment("vip", "did purchase", wait=False).state == "building"
        assert client.create_segment("vip", "did purchase").state == "ready"
