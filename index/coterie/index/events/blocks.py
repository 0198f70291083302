"""Sealed blocks: rows of history in the state store, one page a column, read when asked for.

Header page, key `b` + number (u64): msgpack [rows, first time, last time, bytes of a row, types, [[context, name, kind]]].
Column pages, key 0xff + number (u64) + page (u16), big-endian: an Arrow IPC stream of one column; page numbers
are `_Page`'s, then the header's columns in order; pages 7 and 8 are Roaring bitmaps. Columns that every query
reads are plain, the others zstd. Invariant: pages are written once, under a number never used again.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Any, Final, Protocol, TypeVar

import msgpack
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from coterie.index.errors import DataLoss
from coterie.index.events.columns import DenseIds, TypeCodes
from coterie.index.events.runs import Gathering
from coterie.index.events.sources import Cache, Hashes, Source
from coterie.index.events.stored import Column, ColumnKey, from_arrow
from coterie.index.model import SubjectKind, ValueKind
from coterie.index.views import Instants

ON_DEMAND: Final = b"\xff"  # pages that are not handed over when the state is loaded
_HEADER: Final = b"b"
_PAGE_KEY: Final = struct.Struct(">cQH")

T = TypeVar("T")


class BlockStore(Protocol):
    """Where sealed blocks are read from. The bytes stay valid for as long as they are referred to."""

    def read(self, part: str, page: bytes) -> bytes | None:
        """Returns the last committed version of a page, None where there is none; DataLoss for a damaged one."""
        ...


class KeptPages:
    """A store in memory, for history that has none."""

    def __init__(self) -> None:
        self._pages: dict[bytes, bytes] = {}

    def read(self, part: str, page: bytes) -> bytes | None:  # noqa: ARG002 - it keeps one part
        """Returns a page, None where there is none."""
        return self._pages.get(page)

    def write(self, page: bytes, data: bytes | None) -> None:
        """Keeps a page; None removes it."""
        if data is None:
            self._pages.pop(page, None)
        else:
            self._pages[page] = data

    @property
    def size_bytes(self) -> int:
        """Memory the pages take."""
        return sum(map(len, self._pages.values()))


class _Page(IntEnum):
    """The first pages of every block; the columns of properties and context follow in order of their keys."""

    TIMES = 1
    SEQUENCES = 2
    USERS = 3
    ACCOUNTS = 4
    TYPES = 5
    HASHES = 6
    USER_SET = 7
    ACCOUNT_SET = 8
    FIRST_COLUMN = 16


_SUBJECT_PAGES: Final = {
    SubjectKind.USER: (_Page.USERS, _Page.USER_SET),
    SubjectKind.ACCOUNT: (_Page.ACCOUNTS, _Page.ACCOUNT_SET),
}


def header_key(number: int) -> bytes:
    """Returns the key of a block's header page."""
    return _HEADER + number.to_bytes(8, "big")


def block_number(key: bytes) -> int:
    """Returns the number of the block whose header page has that key."""
    return int.from_bytes(key[len(_HEADER) :], "big")


def is_header(page_key: bytes) -> bool:
    """Returns whether a page is a block's header."""
    return page_key.startswith(_HEADER)


