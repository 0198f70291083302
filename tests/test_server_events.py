"""EventService over gRPC: what is acknowledged is durable, applied, counted once, and attributed to its caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc

from coterie.v1 import common_pb2
from coterie.v1 import event_service_pb2 as v1
from coterie.v1.error_reason_pb2 import ErrorReason
from tests.serving import MINUTE, START, Served, event, refusal_of, refused, served


@served()
async def test_an_acknowledged_event_is_visible(server: Served) -> None:
    """A read at the acknowledged revision sees the event."""
    await server.create("buyers", "did purchase in the last 30 days")
    response = await server.ingest(event("purchase", "u1"))
    assert (response.accepted, response.duplicates, list(response.refused)) == (1, 0, [])
    consistency = common_pb2.Consistency(at_least_as_fresh=response.revision)
    assert await server.check("u1", "buyers", consistency=consistency) == [True]


@served()
async def test_a_repeated_event_id_changes_nothing(server: Served) -> None:
    """A duplicate is counted in the answer and nowhere else, within a call and between calls."""
    await server.create("two", "did view at least 2 times")
    twin = event("view", "u1", event_id="e1")
    response = await server.ingest(twin, twin, event("view", "u2", event_id="e2"))
    assert (response.accepted, response.duplicates) == (2, 1)
    response = await server.ingest(twin)
    assert (response.accepted, response.duplicates) == (0, 1)
    assert await server.check("u1", "two") == [False]


@served()
async def test_bad_events_are_refused_alone(server: Served) -> None:
    """What is wrong with one event refuses that one, by its index in the call; the rest is taken."""
    events = [
        event("view", "u1"),
        event("", "u1"),
        event("view"),
        event("view", "u1", START + 6 * MINUTE),
        event("$visit", "u1"),
        event("view", "u1", properties={"price": float("nan")}),
        event("view", "u2", START - MINUTE),
        event("view", "u" * 300),
    ]
    response = await server.ingest(*events)
    assert response.accepted == 2
    got = [(e.index, ErrorReason.Name(e.reason), e.field) for e in response.refused]
    assert got == [
        (1, "ERROR_REASON_FIELD_INVALID", "events[1].type"),
        (2, "ERROR_REASON_FIELD_INVALID", "events[2].user_id"),
        (3, "ERROR_REASON_EVENT_TIME_IN_FUTURE", "events[3].time"),
        (4, "ERROR_REASON_FIELD_INVALID", "events[4].type"),
        (5, "ERROR_REASON_FIELD_INVALID", 'events[5].properties["price"]'),
        (7, "ERROR_REASON_LIMIT_EXCEEDED", "events[7].user_id"),
    ]


@served()
async def test_a_large_call_is_applied_in_the_order_of_time(server: Served) -> None:
    """A thousand events in reverse order of time are all taken, and refusals keep the caller's indexes."""
    await server.create("last-shoe", "last(view.what) = 'shoe'")
    events = [event("view", f"u{i % 7}", START - i * MINUTE, properties={"what": "hat"}) for i in range(1000)]
    for user in range(7):  # the newest of each is the one with the smallest index
        events[user].properties["what"].string = "shoe"
    events[500] = event("view", "late", START + 60 * MINUTE)
    response = await server.ingest(*events)
    assert response.accepted == 999
    assert [(e.index, e.field) for e in response.refused] == [(500, "events[500].time")]
    assert [await server.check(f"u{i}", "last-shoe") for i in range(7)] == [[True]] * 7


@served()
async def test_calls_that_share_a_record_get_their_own_answers(server: Served) -> None:
    """Of many concurrent small calls, each is told its own duplicates, refusals and acceptance."""
    await server.ingest(event("view", "seen", event_id="old"))

    async def call(i: int) -> v1.IngestEventsResponse:
        if i % 3 == 0:
            return await server.ingest(event("view", f"u{i}", event_id="old"))
        if i % 3 == 1:
            return await server.ingest(event("view", f"u{i}", START + 60 * MINUTE))
        return await server.ingest(event("view", f"u{i}", event_id=f"new{i}"), event("view", f"u{i}"))

    answers = await asyncio.gather(*(call(i) for i in range(60)))
    for i, answer in enumerate(answers):
        expected = [(0, 1, 0), (0, 0, 1), (2, 0, 0)][i % 3]
        assert (answer.accepted, answer.duplicates, len(answer.refused)) == expected, i


@served()
async def test_the_same_user_in_concurrent_calls_keeps_its_states(server: Served) -> None:
    """Concurrent calls about one user are not folded into one record, so every join and leave is told."""
    await server.create("exactly-n", "did flip exactly 1 time or did flip exactly 3 times")
    before = server.dataset.engine.revision
    await asyncio.gather(*(server.ingest(event("flip", "u1")) for _ in range(4)))
    changes = list(server.dataset.engine.changes.since(before))
    assert [(len(change.joined), len(change.left)) for change in changes] == [(1, 0), (0, 1), (1, 0), (0, 1)]


@served()
async def test_a_request_id_makes_repeating_safe(server: Served) -> None:
    """The same call with the same request id answers the same and changes nothing."""
    await server.create("two", "did view at least 2 times")
    first = await server.ingest(event("view", "u1"), request_id="r1")
    again = await server.ingest(event("view", "u1"), request_id="r1")
    assert first == again
    assert await server.check("u1", "two") == [False]
    problem = await refused(server.ingest(event("view", "u2"), request_id="r1"))
    assert (problem.reason, problem.field) == ("FIELD_INVALID", "request_id")


@served()
async def test_a_stream_acknowledges_batches_in_order(server: Served) -> None:
    """Batches are acknowledged one by one, in order, with growing revisions."""

    async def batches() -> AsyncIterator[v1.StreamEventsRequest]:
        for i in range(20):
            yield v1.StreamEventsRequest(events=[event("view", f"u{i}", event_id=f"e{i % 15}")])

    answers = [answer async for answer in server.events.StreamEvents(batches())]
    assert [answer.batch for answer in answers] == list(range(20))
    assert sum(answer.accepted for answer in answers) == 15
    assert sum(answer.duplicates for answer in answers) == 5


@served()
async def test_a_bad_batch_ends_a_stream_after_the_good_ones(server: Served) -> None:
    """What was sent before the bad batch is acknowledged; then the stream fails naming the field."""

    async def batches() -> AsyncIterator[v1.StreamEventsRequest]:
        yield v1.StreamEventsRequest(events=[event("view", "u1")])
        yield v1.StreamEventsRequest(dataset="another", events=[event("view", "u1")])

    answers = []
    try:
        async for answer in server.events.StreamEvents(batches()):
            answers.append(answer)  # noqa: PERF401 - those before the error count
    except grpc.aio.AioRpcError as error:
        problem = refusal_of(error)
    assert len(answers) == 1
    assert (problem.reason, problem.field) == ("FIELD_INVALID", "dataset")


@served(queue_events=100, queue_calls=3)
async def test_a_full_queue_says_when_to_come_back(server: Served) -> None:
    """A full write queue answers INGEST_SATURATED with a delay, loses nothing it took, and recovers."""

    async def call(i: int) -> bool:
        try:
            await server.ingest(*(event("view", f"u{i}") for _ in range(60)))
        except grpc.aio.AioRpcError as error:
            problem = refusal_of(error)
            assert (problem.code, problem.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "INGEST_SATURATED")
            assert problem.retry_after_ms
            return False
        return True

    taken = await asyncio.gather(*(call(i) for i in range(40)))
    assert any(taken)
    assert not all(taken)
    assert server.dataset.engine.status().events == 60 * sum(taken)
    assert await call(99)
