"""A server inside a test: started on port 0 with a clock the test owns, and stubs to call it with.

Owns the event loop of a test (`served`), the fake clock, and short ways to say common requests. Invariant: a
test that ends, however it ends, leaves no server, no channel and no files behind.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from coterie.server.app import RunningServer, start_server
from coterie.server.config import ServerSettings, load_settings
from coterie.v1 import (
    admin_service_pb2_grpc,
    analytics_service_pb2_grpc,
    common_pb2,
    event_service_pb2,
    event_service_pb2_grpc,
    membership_service_pb2,
    membership_service_pb2_grpc,
    profile_service_pb2_grpc,
    segment_service_pb2,
    segment_service_pb2_grpc,
)

START = 1_767_268_800_000  # 2026-01-01T12:00Z
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


class ManualClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, now: int = START) -> None:
        self._now = now
        self._timers: list[tuple[int, int, Callable[[], None], list[bool]]] = []
        self._numbers = count()

    def now(self) -> int:
        """The time the test has set."""
        return self._now

    def call_at(self, instant: int, callback: Callable[[], None]) -> Any:
        """Calls back when the test moves the clock to the instant or past it."""
        live = [True]
        heapq.heappush(self._timers, (instant, next(self._numbers), callback, live))

        class Timer:
            def cancel(self) -> None:
                live[0] = False

        return Timer()

    def set(self, now: int) -> None:
        """Moves the clock, and rings."""
        self._now = now
        while self._timers and self._timers[0][0] <= now:
            _, _, callback, live = heapq.heappop(self._timers)
            if live[0]:
                callback()


class Refusal(NamedTuple):
    """What a failed call said."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    field: str
    retry_after_ms: int | None
    message: str


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """Reads the details of an error, which has exactly one ErrorInfo of this domain."""
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    infos, fields, retries = [], [""], [None]
    for detail in status.details:
        for kind, found in (
            (error_details_pb2.ErrorInfo, infos),
            (error_details_pb2.BadRequest, fields),
            (error_details_pb2.RetryInfo, retries),
        ):
            message = kind()
            if detail.Unpack(message):
                found.append(message)
    assert len(infos) == 1
    assert infos[0].domain == "coterie"
    field = fields[-1].field_violations[0].field if fields[-1] else ""
    retry = retries[-1].retry_delay.ToMilliseconds() if retries[-1] else None
    return Refusal(error.code(), infos[0].reason, dict(infos[0].metadata), field, retry, error.details() or "")


