"""Mass movements inside the engine: where time is cut, how parts are prepared, and that every step is small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index import model
from coterie.index.arranged import Arranged, shift_for
from coterie.index.engine import Engine
from coterie.index.events.columns import EventColumns
from coterie.index.events.history import History
from coterie.index.model import AttributeUpdate, Event, Identifier, Record, SegmentDefinition, SegmentKind, SubjectKind

NOW = 1_700_000_000_000
HOUR, DAY = 3_600_000, 86_400_000
USERS = 500
ROWS = 20


class Journal:
    """An engine that is given payloads."""

    def __init__(self, *rules: str) -> None:
        self.engine = Engine()
        self.apply(model.Tick(), NOW)
        for number, rule in enumerate(rules):
            definition = SegmentDefinition(f"s{number}", SegmentKind.RULE, SubjectKind.USER, rule)
            self.apply(model.CreateSegment(definition), NOW)

    def apply(self, payload: model.Payload, at: int) -> model.Outcome:
        """One record."""
        return self.engine.apply(Record(self.engine.revision + 1, at, payload))

    def views(self, times: Iterator[int] | list[int]) -> None:
        """A view of a user of its own at each time."""
        events = [
            Event("", "view", (Identifier("user_id", f"u{user}"),), None, time, {"price": float(user)}, {})
            for user, time in enumerate(times)
        ]
        for first in range(0, len(events), 250):
            self.apply(model.IngestEvents(tuple(events[first : first + 250])), self.engine.now)

    def sweep(self, at: int) -> list[model.Outcome]:
        """Passes an instant in parts."""
        while not self.engine.prepare_sweep(at, ROWS):
            pass
        return [self.apply(model.Tick(below), at) for below in self.engine.sweep_parts(ROWS)]


def _left(outcome: model.Outcome) -> list[int]:
    return [member for change in outcome.changes if isinstance(change, model.Change) for member in change.left]


# ---------------------------------------------------------------- rows by subject

_PIECES = st.lists(st.lists(st.integers(1, 3_000_000) | st.integers(1, 20), min_size=1, max_size=8), max_size=8)
_ENDS = st.lists(st.integers(1, 3_000_001) | st.integers(1, 21), max_size=5)


@given(_PIECES, _ENDS)
def test_arranged_rows_are_found_by_subject(pieces: list[list[int]], ends: list[int]) -> None:
    """Ranges of ids, one after the other, yield every row exactly once, and each row with the ids it belongs to."""
    rows = Arranged()
    for number, piece in enumerate(pieces):
        rows.add({"subjects": np.array(piece, np.uint32), "names": np.array(piece) * 10 + number})
    shift = shift_for(rows.highest)
    assert sum(int(counted.sum()) for counted in rows.arrange(shift, (rows.highest >> shift) + 1)) == rows.rows
    found, first = [], 0
    for end in [*sorted(set(ends)), 0]:
        taken = rows.take(first, end)
        if taken is not None:
            subjects = taken["subjects"].tolist()
            assert all(first <= subject and (subject < end or not end) for subject in subjects)
            found += list(zip(subjects, taken["names"].tolist(), strict=True))
        first = end
    expected = [(subject, subject * 10 + number) for number, piece in enumerate(pieces) for subject in piece]
    assert sorted(found) == sorted(expected)


# ---------------------------------------------------------------- where time is cut


def test_a_long_way_is_cut_by_time() -> None:
    """Events at different times are passed in steps of about so many; no step is left when as many or fewer are."""
    journal = Journal("did view in the last 1 hours")
    journal.views([NOW - USERS + user for user in range(USERS)])
    left: list[int] = []
    while (steps := journal.engine.sweep_steps(journal.engine.now, NOW + DAY, 70)).instants:
        assert not steps.crowded
        for at in steps.instants:
            outcome = journal.apply(model.Tick(), at)
            assert 0 < len(_left(outcome)) <= 70
            left += _left(outcome)
    left += _left(journal.apply(model.Tick(), NOW + DAY))
    assert sorted(left) == list(range(1, USERS + 1))


def test_what_is_not_applied_yet_is_not_cut_again() -> None:
    """Steps begin where the newest record will leave time, applied or not."""
    journal = Journal("did view in the last 1 hours")
    journal.views([NOW - USERS + user for user in range(USERS)])
    whole = journal.engine.sweep_steps(NOW, NOW + DAY, 70).instants
    later = journal.engine.sweep_steps(whole[2], NOW + DAY, 70).instants
    assert len(whole) > 3
    assert later[: len(whole) - 3] == whole[3:]


@pytest.mark.parametrize(("rule", "at"), [("did view in the last 1 hours", NOW + HOUR), ("did view today", 0)])
def test_a_crowd_is_told(rule: str, at: int) -> None:
    """An instant in which very many leave is found, exactly, whether their events or the window's edge make it."""
    at = at or NOW // DAY * DAY + DAY
    journal = Journal(rule)
    journal.views([NOW] * USERS if at == NOW + HOUR else [NOW - user for user in range(USERS)])
    assert journal.engine.sweep_steps(NOW, at - 1, 100).instants == []
    assert journal.engine.sweep_steps(NOW, at + DAY, 100) == ([at], True)
    assert journal.engine.next_instant() == at
    assert [member for outcome in journal.sweep(at) for member in _left(outcome)] == list(range(1, USERS + 1))


