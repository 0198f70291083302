"""How far a dataset has come, for those who wait: readers of a revision, and watchers.

Owns the running total of membership changes, by which a watcher's distance is measured without keeping anything
for it; a record, or an instant that time moves in parts, counts only up to a limit there, since nobody is slow for
being told of one mass movement. Invariant: whoever waits is woken once the revision it waits for is applied, not before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from coterie.index.model import Cause, Change, ChangeEntry, Outcome


class Progress:
    """The newest applied revision, as something to wait for."""

    def __init__(self, revision: int, most_per_movement: int) -> None:
        self.revision = revision
        self.members_changed = 0  # joins and leaves since the start, of one movement at most `most_per_movement`
        self._most_per_movement = most_per_movement
        self._instant, self._counted = -1, 0  # the instant time moved last, and what was counted of it
        self.closed = False
        self._ended = asyncio.Event()
        self._moved: asyncio.Event | None = None  # made by the first who waits

    def advance(self, outcome: Outcome) -> None:
        """Notes an applied record and wakes those who wait."""
        self.revision = outcome.revision
        if outcome.changes:
            self._count(outcome.changes)
        self._wake()

    def _count(self, changes: Sequence[ChangeEntry]) -> None:
        by_time = all(isinstance(entry, Change) and entry.cause is Cause.TIME for entry in changes)
        if not by_time or changes[0].at != self._instant:  # otherwise one more part of the same movement
            self._counted = 0
        self._instant = changes[0].at if by_time else -1
        changed = sum(len(e.joined) + len(e.left) for e in changes if isinstance(e, Change))
        changed = min(changed, self._most_per_movement - self._counted)
        self._counted += changed
        self.members_changed += changed

    def close(self) -> None:
        """Wakes everybody for the last time: the server stops, or the dataset goes."""
        self.closed = True
        self._ended.set()
        self._wake()

    async def ended(self) -> None:
        """Waits for the close."""
        await self._ended.wait()

    async def past(self, revision: int, timeout_s: float | None) -> bool:
        """Waits for a revision greater than the one given; False when the time is up or all is over."""
        loop = asyncio.get_running_loop()
        end = None if timeout_s is None else loop.time() + timeout_s
        while self.revision <= revision and not self.closed:
            if self._moved is None:
                self._moved = asyncio.Event()
            moved, rest = self._moved, None if end is None else end - loop.time()
            if rest is not None and rest <= 0:
                return False
            try:
                await asyncio.wait_for(moved.wait(), rest)
            except TimeoutError:
                return self.revision > revision
        return self.revision > revision

    def _wake(self) -> None:
        if self._moved is not None:
            self._moved.set()
            self._moved = None
