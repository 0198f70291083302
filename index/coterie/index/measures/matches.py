"""Which measures a batch of events touches: (measure, subject, time) rows, made in one pass for all of them.

`Group` maps filters to the measures of a boundary (or all of them); `collect` runs the filters over event
columns and expands their rows. Owns nothing. Invariant: a row appears once per measure whose filter matches
and whose subject the event carries; nothing is said yet about windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from coterie.index.events.columns import EventColumns
from coterie.index.events.filters import FilterSet
from coterie.index.measures.spec import MeasureSpec, Ranking, Shape
from coterie.index.model import SubjectKind, Value
from coterie.index.settings import PAGE_TYPES
from coterie.index.time.calendar import local_days

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Matches:
    """Rows of one shape. `extra` is the number (SUM), the value's hash (DISTINCT), the rank (EXTREME) or whether the
    event is a page (VISITS).

    `sequences` break ties of time: the larger wins, so an earliest event's are negated.
    """

    shape: Shape
    measures: Ints
    subjects: NDArray[np.uint32]
    times: Ints
    sequences: Ints
    extra: NDArray[Any]
    values: Callable[[Ints], list[Any]] | None = None  # of chosen rows: see `_values` and `_origins`

    def __len__(self) -> int:
        return len(self.measures)

    def with_values(self) -> Matches:
        """Returns the same rows, independent of where their values were read from."""
        if self.values is None:
            return self
        held = self.values(np.arange(len(self)))
        return replace(self, values=lambda chosen: [held[row] for row in chosen.tolist()])

    def where(self, mask: NDArray[np.bool_] | None) -> Matches:
        """Returns the rows under a mask; None: all of them."""
        return self if mask is None or mask.all() else self.take(np.flatnonzero(mask))

    def take(self, rows: NDArray[np.generic] | slice) -> Matches:
        """Returns the chosen rows (a mask, indexes or a slice)."""
        values = self.values
        if values is not None:
            kept, source = np.arange(len(self))[rows], values
            values = lambda chosen: source(kept[chosen])  # noqa: E731 - a closure over the kept rows
        return Matches(
            self.shape,
            self.measures[rows],
            self.subjects[rows],
            self.times[rows],
            self.sequences[rows],
            self.extra[rows],
            values,
        )


def concatenate(parts: Sequence[Matches]) -> Matches:
    """Returns the rows of several batches of one shape, sorted by time; values are read now."""
    if len(parts) == 1 and len(parts[0]) <= 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    order = np.argsort(times, kind="stable")
    values = None
    if parts[0].values is not None:
        held: list[Any] = []
        for part in parts:
            held += part.values(np.arange(len(part)))  # type: ignore[misc]
        values = lambda chosen: [held[order[row]] for row in chosen]  # noqa: E731
    return Matches(
        parts[0].shape,
        np.concatenate([part.measures for part in parts])[order],
        np.concatenate([part.subjects for part in parts])[order],
        times[order],
        np.concatenate([part.sequences for part in parts])[order],
        np.concatenate([part.extra for part in parts])[order],
        values,
    )


@dataclass(slots=True)
class Group:
    """Measures found by filter id: for each shape, `measures[starts[f] : starts[f] + counts[f]]`."""

    filters: frozenset[int] | None = frozenset()  # None: all there are
    by_shape: dict[Shape, tuple[Ints, Ints, Ints]] = field(default_factory=dict)

    @classmethod
    def of(cls, members: Iterable[tuple[int, int, Shape]]) -> Group:
        """Builds a group of (filter id, measure id, shape)."""
        rows = sorted(members)
        if not rows:
            return cls()
        top = rows[-1][0] + 1
        by_shape = {}
        for shape in {row[2] for row in rows}:
            held = [row for row in rows if row[2] is shape]
            counts = np.bincount([row[0] for row in held], minlength=top)
            by_shape[shape] = (np.cumsum(counts) - counts, counts, np.array([row[1] for row in held], np.int64))
        return cls(frozenset(row[0] for row in rows), by_shape)


def collect(
    columns: EventColumns, group: Group, filters: FilterSet, specs: Sequence[MeasureSpec | None]
) -> list[Matches]:
    """Returns what `columns` touches of the group's measures, one `Matches` per shape, empty ones left out.

    Subjects are as written in the rows: history's must still be mapped to the subjects they are now.
    """
    filter_ids, rows = filters.match_rows(columns, group.filters)
    if not len(rows):
        return []
    result = []
    for shape, (starts, counts, measures) in group.by_shape.items():
        per_row = counts[filter_ids]
        total = int(per_row.sum())
        if total == 0:
            continue
        if total == len(rows) and counts.max() == 1:  # one measure a filter, and each has the shape: as they are
            touched, source = measures[starts[filter_ids]], rows
        else:
            source = np.repeat(np.arange(len(rows)), per_row)
            within = np.arange(total) - np.repeat(np.cumsum(per_row) - per_row, per_row)
            touched, source = measures[starts[filter_ids[source]] + within], rows[source]
        matches = _rows(columns, shape, touched, source, specs)
        if len(matches):
            result.append(matches)
    return result


def _rows(
    columns: EventColumns, shape: Shape, measures: Ints, rows: Ints, specs: Sequence[MeasureSpec | None]
) -> Matches:
    subjects = np.empty(len(rows), np.uint32)
    extra = np.zeros(len(rows), _EXTRA_TYPES[shape])
    keep = np.ones(len(rows), np.bool_)
    sequences = columns.sequences[rows]
    for key, held in _by_reading(measures, specs).items():
        kind, name, ranking, zone = key
        chosen = slice(None) if held is None else held
        subjects[chosen] = columns.subjects(kind)[rows[chosen]]
        if shape is Shape.SUM:
            extra[chosen], keep[chosen] = _numbers(columns, name, rows[chosen])
        elif shape is Shape.DISTINCT:
            extra[chosen], keep[chosen] = _hashes(columns, name, zone, rows[chosen])
        elif shape is Shape.EXTREME:
            extra[chosen], keep[chosen] = _ranks(columns, name, ranking, rows[chosen])
            if ranking is Ranking.EARLIEST:
                sequences[chosen] *= -1
    keep &= subjects != 0
    values = None
    if shape is Shape.EXTREME:
        values = lambda chosen: _values(columns, measures[chosen], rows[chosen], specs)  # noqa: E731
    elif shape is Shape.VISITS:
        extra[:] = _are_pages(columns)[rows]
        for name in _ORIGIN:  # read now: they may be asked for after a snapshot has replaced what `columns` reads from
            columns.view(name)
        values = lambda chosen: _origins(columns, rows[chosen])  # type: ignore[assignment]  # noqa: E731
    matches = Matches(shape, measures, subjects, columns.times[rows], sequences, extra, values)
    return matches if keep.all() else matches.take(np.flatnonzero(keep))


_ORIGIN = ("referrer", "source")
_EXTRA_TYPES: dict[Shape, str] = {
    Shape.COUNT: "i1",  # unused, as for ENDINGS and STEPS
    Shape.ENDINGS: "i1",
    Shape.STEPS: "i1",
    Shape.VISITS: "i1",
    Shape.SUM: "f8",
    Shape.DISTINCT: "u8",
    Shape.EXTREME: "i8",
}

_Reading = tuple[SubjectKind, "str | None", "Ranking | None", str]


def _by_reading(measures: Ints, specs: Sequence[MeasureSpec | None]) -> dict[_Reading, Ints | None]:
    """Groups rows by what must be read for them; None stands for all rows (the common case)."""
    readings: dict[_Reading, int] = {}
    number_of = np.zeros(int(measures.max()) + 1, np.int64)  # measure -> number of what is read for it
    for measure in np.bincount(measures).nonzero()[0].tolist():
        spec = specs[measure]
        assert spec is not None
        if _EXTRA_TYPES[spec.shape] == "i1":
            key: _Reading = (spec.kind, None, spec.ranking, "")
        else:
            key = (spec.kind, spec.property_name, spec.ranking, spec.zone)
        number_of[measure] = readings.setdefault(key, len(readings))
    if len(readings) == 1:
        return dict.fromkeys(readings)
    numbers = number_of[measures]
    return {key: (numbers == number).nonzero()[0] for key, number in readings.items()}


def _numbers(columns: EventColumns, name: str | None, rows: Ints) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Returns the numbers of a property and where there are any that a sum can hold exactly."""
    assert name is not None
    numbers = columns.view(name).numbers
    if numbers is None:
        return np.zeros(len(rows)), np.zeros(len(rows), np.bool_)
    values = numbers[0][rows]
    return values, numbers[1][rows] & (np.abs(values) <= _LARGEST_SUMMAND)


