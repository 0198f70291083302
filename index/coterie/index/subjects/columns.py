"""Typed columns: one value per subject in a numpy array indexed by dense id, with a mark for "missing".

Numbers are float64 (missing NaN), instants int64 (missing -2^63), booleans int8 (missing -1), texts and
lists int32 codes (missing -1) into a dictionary that counts its uses and gives freed codes out again.
Invariant: a code in the array always has an entry, and an entry always has a use.

Byte layouts: a value page is 65 536 rows of the array, then (for a column that keeps times) as many int64
times, little-endian, both cut at the array's end; a dictionary page is a msgpack array of 4 096 entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Any, Final, TypeAlias

import msgpack
import numpy as np
import numpy.typing as npt

from coterie.index.model import Value, ValueKind
from coterie.index.storage.parts import Pages

DenseIds: TypeAlias = npt.NDArray[np.uint32]
Times: TypeAlias = npt.NDArray[np.int64]
Raw: TypeAlias = npt.NDArray[Any]

CHUNK_BITS: Final = 16
_CHUNK_ROWS = 1 << CHUNK_BITS
_ENTRY_BITS = 12
NO_TIME: Final = -(2**62)
_NO_CODE = -1

_FORMS: Final[dict[ValueKind, tuple[str, Any]]] = {
    ValueKind.TEXT: ("<i4", _NO_CODE),
    ValueKind.LIST: ("<i4", _NO_CODE),
    ValueKind.NUMBER: ("<f8", np.nan),
    ValueKind.INSTANT: ("<i8", -(2**63)),
    ValueKind.BOOLEAN: ("<i1", -1),
}


class Dictionary:
    """The different texts, or lists, of one column, by code; `blank` stands where a code is free."""

    def __init__(self, blank: Any) -> None:
        self.entries: list[Any] = []
        self.pages = Pages(self._encode)
        self._blank = blank
        self._codes: dict[Any, int] = {}
        self._uses = np.zeros(16, dtype=np.int64)
        self._free: list[int] = []
        self._idle: set[int] = set()  # codes that may have no use

    def intern(self, entry: Any) -> int:
        """Returns the code of an entry, new or old; the caller counts its use, else it is freed again."""
        code = self._codes.get(entry)
        if code is None:
            if self._free:
                code = self._free.pop()
                self.pages.touch(code >> _ENTRY_BITS)
                self.entries[code] = entry
            else:
                code = len(self.entries)
                self.pages.touch(code >> _ENTRY_BITS)
                self.entries.append(entry)
                if code >= len(self._uses):
                    self._uses = np.concatenate([self._uses, np.zeros_like(self._uses)])
            self._codes[entry] = code
            self._idle.add(code)
        return code

    def intern_all(self, entries: Iterable[Any]) -> Raw:
        """Returns the codes of entries, which without a use by the next `release_idle` are freed again."""
        codes = list(map(self._codes.get, entries))
        if None in codes:
            codes = [self.intern(entry) if code is None else code for code, entry in zip(codes, entries, strict=True)]
        return np.array(codes, dtype=np.int32)

    def replace(self, old: Raw, new: Raw) -> None:
        """Counts one use less for each code of `old`, one more for each of `new`; frees nothing yet."""
        old, new = old[old != _NO_CODE], new[new != _NO_CODE]
        np.add.at(self._uses, new, 1)
        np.subtract.at(self._uses, old, 1)
        self._idle.update(old[self._uses[old] == 0].tolist())

    def replace_one(self, old: int, new: int) -> None:
        """As `replace`, for one row; frees what is unused."""
        if new != _NO_CODE:
            self._uses[new] += 1
            self._idle.discard(new)
        if old != _NO_CODE:
            self._uses[old] -= 1
            self._idle.add(old)
        self.release_idle()

    def release_idle(self) -> None:
        """Frees the codes that have no use."""
        if self._idle:
            for code in sorted(self._idle):
                if not self._uses[code]:
                    self._release(code)
            self._idle.clear()

    def load(self, pages: dict[int, bytes], codes: Raw) -> None:
        """Restores the entries from their pages, and the uses from the column's codes."""
        for number in sorted(pages):
            start = number << _ENTRY_BITS
            self.entries += [self._blank] * (start - len(self.entries))
            self.entries += msgpack.unpackb(pages[number], use_list=False)
        self._uses = np.bincount(codes[codes != _NO_CODE], minlength=max(16, len(self.entries)))
        for code in np.flatnonzero(self._uses[: len(self.entries)] == 0).tolist():
            self._free.append(code)
        self._codes = {entry: code for code, entry in enumerate(self.entries) if self._uses[code]}

    def _release(self, code: int) -> None:
        self.pages.touch(code >> _ENTRY_BITS)
        del self._codes[self.entries[code]]
        self.entries[code] = self._blank
        self._free.append(code)

    def _encode(self, number: int) -> bytes:
        start = number << _ENTRY_BITS
        packed: bytes = msgpack.packb(self.entries[start : start + (1 << _ENTRY_BITS)])
        return packed


