"""The journal: what was acknowledged is there, in order, or an error names the revision that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import lmdb
import pytest

from coterie.index.errors import DataLoss, FormatTooNew, StorageFull, Unavailable
from coterie.index.model import DeleteSegment, Event, Identifier, IngestEvents, Record, Tick
from coterie.index.storage import journal as journal_module
from coterie.index.storage.frames import revision_key
from coterie.index.storage.journal import Journal, JournalLike, MemoryJournal

SMALL_MAP = 1 << 20


def records(first: int, last: int) -> list[Record]:
    """Returns records of these revisions, each with an event."""
    event = Event("e", "view", (Identifier("user_id", "u"),), None, None, {"price": 1.0}, {})
    return [Record(revision, 1_000 + revision, IngestEvents((event,))) for revision in range(first, last + 1)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A fresh journal."""
    opened = Journal(tmp_path / "journal")
    yield opened
    opened.close()


@pytest.fixture(params=["on disk", "in memory"])
def any_journal(request: pytest.FixtureRequest) -> JournalLike:
    """Each kind of journal, fresh."""
    fresh: JournalLike = MemoryJournal() if request.param == "in memory" else request.getfixturevalue("journal")
    return fresh


def test_records_are_read_in_order(any_journal: JournalLike) -> None:
    """Groups come back as one sequence, from any revision on."""
    any_journal.append(records(1, 3))
    any_journal.append(records(4, 4))
    any_journal.append([])
    assert any_journal.last_revision == 4
    assert list(any_journal.read(0)) == records(1, 4)
    assert list(any_journal.read(2)) == records(3, 4)
    assert list(any_journal.read(4)) == []


def test_dropped_records_are_gone_and_the_count_goes_on(any_journal: JournalLike) -> None:
    """Dropping removes the old ones alone; revisions continue, also when nothing is left."""
    any_journal.append(records(1, 10))
    assert not any_journal.drop_through(7)
    assert list(any_journal.read(7)) == records(8, 10)
    any_journal.drop_through(10)
    assert any_journal.last_revision == 10
    any_journal.append(records(11, 11))
    assert list(any_journal.read(10)) == records(11, 11)


def test_a_revision_is_never_left_out(any_journal: JournalLike) -> None:
    """Appending anything but the next revision is a mistake of the caller's, and stores nothing."""
    any_journal.append(records(1, 2))
    with pytest.raises(AssertionError):
        any_journal.append(records(4, 4))
    assert list(any_journal.read(0)) == records(1, 2)


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    """A journal opened anew knows its records and its last revision, also when all were dropped."""
    first = Journal(tmp_path / "journal")
    first.append(records(1, 5))
    first.close()
    second = Journal(tmp_path / "journal")
    assert list(second.read(0)) == records(1, 5)
    second.drop_through(5)
    second.close()
    third = Journal(tmp_path / "journal")
    assert (third.last_revision, third.first_revision, list(third.read(5))) == (5, 6, [])
    third.close()


