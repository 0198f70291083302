"""Events as columns: one interface over a handful of arrivals and over history, so that tests have one form.

`RowColumns` reads arrivals lazily, only what is asked for; history's columns are in `runs` and `blocks`.
Invariant: a bare name means the event's property, and its context where no property has that name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from coterie.index.model import Event, SubjectKind, Value
from coterie.index.views import ColumnView, Instants, Rows

DenseIds = npt.NDArray[np.uint32]
TypeCodes = npt.NDArray[np.signedinteger[Any]]


_ROWS_PER_REVISION = 256  # a record has at most as many events, so sequences never meet


def first_sequence(revision: int) -> int:
    """Returns the sequence of a record's first event."""
    return revision * _ROWS_PER_REVISION


class Arrival(NamedTuple):
    """An event as the engine took it; 0 for a subject it does not carry.

    `sequence` is unique and in journal order: revision * 256 + index in the record.
    """

    time: int
    sequence: int
    user: int
    account: int
    event: Event


# The same as Arrival(…) of a tuple, without the cost of a named tuple's constructor.
_arrival = partial(tuple.__new__, Arrival)


def different(bags: list[dict[str, Value]]) -> tuple[list[dict[str, Value]], Rows | None]:
    """Returns values by name without those that are one object, and which of them each row has.

    Where few are shared all are returned, with None: each row has its own.
    """
    found = {id(bag): bag for bag in bags}
    if 2 * len(found) > len(bags):
        return bags, None
    places = dict(zip(found, range(len(found)), strict=True))
    return list(found.values()), np.fromiter(map(places.__getitem__, map(id, bags)), np.int64, len(bags))


class EventColumns(ABC):
    """Some events, column by column. `type_codes` are indexes into `type_names`."""

    rows: int

    def __init__(self) -> None:
        self._views: dict[str, ColumnView] = {}
        self._context_views: dict[str, ColumnView] = {}

    @property
    @abstractmethod
    def times(self) -> Instants:
        """Event times, int64 ms."""

    @property
    @abstractmethod
    def sequences(self) -> Instants:
        """Journal positions, int64, unique."""

    @property
    @abstractmethod
    def type_codes(self) -> TypeCodes:
        """Event types, as indexes into `type_names`."""

    @property
    @abstractmethod
    def type_names(self) -> list[str]:
        """The event types there may be."""

    @abstractmethod
    def subjects(self, kind: SubjectKind) -> DenseIds:
        """Returns the dense ids as written on arrival, 0 for none."""

    def view(self, name: str) -> ColumnView:
        """Returns the property of that name, or the context where no property has it."""
        view = self._views.get(name)
        if view is None:
            view = self._views[name] = self._make_view(name)
        return view

    def context_view(self, name: str) -> ColumnView:
        """Returns the context of that name."""
        view = self._context_views.get(name)
        if view is None:
            view = self._context_views[name] = self._make_context_view(name)
        return view

    @abstractmethod
    def _make_view(self, name: str) -> ColumnView: ...

    @abstractmethod
    def _make_context_view(self, name: str) -> ColumnView: ...

    @abstractmethod
    def context_names(self) -> list[str]:
        """Returns the names of context values that occur, sorted."""

    def values(self, name: str, rows: Rows) -> list[Value | None]:
        """Returns the values of chosen rows one by one."""
        return self.view(name).take(rows).values()

    @abstractmethod
    def take(self, rows: Rows) -> EventColumns:
        """Returns the chosen rows, in that order."""

    @abstractmethod
    def is_whole_cheaper(self, rows: int, is_shared: bool) -> bool:
        """Returns whether reading a view of everything beats taking that many rows first.

        `is_shared`: what will be read of these rows is read of others too.
        """

    @abstractmethod
    def event(self, row: int) -> Arrival:
        """Returns one row as an arrival. One from history has neither identifiers nor event id."""

    @abstractmethod
    def all_events(self) -> Sequence[Arrival]:
        """Returns all rows as arrivals; see `event`."""


