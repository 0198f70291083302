"""What history reads rows from: runs in memory and sealed blocks, behind one interface, sorted by (time, sequence).

`StoredColumns` shows rows of a source as event columns. Invariant: a source never changes, so whatever was
read of one stays true.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from coterie.index.events.columns import Arrival, DenseIds, EventColumns, TypeCodes
from coterie.index.events.stored import Column, ColumnKey
from coterie.index.model import Event, SubjectKind, Value
from coterie.index.time.calendar import HIGHEST
from coterie.index.views import ColumnView, Instants, Rows

_SAMPLES = 64  # of each source, where about so many rows are looked for

Hashes = npt.NDArray[np.uint64]
T = TypeVar("T")


class Cache:
    """The parts of sources read last, up to so many bytes."""

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self.size_bytes = 0
        self._held: OrderedDict[tuple[int, Any], tuple[Any, int]] = OrderedDict()

    def get(self, source: int, part: Any, read: Callable[[], tuple[T, int]]) -> T:
        """Returns a part of a source, by `read` (which tells its size too) where it is not at hand."""
        key = (source, part)
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
            found: T = held[0]
            return found
        value, size_bytes = read()
        self._held[key] = (value, size_bytes)
        self.size_bytes += size_bytes
        while self.size_bytes > self.capacity_bytes and len(self._held) > 1:
            self.size_bytes -= self._held.popitem(last=False)[1][1]
        return value


class Source(ABC):
    """Rows of history in order of (time, sequence)."""

    _numbers: ClassVar[count[int]] = count()

    def __init__(
        self, cache: Cache, rows: int, first: int, last: int, keys: tuple[ColumnKey, ...], row_bytes: int
    ) -> None:
        self.number = next(Source._numbers)  # names the source in the cache
        self.cache = cache
        self.rows, self.first, self.last = rows, first, last  # the times of the first and the last row
        self.keys = keys  # sorted
        self.row_bytes = row_bytes  # about what a row takes in memory
        self._keys_of: dict[str, list[ColumnKey]] = {}
        for key in keys:
            self._keys_of.setdefault(key.name, []).append(key)

    @property
    @abstractmethod
    def times(self) -> Instants:
        """Event times, ascending."""

    @property
    @abstractmethod
    def sequences(self) -> Instants:
        """Journal positions, ascending within one time."""

    @property
    @abstractmethod
    def hashes(self) -> Hashes:
        """The low halves of the event ids' hashes; 0 for an event without an id."""

    @property
    @abstractmethod
    def types(self) -> tuple[TypeCodes, list[str]]:
        """Event types, as codes into names."""

    @property
    def type_names(self) -> frozenset[str]:
        """The event types that may occur."""
        return frozenset(self.types[1])

    @abstractmethod
    def subjects(self, kind: SubjectKind) -> DenseIds:
        """Returns the dense ids as written on arrival, 0 for none."""

    @abstractmethod
    def may_hold(self, kind: SubjectKind, dense_ids: Iterable[int]) -> bool:
        """Returns False where no row is of any of these subjects."""

    @abstractmethod
    def column(self, key: ColumnKey) -> Column:
        """Returns the values of one key."""

    def after(self, time: int) -> int:
        """Returns the index of the first row later than `time`."""
        return int(self.times.searchsorted(time, side="right"))

    def view(self, name: str, *, context: bool) -> ColumnView:
        """Returns the property of that name, the context where there is none; or the context alone."""
        return self.cache.get(self.number, (name, context), lambda: self._read_view(name, context))

    def has(self, key: ColumnKey) -> bool:
        """Returns whether there is a column of that key."""
        return key in self._keys_of.get(key.name, ())

    def column_view(self, key: ColumnKey) -> ColumnView:
        """Returns the values of one key as tests read them."""
        return self.cache.get(self.number, key, lambda: self._read_column_view(key))

    def _read_column_view(self, key: ColumnKey) -> tuple[ColumnView, int]:
        column = self.column(key)
        return column.view(), 2 * column.size_bytes + self.rows

    def _read_view(self, name: str, context: bool) -> tuple[ColumnView, int]:
        keys = [key for key in self._keys_of.get(name, []) if key.context or not context]
        if len(keys) == 1:
            return self.column_view(keys[0]), 0  # the arrays are counted where they are read
        sides: dict[bool, ColumnView] = {}
        for key in keys:
            view = self.column_view(key)
            sides[key.context] = sides[key.context].beside(view) if key.context in sides else view
        if len(sides) == 2:
            return sides[False].over(sides[True]), 20 * self.rows
        return (next(iter(sides.values())) if sides else ColumnView(self.rows)), 0


