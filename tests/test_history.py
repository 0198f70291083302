"""History: what was appended is found, in rows, runs or blocks, through snapshots that succeed, fail and are reloaded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from coterie.index.errors import DataLoss
from coterie.index.events.columns import Arrival, RowColumns
from coterie.index.events.filters import FilterSet
from coterie.index.events.history import History
from coterie.index.events.sealing import STATE_KEY, Sizes, unpack_state
from coterie.index.model import Event, SubjectKind
from coterie.index.time.calendar import HIGHEST
from tests.event_rows import records, selectors, selects
from tests.history_twin import SMALL, HistoryMachine, Store, snapshot

HistoryMachine.TestCase.__doc__ = "History answers like a list of arrivals, through any course of snapshots."
TestHistory = HistoryMachine.TestCase


def arrivals(count: int, revision: int = 1, step: int = 10, user: int = 1) -> list[Arrival]:
    """A record of simple events."""
    return [
        Arrival(step * (revision * 100 + n), revision * 256 + n, user, 0, _event(f"{revision}.{n}", n))
        for n in range(count)
    ]


def _event(event_id: str, number: int) -> Event:
    return Event(event_id, "view", (), None, None, {"price": float(number), "url": f"/page/{number}"}, {"os": "iOS"})


@given(selectors, st.lists(records(1), max_size=5), st.booleans())
def test_filters_select_the_same_live_and_over_history(
    selector: object, drawn: list[list[Arrival]], sealed: bool
) -> None:
    """What a filter selects of a record is what it selects of the same events in runs and in blocks."""
    store = Store()
    history = History(store, SMALL)
    everything = []
    for index, record in enumerate(drawn):
        renumbered = [a._replace(sequence=index * 256 + n) for n, a in enumerate(record)]
        history.append(RowColumns(renumbered))
        everything += renumbered
    if sealed:
        snapshot(history, store)
    filters = FilterSet()
    filters.add(selector, "Europe/Paris")  # type: ignore[arg-type]
    found = []
    for piece in history.scan(-HIGHEST, HIGHEST):
        for _, rows in filters.match(piece):
            found += piece.sequences[rows].tolist()
    expected = [a.sequence for a in everything if selects(selector, a, "Europe/Paris")]  # type: ignore[arg-type]
    assert sorted(found) == sorted(expected)


@given(st.lists(st.lists(st.integers(0, 60), min_size=5, max_size=9), min_size=1, max_size=8), st.integers(-1, 60))
def test_reach_counts_rows_wherever_they_lie(records_of_times: list[list[int]], after: int) -> None:
    """With runs and blocks that overlap in any way, `reach` is the time of the n-th next row, for any n."""
    store = Store()
    history = History(store, SMALL)
    for revision, times in enumerate(records_of_times):
        history.append(
            RowColumns([Arrival(t, revision * 256 + n, 1, 0, _event("", n)) for n, t in enumerate(sorted(times))])
        )
        if revision % 3 == 0:
            snapshot(history, store)
    later = sorted(t for times in records_of_times for t in times if t > after)
    for rows in range(1, len(later) + 3):
        assert history.reach(after, rows) == (later[min(rows, len(later)) - 1] if later else HIGHEST)


def test_reach_of_many_rows_is_about_right() -> None:
    """Where many rows are asked for, each source may bring a few more or less."""
    history = History(Store(), SMALL)
    rng = np.random.default_rng(3)
    times = np.sort(rng.integers(0, 100_000, 6_000))
    for revision, some in enumerate(np.split(rng.permutation(times), 60)):
        history.append(
            RowColumns([Arrival(t, revision * 256 + n, 1, 0, _event("", n)) for n, t in enumerate(some.tolist())])
        )
    after = -1
    while (through := history.reach(after, 1_000)) < int(times[-1]):
        assert 700 <= history.count(after, through) <= 1_300
        after = through
    assert history.reach(after, 1_000) == times[-1]
    assert history.reach(int(times[-1]), 1_000) == HIGHEST


def test_erased_subjects_leave_nothing_behind_after_compaction() -> None:
    """After `compact` and a snapshot no row of an erased subject is left; a row shared with an account stays as its."""
    store = Store()
    history = History(store, SMALL)
    for revision, user in enumerate((7, 8, 7, 9), start=1):
        record = [_secret(a) if user == 7 and a.sequence % 256 else a for a in arrivals(6, revision, user=user)]
        record[0] = record[0]._replace(account=3)
        history.append(RowColumns(record))
        snapshot(history, store)
    history.append(RowColumns([_secret(a) for a in arrivals(3, 9, user=7)]))
    assert "secret" in everything_in(store)
    history.erase(SubjectKind.USER, [7])
    history.compact()
    snapshot(history, store)
    assert history.of_subjects(SubjectKind.USER, [7]) == []
    assert len(history.of_subjects(SubjectKind.ACCOUNT, [3])) == 4
    assert history.rows == 14
    assert len(history.of_subjects(SubjectKind.USER, [8, 9])) == 12
    assert "secret" not in everything_in(store)
    snapshot(history, store)
    assert unpack_state(store.pages[STATE_KEY])[1][SubjectKind.USER] == BitMap()  # nothing is left to look for


def _secret(arrival: Arrival) -> Arrival:
    return arrival._replace(event=arrival.event._replace(type="secret", properties={"secret": "secret"}))


def everything_in(store: Store) -> str:
    """All that the pages say, dictionaries and names included."""
    texts = []
    for key, data in store.pages.items():
        try:
            with pa.ipc.open_stream(data) as reader:
                column = reader.read_next_batch().column(0)
            texts.append(f"{column.to_pylist()} {getattr(column, 'dictionary', None)}")
        except pa.ArrowInvalid:
            texts.append(f"{key!r} {data!r}")
    return " ".join(texts)


def test_erasure_outlives_a_restart() -> None:
    """Subjects erased but not compacted yet are still erased after the state was loaded again."""
    store = Store()
    history = History(store, SMALL)
    history.append(RowColumns(arrivals(20, 1, user=7) + arrivals(20, 2, user=8)))
    snapshot(history, store)
    history.erase(SubjectKind.USER, [7])
    snapshot(history, store)
    history = History(store, SMALL)
    history.load(store.at_start())
    history.compact()
    snapshot(history, store)
    assert (history.rows, history.of_subjects(SubjectKind.USER, [7])) == (20, [])


def test_rows_added_while_a_snapshot_runs_are_not_in_it() -> None:
    """A snapshot shows the state at its beginning; what came meanwhile stays, and is in the next."""
    store = Store()
    history = History(store, SMALL)
    history.append(RowColumns(arrivals(12)))
    pages = history.begin()
    held = [next(pages)]
    history.append(RowColumns(arrivals(9, revision=2)))
    store.commit(held + list(pages))
    history.end(committed=True)
    again = History(store, SMALL)
    again.load(store.at_start())
    assert (history.rows, again.rows) == (21, 12)


def test_sealed_rows_leave_memory() -> None:
    """With a store, what a snapshot sealed takes no memory beyond a bounded cache."""
    store = Store()
    history = History(store, SMALL)
    for revision in range(1, 60):
        history.append(RowColumns(arrivals(30, revision)))
    before = history.size_bytes
    snapshot(history, store)
    list(history.scan(-HIGHEST, HIGHEST))
    assert history.size_bytes <= SMALL.cache_bytes + 2_000 < before


def test_blocks_do_not_pile_up() -> None:
    """However small the snapshots are and however late the events, blocks stay few and shallow."""
    store = Store()
    history = History(store, SMALL)
    for revision in range(1, 80):
        late = [a._replace(time=a.time % 977) for a in arrivals(4, revision)]
        history.append(RowColumns(sorted(late)))
        snapshot(history, store)
    rows = history.rows
    deepest = max(len(list(history._all.overlapping(at - 1, at))) for at in range(977))
    assert rows == 79 * 4
    assert len(history._blocks) <= 4 * (rows // SMALL.block_rows)
    assert deepest <= 6


def test_equal_times_may_fill_more_than_a_block() -> None:
    """Any number of events may have one time; blocks stay bounded all the same."""
    store = Store()
    history = History(store, SMALL)
    for revision in range(1, 11):
        history.append(RowColumns([a._replace(time=5) for a in arrivals(20, revision)]))
    snapshot(history, store)
    assert max(block.rows for block in history._blocks) <= 2 * SMALL.block_rows
    assert (history.count(4, 5), history.next_time(4), history.next_time(5), history.reach(0, 3)) == (200, 5, None, 5)


def test_large_rows_make_smaller_blocks() -> None:
    """Blocks are bounded in bytes too."""
    sizes = Sizes(recent_rows=5, block_bytes=20_000, least_block_rows=2)
    history = History(None, sizes)
    for revision in range(1, 11):
        big = [
            a._replace(event=a.event._replace(properties={"text": f"{a.time}" * 500})) for a in arrivals(10, revision)
        ]
        history.append(RowColumns(big))
    list(history.begin())
    history.end(committed=True)
    assert len(history._blocks) >= 10


def test_a_lost_page_is_named() -> None:
    """A page that is gone from the store is data loss, naming the part; never an empty answer."""
    store = Store()
    history = History(store, SMALL)
    history.append(RowColumns(arrivals(6)))
    snapshot(history, store)
    for key in [key for key in store.pages if key.startswith(b"\xff")]:
        del store.pages[key]
    with pytest.raises(DataLoss, match="history"):
        history.next_time(1000)


def test_the_cost_of_appending_does_not_grow() -> None:
    """Appending to much history puts no more rows into columns than appending to little."""
    history = History(None, SMALL)
    made = []
    for revision in range(1, 400):
        history.append(RowColumns(arrivals(5, revision)))
        made.append(len(history._recent) + sum(run.rows for run in history._small_runs))
    assert max(made) <= SMALL.recent_rows * SMALL.runs_merged * 2
