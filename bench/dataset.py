"""A dataset without a server: the journal, engine and records a server's writer would use, on a clock of one's own.

Owns an open dataset directory. Invariant: what `write` returns from is durable and applied, as an acknowledged
call's work is; a server started on the directory afterwards finds a dataset like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Self, TypeVar

from coterie.index.engine import Engine
from coterie.index.model import (
    ActivateBuild,
    CreateSegment,
    Event,
    IngestEvents,
    Outcome,
    Payload,
    Record,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
)
from coterie.index.settings import Settings
from coterie.index.storage.recovery import recover
from coterie.index.storage.snapshot import Snapshot, run
from coterie.index.storage.store import StateStore
from coterie.server.dataset import Description

START = 1_767_225_600_000  # 2026-01-01T00:00Z
RECORD_EVENTS = Settings().record_events
Item = TypeVar("Item")


def _make_engine(settings: Settings, store: StateStore) -> Engine:
    return Engine(settings, lookup=store, blocks=store)


class Dataset:
    """An open dataset directory and its engine."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._recovered = recover(directory, Settings(), _make_engine)
        self.engine, self.journal = self._recovered.engine, self._recovered.journal
        self.journal_seconds = self.apply_seconds = 0.0

    @classmethod
    def for_server(cls, data: Path) -> Dataset:
        """Makes the default dataset of a server's data directory."""
        directory = data / "datasets" / "default"
        directory.mkdir(parents=True)
        Description("default", "default", create_time=START).save(directory)
        return cls(directory)

    # ------------------------------------------------------------ writing

    def write(self, payloads: Sequence[Payload], at: int | None = None) -> list[Outcome]:
        """Writes payloads as records of one journal transaction, then applies them."""
        engine = self.engine
        at = max(at or 0, engine.now, START)
        records = [Record(engine.revision + 1 + index, at, payload) for index, payload in enumerate(payloads)]
        begin = perf_counter()
        self.journal.append(records)
        durable = perf_counter()
        outcomes = [engine.apply(record) for record in records]
        self.journal_seconds += durable - begin
        self.apply_seconds += perf_counter() - durable
        return outcomes

    def ingest(self, events: Sequence[Event], at: int) -> None:
        """Writes events, in records as large as the server makes them; every one must be taken."""
        payloads = [IngestEvents(tuple(piece)) for piece in _pieces(events, RECORD_EVENTS)]
        accepted = sum(outcome.accepted for outcome in self.write(payloads, at))
        assert accepted == len(events), f"{len(events) - accepted} events were not taken"

    def create(self, rules: Iterable[tuple[str, str]]) -> None:
        """Creates rule segments and finishes their builds."""
        for pieces in _pieces(list(rules), 250):
            self.write([CreateSegment(_rule(name, rule)) for name, rule in pieces])
            while any(not build.done for build in self.engine.builds()) and self.engine.step_builds():
                pass
            waiting = [build.segment for build in self.engine.builds()]
            if waiting:
                self.write([ActivateBuild(name) for name in waiting])

    def snapshot(self) -> None:
        """Takes a snapshot at one go."""
        engine, store = self.engine, self._recovered.store
        run(Snapshot(store, self.journal, engine.snapshot_parts(), engine.revision, engine.now))

    # ------------------------------------------------------------ the end

    def sizes(self) -> list[tuple[str, int]]:
        """Returns every segment's number of members."""
        return [(segment.id, self.engine.size(segment.id)) for segment in self.engine.segments()]

    def close(self) -> None:
        """Closes the files."""
        self._recovered.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _rule(name: str, rule: str) -> SegmentDefinition:
    return SegmentDefinition(name, SegmentKind.RULE, SubjectKind.USER, rule)


def _pieces(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    return (items[first : first + size] for first in range(0, len(items), size))