_LARGEST_SUMMAND = 2.0**53  # whole units and millionths are kept as int64; larger numbers have no exact millionths


def _hashes(
    columns: EventColumns, name: str | None, zone: str, rows: Ints
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Returns a 64-bit name of each value (of the local day where no property is named) and where there is one."""
    if name is None:
        days = local_days(columns.times[rows], zone)
        return days.astype(np.int64).view(np.uint64), np.ones(len(rows), np.bool_)
    view = columns.view(name)
    if view.texts is not None and view.has_only_texts:
        return _word_hashes(*view.texts, rows)
    values = columns.values(name, rows)
    hashes = [0 if value is None else xxhash.xxh3_64_intdigest(_canonical_bytes(value)) for value in values]
    return np.array(hashes, np.uint64), np.array([value is not None for value in values], np.bool_)


def _word_hashes(codes: NDArray[Any], words: Sequence[str], rows: Ints) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The same for texts, each different one hashed once."""
    held = codes[rows]
    different, inverse = np.unique(held, return_inverse=True)
    hashes = [
        xxhash.xxh3_64_intdigest(_canonical_bytes(words[code])) if code >= 0 else 0 for code in different.tolist()
    ]
    return np.array(hashes, np.uint64)[inverse], held >= 0


def _canonical_bytes(value: Value) -> bytes:
    """Bytes that are equal exactly for equal values of one kind (0.0 and -0.0 are equal)."""
    return f"{type(value).__name__}:{value + 0.0 if isinstance(value, float) else value!r}".encode()


def _ranks(
    columns: EventColumns, name: str | None, ranking: Ranking | None, rows: Ints
) -> tuple[Ints, NDArray[np.bool_]]:
    """Returns ranks of which the largest wins, and where there is something to rank."""
    if ranking in (Ranking.EARLIEST, Ranking.LATEST):
        times = columns.times[rows]
        present = np.ones(len(rows), np.bool_) if name is None else columns.view(name).present()[rows]
        return (-times if ranking is Ranking.EARLIEST else times), present
    assert name is not None
    numbers = columns.view(name).numbers
    if numbers is None:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
    ranks = ordered_bits(numbers[0][rows])
    return (-ranks if ranking is Ranking.SMALLEST else ranks), numbers[1][rows]


def ordered_bits(numbers: NDArray[np.float64]) -> Ints:
    """Returns int64s in the order of the numbers (the IEEE bits, with those of negative numbers mirrored)."""
    bits = (numbers + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _are_pages(columns: EventColumns) -> NDArray[np.bool_]:
    pages = [code for code, name in enumerate(columns.type_names) if name in PAGE_TYPES]
    return np.isin(columns.type_codes, pages)


def _origins(columns: EventColumns, rows: Ints) -> list[tuple[str | None, str | None]]:
    """Where a visit that begins with one of these events came from: referrer and source, where they are texts."""
    sides = (columns.values(name, rows) for name in _ORIGIN)
    referrers, sources = ([value if isinstance(value, str) else None for value in held] for held in sides)
    return list(zip(referrers, sources, strict=True))


def _values(
    columns: EventColumns, measures: Ints, rows: Ints, specs: Sequence[MeasureSpec | None]
) -> list[Value | None]:
    result: list[Value | None] = [None] * len(rows)
    for measure in np.unique(measures).tolist():
        spec = specs[measure]
        if spec is None or spec.property_name is None:
            continue
        chosen = np.flatnonzero(measures == measure)
        for position, value in zip(chosen.tolist(), columns.values(spec.property_name, rows[chosen]), strict=True):
            result[position] = value
    return result
