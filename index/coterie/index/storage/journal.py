"""The journal: every record in order of revision, on disk before it is acknowledged.

Owns the LMDB environment `journal/`: database `frames` (revision, u64 big-endian -> frame, see `frames`),
`skipped` (the frames an operator took out, under the same keys) and `meta` (`format`, u32 little-endian;
`dropped`, the last revision dropped). Invariant: revisions have no gaps; what `append` returned from survives a crash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

import lmdb

from coterie.index.errors import CoterieError, DataLoss, FormatTooNew, StorageFull
from coterie.index.model import Record, Tick
from coterie.index.storage.environment import MAP_SIZE, check_room, domain_error, guarded, open_environment
from coterie.index.storage.frames import decode_frame, encode_frame, revision_key

JOURNAL_FORMAT: Final = 1

_NAME = "journal"
_FORMAT, _DROPPED = b"format", b"dropped"
_READ_AT_ONCE = 512  # frames of one read transaction, so that reading holds no old pages
_DROP_AT_ONCE = 10_000


class JournalLike(Protocol):
    """What the service needs of a journal; another store of ordered records can take its place."""

    @property
    def last_revision(self) -> int:
        """The newest revision stored (or stored once and dropped); 0 in a fresh journal."""

    def append(self, records: Sequence[Record]) -> None:
        """Stores records, all or none; after it returns they are durable. Called in a worker thread."""

    def read(self, after: int) -> Iterator[Record]:
        """Yields the records after a revision, in order."""

    def drop_through(self, revision: int) -> bool:
        """Drops some records up to a revision, which a snapshot now holds; tells whether any are left."""

    def close(self) -> None:
        """Lets go of the files."""


class MemoryJournal:
    """A journal that lasts as long as the process."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self.last_revision = 0

    def append(self, records: Sequence[Record]) -> None:
        """Stores records (see `JournalLike`)."""
        for record in records:
            _check_order(self.last_revision, record)
            self._records[record.revision] = record
            self.last_revision = record.revision

    def read(self, after: int) -> Iterator[Record]:
        """Yields the records after a revision (see `JournalLike`)."""
        for revision in range(after + 1, self.last_revision + 1):
            yield self._records[revision]

    def drop_through(self, revision: int) -> bool:
        """Drops records up to a revision (see `JournalLike`)."""
        for old in [held for held in self._records if held <= revision]:
            del self._records[old]
        return False

    def close(self) -> None:
        """Has nothing to let go of."""


