"""The events of one call on their way from messages to an acknowledgement.

Owns which event of the call became which event of the writer's call: what could not be read is refused here, the rest
is written, and both are named by the caller's own indexes.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from google.protobuf.message import DecodeError

from coterie.index.model import Event, Refusal
from coterie.server.calls import Call, Written, reindexed
from coterie.server.convert.wire import malformed
from coterie.server.dataset import Dataset
from coterie.server.service import check_count

_SLICE = 250  # events read before other work has its turn: about a millisecond


class Batch:
    """The events of one call, on their way."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._events: list[Event] = []
        self._indexes: list[int] = []
        self._refused: list[Refusal] = []
        self._call: Call | None = None

    async def read(self, request: Any, most: int) -> None:
        """Reads the events of a request, a slice at a time."""
        messages = request.events
        check_count(messages, "events", "events in one call", most, least=1)
        read = self.dataset.events.read
        for first in range(0, len(messages), _SLICE):
            if first:
                await self.dataset.way.give()
            try:
                read(messages[first : first + _SLICE], first, self._events, self._indexes, self._refused)
            except DecodeError as error:  # a part that was left as bytes
                raise malformed(request.DESCRIPTOR.name) from error

    async def write(self) -> Written:
        """Writes what could be read; IngestSaturated where there is no room."""
        if not self._events:
            return self._nothing()
        self._call = Call(self._events)
        await self.dataset.writer.write(self._call)
        return await self.written()

    async def submit(self) -> None:
        """Puts the batch into the writer's queue, as soon as there is room."""
        if not self._events:
            return
        writer = self.dataset.writer
        while not writer.has_room(len(self._events)):
            await self.dataset.progress.past(self.dataset.progress.revision, 1.0)
        self._call = Call(self._events)
        writer.submit(self._call)

    @property
    def waiting(self) -> int:
        """How many events wait to be written and applied."""
        return 0 if self._call is None or self._call.done.done() else self._call.weight

    async def settled(self) -> None:
        """Waits until the batch is applied or has failed."""
        if self._call is not None:
            await asyncio.wait((self._call.done,))

    async def written(self) -> Written:
        """Waits until the batch is applied, and names what was refused by the caller's own indexes."""
        if self._call is None:
            return self._nothing()
        written = await asyncio.shield(self._call.done)
        applied = [reindexed(refusal, self._indexes[refusal.index]) for refusal in written.refused]
        return replace(written, refused=sorted(self._refused + applied, key=lambda refusal: refusal.index))

    def _nothing(self) -> Written:
        engine = self.dataset.engine
        return Written(engine.revision, engine.now, refused=self._refused)
