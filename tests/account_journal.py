"""A journal of events with users and accounts, applied record by record, with members looked up by name.

Owns how tests about accounts are written. Invariant: what it was told replays to the same changes and members.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError
from coterie.index.model import (
    ACCOUNT_ID,
    USER_ID,
    Change,
    Event,
    Identifier,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
    Value,
)
from coterie.index.rules.ast import InSegment
from tests.on_disk import OnDisk

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
NOW = 1_700_000_000_000
DAY = 86_400_000

Moves = dict[str, tuple[list[str], list[str]]]


def names(*values: str, namespace: str = USER_ID) -> tuple[Identifier, ...]:
    """Identifiers of one namespace."""
    return tuple(Identifier(namespace, value) for value in values)


def account(*values: str) -> tuple[Identifier, ...]:
    """Identifiers of an account."""
    return names(*values, namespace=ACCOUNT_ID)


def event(kind: str, who: str | tuple[Identifier, ...] = (), of: str | None = None, time: int | None = None) -> Event:
    """An event of a user, of an account, or of both."""
    return Event("", kind, names(who) if isinstance(who, str) else who, of, time, {}, {})


class Journal:
    """Applies payloads one after the other, and looks up members by name."""

    def __init__(self, disk: OnDisk | None = None) -> None:
        self.disk = disk
        self.engine = Engine() if disk is None else disk.engine
        self.records: list[model.Record] = []
        self.outcomes: list[tuple[model.ChangeEntry, ...]] = []

    def apply(self, payload: model.Payload, at: int = 0) -> Moves:
        """One record; returns the names of who joined and left, by segment."""
        record = model.Record(self.engine.revision + 1, at or self.engine.now or NOW, payload)
        if self.disk is not None:
            self.disk.append(record)
        self.records.append(record)
        try:
            changes = self.engine.apply(record).changes
        finally:
            self.outcomes.append(tuple(self.engine.changes.since(record.revision - 1)))
        return {
            one.segment: (self._names(one.subject_kind, one.joined), self._names(one.subject_kind, one.left))
            for one in changes
            if isinstance(one, Change)
        }

    def _names(self, kind: SubjectKind, ids: Iterable[int]) -> list[str]:
        found = (self.engine.identifier(kind, dense) for dense in ids)
        return sorted(each.value for each in found if each is not None)

    def ingest(self, *events: Event, at: int = 0) -> Moves:
        """One record of events."""
        return self.apply(model.IngestEvents(events), at)

    def set_user(self, who: str, **values: Value | None) -> Moves:
        """Attributes of a user."""
        return self.apply(model.SetAttributes((model.AttributeUpdate(USER, names(who), values),)))

    def set_account(self, who: str, **values: Value | None) -> Moves:
        """Attributes of an account."""
        return self.apply(model.SetAttributes((model.AttributeUpdate(ACCOUNT, account(who), values),)))

    def create(self, segment: str, rule: str, kind: SubjectKind = USER) -> Moves:
        """A segment, activated at once."""
        return self._define(model.CreateSegment, segment, rule, kind)

    def edit(self, segment: str, rule: str) -> Moves:
        """Another rule, activated at once."""
        return self._define(model.UpdateSegment, segment, rule, self.engine.segment(segment).definition.subject_kind)

    def _define(self, record: type, segment: str, rule: str, kind: SubjectKind) -> Moves:
        moves = self.apply(record(SegmentDefinition(segment, SegmentKind.RULE, kind, rule)))
        return self.apply(model.ActivateBuild(segment)) if self.engine.segment(segment).pending else moves

    def members(self, segment: str) -> list[str]:
        """The names of a segment's members; list, count and check agree on them."""
        kind = self.engine.segment(segment).definition.subject_kind
        listed = self.engine.members(InSegment(segment), kind)
        assert self.engine.count(InSegment(segment), kind) == len(listed)
        for dense in self.engine.subjects(kind):
            assert self.engine.is_member(segment, dense) is (dense in listed)
        return self._names(kind, listed)

    def _replayed(self) -> Engine:
        engine = Engine()
        for record, changes in zip(self.records, self.outcomes, strict=True):
            with suppress(CoterieError):
                engine.apply(record)
            assert tuple(engine.changes.since(record.revision - 1)) == changes
        return engine

    def compare_replay(self) -> None:
        """The same records, applied to a new engine, make the same changes and leave the same members."""
        replayed = self._replayed()
        for segment in self.engine.segments():
            if segment.root is not None:
                asked = InSegment(segment.id), segment.definition.subject_kind
                assert list(replayed.members(*asked)) == list(self.engine.members(*asked))
