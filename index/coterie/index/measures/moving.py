"""Moving whole cells: to the subject that absorbs theirs, or away.

Functions over `Cells`. Invariant: what is moved is added to the target's cell as if its events had been the
target's all along, and the source's cell is empty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coterie.index.measures.cells import Cells, Touched, keys_of, unpack
from coterie.index.measures.matches import Ints
from coterie.index.measures.spec import Shape
from coterie.index.table import Keys

_LOW = np.uint64(0xFFFFFFFF)


def move(cells: Cells, measures: dict[Shape, Ints], source: int, target: int | None) -> list[Touched]:
    """Adds the source subject's cells to the target's (None: to nobody's) and empties them.

    Cells from which events are derived are emptied alone: what they say is worked out anew.
    """
    touched: list[Touched | None] = []
    for shape, held in measures.items():
        sources = keys_of(held, np.full(len(held), source, np.uint32))
        match shape:
            case Shape.COUNT:
                touched += _move_counts(cells, sources, target)
            case Shape.SUM:
                touched += _move_sums(cells, sources, target)
            case Shape.DISTINCT:
                touched += _move_values(cells, sources, target)
            case Shape.EXTREME:
                touched += _move_extremes(cells, sources, target)
            case Shape.VISITS | Shape.STEPS:
                name = "visits" if shape is Shape.VISITS else "steps"
                cells.empty(name, _occupied(cells, name, sources)[1])
    return [part for part in touched if part is not None]


def clear(cells: Cells, measures: dict[Shape, Ints], subjects: NDArray[np.uint32]) -> list[Touched]:
    """Empties the subjects' cells (for DISTINCT a pass over the table of values)."""
    touched: list[Touched | None] = []
    for shape, held in measures.items():
        keys = keys_of(np.repeat(held, len(subjects)), np.tile(subjects, len(held)))
        if shape is Shape.COUNT:
            touched += _move_counts(cells, keys, None)
        elif shape is Shape.SUM:
            touched += _move_sums(cells, keys, None)
        elif shape is Shape.DISTINCT:
            touched += _move_values(cells, keys, None)
        elif shape is Shape.EXTREME:
            touched += _move_extremes(cells, keys, None)
    return [part for part in touched if part is not None]


def _occupied(cells: Cells, name: str, keys: Keys) -> tuple[Keys, Ints]:
    slots = cells.tables[name].find(keys)
    held = slots >= 0
    return keys[held], slots[held]


def _move_counts(cells: Cells, sources: Keys, target: int | None) -> list[Touched | None]:
    keys, slots = _occupied(cells, "counts", sources)
    if not len(keys):
        return []
    amounts = cells.tables["counts"].columns["events"][slots].astype(np.int64)
    taken = cells.add_counts(keys, -amounts)
    return [taken] if target is None else [taken, cells.add_counts(_retarget(keys, target), amounts)]


def _move_sums(cells: Cells, sources: Keys, target: int | None) -> list[Touched | None]:
    keys, slots = _occupied(cells, "sums", sources)
    if not len(keys):
        return []
    events, units, millionths = (column[slots].astype(np.int64) for column in cells.tables["sums"].columns.values())
    taken = cells.add_sums(keys, -events, -units, -millionths)
    return [taken] if target is None else [taken, cells.add_sums(_retarget(keys, target), events, units, millionths)]


def _move_values(cells: Cells, sources: Keys, target: int | None) -> list[Touched | None]:
    sources, slots = _occupied(cells, "counts", sources)
    sources = sources[cells.tables["counts"].columns["events"][slots] != 0]
    if not len(sources):
        return []
    table = cells.tables["values"]
    slots = np.flatnonzero(np.isin(table.keys, sources) & (table.columns["events"] != 0))
    if not len(slots):
        return []
    keys, hashes = table.keys[slots], table.seconds[slots]
    amounts = table.columns["events"][slots].astype(np.int64)
    taken = cells.add_values(keys, hashes, -amounts)
    return [taken] if target is None else [taken, cells.add_values(_retarget(keys, target), hashes, amounts)]


def _move_extremes(cells: Cells, sources: Keys, target: int | None) -> list[Touched | None]:
    keys, slots = _occupied(cells, "extremes", sources)
    table = cells.tables["extremes"]
    slots = slots[table.columns["kind"][slots] != 0]
    keys = table.keys[slots]
    if not len(keys):
        return []
    kinds, ranks, sequences, values = (table.columns[name][slots] for name in ("kind", "rank", "sequence", "value"))
    cells.empty("extremes", slots)
    touched: list[Touched | None] = [Touched(*unpack(keys))]
    if target is not None:
        moved = _retarget(keys, target)
        slots = table.claim(moved)
        won = cells.beats(slots, ranks, sequences)
        cells.write_extremes(slots[won], kinds[won], ranks[won], sequences[won], values[won])
        touched.append(Touched(*unpack(moved[won])))
    return touched


def _retarget(keys: Keys, target: int) -> Keys:
    return (keys & ~_LOW) | np.uint64(target)
