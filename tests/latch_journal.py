"""A journal in three houses for the tests of sticky and once segments.

In memory, and with a restart after each record: from a snapshot, or by replaying the whole journal. Owns the engine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.model import Change, Event, Identifier, Mode, SegmentKind, SubjectKind, Universe
from coterie.index.rules import ast
from coterie.index.settings import Settings
from tests.on_disk import OnDisk

NOW = 1_700_000_000_000
SECOND, HOUR = 1_000, 3_600_000
USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
ANN, BOB = Identifier("user_id", "ann"), Identifier("user_id", "bob")
PHONE = Identifier("anonymous_id", "phone")
PRO = "user.plan = 'pro'"

Moves = list[tuple[str, str, list[int], list[int]]]


def definition(
    segment: str,
    rule: str,
    mode: Mode = Mode.STICKY,
    ttl: int = HOUR,
    universe: Universe = Universe.ALL,
    kind: SubjectKind = USER,
    display_name: str = "",
) -> model.SegmentDefinition:
    """A rule segment whose members stay."""
    ttl = ttl if mode is Mode.STICKY else 0
    return model.SegmentDefinition(segment, SegmentKind.RULE, kind, rule, mode, ttl, universe, display_name)


class Journal:
    """Applies records one after the other, in an engine that may be restarted after each."""

    def __init__(self, folder: Path, house: str) -> None:
        self._house, self._memory = house, Engine()
        self.disk = None if house == "memory" else OnDisk(folder, Settings())

    @property
    def engine(self) -> Engine:
        """The engine as it is after the last restart."""
        return self._memory if self.disk is None else self.disk.engine

    def apply(self, at: int, payload: model.Payload) -> Moves:
        """One record; returns who moved, as (segment, cause, joined, left)."""
        record = model.Record(self.engine.revision + 1, at, payload)
        if self.disk is not None:
            self.disk.append(record)
        outcome = self.engine.apply(record)
        if self.disk is not None:
            if self._house == "snapshot":
                self.disk.step_snapshot(None)
            self.disk.reopen()
        changes = [change for change in outcome.changes if isinstance(change, Change)]
        return [(c.segment, c.cause.name.lower(), list(c.joined), list(c.left)) for c in changes]

    def create(self, at: int, wanted: model.SegmentDefinition) -> Moves:
        """A segment, built to its end."""
        moved = self.apply(at, model.CreateSegment(wanted))
        return moved + self._activate(at, wanted.id)

    def edit(self, at: int, wanted: model.SegmentDefinition) -> Moves:
        """An edit, built to its end."""
        moved = self.apply(at, model.UpdateSegment(wanted))
        return moved + self._activate(at, wanted.id)

    def _activate(self, at: int, segment: str) -> Moves:
        return self.apply(at, model.ActivateBuild(segment)) if self.engine.segment(segment).pending else []

    def plan(self, at: int, who: Identifier, plan: str) -> Moves:
        """One attribute of one user."""
        return self.apply(at, model.SetAttributes((model.AttributeUpdate(USER, (who,), {"plan": plan}),)))

    def view(self, at: int, *names: Identifier, account: str | None = None) -> Moves:
        """One view."""
        return self.apply(at, model.IngestEvents((Event("", "view", names, account, at, {}, {}),)))

    def tick(self, at: int) -> Moves:
        """Time alone."""
        return self.apply(at, model.Tick())

    def members(self, segment: str, kind: SubjectKind = USER) -> list[int]:
        """Who is in a segment, after checking that check, list and count agree."""
        listed = list(self.engine.members(ast.InSegment(segment), kind))
        everyone = list(self.engine.subjects(kind))
        assert [dense for dense in everyone if self.engine.check(kind, dense, [segment])[0]] == listed
        assert self.engine.count(ast.InSegment(segment), kind) == self.engine.size(segment) == len(listed)
        if everyone:
            checked = self.engine.check_many(kind, np.array(everyone, np.uint32), [segment])[:, 0]
            assert [dense for dense, member in zip(everyone, checked, strict=True) if member] == listed
        return listed

    def close(self) -> None:
        """Closes the files."""
        if self.disk is not None:
            self.disk.close()
