"""Snapshots and recovery: whatever happens in between, what comes back is what was acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgpack
import pytest

from coterie.index.errors import DataLoss, FieldInvalid, StorageFull, Unavailable
from coterie.index.model import (
    AttributeUpdate,
    DeleteSegment,
    Identifier,
    Payload,
    Record,
    SetAttributes,
    SubjectKind,
    Tick,
)
from coterie.index.settings import Settings
from coterie.index.storage import recovery, snapshot
from coterie.index.storage.header import Header
from coterie.index.storage.parts import Page, Part
from coterie.index.storage.recovery import Recovered, recover
from coterie.index.storage.snapshot import Job, Snapshot
from coterie.index.storage.store import StateStore
from coterie.index.subjects.attributes import AttributeTable
from coterie.index.subjects.identity import IdentityMap

USER = SubjectKind.USER


class _Clock:
    """The part that keeps revision and time."""

    def __init__(self) -> None:
        self.revision = self.now = 0

    def begin(self) -> Iterator[Page]:
        return iter([(b"clock", msgpack.packb([self.revision, self.now]))])

    def end(self, committed: bool) -> None:
        """Keeps no pages."""

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        for _, page in pages:
            self.revision, self.now = msgpack.unpackb(page)


class SmallEngine:
    """An engine of identity and attributes; one segment's deletion is refused, another one's is a bug."""

    def __init__(self, store: StateStore) -> None:
        self.clock = _Clock()
        self.identity = IdentityMap(USER, store)
        self.attributes = AttributeTable(USER)

    @property
    def revision(self) -> int:
        """The last revision applied."""
        return self.clock.revision

    @property
    def now(self) -> int:
        """The time of the last record."""
        return self.clock.now

    def apply(self, record: Record) -> None:
        """Applies a record, as the real one does: time and revision first."""
        assert record.revision == self.revision + 1
        self.clock.revision, self.clock.now = record.revision, record.at
        if isinstance(record.payload, DeleteSegment):
            raise FieldInvalid("id", "refused") if record.payload.id == "refused" else ZeroDivisionError("a bug")
        if isinstance(record.payload, SetAttributes):
            for update in record.payload.updates:
                subject = self.identity.resolve(update.identifiers).subject
                for name, value in update.values.items():
                    self.attributes.set(subject, name, value, name)

    def snapshot_parts(self) -> dict[str, Part]:
        """Returns the parts."""
        return {"clock": self.clock, "user.identity": self.identity, "user.attributes": self.attributes}

    def facts(self) -> object:
        """Returns all there is to know, for comparison."""
        subjects = list(self.identity.subjects)
        named = [(self.identity.identifiers_of(s), self.attributes.get(s)) for s in subjects]
        found = [self.identity.find([name]) for names, _ in named for name in names]
        return self.revision, self.now, self.identity.next_id, subjects, named, found


Dataset = Recovered[SmallEngine]


def open_dataset(path: Path, **arguments: object) -> Dataset:
    """Recovers a dataset."""
    return recover(path, Settings(), lambda _, store: SmallEngine(store), **arguments)  # type: ignore[arg-type]


def write(dataset: Dataset, payload: Payload) -> None:
    """Journals and applies one record."""
    record = Record(dataset.engine.revision + 1, dataset.engine.now + 10, payload)
    dataset.journal.append([record])
    dataset.engine.apply(record)


def visit(dataset: Dataset, number: int) -> None:
    """Writes a record that changes identity and attributes."""
    names = (Identifier("user_id", f"u{number % 13}"), Identifier("anonymous_id", f"d{number % 17}"))
    values = {"city": f"city {number % 5}", "visits": float(number)}
    write(dataset, SetAttributes((AttributeUpdate(USER, names, values),)))


def take(dataset: Dataset) -> Snapshot:
    """Begins a snapshot of a dataset as it is now."""
    engine = dataset.engine
    return Snapshot(dataset.store, dataset.journal, engine.snapshot_parts(), engine.revision, engine.now)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes snapshots of little data take many steps."""
    monkeypatch.setattr(snapshot, "_TRANSACTION_BYTES", 200)
    monkeypatch.setattr(snapshot, "_COLLECT_BYTES", 50)
    monkeypatch.setattr("coterie.index.subjects.names._PAGE_ENTRIES", 4)
    monkeypatch.setattr("coterie.index.storage.store._FOLDED_AT_ONCE", 2)
    monkeypatch.setattr("coterie.index.storage.journal._DROP_AT_ONCE", 10)


