"""One journal, and every way in which its segments can come to have their members.

Live (defined before the events), built in the middle of them, built over all of history, restarted from a snapshot,
replayed from the journal. Owns the journal and its directory. Invariant: the engine never sees a record that is not
on disk, so every way sees the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError
from coterie.index.model import Event, Record, SegmentDefinition, SubjectKind
from coterie.index.rules import ast
from coterie.index.settings import Settings
from tests.on_disk import OnDisk
from tests.oracle_dataset import Dataset

LIVE, HALF, BUILT = "live", "half", "built"  # prefixes of the segments
Members = dict[str, list[int]]


class Ways:
    """Definitions are told first, then events; in the middle and at the end they are defined once more."""

    def __init__(
        self, folder: Path, definitions: Sequence[SegmentDefinition], settings: Settings | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.disk = OnDisk(folder, self.settings)
        self.records: list[Record] = []
        self.definitions = definitions

    @property
    def engine(self) -> Engine:
        """The engine as it is after the last restart."""
        return self.disk.engine

    def apply(self, payload: model.Payload, at: int) -> model.Outcome:
        """One record, durable before it is applied."""
        record = Record(self.engine.revision + 1, max(at, self.engine.now), payload)
        self.disk.append(record)
        self.records.append(record)
        return self.engine.apply(record)

    def define(self, prefix: str, at: int) -> None:
        """Creates every segment once more, in the order in which they nest."""
        for definition in self.definitions:
            named = replace(definition, id=f"{prefix}-{definition.id}", rule=_renamed(definition.rule, prefix))
            self.apply(model.CreateSegment(named), at)

    def activate(self, at: int, rows: int) -> None:
        """Goes on with what is being built, and switches to what is done."""
        self.engine.step_builds(rows)
        for build in self.engine.builds():
            if build.done:
                self.apply(model.ActivateBuild(build.segment), at)

    def tell(self, events: Sequence[Event], end: int, build_rows: int = 1_000) -> None:
        """Sends events in their order, time going along with them, and defines everything anew on the way."""
        self.define(LIVE, _time(events[0]))
        size = self.settings.record_events
        batches = [events[begin : begin + size] for begin in range(0, len(events), size)]
        for number, batch in enumerate(batches):
            if number == len(batches) // 2:
                self.define(HALF, self.engine.now)
            self.apply(model.IngestEvents(tuple(batch)), max(map(_time, batch)))
            self.activate(self.engine.now, build_rows)
        self.apply(model.Tick(), end)
        self.define(BUILT, end)
        while self.engine.builds():
            self.activate(end, build_rows)

    def restarted(self) -> Engine:
        """Takes a snapshot and starts again from it."""
        self.disk.step_snapshot(None)
        self.disk.reopen()
        return self.engine

    def replayed(self) -> Engine:
        """Applies the whole journal to a new engine."""
        engine = Engine(self.settings)
        for record in self.records:
            with suppress(CoterieError):  # what was refused is refused again
                engine.apply(record)
        return engine

    def oracle(self, rules: dict[str, ast.Expression]) -> Dataset:
        """What plain Python makes of the events and of the segments defined first; sticky ones it leaves out."""
        dataset = Dataset(self.settings.timezone, rules.__getitem__)
        for record in self.records:
            if isinstance(record.payload, model.IngestEvents | model.Tick):
                dataset.apply(record)
            elif isinstance(record.payload, model.CreateSegment) and record.payload.definition.id.startswith(LIVE):
                dataset.apply(record)
                dataset.promote(record.payload.definition.id)
        return dataset

    def close(self) -> None:
        """Closes the files."""
        self.disk.close()


def _time(event: Event) -> int:
    assert event.time is not None
    return event.time


def _renamed(rule: str, prefix: str) -> str:
    """Lets a rule name the segments of its own set: they are written `in SET-name`."""
    return rule.replace("in SET-", f"in {prefix}-")


def members(engine: Engine, definitions: Iterable[SegmentDefinition], prefix: str) -> Members:
    """Returns the members of each segment of a set, after checking that check, list and count agree."""
    found = {}
    for definition in definitions:
        name, kind = f"{prefix}-{definition.id}", definition.subject_kind
        listed = list(engine.members(ast.InSegment(name), kind))
        assert engine.count(ast.InSegment(name), kind) == engine.size(name) == len(listed)
        checked = [dense for dense in engine.subjects(kind) if engine.is_member(name, dense)]
        assert checked == listed, name
        found[definition.id] = listed
    return found


def of_users(name: str, rule: str, kind: SubjectKind = SubjectKind.USER) -> SegmentDefinition:
    """A definition of a live segment."""
    return SegmentDefinition(name, model.SegmentKind.RULE, kind, rule)


def of_accounts(name: str, rule: str) -> SegmentDefinition:
    """A definition of a live segment of accounts."""
    return of_users(name, rule, SubjectKind.ACCOUNT)
