"""Terms: numbers, first and last times and values, read from cells for chosen subjects.

A term is a measure's reading, a number, or arithmetic of terms. Owns nothing. Invariant: a missing operand
makes a number missing (NaN), and a missing number satisfies nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from coterie.index.conditions import Ids
from coterie.index.measures.cells import Cells
from coterie.index.measures.matches import Ints
from coterie.index.measures.registry import Measures
from coterie.index.measures.spec import Ranking
from coterie.index.rules.ast import ArithmeticOp, CompareOp
from coterie.index.thresholds import Truths
from coterie.index.time.boundaries import Boundary
from coterie.index.views import ColumnView
from coterie.index.visits import Visits


@dataclass(frozen=True, slots=True)
class Values:
    """Where questions look values up."""

    measures: Measures
    cells: Cells
    visits: Visits


@dataclass(frozen=True, slots=True)
class CountRead:
    """The number of events, or of distinct values."""

    measure: int


@dataclass(frozen=True, slots=True)
class SumRead:
    """The total of a property, or its average."""

    measure: int
    average: bool = False


@dataclass(frozen=True, slots=True)
class ExtremeRead:
    """An extreme's time (`value` False) or property value; missing where its time is not after `lower`."""

    measure: int
    ranking: Ranking
    value: bool
    lower: Boundary | None = None


@dataclass(frozen=True, slots=True)
class Calculated:
    """Arithmetic of two terms."""

    op: ArithmeticOp
    left: Term
    right: Term


Term: TypeAlias = float | CountRead | SumRead | ExtremeRead | Calculated


def measures_of(term: Term) -> tuple[int, ...]:
    """Returns the measures a term reads."""
    match term:
        case float():
            return ()
        case Calculated(left=left, right=right):
            return measures_of(left) + measures_of(right)
        case _:
            return (term.measure,)


def numbers_of(term: Term, ids: Ids, values: Values) -> NDArray[np.float64]:
    """Returns the number of a term for each subject, NaN where it is missing."""
    match term:
        case float():
            return np.full(len(ids), term)
        case CountRead(measure=measure):
            return values.cells.counts(measure, ids).astype(np.float64)
        case SumRead(measure=measure, average=average):
            events, totals = values.cells.sums(measure, ids)
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(events == 0, np.nan, totals / events) if average else totals
        case ExtremeRead():
            numbers = view_of(term, ids, values).numbers
            return np.full(len(ids), np.nan) if numbers is None else np.where(numbers[1], numbers[0], np.nan)
        case Calculated(op=op, left=left, right=right):
            first, second = numbers_of(left, ids, values), numbers_of(right, ids, values)
            with np.errstate(all="ignore"):
                return _ARITHMETIC[op](first, second)


def _divide(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(second == 0, np.nan, first / second)


_ARITHMETIC: dict[ArithmeticOp, Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]] = {
    ArithmeticOp.ADD: np.add,
    ArithmeticOp.SUBTRACT: np.subtract,
    ArithmeticOp.MULTIPLY: np.multiply,
    ArithmeticOp.DIVIDE: _divide,
}

_COMPARE: dict[CompareOp, Callable[[Any, Any], Any]] = {
    CompareOp.EQ: operator.eq,
    CompareOp.NE: operator.ne,
    CompareOp.LT: operator.lt,
    CompareOp.LE: operator.le,
    CompareOp.GT: operator.gt,
    CompareOp.GE: operator.ge,
}


def times_of(read: ExtremeRead, ids: Ids, values: Values) -> tuple[Truths, Ints, Ints]:
    """Returns where there is an extreme inside its window, its time and its journal position.

    Only for extremes by time.
    """
    present, ranks, sequences = values.cells.extremes(read.measure, ids)
    sign = -1 if read.ranking is Ranking.EARLIEST else 1
    times = ranks * sign
    if read.lower is not None:
        present = present & (times > values.measures.cursor(read.lower))
    return present, times, sequences * sign


def view_of(read: ExtremeRead, ids: Ids, values: Values) -> ColumnView:
    """Returns an extreme as a column: instants for a time, whatever kind for a property value."""
    if not read.value:
        present, times, _ = times_of(read, ids, values)
        return ColumnView(rows=len(ids), instants=(times, present))
    view = values.cells.extreme_values(read.measure, ids)
    if read.lower is None:
        return view
    inside = times_of(read, ids, values)[0]
    return _masked(view, inside)


def _masked(view: ColumnView, keep: Truths) -> ColumnView:
    def only(pair: tuple[NDArray[np.generic], Truths] | None) -> tuple[NDArray[np.generic], Truths] | None:
        return pair and (pair[0], pair[1] & keep)

    lists = view.lists and [held if kept else None for held, kept in zip(view.lists, keep.tolist(), strict=True)]
    return ColumnView(
        rows=view.rows,
        numbers=only(view.numbers),  # type: ignore[arg-type]
        texts=view.texts and (np.where(keep, view.texts[0], -1), view.texts[1]),
        booleans=only(view.booleans),  # type: ignore[arg-type]
        instants=only(view.instants),  # type: ignore[arg-type]
        lists=lists,
    )


@dataclass(frozen=True, slots=True)
class TermComparison:
    """A comparison with another term."""

    op: CompareOp
    term: Term


def compared(term: Term, comparison: TermComparison, ids: Ids, values: Values) -> Truths:
    """Compares two terms, of one kind of value; a missing one satisfies nothing."""
    compare, other = _COMPARE[comparison.op], comparison.term
    if isinstance(term, ExtremeRead) and isinstance(other, ExtremeRead):
        first, second = (list(view_of(each, ids, values).values()) for each in (term, other))
        pairs = zip(first, second, strict=True)
        return np.array([type(a) is type(b) and a is not None and bool(compare(a, b)) for a, b in pairs], np.bool_)
    left, right = numbers_of(term, ids, values), numbers_of(other, ids, values)
    with np.errstate(invalid="ignore"):
        return np.asarray(compare(left, right) & ~np.isnan(left) & ~np.isnan(right))
