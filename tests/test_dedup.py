"""Deduplication: a retried event never counts twice, however it is retried and whatever was restarted between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.index.events import hashes as hashes_module
from coterie.index.events.dedup import SeenIds, event_hash
from coterie.index.events.hashes import HashSet
from coterie.index.settings import DAY_MS, HOUR_MS
from tests.kept_pages import KeptPages

FUTURE = 300_000


def _add(seen: SeenIds, ids: list[str], at: int = 0, times: list[int] | None = None) -> list[bool]:
    given_times = np.array([at] * len(ids) if times is None else times, dtype=np.int64)
    return [bool(repeat) for repeat in seen.add(ids, given_times, at)]


def _reload(seen: SeenIds, kept: KeptPages, **arguments: int) -> SeenIds:
    kept.take(seen)
    loaded = SeenIds(**arguments)
    loaded.load(kept.committed())
    return loaded


def test_repeats_within_a_record_and_of_earlier_ones() -> None:
    """The first of equal ids counts; later ones, in the same record or another, are repeats."""
    seen = SeenIds()
    assert _add(seen, ["a", "b", "a", "a"]) == [False, False, True, True]
    assert _add(seen, ["c", "b"]) == [False, True]
    assert len(seen) == 3


def test_an_event_without_an_id_is_never_a_repeat() -> None:
    """Empty ids are not remembered."""
    seen = SeenIds()
    assert _add(seen, ["", "", "a", ""]) == [False] * 4
    assert _add(seen, ["", "a"]) == [False, True]


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 400), max_size=60), max_size=20), st.sampled_from([1, 3, 5]))
def test_it_is_a_set(records: list[list[int]], reload_every: int) -> None:
    """Against a Python set, with a restart every few records: equal answers, id by id."""
    seen, kept, naive = SeenIds(), KeptPages(), set[str]()
    for number, record in enumerate(records):
        ids = [f"id-{value}" for value in record]
        expected = []
        for event_id in ids:
            expected.append(event_id in naive)
            naive.add(event_id)
        assert _add(seen, ids) == expected
        if number % reload_every == 0:
            seen = _reload(seen, kept)
    assert len(seen) == len(naive)


def test_many_ids_are_all_found_again() -> None:
    """A hundred thousand ids: none is a repeat at first, each is at the second time, also after a restart."""
    seen = SeenIds()
    records = [[f"event-{first + i}" for i in range(250)] for first in range(0, 100_000, 250)]
    assert not any(any(_add(seen, record)) for record in records)
    seen = _reload(seen, KeptPages())
    assert all(all(_add(seen, record)) for record in records[::7])
    assert seen.size_bytes <= 60 * 100_000


def test_ids_expire_with_the_records_time() -> None:
    """An id is remembered for the whole window, and not for much longer."""
    seen = SeenIds(window_ms=DAY_MS)
    _add(seen, ["a"], at=0)
    _add(seen, ["b"], at=DAY_MS - 1)
    assert _add(seen, ["a"], at=DAY_MS - 1) == [True]
    assert _add(seen, ["a", "b"], at=2 * DAY_MS) == [False, False]


def test_an_expired_id_is_remembered_anew() -> None:
    """An id that came back after its time counts once, then is a repeat again."""
    seen = SeenIds(window_ms=HOUR_MS)
    ids = [f"event-{number}" for number in range(5_000)]
    for at in (0, 2 * HOUR_MS, 4 * HOUR_MS):
        assert not any(_add(seen, ids, at=at))
        assert all(_add(seen, ids, at=at + 1))
    assert len(seen) == 5_000


def test_the_oldest_are_forgotten_when_there_are_too_many() -> None:
    """At most the limit is remembered, and at least most of it: the newest."""
    seen = SeenIds(limit=1_000)
    for number in range(5_000):
        _add(seen, [f"event-{number}"])
        assert len(seen) <= 1_000
    assert all(_add(seen, [f"event-{number}" for number in range(4_200, 4_300)]))
    assert len(seen) >= 900


def test_what_is_older_than_the_reach_is_looked_up_in_history() -> None:
    """Once something was forgotten, history is asked about unremembered events that are old enough, and only those."""
    asked: list[tuple[bytes, int]] = []

    def in_history(event_id: bytes, time: int) -> bool:
        asked.append((event_id, time))
        return event_id == event_hash("loaded")

    seen = SeenIds(window_ms=DAY_MS, max_future_ms=FUTURE, in_history=in_history)
    _add(seen, ["loaded"], at=0, times=[-5])
    assert _add(seen, ["loaded"], at=1, times=[-5]) == [True]
    assert asked == []
    now = 3 * DAY_MS
    assert _add(seen, ["loaded", "other", "new"], at=now, times=[-5, FUTURE, FUTURE + 2]) == [True, False, False]
    assert asked == [(event_hash("loaded"), -5), (event_hash("other"), FUTURE)]


def test_a_failed_snapshot_loses_nothing() -> None:
    """Ids that only an abandoned snapshot has written are in the next one."""
    seen, kept = SeenIds(), KeptPages()
    _add(seen, ["a"])
    kept.take(seen)
    _add(seen, ["b"])
    kept.abandon(seen, after=1)
    _add(seen, ["c"])
    assert _add(_reload(seen, kept), ["a", "b", "c", "d"]) == [True, True, True, False]


def test_a_snapshot_shows_the_moment_it_began() -> None:
    """What arrives while it runs is not in it, and in the next one."""
    seen, kept, number = SeenIds(), KeptPages(), iter(range(100))
    _add(seen, ["before"])

    def arrive() -> None:
        assert _add(seen, [f"during-{next(number)}"]) == [False]

    kept.take(seen, between=arrive)
    loaded = SeenIds()
    loaded.load(kept.committed())
    assert _add(loaded, ["before", "during-0"]) == [True, False]
    assert _add(_reload(seen, kept), ["before", "during-0", "during-1"]) == [True, True, True]


def test_expired_generations_leave_the_store() -> None:
    """Pages of ids that have expired are removed; the store does not grow for ever."""
    seen, kept = SeenIds(window_ms=HOUR_MS), KeptPages()
    for day in range(6):
        _add(seen, [f"event-{day}-{number}" for number in range(100)], at=day * DAY_MS)
        kept.take(seen)
    assert len(kept.pages) == 2  # the header and the last hundred


def test_hashes_that_share_a_half_are_different() -> None:
    """All 128 bits count."""
    table = HashSet()
    first, second = np.array([[7, 9]], dtype=np.uint64), np.array([[8, 9], [7, 8], [7, 9]], dtype=np.uint64)
    table.put(first, table.find(first, 1)[1], np.ones(1, dtype=np.uint32), 1)
    assert table.find(second, 1)[0].tolist() == [False, False, True]


def test_hashes_made_to_collide_are_kept_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no splitting helps, nothing is lost: hashes that agree in all bits that choose their place."""
    monkeypatch.setattr(hashes_module, "_MAX_DEPTH", 3)
    table = HashSet()
    contrived = np.zeros((3_000, 2), dtype=np.uint64)
    contrived[:, 1] = np.arange(3_000, dtype=np.uint64) << np.uint64(16)
    for start in range(0, 3_000, 250):
        batch = contrived[start : start + 250]
        present, slots = table.find(batch, 1)
        assert not present.any()
        table.put(batch, slots, np.ones(250, dtype=np.uint32), 1)
    assert table.find(contrived, 1)[0].all()
    assert not table.find(contrived, 2)[0].any()
