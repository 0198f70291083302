"""Attributes: values come back as they were set, kinds stay what they were, the newest context wins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from coterie.index.errors import FieldInvalid, LimitExceeded, TypeConflict
from coterie.index.model import SubjectKind, Value, ValueKind, kind_of
from coterie.index.subjects.attributes import AttributeTable
from coterie.index.subjects.columns import Column
from coterie.index.views import ColumnView
from tests.kept_pages import KeptPages

USER = SubjectKind.USER
SUBJECTS = [1, 2, 3, 100, 65_535, 65_536, 200_000]

subjects = st.sampled_from(SUBJECTS)
set_names = st.sampled_from(["country", "age", "tags", "account_id"])
event_names = st.sampled_from(["current.os", "current.speed", "account_id"])
values: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from(["", "US", "FR", "ios"]),
    st.sampled_from([0.0, 1.5, -2.0]),
    st.booleans(),
    st.sampled_from([0, -1, 10**12]),
    st.sampled_from([(), ("a",), ("a", "b")]),
)
arrivals = st.lists(st.tuples(st.sampled_from([0, *SUBJECTS]), st.none() | values, st.integers(0, 5)), max_size=12)


class NaiveAttributes:
    """Attributes in dictionaries."""

    def __init__(self) -> None:
        self.kinds: dict[str, ValueKind] = {}
        self.values: dict[tuple[int, str], Value] = {}
        self.times: dict[tuple[int, str], int] = {}

    def fits(self, name: str, value: Value) -> bool:
        """Fixes the name's kind at its first use; tells whether a value has it."""
        return self.kinds.setdefault(name, kind_of(value)) is kind_of(value)

    def set(self, subject: int, name: str, value: Value | None) -> bool:
        """Sets or removes a value; tells whether it changed."""
        before = self.values.get((subject, name))
        if value is None:
            self.values.pop((subject, name), None)
        else:
            self.values[subject, name] = value
        return before != value

    def set_newest(self, name: str, rows: list[tuple[int, Value | None, int]]) -> set[int]:
        """Takes rows of (subject, value, time) one by one in order of time; returns whose value changed."""
        before = {subject: self.values.get((subject, name)) for subject, _, _ in rows}
        for subject, value, _ in rows:
            if subject and value is not None:
                self.fits(name, value)
        for subject, value, time in sorted(rows, key=lambda row: row[2]):
            key = subject, name
            if subject and value is not None and self.fits(name, value) and time >= self.times.get(key, time):
                self.values[key], self.times[key] = value, time
        return {subject for subject, old in before.items() if self.values.get((subject, name)) != old}

    def merge(self, absorbed: int, survivor: int) -> set[str]:
        """Gives the survivor what it has not, or has older; returns what changed for it."""
        changed = set()
        for name in self.kinds:
            old, new = (absorbed, name), (survivor, name)
            if old in self.values:
                newer = self.times.get(old, -1) > self.times.get(new, -1)
                value = self.values[old]
                if newer or new not in self.values:
                    if self.values.get(new) != value:
                        changed.add(name)
                    self.values[new] = value
                    self.times.pop(new, None)
                    if old in self.times:
                        self.times[new] = self.times[old]
        self.delete(absorbed)
        return changed

    def delete(self, subject: int) -> set[str]:
        """Removes all values of a subject; returns their names."""
        had = {name for owner, name in self.values if owner == subject}
        self.values = {key: value for key, value in self.values.items() if key[0] != subject}
        self.times = {key: time for key, time in self.times.items() if key[0] != subject}
        return had

    def of(self, subject: int) -> dict[str, Value]:
        """Returns a subject's values."""
        return {name: value for (owner, name), value in self.values.items() if owner == subject}


