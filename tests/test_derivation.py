"""What follows from events that enter and leave: cases in which the order of things matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.index import model
from coterie.index.model import Event, Identifier, SegmentDefinition, SegmentKind, SubjectKind
from coterie.index.rules import parse
from tests.side_by_side import Setting, SideBySide
from tests.vocabulary import HOUR, MINUTE

START = 1_774_735_200_000
U1, U2 = (Identifier(model.USER_ID, name) for name in ("u1", "u2"))


def driven(*rules: str, folder: Path | None = None) -> SideBySide:
    """Returns engine and oracle with a segment for each rule."""
    pair = SideBySide(Setting("UTC", folder=folder))
    for number, text in enumerate(rules):
        pair.rules[text] = parse(text)
        pair.apply(
            model.CreateSegment(SegmentDefinition(f"s{number}", SegmentKind.RULE, SubjectKind.USER, text)), START
        )
        assert f"s{number}" in pair.dataset.segments, f"{text} was refused"
    return pair


def event(kind: str, time: int, who: Identifier = U1, **properties: model.Value) -> Event:
    """Returns an event of a user."""
    return Event("", kind, (who,), None, time, properties, {})


def test_a_visit_that_ended_and_went_on_in_one_step_is_what_it_became() -> None:
    """Time passes the end of a visit and an event that waited to prolong it at once: the short visit never was."""
    pair = driven("did first $visit where duration_s <= 0", "last(visits.duration_s) = 0")
    pair.apply(model.IngestEvents((event("login", START), event("buy", START + 5 * MINUTE))), START)
    pair.apply(model.Tick(), START + HOUR)


@pytest.mark.parametrize("gap", [-1, 0, 1])
def test_a_late_event_joins_visits_it_lies_close_enough_to(gap: int) -> None:
    """Between two visits an hour apart, one event makes them one, if it is nearer than the gap to both."""
    pair = driven("visits = 1", "avg(visits.duration_s) > 3000", "did $visit where events = 3 and source = 'a'")
    away = 30 * MINUTE + gap
    pair.apply(model.IngestEvents((event("view", START, source="a"),)), START)
    pair.apply(model.IngestEvents((event("view", START + 2 * away, source="b"),)), START + 2 * away)
    pair.apply(model.Tick(), START + 3 * HOUR)
    pair.apply(model.IngestEvents((event("view", START + away, source="c"),)), START + 4 * HOUR)
    pair.replay()


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_running_visit_that_begins_earlier_is_counted_anew(on_disk: bool, tmp_path: Path) -> None:
    """A late event that joins a finished visit to the running one brings its events into the window of the visit."""
    pair = driven(
        "did view at least 4 times in this visit",
        "sum(view.price) > 6 in this visit",
        "distinct(view.price) >= 3 in this visit",
        "first(view.price) = 1 in this visit",
        "did view for the first time in this visit",
        folder=tmp_path if on_disk else None,
    )
    for minute, price in ((0, 1.0), (5, 2.0), (60, 3.0)):
        at = START + minute * MINUTE
        pair.apply(model.IngestEvents((event("view", at, price=price),)), at)
    late = (event("view", START + 33 * MINUTE, price=4.0),)
    pair.apply(model.IngestEvents(late), START + 65 * MINUTE)
    pair.snapshot(None)
    pair.reopen()
    pair.apply(model.MergeSubjects(SubjectKind.USER, U1, U2))
    pair.apply(model.IngestEvents((event("view", START + 70 * MINUTE, U2, price=5.0),)), START + 70 * MINUTE)
    pair.apply(model.MergeSubjects(SubjectKind.USER, U1, U2))
    pair.apply(model.Tick(), START + 2 * HOUR)
    pair.replay()


def test_late_steps_complete_chains_and_ties_do_not() -> None:
    """A sequence is judged by event time: late first steps make matches, steps of one instant make none."""
    pair = driven(
        "did view then cart then buy within 1 hour",
        "did (view then buy within 1 hour) at least 2 times",
        "did (buy then buy) exactly 1 time",
        "did any event then $visit",
    )
    times = {"buy": 50, "cart": 40, "view": 30}
    for kind, minute in times.items():
        pair.apply(model.IngestEvents((event(kind, START + minute * MINUTE),)), START + HOUR)
    tied = tuple(event(kind, START + 70 * MINUTE) for kind in ("buy", "view", "buy"))
    pair.apply(model.IngestEvents(tied), START + 80 * MINUTE)
    pair.apply(model.IngestEvents((event("view", START - 10 * MINUTE),)), START + 81 * MINUTE)
    pair.apply(model.Tick(), START + 4 * HOUR)
    pair.replay()


def test_a_sequence_let_go_during_a_snapshot_is_restored_from_it(tmp_path: Path) -> None:
    """An edit after the snapshot began drops the sequence; what lies between is done again from the snapshot."""
    pair = driven("did (login then view) at least 2 times in the last 15 minutes", folder=tmp_path)
    events = (event("login", START), event("view", START), event("login", START - 1), event("view", START + 1))
    pair.apply(model.IngestEvents(events), START + 1)
    pair.snapshot(0)  # begun
    text = "did login"
    pair.rules[text] = parse(text)
    definition = SegmentDefinition("s0", SegmentKind.RULE, SubjectKind.USER, text)
    pair.apply(model.UpdateSegment(definition), START + HOUR)
    pair.apply(model.ActivateBuild("s0"), START + HOUR)
    pair.snapshot(None)
    pair.reopen()


def test_a_visit_begins_with_an_event_whose_block_was_replaced(tmp_path: Path) -> None:
    """An event found ahead of time is in a block that a snapshot rewrites before its time comes: nothing is missing."""
    pair = driven("did buy then not $visit within 1 day", "did view", folder=tmp_path)
    try:
        pair.apply(model.IngestEvents((event("view", START), event("login", START + MINUTE, U2, source="a"))), START)
        pair.snapshot(None)
        pair.apply(model.IngestEvents((event("view", START),)), START)
        pair.apply(model.DeleteSegment("s1"), START)  # what lies ahead is looked for again
        pair.snapshot(None)
        pair.apply(model.Tick(), START + HOUR)
    finally:
        pair.close()
