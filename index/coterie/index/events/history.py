"""History: every event the engine took, by event time.

Newest arrivals are rows in memory, put into runs of columns as they add up; a snapshot seals the runs into
blocks of the state store, which are read on demand, so memory stays bounded. Invariants: what was appended is
found from then on exactly once, whichever of these it lies in; subjects are the dense ids written on arrival.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, TypeAlias

import numpy as np
from pyroaring import BitMap
from xxhash import xxh3_128_intdigest

from coterie.index.events.blocks import Block, BlockStore, KeptPages, block_number, is_header
from coterie.index.events.columns import Arrival, EventColumns, RowColumns
from coterie.index.events.runs import Erased, Gathering, Gone, Run, low_half, run_of
from coterie.index.events.sealing import STATE_KEY, Page, Sealing, Sizes, plan, unpack_state
from coterie.index.events.sources import Cache, Source, Sources, StoredColumns
from coterie.index.events.timeline import Summary, newest_first, summary
from coterie.index.model import SubjectKind
from coterie.index.time.calendar import HIGHEST

Position: TypeAlias = tuple[int, int]  # (time, sequence)

_SIZES: Final = Sizes()


class History:
    """The events of one dataset. Without a store, sealed blocks are kept in memory.

    `part` is its name in the store; `gone` returns what tells, as of its call, which rows may be left out when rows
    are put together.
    """

    def __init__(
        self,
        store: BlockStore | None = None,
        sizes: Sizes = _SIZES,
        *,
        part: str = "history",
        gone: Callable[[], Gone | None] = lambda: None,
    ) -> None:
        self._part, self._gone = part, gone
        self._kept = KeptPages() if store is None else None
        self._store: BlockStore = self._kept or store  # type: ignore[assignment]  # one of the two is there
        self._sizes = sizes
        self._cache = Cache(sizes.cache_bytes)
        self._recent: list[Arrival] = []  # in order of (time, sequence)
        self._small_runs: list[Run] = []
        self._runs: list[Run] = []
        self._sealed_runs: list[Run] = []  # those the running snapshot turns into blocks
        self._blocks: list[Block] = []
        self._next_block = 1
        self._erased: Erased = {}
        self.erasures = 0  # how often rows were given up since the start
        self._compact_all = False
        self._unwanted: set[str] = set()
        self._sealing: Sealing | None = None
        self._sources: Sources | None = None
        self._newest: int | None = -HIGHEST  # the largest event time; None: to be looked up
        self.state = 0  # changes where a snapshot begins or ends: what a scan has not read by then may be gone

    # ------------------------------------------------------------ writing

    def append(self, columns: RowColumns) -> None:
        """Adds the arrivals of one record."""
        arrivals = columns.arrivals
        if not arrivals:
            return
        # Arrivals compare by (time, sequence); sequences are unique, so nothing behind them is ever compared.
        if len(arrivals) == 1:
            insort(self._recent, arrivals[0])
        else:
            in_order = sorted(arrivals)
            is_later = not self._recent or self._recent[-1] < in_order[0]
            self._recent.extend(in_order)
            if not is_later:
                self._recent.sort()
        self._newest = max(self._largest_time(), self._recent[-1][0])
        if len(self._recent) >= self._sizes.recent_rows:
            self._make_run()

    def _make_run(self) -> None:
        self._small_runs.append(run_of(self._cache, self._recent))
        self._recent = []
        if len(self._small_runs) >= self._sizes.runs_merged:
            slices: list[tuple[Source, int, int]] = [(run, 0, run.rows) for run in self._small_runs]
            rows = Gathering.of(slices, gone=self._gone())
            self._runs += [rows.run(self._cache)] if len(rows.order) else []
            self._small_runs = []
        self._sources = None

    def take_back(self, arrival: Arrival) -> bool:
        """Takes out an arrival that is still a row by itself; returns False where it is one no more."""
        index = bisect_left(self._recent, arrival[:2], key=_position)
        if index == len(self._recent) or self._recent[index][:2] != arrival[:2]:
            return False
        del self._recent[index]
        self._newest = None
        return True

    def erase(self, kind: SubjectKind, dense_ids: Iterable[int]) -> None:
        """The rows of these subjects, which are gone for good, are left out when their block is rewritten next."""
        self._erased.setdefault(kind, BitMap()).update(dense_ids)
        self.erasures += 1

    def compact(self, types: Iterable[str] = ()) -> None:
        """From the next snapshot on there is no row of an erased subject, and no two blocks that would fit one.

        Blocks with rows of the given types are rewritten too, without what is `gone`.
        """
        self._compact_all = True
        self._unwanted.update(types)

    # ------------------------------------------------------------ reading

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self._recent) + self._all.rows

    def types(self) -> set[str]:
        """Returns the event types there may be rows of."""
        stored = {name for source in self._all.sources for name in source.type_names}
        return stored | {arrival.event.type for arrival in self._recent}

    @property
    def size_bytes(self) -> int:
        """About what history takes in memory (an arrival as a row counts 1 kB)."""
        runs = chain(self._small_runs, self._runs, self._sealed_runs)
        kept = 0 if self._kept is None else self._kept.size_bytes
        return sum(run.size_bytes for run in runs) + self._cache.size_bytes + len(self._recent) * 1024 + kept

    def newest(self) -> int | None:
        """Returns the largest event time, None where there are no events."""
        newest = self._largest_time()
        return None if newest == -HIGHEST else newest

    def _largest_time(self) -> int:
        if self._newest is None:
            recent = self._recent[-1][0] if self._recent else -HIGHEST
            self._newest = max(recent, int(self._all.lasts.max(initial=-HIGHEST)))
        return self._newest

    def scan(self, after: int, through: int, piece_rows: int | None = None) -> Iterator[EventColumns]:
        """Yields all rows with `after < time <= through` in pieces of bounded size, in no particular order.

        The pieces are to be read before the next snapshot begins or ends.
        """
        most = piece_rows or self._sizes.piece_rows
        recent = self._recent[self._recent_after(after) : self._recent_after(through)]
        if recent:
            yield RowColumns(recent)
        for source in self._all.overlapping(after, through):
            start, stop = source.after(after), source.after(through)
            for begin in range(start, stop, most):
                yield StoredColumns(source, slice(begin, min(begin + most, stop)))

    def rows_of(self, kind: SubjectKind, written: BitMap, after: int, through: int) -> Iterator[EventColumns]:
        """Yields what `scan` would of subjects alone, by the dense ids written on arrival."""
        recent = [
            arrival
            for arrival in self._recent[self._recent_after(after) : self._recent_after(through)]
            if (arrival.user if kind is SubjectKind.USER else arrival.account) in written
        ]
        if recent:
            yield RowColumns(recent)
        wanted = np.array(written.to_array(), np.uint32)
        for source in self._all.overlapping(after, through):
            if source.may_hold(kind, written):
                start, stop = source.after(after), source.after(through)
                subjects = source.subjects(kind)[start:stop]
                rows = np.flatnonzero(subjects == wanted[0] if len(wanted) == 1 else np.isin(subjects, wanted))
                if len(rows):
                    yield StoredColumns(source, rows + start)

    def count(self, after: int, through: int) -> int:
        """Returns how many rows `scan` yields."""
        if through <= after:
            return 0
        held = sum(source.after(through) - source.after(after) for source in self._all.overlapping(after, through))
        return held + self._recent_after(through) - self._recent_after(after)

    def next_time(self, after: int) -> int | None:
        """Returns the smallest time later than `after`, None where there is none."""
        index = self._recent_after(after)
        found = self._recent[index][0] if index < len(self._recent) else HIGHEST
        found = min(found, self._all.next_time(after))
        return None if found == HIGHEST else found

    def reach(self, after: int, rows: int) -> int:
        """Returns a time later than `after` such that about `rows` rows, at least one, lie between.

        The time of the last row where fewer are left, HIGHEST where none is.
        """
        recent = [arrival[0] for arrival in self._recent[self._recent_after(after) :]]
        reached = self._all.reach(after, max(rows, 1), np.array(recent, dtype=np.int64))
        return HIGHEST if reached is None else reached

    def of_subjects(
        self, kind: SubjectKind, dense_ids: Sequence[int], before: Position | None = None, limit: int | None = 100
    ) -> list[Arrival]:
        """Returns the newest `limit` events of the subjects (None: all; before a (time, sequence)), newest first.

        Those that were put into columns have neither identifiers nor event id.
        """
        return newest_first(self._recent, self._all.sources, kind, list(dense_ids), before, limit)

    def summary(self, kind: SubjectKind, dense_ids: Sequence[int]) -> Summary:
        """Returns how many events of each type the subjects have, and the times of the first and the last."""
        return summary(self._recent, self._all.sources, kind, list(dense_ids))

    def has_id(self, hash128: bytes | int, time: int) -> bool:
        """Returns whether an event with that id (its xxh3-128, big-endian where bytes) and that time is here.

        Rows of erased subjects are not: sooner or later they are gone, and the answer must not depend on when.
        """
        if time > self._largest_time():
            return False
        low = low_half(hash128)
        index = self._recent_after(time - 1)
        while index < len(self._recent) and self._recent[index][0] == time:
            arrival = self._recent[index]
            if low_half(xxh3_128_intdigest(arrival.event.event_id.encode())) == low and self._is_somebodys(
                arrival.user, arrival.account
            ):
                return True
            index += 1
        for source in self._all.overlapping(time - 1, time):
            start, stop = source.after(time - 1), source.after(time)
            for row in start + np.flatnonzero(source.hashes[start:stop] == np.uint64(low)):
                if self._is_somebodys(*(int(source.subjects(kind)[row]) for kind in SubjectKind)):
                    return True
        return False

    def _is_somebodys(self, user: int, account: int) -> bool:
        subjects = zip(SubjectKind, (user, account), strict=True)
        return any(dense and dense not in self._erased.get(kind, ()) for kind, dense in subjects)

    def _recent_after(self, time: int) -> int:
        return bisect_right(self._recent, time, key=_time)

    @property
    def _all(self) -> Sources:
        if self._sources is None:
            self._sources = Sources([*self._small_runs, *self._runs, *self._sealed_runs, *self._blocks])
        return self._sources

    # ------------------------------------------------------------ snapshot

    def begin(self) -> Iterator[Page]:
        """Freezes the tail and yields it as blocks, with what blocks are rewritten on the way."""
        assert self._sealing is None, "the snapshot before has not ended"
        self.state += 1
        if self._recent:
            self._make_run()
        self._sealed_runs = [*self._runs, *self._small_runs]
        self._runs, self._small_runs = [], []
        erased = {kind: gone.copy() for kind, gone in self._erased.items()}
        everything = self._compact_all
        groups = plan(self._sizes, self._sealed_runs, self._blocks, erased, self._unwanted, everything=everything)
        self._sealing = Sealing(
            groups,
            erased,
            self._next_block,
            self._block,
            self._sizes,
            everything,
            frozenset(self._unwanted),
            self._gone(),
        )
        self._compact_all, self._unwanted = False, set()
        return self._pages(self._sealing)

    def _block(self, number: int, header: bytes) -> Block:
        return Block(self._cache, self._store, self._part, number, header)

    def _pages(self, sealing: Sealing) -> Iterator[Page]:
        for page in sealing.pages():
            if self._kept is not None:
                sealing.kept.append(page)
            yield page

    def end(self, committed: bool) -> None:
        """Lets go of what is sealed now, or takes it back as the tail."""
        sealing, self._sealing, self._sources, self._newest = self._sealing, None, None, None
        assert sealing is not None, "no snapshot has begun"
        self.state += 1
        self._next_block = sealing.next_number
        if not committed:
            self._runs = [*self._sealed_runs, *self._runs]
            self._compact_all = self._compact_all or sealing.clears
            self._unwanted |= sealing.unwanted
        else:
            for page, data in sealing.kept:
                assert self._kept is not None
                self._kept.write(page, data)
            replaced = sealing.replaced
            self._blocks = [block for block in self._blocks if block not in replaced] + sealing.blocks
            if sealing.clears:
                for kind, gone in sealing.erased.items():
                    self._erased[kind] -= gone
        self._sealed_runs = []

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores the blocks; their pages are read when asked for."""
        for key, data in pages:
            if self._kept is not None:
                self._kept.write(key, data)
            if is_header(key):
                self._blocks.append(self._block(block_number(key), data))
            elif key == STATE_KEY:
                self._next_block, self._erased = unpack_state(data)
        self._sources = self._newest = None


def _time(arrival: Arrival) -> int:
    return arrival[0]


def _position(arrival: Arrival) -> Position:
    return arrival[0], arrival[1]