class Block(Source):
    """Rows in the state store."""

    def __init__(self, cache: Cache, store: BlockStore, part: str, block: int, header: bytes) -> None:
        rows, first, last, row_bytes, names, keys = msgpack.unpackb(header)
        held = tuple(ColumnKey(context, name, ValueKind(kind)) for context, name, kind in keys)
        super().__init__(cache, rows, first, last, held, row_bytes)
        self.block = block
        self._store, self._part_name = store, part
        self._type_names: list[str] = names
        self._pages = {key: _Page.FIRST_COLUMN + index for index, key in enumerate(held)}

    @property
    def type_names(self) -> frozenset[str]:
        """The event types that occur."""
        return frozenset(self._type_names)

    def page_keys(self) -> list[bytes]:
        """Returns the keys of all its pages."""
        pages: list[int] = [page for page in _Page if page is not _Page.FIRST_COLUMN]
        return [header_key(self.block), *(_page_key(self.block, page) for page in pages + list(self._pages.values()))]

    def _read(self, page: int) -> bytes:
        key = _page_key(self.block, page)
        data = self._store.read(self._part_name, key)
        if data is None:
            raise DataLoss(self._part_name, key.hex())
        return data

    def _part(self, page: int, decode: Callable[[bytes], T]) -> T:
        """A page's content, from the cache or the store."""

        def read() -> tuple[T, int]:
            data = self._read(page)
            return decode(data), len(data)

        return self.cache.get(self.number, page, read)

    @property
    def times(self) -> Instants:
        """Event times, ascending."""
        return self._part(_Page.TIMES, _array)

    @property
    def sequences(self) -> Instants:
        """Journal positions, ascending within one time."""
        return self._part(_Page.SEQUENCES, _array)

    @property
    def hashes(self) -> Hashes:
        """The low halves of the event ids' hashes; 0 for an event without an id."""
        return self._part(_Page.HASHES, _array)

    @property
    def types(self) -> tuple[TypeCodes, list[str]]:
        """Event types, as codes into names."""
        return self._part(_Page.TYPES, _array), self._type_names

    def subjects(self, kind: SubjectKind) -> DenseIds:
        """Returns the dense ids as written on arrival, 0 for none."""
        return self._part(_SUBJECT_PAGES[kind][0], _array)

    def may_hold(self, kind: SubjectKind, dense_ids: Iterable[int]) -> bool:
        """Returns whether any row is of one of these subjects."""
        held = self._part(_SUBJECT_PAGES[kind][1], BitMap.deserialize)
        return any(dense in held for dense in dense_ids)

    def holds_any(self, kind: SubjectKind, dense_ids: BitMap) -> bool:
        """Returns whether any row is of one of these subjects."""
        return bool(self._part(_SUBJECT_PAGES[kind][1], BitMap.deserialize).intersect(dense_ids))

    def column(self, key: ColumnKey) -> Column:
        """Returns the values of one key; not kept, since what reads it keeps what it makes of it."""
        return from_arrow(key.kind, _arrow(self._read(self._pages[key])))


def block_pages(number: int, rows: Gathering) -> Iterator[tuple[bytes, bytes]]:
    """Yields the pages of a new block with these rows, a column at a time, the header last."""
    times = rows.array(lambda source: source.times)
    yield _page_key(number, _Page.TIMES), _encode(pa.array(times))
    yield _page_key(number, _Page.SEQUENCES), _encode(pa.array(rows.array(lambda source: source.sequences)))
    for kind, (page, set_page) in _SUBJECT_PAGES.items():
        subjects = rows.subjects(kind)
        yield _page_key(number, page), _encode(pa.array(subjects))
        yield _page_key(number, set_page), _bitmap(subjects).serialize()
    type_codes, type_names = rows.types()
    yield _page_key(number, _Page.TYPES), _encode(pa.array(type_codes))
    yield _page_key(number, _Page.HASHES), _encode(pa.array(rows.array(lambda source: source.hashes)))
    keys: list[tuple[bool, str, int]] = []
    for key in rows.keys:
        column = rows.column(key).to_arrow()
        if column.null_count < len(column):  # else all rows with a value were left out
            yield _page_key(number, _Page.FIRST_COLUMN + len(keys)), _encode(column, _ZSTD)
            keys.append((key.context, key.name, int(key.kind)))
    header = (len(times), int(times[0]), int(times[-1]), rows.row_bytes, type_names, keys)
    yield header_key(number), msgpack.packb(header)


def _bitmap(dense_ids: DenseIds) -> BitMap:
    # Sorting first, and handing over an array instead of numpy's, is several times faster than BitMap(dense_ids).
    return BitMap(array("I", np.sort(dense_ids).tobytes()))


def _page_key(number: int, page: int) -> bytes:
    return _PAGE_KEY.pack(ON_DEMAND, number, page)


_ZSTD: Final = pa.ipc.IpcWriteOptions(compression="zstd")
_PLAIN: Final = pa.ipc.IpcWriteOptions()


def _encode(column: pa.Array, options: Any = _PLAIN) -> bytes:
    batch = pa.RecordBatch.from_arrays([column], names=["v"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def _arrow(data: bytes) -> pa.Array:
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_next_batch().column(0)


def _array(data: bytes) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = _arrow(data).to_numpy()
    return values