class RowColumns(EventColumns):
    """Columns of arrivals, extracted when asked for."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        super().__init__()
        self.arrivals = arrivals
        self.rows = len(arrivals)
        self._transposed: tuple[tuple[int, ...], ...] | None = None
        self._arrays: dict[int, npt.NDArray[Any]] = {}
        self._types: tuple[TypeCodes, list[str]] | None = None
        self._properties: list[dict[str, Value]] | None = None
        self._contexts: tuple[list[dict[str, Value]], Rows | None] | None = None

    @classmethod
    def of(
        cls, times: Instants, sequences: Instants, users: DenseIds, accounts: DenseIds, events: Sequence[Event]
    ) -> RowColumns:
        """Returns arrivals given column by column."""
        rows = zip(times.tolist(), sequences.tolist(), users.tolist(), accounts.tolist(), events, strict=True)
        columns = cls(list(map(_arrival, rows)))
        columns._arrays = dict(enumerate((times, sequences, users, accounts)))
        return columns

    def _numbers(self, field: int, dtype: type[np.integer[Any]]) -> npt.NDArray[Any]:
        array = self._arrays.get(field)
        if array is None:
            if self._transposed is None:
                self._transposed = tuple(zip(*self.arrivals, strict=True)) if self.arrivals else ((), (), (), ())
            array = self._arrays[field] = np.array(self._transposed[field], dtype=dtype)
        return array

    @property
    def times(self) -> Instants:
        """Event times, int64 ms."""
        return self._numbers(0, np.int64)

    @property
    def sequences(self) -> Instants:
        """Journal positions, int64, unique."""
        return self._numbers(1, np.int64)

    def subjects(self, kind: SubjectKind) -> DenseIds:
        """Returns the dense ids, 0 for none."""
        return self._numbers(2 if kind is SubjectKind.USER else 3, np.uint32)

    @property
    def type_codes(self) -> TypeCodes:
        """Event types, as indexes into `type_names`."""
        return self._typed()[0]

    @property
    def type_names(self) -> list[str]:
        """The event types that occur."""
        return self._typed()[1]

    def _typed(self) -> tuple[TypeCodes, list[str]]:
        if self._types is None:
            names = [arrival[4][1] for arrival in self.arrivals]
            codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
            self._types = np.fromiter(map(codes.__getitem__, names), np.int32, self.rows), list(codes)
        return self._types

    def _make_view(self, name: str) -> ColumnView:
        if self._properties is None:
            self._properties = [arrival[4][5] for arrival in self.arrivals]
        values = [properties.get(name) for properties in self._properties]
        missing = values.count(None)
        if missing == self.rows:
            return self._make_context_view(name)
        if missing:
            values = [
                arrival[4][6].get(name) if value is None else value
                for value, arrival in zip(values, self.arrivals, strict=True)
            ]
        return ColumnView.of(values)

    def _make_context_view(self, name: str) -> ColumnView:
        contexts, rows = self._different_contexts()
        view = ColumnView.of([context.get(name) for context in contexts])
        return view if rows is None else view.take(rows)

    def _different_contexts(self) -> tuple[list[dict[str, Value]], Rows | None]:
        """Returns the contexts without those that are one object, and which of them each row has (None: its own)."""
        if self._contexts is None:
            self._contexts = different([arrival[4][6] for arrival in self.arrivals])
        return self._contexts

    def context_names(self) -> list[str]:
        """Returns the names of context values that occur, sorted."""
        names: set[str] = set()
        for context in self._different_contexts()[0]:
            names.update(context)
        return sorted(names)

    def values(self, name: str, rows: Rows) -> list[Value | None]:
        """Returns the values of chosen rows one by one."""
        found = []
        for row in rows.tolist():
            event = self.arrivals[row].event
            found.append(event.properties[name] if name in event.properties else event.context.get(name))
        return found

    def take(self, rows: Rows) -> RowColumns:
        """Returns the chosen rows, in that order."""
        arrivals = self.arrivals
        return RowColumns([arrivals[row] for row in rows.tolist()])

    def is_whole_cheaper(self, rows: int, is_shared: bool) -> bool:  # noqa: ARG002 - rows cost the same either way
        """Returns whether what is read is shared: each value is fetched from its event, so none should be in vain."""
        return is_shared

    def event(self, row: int) -> Arrival:
        """Returns one arrival."""
        return self.arrivals[row]

    def all_events(self) -> Sequence[Arrival]:
        """Returns the arrivals."""
        return self.arrivals
