"""Sticky and once segments nested in others, edited, deleted, and built while live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import InputError
from coterie.index.model import Identifier, Mode, SegmentKind, Universe
from coterie.index.rules import ast
from tests.latch_journal import ANN, BOB, HOUR, NOW, PHONE, PRO, USER, Journal, Moves, definition

# ---------------------------------------------------------------- nested segments


def test_nested_segments_read_who_is_kept(journal: Journal) -> None:
    """Joins, stays and leaves reach what nests them in the same revision; so do questions and previews."""
    journal.create(NOW, definition("s", PRO))
    journal.create(NOW, definition("outer", "in s", Mode.LIVE))
    journal.create(NOW, definition("others", "not in s", Mode.LIVE))
    assert journal.plan(NOW, ANN, "pro") == [("outer", "attribute", [1], []), ("s", "attribute", [1], [])]
    assert journal.plan(NOW, ANN, "free") == []
    negative = ast.Not(ast.InSegment("s"))
    assert (journal.engine.count(ast.InSegment("outer")), journal.engine.count(negative)) == (1, 0)
    with journal.engine.preview(definition("preview", "in s", Mode.LIVE)) as preview:
        assert list(preview.members()) == [1]
    assert journal.tick(NOW + HOUR) == [
        ("others", "time", [1], []),
        ("outer", "time", [], [1]),
        ("s", "time", [], [1]),
    ]


def test_a_preview_knows_no_modes(journal: Journal) -> None:
    """It tells for whom the rule holds now."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, ANN, "free")
    with journal.engine.preview(definition("preview", PRO)) as preview:
        assert list(preview.members()) == []
    assert journal.members("s") == [1]


def test_latches_over_latches(journal: Journal) -> None:
    """The outer one's time starts when the inner one's is up, and once over it never ends."""
    journal.create(NOW, definition("inner", PRO))
    journal.create(NOW, definition("outer", "in inner", ttl=2 * HOUR))
    journal.create(NOW, definition("ever", "in outer and in inner", Mode.ONCE))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW + 1, ANN, "free")
    assert journal.tick(NOW + 1 + HOUR) == [("inner", "time", [], [1])]
    assert journal.tick(NOW + 3 * HOUR) == []
    assert journal.tick(NOW + 1 + 3 * HOUR) == [("outer", "time", [], [1])]
    assert journal.members("ever") == [1]


# ---------------------------------------------------------------- edits


def test_an_edit_of_the_rule_begins_a_new_latch(journal: Journal) -> None:
    """Who only stayed goes with the swap; who satisfies the new rule joins, and nobody else."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, ANN, "free")
    journal.plan(NOW, BOB, "basic")
    assert journal.edit(NOW + 1, definition("s", "user.plan = 'basic'")) == [("s", "edit", [2], [1])]
    assert journal.engine.next_instant() is None
    journal.plan(NOW + 2, BOB, "free")
    assert journal.tick(NOW + HOUR) == []
    assert journal.tick(NOW + 2 + HOUR) == [("s", "time", [], [2])]


@pytest.mark.parametrize(
    "edited",
    [
        definition("s", PRO, ttl=HOUR + 1),
        definition("s", PRO, Mode.ONCE),
        definition("s", PRO, Mode.LIVE),
        definition("s", PRO, universe=Universe.KNOWN),
    ],
    ids=["ttl", "once", "live", "universe"],
)
def test_an_edit_of_anything_that_decides_begins_anew(journal: Journal, edited: model.SegmentDefinition) -> None:
    """Ttl, mode and universe too: those who only stayed go, those for whom the rule holds stay."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, BOB, "pro")
    journal.plan(NOW, ANN, "free")
    assert journal.edit(NOW + 1, edited) == [("s", "edit", [], [1])]
    assert journal.members("s") == [2]
    left: Moves = [("s", "attribute", [], [2])] if edited.mode is Mode.LIVE else []
    assert journal.plan(NOW + 2, BOB, "free") == left
    assert journal.engine.next_instant() == (NOW + 2 + edited.ttl_ms if edited.mode is Mode.STICKY else None)


def test_an_edit_of_the_name_keeps_the_latch(journal: Journal) -> None:
    """Display name, description and labels are nobody's membership."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW + 1, ANN, "free")
    assert journal.edit(NOW + 2, definition("s", PRO, display_name="Pros")) == []
    assert journal.engine.next_instant() == NOW + 1 + HOUR
    assert journal.tick(NOW + 1 + HOUR) == [("s", "time", [], [1])]


def test_live_becomes_sticky(journal: Journal) -> None:
    """From its activation on, who leaves the rule stays."""
    journal.create(NOW, definition("s", PRO, Mode.LIVE))
    journal.plan(NOW, ANN, "pro")
    assert journal.edit(NOW + 1, definition("s", PRO)) == []
    assert journal.plan(NOW + 2, ANN, "free") == []
    assert journal.tick(NOW + 2 + HOUR) == [("s", "time", [], [1])]


def test_the_old_latch_goes_on_while_its_edit_is_built(journal: Journal) -> None:
    """Until the swap the old rule latches and lets go; the new latch begins with the swap."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.view(NOW + 1, BOB)
    journal.apply(NOW + 2, model.UpdateSegment(definition("s", "did view in the last 2 hours")))
    assert journal.engine.segment("s").pending is not None
    assert journal.plan(NOW + 3, ANN, "free") == []
    assert journal.tick(NOW + 3 + HOUR) == [("s", "time", [], [1])]
    assert journal.apply(NOW + 3 + HOUR, model.ActivateBuild("s")) == [("s", "edit", [2], [])]
    assert journal.tick(NOW + 1 + 2 * HOUR) == []
    assert journal.tick(NOW + 1 + 3 * HOUR) == [("s", "time", [], [2])]