class Journal:
    """The journal of one dataset directory."""

    def __init__(self, path: Path, map_size: int = MAP_SIZE) -> None:
        self._path = Path(path)
        self._map_size = map_size
        self._lock = Lock()  # no thread may use the environment while another reopens it
        self._broken = False
        self.last_revision = 0
        self._open()

    # ------------------------------------------------------------ writing

    def append(self, records: Sequence[Record]) -> None:
        """Stores records in one synced transaction, all or none; called in a worker thread.

        Raises StorageFull (nothing is stored; try again later) and Unavailable (nothing may be acknowledged; before
        the next append the environment is reopened and whatever it holds beyond the last success dropped).
        """
        if not records:
            return
        with self._lock:
            self._append(records)

    def _append(self, records: Sequence[Record]) -> None:
        if self._broken:
            self._reopen()
        previous = self.last_revision
        frames = []
        for record in records:
            _check_order(previous, record)
            frames.append((revision_key(record.revision), encode_frame(record)))
            previous = record.revision
        self._write(frames)
        self.last_revision = previous

    def drop_through(self, revision: int) -> bool:
        """Drops up to 10 000 records up to a revision, in a worker thread; tells whether any are left to drop."""

        def drop() -> bool:
            with self._environment.begin(db=self._frames, write=True) as transaction:
                cursor, last = transaction.cursor(), b""
                for _ in range(_DROP_AT_ONCE):
                    if not cursor.first() or int.from_bytes(cursor.key(), "big") > revision:
                        break
                    last = cursor.key()
                    cursor.delete()
                if last:
                    transaction.put(_DROPPED, last, db=self._meta)
                return cursor.first() and int.from_bytes(cursor.key(), "big") <= revision

        with self._lock:
            return guarded(_NAME, drop)

    def skip(self, revision: int, at: int | None = None) -> None:
        """Takes a record out of the way of a replay: a tick takes its place, its frame is kept aside.

        `at` is the tick's time; without it, that of the record, or of the nearest one that can be read.
        Raises DataLoss where the journal has no such revision, or no time to go by.
        """
        with self._environment.begin() as transaction:
            frame = transaction.get(revision_key(revision), db=self._frames)
        if frame is None:
            raise DataLoss(_NAME, f"revision {revision}: no such record")
        moment = self._time_near(revision) if at is None else at
        tick = encode_frame(Record(revision, moment, Tick()))

        def replace() -> None:
            with self._environment.begin(write=True) as transaction:
                transaction.put(revision_key(revision), frame, db=self._skipped)
                transaction.put(revision_key(revision), tick, db=self._frames)

        with self._lock:
            guarded(_NAME, replace)

    def close(self) -> None:
        """Closes the environment."""
        self._environment.close()

    # ------------------------------------------------------------ reading

    def read(self, after: int) -> Iterator[Record]:
        """Yields the records after a revision, in order; raises DataLoss for a damaged or missing one."""
        expected = after + 1
        while batch := self._read_batch(expected):
            for revision, frame in batch:
                if revision != expected:
                    raise DataLoss(_NAME, f"revision {expected}: missing")
                yield decode_frame(revision, frame)
                expected += 1

    def verify(self) -> Iterator[DataLoss | None]:
        """Checks every frame and the gaps between them: an error for each that is damaged, None for the others."""
        expected = self.first_revision
        while batch := self._read_batch(expected):
            for revision, frame in batch:
                if revision != expected:
                    yield DataLoss(_NAME, f"revision {expected}: missing")
                yield _problem(revision, frame)
                expected = revision + 1

    @property
    def first_revision(self) -> int:
        """The oldest revision stored; one past the last where nothing is."""
        with self._lock, self._environment.begin(db=self._frames) as transaction:
            cursor = transaction.cursor()
            return int.from_bytes(cursor.key(), "big") if cursor.first() else self.last_revision + 1

    @property
    def size_bytes(self) -> int:
        """Bytes of the file in use."""
        info, stat = self._environment.info(), self._environment.stat()
        return (info["last_pgno"] + 1) * stat["psize"]

    def _read_batch(self, start: int) -> list[tuple[int, bytes]]:
        def read() -> list[tuple[int, bytes]]:
            with self._environment.begin(db=self._frames) as transaction:
                cursor = transaction.cursor()
                batch: list[tuple[int, bytes]] = []
                found = cursor.set_range(revision_key(start))
                while found and len(batch) < _READ_AT_ONCE:
                    batch.append((int.from_bytes(cursor.key(), "big"), cursor.value()))
                    found = cursor.next()
                return batch

        with self._lock:
            return guarded(_NAME, read)

    # ------------------------------------------------------------ the environment

    def _open(self) -> None:
        self._environment = open_environment(self._path, databases=3, map_size=self._map_size)

        def databases() -> None:
            self._frames = self._environment.open_db(b"frames")
            self._skipped = self._environment.open_db(b"skipped")
            self._meta = self._environment.open_db(b"meta")
            with self._environment.begin(db=self._meta) as transaction:
                stored = transaction.get(_FORMAT)
            if stored is None:
                with self._environment.begin(db=self._meta, write=True) as transaction:
                    transaction.put(_FORMAT, JOURNAL_FORMAT.to_bytes(4, "little"))
            elif (found := int.from_bytes(stored, "little")) > JOURNAL_FORMAT:
                raise FormatTooNew(
                    f"the journal has format {found}; this version reads up to {JOURNAL_FORMAT}",
                    found=found,
                    supported=JOURNAL_FORMAT,
                )
            self.last_revision = self._read_last_revision()

        try:
            guarded(_NAME, databases)
        except CoterieError:
            self._environment.close()
            raise
        self._broken = False

    def _read_last_revision(self) -> int:
        with self._environment.begin() as transaction:
            cursor = transaction.cursor(db=self._frames)
            last = cursor.key() if cursor.last() else transaction.get(_DROPPED, db=self._meta, default=b"")
            return int.from_bytes(last, "big")

    def _reopen(self) -> None:
        """After a failure of unknown reach, brings the files back to what was acknowledged."""
        acknowledged = self.last_revision
        self._environment.close()
        self._open()
        if self.last_revision < acknowledged:
            self._broken, self.last_revision = True, acknowledged
            raise DataLoss(_NAME, f"revision {acknowledged}: missing, though it was acknowledged")
        self._broken = True
        guarded(_NAME, lambda: self._drop_after(acknowledged))
        self._broken, self.last_revision = False, acknowledged

    def _drop_after(self, revision: int) -> None:
        with self._environment.begin(db=self._frames, write=True) as transaction:
            cursor = transaction.cursor()
            while cursor.set_range(revision_key(revision + 1)):
                cursor.delete()

    def _write(self, frames: list[tuple[bytes, bytes]]) -> None:
        try:
            with self._environment.begin(db=self._frames, write=True) as transaction:
                check_room(_NAME, transaction, (self._frames, self._skipped, self._meta), self._map_size, frames)
                for key, frame in frames:
                    transaction.put(key, frame, append=True)
        except (lmdb.Error, OSError) as error:
            failure = domain_error(_NAME, error)
            self._broken = not isinstance(failure, StorageFull)
            raise failure from error

    def _time_near(self, revision: int) -> int:
        for candidate in (revision, revision - 1, revision + 1):
            with self._environment.begin(db=self._frames) as transaction:
                frame = transaction.get(revision_key(candidate))
            if frame is not None and _problem(candidate, frame) is None:
                return decode_frame(candidate, frame).at
        raise DataLoss(_NAME, f"revision {revision}: no time to go by near it; give one")


def _check_order(previous: int, record: Record) -> None:
    assert record.revision == previous + 1 or not previous, f"revision {record.revision} does not follow {previous}"


def _problem(revision: int, frame: bytes) -> DataLoss | None:
    try:
        decode_frame(revision, frame)
    except DataLoss as damage:
        return damage
    return None
