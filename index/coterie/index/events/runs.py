"""Runs: a few thousand rows of history in memory, as columns, made of arrivals or of other sources.

`Gathering` puts rows of several sources in order, column by column, for larger runs and for sealed blocks.
Invariant: rows of one run are ascending by (time, sequence), whatever order they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap
from xxhash import xxh3_128_digest

from coterie.index.events.columns import Arrival, DenseIds, TypeCodes, different
from coterie.index.events.sources import Cache, Hashes, Source
from coterie.index.events.stored import Column, ColumnKey, column_of, concatenate, narrow
from coterie.index.model import SubjectKind, Value, kind_of
from coterie.index.views import Instants

Slice: TypeAlias = tuple[Source, int, int]  # rows [start, stop) of a source
Erased: TypeAlias = "dict[SubjectKind, BitMap]"
# Which of some rows, given as sequences and types, need not be kept.
Gone: TypeAlias = "Callable[[Instants, TypeCodes, list[str]], npt.NDArray[np.bool_]]"


@dataclass(slots=True)
class Fixed:
    """The columns that every row has."""

    times: Instants
    sequences: Instants
    users: DenseIds
    accounts: DenseIds
    type_codes: TypeCodes
    type_names: list[str]
    hashes: Hashes

    @property
    def size_bytes(self) -> int:
        """Memory the columns take."""
        arrays = (self.times, self.sequences, self.users, self.accounts, self.type_codes, self.hashes)
        return sum(array.nbytes for array in arrays)


class Run(Source):
    """Rows in memory."""

    def __init__(self, cache: Cache, fixed: Fixed, columns: dict[ColumnKey, Column]) -> None:
        rows, first, last = len(fixed.times), int(fixed.times[0]), int(fixed.times[-1])
        self.size_bytes = fixed.size_bytes + sum(column.size_bytes for column in columns.values())
        super().__init__(cache, rows, first, last, tuple(sorted(columns)), self.size_bytes // rows)
        self._fixed, self._columns = fixed, columns

    @property
    def times(self) -> Instants:
        """Event times, ascending."""
        return self._fixed.times

    @property
    def sequences(self) -> Instants:
        """Journal positions, ascending within one time."""
        return self._fixed.sequences

    @property
    def hashes(self) -> Hashes:
        """The low halves of the event ids' hashes; 0 for an event without an id."""
        return self._fixed.hashes

    @property
    def types(self) -> tuple[TypeCodes, list[str]]:
        """Event types, as codes into names."""
        return self._fixed.type_codes, self._fixed.type_names

    def subjects(self, kind: SubjectKind) -> DenseIds:
        """Returns the dense ids as written on arrival, 0 for none."""
        return self._fixed.users if kind is SubjectKind.USER else self._fixed.accounts

    def may_hold(self, kind: SubjectKind, dense_ids: Iterable[int]) -> bool:  # noqa: ARG002 - a look at the rows costs less
        """Returns True."""
        return True

    def column(self, key: ColumnKey) -> Column:
        """Returns the values of one key."""
        return self._columns[key]


# ---------------------------------------------------------------- from arrivals


def run_of(cache: Cache, arrivals: Sequence[Arrival]) -> Run:
    """Returns a run of arrivals, which are in order of (time, sequence) and at least one."""
    times, sequences, users, accounts, events = zip(*arrivals, strict=True)
    types = [event[1] for event in events]
    codes = {name: code for code, name in enumerate(dict.fromkeys(types))}
    fixed = Fixed(
        np.array(times, dtype=np.int64),
        np.array(sequences, dtype=np.int64),
        np.array(users, dtype=np.uint32),
        np.array(accounts, dtype=np.uint32),
        narrow(np.fromiter(map(codes.__getitem__, types), np.int32, len(types)), len(codes)),
        list(codes),
        _hashes([event[0] for event in events]),
    )
    columns: dict[ColumnKey, Column] = {}
    _add_columns(columns, context=False, bags=[event[5] for event in events])
    contexts, rows = different([event[6] for event in events])
    if rows is None:
        _add_columns(columns, context=True, bags=contexts)
    else:
        held: dict[ColumnKey, Column] = {}
        _add_columns(held, context=True, bags=contexts)
        columns |= {key: column.take(rows) for key, column in held.items()}
    return Run(cache, fixed, columns)


def _hashes(event_ids: list[str]) -> Hashes:
    digests = b"".join([xxh3_128_digest(event_id.encode()) if event_id else _NO_ID for event_id in event_ids])
    return np.frombuffer(digests, dtype=">u8")[1::2].astype(np.uint64)


_NO_ID = bytes(16)


def low_half(hash128: bytes | int) -> int:
    """Returns what history keeps of an event id's xxh3-128 hash (given as a number or as 16 big-endian bytes)."""
    return (int.from_bytes(hash128, "big") if isinstance(hash128, bytes) else hash128) & (2**64 - 1)


def _add_columns(columns: dict[ColumnKey, Column], *, context: bool, bags: list[dict[str, Value]]) -> None:
    """Adds a column for each name and kind that occurs."""
    # Events of one type mostly have the same names, so values are collected by tuple of names, a tuple at a time.
    shapes: dict[tuple[str, ...], list[int]] = {}
    for row, bag in enumerate(bags):
        shapes.setdefault(tuple(bag), []).append(row)
    values: dict[str, list[Value]] = {}
    rows: dict[str, list[npt.NDArray[np.int64]]] = {}
    for names, shape_rows in shapes.items():
        transposed = zip(*[bags[row].values() for row in shape_rows], strict=True)
        at = np.array(shape_rows, dtype=np.int64)
        for name, held in zip(names, transposed, strict=True):
            values.setdefault(name, []).extend(held)
            rows.setdefault(name, []).append(at)
    for name, all_values in values.items():
        parts = rows[name]
        chosen = None if len(shapes) == 1 else parts[0] if len(parts) == 1 else np.concatenate(parts)
        _add_kinds(columns, context, name, all_values, chosen, len(bags))