def test_a_crowd_that_arrives_later_is_told() -> None:
    """What was found to be calm is looked at again once many have arrived."""
    journal = Journal("did view in the last 1 hours")
    journal.views([NOW])
    assert journal.engine.sweep_steps(NOW, NOW + 4, 100).instants == []
    journal.views([NOW + 3 - HOUR] * USERS)
    assert journal.engine.sweep_steps(NOW, NOW + 4, 100) == ([NOW + 3], True)


def test_looking_ahead_does_not_read_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next instant is found without matching the very many that come soon after it, or at it."""
    monkeypatch.setattr("coterie.index.cursors._SLICE_ROWS", 50)
    read: list[int] = []
    scan = History.scan

    def counted(history: History, *arguments: int) -> Iterator[EventColumns]:
        for piece in scan(history, *arguments):
            read.append(piece.rows)
            yield piece

    monkeypatch.setattr(History, "scan", counted)
    journal = Journal("did view in the last 1 hours")
    journal.views([NOW - 9_000, *[NOW - 1_000] * USERS])
    assert journal.engine.next_instant() == NOW - 9_000 + HOUR
    journal.apply(model.Tick(), NOW - 9_000 + HOUR)
    assert journal.engine.next_instant() == NOW - 1_000 + HOUR
    assert sum(read) <= 100
    assert [member for outcome in journal.sweep(NOW - 1_000 + HOUR) for member in _left(outcome)] == list(
        range(2, USERS + 2)
    )


def test_many_reminders_are_cut_by_time_or_told() -> None:
    """Dates in attributes count like events: at different instants in steps, at one instant as a crowd."""
    journal = Journal("user.trial_ends more than 1 days ago")
    for first, step in ((0, 1), (1, 0)):
        updates = [
            AttributeUpdate(
                SubjectKind.USER,
                (Identifier("user_id", f"{first}-{user}"),),
                {"trial_ends": NOW + first * DAY + user * step},
            )
            for user in range(USERS)
        ]
        for begin in range(0, USERS, 250):
            journal.apply(model.SetAttributes(tuple(updates[begin : begin + 250])), NOW)
    seen = []
    while (steps := journal.engine.sweep_steps(journal.engine.now, NOW + 9 * DAY, 100)).instants:
        (at,) = steps.instants
        outcomes = journal.sweep(at) if steps.crowded else [journal.apply(model.Tick(), at)]
        seen += [(outcome.changes[0].at, len(outcome.changes[0].joined)) for outcome in outcomes if outcome.changes]
    assert max(members for _, members in seen) <= 101
    assert sum(members for at, members in seen if at == NOW + 2 * DAY) == USERS
    assert journal.engine.size("s0") == 2 * USERS


# ---------------------------------------------------------------- parts


def _busy() -> Journal:
    """Windows of every shape whose edges move at one midnight."""
    return Journal(
        "did view today",
        "sum(view.price yesterday) >= 250",
        "last(view.price today) < 100",
        "distinct(view.price today) >= 1 and not last(view) more than 2 days ago",
    )


def _state(journal: Journal) -> list[tuple[str, list[int]]]:
    from coterie.index.rules.ast import InSegment

    return [(each.id, list(journal.engine.members(InSegment(each.id)))) for each in journal.engine.segments()]


def test_every_step_is_small() -> None:
    """Neither a step of the preparation nor a part grows with how many move at once."""
    midnight, users, rows = NOW // DAY * DAY + DAY, 3_000, 100
    journal = _busy()
    journal.views([NOW - user for user in range(users)])
    steps = 1
    while not journal.engine.prepare_sweep(midnight, rows):
        steps += 1
    assert steps >= users // rows
    outcomes = [journal.apply(model.Tick(below), midnight) for below in journal.engine.sweep_parts(rows)]
    moved = [max((len(c.joined) + len(c.left) for c in outcome.changes), default=0) for outcome in outcomes]
    assert max(moved) <= 2 * rows
    assert sum(moved) >= users


def test_preparing_changes_nothing_and_may_be_in_vain() -> None:
    """An event that comes after a preparation makes it void; what follows is as if there had been none."""
    midnight = NOW // DAY * DAY + DAY
    prepared, other = _busy(), _busy()
    for journal in (prepared, other):
        journal.views([NOW - user for user in range(USERS)])
    while not prepared.engine.prepare_sweep(midnight, ROWS):
        assert _state(prepared) == _state(other)
    for journal in (prepared, other):
        journal.views([NOW - 1] * 3)
        journal.apply(model.Tick(), midnight)
    assert _state(prepared) == _state(other)
    assert not prepared.engine.preparing


def test_a_snapshot_in_the_middle_of_a_preparation() -> None:
    """Blocks that a snapshot replaces meanwhile are not missed: the preparation begins anew."""
    midnight = NOW // DAY * DAY + DAY
    prepared, other = _busy(), _busy()
    for journal in (prepared, other):
        journal.views([NOW - user for user in range(USERS)])
    history = prepared.engine.snapshot_parts()["history"]
    for steps in (3, 6):
        for _ in range(steps):
            assert not prepared.engine.prepare_sweep(midnight, ROWS)
        list(history.begin())
        assert not prepared.engine.prepare_sweep(midnight, ROWS)
        history.end(committed=True)
    prepared.sweep(midnight)
    other.apply(model.Tick(), midnight)
    assert _state(prepared) == _state(other)


def test_builds_wait_for_a_sweep() -> None:
    """A build that went on while subjects stand at two instants would count some of them twice, or never."""
    midnight = NOW // DAY * DAY + DAY
    journal = _busy()
    journal.views([NOW - user for user in range(USERS)])
    definition = SegmentDefinition("new", SegmentKind.RULE, SubjectKind.USER, "did view at least 1 times yesterday")
    journal.apply(model.CreateSegment(definition), NOW)
    journal.engine.step_builds(100)
    while not journal.engine.prepare_sweep(midnight, ROWS):
        assert not journal.engine.step_builds(100)
    for below in journal.engine.sweep_parts(ROWS):
        journal.apply(model.Tick(below), midnight)
        assert journal.engine.step_builds(100) == (below == 0)
    journal.apply(model.ActivateBuild("new"), midnight)
    assert journal.engine.size("new") == USERS
