"""Records in which several things happen at once: time and the record's own work, merges and births."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import SegmentNotFound
from coterie.index.model import Cause, Change, Event, Identifier, SegmentDefinition, SegmentKind, SubjectKind
from coterie.index.rules.ast import InSegment
from coterie.index.settings import Settings
from tests.on_disk import OnDisk

NOW = 1_700_000_000_000
DAY = 86_400_000


def view(at: int, *identifiers: tuple[str, str]) -> Event:
    """A view by whoever has these identifiers."""
    return Event("", "view", tuple(Identifier(*each) for each in identifiers), None, at, {}, {})


class Journal:
    """Applies payloads one after the other."""

    def __init__(self) -> None:
        self.engine = Engine()

    def apply(self, at: int, payload: model.Payload) -> model.Outcome:
        """One record."""
        return self.engine.apply(model.Record(self.engine.revision + 1, at, payload))

    def create(self, at: int, segment: str, rule: str) -> None:
        """A segment, ready at once."""
        self.apply(at, model.CreateSegment(SegmentDefinition(segment, SegmentKind.RULE, SubjectKind.USER, rule)))
        if self.engine.segment(segment).pending:
            self.apply(at, model.ActivateBuild(segment))


def moves(outcome: model.Outcome) -> list[tuple[str, Cause, list[int], list[int]]]:
    """The membership changes of a record."""
    return [(c.segment, c.cause, list(c.joined), list(c.left)) for c in outcome.changes if isinstance(c, Change)]


def test_a_segment_deleted_in_the_moment_its_members_leave() -> None:
    """Time empties the window in the very record that deletes the segment: it is gone, and nothing is said of it."""
    journal = Journal()
    journal.create(NOW, "recent", "did view in the last 1 days")
    journal.apply(NOW, model.IngestEvents((view(NOW, ("user_id", "u1")),)))
    outcome = journal.apply(NOW + DAY, model.DeleteSegment("recent"))
    assert moves(outcome) == []
    with pytest.raises(SegmentNotFound):
        journal.engine.segment("recent")


def test_leaving_by_time_and_returning_by_an_event_is_no_change() -> None:
    """Changes are net per record: the window runs out at the instant the next view arrives."""
    journal = Journal()
    journal.create(NOW, "recent", "did view in the last 1 days")
    journal.apply(NOW, model.IngestEvents((view(NOW, ("user_id", "u1")),)))
    outcome = journal.apply(NOW + DAY, model.IngestEvents((view(NOW + DAY, ("user_id", "u1")),)))
    assert moves(outcome) == []
    assert moves(journal.apply(NOW + 2 * DAY, model.Tick())) == [("recent", Cause.TIME, [], [1])]


def test_who_leaves_by_time_and_is_in_only_between_a_merge_and_its_event_has_left_by_time() -> None:
    """Of the three moves the first is left: the window runs out, the device brings one view, its user makes another."""
    journal = Journal()
    journal.create(NOW, "once", "did view exactly 1 time in the last 1 day")
    user, phone = ("user_id", "u1"), ("anonymous_id", "a1")
    journal.apply(NOW, model.IngestEvents((view(NOW, user),)))
    journal.apply(NOW + 1, model.IngestEvents((view(NOW + 1, phone),)))
    outcome = journal.apply(NOW + DAY, model.IngestEvents((view(NOW + DAY, user, phone),)))
    assert moves(outcome) == [("once", Cause.TIME, [], [1]), ("once", Cause.MERGE, [], [2])]


def test_a_subject_born_and_absorbed_in_one_record_was_never_there() -> None:
    """An unknown device that turns out to be a known user's leaves no trace in a negative segment."""
    journal = Journal()
    journal.create(NOW, "silent", "did not buy")
    journal.apply(NOW, model.IngestEvents((view(NOW, ("user_id", "u1")),)))
    both = (view(NOW, ("anonymous_id", "a1")), view(NOW, ("user_id", "u1"), ("anonymous_id", "a1")))
    outcome = journal.apply(NOW + 1, model.IngestEvents(both))
    assert moves(outcome) == []
    assert list(journal.engine.subjects(SubjectKind.USER)) == [1]


