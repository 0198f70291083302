"""Checks of single users, one after the other, while something else goes on: what a page waits for meanwhile.

Owns the latencies. Invariant: they are of one connection that never has two calls under way, so one that waits is seen as
one slow call, not as many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from time import perf_counter
from typing import TypeVar

import grpc

from bench.measure import percentile
from bench.membership import CHECK
from bench.wire import call_of
from coterie.v1 import membership_service_pb2

Answer = TypeVar("Answer")
P99 = 0.99


class Checks:
    """A caller of CheckMembership."""

    def __init__(self, channel: grpc.aio.Channel, users: Sequence[str], segments: Sequence[str]) -> None:
        self._check = call_of(channel, CHECK)
        self._requests = [_request(user, segments) for user in users]
        self._sent = 0

    async def during(self, work: Awaitable[Answer]) -> tuple[Answer, list[float]]:
        """Checks until the work is done; returns what came of it, and what each check took (ms)."""
        task = asyncio.ensure_future(work)
        latencies: list[float] = []
        while not task.done():
            latencies.append(await self._one())
        return await task, latencies

    async def idle(self, calls: int) -> list[float]:
        """Checks so many times; returns what each took (ms)."""
        return [await self._one() for _ in range(calls)]

    async def _one(self) -> float:
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        begin = perf_counter()
        await self._check(request)
        return (perf_counter() - begin) * 1000


def _request(user: str, segments: Sequence[str]) -> bytes:
    request = membership_service_pb2.CheckMembershipRequest(segments=segments)
    request.subject.user_id = user
    return request.SerializeToString()


def added_p99_ms(idle: Sequence[float], meanwhile: Sequence[float]) -> float:
    """Returns by how much the 99th percentile grew."""
    return percentile(meanwhile, P99) - percentile(idle, P99)
