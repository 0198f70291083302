"""A set of 128-bit hashes in numpy arrays, each with the generation it was put in; grown without pauses.

Extendible hashing: the top bits of a hash choose, through a directory, one segment of 256 buckets of 16
slots; two other bytes of it name two buckets there, and it lies in the one that was emptier. A full segment
is rebuilt without what has expired, or split in two. Invariants: a bucket fills from its first slot; an
entry of an expired generation is treated as absent. An entry costs 20 bytes, divided by a load of 0.35 to 0.82.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = npt.NDArray[np.uint64]  # shape (n, 2): high and low half
Generations: TypeAlias = npt.NDArray[np.uint32]
Slots: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

_WIDTH = 16  # slots in a bucket
_BUCKETS = 256  # buckets in a segment
_FULL = int(0.82 * _WIDTH * _BUCKETS)  # entries at which a segment is rebuilt or split, or up to _SPREAD earlier:
_SPREAD = int(0.12 * _WIDTH * _BUCKETS)  # segments fill evenly, and should not all split in the same moment
_MAX_DEPTH = 24  # directory bits: 16 M segments; deeper would only serve hashes made to collide
_ABSENT = -1


class HashSet:
    """Hashes with generations; all calls are for a whole batch of different hashes."""

    def __init__(self) -> None:
        self._depth = 0
        self._directory = np.zeros(1, dtype=np.int64)  # top bits of a hash -> segment
        self._depths = np.zeros(1, dtype=np.int64)  # bits that choose the segment
        self._entries = np.zeros(1, dtype=np.int64)  # slots taken, by segment
        self._limits = np.full(1, _FULL, dtype=np.int64)  # entries at which it is full, by segment
        self._counts = np.zeros(_BUCKETS, dtype=np.uint8)  # slots taken, by bucket
        self._low = np.zeros((_BUCKETS, _WIDTH), dtype=np.uint64)
        self._high = np.zeros(_BUCKETS * _WIDTH, dtype=np.uint64)
        self._generation = np.zeros(_BUCKETS * _WIDTH, dtype=np.uint32)
        self._crowded: dict[tuple[int, int], int] = {}  # what found no room at the directory's greatest depth

    @property
    def size_bytes(self) -> int:
        """Memory of the arrays."""
        return self._directory.nbytes + self._counts.nbytes + 2 * self._low.nbytes + self._generation.nbytes

    def find(self, hashes: Hashes, oldest: int) -> tuple[Bools, Slots]:
        """Tells which hashes are there since generation `oldest` or later, and the slot of each, -1 for none.

        An expired entry is absent but has a slot, which `put` uses again.
        """
        slots = np.full(len(hashes), _ABSENT, dtype=np.int64)
        high, low = hashes[:, 0], hashes[:, 1]
        for buckets in self._buckets(hashes):
            equal = self._low.take(buckets, axis=0) == low[:, None]
            if equal.any():
                rows, places = np.nonzero(equal)
                met = buckets[rows] * _WIDTH + places
                true = (self._high[met] == high[rows]) & (places < self._counts[buckets[rows]])
                slots[rows[true]] = met[true]
        present = slots != _ABSENT
        if present.any():
            present[present] = self._generation[slots[present]] >= oldest
        if self._crowded:
            for row, key in enumerate(map(tuple, hashes.tolist())):
                present[row] |= self._crowded.get(key, 0) >= oldest
        return present, slots

    def put(self, hashes: Hashes, slots: Slots, generations: Generations, oldest: int) -> None:
        """Puts hashes that `find` has just called absent, with the slots it gave, into generations."""
        again = slots != _ABSENT
        if again.any():
            self._generation[slots[again]] = generations[again]
            hashes, generations = hashes[~again], generations[~again]
        self._make_room(hashes, oldest)
        self._place(hashes, generations)

    def _segments(self, hashes: Hashes) -> Slots:
        # Shifting in two steps, since a shift by all 64 bits is undefined.
        routes = (hashes[:, 0] >> np.uint64(1)) >> np.uint64(63 - self._depth)
        return self._directory[routes.astype(np.int64)]

    def _buckets(self, hashes: Hashes) -> tuple[Slots, Slots]:
        """Returns the two buckets each hash may lie in."""
        low = hashes[:, 1].astype(np.int64)
        first = self._segments(hashes) * _BUCKETS
        return first + (low & (_BUCKETS - 1)), first + ((low >> 8) & (_BUCKETS - 1))

    # ------------------------------------------------------------ putting

    def _place(self, hashes: Hashes, generations: Generations) -> None:
        """Writes absent hashes, splitting the segments where some find no room."""
        while len(hashes):
            left = self._insert(hashes, generations)
            hashes, generations = hashes[left], generations[left]
            segments = self._segments(hashes)
            for segment in np.unique(segments).tolist():
                if not self._split(segment):
                    stuck = segments == segment
                    self._crowd(hashes[stuck], generations[stuck])
                    hashes, generations, segments = hashes[~stuck], generations[~stuck], segments[~stuck]

    def _insert(self, hashes: Hashes, generations: Generations) -> Slots:
        """Writes absent hashes where their buckets have room; returns the rows that found none."""
        left = np.arange(len(hashes))
        first, second = self._buckets(hashes)
        chosen = np.where(self._counts[second] < self._counts[first], second, first)
        for _ in range(3):  # the emptier one, the other one, and again what became the emptier one
            order = np.argsort(chosen)
            left, chosen = left[order], chosen[order]
            places = self._counts[chosen] + _ranks(chosen)
            fits = places < _WIDTH
            rows, buckets = left[fits], chosen[fits]
            slots = buckets * _WIDTH + places[fits]
            self._high[slots] = hashes[rows, 0]
            self._low.reshape(-1)[slots] = hashes[rows, 1]
            self._generation[slots] = generations[rows]
            np.add.at(self._counts, buckets, 1)
            np.add.at(self._entries, buckets // _BUCKETS, 1)
            left = left[~fits]
            if not len(left):
                break
            chosen = np.where(chosen[~fits] == first[left], second[left], first[left])
        return left

    def _crowd(self, hashes: Hashes, generations: Generations) -> None:
        self._crowded.update(zip(map(tuple, hashes.tolist()), generations.tolist(), strict=True))

    # ------------------------------------------------------------ room

    def _make_room(self, hashes: Hashes, oldest: int) -> None:
        """Rebuilds, and where that does not help splits, the segments that these hashes would fill."""
        arriving = np.bincount(self._segments(hashes), minlength=len(self._entries))
        for segment in np.flatnonzero((self._entries + arriving > self._limits) & (arriving > 0)).tolist():
            self._rebuild(segment, oldest)
            if self._entries[segment] + arriving[segment] > _FULL * 3 // 4:
                self._split(segment)

    def _rebuild(self, segment: int, oldest: int) -> None:
        """Drops a segment's expired entries."""
        taken, block = self._block(segment)
        self._pack(segment, block, taken & (self._generation[block].reshape(taken.shape) >= oldest))

    def _split(self, segment: int) -> bool:
        """Moves the upper half of a segment's range to a new segment; False at the greatest depth."""
        depth = int(self._depths[segment])
        if depth == _MAX_DEPTH:
            return False
        if depth == self._depth:
            self._directory = np.repeat(self._directory, 2)
            self._depth += 1
        routes = np.flatnonzero(self._directory == segment)
        created = self._append_segment()
        self._directory[routes[len(routes) // 2 :]] = created
        self._depths[[segment, created]] = depth + 1
        taken, block = self._block(segment)
        upper = ((self._high[block] >> np.uint64(63 - depth)) & np.uint64(1)).astype(np.bool_).reshape(taken.shape)
        self._pack(created, block, taken & upper)
        self._pack(segment, block, taken & ~upper)
        return True

    def _block(self, segment: int) -> tuple[Bools, slice]:
        """Returns which slots of a segment are taken, shape (buckets, width), and where they lie."""
        taken = np.arange(_WIDTH) < self._counts[segment * _BUCKETS : (segment + 1) * _BUCKETS, None]
        return taken, slice(segment * _BUCKETS * _WIDTH, (segment + 1) * _BUCKETS * _WIDTH)

    def _pack(self, segment: int, block: slice, kept: Bools) -> None:
        """Writes the kept entries of a block to the front of the same buckets of a segment (or of the block's own)."""
        sources = np.flatnonzero(kept)
        places = np.cumsum(kept, axis=1).reshape(-1)[sources] - 1
        slots = segment * _BUCKETS * _WIDTH + (sources & ~np.int64(_WIDTH - 1)) + places
        for array in (self._high, self._low.reshape(-1), self._generation):
            array[slots] = array[block][sources]
        self._counts[segment * _BUCKETS : (segment + 1) * _BUCKETS] = kept.sum(axis=1)
        self._entries[segment] = len(sources)

    def _append_segment(self) -> int:
        created = len(self._entries)
        self._depths = np.append(self._depths, 0)
        self._entries = np.append(self._entries, 0)
        self._limits = np.append(self._limits, _FULL - (created * 0x9E3779B1 % (1 << 32)) * _SPREAD // (1 << 32))
        # Large arrays grow in place, or are moved by the kernel: no copy, so no pause.
        buckets = (created + 1) * _BUCKETS
        self._counts.resize(buckets, refcheck=False)
        self._low.resize((buckets, _WIDTH), refcheck=False)
        self._high.resize(buckets * _WIDTH, refcheck=False)
        self._generation.resize(buckets * _WIDTH, refcheck=False)
        return created


def _ranks(groups: Slots) -> Slots:
    """Returns each row's position within its run of equal groups."""
    rows = np.arange(len(groups))
    begins = np.empty(len(groups), dtype=np.bool_)
    begins[:1] = True
    np.not_equal(groups[1:], groups[:-1], out=begins[1:])
    return rows - np.maximum.accumulate(np.where(begins, rows, 0))
