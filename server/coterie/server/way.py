"""Giving way: how long work, cut into steps, shares the event loop with calls that arrive meanwhile.

gRPC brings a call to its handler in several turns of the loop with real time between them, so a loop that is merely
free for a turn or two after each step lets a call wait for many steps. Owns which calls are on their way to their
handlers. Invariants: after `_WORK_S` of steps comes a rest, whoever did them; a call that arrives meanwhile reaches
its handler in that rest, unless more arrive than `_MOST_S` is enough for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

_TURNS = 8  # from a message in the socket to a call that is known to be arriving
_WORK_S = 0.0003  # steps shorter than this share a rest
_MOST_S = 0.0005  # for calls on their way; half to a quarter of a step


class Way:
    """Shared by everything that works on one loop in steps: awaited with `give` after each."""

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        self._now = now
        self._rested_at = now()
        self._arriving: set[asyncio.Task[Any] | None] = set()  # the tasks of the calls
        self._resting = asyncio.Lock()

    @property
    def awaited(self) -> int:
        """How many calls have begun that have not reached their handlers."""
        return len(self._arriving)

    def arriving(self) -> None:
        """Notes that the call of this task has begun; its message is still to be read."""
        self._arriving.add(asyncio.current_task())

    def arrived(self) -> None:
        """Notes that the call of this task has reached its handler."""
        self._arriving.discard(asyncio.current_task())

    async def give(self) -> None:
        """Rests after a step, until the calls that arrived meanwhile have reached their handlers."""
        if self._now() - self._rested_at < _WORK_S:
            await asyncio.sleep(0)
            return
        async with self._resting:
            for _ in range(_TURNS):
                await _turn()
            if self._arriving:
                await self._wait()
            self._rested_at = self._now()

    async def _wait(self) -> None:
        end = self._now() + _MOST_S
        while self._arriving and self._now() < end:
            await _turn()
        if self._arriving:
            # Those whose callers went away before their message was there never arrive.
            self._arriving = {task for task in self._arriving if task is not None and not task.done()}


async def _turn() -> None:
    # A loop that is never idle keeps its processor for a whole time slice: gRPC's threads, woken on the same one, would
    # wait some milliseconds for it although they need microseconds.
    os.sched_yield()
    await asyncio.sleep(0)
