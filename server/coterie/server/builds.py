"""Moves the builds of segments on, a step at a time, beside everything else.

Owns which activations have been asked for. Invariant: a step is about a millisecond of work and the loop is free
between two; a finished build is activated once, by a record.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from coterie.index.engine import Engine
from coterie.server.way import Way

_log = logging.getLogger("coterie.server")
_REST_S = 0.005  # between two looks at builds that wait for their activation


class Builder:
    """The background task that pumps an engine's builds."""

    def __init__(
        self, engine: Engine, rows: int, way: Way, activate: Callable[[str], None], fail: Callable[[str], None]
    ) -> None:
        self._engine, self._rows, self._way = engine, rows, way
        self._activate, self._fail = activate, fail
        self._activating: set[str] = set()
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, with whatever a restart left unfinished."""
        self._awake.set()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends; unfinished builds go on after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Looks for builds again: a record may have begun one."""
        self._awake.set()

    def activated(self, segment: str, done: asyncio.Future[Any]) -> None:
        """Notes the end of an activation; after a failed one (a full disk, say) it is asked for again."""
        if not done.cancelled():
            done.exception()
        self._activating.discard(segment)
        self.wake()

    async def settle(self) -> None:
        """Brings builds out of the middle of a crowded instant, so that a record may follow."""
        try:
            while not self._engine.settle_builds():
                await self._way.give()
        except Exception as error:  # noqa: BLE001 - as in `_run`
            self._failed(error)

    async def _run(self) -> None:
        try:
            while True:
                await self._awake.wait()
                worked = self._engine.step_builds(self._rows)
                builds = self._engine.builds()
                for build in builds:
                    if build.done and build.segment not in self._activating:
                        self._activating.add(build.segment)
                        self._activate(build.segment)
                if not builds:
                    self._awake.clear()
                await (self._way.give() if worked else asyncio.sleep(_REST_S))
        except Exception as error:  # noqa: BLE001 - a defect stops the dataset, not the server
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        _log.error("a build failed", exc_info=error)
        self._fail(f"the build of a segment failed ({type(error).__name__}: {error})")
