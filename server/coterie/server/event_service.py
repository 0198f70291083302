"""EventService: events in, acknowledged once they are durable and applied."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from coterie.index.errors import FieldInvalid, Unavailable
from coterie.server.batch import Batch
from coterie.server.binding import Context
from coterie.server.convert.answers import stamp_written, write_refusals
from coterie.server.service import Service
from coterie.v1 import event_service_pb2 as v1

_UnderWay = asyncio.Queue[Batch | None]


class EventService(Service):
    """Takes events."""

    async def ingest_events(self, request: v1.IngestEventsRequest, _context: Context) -> v1.IngestEventsResponse:
        """Takes a batch."""
        dataset = self._catalogue.get(request.dataset)

        async def work() -> v1.IngestEventsResponse:
            batch = Batch(dataset)
            await batch.read(request, self._settings.max_events_per_call)
            written = await batch.write()
            response = v1.IngestEventsResponse(accepted=written.accepted, duplicates=written.duplicates)
            stamp_written(dataset.tokens, written, response)
            write_refusals(written.refused, response.refused)
            return response

        return await self._once(dataset, request, work)

    async def stream_events(
        self, requests: AsyncIterator[v1.StreamEventsRequest], _context: Context
    ) -> AsyncIterator[v1.StreamEventsResponse]:
        """Takes batches as they come, in order, and reads no further than a few ahead of what is applied."""
        under_way: _UnderWay = asyncio.Queue(self._settings.stream_batches)
        reading = asyncio.create_task(self._read_batches(requests, under_way))
        try:
            number = 0
            while (batch := await under_way.get()) is not None:
                written = await batch.written()
                response = v1.StreamEventsResponse(
                    batch=number, accepted=written.accepted, duplicates=written.duplicates
                )
                stamp_written(batch.dataset.tokens, written, response)
                write_refusals(written.refused, response.refused)
                yield response
                number += 1
            await reading
        finally:
            reading.cancel()

    async def _read_batches(self, requests: AsyncIterator[v1.StreamEventsRequest], under_way: _UnderWay) -> None:
        """Reads batches until the caller or the server ends; what went wrong is raised after what was taken.

        Events that were read long before they are applied have left the processor's caches by then, which costs a
        fifth of the whole; so few are read ahead, whatever the number of batches they make.
        """
        name: str | None = None
        ahead: deque[Batch] = deque()
        try:
            while (request := await self._next(requests, name)) is not None:
                if name is None:
                    name = request.dataset
                elif request.dataset not in ("", name):
                    raise FieldInvalid("dataset", "cannot change within a stream")
                batch = Batch(self._catalogue.get(name))
                await batch.read(request, self._settings.max_events_per_call)
                await batch.submit()
                await under_way.put(batch)
                ahead.append(batch)
                while ahead and not ahead[0].waiting:
                    ahead.popleft()
                while sum(each.waiting for each in ahead) >= self._settings.stream_events:
                    await ahead.popleft().settled()
        finally:
            await under_way.put(None)

    async def _next(
        self, requests: AsyncIterator[v1.StreamEventsRequest], name: str | None
    ) -> v1.StreamEventsRequest | None:
        """Returns the next batch, None at the end; raises Unavailable when the server stops meanwhile."""
        dataset = self._catalogue.get(name or "")
        coming = asyncio.ensure_future(anext(requests, None))
        ending = asyncio.ensure_future(dataset.progress.ended())
        try:
            await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
            raise Unavailable("the server is stopping; what was acknowledged stays")
        finally:
            coming.cancel()
            ending.cancel()
