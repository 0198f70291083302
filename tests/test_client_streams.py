"""The Python client: watching, streams of events, and asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from coterie.client import (
    AsyncClient,
    Change,
    Client,
    CoterieError,
    Event,
    EventPipeline,
    NotFound,
    ResyncRequired,
    RevisionCompacted,
    Unavailable,
)
from coterie.v1 import (
    analytics_service_pb2 as analytics,
)
from coterie.v1 import (
    common_pb2,
)
from coterie.v1 import (
    event_service_pb2 as events,
)
from coterie.v1 import (
    membership_service_pb2 as memberships,
)
from tests.fake_server import FakeServer, Refused
from tests.played import QUICK, member

# ---------------------------------------------------------------- watching


def changed(
    revision: str, joined: tuple[str, ...] = (), left: tuple[str, ...] = ()
) -> memberships.WatchMembershipResponse:
    """A message of joins and leaves."""
    change = memberships.MembershipChange(
        revision=common_pb2.Revision(token=revision), segment="vip", cause=memberships.CHANGE_CAUSE_EVENT,
        joined=[common_pb2.Identifier(namespace="user_id", value=name) for name in joined],
        left=[common_pb2.Identifier(namespace="user_id", value=name) for name in left],
    )  # fmt: skip
    return memberships.WatchMembershipResponse(change=change)


def progress(revision: str) -> memberships.WatchMembershipResponse:
    """The message after a revision's changes."""
    reached = memberships.WatchProgress(revision=common_pb2.Revision(token=revision))
    return memberships.WatchMembershipResponse(progress=reached)


