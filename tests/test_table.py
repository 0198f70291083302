"""The cell table against a dictionary: whatever is claimed, found, emptied, grown and imaged."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.table import Table

KEYS = st.integers(1, 60).map(lambda key: key << 32 | key % 7)
BATCHES = st.lists(st.dictionaries(KEYS, st.integers(-3, 3), max_size=40), max_size=12)


def add(table: Table, batch: dict[int, int]) -> None:
    """Adds amounts to the rows of distinct keys."""
    keys = np.array(list(batch), np.uint64)
    slots = table.claim(keys)
    table.before_write(slots)
    table.columns["n"][slots] += np.array(list(batch.values()), np.int64)


def contents(table: Table) -> dict[int, int]:
    """All rows that are not empty."""
    keys = table.live_keys()
    return dict(zip(keys.tolist(), table.columns["n"][table.find(keys)].tolist(), strict=True))


def loaded(pages: list[bytes]) -> Table:
    """A table read back from the pages of an image."""
    table = Table({"n": "i8"})
    table.load(pages)
    return table


@given(BATCHES)
def test_a_table_is_a_dictionary_of_sums(batches: list[dict[int, int]]) -> None:
    """Rows hold what was added, and a key that was never claimed has no slot."""
    table, twin = Table({"n": "i8"}), dict[int, int]()
    for batch in batches:
        add(table, batch)
        for key, amount in batch.items():
            twin[key] = twin.get(key, 0) + amount
    assert contents(table) == {key: total for key, total in twin.items() if total}
    assert table.find(np.array([1 << 40], np.uint64)).tolist() == [-1]


@given(BATCHES, BATCHES, st.integers(0, 12))
def test_an_image_shows_the_state_at_its_beginning(
    before: list[dict[int, int]], during: list[dict[int, int]], read_early: int
) -> None:
    """Rows that change, appear or vanish while the image is being read do not show in it."""
    table = Table({"n": "i8"})
    for batch in before:
        add(table, batch)
    expected = contents(table)
    image = table.begin()
    pages = []
    for step, batch in enumerate(during):
        if step == read_early:
            pages += [page for page in [next(image, None)] if page is not None]
        add(table, batch)
    pages += list(image)
    table.end()
    assert contents(loaded(pages)) == expected


def test_growing_during_an_image_leaves_the_image_alone() -> None:
    """The table doubles several times while an image is open; the image is still of its beginning."""
    table = Table({"n": "i8"})
    add(table, {key << 32 | 1: key for key in range(1, 500)})
    expected = contents(table)
    image = table.begin()
    add(table, {key << 32 | 1: 1 for key in range(1, 20_000)})
    assert contents(loaded(list(image))) == expected
    assert len(contents(table)) == 19_999


def test_growing_drops_emptied_rows() -> None:
    """Memory follows what is alive: rows that came back to zero are gone after the next growth."""
    table = Table({"n": "i8"})
    for start in range(1, 200_000, 500):
        batch = {key << 32 | 1: 1 for key in range(start, start + 500)}
        add(table, batch)
        add(table, dict.fromkeys(batch, -1))
    assert len(table.keys) <= 4096


def test_room_is_made_in_steps() -> None:
    """Growing beforehand changes nothing but the room there is: then no key that comes makes the table grow at one go."""
    table = Table({"n": "i8", "m": "i4"})
    add(table, {key << 32 | 1: key for key in range(1, 3_000)})
    add(table, {key << 32 | 1: -key for key in range(1, 1_000)})
    expected, image = contents(table), table.begin()
    steps = sum(1 for _ in table.make_room(20_000, 100))
    assert steps > 2_000 // 100
    assert contents(table) == expected
    assert contents(loaded_pair(list(image))) == expected, "an image of before is still of before"
    keys = table.keys
    add(table, {key << 32 | 2: 1 for key in range(1, 20_001)})
    assert table.keys is keys
    assert len(contents(table)) == 2_000 + 20_000
    assert list(table.make_room(1, 100)) == [], "there is room"


def loaded_pair(pages: list[bytes]) -> Table:
    """A table of two columns, read back."""
    table = Table({"n": "i8", "m": "i4"})
    table.load(pages)
    return table


def test_room_is_not_made_over_a_write() -> None:
    """What was written while room was being made is kept; the table grows when it must."""
    table = Table({"n": "i8"})
    add(table, {key << 32 | 1: key for key in range(1, 600)})
    for step, _ in enumerate(table.make_room(20_000, 10)):
        if step == 5:
            add(table, {1 << 32 | 1: 41, 7 << 32 | 2: 5})
    held = contents(table)
    assert (held[1 << 32 | 1], held[7 << 32 | 2], len(held)) == (42, 5, 600)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), unique=True, max_size=30))
def test_paired_keys_match_in_both_halves(pairs: list[tuple[int, int]]) -> None:
    """Rows with one first key and different second keys are different rows."""
    table = Table({"n": "i8"}, paired=True)
    firsts, seconds = (np.array([pair[half] for pair in pairs], np.uint64) for half in (0, 1))
    slots = table.claim(firsts, seconds)
    assert len(set(slots.tolist())) == len(pairs)
    assert table.find(firsts, seconds).tolist() == slots.tolist()
