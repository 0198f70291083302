"""Thresholds: comparisons of one measure's number with constants, for a whole batch at once.

Owns the columns of a table of thresholds. Invariant: a threshold is a closed interval or its opposite, and a
missing number is in neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coterie.index.measures.matches import Ints

Truths = NDArray[np.bool_]


class Read:
    """Which number of a cell a threshold compares."""

    EVENTS, TOTAL, AVERAGE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Threshold:
    """low <= number <= high (or its opposite); a missing average satisfies neither."""

    measure: int
    read: int
    low: float
    high: float
    negated: bool = False

    def empty_truth(self) -> bool:
        """Its truth over no events."""
        return False if self.read == Read.AVERAGE else (self.low <= 0 <= self.high) != self.negated


class ThresholdTable:
    """Thresholds as columns, found by measure: every touched cell is compared with all of its measure's at once.

    `order[i]` is the place, in the list given, of the table's threshold i.
    """

    def __init__(self, thresholds: list[Threshold]) -> None:
        self.order = sorted(range(len(thresholds)), key=lambda place: thresholds[place].measure)
        says = [thresholds[place] for place in self.order]
        measures = np.array([each.measure for each in says], np.int64)
        self._counts = np.bincount(measures, minlength=1) if len(measures) else np.zeros(1, np.int64)
        self._starts = np.cumsum(self._counts) - self._counts
        self._low = np.array([each.low for each in says])
        self._high = np.array([each.high for each in says])
        self._negated = np.array([each.negated for each in says], np.bool_)
        self._read = np.array([each.read for each in says], np.int8)
        self._events_only = not self._read.any()

    def expand(self, measures: Ints) -> tuple[Ints, Ints]:
        """Returns (row, threshold) for every threshold on each row's measure."""
        known = measures < len(self._counts)
        counts = np.where(known, self._counts[np.where(known, measures, 0)], 0)
        total = int(counts.sum())
        rows = np.repeat(np.arange(len(measures)), counts)
        within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows, self._starts[measures[rows]] + within

    def truth(self, thresholds: Ints, events: Ints, totals: NDArray[np.float64]) -> Truths:
        """Returns whether each threshold holds for (number of events, total)."""
        if self._events_only:
            numbers: NDArray[Any] = events
            missing = None
        else:
            read = self._read[thresholds]
            average = read == Read.AVERAGE
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.where(average, totals / events, np.where(read == Read.TOTAL, totals, events))
            missing = average & (events == 0)
        inside = (numbers >= self._low[thresholds]) & (numbers <= self._high[thresholds])
        truths = inside != self._negated[thresholds]
        return np.asarray(truths if missing is None else truths & ~missing)


def below(number: float) -> float:
    """Returns the largest double less than a number, so that `x < n` can be said as "at most"."""
    return math.nextafter(number, -math.inf)


def above(number: float) -> float:
    """The smallest double greater than a number."""
    return math.nextafter(number, math.inf)
