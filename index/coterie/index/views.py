"""A named value over many rows, as numpy sees it: the form in which every test reads values.

Owns nothing but arrays. Invariant: a row has a value of at most one kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from coterie.index.model import Value
from coterie.index.texts import Bools, Words

Lists: TypeAlias = Sequence[tuple[str, ...] | None]
Numbers: TypeAlias = npt.NDArray[np.float64]
Instants: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(slots=True)
class ColumnView:
    """One named value over n rows; None where no row has a value of that kind.

    Numbers are float64 and instants int64 ms, each with a mask of where they are; texts are integer codes
    (-1: none) into a dictionary, best a `Words`.
    """

    rows: int
    numbers: tuple[Numbers, Bools] | None = None
    texts: tuple[Codes, Sequence[str]] | None = None
    booleans: tuple[Bools, Bools] | None = None
    instants: tuple[Instants, Bools] | None = None
    lists: Lists | None = None

    @classmethod
    def of(cls, values: Sequence[Value | None]) -> ColumnView:
        """Returns the view of values given one by one; None is missing."""
        view = cls(len(values))
        if values and type(values[0]) in _TEXT_OR_NOTHING:
            # Text repeats, so its kind is told from the different values, which encoding needs anyway.
            distinct = dict.fromkeys(values)
            if not set(map(type, distinct)) - _TEXT_OR_NOTHING:
                view.texts = _encode(cast("Sequence[str | None]", values), cast("dict[str | None, None]", distinct))
                return view
        kinds = set(map(type, values))
        kinds.discard(NoneType)
        for kind in kinds:
            held = values if len(kinds) == 1 else [value if type(value) is kind else None for value in values]
            _add_kind(view, kind, held)
        return view

    def present(self) -> Bools:
        """Returns which rows have a value of any kind."""
        result = np.zeros(self.rows, dtype=np.bool_)
        for column in (self.numbers, self.booleans, self.instants):
            if column is not None:
                result |= column[1]
        if self.texts is not None:
            result |= self.texts[0] >= 0
        if self.lists is not None:
            result |= _are_there(self.lists)
        return result

    @property
    def has_only_texts(self) -> bool:
        """Whether no row has a value of another kind."""
        return self.numbers is None and self.booleans is None and self.instants is None and self.lists is None

    def take(self, rows: Rows | slice) -> ColumnView:
        """Returns the chosen rows, sharing the dictionary."""
        view = ColumnView(len(range(*rows.indices(self.rows))) if isinstance(rows, slice) else len(rows))
        if self.numbers is not None:
            view.numbers = (self.numbers[0][rows], self.numbers[1][rows])
        if self.texts is not None:
            view.texts = (self.texts[0][rows], self.texts[1])
        if self.booleans is not None:
            view.booleans = (self.booleans[0][rows], self.booleans[1][rows])
        if self.instants is not None:
            view.instants = (self.instants[0][rows], self.instants[1][rows])
        if self.lists is not None:
            lists = self.lists
            view.lists = lists[rows] if isinstance(rows, slice) else [lists[row] for row in rows.tolist()]
        return view

    def values(self) -> list[Value | None]:
        """Returns the values one by one."""
        result: list[Value | None] = [None] * self.rows
        for column in (self.numbers, self.booleans, self.instants):
            if column is not None:
                held = column[0].tolist()
                for row in np.flatnonzero(column[1]).tolist():
                    result[row] = held[row]
        if self.texts is not None:
            words = self.texts[1]
            for row, code in enumerate(self.texts[0].tolist()):
                if code >= 0:
                    result[row] = words[code]
        if self.lists is not None:
            for row, value in enumerate(self.lists):
                if value is not None:
                    result[row] = value
        return result

    def beside(self, other: ColumnView) -> ColumnView:
        """Returns the values of both, which have no kind in common and no row with a value in both."""
        kinds = ("numbers", "texts", "booleans", "instants", "lists")
        return ColumnView(self.rows, *(getattr(self if getattr(other, k) is None else other, k) for k in kinds))

    def over(self, other: ColumnView) -> ColumnView:
        """Returns this view's values, and the other's where this one has none."""
        free = ~self.present()
        view = ColumnView(self.rows)
        view.numbers = _either(self.numbers, other.numbers, free)
        view.booleans = _either(self.booleans, other.booleans, free)
        view.instants = _either(self.instants, other.instants, free)
        view.texts = _either_text(self.texts, other.texts, free)
        if other.lists is None:
            view.lists = self.lists
        else:
            mine = self.lists or [None] * self.rows
            view.lists = [b if is_free else a for a, b, is_free in zip(mine, other.lists, free.tolist(), strict=True)]
        return view


def _either(
    mine: tuple[npt.NDArray[Any], Bools] | None, other: tuple[npt.NDArray[Any], Bools] | None, free: Bools
) -> tuple[npt.NDArray[Any], Bools] | None:
    if other is None:
        return mine
    present = other[1] & free
    return (other[0], present) if mine is None else (np.where(present, other[0], mine[0]), mine[1] | present)


def _either_text(
    mine: tuple[Codes, Sequence[str]] | None, other: tuple[Codes, Sequence[str]] | None, free: Bools
) -> tuple[Codes, Sequence[str]] | None:
    if other is None:
        return mine
    if mine is None:
        return np.where(free, other[0], -1), other[1]
    words = Words(mine[1])
    renumbered = np.array([*(words.code(text) for text in other[1]), -1], dtype=np.int32)
    return np.where(free, renumbered[other[0]], mine[0]), words


_TEXT_OR_NOTHING = frozenset((str, NoneType))


def _are_there(lists: Lists) -> Bools:
    return np.fromiter((value is not None for value in lists), np.bool_, len(lists))


def _add_kind(view: ColumnView, kind: type, values: Sequence[Any]) -> None:
    """Sets the column of one kind from values that are all of it or None."""
    if kind is str:
        view.texts = encode_texts(values)
    elif kind is float:
        numbers = np.array(values, dtype=np.float64)  # None becomes NaN, which no number is
        view.numbers = (numbers, numbers == numbers)  # noqa: PLR0124 - false for NaN alone
    elif kind is tuple:
        view.lists = list(values)
    else:
        present = np.fromiter((value is not None for value in values), np.bool_, len(values))
        if kind is bool:
            view.booleans = (np.array([value is True for value in values], dtype=np.bool_), present)
        else:
            assert kind is int, f"no value is a {kind}"
            view.instants = (np.array([value or 0 for value in values], dtype=np.int64), present)


def encode_texts(values: Sequence[str | None]) -> tuple[npt.NDArray[np.int32], Words] | None:
    """Returns codes (-1 for None) and their dictionary, in order of first appearance; None where all are."""
    return _encode(values, dict.fromkeys(values))


def _encode(
    values: Sequence[str | None], distinct: dict[str | None, None]
) -> tuple[npt.NDArray[np.int32], Words] | None:
    some_missing = None in distinct
    distinct.pop(None, None)
    if not distinct:
        return None
    codes = cast("dict[str | None, int]", dict(zip(distinct, range(len(distinct)), strict=True)))
    words = Words(cast("Iterable[str]", distinct))
    if some_missing:
        codes[None] = -1
    return np.fromiter(map(codes.__getitem__, values), np.int32, len(values)), words
