"""An engine with its journal and its store in a directory: what a server has, without the server.

Owns the files. Invariant: a record is durable before the engine sees it, so a crash at any moment loses none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from coterie.index.engine import Engine
from coterie.index.model import Record
from coterie.index.settings import Settings
from coterie.index.storage.recovery import Recovered, recover
from coterie.index.storage.snapshot import Job, Snapshot
from coterie.index.storage.store import StateStore

_MAP_SIZE = 1 << 28


class OnDisk:
    """One dataset's directory, open."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._jobs: Iterator[Job] | None = None  # of the snapshot under way
        self._recovered = self._recover()

    @property
    def engine(self) -> Engine:
        """The engine as recovered; it changes with every reopening."""
        return self._recovered.engine

    def append(self, record: Record) -> None:
        """Makes a record durable."""
        self._recovered.journal.append([record])

    def step_snapshot(self, jobs: int | None) -> None:
        """Goes on with the snapshot under way, or begins one, for so many jobs (None: to its end)."""
        if self._jobs is None:
            engine, store, journal = self.engine, self._recovered.store, self._recovered.journal
            self._jobs = Snapshot(store, journal, engine.snapshot_parts(), engine.revision, engine.now).jobs()
        done = 0
        while jobs is None or done < jobs:
            job = next(self._jobs, None)
            if job is None:
                self._jobs = None
                return
            job()
            done += 1

    @property
    def snapshot_running(self) -> bool:
        """Whether a snapshot has begun and not ended."""
        return self._jobs is not None

    def reopen(self) -> None:
        """Forgets everything in memory, also a snapshot half written, and starts again from the files."""
        self.close()
        self._recovered = self._recover()

    def close(self) -> None:
        """Closes the files without a word, as a crash would."""
        self._jobs = None
        self._recovered.close()

    def _recover(self) -> Recovered[Engine]:
        def make_engine(settings: Settings, store: StateStore) -> Engine:
            return Engine(settings, lookup=store, blocks=store)

        return recover(self._folder, self._settings, make_engine, map_size=_MAP_SIZE)