def test_whoever_is_born_joins_what_is_true_of_nobody() -> None:
    """A first event puts its subject into negative segments, unless that very event keeps it out."""
    journal = Journal()
    journal.create(NOW, "silent", "did not buy")
    journal.create(NOW, "unseen", "did not view")
    outcome = journal.apply(NOW, model.IngestEvents((view(NOW, ("user_id", "u1")),)))
    assert moves(outcome) == [("silent", Cause.EVENT, [1], [])]


RULE = SegmentDefinition("seg", SegmentKind.RULE, SubjectKind.USER, "did view in the last 1 days")
FROZEN = SegmentDefinition("seg", SegmentKind.FROZEN, SubjectKind.USER)


@pytest.mark.parametrize("definition", [RULE, FROZEN], ids=["a rule", "a frozen segment"])
def test_what_is_made_anew_under_an_old_name_is_saved(tmp_path: Path, definition: SegmentDefinition) -> None:
    """A stored bitmap whose segment was deleted and created again between two snapshots does not come back."""
    disk = OnDisk(tmp_path, Settings())

    def apply(at: int, payload: model.Payload) -> None:
        record = model.Record(disk.engine.revision + 1, at, payload)
        disk.append(record)
        disk.engine.apply(record)

    def create(at: int) -> None:
        apply(at, model.CreateSegment(definition, source="everyone" if definition is FROZEN else ""))
        if disk.engine.segment("seg").pending:
            apply(at, model.ActivateBuild("seg"))

    everyone = SegmentDefinition("everyone", SegmentKind.RULE, SubjectKind.USER, "did view in the last 1 days")
    apply(NOW, model.IngestEvents((view(NOW, ("user_id", "u1")),)))
    if definition is FROZEN:
        apply(NOW, model.CreateSegment(everyone))
        apply(NOW, model.ActivateBuild("everyone"))
    create(NOW)
    assert list(disk.engine.members(InSegment("seg"))) == [1]
    disk.step_snapshot(None)
    apply(NOW + 1, model.DeleteSegment("seg"))
    apply(NOW + 2 * DAY, model.Tick())
    create(NOW + 2 * DAY)
    assert list(disk.engine.members(InSegment("seg"))) == []
    disk.step_snapshot(None)
    disk.reopen()
    assert list(disk.engine.members(InSegment("seg"))) == []
    disk.close()


@pytest.mark.parametrize(("value", "left"), [("pro", ["pro"]), (None, [])])
def test_what_an_update_says_is_newer_than_whom_it_absorbs(value: str | None, left: list[str]) -> None:
    """An update that absorbs a device and sets, or removes, an attribute the device had: the update decides."""
    journal = Journal()
    journal.create(NOW, "has", "user.plan is set")
    device, user = Identifier("anonymous_id", "a1"), Identifier("user_id", "u1")
    journal.apply(NOW, model.SetAttributes((model.AttributeUpdate(SubjectKind.USER, (device,), {"plan": "free"}),)))
    journal.apply(NOW, model.IngestEvents((view(NOW, ("user_id", "u1")),)))
    update = model.AttributeUpdate(SubjectKind.USER, (user, device), {"plan": value})
    journal.apply(NOW, model.SetAttributes((update,)))
    assert list(journal.engine.attributes(SubjectKind.USER, 2).values()) == left
    assert len(journal.engine.members(InSegment("has"))) == len(left)


def test_inaction_built_beside_another_counts_what_happened_long_before() -> None:
    """Two builds share a measure, and the first is not done: the second scans as far back as it needs by itself."""
    journal = Journal()
    journal.apply(NOW, model.IngestEvents((view(NOW - DAY, ("user_id", "u1")),)))
    for name, wait in (("slow", "1 day"), ("quick", "15 minutes")):
        rule = f"did any event then not login within {wait}"
        journal.apply(NOW, model.CreateSegment(SegmentDefinition(name, SegmentKind.RULE, SubjectKind.USER, rule)))
    for name in ("quick", "slow"):
        journal.apply(NOW, model.ActivateBuild(name))
        assert list(journal.engine.members(InSegment(name))) == [1]
