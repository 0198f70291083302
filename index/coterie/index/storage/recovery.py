"""Recovery: from a dataset's directory to a running engine, its journal and its store.

Loads the last snapshot and replays the journal's records after it through the same `apply` that wrote
them. Owns the directory's lock. Invariant: what comes back is what was acknowledged, or an error that names
the revision or the page that stands in the way.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from coterie.index.errors import (
    CoterieError,
    DataLoss,
    EtagMismatch,
    Exists,
    InputError,
    NotFound,
    PreconditionFailed,
    Unavailable,
)
from coterie.index.model import Record
from coterie.index.settings import Settings
from coterie.index.storage.environment import MAP_SIZE
from coterie.index.storage.journal import Journal
from coterie.index.storage.parts import Part
from coterie.index.storage.store import StateStore

JOURNAL_DIRECTORY: Final = "journal"
STATE_DIRECTORY: Final = "state"
_LOCK_FILE: Final = "lock"
_PROGRESS_EVERY: Final = 256  # records

# What a caller could do wrong; `apply` has raised it before and changed nothing then either.
_REFUSALS: Final = (InputError, NotFound, Exists, PreconditionFailed, EtagMismatch)

Progress = Callable[[int, int], None]


class Replayable(Protocol):
    """What recovery needs of an engine."""

    @property
    def now(self) -> int:
        """The time the engine stands at (ms)."""

    @property
    def revision(self) -> int:
        """The last revision applied."""

    def apply(self, record: Record) -> object:
        """Applies the next record."""

    def snapshot_parts(self) -> dict[str, Part]:
        """Returns the engine's parts by name; one of them restores its revision and time."""


E = TypeVar("E", bound=Replayable)


class DirectoryLock:
    """Keeps other processes out of a dataset's directory; the kernel lets go when the process ends."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise Unavailable(f"{path} is in use by another process", path=path) from error

    def release(self) -> None:
        """Lets others in."""
        os.close(self._file)


class Recovered(NamedTuple, Generic[E]):
    """A dataset come back after `replayed` records.

    `outdated`: another engine or tzdata version wrote the state, so what depends on calendars must be computed
    anew; if records were replayed, too, the store has a new origin, and revisions from before mean nothing.
    """

    engine: E
    journal: Journal
    store: StateStore
    lock: DirectoryLock
    replayed: int
    outdated: bool

    def close(self) -> None:
        """Closes the files and lets others in."""
        self.journal.close()
        self.store.close()
        self.lock.release()


def recover(
    path: Path,
    settings: Settings,
    make_engine: Callable[[Settings, StateStore], E],
    progress: Progress | None = None,
    map_size: int = MAP_SIZE,
    origin: str = "0",
) -> Recovered[E]:
    """Opens a dataset's directory (a new one: empty) and brings its engine back.

    `progress(done, total)` is told of records replayed; `origin`, drawn at random by the caller, names the line of
    revisions where one begins here: in a new directory, or where replay gave records another meaning. Raises
    FormatTooNew, DataLoss, Unavailable (in use, or a record that cannot be applied), StorageFull.
    """
    path = Path(path)
    lock = DirectoryLock(path)
    opened: list[StateStore | Journal] = []
    try:
        store = StateStore(path / STATE_DIRECTORY, map_size)
        opened.append(store)
        journal = Journal(path / JOURNAL_DIRECTORY, map_size)
        opened.append(journal)
        engine = make_engine(settings, store)
        _load(engine, store)
        replayed = _replay(engine, journal, progress)
        outdated = not store.header.is_current()
        if not store.header.origin or (outdated and replayed):
            # The header goes on naming the versions that wrote the pages, until the next snapshot.
            store.describe(replace(store.header, origin=origin))
    except BaseException:
        for files in opened:
            files.close()
        lock.release()
        raise
    return Recovered(engine, journal, store, lock, replayed, outdated)


def _load(engine: Replayable, store: StateStore) -> None:
    header = store.header
    if not header.generation:
        return
    for name, part in engine.snapshot_parts().items():
        part.load(store.pages(name))
    if (engine.revision, engine.now) != (header.revision, header.now):
        raise DataLoss("pages", f"revision {engine.revision} loaded, {header.revision} committed")


def _replay(engine: Replayable, journal: Journal, progress: Progress | None) -> int:
    start: int = engine.revision
    last = journal.last_revision
    if last < start:
        raise DataLoss("journal", f"it ends at revision {last}, before the snapshot's {start}")
    for record in journal.read(after=start):
        _apply(engine, record)
        done = record.revision - start
        if progress is not None and (done % _PROGRESS_EVERY == 0 or record.revision == last):
            progress(done, last - start)
    return last - start


def _apply(engine: Replayable, record: Record) -> None:
    try:
        engine.apply(record)
    except _REFUSALS:
        pass  # refused now as it was then, with nothing changed
    except CoterieError:
        raise
    except Exception as error:
        raise Unavailable(
            f"revision {record.revision} cannot be applied ({type(error).__name__}: {error});"
            f" `journal skip {record.revision}` leaves it out",
            revision=record.revision,
        ) from error
