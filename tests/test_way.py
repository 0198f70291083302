"""Giving way: a call that arrives during a step reaches its handler before the next, and none can hold up the work."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import grpc
import pytest

from coterie.server.way import Way
from coterie.v1 import admin_service_pb2, common_pb2, event_service_pb2, membership_service_pb2
from tests.serving import Served, served


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs a test in a loop of its own."""
    asyncio.run(work)


class Clock:
    """Time that passes by steps of work, and by `per_look` whenever it is asked for."""

    def __init__(self, per_look: float = 0.0) -> None:
        self.now, self._per_look = 0.0, per_look

    def __call__(self) -> float:
        """The time, in seconds."""
        self.now += self._per_look
        return self.now


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def test_a_call_on_its_way_reaches_its_handler_in_the_rest() -> None:
    """However many turns of the loop it takes from its beginning to its handler."""

    async def main() -> None:
        clock = Clock()
        way, handled = Way(clock), asyncio.Event()

        async def call() -> None:
            await _turns(2)
            way.arriving()
            await _turns(20)
            way.arrived()
            handled.set()

        task = asyncio.create_task(call())
        clock.now += 0.001
        await way.give()
        assert handled.is_set()
        await task

    run(main())


def test_without_calls_a_rest_is_short() -> None:
    """Work that nobody interrupts loses a few turns of the loop after each step."""

    async def main() -> None:
        clock = Clock()
        way, turns = Way(clock), 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(count())
        clock.now += 0.001
        await way.give()
        assert 4 <= turns <= 10
        turns = 0
        clock.now += 0.0001  # a step so short shares the rest of others
        await way.give()
        assert turns == 1
        task.cancel()

    run(main())


def test_steps_of_different_work_do_not_pile_up() -> None:
    """Between any two long steps the loop has some turns, whoever does them."""

    async def main() -> None:
        clock = Clock()
        way, turn = Way(clock), 0
        steps: list[int] = []

        async def count() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        async def work() -> None:
            for _ in range(10):
                steps.append(turn)
                clock.now += 0.001
                await way.give()

        task = asyncio.create_task(count())
        await asyncio.gather(work(), work(), work())
        task.cancel()
        assert len(steps) == 30
        assert all(later - earlier >= 3 for earlier, later in pairwise(steps[2:]))  # all three begin at once

    run(main())


def test_a_call_that_never_arrives_holds_nothing_up() -> None:
    """Its caller went away: the rest ends, and the next no longer waits for it."""

    async def main() -> None:
        way = Way(Clock(per_look=0.0004))

        async def call() -> None:
            way.arriving()

        await asyncio.create_task(call())
        assert way.awaited == 1
        await way.give()
        assert way.awaited == 0

    run(main())


@served()
async def test_every_call_that_begins_is_seen_to_arrive(server: Served) -> None:
    """Calls of all four forms, one that fails, one that is cancelled."""
    await server.ingest(common_pb2.Event(type="a", user_id="u"))
    with pytest.raises(grpc.aio.AioRpcError):
        await server.members.CheckMembership(membership_service_pb2.CheckMembershipRequest(dataset="none"))
    await server.create("s", "did a")
    export = server.members.ExportMembers(membership_service_pb2.ExportMembersRequest(expression="s"))
    assert [part async for part in export]
    watch = server.members.WatchMembership(membership_service_pb2.WatchMembershipRequest(segments=["s"]))
    await watch.initial_metadata()
    watch.cancel()
    stream = server.events.StreamEvents()
    await stream.write(event_service_pb2.StreamEventsRequest())
    stream.cancel()
    await server.admin.GetStatus(admin_service_pb2.GetStatusRequest())
    assert server.server.catalogue.way.awaited == 0
