# ruff: noqa: D102 - a call is what its name in the service says
"""What the acceptance suite drives: the `Backend` protocol, and the engine in memory and reopened behind it.

Owns how one suite is run against several houses. Subjects are named by the value of their first
identifier. Invariant: a backend decides nothing; it passes calls on and reads answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError, SubjectNotFound
from coterie.index.model import (
    AttributeUpdate,
    Change,
    Event,
    Identifier,
    Mode,
    Outcome,
    Payload,
    Record,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
    Universe,
    Value,
)
from coterie.index.rules.language import parse_expression_of_names
from coterie.index.settings import Settings
from tests.on_disk import OnDisk

Names = tuple[Identifier, ...]
USER = SubjectKind.USER


class Answer(NamedTuple):
    """What became of a call's events or updates."""

    accepted: int
    duplicates: int
    refused: list[tuple[int, str, str]]  # (index, reason, field)


class Moved(NamedTuple):
    """One membership change."""

    segment: str
    who: str
    joined: bool
    cause: str  # lower case


@dataclass(frozen=True)
class Position:
    """A place in the change stream."""

    token: str


class Backend(Protocol):
    """The service as the acceptance suite sees it; errors have a `reason` and a `metadata`."""

    def now(self) -> int: ...
    def advance_to(self, now: int) -> None:
        """Moves the clock; on return everything that time alone changes until then has changed."""

    def ingest(self, events: Sequence[Event]) -> Answer: ...
    def set_attributes(self, who: Names, values: dict[str, Value | None], kind: SubjectKind = USER) -> Answer: ...
    def merge(self, absorbed: Identifier, survivor: Identifier) -> None: ...
    def forget(self, who: Identifier) -> None:
        """Deletes a subject; of an unknown one there is nothing to delete."""

    def create(
        self,
        segment: str,
        rule: str,
        kind: SubjectKind = USER,
        universe: Universe = Universe.ALL,
        mode: Mode = Mode.LIVE,
        ttl_ms: int = 0,
    ) -> None:
        """Creates a rule segment and waits until it is ready."""

    def edit(self, segment: str, rule: str) -> None:
        """Gives a segment another rule and waits until that is served."""

    def delete(self, segment: str) -> None: ...
    def create_list(self, segment: str) -> None: ...
    def add(self, segment: str, who: Iterable[Identifier]) -> None: ...
    def remove(self, segment: str, who: Iterable[Identifier]) -> None: ...

    def check(self, who: Identifier, segment: str) -> bool: ...
    def segments_of(self, who: Identifier) -> set[str]: ...
    def members(self, expression: str, kind: SubjectKind = USER) -> list[str]: ...
    def count(self, expression: str, kind: SubjectKind = USER) -> int: ...

    def position(self) -> Position: ...
    def changes(self, since: Position) -> list[Moved]:
        """Returns every change after that position, in order of revisions."""

    def reopen(self) -> None:
        """Stops as a crash would and starts again from what is durable."""

    def close(self) -> None:
        """Stops for good."""