def _add_kinds(
    columns: dict[ColumnKey, Column],
    context: bool,
    name: str,
    values: list[Value],
    rows: npt.NDArray[np.int64] | None,  # where the values stand; None: at every row
    length: int,
) -> None:
    types = set(map(type, values))
    for held_type in types:
        if len(types) > 1:
            chosen = np.array([index for index, value in enumerate(values) if type(value) is held_type])
            held, at = [values[index] for index in chosen.tolist()], chosen if rows is None else rows[chosen]
        else:
            held, at = values, rows
        kind = kind_of(held[0])
        columns[ColumnKey(context, name, kind)] = column_of(kind, held, at, length)


# ---------------------------------------------------------------- from other sources


@dataclass(slots=True)
class Gathering:
    """Rows of several sources in one order, read one column at a time; rows of erased subjects are left out."""

    slices: list[Slice]
    order: npt.NDArray[np.int64]
    keys: list[ColumnKey]
    erased: Erased
    in_place: bool  # whether the order is that of the slices, with no row left out

    @classmethod
    def of(cls, slices: Iterable[Slice], erased: Erased | None = None, gone: Gone | None = None) -> Gathering:
        """Puts the rows of the slices in order of (time, sequence), but for those that are `gone`."""
        held = [part for part in slices if part[1] < part[2]]
        keys = sorted({key for source, _, _ in held for key in source.keys})
        times = _joined(held, lambda source: source.times)
        rows = Gathering(held, np.arange(len(times)), keys, erased or {}, in_place=True)
        if len(held) > 1:
            rows.order = np.lexsort((_joined(held, lambda source: source.sequences), times))
        if erased:
            # As long as the rows are said to be in place, they are read in the order of the slices.
            carried = rows.subjects(SubjectKind.USER) | rows.subjects(SubjectKind.ACCOUNT)
            rows.order = rows.order[carried[rows.order] != 0]
        if gone is not None:
            left_out = gone(_joined(held, lambda source: source.sequences), *rows.all_types())
            rows.order = rows.order[~left_out[rows.order]]
        rows.in_place = len(rows.order) == len(times) and bool((np.diff(rows.order) == 1).all())
        return rows

    @property
    def row_bytes(self) -> int:
        """About what a row takes in memory."""
        rows = sum(stop - start for _, start, stop in self.slices)
        return sum((stop - start) * source.row_bytes for source, start, stop in self.slices) // max(rows, 1)

    def split(self, rows: int) -> list[Gathering]:
        """Returns the rows in parts, each of `rows` to twice as many rows; none where there are no rows."""
        if not len(self.order):
            return []
        parts = max(len(self.order) // rows, 1)
        if parts == 1:
            return [self]
        return [replace(self, order=part, in_place=False) for part in np.array_split(self.order, parts)]

    def array(self, read: Callable[[Source], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Returns one of the arrays every source has."""
        joined = _joined(self.slices, read)
        return joined if self.in_place else joined[self.order]

    def subjects(self, kind: SubjectKind) -> DenseIds:
        """Returns the dense ids, 0 for none and for the erased."""
        dense_ids = self.array(lambda source: source.subjects(kind))
        gone = self.erased.get(kind)
        if not gone:
            return dense_ids
        erased = np.array(gone.to_array(), dtype=np.uint32)
        return np.where(np.isin(dense_ids, erased), np.uint32(0), dense_ids)

    def all_types(self) -> tuple[TypeCodes, list[str]]:
        """Returns the event types of all rows of the slices, in their order, as codes into names."""
        united: dict[str, int] = {}
        parts = []
        for source, start, stop in self.slices:
            held, names = source.types
            renumbered = np.array([united.setdefault(name, len(united)) for name in names], dtype=np.int32)
            parts.append(renumbered[held[start:stop]])
        return np.concatenate(parts), list(united)

    def types(self) -> tuple[TypeCodes, list[str]]:
        """Returns the event types, as codes into names."""
        codes, united = self.all_types()
        codes = codes[self.order]
        used = np.bincount(codes, minlength=len(united)) > 0  # not so where all rows of a type were left out
        names = [name for name, is_used in zip(united, used.tolist(), strict=True) if is_used]
        return narrow((np.cumsum(used) - 1)[codes], len(names)), names

    def column(self, key: ColumnKey) -> Column:
        """Returns the values of one key."""
        parts: list[Column | int] = []
        for source, start, stop in self.slices:
            if not source.has(key):
                parts.append(stop - start)
                continue
            column = source.column(key)
            parts.append(column if stop - start == source.rows else column.take(np.arange(start, stop)))
        joined = concatenate(key.kind, parts)
        return joined if self.in_place else joined.take(self.order)

    def run(self, cache: Cache) -> Run:
        """Returns all of it as a run in memory."""
        type_codes, type_names = self.types()
        fixed = Fixed(
            self.array(lambda source: source.times),
            self.array(lambda source: source.sequences),
            self.subjects(SubjectKind.USER),
            self.subjects(SubjectKind.ACCOUNT),
            type_codes,
            type_names,
            self.array(lambda source: source.hashes),
        )
        return Run(cache, fixed, {key: self.column(key) for key in self.keys})


def _joined(slices: Sequence[Slice], read: Callable[[Source], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate([read(source)[start:stop] for source, start, stop in slices])