class Column:
    """One attribute of all subjects: a kind, the values and, for newest-of-context ones, their event times."""

    def __init__(self, name: str, kind: ValueKind, keeps_times: bool) -> None:
        self.name = name
        self.kind = kind
        dtype, self._missing = _FORMS[kind]
        self.values: Raw = np.empty(0, dtype)
        self.times: Times | None = np.empty(0, "<i8") if keeps_times else None
        self.pages = Pages(self._encode)
        self.dictionary: Dictionary | None = None
        if kind in (ValueKind.TEXT, ValueKind.LIST):
            self.dictionary = Dictionary("" if kind is ValueKind.TEXT else ())

    @property
    def size_bytes(self) -> int:
        """Memory of the arrays, and roughly of the dictionary."""
        times = self.times.nbytes if self.times is not None else 0
        return self.values.nbytes + times + (120 * len(self.dictionary.entries) if self.dictionary else 0)

    def present(self, raw: Raw) -> npt.NDArray[np.bool_]:
        """Tells which raw values are not the mark for missing."""
        if self.kind is ValueKind.NUMBER:
            return ~np.isnan(raw)
        return np.asarray(raw != self._missing)

    def get(self, subject: int) -> Value | None:
        """Returns a subject's value, None where it has none."""
        if subject >= len(self.values):
            return None
        raw = self.values[subject].item()
        if self.dictionary is not None:
            entry: Value | None = None if raw == _NO_CODE else self.dictionary.entries[raw]
            return entry
        if self.kind is ValueKind.NUMBER:
            return None if isnan(raw) else float(raw)
        if raw == self._missing:
            return None
        return bool(raw) if self.kind is ValueKind.BOOLEAN else int(raw)

    def time(self, subject: int) -> int:
        """Returns the event time of a subject's value, NO_TIME where there is none."""
        return int(self.times[subject]) if self.times is not None and subject < len(self.times) else NO_TIME

    def set(self, subject: int, value: Value | None, time: int | None = None) -> bool:
        """Sets or (None) removes a subject's value of the column's kind; tells whether it changed.

        A `time` goes with it where the column keeps times; without one the time stays as it is.
        """
        same = self.get(subject) == value
        timed = self.times is not None and time is not None and time != self.time(subject)
        if same and not timed:
            return False
        self.reach(subject)
        self.pages.touch(subject >> CHUNK_BITS)
        if self.times is not None and time is not None:
            self.times[subject] = time
        if same:
            return False
        if self.dictionary is None:
            self.values[subject] = self._missing if value is None else value
        else:
            code = _NO_CODE if value is None else self.dictionary.intern(value)
            old = int(self.values[subject])
            self.values[subject] = code
            self.dictionary.replace_one(old, code)
        return True

    def gather(self, subjects: DenseIds) -> Raw:
        """Returns the raw values of subjects, the mark for missing where an id was never reached."""
        if not len(self.values):
            return np.full(len(subjects), self._missing, self.values.dtype)
        raw = self.values.take(subjects, mode="clip")
        beyond = subjects >= len(self.values)
        if beyond.any():
            raw[beyond] = self._missing
        return raw

    def keep_times(self) -> Times:
        """Returns the times of the values, kept from now on where they were not."""
        if self.times is None:
            # All pages change their form; those a running snapshot awaits are encoded in the old one first.
            self.pages.touch_all(np.arange(-(-len(self.values) >> CHUNK_BITS)))
            self.times = np.full(len(self.values), NO_TIME, dtype="<i8")
        return self.times

    def reach(self, subject: int) -> None:
        """Grows the arrays to hold an id: at first doubling, then by whole pages (realloc moves large arrays)."""
        length = len(self.values)
        if subject < length:
            return
        whole = (subject | (_CHUNK_ROWS - 1)) + 1
        grown = whole if whole > _CHUNK_ROWS else min(_CHUNK_ROWS, max(64, 1 << subject.bit_length()))
        self.values.resize(grown, refcheck=False)
        self.values[length:] = self._missing
        if self.times is not None:
            self.times.resize(grown, refcheck=False)
            self.times[length:] = NO_TIME

    def load(self, pages: dict[int, bytes], entries: dict[int, bytes]) -> None:
        """Restores the column from its pages, and its dictionary from the dictionary's."""
        width = self.values.itemsize + (8 if self.times is not None else 0)
        for number, page in sorted(pages.items()):
            rows, start = len(page) // width, number << CHUNK_BITS
            self.reach(start + rows - 1)
            self.values[start : start + rows] = np.frombuffer(page, self.values.dtype, rows)
            if self.times is not None:
                self.times[start : start + rows] = np.frombuffer(page, "<i8", rows, rows * self.values.itemsize)
        if self.dictionary is not None:
            self.dictionary.load(entries, self.values)

    def _encode(self, number: int) -> bytes:
        rows = slice(number << CHUNK_BITS, (number + 1) << CHUNK_BITS)
        times = self.times[rows].tobytes() if self.times is not None else b""
        return self.values[rows].tobytes() + times
