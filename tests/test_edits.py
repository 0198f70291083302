"""Editing segments: the old definition serves, the swap is atomic, and whatever is withdrawn leaves nothing behind.

Over the engine in memory and restarted after each record. Anna has viewed 5 times and bought, Bob has viewed twice.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.index import model
from coterie.index.errors import CoterieError, PreconditionFailed, SegmentBuilding, SegmentCycle, SegmentInUse
from coterie.index.model import Event, Mode, SegmentState
from coterie.index.settings import Settings
from tests.latch_journal import ANN, BOB, HOUR, NOW, PHONE, PRO, Journal, definition
from tests.on_disk import OnDisk

VIEWED, BOUGHT = "did view", "did purchase"
OFTEN, SELDOM = "did view at least 4 times in the last 2 hours", "did view at most 3 times in the last 3 hours"


def live(segment: str, rule: str, display_name: str = "") -> model.SegmentDefinition:
    """A segment whose members are those for whom the rule holds."""
    return definition(segment, rule, Mode.LIVE, display_name=display_name)


def begin(journal: Journal) -> None:
    """History, a segment of viewers, and one that nests it."""
    for offset in range(7):
        journal.view(NOW + offset, BOB if offset in {1, 4} else ANN)
    journal.apply(NOW + 7, model.IngestEvents((Event("", "purchase", (ANN,), None, NOW + 7, {}, {}),)))
    journal.create(NOW + 8, live("s", VIEWED))
    journal.create(NOW + 8, live("outer", "in s and not (did purchase)"))
    assert (journal.members("s"), journal.members("outer")) == ([1, 2], [2])


def edit(journal: Journal, rule: str, segment: str = "s", at: int = NOW + 9) -> None:
    """An edit that has to be built first."""
    assert journal.apply(at, model.UpdateSegment(live(segment, rule))) == []
    assert journal.engine.segment(segment).pending is not None


def in_use(journal: Journal) -> tuple[int, int]:
    """How many measures and conditions there are."""
    status = journal.engine.status()
    return status.measures, status.conditions


# ---------------------------------------------------------------- old until new


def test_the_old_definition_serves_until_the_swap(journal: Journal) -> None:
    """Live, for events and for time, in what nests it too; then one revision has the net difference, cause EDIT."""
    begin(journal)
    edit(journal, OFTEN)
    assert journal.view(NOW + 10, PHONE) == [("outer", "event", [3], []), ("s", "event", [3], [])]
    assert journal.members("s") == [1, 2, 3]
    moved = journal.apply(NOW + 11, model.ActivateBuild("s"))
    assert moved == [("outer", "edit", [], [2, 3]), ("s", "edit", [], [2, 3])]
    assert (journal.members("s"), journal.members("outer")) == ([1], [])
    assert journal.tick(NOW + 2 * HOUR + 1) == [], "four of five are left"
    assert journal.tick(NOW + 2 * HOUR + 2) == [("s", "time", [], [1])]


def test_a_swap_names_nobody_who_stays(journal: Journal) -> None:
    """Neither who is in both definitions nor who is in neither; an edit without difference is silent."""
    begin(journal)
    assert journal.edit(NOW + 9, live("s", "did view at least 2 times")) == []
    assert journal.edit(NOW + 9, live("s", f"{OFTEN} or {BOUGHT}")) == [
        ("outer", "edit", [], [2]),
        ("s", "edit", [], [2]),
    ]


def test_both_ends_of_a_nesting_may_be_built_at_once(journal: Journal) -> None:
    """Whichever is activated first, the other goes on with what is served then."""
    begin(journal)
    edit(journal, SELDOM)
    edit(journal, "not in s and did view in the last 5 hours", "outer")
    assert journal.apply(NOW + 10, model.ActivateBuild("outer")) == [("outer", "edit", [], [2])]
    assert journal.apply(NOW + 11, model.ActivateBuild("s")) == [("outer", "edit", [1], []), ("s", "edit", [], [1])]


def test_a_segment_over_one_that_was_never_ready_waits(journal: Journal) -> None:
    """It can be asked for only after both were built; a pending definition is in use as a served one is."""
    begin(journal)
    journal.apply(NOW + 9, model.CreateSegment(live("inner", OFTEN)))
    journal.apply(NOW + 9, model.CreateSegment(live("beyond", "in inner")))
    with pytest.raises(SegmentBuilding):
        journal.apply(NOW + 9, model.ActivateBuild("beyond"))
    with pytest.raises(SegmentInUse):
        journal.apply(NOW + 9, model.DeleteSegment("inner"))
    with pytest.raises(SegmentBuilding):
        journal.members("beyond")
    edit(journal, "in beyond", "outer")
    with pytest.raises(SegmentInUse):
        journal.apply(NOW + 9, model.DeleteSegment("beyond"))
    assert journal.apply(NOW + 10, model.ActivateBuild("inner")) == [("inner", "backfill", [1], [])]
    assert journal.apply(NOW + 10, model.ActivateBuild("beyond")) == [("beyond", "backfill", [1], [])]
    assert journal.apply(NOW + 10, model.ActivateBuild("outer")) == [("outer", "edit", [1], [2])]


def test_a_cycle_through_a_pending_definition_is_refused(journal: Journal) -> None:
    """Two edits that would name each other: the second is refused, and the first is still being built."""
    begin(journal)
    journal.create(NOW + 8, live("t", VIEWED))
    edit(journal, f"in t and {OFTEN}")
    before = in_use(journal)
    with pytest.raises(SegmentCycle):
        journal.apply(NOW + 9, model.UpdateSegment(live("t", f"in s and {SELDOM}")))
    assert in_use(journal) == before
    assert journal.apply(NOW + 10, model.ActivateBuild("s"))[-1] == ("s", "edit", [], [2])


# ---------------------------------------------------------------- edits of edits


def test_an_edit_while_building_replaces_what_was_being_built(journal: Journal) -> None:
    """The newest definition is built, and what only the one before used is given back."""
    begin(journal)
    before = in_use(journal)
    edit(journal, OFTEN)
    journal.engine.step_builds(2)
    edit(journal, SELDOM)
    assert in_use(journal) == (before[0] + 1, before[1] + 1)
    assert [build.segment for build in journal.engine.builds()] == ["s"]
    assert journal.apply(NOW + 10, model.ActivateBuild("s")) == [("s", "edit", [], [1])]
    assert [version.definition.rule for version in journal.engine.segment("s").versions] == [VIEWED, OFTEN, SELDOM]


def test_a_refused_edit_leaves_the_build_as_it_is(journal: Journal) -> None:
    """A broken rule, and an old etag: what was being built still is."""
    begin(journal)
    edit(journal, OFTEN)
    for broken, etag in (("did view in the last", ""), ("in nobody", ""), (BOUGHT, "v1")):
        with pytest.raises(CoterieError):
            journal.apply(NOW + 9, model.UpdateSegment(live("s", broken), etag))
    assert journal.engine.segment("s").version == 2
    assert journal.apply(NOW + 10, model.ActivateBuild("s"))[-1] == ("s", "edit", [], [2])


def test_a_new_name_leaves_the_build_as_it_is(journal: Journal) -> None:
    """It is a version of its own, and the swap brings both."""
    begin(journal)
    edit(journal, OFTEN)
    journal.apply(NOW + 9, model.UpdateSegment(live("s", OFTEN, "Often")))
    assert journal.engine.segment("s").definition.display_name == ""
    assert journal.apply(NOW + 10, model.ActivateBuild("s"))[-1] == ("s", "edit", [], [2])
    segment = journal.engine.segment("s")
    assert (segment.definition.display_name, segment.version) == ("Often", 3)


def test_an_edit_of_what_was_never_ready(journal: Journal) -> None:
    """It stays BUILDING, of its newest rule, and joins are of the cause BACKFILL."""
    begin(journal)
    journal.apply(NOW + 9, model.CreateSegment(live("fresh", OFTEN)))
    journal.apply(NOW + 9, model.UpdateSegment(live("fresh", SELDOM)))
    assert journal.engine.segment("fresh").state is SegmentState.BUILDING
    assert journal.apply(NOW + 10, model.ActivateBuild("fresh")) == [("fresh", "backfill", [2], [])]


# ---------------------------------------------------------------- withdrawn


def test_an_edit_back_to_what_is_served_ends_the_build(journal: Journal) -> None:
    """Nothing is being built, all it used is given back, nobody moves, and each edit is a version."""
    begin(journal)
    before = in_use(journal)
    edit(journal, OFTEN)
    journal.engine.step_builds(2)
    assert journal.apply(NOW + 10, model.UpdateSegment(live("s", VIEWED, "Viewers"))) == []
    segment = journal.engine.segment("s")
    assert (segment.pending, segment.state, segment.version) == (None, SegmentState.READY, 3)
    assert segment.definition.display_name == "Viewers"
    assert journal.engine.builds() == []
    assert in_use(journal) == before
    with pytest.raises(PreconditionFailed):
        journal.apply(NOW + 10, model.ActivateBuild("s"))
    assert journal.view(NOW + 11, PHONE) == [("outer", "event", [3], []), ("s", "event", [3], [])]
    edit(journal, OFTEN, at=NOW + 12)
    assert journal.apply(NOW + 12, model.ActivateBuild("s"))[-1] == ("s", "edit", [], [2, 3])


def test_an_edit_back_keeps_the_latch(journal: Journal) -> None:
    """Whom a sticky segment keeps, it goes on to keep, until their time."""
    begin(journal)
    journal.create(NOW + 8, definition("kept", PRO))
    journal.plan(NOW + 8, ANN, "pro")
    journal.plan(NOW + 9, ANN, "free")
    journal.apply(NOW + 10, model.UpdateSegment(definition("kept", OFTEN, Mode.ONCE)))
    assert journal.engine.segment("kept").pending is not None
    assert journal.apply(NOW + 11, model.UpdateSegment(definition("kept", PRO))) == []
    assert journal.members("kept") == [1]
    assert journal.tick(NOW + 9 + HOUR) == [("kept", "time", [], [1])]


def test_an_edit_back_needs_no_check_of_types(journal: Journal) -> None:
    """What is served may be gone back to, also where an attribute has become something else meanwhile."""
    begin(journal)
    journal.create(NOW + 8, live("old", "user.score > 3"))
    update = model.AttributeUpdate(model.SubjectKind.USER, (ANN,), {"score": "high"})
    journal.apply(NOW + 9, model.SetAttributes((update,)))
    edit(journal, OFTEN, "old")
    back = model.UpdateSegment(live("old", "user.score > 3"))
    journal.engine.validate(back)
    journal.apply(NOW + 10, back)
    assert journal.engine.builds() == []


@pytest.mark.parametrize("rows", [0, 2, 100])
def test_deleting_what_is_being_built_leaves_nothing(journal: Journal, rows: int) -> None:
    """Never ready or being edited, however far the build: its measures and conditions go, and the name is free."""
    begin(journal)
    journal.create(NOW + 8, live("t", BOUGHT))
    journal.apply(NOW + 8, model.DeleteSegment("t"))
    before = in_use(journal)
    journal.apply(NOW + 9, model.CreateSegment(live("never", f"{OFTEN} and {SELDOM}")))
    journal.create(NOW + 9, live("edited", BOUGHT))
    edit(journal, SELDOM, "edited")
    if rows:
        journal.engine.step_builds(rows)
    for name in ("never", "edited"):
        assert journal.apply(NOW + 10, model.DeleteSegment(name)) == []
    assert journal.engine.builds() == []
    assert not journal.engine.step_builds()
    assert in_use(journal) == before
    assert journal.create(NOW + 11, live("never", OFTEN)) == [("never", "backfill", [1], [])]


def test_a_scan_shared_with_a_withdrawn_edit_goes_on(journal: Journal) -> None:
    """Two segments wait for one measure; one of them is edited back, and the other gets it all the same."""
    begin(journal)
    edit(journal, OFTEN)
    journal.apply(NOW + 9, model.CreateSegment(live("also", OFTEN)))
    journal.engine.step_builds(2)
    journal.apply(NOW + 9, model.UpdateSegment(live("s", VIEWED)))
    assert journal.apply(NOW + 10, model.ActivateBuild("also")) == [("also", "backfill", [1], [])]


# ---------------------------------------------------------------- restarts in the middle


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_a_restart_in_the_middle_of_a_build(tmp_path: Path, steps: int, snapshot: bool) -> None:
    """With or without a snapshot of half of it, the build goes on, live events between, and ends with the same members."""
    disk = OnDisk(tmp_path, Settings())

    def apply(at: int, payload: model.Payload) -> model.Outcome:
        record = model.Record(disk.engine.revision + 1, at, payload)
        disk.append(record)
        return disk.engine.apply(record)

    def view(number: int, at: int) -> None:
        who = (model.Identifier("user_id", f"u{number % 7}"),)
        apply(at, model.IngestEvents((Event("", "view", who, None, at, {}, {}),)))

    for number in range(60):
        view(number * number, NOW + number)
    apply(NOW + 60, model.CreateSegment(live("s", VIEWED)))
    apply(NOW + 60, model.ActivateBuild("s"))
    apply(NOW + 60, model.UpdateSegment(live("s", "did view at least 11 times in the last 1 hours")))
    apply(NOW + 60, model.CreateSegment(live("nested", "in s and did view at least 5 times in the last 5 hours")))
    for _ in range(steps):
        disk.engine.step_builds(10)
    if snapshot:
        disk.step_snapshot(None)
    disk.reopen()
    assert {build.segment for build in disk.engine.builds()} == {"s", "nested"}
    assert disk.engine.segment("s").definition.rule == VIEWED
    for number in range(60, 70):
        view(number * number, NOW + number)
        disk.engine.step_builds(3)
    apply(NOW + 80, model.ActivateBuild("nested"))
    (change,) = (one for one in apply(NOW + 80, model.ActivateBuild("s")).changes if one.segment == "s")
    counts = [sum(number * number % 7 == user for number in range(70)) for user in range(7)]
    ids = {
        user: disk.engine.find(model.SubjectKind.USER, (model.Identifier("user_id", f"u{user}"),)) for user in range(7)
    }
    stay = sorted(ids[user] for user in range(7) if counts[user] > 10)
    assert stay
    assert change.left
    assert sorted(change.left) == sorted(ids[user] for user in range(7) if 0 < counts[user] <= 10)
    assert [each for each in disk.engine.subjects(model.SubjectKind.USER) if disk.engine.is_member("s", each)] == stay
    assert [each for each in ids.values() if each and disk.engine.is_member("nested", each)] == [
        ids[user] for user in range(7) if counts[user] > 10
    ]
    disk.close()
