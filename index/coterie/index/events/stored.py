"""How history keeps one column: compact arrays in which a missing value is a value no event can have.

Numbers are NaN, instants MISSING_INSTANT, booleans -1 where missing; texts are codes (-1 missing) of the
narrowest integer type into an Arrow dictionary. Outside memory a column is an Arrow array with proper nulls.
Invariant: columns are never changed, only made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coterie.index.model import ValueKind
from coterie.index.texts import stored_words
from coterie.index.views import ColumnView, Rows

MISSING_INSTANT: Final = -(2**63)


class ColumnKey(NamedTuple):
    """One column: values of one kind of one property, or of one context name."""

    context: bool
    name: str
    kind: ValueKind


class Column(ABC):
    """The values of one key over some rows."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def size_bytes(self) -> int:
        """Memory the column takes."""

    @abstractmethod
    def view(self) -> ColumnView:
        """Returns the form that tests read."""

    @abstractmethod
    def take(self, rows: Rows) -> Column:
        """Returns the chosen rows."""

    @abstractmethod
    def to_arrow(self) -> pa.Array:
        """Returns an Arrow array with nulls."""


class PlainColumn(Column):
    """Numbers, instants or booleans."""

    DTYPES: ClassVar[dict[ValueKind, Any]] = {
        ValueKind.NUMBER: np.float64,
        ValueKind.INSTANT: np.int64,
        ValueKind.BOOLEAN: np.int8,
    }
    MISSING: ClassVar[dict[ValueKind, float]] = {
        ValueKind.NUMBER: float("nan"),
        ValueKind.INSTANT: MISSING_INSTANT,
        ValueKind.BOOLEAN: -1,
    }
    _ARROW: ClassVar[dict[ValueKind, pa.DataType]] = {
        ValueKind.NUMBER: pa.float64(),
        ValueKind.INSTANT: pa.timestamp("ms", tz="UTC"),
        ValueKind.BOOLEAN: pa.bool_(),
    }

    def __init__(self, kind: ValueKind, values: npt.NDArray[Any]) -> None:
        self.kind, self.values = kind, values

    def __len__(self) -> int:
        return len(self.values)

    @property
    def size_bytes(self) -> int:
        """Memory the column takes."""
        return self.values.nbytes

    def present(self) -> npt.NDArray[np.bool_]:
        """Returns which rows have a value."""
        is_nan: bool = self.kind is ValueKind.NUMBER  # which differs from itself alone
        present: npt.NDArray[np.bool_] = self.values != (self.values if is_nan else self.MISSING[self.kind])
        return ~present if is_nan else present

    def view(self) -> ColumnView:
        """Returns the form that tests read."""
        column = (self.values, self.present())
        if self.kind is ValueKind.NUMBER:
            return ColumnView(len(self), numbers=column)
        if self.kind is ValueKind.INSTANT:
            return ColumnView(len(self), instants=column)
        return ColumnView(len(self), booleans=(self.values == 1, column[1]))

    def take(self, rows: Rows) -> PlainColumn:
        """Returns the chosen rows."""
        return PlainColumn(self.kind, self.values[rows])

    def to_arrow(self) -> pa.Array:
        """Returns an Arrow array with nulls."""
        values = self.values == 1 if self.kind is ValueKind.BOOLEAN else self.values
        return pa.array(values, self._ARROW[self.kind], mask=~self.present())

    @classmethod
    def from_arrow(cls, kind: ValueKind, array: pa.Array) -> PlainColumn:
        """Returns the column of an array made by `to_arrow`."""
        if kind is ValueKind.BOOLEAN:
            array = array.cast(pa.int8())
        elif kind is ValueKind.INSTANT:
            array = array.cast(pa.int64())
        filled = array.fill_null(cls.MISSING[kind]) if array.null_count else array
        return cls(kind, filled.to_numpy(zero_copy_only=False))


class TextColumn(Column):
    """Texts as codes into a dictionary."""

    def __init__(self, codes: npt.NDArray[Any], words: pa.StringArray) -> None:
        self.codes, self.words = codes, words

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def size_bytes(self) -> int:
        """Memory the column takes."""
        return int(self.codes.nbytes + self.words.nbytes)

    def view(self) -> ColumnView:
        """Returns the form that tests read."""
        return ColumnView(len(self), texts=(self.codes, stored_words(self.words)))

    def take(self, rows: Rows) -> TextColumn:
        """Returns the chosen rows, without the words they do not use."""
        codes = self.codes[rows]
        used = np.zeros(len(self.words) + 1, dtype=np.bool_)
        used[codes] = True
        kept = used[:-1].nonzero()[0]
        if len(kept) == len(self.words):
            return TextColumn(codes, self.words)
        renumbered = np.full(len(self.words) + 1, -1, dtype=np.int32)
        renumbered[kept] = np.arange(len(kept))
        return TextColumn(narrow(renumbered[codes], len(kept)), self.words.take(pa.array(kept)))

    def to_arrow(self) -> pa.Array:
        """Returns an Arrow dictionary array with nulls."""
        return pa.DictionaryArray.from_arrays(pa.array(self.codes, mask=self.codes < 0), self.words)

    @classmethod
    def from_arrow(cls, array: pa.DictionaryArray) -> TextColumn:
        """Returns the column of an array made by `to_arrow`."""
        codes = array.indices.fill_null(-1) if array.null_count else array.indices
        return cls(codes.to_numpy(zero_copy_only=False), array.dictionary)


