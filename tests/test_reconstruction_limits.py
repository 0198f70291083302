"""Trends before a segment was created: what has no past, how much is read, and a dataset that moves on meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coterie.index import model
from coterie.index.model import Identifier, Mode, SegmentDefinition, SegmentKind, SubjectKind
from coterie.index.reconstruction import Reach
from tests.test_reconstruction import FAR, START, Driven, dataset, definition, event, finished, hours, trend
from tests.vocabulary import DAY, HOUR, MINUTE

# ---------------------------------------------------------------- what has no past


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("user.plan = 'pro' or did view", "attributes keep no history, and s asks for `user.plan = 'pro'`"),
        ("did view and in vips", "vips is a list segment, which keeps no history of its members"),
        ("not in list vips", "vips is a list segment, which keeps no history of its members"),
        ("in outer", "attributes keep no history, and inner asks for `current.os = 'iOS'`"),
    ],
)
def test_what_keeps_no_history_is_named(rule: str, reason: str) -> None:
    """Also where it is nested; and nothing is reconstructed then."""
    driven = dataset(event("view", START, "u1"))
    now = driven.engine.now
    driven.apply(model.CreateSegment(SegmentDefinition("vips", SegmentKind.LIST, SubjectKind.USER)), now)
    driven.create([definition("inner", "current.os = 'iOS'"), definition("outer", "did view or not in inner")], now)
    driven.create([definition("s", rule)], now)
    reconstruction = driven.engine.reconstruct("s", hours(START, now), FAR)
    assert (finished(reconstruction), reconstruction.reason) == ([], reason)
    reconstruction = driven.engine.reconstruct("vips", hours(START, now), FAR)
    assert reconstruction.reason == "vips is a list segment, which keeps no history of its members"


def test_limits_leave_out_the_oldest_buckets() -> None:
    """Neither more events are read nor is the range longer than allowed, and the reason says which it was."""
    driven = dataset(*(event("view", START + hour * HOUR, "u1") for hour in range(10)))
    driven.create([definition("s", "did view in the last 1 hours")], driven.engine.now)
    edges = hours(START, driven.engine.now)
    whole = driven.engine.reconstruct("s", edges, FAR)
    points = finished(whole)
    assert (len(points), whole.reason) == (10, "")
    few = driven.engine.reconstruct("s", edges, Reach(4, 400 * DAY))
    assert finished(few) == points[-3:]
    assert few.events <= 4
    assert "more than the 4 events" in few.reason
    short = driven.engine.reconstruct("s", edges, Reach(1_000, 2 * HOUR))
    assert finished(short) == points[-2:]
    assert "2 hours" in short.reason
    none = driven.engine.reconstruct("s", edges, Reach(0, 400 * DAY))
    assert (finished(none), none.events) == ([], 0)


def test_modes_that_latch_are_not_reconstructed() -> None:
    """What was latched depends on when the segment existed."""
    engine = dataset(event("view", START, "u1")).engine
    driven = Driven(engine)
    driven.create([definition("s", "did view")], engine.now)
    segment = engine.segment("s")
    segment.definition = replace(segment.definition, mode=Mode.ONCE)
    assert "mode once" in engine.reconstruct("s", hours(START, engine.now), FAR).reason


# ---------------------------------------------------------------- while the dataset moves on


def test_what_arrives_meanwhile_changes_nothing() -> None:
    """Late events and merges belong to later revisions; the windows they would have left stay as they were counted."""
    views = [event("view", START + minute * 10 * MINUTE, f"u{minute % 4}") for minute in range(40)]
    expected = trend(dataset(*views), "did view at least 2 times in the last 1 hours", last=9)
    driven = dataset(*views)
    driven.create([definition("s", "did view at least 2 times in the last 1 hours")], driven.engine.now)
    edges = list(range(START, START + 9 * HOUR + 1, HOUR))
    reconstruction = driven.engine.reconstruct("s", edges, FAR, 1)
    steps = 0
    while reconstruction.step():
        steps += 1
        late = event("view", START + steps * 7 * MINUTE, f"u{steps % 4}")
        driven.apply(model.IngestEvents((late,)), driven.engine.now + 1)
        if steps == 5:
            names = (Identifier("user_id", "u0"), Identifier("user_id", "u1"))
            driven.apply(model.MergeSubjects(SubjectKind.USER, *names), driven.engine.now)
    assert steps > 20
    assert [(point.size, point.joins, point.leaves) for point in reconstruction.points] == expected


def test_a_subject_deleted_meanwhile_does_not_appear() -> None:
    """The work begins again without it."""
    driven = dataset(*(event("view", START + hour * HOUR, f"u{hour % 3}") for hour in range(9)))
    driven.create([definition("s", "did view in the last 2 hours")], driven.engine.now)
    edges = list(range(START, START + 9 * HOUR + 1, HOUR))
    reconstruction = driven.engine.reconstruct("s", edges, FAR, 1)
    for _ in range(8):
        assert reconstruction.step()
    driven.apply(model.DeleteSubject(SubjectKind.USER, Identifier("user_id", "u1")), driven.engine.now)
    points = finished(reconstruction)
    assert points == finished(driven.engine.reconstruct("s", edges, FAR))
    assert max(point.size for point in points) == 2
    assert sum(point.joins for point in points) == 6


def test_nothing_of_it_stays() -> None:
    """The dataset has the measures, conditions and cells it had, also where the work was given up half-way."""
    driven = dataset(*(event("view", START + hour * HOUR, f"u{hour % 3}") for hour in range(9)))
    driven.create([definition("s", "did view in the last 2 hours")], driven.engine.now)
    before = driven.engine.status()
    edges = hours(START, driven.engine.now)
    reconstruction = driven.engine.reconstruct("s", edges, FAR, 1)
    reconstruction.step()
    finished(driven.engine.reconstruct("s", edges, FAR))
    assert driven.engine.status() == before
