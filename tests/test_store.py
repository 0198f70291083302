"""The state store: a commit is all or nothing, damage is named, and what no longer counts is cleared away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.index.errors import DataLoss, FormatTooNew, StorageFull
from coterie.index.storage import store as store_module
from coterie.index.storage.header import STATE_FORMAT, Header
from coterie.index.storage.parts import FOLD, ON_DEMAND, Page, fold_page
from coterie.index.storage.store import StateStore

PART = "users.names"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    """A fresh store."""
    opened = StateStore(tmp_path / "state")
    yield opened
    opened.close()


def commit(store: StateStore, pages: list[Page], part: str = PART, revision: int = 1) -> None:
    """Writes and commits one generation, and clears up after it."""
    store.begin()
    store.renew()
    store.write((part, page) for page in pages)
    store.commit(Header("origin", revision=revision))
    store.renew()
    while store.sweep():
        pass
    store.renew()


def versions(store: StateStore) -> int:
    """Returns how many page versions there are, whether they count or not."""
    return len(list(store._scan_all("pages", b"")))


def test_pages_come_back_in_the_order_of_their_keys(store: StateStore) -> None:
    """Each part gets its own pages, sorted, the removed ones left out."""
    commit(store, [(b"b", b"2"), (b"a\0", b"1"), (b"a", b"0"), (b"gone", None)])
    commit(store, [(b"a", b"other")], part="users")
    assert list(store.pages(PART)) == [(b"a", b"0"), (b"a\0", b"1"), (b"b", b"2")]
    assert list(store.pages("users")) == [(b"a", b"other")]
    assert list(store.pages("user")) == []


def test_nothing_counts_before_the_commit(tmp_path: Path) -> None:
    """An unfinished generation is invisible, also after a restart, and its room is free again with the next one."""
    store = StateStore(tmp_path / "state")
    commit(store, [(b"a", b"old"), (b"b", b"old")])
    store.begin()
    store.write([(PART, (b"a", b"new")), (PART, (b"b", None)), (PART, (b"c", b"new"))])
    assert dict(store.pages(PART)) == {b"a": b"old", b"b": b"old"}
    store.close()
    store = StateStore(tmp_path / "state")
    assert store.unclean
    assert dict(store.pages(PART)) == {b"a": b"old", b"b": b"old"}
    commit(store, [(b"d", b"next")])
    assert dict(store.pages(PART)) == {b"a": b"old", b"b": b"old", b"d": b"next"}
    assert versions(store) == 3
    store.close()


def test_after_a_sweep_each_page_has_one_version(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced and removed versions are deleted, in steps, and removals with them."""
    monkeypatch.setattr(store_module, "_SWEPT_AT_ONCE", 2)
    commit(store, [(bytes([n]), b"1") for n in range(10)])
    commit(store, [(bytes([n]), b"2" if n % 2 else None) for n in range(10)])
    assert dict(store.pages(PART)) == {bytes([n]): b"2" for n in range(1, 10, 2)}
    assert versions(store) == 5
    assert not store.unclean


page_keys = st.binary(min_size=1, max_size=4).filter(lambda key: key[:1] < FOLD)
generations = st.lists(
    st.tuples(st.dictionaries(page_keys, st.none() | st.binary(max_size=3), max_size=6), st.booleans(), st.booleans()),
    max_size=6,
)


@settings(max_examples=25)
@given(history=generations)
def test_it_is_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[dict[bytes, bytes | None], bool, bool]]
) -> None:
    """Against a dictionary: commits apply, abandoned generations do not, restarts change nothing."""
    path = tmp_path_factory.mktemp("store") / "state"
    store, naive = StateStore(path), dict[bytes, bytes]()
    for pages, committed, restarted in history:
        store.begin()
        store.write((PART, page) for page in pages.items())
        if committed:
            store.commit(Header("origin"))
            store.renew()
            naive.update({key: page for key, page in pages.items() if page is not None})
            naive = {key: page for key, page in naive.items() if pages.get(key, b"") is not None}
        if restarted:
            store.close()
            store = StateStore(path)
        assert list(store.pages(PART)) == sorted(naive.items())
        assert all(store.read(PART, key) == naive.get(key) for key in pages)
    store.close()


def test_pages_on_demand_are_read_one_by_one(store: StateStore) -> None:
    """They are not handed to load; a read gives the committed version."""
    commit(store, [(b"index", b"i"), (ON_DEMAND + b"1", b"one"), (ON_DEMAND + b"2", b"two")])
    commit(store, [(ON_DEMAND + b"2", b"new")])
    store.begin()
    store.write([(PART, (ON_DEMAND + b"1", b"uncommitted"))])
    store.renew()
    assert list(store.pages(PART)) == [(b"index", b"i")]
    assert [store.read(PART, ON_DEMAND + key) for key in (b"1", b"2", b"3")] == [b"one", b"new", None]
    assert store.read("other", ON_DEMAND + b"1") is None