class ListColumn(Column):
    """Lists of texts, as Arrow keeps them."""

    TYPE: Final = pa.list_(pa.string())

    def __init__(self, lists: pa.ListArray) -> None:
        self.lists = lists

    def __len__(self) -> int:
        return len(self.lists)

    @property
    def size_bytes(self) -> int:
        """Memory the column takes."""
        return int(self.lists.nbytes)

    def view(self) -> ColumnView:
        """Returns the form that tests read."""
        return ColumnView(len(self), lists=[None if held is None else tuple(held) for held in self.lists.to_pylist()])

    def take(self, rows: Rows) -> ListColumn:
        """Returns the chosen rows."""
        return ListColumn(self.lists.take(pa.array(rows)))

    def to_arrow(self) -> pa.Array:
        """Returns the array itself."""
        return self.lists


def narrow(codes: npt.NDArray[Any], words: int) -> npt.NDArray[Any]:
    """Returns the codes in the narrowest integer type that holds a dictionary of so many words."""
    return codes.astype(np.int8 if words <= 2**7 else np.int16 if words <= 2**15 else np.int32, copy=False)


# ---------------------------------------------------------------- making columns


def column_of(kind: ValueKind, values: Sequence[Any], rows: Rows | None, length: int) -> Column:
    """Returns a column of `length` rows with the values (all of the kind) at `rows` (None: at every row)."""
    if kind is ValueKind.LIST:
        lists: list[Any] = list(values)
        if rows is not None:
            lists = [None] * length
            for row, value in zip(rows.tolist(), values, strict=True):
                lists[row] = value
        return ListColumn(pa.array(lists, ListColumn.TYPE))
    if kind is ValueKind.TEXT:
        distinct = dict.fromkeys(values)
        codes = dict(zip(distinct, range(len(distinct)), strict=True))
        held = narrow(np.fromiter(map(codes.__getitem__, values), np.int32, len(values)), len(codes))
        return TextColumn(_scattered(held, -1, rows, length), pa.array(codes, pa.string(), size=len(codes)))
    held = np.array(values, dtype=PlainColumn.DTYPES[kind])
    return PlainColumn(kind, _scattered(held, PlainColumn.MISSING[kind], rows, length))


def _scattered(held: npt.NDArray[Any], missing: float, rows: Rows | None, length: int) -> npt.NDArray[Any]:
    if rows is None:
        return held
    result = np.full(length, missing, dtype=held.dtype)
    result[rows] = held
    return result


Part: TypeAlias = "Column | int"  # an int stands for so many rows without a value


def concatenate(kind: ValueKind, parts: Sequence[Part]) -> Column:
    """Returns the parts one after the other as one column of that kind."""
    if kind is ValueKind.TEXT:
        return _concatenate_texts(parts)
    if kind is ValueKind.LIST:
        arrays = [pa.nulls(p, ListColumn.TYPE) if isinstance(p, int) else p.to_arrow() for p in parts]
        return ListColumn(pa.concat_arrays(arrays))
    missing, dtype = PlainColumn.MISSING[kind], PlainColumn.DTYPES[kind]
    held = [p.values if isinstance(p, PlainColumn) else np.full(_length(p), missing, dtype) for p in parts]
    return PlainColumn(kind, np.concatenate(held))


def _concatenate_texts(parts: Sequence[Part]) -> TextColumn:
    columns = [part for part in parts if isinstance(part, TextColumn)]
    # Encoding all dictionaries as one tells, for each entry of each, its code in the united one.
    united = pa.concat_arrays([column.words for column in columns]).dictionary_encode()
    renumbered = united.indices.to_numpy()
    codes, begin = [], 0
    for part in parts:
        if isinstance(part, TextColumn):
            end = begin + len(part.words)
            codes.append(np.append(renumbered[begin:end], np.int32(-1))[part.codes])  # -1 finds the last
            begin = end
        else:
            codes.append(np.full(_length(part), -1, dtype=np.int32))
    return TextColumn(narrow(np.concatenate(codes), len(united.dictionary)), united.dictionary)


def _length(part: Part) -> int:
    return part if isinstance(part, int) else len(part)


def from_arrow(kind: ValueKind, array: pa.Array) -> Column:
    """Returns the column of an array made by a column's `to_arrow`."""
    if kind is ValueKind.TEXT:
        return TextColumn.from_arrow(array)
    if kind is ValueKind.LIST:
        return ListColumn(array)
    return PlainColumn.from_arrow(kind, array)