class AttributesMachine(RuleBasedStateMachine):
    """Random writes, merges, deletions, snapshots and restarts; the naive twin beside it."""

    @initialize()
    def begin(self) -> None:
        """Starts empty."""
        self.kept = KeptPages()
        self.table = AttributeTable(USER)
        self.naive = NaiveAttributes()

    @rule(subject=subjects, name=set_names, value=st.none() | values)
    def set(self, subject: int, name: str, value: Value | None) -> None:
        """A caller sets or removes an attribute."""
        if value is not None and not self.naive.fits(name, value):
            with pytest.raises(TypeConflict):
                self.table.set(subject, name, value, "field")
        else:
            assert self.table.set(subject, name, value, "field") == self.naive.set(subject, name, value)

    @rule(name=event_names, rows=arrivals)
    def set_newest(self, name: str, rows: list[tuple[int, Value | None, int]]) -> None:
        """Events carry context."""
        ids = np.array([subject for subject, _, _ in rows], dtype=np.uint32)
        times = np.array([time for _, _, time in rows], dtype=np.int64)
        changed = self.table.set_newest(name, ids, ColumnView.of([value for _, value, _ in rows]), times)
        assert changed.tolist() == sorted(self.naive.set_newest(name, rows))

    @rule(pair=st.lists(subjects, min_size=2, max_size=2, unique=True))
    def merge(self, pair: list[int]) -> None:
        """Two subjects become one."""
        assert set(self.table.merge(*pair)) == self.naive.merge(*pair)

    @rule(subject=subjects)
    def delete(self, subject: int) -> None:
        """A subject goes."""
        assert set(self.table.delete(subject)) == self.naive.delete(subject)

    @rule(writes=st.lists(st.tuples(subjects, set_names, st.none() | values), max_size=6))
    def snapshot(self, writes: list[tuple[int, str, Value | None]]) -> None:
        """A snapshot is taken while values change between its pages; what it shows is the state before that."""
        before = {subject: self.naive.of(subject) for subject in SUBJECTS}
        waiting = iter(writes)

        def write() -> None:
            for subject, name, value in waiting:
                self.set(subject, name, value)
                return

        self.kept.take(self.table, between=write)
        loaded = AttributeTable(USER)
        loaded.load(self.kept.committed())
        assert {subject: loaded.get(subject) for subject in SUBJECTS} == before

    @rule(after=st.integers(0, 4))
    def abandon(self, after: int) -> None:
        """A snapshot fails."""
        self.kept.abandon(self.table, after)

    @rule()
    def restart(self) -> None:
        """The process ends after a snapshot and starts again."""
        self.kept.take(self.table)
        self.table = AttributeTable(USER)
        self.table.load(self.kept.committed())

    @invariant()
    def equal_to_the_naive_twin(self) -> None:
        """Both say the same of every subject, one by one and as columns."""
        ids = np.array(SUBJECTS, dtype=np.uint32)
        assert {subject: self.table.get(subject) for subject in SUBJECTS} == {
            subject: self.naive.of(subject) for subject in SUBJECTS
        }
        for name, kind in self.naive.kinds.items():
            assert self.table.kind_of(name) is kind
            assert self.table.view(name, ids).values() == [self.naive.values.get((s, name)) for s in SUBJECTS]


TestAttributesMachine = AttributesMachine.TestCase


def test_a_conflict_names_the_attribute_and_both_types() -> None:
    """The error says what the name holds and what was given, and changes nothing."""
    table = AttributeTable(USER)
    table.set(1, "age", 3.0, "first")
    with pytest.raises(TypeConflict) as raised:
        table.set(1, "age", "three", "updates[2].attributes.age")
    assert raised.value.field == "updates[2].attributes.age"
    assert raised.value.metadata == {"attribute": "age", "expected": "number", "given": "text"}
    assert table.get(1) == {"age": 3.0}


def test_a_kind_outlives_the_values() -> None:
    """A name whose values are all removed keeps its kind."""
    table = AttributeTable(USER)
    table.set(1, "age", 3.0, "field")
    table.set(1, "age", None, "field")
    with pytest.raises(TypeConflict):
        table.set(1, "age", True, "field")


def test_names_of_the_newest_context_cannot_be_set() -> None:
    """They follow events; setting one is refused before it fixes a kind."""
    table = AttributeTable(USER)
    with pytest.raises(FieldInvalid):
        table.set(1, "current.os", "ios", "field")
    assert table.names() == []