def test_a_commit_becomes_visible_when_the_engine_says_so(store: StateStore) -> None:
    """Another thread's commit does not change what is read, before the engine's thread has renewed its view."""
    commit(store, [(ON_DEMAND + b"1", b"old"), (ON_DEMAND + b"2", b"old")])
    store.begin()
    store.write([(PART, (ON_DEMAND + b"1", b"new")), (PART, (ON_DEMAND + b"2", None))])
    store.renew()
    store.commit(Header("origin"))
    assert [store.read(PART, ON_DEMAND + key) for key in (b"1", b"2")] == [b"old", b"old"]
    store.renew()
    assert [store.read(PART, ON_DEMAND + key) for key in (b"1", b"2")] == [b"new", None]


def test_entries_are_folded_in_order(store: StateStore) -> None:
    """Later pages win, None removes, and folded pages are gone."""
    first = fold_page([("identifiers", b"a", b"1"), ("identifiers", b"b", b"1"), ("subjects", b"a", b"other")])
    second = fold_page([("identifiers", b"a", b"2"), ("identifiers", b"b", None)])
    commit(store, [(FOLD + b"\0\1", first), (FOLD + b"\0\2", second), (b"kept", b"k")])
    assert store.lookup("identifiers", b"a") is None
    while store.fold(PART):
        pass
    store.renew()
    assert [store.lookup("identifiers", key) for key in (b"a", b"b")] == [b"2", None]
    assert store.lookup("subjects", b"a") == b"other"
    assert list(store.pages(PART)) == [(b"kept", b"k")]


@pytest.mark.parametrize("damage", [lambda value: value[:-1] + b"?", lambda value: value[:-1], lambda _: b""])
def test_a_damaged_value_is_named(store: StateStore, damage: object) -> None:
    """Changed or cut short: every way of reading it raises DataLoss with its database and key; so does verify."""
    commit(store, [(b"sound", b"s"), (b"page\xff", b"content"), (FOLD, fold_page([("subjects", b"k", b"v")]))])
    store.fold(PART)
    for database, key in (("pages", b"users.names\0page\xff\0\1" + bytes(7) + b"\1"), ("subjects", b"k")):
        with store._environment.begin(db=store._databases[database], write=True) as transaction:
            transaction.put(key, damage(transaction.get(key)))  # type: ignore[operator]
    store.renew()
    with pytest.raises(DataLoss) as raised:
        dict(store.pages(PART))
    assert raised.value.metadata["database"] == "pages"
    assert "users.names" in raised.value.metadata["key"]
    with pytest.raises(DataLoss):
        store.read(PART, b"page\xff")
    with pytest.raises(DataLoss) as raised:
        store.lookup("subjects", b"k")
    assert raised.value.metadata == {"database": "subjects", "key": "k"}
    assert sorted(problem.metadata["database"] for problem in store.verify() if problem) == ["pages", "subjects"]


def test_a_value_under_another_key_is_damage(store: StateStore) -> None:
    """A sound value in the wrong place is noticed: the key is part of what is checked."""
    commit(store, [(FOLD, fold_page([("subjects", b"a", b"1"), ("subjects", b"b", b"2")]))])
    store.fold(PART)
    with store._environment.begin(db=store._databases["subjects"], write=True) as transaction:
        transaction.put(b"b", transaction.get(b"a"))
    store.renew()
    with pytest.raises(DataLoss):
        store.lookup("subjects", b"b")


def test_a_full_disk_leaves_the_last_snapshot(tmp_path: Path) -> None:
    """StorageFull while writing: what was committed still counts, and there is room again after a sweep."""
    store = StateStore(tmp_path / "state", map_size=1 << 20)
    commit(store, [(b"a", b"x" * 10_000)])
    store.begin()
    with pytest.raises(StorageFull):  # noqa: PT012 - which write fails is not the point
        for number in range(1_000):
            store.write([(PART, (b"b%d" % number, b"y" * 10_000))])
            store.renew()
    assert dict(store.pages(PART)) == {b"a": b"x" * 10_000}
    for _ in range(100):
        commit(store, [(b"a", b"z" * 10_000)])
    assert dict(store.pages(PART)) == {b"a": b"z" * 10_000}
    store.close()


def test_the_header_comes_back(tmp_path: Path) -> None:
    """Revision, time, origin and versions of a commit are there after a restart."""
    store = StateStore(tmp_path / "state")
    assert store.header.generation == 0
    store.begin()
    store.commit(Header("origin", revision=7, now=99))
    written = store.header
    store.close()
    store = StateStore(tmp_path / "state")
    assert store.header == written == Header("origin", generation=1, revision=7, now=99)
    assert store.header.is_current()
    store.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """State of a later version is named as such."""
    store = StateStore(tmp_path / "state")
    store.begin()
    store.commit(Header("origin", format=STATE_FORMAT + 1))
    store.close()
    with pytest.raises(FormatTooNew) as raised:
        StateStore(tmp_path / "state")
    assert raised.value.metadata == {"found": str(STATE_FORMAT + 1), "supported": str(STATE_FORMAT)}