async def refused(call: Awaitable[Any]) -> Refusal:
    """Awaits a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return refusal_of(caught.value)


async def expect(calling: Any, code: grpc.StatusCode, reason: str, field: str = "", **facts: str) -> Refusal:
    """Awaits a call that must fail in just this way; returns all it said."""
    problem = await refused(calling)
    assert (problem.code, problem.reason, problem.field) == (code, reason, field), problem
    assert {name: problem.metadata.get(name) for name in facts} == facts
    return problem


class Served:
    """A running server, its clock and its stubs."""

    def __init__(self, server: RunningServer, channel: grpc.aio.Channel, clock: ManualClock) -> None:
        self.server, self.channel, self.clock = server, channel, clock
        self.events = event_service_pb2_grpc.EventServiceStub(channel)
        self.profiles = profile_service_pb2_grpc.ProfileServiceStub(channel)
        self.segments = segment_service_pb2_grpc.SegmentServiceStub(channel)
        self.members = membership_service_pb2_grpc.MembershipServiceStub(channel)
        self.analytics = analytics_service_pb2_grpc.AnalyticsServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)

    @property
    def dataset(self) -> Any:
        """The default dataset, for looking inside."""
        return self.server.catalogue.get("default")

    async def ingest(self, *events: common_pb2.Event, **fields: Any) -> event_service_pb2.IngestEventsResponse:
        """Sends events in one call."""
        return await self.events.IngestEvents(event_service_pb2.IngestEventsRequest(events=events, **fields))

    async def create(self, name: str, rule: str = "", **fields: Any) -> segment_service_pb2.CreateSegmentResponse:
        """Creates a rule, or a list where there is none, and waits until it is ready."""
        if not rule:
            fields["kind"] = segment_service_pb2.SEGMENT_KIND_LIST
        segment = segment_service_pb2.Segment(id=name, rule_text=rule, **fields)
        response = await self.segments.CreateSegment(segment_service_pb2.CreateSegmentRequest(segment=segment))
        await self.ready(name)
        return response

    async def ready(self, name: str) -> None:
        """Waits until a segment answers and nothing of it is being built."""
        while self.dataset.engine.segment(name).root is None or self.dataset.engine.segment(name).pending:
            await self.dataset.progress.past(self.dataset.engine.revision, 5)

    async def check(self, user: str, *names: str, **fields: Any) -> list[bool]:
        """Asks in which segments a user is."""
        request = membership_service_pb2.CheckMembershipRequest(subject=user_named(user), segments=names, **fields)
        return [entry.member for entry in (await self.members.CheckMembership(request)).memberships]

    async def move(self, now: int) -> None:
        """Moves the clock and waits until the dataset has followed wherever time changes something."""
        self.clock.set(now)
        engine = self.dataset.engine
        while (due := engine.next_instant()) is not None and due <= now:
            await self.dataset.progress.past(engine.revision, 5)


def user_named(user_id: str) -> common_pb2.Subject:
    """A user by user_id."""
    return common_pb2.Subject(user_id=user_id)


def event(kind: str, user: str = "", time: int | None = None, **fields: Any) -> common_pb2.Event:
    """An event; `properties` and `context` as plain values."""
    message = common_pb2.Event(
        type=kind, user_id=user, **{k: v for k, v in fields.items() if k not in ("properties", "context")}
    )
    if time is not None:
        message.time.FromMilliseconds(time)
    for part in ("properties", "context"):
        for name, value in fields.get(part, {}).items():
            fill(getattr(message, part)[name], value)
    return message


def fill(target: common_pb2.Value, value: Any) -> None:
    """Writes a plain value: str, bool, number, or a list of str."""
    if isinstance(value, bool):
        target.boolean = value
    elif isinstance(value, str):
        target.string = value
    elif isinstance(value, list):
        target.list.values.extend(value)
    else:
        target.number = value


@asynccontextmanager
async def serving(folder: str, clock: ManualClock | None = None, **settings: Any) -> AsyncIterator[Served]:
    """Starts a server on a directory; stops it with a snapshot unless the test did."""
    clock = clock or ManualClock()
    server = await start_server(in_folder(folder, **settings), clock)
    async with grpc.aio.insecure_channel(server.address) as channel:
        try:
            yield Served(server, channel, clock)
        finally:
            await server.stop()


def in_folder(folder: str, **settings: Any) -> ServerSettings:
    """Settings for a test: port 0, nothing read from the environment."""
    settings = {"drain_timeout_ms": 500, **settings}
    return load_settings(None, {}, data=folder, listen="127.0.0.1:0", **settings)


def served(**settings: Any) -> Callable[[Callable[[Served], Awaitable[None]]], Callable[[], None]]:
    """Runs an async test against a fresh server."""

    def decorate(test: Callable[[Served], Awaitable[None]]) -> Callable[[], None]:
        async def run() -> None:
            with tempfile.TemporaryDirectory() as folder:
                async with serving(folder, **settings) as server, asyncio.timeout(30):
                    await test(server)

        @functools.wraps(test)
        def wrapper() -> None:
            asyncio.run(run())

        # pytest would take the wrapped function's parameter for a fixture.
        del wrapper.__wrapped__  # type: ignore[attr-defined]
        return wrapper

    return decorate


def plain(message: Message, *fields: str) -> dict[str, Any]:
    """Chosen fields of a message."""
    return {field: getattr(message, field) for field in fields}