class Sources:
    """Several sources, found by time."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.sources = sorted(sources, key=lambda source: (source.first, source.number))
        self.firsts: Instants = np.array([source.first for source in self.sources], dtype=np.int64)
        self.lasts: Instants = np.array([source.last for source in self.sources], dtype=np.int64)
        self._rows = np.array([source.rows for source in self.sources], dtype=np.int64)
        self.rows = int(self._rows.sum())

    def overlapping(self, after: int, through: int) -> list[Source]:
        """Returns the sources that may have rows with `after < time <= through`, by their first times."""
        end = self.firsts.searchsorted(through, side="right")
        return [self.sources[index] for index in (self.lasts[:end] > after).nonzero()[0].tolist()]

    def next_time(self, after: int) -> int:
        """Returns the smallest time later than `after`, HIGHEST where there is none."""
        begin = int(self.firsts.searchsorted(after, side="right"))
        found = int(self.firsts[begin]) if begin < len(self.firsts) else HIGHEST
        for index in (self.lasts[:begin] > after).nonzero()[0].tolist():
            source = self.sources[index]
            found = min(found, int(source.times[source.after(after)]))
        return found

    def reach(self, after: int, rows: int, *others: Instants) -> int | None:
        """Returns a time later than `after` with about `rows` rows between, those of one time together.

        `others` are sorted times later than `after` to be counted in. None where nothing is left. Every few rows one
        is looked at, so there may be a few more for each source.
        """
        ahead = [times[:rows] for times in others if len(times)]
        for source, start in self._ahead(after, rows):
            ahead.append(source.times[start : start + rows])
        if not ahead:
            return None
        if sum(map(len, ahead)) <= rows:
            return int(max(times[-1] for times in ahead))
        stride = max(rows // _SAMPLES, 1)
        sampled = np.concatenate([times[::stride] for times in ahead])
        sampled.sort()
        return int(sampled[rows // stride - 1])

    def _ahead(self, after: int, rows: int) -> list[tuple[Source, int]]:
        """The sources that hold the next `rows` rows, with the index of their first row later than `after`."""
        indexes = (self.lasts > after).nonzero()[0]
        starts = {index: self.sources[index].after(after) for index in indexes[self.firsts[indexes] <= after].tolist()}
        left = self._rows[indexes] - np.array([starts.get(index, 0) for index in indexes.tolist()], dtype=np.int64)
        # Once the sources that end first have so many rows, what begins after the last of them is not needed.
        by_end = np.argsort(self.lasts[indexes], kind="stable")
        enough = int(np.cumsum(left[by_end]).searchsorted(rows))
        limit = int(self.lasts[indexes[by_end[enough]]]) if enough < len(indexes) else HIGHEST
        return [
            (self.sources[index], starts.get(index, 0)) for index in indexes[self.firsts[indexes] <= limit].tolist()
        ]


class StoredColumns(EventColumns):
    """Chosen rows of a source; the dictionaries of texts are the source's."""

    def __init__(self, source: Source, chosen: slice | Rows) -> None:
        super().__init__()
        self._source, self._chosen = source, chosen
        self.rows = len(range(*chosen.indices(source.rows))) if isinstance(chosen, slice) else len(chosen)

    @property
    def times(self) -> Instants:
        """Event times, int64 ms."""
        return self._source.times[self._chosen]

    @property
    def sequences(self) -> Instants:
        """Journal positions, int64, unique."""
        return self._source.sequences[self._chosen]

    def subjects(self, kind: SubjectKind) -> DenseIds:
        """Returns the dense ids as written on arrival, 0 for none."""
        return self._source.subjects(kind)[self._chosen]

    @property
    def type_codes(self) -> TypeCodes:
        """Event types, as indexes into `type_names`."""
        return self._source.types[0][self._chosen]

    @property
    def type_names(self) -> list[str]:
        """The event types of the source."""
        return self._source.types[1]

    def _make_view(self, name: str) -> ColumnView:
        return self._source.view(name, context=False).take(self._chosen)

    def _make_context_view(self, name: str) -> ColumnView:
        return self._source.view(name, context=True).take(self._chosen)

    def context_names(self) -> list[str]:
        """Returns the names of context values that occur in the source, sorted."""
        return sorted({key.name for key in self._source.keys if key.context})

    def take(self, rows: Rows) -> StoredColumns:
        """Returns the chosen rows, in that order."""
        if isinstance(self._chosen, slice):
            return StoredColumns(self._source, rows + self._chosen.indices(self._source.rows)[0])
        return StoredColumns(self._source, self._chosen[rows])

    def is_whole_cheaper(self, rows: int, is_shared: bool) -> bool:  # noqa: ARG002 - views are at hand already
        """Returns whether it is a good part of the rows: to test a few more costs less than to choose them."""
        return rows * 8 >= self.rows

    def event(self, row: int) -> Arrival:
        """Returns one row as an arrival, with neither identifiers nor event id."""
        return self.take(np.array([row])).all_events()[0]

    def all_events(self) -> list[Arrival]:
        """Returns all rows as arrivals, with neither identifiers nor event ids."""
        bags: dict[bool, list[dict[str, Value]]] = {side: [{} for _ in range(self.rows)] for side in (False, True)}
        for key in self._source.keys:
            view = self._source.column_view(key).take(self._chosen)
            for bag, value in zip(bags[key.context], view.values(), strict=True):
                if value is not None:
                    bag[key.name] = value
        names = self.type_names
        rows = zip(
            self.times.tolist(),
            self.sequences.tolist(),
            self.subjects(SubjectKind.USER).tolist(),
            self.subjects(SubjectKind.ACCOUNT).tolist(),
            self.type_codes.tolist(),
            bags[False],
            bags[True],
            strict=True,
        )
        return [
            Arrival(time, sequence, user, account, Event("", names[code], (), None, time, properties, context))
            for time, sequence, user, account, code, properties, context in rows
        ]
