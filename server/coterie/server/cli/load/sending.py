"""The way of rows to the server: batches of events over one stream, attribute updates beside it.

Owns what is on its way, and which rows each batch holds. Invariant: a row counts as acknowledged only when the
server has said what became of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from coterie.client import EventPipeline
from coterie.client.connection import Connection
from coterie.client.requests import new_request_id
from coterie.v1.error_reason_pb2 import ErrorReason, RecordError
from coterie.v1.event_service_pb2 import StreamEventsRequest, StreamEventsResponse
from coterie.v1.profile_service_pb2 import SetAttributesRequest, SetAttributesResponse

BATCH_ROWS = 1_000
MAX_BATCH_BYTES = 3 << 20
"""A batch that grew larger is sent in halves; the server takes 4 MiB."""
UPDATES_IN_FLIGHT = 2


@dataclass(slots=True)
class Origins:
    """Where the records of a batch come from: their lines and rows, in order.

    An attribute update stands alone where its row is no event as well.
    """

    lines: list[int] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    alone: list[bool] = field(default_factory=list)

    def add(self, line: int, row: Any, *, alone: bool = False) -> None:
        """Enters the next record."""
        self.lines.append(line)
        self.rows.append(row)
        self.alone.append(alone)

    def half(self, first: bool) -> Origins:
        """The first or the second half."""
        middle = len(self.lines) // 2
        part = slice(None, middle) if first else slice(middle, None)
        return Origins(self.lines[part], self.rows[part], self.alone[part])


Refuse = Callable[[int, str, str, str, Any], None]
"""Takes line, reason, field, message and row of a refused record."""


class EventSender:
    """Sends events in batches and counts what became of them."""

    def __init__(self, connection: Connection, refuse: Refuse) -> None:
        self.accepted = self.duplicates = 0
        self.revision = ""
        self.last_line = 0
        self._connection, self._dataset, self._refuse = connection, connection.dataset, refuse
        self._stream: EventPipeline[Origins] | None = None
        self.batch = StreamEventsRequest(dataset=self._dataset)
        self.origins = Origins()

    def flush(self) -> None:
        """Sends what is gathered."""
        if self.origins.lines:
            self._send(self.batch, self.origins)
            self.batch, self.origins = StreamEventsRequest(dataset=self._dataset), Origins()
        self.settle()

    def _send(self, batch: StreamEventsRequest, origins: Origins) -> None:
        if batch.ByteSize() <= MAX_BATCH_BYTES:
            # Opened by the first batch: a load that only sets attributes needs no stream.
            self._stream = self._stream or EventPipeline(self._connection)
            self._stream.send(batch, origins)
        elif len(origins.lines) == 1:
            self._refuse(origins.lines[0], "LIMIT_EXCEEDED", "", "the event is larger than 3 MiB", origins.rows[0])
        else:
            middle = len(origins.lines) // 2
            for first, events in ((True, batch.events[:middle]), (False, batch.events[middle:])):
                self._send(StreamEventsRequest(dataset=self._dataset, events=events), origins.half(first))

    def settle(self) -> None:
        """Counts what has been acknowledged meanwhile."""
        for origins, answer in self._stream.acknowledged() if self._stream else ():
            self._settle_one(origins, answer)

    def _settle_one(self, origins: Origins, answer: StreamEventsResponse) -> None:
        self.accepted += answer.accepted
        self.duplicates += answer.duplicates
        self.revision = answer.revision.token
        self.last_line = origins.lines[-1]
        for refused in answer.refused:
            refuse_record(self._refuse, origins, refused)

    def finish(self, timeout: float | None = None) -> None:
        """Waits until all that was sent is acknowledged."""
        try:
            if self._stream:
                self._stream.finish(timeout)
        finally:
            self.settle()

    def close(self) -> None:
        """Drops what is still on its way."""
        if self._stream:
            self._stream.cancel()


class UpdateSender:
    """Sends attribute updates in batches, one after the other so that the last value of a subject wins."""

    def __init__(self, connection: Connection, refuse: Refuse) -> None:
        self.accepted = self.refused_alone = 0
        self.revision = ""
        self._connection, self._refuse = connection, refuse
        self._worker = ThreadPoolExecutor(1, "attribute updates")
        self._under_way: deque[tuple[Origins, Future[SetAttributesResponse]]] = deque()
        self.batch = SetAttributesRequest(dataset=connection.dataset)
        self.origins = Origins()

    def flush(self) -> None:
        """Sends what is gathered; waits while too much is on its way."""
        if self.origins.lines:
            self._send(self.batch, self.origins)
            self.batch, self.origins = SetAttributesRequest(dataset=self._connection.dataset), Origins()
        while len(self._under_way) > UPDATES_IN_FLIGHT:
            self._settle_one()

    def _send(self, batch: SetAttributesRequest, origins: Origins) -> None:
        if batch.ByteSize() > MAX_BATCH_BYTES and len(origins.lines) > 1:
            middle = len(origins.lines) // 2
            for first, updates in ((True, batch.updates[:middle]), (False, batch.updates[middle:])):
                self._send(SetAttributesRequest(dataset=batch.dataset, updates=updates), origins.half(first))
            return
        batch.request_id = new_request_id()
        set_attributes = self._connection.services.profiles.SetAttributes
        self._under_way.append((origins, self._worker.submit(self._connection.call, set_attributes, batch)))

    def _settle_one(self) -> None:
        origins, future = self._under_way.popleft()
        answer = future.result()
        self.accepted += answer.accepted
        self.refused_alone += sum(origins.alone[refused.index] for refused in answer.refused)
        self.revision = answer.revision.token
        for refused in answer.refused:
            refuse_record(self._refuse, origins, refused)

    def finish(self) -> None:
        """Waits until all that was sent is acknowledged."""
        while self._under_way:
            self._settle_one()

    def close(self) -> None:
        """Drops what is still on its way."""
        self._worker.shutdown(wait=False, cancel_futures=True)


def refuse_record(refuse: Refuse, origins: Origins, refused: RecordError) -> None:
    """Passes on a record the server refused, with the row it comes from."""
    reason = ErrorReason.Name(refused.reason).removeprefix("ERROR_REASON_")
    # The server names the record by its index in the batch; here its line does.
    _, _, field_name = refused.field.partition("].")
    refuse(origins.lines[refused.index], reason, field_name, refused.message, origins.rows[refused.index])
