"""Time over gRPC: members join and leave at the very millisecond, without an event, and watchers are told."""

from __future__ import annotations

import asyncio
import tempfile

import pytest

from coterie.server.app import start_server
from coterie.server.clock import ClockRefused
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as v1
from tests.serving import DAY, HOUR, SECOND, START, ManualClock, Served, event, in_folder, served, serving


@served()
async def test_a_member_leaves_at_the_millisecond(server: Served) -> None:
    """A window's end is a record of its own, at exactly that instant."""
    await server.create("recent", "did view in the last 1 hour")
    await server.ingest(event("view", "u1", START - 500))
    before = server.dataset.engine.revision
    await server.move(START + HOUR - 501)
    assert await server.check("u1", "recent") == [True]
    assert server.dataset.engine.revision == before, "nothing is written while nothing changes"
    await server.move(START + HOUR + 50)
    assert await server.check("u1", "recent") == [False]
    (change,) = server.dataset.engine.changes.since(before)
    assert (change.at, change.cause.name, list(change.left)) == (START - 500 + HOUR, "TIME", [1])


@served()
async def test_many_ends_at_once_all_happen(server: Served) -> None:
    """Thousands of windows ending close together are swept in steps, and every leave is told."""
    await server.create("recent", "did view in the last 1 hour")
    for first in range(0, 6000, 2000):
        await server.ingest(*(event("view", f"u{i}", START - 10 * SECOND + i) for i in range(first, first + 2000)))
    before = server.dataset.engine.revision
    await server.move(START + 2 * HOUR)
    changes = list(server.dataset.engine.changes.since(before))
    assert sum(len(change.left) for change in changes) == 6000
    assert server.dataset.engine.size("recent") == 0


@served(sweep_rows=500)
async def test_ingest_waits_for_a_sweep(server: Served) -> None:
    """An event that comes after a long silence is applied after everything that time had to change before it."""
    await server.create("recent", "did view in the last 1 hour")
    await server.ingest(*(event("view", f"u{i}", START - 10 * SECOND + i) for i in range(4000)))
    before = server.dataset.engine.revision
    server.clock.set(START + 2 * HOUR)
    await server.ingest(event("view", "u7"))
    changes = list(server.dataset.engine.changes.since(before))
    assert changes[-1].cause.name == "EVENT"
    assert {change.cause.name for change in changes[:-1]} == {"TIME"}
    assert len(changes) > 4, "the sweep was cut into steps"
    assert server.dataset.engine.size("recent") == 1


@served()
async def test_a_new_subject_is_in_what_is_true_of_nobody(server: Served) -> None:
    """A rule that holds of an empty profile takes in a subject with its first event."""
    await server.create("quiet", "did view at most 1 time in the last 1 hour")
    await server.ingest(event("other", "u1"))
    assert await server.check("u1", "quiet") == [True]
    await server.ingest(event("view", "u1"), event("view", "u1", START - SECOND))
    assert await server.check("u1", "quiet") == [False]
    await server.move(START - SECOND + HOUR)
    assert await server.check("u1", "quiet") == [True]


async def _restart_after(pause_ms: int, **settings: object) -> tuple[bool, int]:
    """Writes, stops, starts again later; returns whether the member is still one and how far time has come."""
    with tempfile.TemporaryDirectory() as folder:
        async with serving(folder) as server:
            await server.create("recent", "did view in the last 1 hour")
            await server.ingest(event("view", "u1"))
        async with serving(folder, ManualClock(START + pause_ms), **settings) as server:
            await server.move(START + pause_ms)
            return (await server.check("u1", "recent"))[0], server.dataset.engine.now


def test_time_that_passed_while_stopped_is_made_up() -> None:
    """After a restart, windows that ended meanwhile have ended."""
    assert asyncio.run(_restart_after(30 * 60 * SECOND))[0]
    member, now = asyncio.run(_restart_after(DAY))
    assert not member
    assert now >= START + HOUR


def test_a_clock_far_ahead_is_questioned() -> None:
    """A start more than 7 days past the last record needs to be accepted."""

    async def start(**settings: object) -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder) as server:
                await server.ingest(event("view", "u1"))
            later = ManualClock(START + 8 * DAY)
            running = await start_server(in_folder(folder, **settings), later)
            await running.stop()

    with pytest.raises(ClockRefused, match=r"8\.0 days"):
        asyncio.run(start())
    asyncio.run(start(accept_clock=True))


@served()
async def test_a_clock_that_was_set_back_stands_still(server: Served) -> None:
    """A clock behind the last record stamps that record's time again; nothing goes back."""
    await server.ingest(event("view", "u1"))
    server.clock.set(START - HOUR)
    response = await server.ingest(event("view", "u2"))
    assert response.now.ToMilliseconds() == START


@served()
async def test_a_watch_is_told_of_time(server: Served) -> None:
    """A watcher sees a leave that no event caused, with its cause and its instant."""
    await server.create("recent", "did view in the last 1 hour")
    await server.ingest(event("view", "u1"))
    watch = server.members.WatchMembership(v1.WatchMembershipRequest(segments=["recent"]))
    assert (await watch.read()).WhichOneof("event") == "progress"
    await server.move(START + HOUR)
    message = await watch.read()
    assert message.change.cause == v1.CHANGE_CAUSE_TIME
    assert message.change.at.ToMilliseconds() == START + HOUR
    assert list(message.change.left) == [common_pb2.Identifier(namespace="user_id", value="u1")]
    watch.cancel()
