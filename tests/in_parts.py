"""One instant passed in parts beside the oracle, which knows nothing of parts.

Owns what is compared between two parts: whose turn has come is a member as of the instant, everybody else as of
before it; of a segment that looks from users at accounts, or the other way, everybody is as of before it. Invariant:
after the last part engine and oracle stand at the same instant, as after an ordinary tick.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError
from coterie.index.model import Change, Record, SubjectKind
from coterie.index.rules import ast
from tests.oracle_dataset import named_in

if TYPE_CHECKING:
    from tests.side_by_side import SideBySide


class Parts(NamedTuple):
    """How an instant is passed."""

    ends: tuple[int, ...]  # dense ids; those that do not go up are left out
    prepared: int  # steps of preparation before each part; what is missing is done by the part
    rows: int  # in each step
    crash_after: int | None = None  # parts


def pass_in_parts(pair: SideBySide, at: int, parts: Parts) -> None:
    """Moves engine and oracle to an instant, the engine in parts; compares everything on the way."""
    at = max(pair.now, at)
    before, after = pair.members(), pair.members(at)
    bridged = {name for name in before if _is_bridged(pair, name)}
    changes: list[Change] = []
    below = 0
    ends = [end for index, end in enumerate(parts.ends) if end > max(parts.ends[:index], default=0)]
    for number, end in enumerate([*ends, 0]):
        record = Record(pair.engine.revision + 1, at, model.Tick(end))
        _prepare(pair, at, parts)
        changes += _apply(pair, record)
        if not end:
            break
        if number == parts.crash_after:
            _crash(pair)
        below = end
        assert pair.engine.sweeping
        assert pair.engine.next_instant() == pair.engine.now == at, "the rest of it is due now"
        for name in before:
            moved = 0 if name in bridged else below
            _compare(pair, name, {each for each in after[name] if each < moved} | _from(before[name], moved))
    pair.dataset.apply(record)
    pair.end_record()
    assert not pair.engine.sweeping
    moves = Counter((change.segment, member) for change in changes for member in (*change.joined, *change.left))
    blinking = [move for move, times in moves.items() if times > 1]
    assert not blinking, f"moved more than once in one instant: {blinking}"
    for name in before:
        joined = {member for change in changes if change.segment == name for member in change.joined}
        left = {member for change in changes if change.segment == name for member in change.left}
        assert (joined, left) == (after[name] - before[name], before[name] - after[name]), name
    for name in before:
        for subject in after[name] - before[name]:
            pair.joined_at[name, subject] = at


def _from(members: set[int], first: int) -> set[int]:
    return {member for member in members if member >= first}


def _prepare(pair: SideBySide, at: int, parts: Parts) -> None:
    for _ in range(parts.prepared):
        if pair.engine.prepare_sweep(at, parts.rows):
            ends = pair.engine.sweep_parts(parts.rows)
            assert ends[-1] == 0
            assert ends[:-1] == sorted(set(ends[:-1])), "parts go up"
            break


def _apply(pair: SideBySide, record: Record) -> list[Change]:
    if pair.disk is not None:
        pair.disk.append(record)
        if pair.disk.snapshot_running:
            pair.disk.step_snapshot(1)
    outcome = pair.engine.apply(record)
    pair.journal.append(record)
    pair.changes.append(outcome.changes)
    assert all((entry.revision, entry.at) == (record.revision, record.at) for entry in outcome.changes)
    changes = [entry for entry in outcome.changes if isinstance(entry, Change)]
    assert len(changes) == len(outcome.changes)
    assert {change.cause for change in changes} <= {model.Cause.TIME}
    return changes


def _crash(pair: SideBySide) -> None:
    """Loses what was in memory: the journal brings the engine back into the middle of the instant."""
    if pair.disk is not None:
        pair.disk.reopen()
        pair.engine = pair.disk.engine
    else:
        pair.engine = Engine(pair.settings)
        for record in pair.journal:
            with suppress(CoterieError):
                pair.engine.apply(record)
    with pytest.raises(AssertionError, match="a sweep is finished"):
        pair.engine.apply(Record(pair.engine.revision + 1, pair.engine.now, model.IngestEvents(())))
    with pytest.raises(AssertionError, match="no half of a sweep"):
        pair.engine.snapshot_parts()
    assert not pair.engine.step_builds(), "builds wait"


def _compare(pair: SideBySide, name: str, members: set[int]) -> None:
    kind = pair.dataset.segments[name].definition.subject_kind
    assert set(pair.engine.members(ast.InSegment(name), kind)) == members, name
    assert pair.engine.count(ast.InSegment(name), kind) == len(members), name
    for subject in pair.engine.subjects(kind):
        assert pair.engine.is_member(name, subject) == (subject in members), (name, subject)


def _is_bridged(pair: SideBySide, name: str) -> bool:
    """Says whether a segment looks from users at accounts or the other way: it waits meanwhile."""
    served = pair.dataset.segments[name].serving
    assert served is not None
    if not served.rule:
        return False
    looks_at_account = served.subject_kind is SubjectKind.USER and "account." in served.rule
    if looks_at_account or any(across in served.rule for across in ("account (", " user (", " users (")):
        return True
    return any(_is_bridged(pair, other) for other in named_in(pair.rules[served.rule]))