@contextmanager
def refuses(reason: str, **facts: str) -> Iterator[None]:
    """Expects the backend to raise an error with this reason and these facts."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - backends have exception classes of their own
        yield
    assert getattr(caught.value, "reason", "") == reason, repr(caught.value)
    metadata = getattr(caught.value, "metadata", {})
    assert {name: metadata.get(name) for name in facts} == facts


class InMemory:
    """The engine alone; its journal is a list, so reopening replays all of it."""

    START = 1_767_268_800_000  # 2026-01-01T12:00Z

    def __init__(self, _folder: Path | None = None, settings: Settings | None = None, start: int = START) -> None:
        self.settings = settings or Settings()
        self.engine = Engine(self.settings)
        self.journal: list[Record] = []
        self._apply(model.Tick(), start)

    def _apply(self, payload: Payload, at: int | None = None) -> Outcome:
        record = Record(self.engine.revision + 1, at or self.engine.now, payload)
        self.journal.append(record)
        return self.engine.apply(record)

    def now(self) -> int:
        return self.engine.now

    def advance_to(self, now: int) -> None:
        """As a server does: a tick at each instant at which something may change, then the rest."""
        while (upcoming := self.engine.next_instant()) is not None and upcoming < now:
            self._apply(model.Tick(), upcoming)
        self._apply(model.Tick(), now)

    def ingest(self, events: Sequence[Event]) -> Answer:
        in_order = sorted(range(len(events)), key=lambda index: self._time(events[index]))
        accepted, duplicates, refused = 0, 0, []
        for start in range(0, len(in_order), self.settings.record_events):
            indexes = in_order[start : start + self.settings.record_events]
            outcome = self._apply(model.IngestEvents(tuple(events[index] for index in indexes)))
            accepted, duplicates = accepted + outcome.accepted, duplicates + outcome.duplicates
            refused += [(indexes[one.index], one.reason, one.field) for one in outcome.refused]
        return Answer(accepted, duplicates, sorted(refused))

    def _time(self, event: Event) -> int:
        return self.engine.now if event.time is None else event.time

    def set_attributes(self, who: Names, values: dict[str, Value | None], kind: SubjectKind = USER) -> Answer:
        outcome = self._apply(model.SetAttributes((AttributeUpdate(kind, who, values),)))
        return Answer(outcome.accepted, 0, [(one.index, one.reason, one.field) for one in outcome.refused])

    def merge(self, absorbed: Identifier, survivor: Identifier) -> None:
        self._apply(model.MergeSubjects(USER, absorbed, survivor))

    def forget(self, who: Identifier) -> None:
        with suppress(SubjectNotFound):  # the service answers that there was nobody
            self._apply(model.DeleteSubject(USER, who))

    def create(
        self,
        segment: str,
        rule: str,
        kind: SubjectKind = USER,
        universe: Universe = Universe.ALL,
        mode: Mode = Mode.LIVE,
        ttl_ms: int = 0,
    ) -> None:
        self._apply(
            model.CreateSegment(SegmentDefinition(segment, SegmentKind.RULE, kind, rule, mode, ttl_ms, universe))
        )
        self._finish_builds()

    def edit(self, segment: str, rule: str) -> None:
        self._apply(model.UpdateSegment(replace(self.engine.segment(segment).newest, rule=rule)))
        self._finish_builds()

    def _finish_builds(self) -> None:
        while any(not build.done for build in self.engine.builds()) and self.engine.step_builds():
            pass
        for build in self.engine.builds():
            self._apply(model.ActivateBuild(build.segment))

    def delete(self, segment: str) -> None:
        self._apply(model.DeleteSegment(segment))

    def create_list(self, segment: str) -> None:
        self._apply(model.CreateSegment(SegmentDefinition(segment, SegmentKind.LIST, USER)))

    def add(self, segment: str, who: Iterable[Identifier]) -> None:
        self._apply(model.ChangeList(segment, model.ListOperation.ADD, tuple((name,) for name in who)))

    def remove(self, segment: str, who: Iterable[Identifier]) -> None:
        self._apply(model.ChangeList(segment, model.ListOperation.REMOVE, tuple((name,) for name in who)))

    def check(self, who: Identifier, segment: str) -> bool:
        return self.engine.check(USER, self.engine.find(USER, (who,)), [segment])[0]

    def segments_of(self, who: Identifier) -> set[str]:
        dense = self.engine.find(USER, (who,))
        return set() if dense is None else set(self.engine.segments_of(USER, dense))

    def members(self, expression: str, kind: SubjectKind = USER) -> list[str]:
        return [
            self.engine.identifier(kind, dense).value
            for dense in self.engine.members(parse_expression_of_names(expression), kind)
        ]

    def count(self, expression: str, kind: SubjectKind = USER) -> int:
        return self.engine.count(parse_expression_of_names(expression), kind)

    def position(self) -> Position:
        return Position(str(self.engine.revision))

    def changes(self, since: Position) -> list[Moved]:
        return [
            Moved(
                entry.segment, self.engine.identifier(entry.subject_kind, dense).value, joined, entry.cause.name.lower()
            )
            for entry in self.engine.changes.since(int(since.token))
            if isinstance(entry, Change)
            for joined, ids in ((True, entry.joined), (False, entry.left))
            for dense in ids
        ]

    def reopen(self) -> None:
        self.engine = Engine(self.settings)
        for record in self.journal:
            with suppress(CoterieError):  # a record that was refused is refused again
                self.engine.apply(record)

    def close(self) -> None:
        """Leaves nothing behind."""


class ReopenedAfterEveryWrite(InMemory):
    """Starts again from the journal after each record, so that nothing can live in memory alone."""

    def _apply(self, payload: Payload, at: int | None = None) -> Outcome:
        try:
            return super()._apply(payload, at)
        finally:
            self.reopen()


class ReopenedFromDisk(InMemory):
    """Starts again from the files after each record: from a snapshot, a journal, and sometimes both."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self._disk = OnDisk(folder, settings or Settings())
        super().__init__(folder, settings)

    def _apply(self, payload: Payload, at: int | None = None) -> Outcome:
        self.engine = self._disk.engine
        record = Record(self.engine.revision + 1, at or self.engine.now, payload)
        self._disk.append(record)
        try:
            return self.engine.apply(record)
        finally:
            if record.revision % 3 == 0:
                self._disk.step_snapshot(None)
            self.reopen()

    def reopen(self) -> None:
        self._disk.reopen()
        self.engine = self._disk.engine

    def close(self) -> None:
        self._disk.close()
