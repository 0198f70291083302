"""Rows brought into the order of their subjects, a bounded piece of work at a time.

A counting sort over ranges of dense ids: pieces are added as they are found, counted, and written to their places;
no step is longer than a piece. Owns the rows. Invariant: once arranged, the rows of any range of ids lie together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]  # "subjects" (uint32) among them, all of one length

_RANGE_BITS = 16  # so many ranges at most, that a row's range fits into 16 bits: numpy then sorts by radix
_TOUCHED_ROWS = 65_536  # new memory is touched so many rows at a time: each page costs a fault


def shift_for(highest: int) -> int:
    """Returns by how many bits ids up to `highest` are shifted to give the number of their range."""
    return max(0, highest.bit_length() - _RANGE_BITS)


class Arranged:
    """Rows of some columns, by subject."""

    def __init__(self) -> None:
        self._pieces: list[Columns] = []
        self._columns: Columns = {}
        self._starts: NDArray[np.int64] = np.zeros(1, np.int64)  # by range of ids, one more at the end
        self._shift = 0
        self.rows = 0
        self.highest = 0  # dense id

    def add(self, columns: Columns) -> None:
        """Adds a piece, before they are arranged."""
        subjects = columns["subjects"]
        if len(subjects):
            self._pieces.append(columns)
            self.rows += len(subjects)
            self.highest = max(self.highest, int(subjects.max()))

    def arrange(self, shift: int, ranges: int) -> Iterator[NDArray[np.int64]]:
        """Arranges the rows in ranges of `1 << shift` ids each, a piece a step; yields the rows counted in it."""
        counts = np.zeros(ranges, np.int64)
        for piece in self._pieces:
            found = np.bincount(piece["subjects"] >> np.uint32(shift), minlength=ranges)
            counts += found
            yield found
        self._shift = shift
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        nothing = np.zeros(ranges, np.int64)
        for _ in self._allocate():
            yield nothing
        places = self._starts[:-1].copy()
        self._pieces.reverse()
        while self._pieces:
            self._place(self._pieces.pop(), places)
            yield nothing

    def _allocate(self) -> Iterator[None]:
        for name, column in (self._pieces[0] if self._pieces else {}).items():
            self._columns[name] = held = np.empty(self.rows, column.dtype)
            for start in range(0, self.rows, _TOUCHED_ROWS):
                held[start : start + _TOUCHED_ROWS] = 0
                yield

    def _place(self, piece: Columns, places: NDArray[np.int64]) -> None:
        """Writes a piece's rows where their ranges go on; rows of one range keep their order."""
        ranges = (piece["subjects"] >> np.uint32(self._shift)).astype(np.uint16)
        order = np.argsort(ranges, kind="stable")
        ranges = ranges[order]
        starts = np.flatnonzero(np.append(True, ranges[1:] != ranges[:-1]))
        sizes = np.diff(np.append(starts, len(order)))
        firsts = ranges[starts]
        target = np.arange(len(order)) + np.repeat(places[firsts] - starts, sizes)
        for name, column in piece.items():
            self._columns[name][target] = column[order]
        places[firsts] += sizes

    def take(self, first: int, below: int) -> Columns | None:
        """Returns the rows of subjects with `first <= id < below` (0: no end); None where there are none."""
        if not self.rows or first > self.highest:
            return None
        last = self.highest if not below else min(below - 1, self.highest)
        start, stop = self._starts[first >> self._shift], self._starts[(last >> self._shift) + 1]
        if start == stop:
            return None
        rows: Columns = {name: column[start:stop] for name, column in self._columns.items()}
        subjects = rows["subjects"]
        inside = (subjects >= first) & (subjects <= last)
        if inside.all():
            return rows
        return {name: column[inside] for name, column in rows.items()} if inside.any() else None
