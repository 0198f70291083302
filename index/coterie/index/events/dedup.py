"""Deduplication: which event ids have arrived before.

Owns the hashes of the ids of the last day of arrivals, by generation: one is begun every twenty-fourth of
the time or of the number remembered, and the oldest expires when the record's `at` has left it behind or there
are too many. Events that may be older than that reach are looked up in history. Invariant: what is
remembered follows from the sequence of calls alone, so a replay refuses the same events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TypeAlias

import msgpack
import numpy as np
import numpy.typing as npt
from xxhash import xxh3_128_digest

from coterie.index.events.hashes import Hashes, HashSet
from coterie.index.settings import Settings
from coterie.index.storage.parts import Page

Bools: TypeAlias = npt.NDArray[np.bool_]
Times: TypeAlias = npt.NDArray[np.int64]
HistoryLookup: TypeAlias = Callable[[bytes, int], bool]  # (hash of the id, time) -> is it in history

_DEFAULT = Settings()
_GENERATIONS = 24
_NEVER = -(2**62)
_RECENT = 2_048  # about a millisecond to settle
_PAGE_IDS = 16_384  # or a few more: 256 kB of hashes, a millisecond

_HEADER, _IDS = b"header", b"ids"


def event_hash(event_id: str) -> bytes:
    """Returns the 16-byte hash an event id is known by (xxh3-128, big-endian)."""
    return xxh3_128_digest(event_id.encode())


@dataclass(slots=True)
class _Generation:
    """Ids that arrived together: they expire together."""

    number: int
    begun_at: int
    newest_at: int
    ids: int = 0
    pages: int = 0  # durable ones, or being written


class SeenIds:
    """The event ids of recent arrivals."""

    def __init__(
        self,
        window_ms: int = _DEFAULT.dedup_ms,
        limit: int = _DEFAULT.dedup_ids,
        max_future_ms: int = _DEFAULT.max_future_ms,
        in_history: HistoryLookup | None = None,
    ) -> None:
        self._window_ms = window_ms
        self._limit = limit
        self._max_future_ms = max_future_ms
        self._in_history = in_history
        self._hashes = HashSet()
        self._recent: dict[bytes, int] = {}  # hash -> generation, of those not in `_hashes` yet
        self._generations: deque[_Generation] = deque()
        self._next_number = 1
        self._reach = _NEVER  # whatever arrived later than this is remembered
        self._log: dict[int, list[Hashes]] = {}  # ids by generation that no snapshot has yet
        self._frozen: dict[int, list[Hashes]] = {}
        self._removed: list[_Generation] = []  # expired with pages in the store
        self._frozen_removed: list[_Generation] = []

    def __len__(self) -> int:
        return sum(generation.ids for generation in self._generations)

    @property
    def size_bytes(self) -> int:
        """Memory held."""
        waiting = (*self._log.values(), *self._frozen.values())
        return self._hashes.size_bytes + sum(hashes.nbytes for batch in waiting for hashes in batch)

    def add(self, ids: Sequence[str], times: Times, at: int) -> Bools:
        """Takes the event ids of one record and tells which are repeats (of each other, too).

        `times` are the events' own times, `at` the record's. An empty id is never a repeat.
        """
        duplicate = np.zeros(len(ids), dtype=np.bool_)
        fresh = self._mark_repeats(ids, duplicate)
        if not fresh:
            return duplicate
        self._expire(at, len(fresh))
        generation = self._generation(at)
        digests = [xxh3_128_digest(ids[row].encode()) for row in fresh]
        seen = self._remembered(digests)
        if self._in_history is not None and self._reach != _NEVER:
            self._look_back(fresh, digests, times, seen)
        if any(seen):
            duplicate[list(compress(fresh, seen))] = True
            digests = [digest for digest, repeat in zip(digests, seen, strict=True) if not repeat]
        self._recent.update(dict.fromkeys(digests, generation.number))
        generation.ids += len(digests)
        if len(self._recent) >= _RECENT:
            self._settle()
        return duplicate

    def _mark_repeats(self, ids: Sequence[str], duplicate: Bools) -> list[int]:
        """Marks repeats within the record; returns the rows of first occurrences of ids."""
        if len(set(ids)) == len(ids) and "" not in ids:
            return list(range(len(ids)))
        first: dict[str, int] = {}
        for row, event_id in enumerate(ids):
            if event_id and first.setdefault(event_id, row) != row:
                duplicate[row] = True
        return list(first.values())

    def _remembered(self, digests: list[bytes]) -> list[bool]:
        """Tells which hashes are of a generation that has not expired."""
        oldest, recent = self._generations[0].number, self._recent
        settled, _ = self._hashes.find(_as_hashes(digests), oldest)
        if recent.keys().isdisjoint(digests):
            known: list[bool] = settled.tolist()
            return known
        return [seen or recent.get(digest, 0) >= oldest for seen, digest in zip(settled.tolist(), digests, strict=True)]

    def _look_back(self, rows: list[int], digests: list[bytes], times: Times, seen: list[bool]) -> None:
        """Looks up in history what may have arrived before the ids that are remembered."""
        assert self._in_history is not None, "there is a history to look into"
        for index, row in enumerate(rows):
            time = int(times[row])
            if not seen[index] and time <= self._reach + self._max_future_ms:
                seen[index] = self._in_history(digests[index], time)

    def _settle(self) -> None:
        """Moves the newest hashes from the dictionary, which is quick for a few, to the arrays, which are small."""
        oldest = self._generations[0].number if self._generations else self._next_number
        alive = {digest: number for digest, number in self._recent.items() if number >= oldest}
        self._recent = {}
        if not alive:
            return
        hashes = _as_hashes(list(alive))
        numbers = np.fromiter(alive.values(), np.uint32, len(alive))
        # As long as nothing has ever expired there is no old place to be used again.
        slots = np.full(len(hashes), -1, np.int64) if oldest == 1 else self._hashes.find(hashes, oldest)[1]
        self._hashes.put(hashes, slots, numbers, oldest)
        for number in np.unique(numbers).tolist():
            self._log.setdefault(number, []).append(hashes[numbers == number])

    # ------------------------------------------------------------ generations

    def _generation(self, at: int) -> _Generation:
        """Returns the generation that arrivals at `at` belong to."""
        if self._generations:
            newest = self._generations[-1]
            young = at < newest.begun_at + max(1, self._window_ms // _GENERATIONS)
            if young and newest.ids < max(1, self._limit // _GENERATIONS):
                newest.newest_at = at
                return newest
        self._generations.append(_Generation(self._next_number, at, at))
        self._next_number += 1
        return self._generations[-1]

    def _expire(self, at: int, arriving: int) -> None:
        total = len(self) + arriving
        while self._generations:
            oldest = self._generations[0]
            if oldest.newest_at > at - self._window_ms and total <= self._limit:
                return
            total -= oldest.ids
            self._reach = oldest.newest_at
            self._log.pop(oldest.number, None)
            if oldest.pages:
                self._removed.append(oldest)
            self._generations.popleft()

    # ------------------------------------------------------------ snapshots

    def begin(self) -> Iterator[Page]:
        """Freezes what is remembered (see `Part`). Hashes are written once, expired generations removed."""
        self._settle()
        self._frozen, self._log = self._log, {}
        self._frozen_removed, self._removed = self._removed, []
        generations = [[g.number, g.begun_at, g.newest_at, g.ids] for g in self._generations]
        header = msgpack.packb([self._next_number, self._reach, generations])
        written = [self._pages_of(generation) for generation in self._generations]
        removed = [(g.number, page) for g in self._frozen_removed for page in range(g.pages)]

        def pages() -> Iterator[Page]:
            yield _HEADER, header
            for pages_of_generation in written:
                yield from pages_of_generation
            for number, page in removed:
                yield _page_key(number, page), None

        return pages()

    def end(self, committed: bool) -> None:
        """Forgets or takes back what was frozen (see `Part`)."""
        if not committed:
            alive = {generation.number for generation in self._generations}
            for number, batches in self._frozen.items():
                if number in alive:
                    self._log[number] = batches + self._log.get(number, [])
            self._removed = self._frozen_removed + self._removed
        self._frozen = {}
        self._frozen_removed = []

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores what was remembered (see `Part`)."""
        by_number: dict[int, _Generation] = {}
        for key, page in pages:
            if key == _HEADER:
                self._next_number, self._reach, generations = msgpack.unpackb(page)
                self._generations = deque(_Generation(*generation) for generation in generations)
                by_number = {generation.number: generation for generation in self._generations}
            else:
                number = int.from_bytes(key[-8:-4], "big")
                by_number[number].pages = int.from_bytes(key[-4:], "big") + 1
                hashes = np.frombuffer(page, dtype="<u8").reshape(-1, 2).astype(np.uint64)
                self._restore(hashes, number)

    def _restore(self, hashes: Hashes, number: int) -> None:
        for start in range(0, len(hashes), 8_192):
            batch = hashes[start : start + 8_192]
            _, slots = self._hashes.find(batch, 1)
            self._hashes.put(batch, slots, np.full(len(batch), number, dtype=np.uint32), 1)

    def _pages_of(self, generation: _Generation) -> Iterator[Page]:
        """Yields a generation's new hashes; page numbers are taken now, so a failed snapshot only leaves a gap."""
        groups: list[list[Hashes]] = []
        for batch in self._frozen.get(generation.number, []):
            if not groups or sum(map(len, groups[-1])) >= _PAGE_IDS:
                groups.append([])
            groups[-1].append(batch)
        first = generation.pages
        generation.pages += len(groups)
        return (
            (_page_key(generation.number, page), np.concatenate(group).astype("<u8").tobytes())
            for page, group in enumerate(groups, first)
        )


def _as_hashes(digests: list[bytes]) -> Hashes:
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64).reshape(-1, 2)


def _page_key(generation: int, page: int) -> bytes:
    return _IDS + generation.to_bytes(4, "big") + page.to_bytes(4, "big")
