"""History beside a plain list of arrivals: the state machine that drives both, and the store it lives on.

Owns the small sizes at which a few dozen rows pass through every form history has. Invariant: what is
expected is always a loop over the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from xxhash import xxh3_128_digest

from coterie.index.events.columns import Arrival, RowColumns
from coterie.index.events.history import History
from coterie.index.events.sealing import Page, Sizes
from coterie.index.model import Event, SubjectKind
from coterie.index.time.calendar import HIGHEST
from tests.event_rows import TIMES, records

SMALL = Sizes(
    recent_rows=5,
    runs_merged=2,
    piece_rows=7,
    block_rows=16,
    block_bytes=10**9,
    least_block_rows=2,
    blocks_deep=2,
    blocks_joined=3,
    cache_bytes=2_000,
)
pool = st.sampled_from(
    [
        Event(event_id, event_type, (), None, None, properties, context)
        for event_id, event_type, properties, context in (
            ("", "view", {}, {}),
            ("e1", "view", {"p": 1.5, "q": "a"}, {"q": "b", "os": True}),
            ("e2", "buy", {"p": "text", "q": ("x", "y")}, {"os": "iOS"}),
            ("e3", "buy", {"p": False, "r": TIMES[0]}, {"p": 2.5}),
            ("e1", "$visit", {"p": (), "q": "c"}, {"r": 1, "q": ("z",)}),
        )
    ]
)
asked_times = st.sampled_from(TIMES).flatmap(lambda at: st.integers(at - 4_000_000, at + 11_000_000)) | st.sampled_from(
    [0, 1, 2, -HIGHEST, HIGHEST]
)


@dataclass
class Store:
    """The committed pages of a state store, and those of an unfinished snapshot."""

    pages: dict[bytes, bytes] = field(default_factory=dict)

    def read(self, part: str, page: bytes) -> bytes | None:
        """Returns a committed page."""
        assert part == "history"
        return self.pages.get(page)

    def commit(self, pages: list[Page]) -> None:
        """Makes the pages of a finished snapshot the ones that are read."""
        for key, data in pages:
            assert len(key) <= 400
            if data is None:
                self.pages.pop(key)
            else:
                self.pages[key] = data

    def at_start(self) -> Iterator[tuple[bytes, bytes]]:
        """What a part is given to load: all but the pages that are read on demand."""
        return ((key, data) for key, data in sorted(self.pages.items()) if not key.startswith(b"\xff"))


def seen(arrival: Arrival) -> tuple[object, ...]:
    """What history promises to keep of an arrival."""
    return (*arrival[:4], arrival.event.type, arrival.event.properties, arrival.event.context)


def snapshot(history: History, store: Store) -> None:
    """Takes a whole snapshot."""
    pages = list(history.begin())
    store.commit(pages)
    history.end(committed=True)


class HistoryMachine(RuleBasedStateMachine):
    """History beside a list of arrivals."""

    @initialize(has_store=st.booleans())
    def start(self, has_store: bool) -> None:
        """Begins with nothing, with or without a store."""
        self.store = Store() if has_store else None
        self.history = History(self.store, SMALL)
        self.arrivals: list[Arrival] = []
        self.revision = 1
        self.running: Iterator[Page] | None = None
        self.yielded: list[Page] = []
        self.at_begin: list[Arrival] = []
        self.durable: list[Arrival] = []

    @rule(data=st.data())
    def append(self, data: st.DataObject) -> None:
        """Appends a record."""
        arrivals = data.draw(records(self.revision, drawn_events=pool))
        self.revision += 1
        self.history.append(RowColumns(arrivals))
        self.arrivals += arrivals

    @precondition(lambda self: self.running is None)
    @rule()
    def begin_snapshot(self) -> None:
        """Begins a snapshot; what is appended from here on is not in it."""
        self.running = self.history.begin()
        self.yielded, self.at_begin = [], list(self.arrivals)

    @precondition(lambda self: self.running is not None)
    @rule(steps=st.integers(1, 30))
    def go_on(self, steps: int) -> None:
        """Lets the snapshot yield some pages."""
        assert self.running is not None
        for _, page in zip(range(steps), self.running, strict=False):
            self.yielded.append(page)

    @precondition(lambda self: self.running is not None)
    @rule()
    def commit_snapshot(self) -> None:
        """Lets the snapshot finish."""
        assert self.running is not None
        self.yielded += list(self.running)
        if self.store is not None:
            self.store.commit(self.yielded)
        self.history.end(committed=True)
        self.running, self.durable = None, self.at_begin

    @precondition(lambda self: self.running is not None)
    @rule()
    def fail_snapshot(self) -> None:
        """Ends the snapshot before it is done."""
        self.history.end(committed=False)
        self.running = None

    @precondition(lambda self: self.store is not None and self.running is None)
    @rule()
    def reopen(self) -> None:
        """Begins anew from what is durable."""
        assert self.store is not None
        self.history = History(self.store, SMALL)
        self.history.load(self.store.at_start())
        self.arrivals = list(self.durable)

    @precondition(lambda self: self.running is None)
    @rule()
    def compact(self) -> None:
        """Asks for compaction; nothing is erased, so nothing changes."""
        self.history.compact()

    @rule(after=asked_times, through=asked_times)
    def scan(self, after: int, through: int) -> None:
        """A scan yields what a loop over the list finds."""
        found = []
        for piece in self.history.scan(after, through):
            assert 0 < piece.rows <= SMALL.piece_rows or isinstance(piece, RowColumns)
            found += [piece.event(row) for row in range(piece.rows)]
        expected = [arrival for arrival in self.arrivals if after < arrival.time <= through]
        assert sorted(map(seen, found), key=lambda each: each[1]) == sorted(map(seen, expected), key=lambda e: e[1])
        assert self.history.count(after, through) == len(expected)

    @rule(after=asked_times, rows=st.integers(1, 40))
    def look_ahead(self, after: int, rows: int) -> None:
        """The next time and the n-th next row's are those of the sorted list."""
        later = sorted(arrival.time for arrival in self.arrivals if arrival.time > after)
        assert self.history.next_time(after) == (later[0] if later else None)
        assert self.history.reach(after, rows) == (later[min(rows, len(later)) - 1] if later else HIGHEST)

    @rule(
        kind=st.sampled_from(SubjectKind),
        dense_ids=st.lists(st.integers(1, 4), min_size=1, max_size=2),
        limit=st.none() | st.integers(0, 9),
        index=st.integers(0, 40),
    )
    def timeline(self, kind: SubjectKind, dense_ids: list[int], limit: int | None, index: int) -> None:
        """Timelines and totals of subjects are those of the list."""
        newest = sorted(self.arrivals, key=lambda a: (a.time, a.sequence), reverse=True)
        before = newest[index][:2] if index < len(newest) else None
        mine = [a for a in newest if (a.user if kind is SubjectKind.USER else a.account) in dense_ids]
        expected = [a for a in mine if before is None or a[:2] < before][:limit]
        assert list(map(seen, self.history.of_subjects(kind, dense_ids, before, limit))) == list(map(seen, expected))
        totals = {name: sum(a.event.type == name for a in mine) for name in sorted({a.event.type for a in mine})}
        ends = (mine[-1].time, mine[0].time) if mine else (None, None)
        assert self.history.summary(kind, dense_ids) == (totals, *ends)

    @rule(event_id=st.sampled_from(("e1", "e2", "e3", "other")), time=st.sampled_from((*TIMES, 1, 2)))
    def look_up_id(self, event_id: str, time: int) -> None:
        """An id is known exactly at the times of its events."""
        expected = any(a.time == time and a.event.event_id == event_id for a in self.arrivals)
        digest = xxh3_128_digest(event_id.encode())
        assert self.history.has_id(digest, time) == expected
        assert self.history.has_id(int.from_bytes(digest, "big"), time) == expected

    @invariant()
    def knows_how_much_there_is(self) -> None:
        """The number of rows and the newest time are those of the list."""
        assert self.history.rows == len(self.arrivals)
        assert self.history.newest() == max((arrival.time for arrival in self.arrivals), default=None)
