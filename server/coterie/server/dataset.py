"""One open dataset: its directory, engine, journal, writer, and what calls share of them.

Owns the life of these parts, from recovery to the snapshot of a clean stop. Invariant: while a dataset is open,
only its writer moves its engine, and everything answered names the revision it was answered at.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from coterie.index.engine import Engine
from coterie.index.errors import DataLoss, Unavailable
from coterie.index.model import Identifier, Outcome, SubjectKind, Tick
from coterie.index.settings import Settings
from coterie.index.storage.recovery import Recovered, recover
from coterie.index.storage.store import StateStore
from coterie.server.calls import Call
from coterie.server.clock import Clock, check_start
from coterie.server.config import ServerSettings
from coterie.server.convert.checks import CheckAnswers
from coterie.server.convert.events import EventReader
from coterie.server.progress import Progress
from coterie.server.requests import RequestMemory
from coterie.server.scans import Scans
from coterie.server.snapshots import Snapshots
from coterie.server.tokens import Tokens
from coterie.server.way import Way
from coterie.server.writer import Writer

_log = logging.getLogger("coterie.server")

DESCRIPTION_FILE = "dataset.json"
_SWEEP_LOOK_S = 0.1  # between two looks at a sweep that writes no record
_VISIT_GAP_MS = Settings().visit_gap_ms  # of datasets described before it could be set


@dataclass(frozen=True, slots=True)
class Description:
    """What was said of a dataset when it was created; never changes."""

    id: str
    display_name: str
    time_zone: str = "UTC"
    visit_gap_ms: int = _VISIT_GAP_MS
    create_time: int = 0

    def save(self, directory: Path) -> None:
        """Writes it so that it is there as a whole or not at all."""
        beside = directory / f"{DESCRIPTION_FILE}.new"
        with beside.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(directory / DESCRIPTION_FILE)

    @classmethod
    def load(cls, directory: Path) -> Description:
        """Reads it back."""
        return cls(**json.loads((directory / DESCRIPTION_FILE).read_text(encoding="utf-8")))


@dataclass(slots=True)
class Verification:
    """What reading everything on disk came to."""

    entries: int = 0
    bytes: int = 0
    faults: list[DataLoss] = field(default_factory=list)


class Dataset:
    """An engine that is being served."""

    def __init__(
        self,
        description: Description,
        directory: Path,
        recovered: Recovered[Engine],
        clock: Clock,
        settings: ServerSettings,
        way: Way,
    ) -> None:
        self.description, self.directory = description, directory
        self._recovered = recovered
        self.engine, self.journal, self.store = recovered.engine, recovered.journal, recovered.store
        self.clock, self.settings, self.way = clock, settings, way
        self.tokens = Tokens(description.id, self.store.header.origin)
        self.check_answers = CheckAnswers(self.tokens)
        self.progress = Progress(self.engine.revision, max(1, settings.watch_buffer // 10))
        self.events = EventReader(settings.engine)
        self.requests = RequestMemory(settings.request_ids, settings.request_id_ms, clock.now)
        self.writer = Writer(self.engine, self.journal, clock, settings, way, self._applied)
        self.snapshots = Snapshots(self.engine, self.journal, self.store, settings, clock, way)
        self.scans = Scans(settings, clock, way, self.progress)
        self.watchers = 0

    @classmethod
    async def open(cls, directory: Path, clock: Clock, settings: ServerSettings, way: Way) -> Dataset:
        """Recovers a dataset from its directory and starts its writer."""
        description = Description.load(directory)
        engine_settings = replace(
            settings.engine, timezone=description.time_zone, visit_gap_ms=description.visit_gap_ms
        )
        settings = replace(settings, engine=engine_settings)
        # In a thread, so that a server already serving other datasets goes on while this one replays its journal.
        recovered = await asyncio.to_thread(_recover, directory, settings)
        try:
            last, now = recovered.engine.now, clock.now()
            check_start(description.id, last, now, settings.max_clock_gap_ms, accept=settings.accept_clock)
            dataset = cls(description, directory, recovered, clock, settings, way)
        except BaseException:
            recovered.close()
            raise
        dataset.writer.start()
        if not dataset.engine.revision:
            # Its first record says when it began, so that its time is never 1970's.
            await dataset.writer.write(Call(payloads=[Tick()]))
        return dataset

    async def steady(self) -> None:
        """Waits until no sweep is being prepared or under way: in its middle, subjects stand at two instants."""
        while self.engine.preparing:
            self.check_serving()
            await self.progress.past(self.engine.revision, _SWEEP_LOOK_S)

    def check_serving(self) -> None:
        """Raises Unavailable where the dataset has failed: its state may be behind what was acknowledged."""
        if self.writer.condition.failed:
            raise Unavailable(self.writer.condition.failed)

    user_kind = SubjectKind.USER

    def ready_segments(self, kind: SubjectKind) -> list[str]:
        """Returns the ids of the segments that answer for subjects of a kind, sorted."""
        segments = self.engine.segments()
        return sorted(each.id for each in segments if each.root is not None and each.definition.subject_kind is kind)

    def name_of(self, kind: SubjectKind, dense: int) -> Identifier:
        """Returns a subject's first identifier, also of one that is gone while the change log names it."""
        name = self.engine.identifier(kind, dense)
        assert name is not None, "subjects keep their first identifier as long as anything names them"
        return name

    def stamp(self, response: Any) -> None:
        """Writes revision and time of the state as it is now into an answer."""
        engine = self.engine
        response.revision.token = self.tokens.revision(engine.revision)
        now = engine.now
        time = response.now
        time.seconds = now // 1000
        time.nanos = now % 1000 * 1_000_000

    def _applied(self, outcome: Outcome) -> None:
        self.progress.advance(outcome)
        self.snapshots.applied(outcome)

    def verify(self) -> Verification:
        """Reads everything on disk and compares checksums; called in a worker thread."""
        report = Verification()
        for part in (self.journal, self.store):
            for damage in part.verify():
                report.entries += 1
                if damage is not None:
                    report.faults.append(damage)
            report.bytes += part.size_bytes
        return report

    def end_streams(self) -> None:
        """Ends the calls that would go on for ever."""
        self.progress.close()

    async def close(self, *, snapshot: bool = True) -> None:
        """Writes and applies what was taken, takes a snapshot, and closes the files."""
        self.end_streams()
        await self.writer.stop()
        await self.snapshots.stop(take_last=snapshot and not self.writer.condition.failed)
        await asyncio.to_thread(self._recovered.close)


def _recover(directory: Path, settings: ServerSettings) -> Recovered[Engine]:
    def make_engine(engine_settings: Settings, store: StateStore) -> Engine:
        return Engine(engine_settings, lookup=store, blocks=store)

    origin = secrets.token_hex(8)
    recovered = recover(directory, settings.engine, make_engine, map_size=settings.map_bytes, origin=origin)
    if recovered.outdated:
        _log.warning(
            "%s was written by another version of the engine or of the time zone database: where a zone's rules have"
            " changed, calendar windows stay as they were counted until their segments are edited or made anew",
            directory,
        )
    return recovered