def test_the_number_of_names_is_limited() -> None:
    """One name too many is refused when set, passed over when an event carries it; old names still work."""
    table = AttributeTable(USER, max_attributes=2)
    table.set(1, "a", 1.0, "field")
    table.set(1, "b", 1.0, "field")
    with pytest.raises(LimitExceeded):
        table.set(1, "c", 1.0, "field")
    ids, times = np.array([1], dtype=np.uint32), np.array([0])
    assert len(table.set_newest("current.os", ids, ColumnView.of(["ios"]), times)) == 0
    assert table.set(1, "a", 2.0, "field")


def test_texts_no_longer_used_leave_the_dictionary() -> None:
    """Ten thousand different values of one subject take the room of one."""
    table = AttributeTable(USER)
    ids = np.array([1, 1], dtype=np.uint32)
    for number in range(0, 10_000, 2):
        view = ColumnView.of([f"url-{number}", f"url-{number + 1}"])
        table.set_newest("current.url", ids, view, np.array([number, number + 1]))
        table.set(1, "last", f"url-{number}", "field")
    for name in ("current.url", "last"):
        dictionary = table._columns[name].dictionary
        assert dictionary is not None
        assert len(dictionary.entries) <= 4
    assert table.get(1) == {"current.url": "url-9999", "last": "url-9998"}


def test_a_freed_code_is_stored_with_its_new_text() -> None:
    """A text that takes the place of one freed before the last snapshot is in the next one."""
    table, kept = AttributeTable(USER), KeptPages()
    table.set(1, "city", "Rome", "field")
    table.set(2, "city", "Oslo", "field")
    table.set(1, "city", None, "field")
    kept.take(table)
    table.set(1, "city", "Bern", "field")
    kept.take(table)
    loaded = AttributeTable(USER)
    loaded.load(kept.committed())
    assert [loaded.get(subject) for subject in (1, 2)] == [{"city": "Bern"}, {"city": "Oslo"}]


def test_a_column_can_begin_to_keep_times() -> None:
    """Values set before an event carried the name are kept, in pages the event did not touch, too."""
    table, kept = AttributeTable(USER), KeptPages()
    table.set(1, "account_id", "a", "field")
    table.set(131_000, "account_id", "b", "field")
    kept.take(table)
    ids, times = np.array([1], dtype=np.uint32), np.array([5])
    table.set_newest("account_id", ids, ColumnView.of(["c"]), times)
    kept.take(table)
    loaded = AttributeTable(USER)
    loaded.load(kept.committed())
    assert [loaded.get(subject) for subject in (1, 131_000)] == [{"account_id": "c"}, {"account_id": "b"}]
    assert len(loaded.set_newest("account_id", ids, ColumnView.of(["older"]), times - 1)) == 0


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 300_000), st.integers(0, 9)), max_size=300))
def test_large_columns_come_back(rows: list[tuple[int, int]]) -> None:
    """Whatever ids a column reached, and however sparse, all of it comes back."""
    table, kept = AttributeTable(USER), KeptPages()
    for subject, value in rows:
        table.set(subject, "level", float(value), "field")
        table.set(subject, "word", f"w{value}", "field")
    kept.take(table)
    loaded = AttributeTable(USER)
    loaded.load(kept.committed())
    ids = np.arange(300_001, dtype=np.uint32)
    for name in ("level", "word") if rows else ():
        assert loaded.view(name, ids).values() == table.view(name, ids).values()


def test_growing_keeps_what_is_there() -> None:
    """Ids far apart, in any order: no value moves."""
    column = Column("age", ValueKind.NUMBER, keeps_times=False)
    for subject in (5, 70_000, 64, 1_000_000, 65_535):
        column.set(subject, float(subject))
    assert [column.get(subject) for subject in (5, 64, 65_535, 70_000, 1_000_000)] == [5, 64, 65_535, 70_000, 1_000_000]
    assert column.get(6) is None
    assert column.get(99_999_999) is None
