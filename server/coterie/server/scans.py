"""Scans of history that answer one call: how many at a time, and how they share the loop with everything else.

Owns the places. Invariants: a scan goes on step by step with the loop free in between; when its caller goes away, the
deadline passes or the dataset stops, it ends at its next step and its place is free.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from coterie.index.errors import ScansSaturated, Unavailable
from coterie.index.preview import Preview
from coterie.index.reconstruction import Reconstruction
from coterie.server.clock import Clock
from coterie.server.config import ServerSettings
from coterie.server.progress import Progress
from coterie.server.way import Way


class Scanned(NamedTuple):
    """How far a scan has come."""

    fraction: float
    events: int


class Scans:
    """The scans of one dataset."""

    def __init__(self, settings: ServerSettings, clock: Clock, way: Way, progress: Progress) -> None:
        self._settings, self._clock, self._way, self._progress = settings, clock, way, progress
        self.under_way = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Takes one of the places; ScansSaturated where there is none left."""
        most = self._settings.scans
        if self.under_way >= most:
            message = f"{most} calls are scanning history already; try again shortly"
            raise ScansSaturated(message, maximum=most)
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def steps(self, preview: Preview) -> AsyncIterator[Scanned]:
        """Scans to the end; yields how far it is, first at once and then at most every `scan_progress_ms`."""
        told_at: int | None = None
        while preview.step(self._settings.build_rows):
            now = self._clock.now()
            if told_at is None or now - told_at >= self._settings.scan_progress_ms:
                told_at = now
                yield Scanned(preview.progress, preview.scanned)
            await self._give_way()

    async def finish(self, reconstruction: Reconstruction) -> None:
        """Does all of the work of a reconstruction."""
        while reconstruction.step():
            await self._give_way()

    async def _give_way(self) -> None:
        await self._way.give()
        if self._progress.closed:
            raise Unavailable("the dataset is closing; the scan was given up")
