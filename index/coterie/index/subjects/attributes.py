"""Attributes: what is known of subjects, in typed columns by name.

A name's kind is fixed by its first use. Names beginning with `current.` hold the newest value of that
name in the subject's event context; only `set_newest` writes them. Owns the columns. Invariant: equal calls
in equal order give equal kinds and values, however snapshots fall between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgpack
import numpy as np

from coterie.index.errors import FieldInvalid, LimitExceeded, TypeConflict
from coterie.index.model import SubjectKind, Value, ValueKind, kind_of
from coterie.index.predicates import ColumnView
from coterie.index.settings import Settings
from coterie.index.storage.parts import Page
from coterie.index.subjects.columns import CHUNK_BITS, NO_TIME, Column, DenseIds, Raw, Times

CURRENT = "current."  # what names of newest context values begin with

_DEFAULT_LIMIT = Settings().max_attributes
_KIND_NAMES = {
    ValueKind.TEXT: "text",
    ValueKind.NUMBER: "number",
    ValueKind.BOOLEAN: "boolean",
    ValueKind.INSTANT: "timestamp",
    ValueKind.LIST: "list",
}
_NO_IDS: DenseIds = np.empty(0, dtype=np.uint32)
_COLUMNS, _VALUES, _ENTRIES = b"columns", b"values", b"entries"


class AttributeTable:
    """The attributes of one subject kind."""

    def __init__(self, kind: SubjectKind, max_attributes: int = _DEFAULT_LIMIT) -> None:
        self.kind = kind
        self._max_attributes = max_attributes
        self._columns: dict[str, Column] = {}

    # ------------------------------------------------------------ asking

    def names(self) -> list[str]:
        """Returns the names in use, in order of first use."""
        return list(self._columns)

    def kind_of(self, name: str) -> ValueKind | None:
        """Returns the kind of an attribute, None where the name was never used."""
        column = self._columns.get(name)
        return column.kind if column else None

    def get(self, subject: int) -> dict[str, Value]:
        """Returns all values of a subject, in order of the names' first use."""
        found = ((name, column.get(subject)) for name, column in self._columns.items())
        return {name: value for name, value in found if value is not None}

    def view(self, name: str, subjects: DenseIds) -> ColumnView:
        """Returns an attribute of these subjects (uint32[n]) as a column of n rows."""
        column = self._columns.get(name)
        if column is None:
            return ColumnView(len(subjects))
        raw = column.gather(subjects)
        return _view(column, raw)

    @property
    def size_bytes(self) -> int:
        """Roughly the memory held."""
        return sum(column.size_bytes for column in self._columns.values())

    # ------------------------------------------------------------ changing

    def set(self, subject: int, name: str, value: Value | None, field: str) -> bool:
        """Sets or (None) removes a value; tells whether it changed.

        `field` names the value in the request. Raises TypeConflict for a value of another kind than the name
        has, LimitExceeded for one name too many, FieldInvalid for a name of the newest context.
        """
        column = self._columns.get(name)
        if name.startswith(CURRENT):
            raise FieldInvalid(field, f"{name!r} cannot be set: it follows the context of events", attribute=name)
        if column is None:
            if value is None:
                return False
            if len(self._columns) >= self._max_attributes:
                raise LimitExceeded(field, "attribute names", len(self._columns) + 1, self._max_attributes)
            column = self._columns[name] = Column(name, kind_of(value), keeps_times=False)
        if value is not None and column.kind is not kind_of(value):
            raise TypeConflict(field, name, _KIND_NAMES[column.kind], _KIND_NAMES[kind_of(value)])
        return column.set(subject, value)

    def check(self, values: Mapping[str, Value | None], field: str) -> None:
        """Raises what `set` would raise for any of these values, before one of them is set."""
        fresh = 0
        for name, value in values.items():
            column = self._columns.get(name)
            if name.startswith(CURRENT):
                raise FieldInvalid(
                    f"{field}.{name}", f"{name!r} cannot be set: it follows the context of events", attribute=name
                )
            if value is None:
                continue
            if column is None:
                fresh += 1
                if len(self._columns) + fresh > self._max_attributes:
                    raise LimitExceeded(
                        f"{field}.{name}", "attribute names", len(self._columns) + fresh, self._max_attributes
                    )
            elif column.kind is not kind_of(value):
                raise TypeConflict(f"{field}.{name}", name, _KIND_NAMES[column.kind], _KIND_NAMES[kind_of(value)])

    def set_newest(self, name: str, subjects: DenseIds, view: ColumnView, times: Times) -> DenseIds:
        """Takes values that n events carry, from their context for one; returns whose value changed, sorted.

        The newest event time wins, of equal ones the later row or call. Rows of subject 0, rows without a value
        and values of another kind than the name has are passed over.
        """
        column = self._columns.get(name)
        if column is None:
            kind = _first_kind(view, subjects)
            if kind is None or len(self._columns) >= self._max_attributes:
                return _NO_IDS
            column = self._columns[name] = Column(name, kind, keeps_times=True)
        rows = _rows_of_kind(view, column.kind, subjects)
        if not len(rows):
            return _NO_IDS
        moments = times[rows]
        if len(rows) > 1 and (moments[1:] < moments[:-1]).any():
            order = np.argsort(moments, kind="stable")
            rows, moments = rows[order], moments[order]
        return _take_newer(column, subjects[rows], view, rows, moments)

    def copy(self, source: AttributeTable, theirs: int, subject: int) -> None:
        """Gives a subject all values that another table's subject has, the newest of its context among them."""
        for name, held in source._columns.items():
            value = held.get(theirs)
            if value is not None:
                column = self._columns.get(name)
                if column is None:
                    column = self._columns[name] = Column(name, held.kind, keeps_times=held.times is not None)
                column.set(subject, value, None if held.times is None else held.time(theirs))

    def merge(self, absorbed: int, survivor: int) -> list[str]:
        """Gives the survivor what only the absorbed one has (of the context: what is newer).

        Returns the names whose value changed for the survivor; the absorbed one has none any more.
        """
        changed = []
        for name, column in self._columns.items():
            value = column.get(absorbed)
            if value is None:
                continue
            time = column.time(absorbed)
            newer = time > column.time(survivor)
            if (newer or column.get(survivor) is None) and column.set(survivor, value, time):
                changed.append(name)
            column.set(absorbed, None, NO_TIME)
        return changed

    def delete(self, subject: int) -> list[str]:
        """Removes all values of a subject; returns the names it had."""
        return [name for name, column in self._columns.items() if column.set(subject, None, NO_TIME)]

    # ------------------------------------------------------------ snapshots

    def begin(self) -> Iterator[Page]:
        """Freezes the columns (see `Part`)."""
        columns = list(self._columns.values())
        header = msgpack.packb([[c.name, int(c.kind), c.times is not None] for c in columns])
        values = [column.pages.begin() for column in columns]
        entries = [column.dictionary.pages.begin() if column.dictionary else iter(()) for column in columns]

        def pages() -> Iterator[Page]:
            yield _COLUMNS, header
            for prefix, changed in ((_VALUES, values), (_ENTRIES, entries)):
                for number, pages_of_column in enumerate(changed):
                    for page, image in pages_of_column:
                        yield prefix + number.to_bytes(2, "big") + page.to_bytes(4, "big"), image

        return pages()

    def end(self, committed: bool) -> None:
        """Forgets or takes back what was frozen (see `Part`)."""
        for column in self._columns.values():
            column.pages.end(committed)
            if column.dictionary is not None:
                column.dictionary.pages.end(committed)

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores the columns (see `Part`)."""
        header: list[list[object]] = []
        parts: dict[tuple[bytes, int], dict[int, bytes]] = {}
        for key, page in pages:
            if key == _COLUMNS:
                header = msgpack.unpackb(page)
            else:
                number, chunk = int.from_bytes(key[-6:-4], "big"), int.from_bytes(key[-4:], "big")
                parts.setdefault((key[:-6], number), {})[chunk] = page
        for number, (name, kind, keeps_times) in enumerate(header):
            column = Column(str(name), ValueKind(int(str(kind))), bool(keeps_times))
            column.load(parts.pop((_VALUES, number), {}), parts.pop((_ENTRIES, number), {}))
            self._columns[column.name] = column


# ---------------------------------------------------------------- between columns and views


def _view(column: Column, raw: Raw) -> ColumnView:
    rows, present = len(raw), column.present(raw)
    match column.kind:
        case ValueKind.NUMBER:
            return ColumnView(rows, numbers=(raw, present))
        case ValueKind.INSTANT:
            return ColumnView(rows, instants=(raw, present))
        case ValueKind.BOOLEAN:
            return ColumnView(rows, booleans=(raw == 1, present))
    assert column.dictionary is not None, "texts and lists have a dictionary"
    entries = column.dictionary.entries
    if column.kind is ValueKind.LIST:
        return ColumnView(rows, lists=[entries[code] if code >= 0 else None for code in raw.tolist()])
    if 0 < rows < len(entries):
        used, codes = np.unique(raw, return_inverse=True)
        missing = int(used[0] < 0)  # the mark for missing sorts first: its code becomes -1 again
        return ColumnView(
            rows, texts=((codes - missing).astype(np.int32), [entries[c] for c in used[missing:].tolist()])
        )
    return ColumnView(rows, texts=(raw, entries))


def _presence(view: ColumnView, kind: ValueKind) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
    """Tells which rows hold a value of a kind; None: no row does."""
    if kind is ValueKind.TEXT:
        return view.texts[0] >= 0 if view.texts is not None else None
    if kind is ValueKind.LIST:
        lists = view.lists
        return np.fromiter((item is not None for item in lists), np.bool_, view.rows) if lists is not None else None
    pair = {
        ValueKind.NUMBER: view.numbers,
        ValueKind.BOOLEAN: view.booleans,
        ValueKind.INSTANT: view.instants,
    }[kind]
    return pair[1] if pair is not None else None


def _rows_of_kind(view: ColumnView, kind: ValueKind, subjects: DenseIds) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    present = _presence(view, kind)
    if present is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(present & (subjects != 0))


def _first_kind(view: ColumnView, subjects: DenseIds) -> ValueKind | None:
    """Returns the kind of the first row with a value and a subject."""
    firsts = [(rows[0], kind) for kind in ValueKind if len(rows := _rows_of_kind(view, kind, subjects))]
    return min(firsts)[1] if firsts else None


def _raw_values(column: Column, view: ColumnView, rows: Raw) -> Raw:
    """Returns these rows' values of a view in the column's own form."""
    kind, dictionary = column.kind, column.dictionary
    if kind is ValueKind.LIST:
        assert dictionary is not None, "lists have a dictionary"
        assert view.lists is not None, "the rows hold lists"
        return dictionary.intern_all([view.lists[row] for row in rows.tolist()])
    if kind is ValueKind.TEXT:
        assert dictionary is not None, "texts have a dictionary"
        assert view.texts is not None, "the rows hold texts"
        codes, texts = view.texts[0][rows], view.texts[1]
        if len(texts) <= len(rows):
            return dictionary.intern_all(texts)[codes]
        used, inverse = np.unique(codes, return_inverse=True)
        return dictionary.intern_all([texts[code] for code in used.tolist()])[inverse]
    pair = {ValueKind.NUMBER: view.numbers, ValueKind.BOOLEAN: view.booleans, ValueKind.INSTANT: view.instants}[kind]
    assert pair is not None, "the rows hold values of the column's kind"
    return pair[0][rows].astype(column.values.dtype, copy=False)


def _take_newer(column: Column, subjects: DenseIds, view: ColumnView, rows: Raw, moments: Times) -> DenseIds:
    """Writes the rows (in order of time) that are not older than what the column has; returns who changed."""
    column.reach(int(subjects.max()))
    times = column.keep_times()
    newer = moments >= times[subjects]
    if not newer.all():
        subjects, rows, moments = subjects[newer], rows[newer], moments[newer]
        if not len(subjects):
            return _NO_IDS
    column.pages.touch_all(subjects >> CHUNK_BITS)
    times[subjects] = moments  # numpy assigns repeated indexes in order, so the newest row wins
    new = _raw_values(column, view, rows)
    old = column.values[subjects]
    differ = new != old
    changed = _NO_IDS
    if differ.any():
        column.values[subjects] = new
        changed, first = np.unique(subjects[differ], return_index=True)
        before, after = old[differ][first], column.values[changed]
        if column.dictionary is not None:
            column.dictionary.replace(before, after)
        changed = changed[before != after]
    if column.dictionary is not None:
        column.dictionary.release_idle()
    return changed