BROKEN = Refused(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
STREAMS = [
    [progress("r0"), changed("r1", ("a", "b")), progress("r1"), changed("r2", ("c", "d"), ("a",)), BROKEN],
    [progress("r1"), changed("r2", ("c", "d")), BROKEN],
    [progress("r1"), changed("r2", ("c",)), changed("r2", ("d",), ("a",)), changed("r2", ("e",)), progress("r2")],
]
EXPECTED = [("a", True), ("b", True), ("c", True), ("d", True), ("a", False), ("e", True)]


def test_a_broken_watch_goes_on_without_gap_or_repeat() -> None:
    """It resumes after the last finished revision and drops what it has seen of the unfinished one."""
    with FakeServer(WatchMembership=list(STREAMS)) as server, Client(server.target, retries=QUICK) as client:
        seen = []
        with client.watch("vip", since="r0") as watch:
            for change in watch:
                assert isinstance(change, Change)
                seen.append((change.subject.value, change.joined))
                if len(seen) == len(EXPECTED):
                    break
        assert seen == EXPECTED
        assert [request.after.token for request in server.asked("WatchMembership")[:3]] == ["r0", "r1", "r1"]


def test_a_lagged_watch_resumes_at_once() -> None:
    """Being cut for slowness is no failure."""
    lagged = Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCH_LAGGED")
    streams: list[Any] = [[progress("r1"), lagged], [changed("r2", ("a",))]]
    with FakeServer(WatchMembership=streams) as server, Client(server.target) as client:
        assert next(client.watch()).subject.value == "a"


@pytest.mark.parametrize(
    "refused",
    [
        Refused(grpc.StatusCode.OUT_OF_RANGE, "REVISION_COMPACTED", oldest="r5"),
        Refused(grpc.StatusCode.NOT_FOUND, "SEGMENT_NOT_FOUND"),
    ],
)
def test_a_watch_that_cannot_go_on_says_so(refused: Refused) -> None:
    """A gap is never papered over."""
    with FakeServer(WatchMembership=refused) as server, Client(server.target) as client:
        with pytest.raises(CoterieError) as raised:
            next(client.watch("vip", since="r1"))
        assert raised.value.reason == (
            "REVISION_COMPACTED" if raised.type is RevisionCompacted else "SEGMENT_NOT_FOUND"
        )


def test_void_knowledge_raises_resync_required() -> None:
    """The follower learns where to read again."""
    void = memberships.ResyncRequired(revision=common_pb2.Revision(token="r9"), message="rebuilt", segments=["vip"])
    with (
        FakeServer(WatchMembership=[[memberships.WatchMembershipResponse(resync_required=void)]]) as server,
        Client(server.target) as client,
        pytest.raises(ResyncRequired) as raised,
    ):
        next(client.watch())
    assert (raised.value.revision, raised.value.segments) == ("r9", ("vip",))


# ---------------------------------------------------------------- many events


def acknowledge(batches: Iterator[events.StreamEventsRequest]) -> Iterator[Any]:
    """Takes every event."""
    for number, batch in enumerate(batches):
        yield events.StreamEventsResponse(batch=number, accepted=len(batch.events))


def test_a_stream_of_events_is_acknowledged_batch_by_batch() -> None:
    """Results come in the order of the batches, the last one short."""
    with FakeServer(StreamEvents=acknowledge) as server, Client(server.target) as client:
        sent = (Event("view", user_id=f"u{number}") for number in range(25))
        assert [result.accepted for result in client.ingest_stream(sent, batch=10)] == [10, 10, 5]


def test_a_broken_pipeline_keeps_what_was_acknowledged_apart_from_what_was_not() -> None:
    """The owner learns exactly which batches are in."""

    def break_after_two(batches: Iterator[events.StreamEventsRequest]) -> Iterator[Any]:
        for number, batch in zip(range(2), batches, strict=False):
            yield events.StreamEventsResponse(batch=number, accepted=len(batch.events))
        yield BROKEN

    with FakeServer(StreamEvents=break_after_two) as server, Client(server.target) as client:
        pipeline: EventPipeline[str] = EventPipeline(client, in_flight=2)

        def send_all() -> None:
            for tag in "abcdefgh":
                pipeline.send(events.StreamEventsRequest(), tag)
            pipeline.finish()

        with pytest.raises(Unavailable):
            send_all()
        assert [tag for tag, _ in pipeline.acknowledged()] == ["a", "b"]


# ---------------------------------------------------------------- asyncio


def test_the_asynchronous_client_mirrors_the_other() -> None:
    """Same methods, same parameters, same defaults."""

    def calls(kind: type) -> dict[str, list[inspect.Parameter]]:
        public = {name for name in dir(kind) if not name.startswith("_")}
        return {name: list(inspect.signature(getattr(kind, name)).parameters.values()) for name in public}

    synchronous, asynchronous = calls(Client), calls(AsyncClient)
    assert set(synchronous) == set(asynchronous)
    inherited = {"call", "stream", "send_stream", "scan"}  # their stubs differ in type
    for name in set(synchronous) - inherited:
        assert synchronous[name] == asynchronous[name], name


def test_the_asynchronous_client_talks_the_same() -> None:
    """Calls, retries, pages, streams and watches over asyncio."""
    count = analytics.CountMembersResponse(counts=[analytics.MemberCount(expression="vip", count=7)])
    answers: dict[str, Any] = {
        "IngestEvents": events.IngestEventsResponse(revision=common_pb2.Revision(token="r1"), accepted=1),
        "CountMembers": [BROKEN, count],
        "StreamEvents": acknowledge,
        "WatchMembership": list(STREAMS),
        "ListMembers": [memberships.ListMembersResponse(members=[member("u1")], next_page_token="2"),
                        memberships.ListMembersResponse(members=[member("u2")])],
    }  # fmt: skip

    async def run(target: str) -> None:
        async with AsyncClient(target, retries=QUICK) as client:
            assert (await client.ingest([Event("view", user_id="u1")])).revision == "r1"
            assert await client.count("vip") == 7
            stream = client.ingest_stream((Event("view", user_id="u") for _ in range(25)), batch=10)
            assert [result.accepted async for result in stream] == [10, 10, 5]
            assert [member.id async for member in client.members("vip")] == ["u1", "u2"]
            seen: list[tuple[str, bool]] = []
            async with client.watch("vip", since="r0") as watch:
                async for change in watch:
                    assert isinstance(change, Change)
                    seen.append((change.subject.value, change.joined))
                    if len(seen) == len(EXPECTED):
                        break
            assert seen == EXPECTED

    with FakeServer(**answers) as server:
        asyncio.run(run(server.target))


def test_the_asynchronous_client_raises_the_same_errors() -> None:
    """One translation for both."""

    async def run(target: str) -> None:
        async with AsyncClient(target) as client:
            with pytest.raises(NotFound) as raised:
                await client.segment("vpi")
            assert (raised.value.reason, raised.value.metadata) == ("SEGMENT_NOT_FOUND", {"segment": "vpi"})

    with FakeServer(GetSegment=Refused(grpc.StatusCode.NOT_FOUND, "SEGMENT_NOT_FOUND", segment="vpi")) as server:
        asyncio.run(run(server.target))
