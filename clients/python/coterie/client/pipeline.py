"""Many events over one stream: several batches on their way at once, acknowledged in order.

Owns the stream and its two threads. Invariant: acknowledgements are handed out in the order of the batches, and a
batch that was not acknowledged when the stream broke is never sent again by this module: only its owner knows
whether its events have ids.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar, cast

import grpc

from coterie.client.connection import Connection
from coterie.client.errors import CoterieError, Unavailable, translate
from coterie.v1.event_service_pb2 import StreamEventsRequest, StreamEventsResponse

TagT = TypeVar("TagT")

IN_FLIGHT = 12
"""Batches on their way at once; fewer than the server holds unacknowledged."""
_GLANCE_SECONDS = 0.2
"""How often a wait looks whether the stream still stands."""


class EventPipeline(Generic[TagT]):
    """A stream of event batches. Each batch carries a tag of the sender's, which comes back with its acknowledgement."""

    def __init__(self, connection: Connection, in_flight: int = IN_FLIGHT) -> None:
        self._room = threading.Semaphore(in_flight)
        self._outgoing: queue.SimpleQueue[StreamEventsRequest | None] = queue.SimpleQueue()
        self._unacknowledged: deque[TagT] = deque()
        self._acknowledged: deque[tuple[TagT, StreamEventsResponse]] = deque()
        self._error: CoterieError | None = None
        self._finished = False
        self._responses = connection.services.events.StreamEvents(self._requests())
        self._reader = threading.Thread(target=self._read, name="event acknowledgements", daemon=True)
        self._reader.start()

    def send(self, batch: StreamEventsRequest, tag: TagT) -> None:
        """Hands over a batch; waits while too many are on their way. Raises what broke the stream."""
        while not self._room.acquire(timeout=_GLANCE_SECONDS):
            self._raise_error()
        self._raise_error()
        self._unacknowledged.append(tag)
        self._outgoing.put(batch)

    def acknowledged(self) -> Iterator[tuple[TagT, StreamEventsResponse]]:
        """What has been acknowledged since the last call."""
        while self._acknowledged:
            yield self._acknowledged.popleft()

    def finish(self, timeout: float | None = None) -> None:
        """Sends no more and waits for the last acknowledgement. Raises what broke the stream."""
        if not self._finished:
            self._finished = True
            self._outgoing.put(None)
        self._reader.join(timeout)
        if self._reader.is_alive():
            self.cancel()
            raise Unavailable(f"{len(self._unacknowledged)} batches were not acknowledged within {timeout} s")
        self._raise_error()

    def cancel(self) -> None:
        """Drops what is on its way; it may or may not be taken."""
        cast(grpc.Call, self._responses).cancel()
        self._outgoing.put(None)

    def _requests(self) -> Iterator[StreamEventsRequest]:
        while (batch := self._outgoing.get()) is not None:
            yield batch

    def _read(self) -> None:
        try:
            for response in self._responses:
                self._acknowledged.append((self._unacknowledged.popleft(), response))
                self._room.release()
        except grpc.RpcError as failure:
            self._error = translate(failure)
        else:
            if self._unacknowledged:
                self._error = Unavailable("the server ended the stream before it acknowledged everything")
        self._outgoing.put(None)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
