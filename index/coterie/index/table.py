"""A hash table of fixed-width rows in numpy arrays, worked on for a whole micro-batch at once.

Open addressing with linear probing over power-of-two arrays; a key is one nonzero uint64, optionally with
a second uint64 that must match too. Owns its arrays. Invariants: a row whose first column is zero is empty; rows
are never removed, only emptied, and growing drops them. While an image is being taken, the old values of rows
about to change are logged first, so the image shows the state at its beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

U64 = np.uint64
_FIRST_CAPACITY = 1024
_FULL = 0.6  # load at which the table doubles
_TOUCHED_SLOTS = 65_536  # new memory is touched so many slots at a time: each page costs a fault
_PAGE_ROWS = 16_384  # rows in one page of an image, about a millisecond of copying
_MIX = U64(0x9E3779B97F4A7C15)
_FEW = 4  # keys that are looked for one by one
_WINDOW = np.arange(1, 9)  # slots looked at together, behind the one where a key belongs

Slots = NDArray[np.int64]
Keys = NDArray[np.uint64]


class Table:
    """Rows of `columns` (name -> dtype), all zero where nothing was written; the first one tells presence."""

    def __init__(self, columns: dict[str, str], *, paired: bool = False) -> None:
        self._kinds = columns
        self._dtypes = {name: np.dtype(kind) for name, kind in columns.items()}
        self._presence = next(iter(columns))
        self._paired = paired
        self._image: _Image | None = None
        self._writes = 0
        self.used = 0  # slots taken, emptied rows included
        self._allocate(_FIRST_CAPACITY)

    def _allocate(self, capacity: int) -> None:
        self._shift = U64(64 - capacity.bit_length() + 1)
        self._mask = capacity - 1
        self.keys: Keys = np.zeros(capacity, U64)
        self.seconds: Keys = np.zeros(capacity if self._paired else 0, U64)
        self.columns: dict[str, NDArray[Any]] = {name: np.zeros(capacity, kind) for name, kind in self._dtypes.items()}

    @property
    def size_bytes(self) -> int:
        """Memory the arrays take."""
        return int(self.keys.nbytes + self.seconds.nbytes + sum(column.nbytes for column in self.columns.values()))

    def _home(self, keys: Keys, seconds: Keys | None) -> Slots:
        # Fibonacci hashing after a fold: keys are structured (measure << 32 | id), so the halves are mixed first
        # and the top bits taken.
        mixed = keys ^ (keys >> U64(29))
        if seconds is not None:
            mixed = mixed ^ (seconds * U64(0xC2B2AE3D27D4EB4F))
        mixed = mixed * U64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> U64(32)
        return ((mixed * _MIX) >> self._shift).astype(np.int64)

    def find(self, keys: Keys, seconds: Keys | None = None) -> Slots:
        """Returns the slot of each key, -1 where it has none."""
        place = self._home(keys, seconds)
        held = self.keys[place]
        met = held == keys
        if seconds is not None:
            met &= self.seconds[place] == seconds
        if met.all():
            return place
        slots = np.where(met, place, -1)
        pending = (~met & (held != 0)).nonzero()[0]
        if len(pending) <= _FEW:
            for row in pending.tolist():
                slots[row] = self._find_one(int(place[row]), keys[row], None if seconds is None else seconds[row])
        else:
            self._find_beyond(place[pending], pending, keys, seconds, slots)
        return slots

    def _find_one(self, place: int, key: np.uint64, second: np.uint64 | None) -> int:
        """Finds one key behind a place, slot by slot."""
        while True:
            place = (place + 1) & self._mask
            held = self.keys[place]
            if held == key and (second is None or self.seconds[place] == second):
                return place
            if not held:
                return -1

    def _find_beyond(self, place: Slots, pending: Slots, keys: Keys, seconds: Keys | None, slots: Slots) -> None:
        """Finds the pending keys, which are not where they belong first, a window of slots at a time."""
        while len(pending):
            at = (place[:, None] + _WINDOW) & self._mask
            held = self.keys[at]
            met = held == keys[pending, None]
            if seconds is not None:
                met &= self.seconds[at] == seconds[pending, None]
            ends = met | (held == 0)
            rows = np.arange(len(pending))
            first = ends.argmax(axis=1)  # 0 also where the window holds neither the key nor a free slot
            found = met[rows, first]
            slots[pending[found]] = at[rows, first][found]
            left = ~ends[rows, first]
            pending, place = pending[left], place[left] + len(_WINDOW)

    def claim(self, keys: Keys, seconds: Keys | None = None) -> Slots:
        """Returns the slot of each key, taking free ones for new keys. The keys must be distinct."""
        self._writes += 1
        if self.used + len(keys) > _FULL * (self._mask + 1):
            self._grow(len(keys))
        slots = self.find(keys, seconds)
        new = (slots < 0).nonzero()[0]
        if len(new):
            slots[new] = self._claim_new(keys[new], None if seconds is None else seconds[new])
        return slots

    def _claim_new(self, keys: Keys, seconds: Keys | None) -> Slots:
        """Takes a free slot for each key; none of them is in the table."""
        slots = np.empty(len(keys), np.int64)
        pending = np.arange(len(keys))
        place = self._home(keys, seconds)
        while len(pending):
            at = place[pending]
            free = self.keys[at] == 0
            won = self._take_free(at, pending, free, keys) if free.any() else free
            slots[pending[won]] = at[won]
            if seconds is not None:
                self.seconds[at[won]] = seconds[pending[won]]
            pending = pending[~won]
            place[pending] = (place[pending] + 1) & self._mask
        return slots

    def _take_free(self, at: Slots, pending: Slots, free: NDArray[np.bool_], keys: Keys) -> NDArray[np.bool_]:
        """Writes keys into free slots and returns which of the pending ones got theirs."""
        # Several keys may want one slot: the first in order gets it (with a second half, keys alone would not tell).
        spots = at[free]
        _, firsts = np.unique(spots, return_index=True)
        won = np.zeros(len(at), np.bool_)
        won[free.nonzero()[0][firsts]] = True
        self.keys[at[won]] = keys[pending[won]]
        self.used += len(firsts)
        return won

    def _grow(self, coming: int) -> None:
        live = np.flatnonzero(self.columns[self._presence])
        keys, seconds = self.keys[live], self.seconds[live] if self._paired else None
        rows = {name: column[live] for name, column in self.columns.items()}
        capacity = _capacity_for(len(live) + coming)
        self._image = None  # an image keeps the old arrays, which nobody changes from here on
        self._allocate(capacity)
        self.used = 0
        slots = self.claim(keys, seconds)
        for name, column in self.columns.items():
            column[slots] = rows[name]

    def make_room(self, coming: int, rows: int) -> Iterator[None]:
        """Makes sure that so many new keys find room, about `rows` rows a step; not where anything is written meanwhile.

        Growing at one go, as `claim` does, copies the whole table.
        """
        if self.used + coming <= _FULL * (self._mask + 1):
            return
        writes, size, live = self._writes, len(self.keys), 0
        presence = self.columns[self._presence]
        for start in range(0, size, _TOUCHED_SLOTS):
            live += int(np.count_nonzero(presence[start : start + _TOUCHED_SLOTS]))
            yield
        grown = Table(self._kinds, paired=self._paired)
        grown._allocate(_capacity_for(live + coming))
        for column in (grown.keys, grown.seconds, *grown.columns.values()):
            for start in range(0, len(column), _TOUCHED_SLOTS):
                column[start : start + _TOUCHED_SLOTS] = 0
                yield
        for start in range(0, size, 2 * rows):
            if self._writes != writes:
                return
            grown._take_rows(self, slice(start, start + 2 * rows))
            yield
        if self._writes == writes:
            self._image = None
            self._shift, self._mask, self.used = grown._shift, grown._mask, grown.used
            self.keys, self.seconds, self.columns = grown.keys, grown.seconds, grown.columns

    def _take_rows(self, other: Table, slots: slice) -> None:
        live = np.flatnonzero(other.columns[self._presence][slots]) + slots.start
        claimed = self.claim(other.keys[live], other.seconds[live] if self._paired else None)
        for name, column in self.columns.items():
            column[claimed] = other.columns[name][live]

    def before_write(self, slots: Slots) -> None:
        """Must be called with the slots whose columns are about to change."""
        self._writes += 1
        if self._image is not None:
            self._image.log(slots)

    def empty(self, slots: Slots) -> None:
        """Empties rows."""
        self.before_write(slots)
        for column in self.columns.values():
            column[slots] = 0

    def live_keys(self) -> Keys:
        """Returns the keys of all rows that are not empty, in no particular order."""
        held: Keys = self.keys[self.columns[self._presence] != 0]
        return held

    # ------------------------------------------------------------ image

    def begin(self) -> Iterator[bytes]:
        """Yields the table as of now in pages of at most 16 k rows, while it may go on changing."""
        self._image = image = _Image(self)
        return image.pages()

    def end(self) -> None:
        """The image is finished or given up."""
        self._image = None

    def load(self, pages: Iterable[bytes]) -> None:
        """Replaces all content by the rows of an image."""
        unpacked = [msgpack.unpackb(page) for page in pages]
        self._allocate(_FIRST_CAPACITY)
        self.used = 0
        # Room for all rows first: they come in hash order, which in a smaller table makes one long run of full slots.
        self._grow(sum(len(held["keys"]) // 8 for held in unpacked))
        for held in unpacked:
            keys = np.frombuffer(held["keys"], U64)
            seconds = np.frombuffer(held["seconds"], U64) if self._paired else None
            slots = self.claim(keys, seconds)
            for name, column in self.columns.items():
                column[slots] = np.frombuffer(held[name], self._dtypes[name])


def _capacity_for(rows: int) -> int:
    capacity = _FIRST_CAPACITY
    while rows > _FULL / 1.5 * capacity:
        capacity *= 2
    return capacity


class _Image:
    """The rows of a table at one moment: its arrays, with logged old values laid over."""

    def __init__(self, table: Table) -> None:
        self._keys, self._seconds, self._columns = table.keys, table.seconds, table.columns
        self._presence = table._presence  # noqa: SLF001 - one module, two halves of one idea
        self._paired = table._paired  # noqa: SLF001
        self._logged = np.zeros(len(table.keys), np.bool_)
        self._old: list[tuple[Slots, dict[str, NDArray[Any]]]] = []

    def log(self, slots: Slots) -> None:
        fresh = slots[~self._logged[slots]]
        if len(fresh):
            self._logged[fresh] = True
            self._old.append((fresh, {name: column[fresh] for name, column in self._columns.items()}))

    def pages(self) -> Iterator[bytes]:
        for start in range(0, len(self._keys), _PAGE_ROWS):
            yield self._page(start, start + _PAGE_ROWS)

    def _page(self, start: int, stop: int) -> bytes:
        columns = {name: column[start:stop].copy() for name, column in self._columns.items()}
        for slots, old in self._old:
            inside = (slots >= start) & (slots < stop)
            if inside.any():
                for name, column in columns.items():
                    column[slots[inside] - start] = old[name][inside]
        taken = np.flatnonzero(columns[self._presence])
        page = {"keys": self._keys[start:stop][taken].tobytes()}
        page["seconds"] = self._seconds[start:stop][taken].tobytes() if self._paired else b""
        page |= {name: column[taken].tobytes() for name, column in columns.items()}
        return bytes(msgpack.packb(page))