def test_dropping_goes_in_steps(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction drops more than its share; the answer tells whether to come again."""
    monkeypatch.setattr(journal_module, "_DROP_AT_ONCE", 4)
    journal.append(records(1, 10))
    assert [journal.drop_through(9) for _ in range(3)] == [True, True, False]
    assert list(journal.read(9)) == records(10, 10)


def _overwrite(journal: Journal, revision: int, change: Callable[[bytes], bytes | None]) -> None:
    with journal._environment.begin(db=journal._frames, write=True) as transaction:
        key = revision_key(revision)
        changed = change(transaction.get(key))
        if changed is None:
            transaction.delete(key)
        else:
            transaction.put(key, changed)


def test_a_damaged_record_is_named(journal: Journal) -> None:
    """Reading stops at it with its revision; what comes before is given."""
    journal.append(records(1, 5))
    _overwrite(journal, 3, lambda frame: frame[:-6] + b"x" + frame[-5:])
    read = journal.read(0)
    assert [next(read), next(read)] == records(1, 2)
    with pytest.raises(DataLoss) as raised:
        next(read)
    assert raised.value.metadata == {"database": "journal", "key": "revision 3"}
    assert [str(problem) for problem in journal.verify() if problem] == ["checksum mismatch in journal at revision 3"]


def test_a_missing_record_is_named(journal: Journal) -> None:
    """A hole in the sequence is data loss, not an end."""
    journal.append(records(1, 5))
    _overwrite(journal, 2, lambda _: None)
    with pytest.raises(DataLoss, match="revision 2: missing"):
        list(journal.read(0))
    with pytest.raises(DataLoss, match="revision 2: missing"):
        list(journal.read(1))
    assert len([problem for problem in journal.verify() if problem]) == 1


def test_a_skipped_record_becomes_a_tick(journal: Journal) -> None:
    """The operator's way out: time goes on, nothing else happens, and what was there is kept aside."""
    journal.append(records(1, 3))
    journal.skip(2)
    assert list(journal.read(0)) == [*records(1, 1), Record(2, 1_002, Tick()), *records(3, 3)]
    with journal._environment.begin(db=journal._skipped) as transaction:
        assert transaction.get(revision_key(2)) is not None


def test_a_damaged_record_can_be_skipped(journal: Journal) -> None:
    """Its time is then that of the record before it, else of the one after, else the operator's."""
    journal.append(records(1, 2))
    _overwrite(journal, 2, lambda _: b"damaged")
    journal.skip(2)
    _overwrite(journal, 1, lambda _: b"damaged")
    journal.skip(1)
    assert [record.at for record in journal.read(0)] == [1_001, 1_001]
    journal.skip(1, at=7)
    assert next(journal.read(0)) == Record(1, 7, Tick())
    with pytest.raises(DataLoss, match="no such record"):
        journal.skip(9)


def test_a_full_disk_stores_nothing_and_passes(tmp_path: Path) -> None:
    """StorageFull: no record of the group is stored; once there is room, the same group is taken."""
    journal = Journal(tmp_path / "journal", map_size=SMALL_MAP)
    group, stored = 200, 0
    with pytest.raises(StorageFull) as raised:  # noqa: PT012 - which append fails is not the point
        for _ in range(1_000):
            journal.append(records(stored + 1, stored + group))
            stored += group
    assert raised.value.metadata == {"database": "journal"}
    assert journal.last_revision == stored
    assert sum(1 for _ in journal.read(0)) == stored
    journal.drop_through(stored - 1)
    journal.append(records(stored + 1, stored + group))
    assert list(journal.read(stored)) == records(stored + 1, stored + group)
    journal.close()


class _FailingEnvironment:
    """An environment whose next commit reports failure, after it has reached the disk or before."""

    def __init__(self, environment: lmdb.Environment, *, reached: bool) -> None:
        self._environment, self._reached = environment, reached

    def begin(self, **arguments: Any) -> Any:
        transaction = self._environment.begin(**arguments)
        return _FailingTransaction(transaction, reached=self._reached) if arguments.get("write") else transaction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment, name)


class _FailingTransaction:
    def __init__(self, transaction: Any, *, reached: bool) -> None:
        self._transaction, self._reached = transaction, reached

    def __enter__(self) -> Any:
        return self._transaction

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._reached:
            self._transaction.commit()
        else:
            self._transaction.abort()
        raise lmdb.DiskError("commit: Input/output error")


@pytest.mark.parametrize("reached", [False, True], ids=["before the disk", "after it"])
def test_a_failed_commit_is_not_acknowledged(journal: Journal, *, reached: bool) -> None:
    """Whether or not the group reached the disk: it was refused, so the next one takes its revisions."""
    journal.append(records(1, 2))
    journal._environment = _FailingEnvironment(journal._environment, reached=reached)  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        journal.append(records(3, 5))
    assert journal.last_revision == 2
    other = Record(3, 9_999, DeleteSegment("other"))
    journal.append([other])
    assert list(journal.read(0)) == [*records(1, 2), other]


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """A journal of a later version is named as such and left as it is."""
    journal = Journal(tmp_path / "journal")
    with journal._environment.begin(db=journal._meta, write=True) as transaction:
        transaction.put(b"format", (2).to_bytes(4, "little"))
    journal.close()
    with pytest.raises(FormatTooNew) as raised:
        Journal(tmp_path / "journal")
    assert raised.value.metadata == {"found": "2", "supported": "1"}


def test_damaged_files_are_data_loss(tmp_path: Path) -> None:
    """A file that is no LMDB environment is refused with a domain error."""
    Journal(tmp_path / "journal").close()
    (tmp_path / "journal" / "data.mdb").write_bytes(b"no environment" * 1_000)
    with pytest.raises(DataLoss):
        Journal(tmp_path / "journal")
