"""The state store: what the last committed snapshot says, in one LMDB environment (`state/`).

Owns the databases `pages`, `identifiers`, `subjects` and `meta`. Pages lie under (part, page, generation);
the newest generation not above the committed one counts, and only a commit, one small transaction, moves
that. Invariant: whatever a snapshot has written before its commit is invisible, and removed when it is abandoned.

Byte layouts: every value begins with the CRC-32 (u32 little-endian) of its key and what follows. A page's
key is the part's name, 00, the page key with each 00 written as 00 ff, 00 01 and the generation (u64 big-endian);
its value a flag (1: page follows, 0: page removed) and the page. Of `meta`, `header` is the msgpack map of
`Header`, and `unclean` is there while pages may lie about that no longer count, or never did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import lmdb

from coterie.index.errors import CoterieError, DataLoss
from coterie.index.storage.environment import (
    MAP_SIZE,
    MAX_KEY_BYTES,
    check_room,
    domain_error,
    guarded,
    open_environment,
)
from coterie.index.storage.header import Header, pack_header, unpack_header
from coterie.index.storage.parts import FOLD, MAX_PAGE_KEY_BYTES, ON_DEMAND, Page, unfold_page

SORTED: Final = ("identifiers", "subjects")  # databases that `FOLD` pages are moved into

_NAME = "state"
_PAGES, _META = "pages", "meta"
_HEADER, _UNCLEAN = b"header", b"unclean"
_HELD, _REMOVED = b"\1", b"\0"
_CRC_BYTES = 4
_GENERATION_BYTES = 8
_READ_BYTES = 4 << 20  # about what one read transaction of a scan hands out
_SWEPT_AT_ONCE = 10_000
_FOLDED_AT_ONCE = 16  # pages of some hundred entries
_END = b"\0\1"


class StateStore:
    """The snapshot store of one dataset directory; one writer thread at a time, reads on the engine's thread."""

    def __init__(self, path: Path, map_size: int = MAP_SIZE) -> None:
        self._map_size = map_size
        self._environment = open_environment(Path(path), databases=len(SORTED) + 2, map_size=map_size)
        try:
            guarded(_NAME, self._open_databases)
        except CoterieError:
            self._environment.close()
            raise
        self._reader = self._environment.begin()
        self._visible = self.header.generation  # to `read`, until the engine's thread renews

    def _open_databases(self) -> None:
        self._databases = {name: self._environment.open_db(name.encode()) for name in (_PAGES, _META, *SORTED)}
        self.header = self._read_header()
        self._writing = self.header.generation  # the generation being written; the committed one while none is
        with self._environment.begin(db=self._databases[_META]) as transaction:
            self.unclean = transaction.get(_UNCLEAN) is not None

    # ------------------------------------------------------------ reading

    def lookup(self, database: str, key: bytes) -> bytes | None:
        """Returns the value under a key of a sorted database (see `Lookup`)."""
        try:
            value = self._reader.get(key, db=self._databases[database])
        except lmdb.Error as error:
            raise domain_error(_NAME, error) from error
        return None if value is None else _checked(database, key, value)

    def lookup_many(self, database: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Returns the values under those keys of a sorted database that it has."""
        cursor = self._reader.cursor(db=self._databases[database])
        found = guarded(_NAME, lambda: cursor.getmulti(keys))
        return {key: _checked(database, key, value) for key, value in found}

    def read(self, part: str, page: bytes) -> bytes | None:
        """Returns the committed version of a page (see `PageReader`)."""
        prefix = _prefix(part, page)

        def read() -> tuple[bytes, bytes] | None:
            cursor = self._reader.cursor(db=self._databases[_PAGES])
            # From just past the committed generation, one step back.
            found = cursor.set_range(prefix + _generation_key(self._visible + 1))
            there = cursor.prev() if found else cursor.last()
            return cursor.item() if there and cursor.key()[:-_GENERATION_BYTES] == prefix else None

        item = guarded(_NAME, read)
        return None if item is None else _page_of(*item)

    def pages(self, part: str) -> Iterator[tuple[bytes, bytes]]:
        """Yields the committed pages of a part, in order of their keys, without those read on demand."""
        for page, key, value in self._committed(part, b""):
            if page.startswith(ON_DEMAND):
                return
            content = _page_of(key, value)
            if content is not None:
                yield page, content

    def renew(self) -> None:
        """Lets lookups and reads see what was committed meanwhile; on the engine's thread, which so chooses when."""
        self._reader.abort()
        self._reader = self._environment.begin()
        self._visible = self.header.generation

    @property
    def size_bytes(self) -> int:
        """Bytes of the file in use."""
        info, stat = self._environment.info(), self._environment.stat()
        return (info["last_pgno"] + 1) * stat["psize"]

    def verify(self) -> Iterator[DataLoss | None]:
        """Checks every value of every database: an error for each that is damaged, None for the others."""
        for name in self._databases:
            for key, value in self._scan_all(name, b""):
                yield _problem(name, key, value)

    def close(self) -> None:
        """Closes the environment."""
        self._reader.abort()
        self._environment.close()

    # ------------------------------------------------------------ writing a snapshot, in a worker thread

    def begin(self) -> None:
        """Begins a generation, after clearing away what an abandoned one left."""
        while self.unclean and self.sweep():
            pass
        self._write(lambda transaction: _put(transaction, self._databases[_META], _UNCLEAN, b""))
        self.unclean = True
        self._writing = self.header.generation + 1

    def write(self, pages: Iterable[tuple[str, Page]]) -> None:
        """Writes (part, page) of the generation begun, in one transaction; invisible until the commit."""
        assert self._writing > self.header.generation, "a generation is being written"

        entries = [self._entry(part, page, content) for part, (page, content) in pages]

        def write(transaction: lmdb.Transaction) -> None:
            check_room(_NAME, transaction, self._databases.values(), self._map_size, entries)
            for key, value in entries:
                transaction.put(key, value, db=self._databases[_PAGES])

        self._write(write)

    def _entry(self, part: str, page: bytes, content: bytes | None) -> tuple[bytes, bytes]:
        assert len(page) <= MAX_PAGE_KEY_BYTES, "page keys are short"
        key = _prefix(part, page) + _generation_key(self._writing)
        return key, _sealed(key, _REMOVED if content is None else _HELD + content)

    def commit(self, header: Header) -> None:
        """Makes the generation begun the one that counts, described by a header (whose generation is set here)."""
        committed = header.of_generation(self._writing)
        packed = pack_header(committed)
        self._write(lambda transaction: _put(transaction, self._databases[_META], _HEADER, packed))
        self.header = committed

    def describe(self, header: Header) -> None:
        """Rewrites what is said of the committed generation."""
        assert self._writing == self.header.generation, "no generation is being written"
        self.commit(header)

    def fold(self, part: str) -> bool:
        """Moves some pages of entries into the sorted databases, in order; tells whether there were any.

        Only after a sweep: of an entry page that was moved, no older version may come to light.
        """
        assert not self.unclean, "the store has been swept"
        pages = list(islice(self._committed(part, FOLD), _FOLDED_AT_ONCE))
        pages = [page for page in pages if page[0].startswith(FOLD)]
        if pages:
            self._write(lambda transaction: self._fold(transaction, pages))
        return bool(pages)

    def sweep(self) -> bool:
        """Deletes some pages that no longer count, or never did; tells whether there may be more.

        What was written since `begin` and not committed is among them: the generation is abandoned.
        """
        self._writing = self.header.generation
        obsolete = list(islice(self._obsolete(), _SWEPT_AT_ONCE))
        if obsolete:
            self._write(lambda transaction: _delete(transaction, self._databases[_PAGES], obsolete))
        if len(obsolete) == _SWEPT_AT_ONCE:
            return True
        self._write(lambda transaction: _delete(transaction, self._databases[_META], [_UNCLEAN]))
        self.unclean = False
        return False

    def _fold(self, transaction: lmdb.Transaction, pages: list[tuple[bytes, bytes, bytes]]) -> None:
        latest: dict[str, dict[bytes, bytes | None]] = {name: {} for name in SORTED}
        for _, key, packed in pages:
            page = _page_of(key, packed)
            for name, entry, value in unfold_page(page) if page else ():
                latest[name][entry] = value
            transaction.delete(key, db=self._databases[_PAGES])
        for name, entries in latest.items():
            database = self._databases[name]
            _delete(transaction, database, [entry for entry, value in entries.items() if value is None])
            held = [(entry, _sealed(entry, value)) for entry, value in sorted(entries.items()) if value is not None]
            transaction.cursor(db=database).putmulti(held)

    def _write(self, work: Callable[[lmdb.Transaction], None]) -> None:
        def write() -> None:
            with self._environment.begin(write=True) as transaction:
                work(transaction)

        guarded(_NAME, write)

    # ------------------------------------------------------------ scanning

    def _read_header(self) -> Header:
        """Reads the header; a fresh store has one that was never written."""
        with self._environment.begin(db=self._databases[_META]) as transaction:
            packed = transaction.get(_HEADER)
        return Header(origin="") if packed is None else unpack_header(_checked(_META, _HEADER, packed))

    def _committed(self, part: str, first: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yields (page key, key, value) of the versions that count, from a page key on."""
        prefix = _part_prefix(part)
        newest: tuple[bytes, bytes, bytes] | None = None
        for key, value in self._scan_all(_PAGES, prefix + _escaped(first)):
            if not key.startswith(prefix):
                break
            page, generation = _split(key, prefix)
            if newest is not None and newest[0] != page:
                yield newest
                newest = None
            if generation <= self.header.generation:
                newest = page, key, value
        if newest is not None:
            yield newest

    def _obsolete(self) -> Iterator[bytes]:
        """Yields the keys of page versions that do not count, and of removals, after what they remove."""
        with self._environment.begin(db=self._databases[_PAGES], buffers=True) as transaction:
            before: tuple[bytes, bytes, bool] | None = None  # (page's prefix, key, is a removal)
            for buffer, value in transaction.cursor():
                key = bytes(buffer)
                prefix, generation = key[:-_GENERATION_BYTES], int.from_bytes(key[-_GENERATION_BYTES:], "big")
                if generation > self.header.generation:
                    yield key
                    continue
                if before is not None and (before[0] == prefix or before[2]):
                    yield before[1]
                # The length first: a long value's bytes lie on pages of their own, perhaps not in memory.
                removal = len(value) == _CRC_BYTES + 1 and bytes(value[_CRC_BYTES:]) == _REMOVED
                before = prefix, key, removal
            if before is not None and before[2]:
                yield before[1]

    def _scan_all(self, database: str, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        while batch := self._scan(database, start):
            yield from batch
            start = batch[-1][0] + b"\0"

    def _scan(self, database: str, start: bytes) -> list[tuple[bytes, bytes]]:
        """Returns entries from a key on, about 4 MB of them, through a transaction of its own."""

        def scan() -> list[tuple[bytes, bytes]]:
            with self._environment.begin(db=self._databases[database]) as transaction:
                cursor, entries, size = transaction.cursor(), [], 0
                found = cursor.set_range(start)
                while found and size < _READ_BYTES:
                    key, value = cursor.item()
                    entries.append((key, value))
                    size += len(key) + len(value)
                    found = cursor.next()
                return entries

        return guarded(_NAME, scan)


# ---------------------------------------------------------------- keys and values


def _escaped(page: bytes) -> bytes:
    """Returns a page key so that what follows it cannot be taken for more of it; order is kept."""
    return page.replace(b"\0", b"\0\xff")


def _part_prefix(part: str) -> bytes:
    return part.encode() + b"\0"


def _prefix(part: str, page: bytes) -> bytes:
    return _part_prefix(part) + _escaped(page) + _END


def _split(key: bytes, part_prefix: bytes) -> tuple[bytes, int]:
    page = key[len(part_prefix) : -_GENERATION_BYTES - len(_END)].replace(b"\0\xff", b"\0")
    return page, int.from_bytes(key[-_GENERATION_BYTES:], "big")


def _generation_key(generation: int) -> bytes:
    return generation.to_bytes(_GENERATION_BYTES, "big")


def _put(transaction: lmdb.Transaction, database: Any, key: bytes, content: bytes) -> None:
    transaction.put(key, _sealed(key, content), db=database)


def _delete(transaction: lmdb.Transaction, database: Any, keys: list[bytes]) -> None:
    for key in keys:
        transaction.delete(key, db=database)


def _sealed(key: bytes, content: bytes) -> bytes:
    assert len(key) <= MAX_KEY_BYTES, "keys are short"
    return _checksum(key, content) + content


def _checksum(key: bytes, content: bytes) -> bytes:
    return crc32(content, crc32(key)).to_bytes(_CRC_BYTES, "little")


def _checked(database: str, key: bytes, value: bytes) -> bytes:
    content = value[_CRC_BYTES:]
    if _checksum(key, content) != value[:_CRC_BYTES]:
        raise DataLoss(database, _readable(key))
    return content


def _page_of(key: bytes, value: bytes) -> bytes | None:
    content = _checked(_PAGES, key, value)
    return content[1:] if content[:1] == _HELD else None


def _readable(key: bytes) -> str:
    """Returns a key as text: what can be printed, the rest in hexadecimal escapes."""
    return repr(key)[2:-1]


def _problem(database: str, key: bytes, value: bytes) -> DataLoss | None:
    try:
        _checked(database, key, value)
    except DataLoss as damage:
        return damage
    return None
