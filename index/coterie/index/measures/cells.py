"""The cells: the values of (measure, subject) pairs, one table per shape.

A key is `measure << 32 | dense id`. Every update takes a batch of rows, folds rows of one key together and
returns what it touched, with old and new values where conditions compare them. Owns the tables. Invariant: a
cell equals the aggregate over exactly the events that entered and have not left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coterie.index.measures.codes import Codes
from coterie.index.measures.matches import Ints, Matches
from coterie.index.measures.spec import Shape
from coterie.index.model import Value
from coterie.index.table import Keys, Table
from coterie.index.views import ColumnView

VISIT_COLUMNS = ("start", "last", "first", "row", "referrer", "source")
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
TABLES = {
    Shape.COUNT: ("counts",),
    Shape.SUM: ("sums",),
    Shape.DISTINCT: ("counts", "values"),
    Shape.EXTREME: ("extremes",),
    Shape.VISITS: ("visits",),
    Shape.ENDINGS: (),
    Shape.STEPS: ("steps",),
}


@dataclass(slots=True)
class Touched:
    """Cells that changed: their measures and subjects, and for all but extremes old and new values."""

    measures: Ints
    subjects: NDArray[np.uint32]
    old: tuple[Ints, NDArray[np.float64]] | None = None  # (number of events, total)
    new: tuple[Ints, NDArray[np.float64]] | None = None


def keys_of(measures: Ints, subjects: NDArray[np.uint32]) -> Keys:
    """Packs (measure, subject) pairs."""
    return (measures.astype(np.uint64) << _HALF) | subjects.astype(np.uint64)


def unpack(keys: Keys) -> tuple[Ints, NDArray[np.uint32]]:
    """Returns the measures and subjects that keys were packed of."""
    return (keys >> _HALF).astype(np.int64), (keys & _LOW).astype(np.uint32)


def total_of(units: Ints, millionths: Ints) -> NDArray[np.float64]:
    """The number that whole units and millionths stand for, correctly rounded below nine thousand million."""
    carried = millionths // _MILLION
    units, millionths = units + carried, millionths - carried * _MILLION
    exact = (units * _MILLION + millionths) / _MILLION  # one rounding: both sides are exact below 2**53
    return np.where(np.abs(units) < 2**53 // _MILLION, exact, units + millionths / _MILLION)


_MILLION = 1_000_000


class Cells:
    """All cells of one dataset."""

    def __init__(self) -> None:
        self.tables = {
            "counts": Table({"events": "i4"}),
            "sums": Table({"events": "i4", "units": "i8", "millionths": "i8"}),
            "values": Table({"events": "i4"}, paired=True),
            "extremes": Table({"kind": "u1", "rank": "i8", "sequence": "i8", "value": "i8"}),
            "visits": Table({"events": "i4", "pages": "i4"} | dict.fromkeys(VISIT_COLUMNS, "i8")),
            "steps": Table({"kind": "u1", "start": "i8", "newest": "i8"}),
        }
        self.codes = Codes()
        self._last_view: tuple[int, NDArray[np.uint32], ColumnView] | None = None  # until extremes change

    @property
    def size_bytes(self) -> int:
        """Memory of all tables."""
        return sum(table.size_bytes for table in self.tables.values())

    @property
    def used(self) -> int:
        """Cells that exist."""
        return sum(table.used for table in self.tables.values())

    # ------------------------------------------------------------ events enter and leave

    def update(self, moves: Iterable[tuple[Matches, int]]) -> list[Touched]:
        """Puts events into the cells they match (+1) or takes them out again (-1), all of a shape in one pass.

        An extreme is not taken back: its cells are only named, to be looked at again.
        """
        by_shape: dict[Shape, list[tuple[Matches, int]]] = {}
        for matches, sign in moves:
            if len(matches):
                by_shape.setdefault(matches.shape, []).append((matches, sign))
        touched: list[Touched | None] = []
        for shape, held in by_shape.items():
            if shape is Shape.EXTREME:
                touched += [self._extreme(matches) if sign > 0 else _named(matches) for matches, sign in held]
                continue
            keys = _joined([keys_of(matches.measures, matches.subjects) for matches, _ in held])
            signs = np.repeat([sign for _, sign in held], [len(matches) for matches, _ in held])
            extra = _joined([matches.extra for matches, _ in held])
            touched.append(_FOLDS[shape](self, keys, signs, extra))
        return [part for part in touched if part is not None]

    def _count(self, keys: Keys, signs: Ints, _extra: NDArray[Any]) -> Touched:
        order, starts = _fold(keys)
        return self.add_counts(keys[order[starts]], np.add.reduceat(signs[order], starts))

    def add_counts(self, cells: Keys, amounts: Ints) -> Touched:
        """Adds to the numbers of different COUNT cells."""
        table = self.tables["counts"]
        slots = table.claim(cells)
        table.before_write(slots)
        events = table.columns["events"]
        old = events[slots].astype(np.int64)
        new = old + amounts
        events[slots] = new
        zeros = np.zeros(len(cells))
        return Touched(*unpack(cells), (old, zeros), (new, zeros))

    def _sum(self, keys: Keys, signs: Ints, numbers: NDArray[np.float64]) -> Touched:
        order, starts = _fold(keys)
        fractions, wholes = np.modf(numbers)
        amounts, units, millionths = (
            np.add.reduceat(values[order], starts)
            for values in (signs, wholes.astype(np.int64) * signs, np.rint(fractions * 1e6).astype(np.int64) * signs)
        )
        return self.add_sums(keys[order[starts]], amounts, units, millionths)

    def add_sums(self, cells: Keys, amounts: Ints, units: Ints, millionths: Ints) -> Touched:
        """Adds to the numbers and totals of different SUM cells."""
        table = self.tables["sums"]
        slots = table.claim(cells)
        table.before_write(slots)
        events, all_units, all_millionths = (table.columns[name] for name in ("events", "units", "millionths"))
        old_events, old_units, old_millionths = events[slots].astype(np.int64), all_units[slots], all_millionths[slots]
        new_events, new_units, new_millionths = old_events + amounts, old_units + units, old_millionths + millionths
        events[slots], all_units[slots], all_millionths[slots] = new_events, new_units, new_millionths
        return Touched(
            *unpack(cells),
            (old_events, total_of(old_units, old_millionths)),
            (new_events, total_of(new_units, new_millionths)),
        )

    def _distinct(self, keys: Keys, signs: Ints, hashes: Keys) -> Touched | None:
        order, starts = _fold(keys, hashes)
        firsts = order[starts]
        return self.add_values(keys[firsts], hashes[firsts], np.add.reduceat(signs[order], starts))

    def add_values(self, cells: Keys, hashes: Keys, amounts: Ints) -> Touched | None:
        """Adds to the numbers of different (DISTINCT cell, value) pairs; returns the cells whose values changed."""
        table = self.tables["values"]
        slots = table.claim(cells, hashes)
        table.before_write(slots)
        events = table.columns["events"]
        old = events[slots].astype(np.int64)
        new = old + amounts
        events[slots] = new
        appeared = (old == 0).astype(np.int64) - (new == 0).astype(np.int64)
        changed = appeared != 0
        if not changed.any():
            return None
        owners = cells[changed]
        order, starts = _fold(owners)
        return self.add_counts(owners[order[starts]], np.add.reduceat(appeared[changed][order], starts))

    def _extreme(self, matches: Matches) -> Touched | None:
        keys = keys_of(matches.measures, matches.subjects)
        order = np.lexsort((matches.sequences, matches.extra, keys))
        held = keys[order]
        last = np.append(held[1:] != held[:-1], True)
        best, cells = order[last], held[last]
        ranks, sequences = matches.extra[best], matches.sequences[best]
        slots = self.tables["extremes"].claim(cells)  # a cell that is new has nothing that could not be beaten
        won = self.beats(slots, ranks, sequences)
        if not won.all():
            if not won.any():
                return None
            best, cells, slots, ranks, sequences = (each[won] for each in (best, cells, slots, ranks, sequences))
        values: list[Value | None] = matches.values(best) if matches.values is not None else [None] * len(best)
        kinds, encoded = self.codes.encode(values)
        self.write_extremes(slots, kinds, ranks, sequences, encoded)
        return Touched(*unpack(cells))

    def beats(self, slots: Ints, ranks: Ints, sequences: Ints) -> NDArray[np.bool_]:
        """Returns which of these would replace what the EXTREME cells in these slots hold."""
        columns = self.tables["extremes"].columns
        held_rank, held_sequence = columns["rank"][slots], columns["sequence"][slots]
        better = (ranks > held_rank) | ((ranks == held_rank) & (sequences > held_sequence))
        won: NDArray[np.bool_] = better | (columns["kind"][slots] == 0)
        return won

    def write_extremes(self, slots: Ints, *columns: NDArray[Any]) -> None:
        """Replaces what EXTREME cells hold: kind, rank, sequence, value."""
        table, self._last_view = self.tables["extremes"], None
        table.before_write(slots)
        for held, column in zip(table.columns.values(), columns, strict=True):  # kind, rank, sequence, value
            held[slots] = column

    # ------------------------------------------------------------ reading

    def counts(self, measure: int, subjects: NDArray[np.uint32]) -> Ints:
        """Returns the number of events (or of distinct values) of each subject."""
        return self.read("counts", measure, subjects, "events")[0]

    def sums(self, measure: int, subjects: NDArray[np.uint32]) -> tuple[Ints, NDArray[np.float64]]:
        """Returns the number of events and the total of each subject."""
        events, units, millionths = self.read("sums", measure, subjects, "events", "units", "millionths")
        return events, total_of(units, millionths)

    def extremes(self, measure: int, subjects: NDArray[np.uint32]) -> tuple[NDArray[np.bool_], Ints, Ints]:
        """Returns where there is an extreme, its rank and its sequence (both negated for an earliest)."""
        kind, rank, sequence = self.read("extremes", measure, subjects, "kind", "rank", "sequence")
        return kind != 0, rank, sequence

    def extreme_values(self, measure: int, subjects: NDArray[np.uint32]) -> ColumnView:
        """Returns the property values of the extremes as a column."""
        held = self._last_view
        if held is None or held[0] != measure or held[1] is not subjects:  # several thresholds on one last value
            kinds, values = self.read("extremes", measure, subjects, "kind", "value")
            held = self._last_view = measure, subjects, self.codes.view(kinds, values)
        return held[2]

    def read(self, name: str, measure: int, subjects: NDArray[np.uint32], *columns: str) -> list[Ints]:
        """Returns columns of a table for each subject, as int64; 0 where there is no cell."""
        table = self.tables[name]
        slots = table.find(keys_of(np.full(len(subjects), measure, np.int64), subjects))
        read = [table.columns[column][slots].astype(np.int64) for column in columns]
        for values in read:
            values[slots < 0] = 0
        return read

    def subjects_with(self, measure: int, shape: Shape) -> NDArray[np.uint32]:
        """Returns the dense ids that have a cell of the measure (a pass over the table)."""
        keys = self.tables[TABLES[shape][0]].live_keys()
        return unpack(keys[(keys >> _HALF) == np.uint64(measure)])[1]

    def lacking(self, matches: Matches) -> dict[str, int]:
        """Returns how many rows at most each table lacks for events that are to enter, for shapes of which there are many."""
        if matches.shape not in (Shape.COUNT, Shape.SUM, Shape.DISTINCT, Shape.EXTREME):
            return {}
        keys = keys_of(matches.measures, matches.subjects)
        first, *others = TABLES[matches.shape]
        lacking = {first: int(np.count_nonzero(self.tables[first].find(keys) < 0))}
        for name in others:
            lacking[name] = int(np.count_nonzero(self.tables[name].find(keys, matches.extra) < 0))
        return lacking

    def make_room(self, lacking: Mapping[str, int], rows: int) -> Iterator[None]:
        """Makes room for rows of tables, a step at a time; see `Table.make_room`."""
        for name, coming in sorted(lacking.items()):
            yield from self.tables[name].make_room(coming, rows)

    def drop(self, measure: int, shape: Shape) -> None:
        """Empties all cells of a measure nobody uses any more."""
        for name in TABLES[shape]:
            table = self.tables[name]
            self.empty(name, np.flatnonzero((table.keys >> _HALF) == np.uint64(measure)))

    def empty(self, name: str, slots: Ints) -> None:
        """Empties cells of one table."""
        self._last_view = None
        self.tables[name].empty(slots)


_FOLDS: dict[Shape, Callable[[Cells, Keys, Ints, NDArray[Any]], Touched | None]] = {
    Shape.COUNT: Cells._count,  # noqa: SLF001 - the class's own, by shape
    Shape.SUM: Cells._sum,  # noqa: SLF001
    Shape.DISTINCT: Cells._distinct,  # noqa: SLF001
}


def _fold(keys: Keys, seconds: Keys | None = None) -> tuple[Ints, Ints]:
    """Returns an order that brings equal keys together, and where in it each new key starts."""
    order = np.argsort(keys, kind="stable") if seconds is None else np.lexsort((seconds, keys))
    fresh = np.empty(len(keys), np.bool_)
    fresh[:1] = True
    held = keys[order]
    np.not_equal(held[1:], held[:-1], out=fresh[1:])
    if seconds is not None:
        paired = seconds[order]
        fresh[1:] |= paired[1:] != paired[:-1]
    return order, np.flatnonzero(fresh)


def _named(matches: Matches) -> Touched:
    return Touched(*unpack(np.unique(keys_of(matches.measures, matches.subjects))))


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