def test_an_edit_of_a_nested_segment_is_latched_by_what_nests_it(journal: Journal) -> None:
    """The outer rule stops holding for some by the swap: their time starts; it starts to hold for others: they join."""
    journal.create(NOW, definition("inner", PRO, Mode.LIVE))
    journal.create(NOW, definition("outer", "in inner"))
    journal.create(NOW, definition("without", "not in inner"))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, BOB, "free")
    moved = journal.edit(NOW + 1, definition("inner", "not (user.plan = 'pro')", Mode.LIVE))
    assert moved == [("inner", "edit", [2], [1]), ("outer", "edit", [2], []), ("without", "edit", [1], [])]
    assert journal.engine.next_instant() == NOW + 1 + HOUR
    assert journal.tick(NOW + 1 + HOUR) == [("outer", "time", [], [1]), ("without", "time", [], [2])]
    assert (journal.members("outer"), journal.members("without")) == ([2], [1])


def test_a_deleted_segment_takes_its_latch_along(journal: Journal) -> None:
    """Made anew under its name, it knows nothing of those it once kept."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, ANN, "free")
    journal.apply(NOW + 1, model.DeleteSegment("s"))
    assert journal.engine.next_instant() is None
    assert journal.create(NOW + 2, definition("s", PRO)) == []
    assert journal.tick(NOW + HOUR) == []
    assert journal.members("s") == []


@pytest.mark.parametrize("rows", [0, 1, 3], ids=["all at once", "row by row", "three rows"])
def test_the_pace_of_a_build_decides_nothing(journal: Journal, rows: int) -> None:
    """However far a build has come when its segment is activated: the latch begins with the same subjects."""
    for offset, who in enumerate((ANN, BOB, ANN)):
        journal.view(NOW + offset, who)
    journal.apply(NOW + 3, model.CreateSegment(definition("s", "did view at least 2 times in the last 1 hours")))
    for offset in range(4, 7):
        if rows:
            journal.engine.step_builds(rows)
        journal.view(NOW + offset, PHONE)
    assert journal.apply(NOW + 7, model.ActivateBuild("s")) == [("s", "backfill", [1, 3], [])]
    assert journal.tick(NOW + HOUR) == []
    assert journal.tick(NOW + 2 * HOUR) == [("s", "time", [], [1])]
    assert journal.members("s") == [3]


def test_many_leave_at_once(journal: Journal) -> None:
    """One record, one change, everybody in it."""
    names = tuple((Identifier("user_id", f"u{number}"),) for number in range(2_000))
    journal.apply(NOW, model.CreateSegment(model.SegmentDefinition("big", SegmentKind.LIST, USER)))
    journal.create(NOW, definition("s", "in list big"))
    journal.apply(NOW, model.ChangeList("big", model.ListOperation.SET, names))
    assert journal.apply(NOW, model.ChangeList("big", model.ListOperation.SET, names[:1]))[0][0] == "big"
    assert journal.tick(NOW + HOUR) == [("s", "time", [], list(range(2, 2_001)))]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (definition("x", PRO, ttl=0), "ttl_ms"),
        (definition("x", PRO, ttl=999), "ttl_ms"),
        (definition("x", PRO, ttl=3_650 * 24 * HOUR + 1), "ttl_ms"),
        (replace(definition("x", PRO, Mode.ONCE), ttl_ms=HOUR), "ttl_ms"),
        (replace(definition("x", PRO, Mode.LIVE), ttl_ms=HOUR), "ttl_ms"),
        (model.SegmentDefinition("x", SegmentKind.LIST, USER, mode=Mode.ONCE), "mode"),
        (model.SegmentDefinition("x", SegmentKind.FROZEN, USER, mode=Mode.STICKY, ttl_ms=HOUR), "mode"),
    ],
)
def test_a_mode_that_does_not_fit_is_refused(wrong: model.SegmentDefinition, field: str) -> None:
    """By name of the field, when created and when edited; nothing is left of it."""
    engine = Engine()
    with pytest.raises(InputError) as refused:
        engine.apply(model.Record(1, NOW, model.CreateSegment(wrong)))
    assert refused.value.field == field
    assert engine.segments() == []
    if wrong.kind is not SegmentKind.FROZEN:
        right = replace(wrong, mode=Mode.LIVE, ttl_ms=0)
        engine.apply(model.Record(engine.revision + 1, NOW, model.CreateSegment(right)))
        with pytest.raises(InputError) as refused:
            engine.apply(model.Record(engine.revision + 1, NOW, model.UpdateSegment(wrong)))
        assert (refused.value.field, engine.segment("x").version) == (field, 1)
