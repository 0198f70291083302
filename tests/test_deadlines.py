"""Deadlines against a plain dict of them, and what a million of them cost."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index import deadlines as module
from coterie.index.deadlines import Deadlines

_KEYS = st.integers(1, 6)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sets(_KEYS, min_size=1), st.sampled_from((1, 5, 20))),
        st.tuples(st.just("carry"), _KEYS, st.integers(1, 20)),
        st.tuples(st.just("clear"), st.sets(_KEYS, min_size=1), st.none()),
        st.tuples(st.just("drop"), st.integers(0, 1), st.none()),
        st.tuples(st.just("pass"), st.integers(0, 12), st.integers(0, 6)),
        st.tuples(st.just("reload"), st.none(), st.none()),
    ),
    max_size=40,
)


def _array(keys: set[int] | list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(sorted(_key(key) for key in keys), np.uint64)


def _key(key: int) -> int:
    return (key % 2) << 32 | key


@given(steps=_STEPS, slack=st.sampled_from((0, 65_536)))
def test_deadlines_are_a_dict_that_knows_who_is_due(steps: list[tuple[str, object, object]], slack: int) -> None:
    """Whatever begins, is carried over, forgotten, dropped, saved and loaded: due is who is due, and next is next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SLACK_ROWS", slack)
        held, twin, now = Deadlines(), dict[int, int](), 100
        for step in steps:
            held, now = _take(step, held, twin, now)
            assert held.next_instant() == min(twin.values(), default=None)
            assert len(held) == len(twin)
            assert held.of(_array(list(range(1, 7)))).tolist() == [
                twin.get(int(key), 0) for key in _array(list(range(1, 7)))
            ]


def _take(step: tuple[str, object, object], held: Deadlines, twin: dict[int, int], now: int) -> tuple[Deadlines, int]:
    match step:
        case ("begin", set() as keys, int() as ttl):
            fresh = {key for key in keys if _key(key) not in twin}
            held.begin(_array(fresh), now, ttl)
            twin.update({_key(key): now + ttl for key in fresh})
        case ("carry", int() as key, int() as ahead):
            held.carry(_key(key), now + ahead)
            twin[_key(key)] = now + ahead
        case ("clear", set() as keys, _):
            held.clear(_array(keys))
            for key in keys:
                twin.pop(_key(key), None)
        case ("drop", int() as latch, _):
            held.drop(latch)
            for key in [key for key in twin if key >> 32 == latch]:
                del twin[key]
        case ("pass", int() as span, int() as below):
            now += span
            for part in (below, 0):
                due = sorted(
                    key for key, deadline in twin.items() if deadline <= now and (key % 2**32 < part or not part)
                )
                assert held.due(now, part).tolist() == due
                for key in due:
                    del twin[key]
                assert held.next_instant() == min(twin.values(), default=None)
        case ("reload", _, _):
            pages, held = list(held.table.begin()), Deadlines()
            held.table.load(pages)
            held.rebuild()
    return held, now


def test_a_million_deadlines_come_due_in_a_fraction_of_a_second() -> None:
    """Begun at once, due at once: one vectorised step each."""
    held, keys = Deadlines(), np.arange(1, 1_000_001, dtype=np.uint64)
    begun = process_time()
    held.begin(keys, 0, 1_000)
    assert len(held.due(1_000)) == len(keys)
    assert process_time() - begun < 2
    assert held.next_instant() is None


def test_who_returns_again_and_again_does_not_fill_the_queues() -> None:
    """Deadlines that no longer count go when they outnumber those that do."""
    held, keys = Deadlines(), np.arange(1, 1_001, dtype=np.uint64)
    for now in range(1_000):
        held.begin(keys, now, 10**9)
        held.clear(keys)
    assert sum(map(len, held._queues.values())) <= 65_536 + 2_000


def test_a_long_way_is_cut_where_many_have_come_due() -> None:
    """`reach` ends at an instant, with all that is due then, after about as many as asked for."""
    held = Deadlines()
    for number, deadline in enumerate((10, 20, 20, 20, 30, 40)):
        held.carry(number + 1, deadline)
    assert held.reach(0, 100, 10) == (100, 6)
    assert held.reach(0, 100, 1) == (10, 1)
    assert held.reach(0, 100, 2) == (20, 4)
    assert held.reach(20, 100, 1) == (30, 1)
    assert held.reach(40, 100, 1) == (100, 0)