def test_a_dataset_comes_back_by_replay_alone(tmp_path: Path) -> None:
    """Without any snapshot, the journal says it all."""
    dataset = open_dataset(tmp_path)
    for number in range(40):
        visit(dataset, number)
    facts = dataset.engine.facts()
    dataset.close()
    told: list[tuple[int, int]] = []
    dataset = open_dataset(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert dataset.engine.facts() == facts
    assert dataset.replayed == 40
    assert told[-1] == (40, 40)
    dataset.close()


def test_a_snapshot_saves_the_replay(tmp_path: Path) -> None:
    """After one, nothing is replayed, and its records have left the journal."""
    dataset = open_dataset(tmp_path)
    for number in range(40):
        visit(dataset, number)
    snapshot.run(take(dataset))
    facts = dataset.engine.facts()
    assert dataset.journal.first_revision == 41
    dataset.close()
    dataset = open_dataset(tmp_path)
    assert dataset.engine.facts() == facts
    assert dataset.replayed == 0
    assert [problem for problem in dataset.store.verify() if problem] == []
    dataset.close()


def _until(jobs: Iterator[Job], steps: int, dataset: Dataset) -> bool:
    """Runs some jobs, with a record written before each; tells whether all are done."""
    for number in range(steps):
        visit(dataset, 100 + number)
        job = next(jobs, None)
        if job is None:
            return True
        job()
    return False


def test_a_crash_at_any_step_loses_nothing(tmp_path: Path) -> None:
    """Killed before each single job of a snapshot, with records arriving all along: the same state comes back."""
    for steps in range(1_000):
        path = tmp_path / str(steps)
        dataset = open_dataset(path)
        for number in range(30):
            visit(dataset, number)
        snapshot.run(take(dataset))
        for number in range(30, 60):
            visit(dataset, number)
        running = take(dataset)
        done = _until(running.jobs(), steps, dataset)
        facts = dataset.engine.facts()
        dataset.close()
        dataset = open_dataset(path)
        assert dataset.engine.facts() == facts, f"killed before job {steps}"
        visit(dataset, 7)
        snapshot.run(take(dataset))
        facts = dataset.engine.facts()
        dataset.close()
        dataset = open_dataset(path)
        assert dataset.engine.facts() == facts, f"killed before job {steps}, then one more snapshot"
        dataset.close()
        if done:
            assert steps > 15, "the snapshot had many steps"
            return
    pytest.fail("the snapshot never ended")


def test_an_abandoned_snapshot_is_done_again(tmp_path: Path) -> None:
    """Given up before its commit at any step: nothing of it counts, and the next one holds everything."""
    for steps in range(1, 12):
        path = tmp_path / str(steps)
        dataset = open_dataset(path)
        for number in range(30):
            visit(dataset, number)
        given_up = take(dataset)
        _until(given_up.jobs(), steps, dataset)
        assert not given_up.committed
        given_up.abandon()
        given_up.abandon()
        visit(dataset, 99)
        snapshot.run(take(dataset))
        facts = dataset.engine.facts()
        dataset.close()
        dataset = open_dataset(path)
        assert (dataset.engine.facts(), dataset.replayed) == (facts, 0)
        dataset.close()


def test_a_snapshot_waits_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that fails for want of room is handed out again, until it is done; nothing is lost or written twice."""
    dataset = open_dataset(tmp_path)
    for number in range(40):
        visit(dataset, number)
    real, failures = StateStore._write, iter([True, False, True, True, False] * 100)

    def sometimes(self: StateStore, work: object) -> None:
        if next(failures):
            raise StorageFull("no room", database="state")
        real(self, work)  # type: ignore[arg-type]

    monkeypatch.setattr(StateStore, "_write", sometimes)
    refused = 0
    running = take(dataset)
    for job in running.jobs():
        try:
            job()
        except StorageFull:
            refused += 1
    monkeypatch.undo()
    assert running.committed
    assert refused > 10
    facts = dataset.engine.facts()
    dataset.close()
    dataset = open_dataset(tmp_path)
    assert (dataset.engine.facts(), dataset.replayed) == (facts, 0)
    dataset.close()


def test_a_refused_record_is_refused_again(tmp_path: Path) -> None:
    """A record whose apply raised a domain error does not stop the replay."""
    dataset = open_dataset(tmp_path)
    visit(dataset, 1)
    with pytest.raises(FieldInvalid):
        write(dataset, DeleteSegment("refused"))
    visit(dataset, 2)
    facts = dataset.engine.facts()
    dataset.close()
    dataset = open_dataset(tmp_path)
    assert dataset.engine.facts() == facts
    dataset.close()


def test_a_record_that_cannot_be_applied_is_named_and_can_be_skipped(tmp_path: Path) -> None:
    """UNAVAILABLE with its revision, not a crash; skipping it is the way out, and only it is lost."""
    dataset = open_dataset(tmp_path)
    visit(dataset, 1)
    with pytest.raises(ZeroDivisionError):
        write(dataset, DeleteSegment("a bug"))
    visit(dataset, 2)
    facts = dataset.engine.facts()
    dataset.close()
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"revision 2 cannot be applied .*a bug.*skip 2") as raised:
            open_dataset(tmp_path)
        assert raised.value.metadata == {"revision": "2"}
    journal = recovery.Journal(tmp_path / recovery.JOURNAL_DIRECTORY)
    journal.skip(2)
    journal.close()
    dataset = open_dataset(tmp_path)
    assert dataset.engine.facts() == facts
    with dataset.journal._environment.begin() as transaction:
        assert transaction.stat(dataset.journal._skipped)["entries"] == 1
    dataset.close()


def test_a_directory_serves_one_process(tmp_path: Path) -> None:
    """A second opening is refused, and leaves the first unharmed; after closing it works."""
    dataset = open_dataset(tmp_path)
    with pytest.raises(Unavailable, match="in use"):
        open_dataset(tmp_path)
    visit(dataset, 1)
    dataset.close()
    open_dataset(tmp_path).close()


def test_a_journal_that_ends_too_early_is_data_loss(tmp_path: Path) -> None:
    """A snapshot without its journal is not taken for a whole dataset."""
    dataset = open_dataset(tmp_path)
    visit(dataset, 1)
    snapshot.run(take(dataset))
    dataset.close()
    for file in (tmp_path / recovery.JOURNAL_DIRECTORY).iterdir():
        file.unlink()
    with pytest.raises(DataLoss, match="ends at revision 0"):
        open_dataset(tmp_path)


def test_an_origin_is_drawn_once(tmp_path: Path) -> None:
    """A line of revisions keeps its name over restarts and snapshots."""
    dataset = open_dataset(tmp_path, origin="first")
    visit(dataset, 1)
    snapshot.run(take(dataset))
    dataset.close()
    dataset = open_dataset(tmp_path, origin="second")
    assert (dataset.store.header.origin, dataset.outdated) == ("first", False)
    dataset.close()


@pytest.mark.parametrize(("replayed", "origin"), [(0, "first"), (1, "second")])
def test_other_versions_begin_a_new_origin(tmp_path: Path, replayed: int, origin: str) -> None:
    """Records replayed under another time zone database make a new line of revisions; a clean start does not."""
    dataset = open_dataset(tmp_path, origin="first")
    visit(dataset, 1)
    snapshot.run(take(dataset))
    header = dataset.store.header
    dataset.store.describe(Header(header.origin, revision=header.revision, now=header.now, tzdata="1999.1"))
    for _ in range(replayed):
        write(dataset, Tick())
    dataset.close()
    dataset = open_dataset(tmp_path, origin="second")
    assert (dataset.outdated, dataset.store.header.origin) == (True, origin)
    snapshot.run(take(dataset))
    assert dataset.store.header.is_current()
    dataset.close()
