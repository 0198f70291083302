"""When snapshots are taken, and how they run beside live work.

Owns the one snapshot under way. Each step collects a few pages on the event loop (about a millisecond) and writes
them in a worker thread. Invariant: at most one snapshot runs, none begins in the middle of a sweep, and a failed one
leaves the one before in force.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from coterie.index.engine import Engine
from coterie.index.errors import CoterieError, StorageFull, Unavailable
from coterie.index.model import Outcome
from coterie.index.storage.journal import Journal
from coterie.index.storage.snapshot import Snapshot
from coterie.index.storage.store import StateStore
from coterie.server.clock import Clock
from coterie.server.config import ServerSettings
from coterie.server.way import Way

_SIZE_EVERY = 1_000  # records
_log = logging.getLogger("coterie.server")


@dataclass(frozen=True, slots=True)
class Taken:
    """A finished snapshot."""

    revision: int
    now: int
    duration_ms: int
    written_bytes: int


class Snapshots:
    """Takes the snapshots of one dataset."""

    def __init__(
        self, engine: Engine, journal: Journal, store: StateStore, settings: ServerSettings, clock: Clock, way: Way
    ) -> None:
        self._engine, self._journal, self._store = engine, journal, store
        self._settings, self._clock, self._way = settings, clock, way
        self._events = self._records = 0
        self._size_before = journal.size_bytes  # its file keeps its size when records are dropped
        self._running: asyncio.Task[Taken] | None = None
        self._moved = asyncio.Event()  # a record was applied
        self._stopping = False
        self.last: Taken | None = None

    def applied(self, outcome: Outcome) -> None:
        """Counts what a snapshot would save from being replayed, and starts one when it is worth it."""
        self._events += 1 + outcome.accepted
        self._records += 1
        self._moved.set()
        if self._events >= self._settings.snapshot_events or (
            # Asked seldom: it costs a system call.
            self._records % _SIZE_EVERY == 0
            and self._journal.size_bytes - self._size_before >= self._settings.snapshot_bytes
        ):
            self._start()

    async def take(self) -> Taken:
        """Takes a snapshot that shows at least everything applied by now."""
        if self._running is not None:
            await asyncio.wait([self._running])
        return await asyncio.shield(self._start())

    async def stop(self, *, take_last: bool) -> None:
        """Lets the one under way finish; takes a last one where anything happened since."""
        self._stopping = True
        self._moved.set()
        if self._running is not None:
            await asyncio.wait([self._running])
        if self._engine.sweeping:
            _log.warning("no last snapshot in the middle of a sweep: the next start replays the journal instead")
        elif take_last and self._events:
            try:
                await self.take()
            except CoterieError:
                _log.warning("no last snapshot: the next start replays the journal instead")

    def _start(self) -> asyncio.Task[Taken]:
        if self._running is None:
            self._events = self._records = 0
            self._size_before = self._journal.size_bytes
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(self._finished)
        return self._running

    async def _run(self) -> Taken:
        began = self._clock.now()
        engine = self._engine
        await self._between_instants()
        snapshot = Snapshot(self._store, self._journal, engine.snapshot_parts(), engine.revision, engine.now)
        failed: CoterieError | None = None
        try:
            for job in snapshot.jobs():
                if failed is not None:
                    await self._wait_for_room(failed)
                    failed = None
                try:
                    await asyncio.to_thread(job)
                except CoterieError as error:
                    failed = error  # the same job comes again
                await asyncio.sleep(self._settings.snapshot_pause_ms / 1000)
        except BaseException:
            if not snapshot.committed:
                snapshot.abandon()
            raise
        return Taken(snapshot.revision, snapshot.now, self._clock.now() - began, snapshot.written_bytes)

    async def _between_instants(self) -> None:
        """Waits until no sweep and no build is in the middle of an instant: there is no half of one on disk."""
        while self._engine.sweeping or not self._engine.settle_builds():
            if not self._engine.sweeping:
                await self._way.give()
                continue
            if self._stopping:
                raise Unavailable("the server is stopping in the middle of a sweep")
            self._moved.clear()
            await self._moved.wait()

    async def _wait_for_room(self, error: CoterieError) -> None:
        """Waits on a full disk; raises any other failure, and when the server stops."""
        if not isinstance(error, StorageFull) or self._stopping:
            raise error
        _log.warning("a snapshot waits: %s", error.message)
        await asyncio.sleep(self._settings.storage_retry_ms / 1000)

    def _finished(self, task: asyncio.Task[Taken]) -> None:
        self._running = None
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.last = task.result()
        else:
            _log.error("a snapshot failed; the one before stays in force", exc_info=error)
