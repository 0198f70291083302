"""Following joins and leaves: what has been seen, and going on from there after a broken stream.

Owns the position in the stream. Invariant: every change is yielded once, in order, whatever happens to the
connection; where that cannot be kept, `ResyncRequired` is raised instead of going on with a gap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Self, TypeAlias, cast

import grpc

from coterie.client.answers import enum_name, identifier, subject_kind
from coterie.client.connection import AsyncConnection, Connection
from coterie.client.errors import CoterieError, translate
from coterie.client.retries import Retries
from coterie.client.types import Acknowledged, Cause, Change, Freshness, SubjectGone
from coterie.client.values import from_timestamp
from coterie.v1 import membership_service_pb2
from coterie.v1.common_pb2 import Revision

Seen: TypeAlias = Change | SubjectGone

_PATIENCE = Retries(attempts=1_000_000)
"""A watch is patient by time, not by tries."""


class ResyncRequired(CoterieError):
    """What the watcher knows is void: read the segments again at `revision`, then watch from there."""

    def __init__(self, message: str, revision: str, segments: tuple[str, ...]) -> None:
        super().__init__(message, reason="RESYNC_REQUIRED")
        self.revision = revision
        self.segments = segments


class Position:
    """How far a watch has come: the last finished revision, and how much of the next one was seen."""

    def __init__(self, dataset: str, segments: Sequence[str], since: Freshness, progress_ms: int) -> None:
        self._dataset, self._segments, self._progress_ms = dataset, tuple(segments), progress_ms
        self.revision = since.revision if isinstance(since, Acknowledged) else since or ""
        self._beyond = 0
        self._skip = 0

    def request(self) -> membership_service_pb2.WatchMembershipRequest:
        """Asks for what follows; what was seen of an unfinished revision will come again and is skipped."""
        self._skip, self._beyond = max(self._skip, self._beyond), 0
        return membership_service_pb2.WatchMembershipRequest(
            dataset=self._dataset,
            segments=self._segments,
            after=Revision(token=self.revision) if self.revision else None,
            progress_interval_ms=self._progress_ms,
        )

    def take(self, message: membership_service_pb2.WatchMembershipResponse) -> Iterator[Seen]:
        """What is new in a message; moves the position."""
        what = message.WhichOneof("event")
        if what == "progress":
            # The first progress of a resumed stream repeats where it begins; only a new one ends a revision.
            if message.progress.revision.token != self.revision:
                self.revision = message.progress.revision.token
                self._beyond = self._skip = 0
        elif what == "resync_required":
            void = message.resync_required
            raise ResyncRequired(void.message, void.revision.token, tuple(void.segments))
        else:
            for seen in _changes(message.change) if what == "change" else _gone(message.subject_gone):
                self._beyond += 1
                if self._beyond > self._skip:
                    yield seen


def _changes(change: membership_service_pb2.MembershipChange) -> Iterator[Seen]:
    cause = cast(Cause, enum_name(membership_service_pb2.ChangeCause, change.cause, "CHANGE_CAUSE_"))
    at, revision, kind = from_timestamp(change.at), change.revision.token, subject_kind(change.subject_kind)
    for joined, subjects in ((True, change.joined), (False, change.left)):
        for subject in subjects:
            yield Change(change.segment, identifier(subject), joined, cause, at, revision, kind)


def _gone(gone: membership_service_pb2.SubjectGone) -> Iterator[Seen]:
    yield SubjectGone(
        identifier(gone.subject),
        identifier(gone.survivor) if gone.HasField("survivor") else None,
        from_timestamp(gone.at),
        gone.revision.token,
        subject_kind(gone.subject_kind),
    )


class _Reconnecting:
    """Decides how long to wait for the server after a stream broke."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self.answered()

    def answered(self) -> None:
        self._since, self._attempt = time.monotonic(), 0

    def delay(self, failure: grpc.RpcError) -> float:
        """Seconds until the next try; raises the translated error where there is none."""
        error = translate(failure)
        self._attempt += 1
        remaining = self._since + self._timeout - time.monotonic()
        if error.reason == "WATCH_LAGGED":
            return 0.0
        delay = _PATIENCE.delay(error, min(self._attempt, 10), remaining)
        if delay is None:
            raise error from None
        return delay


class Watch(Iterator[Seen]):
    """An endless iterator over changes. `revision` is the last one seen to its end; `close()` ends the watch."""

    def __init__(self, connection: Connection, segments: Sequence[str], since: Freshness, progress_ms: int = 0) -> None:
        self._connection = connection
        self._position = Position(connection.dataset, segments, since, progress_ms)
        self._call: grpc.Call | None = None
        self._closed = False
        self._changes = self._follow()

    @property
    def revision(self) -> str:
        """The last revision whose changes have all been yielded."""
        return self._position.revision

    def __next__(self) -> Seen:
        return next(self._changes)

    def _follow(self) -> Iterator[Seen]:
        reconnecting = _Reconnecting(self._connection.timeout)
        while not self._closed:
            try:
                stream = self._connection.services.memberships.WatchMembership(self._position.request())
                self._call = cast(grpc.Call, stream)
                for message in stream:
                    reconnecting.answered()
                    yield from self._position.take(message)
            except grpc.RpcError as failure:
                if self._closed:
                    return
                time.sleep(reconnecting.delay(failure))

    def close(self) -> None:
        """Ends the watch, also from another thread."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class AsyncWatch(AsyncIterator[Seen]):
    """As `Watch`, for asyncio."""

    def __init__(
        self, connection: AsyncConnection, segments: Sequence[str], since: Freshness, progress_ms: int = 0
    ) -> None:
        self._connection = connection
        self._position = Position(connection.dataset, segments, since, progress_ms)
        self._changes = self._follow()

    @property
    def revision(self) -> str:
        """The last revision whose changes have all been yielded."""
        return self._position.revision

    async def __anext__(self) -> Seen:
        return await anext(self._changes)

    async def _follow(self) -> AsyncGenerator[Seen, None]:
        reconnecting = _Reconnecting(self._connection.timeout)
        while True:
            stream = self._connection.services.memberships.WatchMembership(self._position.request())
            try:
                async for message in stream:
                    reconnecting.answered()
                    for seen in self._position.take(message):
                        yield seen
            except grpc.RpcError as failure:
                await asyncio.sleep(reconnecting.delay(failure))
            finally:
                stream.cancel()

    async def close(self) -> None:
        """Ends the watch."""
        await self._changes.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()
