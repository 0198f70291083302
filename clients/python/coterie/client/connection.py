"""The channel to a server, and how one call is made over it: timeout, retries, exceptions.

Owns the channel. `Connection` is for threads, `AsyncConnection` for asyncio; both make calls of the generated stubs
in `services`. Invariant: no `grpc.RpcError` leaves either of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import aclosing, closing
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import grpc
import grpc.aio

from coterie.client.answers import scan_progress
from coterie.client.errors import CoterieError, Unavailable, translate
from coterie.client.retries import Retries
from coterie.client.types import ScanProgress
from coterie.v1 import (
    admin_service_pb2_grpc,
    analytics_service_pb2_grpc,
    event_service_pb2_grpc,
    membership_service_pb2_grpc,
    profile_service_pb2_grpc,
    segment_service_pb2_grpc,
)

DEFAULT_TARGET = "127.0.0.1:7443"
DEFAULT_DATASET = "default"
DEFAULT_TIMEOUT = 30.0
"""Seconds a call may take, retries included."""

OPTIONS = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.keepalive_time_ms", 60_000),
)

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


class Services:
    """The generated stubs of all services, over one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.events = event_service_pb2_grpc.EventServiceStub(channel)
        self.profiles = profile_service_pb2_grpc.ProfileServiceStub(channel)
        self.segments = segment_service_pb2_grpc.SegmentServiceStub(channel)
        self.memberships = membership_service_pb2_grpc.MembershipServiceStub(channel)
        self.analytics = analytics_service_pb2_grpc.AnalyticsServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)


class AsyncServices:
    """The generated stubs of all services, over one asyncio channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.events = event_service_pb2_grpc.EventServiceStub(channel)
        self.profiles = profile_service_pb2_grpc.ProfileServiceStub(channel)
        self.segments = segment_service_pb2_grpc.SegmentServiceStub(channel)
        self.memberships = membership_service_pb2_grpc.MembershipServiceStub(channel)
        self.analytics = analytics_service_pb2_grpc.AnalyticsServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)


class Connection:
    """A channel used by threads."""

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        dataset: str = DEFAULT_DATASET,
        timeout: float = DEFAULT_TIMEOUT,
        retries: Retries = Retries(),  # noqa: B008 - frozen
        channel: grpc.Channel | None = None,
    ) -> None:
        self.target, self.dataset, self.timeout, self.retries = target, dataset, timeout, retries
        self._channel = channel or grpc.insecure_channel(target, options=OPTIONS)
        self.services = Services(self._channel)

    def call(
        self, method: grpc.UnaryUnaryMultiCallable[RequestT, ResponseT], request: RequestT, timeout: float | None = None
    ) -> ResponseT:
        """Makes one call that may be repeated; raises a CoterieError."""
        deadline = time.monotonic() + (timeout or self.timeout)
        attempt = 1
        while True:
            remaining = deadline - time.monotonic()
            try:
                return method(request, timeout=max(remaining, 0.001))
            except grpc.RpcError as failure:
                error = translate(failure)
                delay = self.retries.delay(error, attempt, deadline - time.monotonic())
                if delay is None:
                    raise error from None
            time.sleep(delay)
            attempt += 1

    def stream(
        self, method: grpc.UnaryStreamMultiCallable[RequestT, ResponseT], request: RequestT
    ) -> Generator[ResponseT, None, None]:
        """Makes one call that answers with a stream; leaving the loop early cancels it."""
        responses = method(request)
        try:
            yield from responses
        except grpc.RpcError as failure:
            raise translate(failure) from None
        finally:
            cast(grpc.Call, responses).cancel()

    def scan(
        self,
        method: grpc.UnaryStreamMultiCallable[RequestT, Any],
        request: RequestT,
        progress: Callable[[ScanProgress], object],
    ) -> Any:
        """Makes one call that scans history, tells how far it is, and returns its last message, the answer."""
        with closing(self.stream(method, request)) as messages:
            for message in messages:
                if message.WhichOneof("result") != "progress":
                    return message
                progress(scan_progress(message.progress))
        raise Unavailable("the scan ended without an answer")

    def send_stream(
        self, method: grpc.StreamUnaryMultiCallable[RequestT, ResponseT], messages: Iterable[RequestT]
    ) -> ResponseT:
        """Makes one call whose request is a stream; it is not repeated."""
        try:
            return method(iter(messages))
        except grpc.RpcError as failure:
            raise translate(failure) from None

    def close(self) -> None:
        """Closes the channel; calls under way are cancelled."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncConnection:
    """A channel used by asyncio."""

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        dataset: str = DEFAULT_DATASET,
        timeout: float = DEFAULT_TIMEOUT,
        retries: Retries = Retries(),  # noqa: B008 - frozen
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        self.target, self.dataset, self.timeout, self.retries = target, dataset, timeout, retries
        self._channel = channel or grpc.aio.insecure_channel(target, options=OPTIONS)
        self.services = AsyncServices(self._channel)

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT],
        request: RequestT,
        timeout: float | None = None,  # noqa: ASYNC109 - the call's own deadline, sent to the server
    ) -> ResponseT:
        """Makes one call that may be repeated; raises a CoterieError."""
        deadline = time.monotonic() + (timeout or self.timeout)
        attempt = 1
        while True:
            remaining = deadline - time.monotonic()
            try:
                return await method(request, timeout=max(remaining, 0.001))
            except grpc.RpcError as failure:
                error: CoterieError = translate(failure)
                delay = self.retries.delay(error, attempt, deadline - time.monotonic())
                if delay is None:
                    raise error from None
            await asyncio.sleep(delay)
            attempt += 1

    async def stream(
        self, method: grpc.aio.UnaryStreamMultiCallable[RequestT, ResponseT], request: RequestT
    ) -> AsyncGenerator[ResponseT, None]:
        """Makes one call that answers with a stream; leaving the loop early cancels it."""
        responses = method(request)
        try:
            async for response in responses:
                yield response
        except grpc.RpcError as failure:
            raise translate(failure) from None
        finally:
            responses.cancel()

    async def scan(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[RequestT, Any],
        request: RequestT,
        progress: Callable[[ScanProgress], object],
    ) -> Any:
        """Makes one call that scans history, tells how far it is, and returns its last message, the answer."""
        async with aclosing(self.stream(method, request)) as messages:
            async for message in messages:
                if message.WhichOneof("result") != "progress":
                    return message
                progress(scan_progress(message.progress))
        raise Unavailable("the scan ended without an answer")

    async def send_stream(
        self, method: grpc.aio.StreamUnaryMultiCallable[RequestT, ResponseT], messages: Iterable[RequestT]
    ) -> ResponseT:
        """Makes one call whose request is a stream; it is not repeated."""
        try:
            return await method(iter(messages))
        except grpc.RpcError as failure:
            raise translate(failure) from None

    async def close(self) -> None:
        """Closes the channel; calls under way are cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
