"""Joins and leaves as they come in, gathered in a thread of their own.

Owns the watch and what came out of it. Invariant: `net` and `revision` belong together: the sums are those of all
changes up to and including that revision, once the watch has told it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque

from coterie.client import Change, Client, CoterieError
from coterie.client.types import Acknowledged

_RECENT = 2_000
_PROGRESS_MS = 200
_POLL_SECONDS = 0.02


class Follower:
    """Follows all segments of a dataset from one revision on, across restarts of the server."""

    def __init__(self, client: Client, since: Acknowledged | str) -> None:
        self.joined: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.recent: deque[Change] = deque(maxlen=_RECENT)
        self.error: CoterieError | None = None
        self._watch = client.watch(since=since, progress_ms=_PROGRESS_MS)
        self._thread = threading.Thread(target=self._follow, name="joins and leaves", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            for seen in self._watch:
                if isinstance(seen, Change):
                    (self.joined if seen.joined else self.left)[seen.segment] += 1
                    self.causes[seen.cause] += 1
                    self.recent.append(seen)
        except CoterieError as error:
            self.error = error

    def newest(self, count: int) -> list[Change]:
        """The newest changes, the newest last."""
        return list(self.recent)[-count:]

    def net(self, segment: str) -> int:
        """How many more joined than left."""
        return self.joined[segment] - self.left[segment]

    def reaches(self, revision: str, seconds: float) -> bool:
        """Waits until everything up to exactly this revision has come in; False if it has not in that time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.error is None:
            if self._watch.revision == revision:
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def close(self) -> None:
        """Ends the watch."""
        self._watch.close()
        self._thread.join(5.0)
