"""Snapshots without a pause: the state of all parts at one revision, written while life goes on.

`Snapshot.jobs` alternates between collecting pages on the engine's thread, about a millisecond at a time,
and write jobs for a worker thread. Invariants: all parts freeze in the same moment; nothing counts before
the one commit; records are dropped from the journal only after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, TypeAlias

from coterie.index.storage.header import Header
from coterie.index.storage.journal import JournalLike
from coterie.index.storage.parts import FOLD, Page, Part
from coterie.index.storage.store import StateStore

Job: TypeAlias = Callable[[], object]

_TRANSACTION_BYTES: Final = 4 << 20  # larger ones would stall the journal's own commits on the same disk
_COLLECT_BYTES: Final = 64 << 10  # collected between two looks at live work
_COLLECT_PAGES: Final = 16


class Snapshot:
    """One snapshot of the parts, as of the engine's revision and time: `jobs` is called before they change."""

    def __init__(
        self, store: StateStore, journal: JournalLike, parts: Mapping[str, Part], revision: int, now: int
    ) -> None:
        self._store = store
        self._journal = journal
        self._parts = dict(parts)
        self._folding: set[str] = set()  # parts with entries to fold
        self._open = False  # the parts are frozen
        self.revision = revision
        self.now = now
        self.written_bytes = 0
        self.committed = False

    def jobs(self) -> Iterator[Job]:
        """Freezes the parts, and returns jobs, each to be run to its end in a worker thread before the next is asked for.

        A job that raised is yielded again when the next is asked for, so that after StorageFull one can wait
        and go on; or, before `committed`, give up with `abandon`. The iterator runs on the engine's thread.
        """
        images = {name: part.begin() for name, part in self._parts.items()}
        self._open = True
        return self._jobs(images)

    def _jobs(self, images: Mapping[str, Iterator[Page]]) -> Iterator[Job]:
        yield from _until_done(self._store.begin)
        for batch in self._batches(images):
            if batch:
                yield from _until_done(partial(self._store.write, batch))
                self._store.renew()  # a reader keeps the room of what was replaced since it began
            else:
                yield _breathe
        yield from _until_done(self._commit)
        self.committed = True
        self._store.renew()
        self._end([name for name in self._parts if name not in self._folding])
        yield from self._tidy()
        self._open = False

    def abandon(self) -> None:
        """Gives the snapshot up, before its commit: what it has written is removed when the next one begins."""
        assert not self.committed, "a committed snapshot counts; its remaining jobs only tidy up"
        if self._open:
            self._open = False
            for part in self._parts.values():
                part.end(committed=False)

    def _commit(self) -> None:
        self._store.commit(Header(self._store.header.origin, revision=self.revision, now=self.now))

    def _batches(self, images: Mapping[str, Iterator[Page]]) -> Iterator[list[tuple[str, Page]]]:
        """Collects pages into transactions; an empty batch is a pause for live work."""
        batch: list[tuple[str, Page]] = []
        size = collected = 0
        for name, pages in images.items():
            for number, (page, content) in enumerate(pages, 1):
                if page.startswith(FOLD):
                    self._folding.add(name)
                batch.append((name, (page, content)))
                grown = len(content) if content is not None else 0
                size, collected = size + grown, collected + grown
                if size >= _TRANSACTION_BYTES:
                    self.written_bytes += size
                    yield batch
                    batch, size, collected = [], 0, 0
                elif collected >= _COLLECT_BYTES or number % _COLLECT_PAGES == 0:
                    collected = 0
                    yield []
        if batch:
            self.written_bytes += size
            yield batch

    def _tidy(self) -> Iterator[Job]:
        """Clears away what no longer counts, moves entries into the sorted databases, drops old records."""
        yield from _while_true(self._store.sweep)
        self._store.renew()
        for name in [name for name in self._parts if name in self._folding]:
            yield from _while_true(partial(self._store.fold, name))
            self._store.renew()
            self._end([name])
        yield from _while_true(partial(self._journal.drop_through, self.revision))

    def _end(self, names: list[str]) -> None:
        for name in names:
            self._parts[name].end(committed=True)


def run(snapshot: Snapshot) -> None:
    """Takes a snapshot at one go, on this thread; where it cannot be committed, it is abandoned."""
    try:
        for job in snapshot.jobs():
            job()
    except BaseException:
        if not snapshot.committed:
            snapshot.abandon()
        raise


def _until_done(work: Job) -> Iterator[Job]:
    """Yields the work until it has once run to its end."""
    results: list[object] = []
    while not results:
        yield lambda: results.append(work())


def _while_true(work: Callable[[], bool]) -> Iterator[Job]:
    """Yields the work until it has said that there is no more to do."""
    results = [True]
    while results[-1]:
        yield lambda: results.append(work())


def _breathe() -> None:
    """Does nothing, in another thread: meanwhile live work runs."""
