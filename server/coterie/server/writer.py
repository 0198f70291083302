"""The single writer of a dataset: calls in, records to the journal, the engine moved on, answers out.

One task gathers waiting calls into records and commits them, in a worker thread, while another applies the group
committed before, one record at a time, giving way to reads in between. Invariants: records are applied in the
order they were committed; nobody is answered before both are done; time never passes the next instant at which
it changes something without a record for it, except by `tick_spacing_ms` under load (see `pace`); an instant that
is passed in parts is passed to its end before anything else is written.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from coterie.index.engine import Engine
from coterie.index.errors import (
    CoterieError,
    EtagMismatch,
    Exists,
    IngestSaturated,
    InputError,
    NotFound,
    PreconditionFailed,
    Unavailable,
)
from coterie.index.model import (
    ActivateBuild,
    ChangeList,
    CreateSegment,
    DeleteSegment,
    Outcome,
    Record,
    Tick,
    UpdateSegment,
)
from coterie.index.storage.journal import JournalLike
from coterie.index.sweeps import Steps
from coterie.server.builds import Builder
from coterie.server.calls import Call, Draft, Written, cut
from coterie.server.clock import Clock
from coterie.server.config import ServerSettings
from coterie.server.pace import Pace
from coterie.server.way import Way

# What a caller can do wrong. Anything else that `apply` raises may have come in the middle of its work.
_REFUSALS = (InputError, NotFound, Exists, PreconditionFailed, EtagMismatch)
_log = logging.getLogger("coterie.server")
_MAY_BUILD = (CreateSegment, UpdateSegment, DeleteSegment, ChangeList, ActivateBuild)


@dataclass(slots=True)
class _Group:
    """Records of one journal transaction."""

    drafts: list[Draft]
    records: list[Record]


@dataclass(slots=True)
class Counters:
    """What the writer has done since the last snapshot, and what waits."""

    events: int = 0
    records: int = 0
    waiting_calls: int = 0
    waiting_items: int = 0


@dataclass(slots=True)
class Condition:
    """Why writing does not go on as usual; empty while it does."""

    stalled: str = ""
    failed: str = ""


class Writer:
    """Owns the engine's only way forward."""

    def __init__(
        self,
        engine: Engine,
        journal: JournalLike,
        clock: Clock,
        settings: ServerSettings,
        way: Way,
        applied: Callable[[Outcome], None],
    ) -> None:
        self._engine, self._journal, self._clock, self._settings = engine, journal, clock, settings
        self._way, self._applied = way, applied
        self._pace = Pace(clock, settings.tick_spacing_ms, settings.tick_burst)
        self._calls: deque[Call] = deque()
        self._committed: asyncio.Queue[_Group | None] = asyncio.Queue(maxsize=1)
        self._in_flight = 0  # groups committed or being committed, and not yet applied
        self._wake, self._caught_up = asyncio.Event(), asyncio.Event()
        self._builder = Builder(engine, settings.build_rows, way, self._activate, self._fail)
        self._last = Record(engine.revision, engine.now, Tick())  # the newest record handed to the journal
        self._stopping = False
        # A thread of its own: commits wait for nobody else's work, and keep their order.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._tasks: list[asyncio.Task[None]] = []
        self.counters = Counters()
        self.condition = Condition()

    # ------------------------------------------------------------ the callers' side

    async def write(self, call: Call) -> Written:
        """Writes a call; returns once everything of it is durable and applied."""
        self._check_open()
        if not self.has_room(call.weight):
            raise IngestSaturated("the write queue is full; try again shortly", waiting=self.counters.waiting_items)
        self.submit(call)
        # Shielded: a caller that goes away does not take its call out of the record.
        return await asyncio.shield(call.done)

    def has_room(self, items: int) -> bool:
        """Says whether a call of so many items would be taken; an empty queue takes any."""
        waiting = self.counters
        return not waiting.waiting_calls or (
            waiting.waiting_items + items <= self._settings.queue_events
            and waiting.waiting_calls < self._settings.queue_calls
        )

    def submit(self, call: Call) -> None:
        """Puts a call into the queue, room or not; its caller awaits `call.done`."""
        self._check_open()
        self._calls.append(call)
        self.counters.waiting_calls += 1
        self.counters.waiting_items += call.weight
        call.done.add_done_callback(lambda _: self._left(call))
        self._wake.set()

    def _left(self, call: Call) -> None:
        self.counters.waiting_calls -= 1
        self.counters.waiting_items -= call.weight
        call.done.exception()  # looked at, so that a caller that went away leaves no warning behind

    def _check_open(self) -> None:
        if self.condition.failed:
            raise Unavailable(self.condition.failed)
        if self._stopping:
            raise Unavailable("the server is stopping")

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Begins to write."""
        self._tasks = [asyncio.create_task(run()) for run in (self._commit_groups, self._apply_groups)]
        self._builder.start()

    async def stop(self) -> None:
        """Takes nothing new, writes and applies everything taken, then ends."""
        self._stopping = True
        self._wake.set()
        if self._tasks:
            await asyncio.gather(*self._tasks)
        await self._builder.stop()
        self._thread.shutdown()

    # ------------------------------------------------------------ gather and commit

    async def _commit_groups(self) -> None:
        try:
            while not self.condition.failed:
                await self._wait_for_work()
                if self._stopping and not self._calls and await self._may_stop():
                    break
                group = await self._gather()
                if group is not None:
                    await self._commit(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers must not wait for ever
            _log.exception("the writer failed")
            self._fail(f"the writer failed: {error}")
        await self._committed.put(None)

    async def _wait_for_work(self) -> None:
        while not (self._calls or self._stopping or self.condition.failed or self._mid_sweep):
            due = None if self._in_flight else self._pace.next_tick(self._next_instant())
            if due is not None and due <= self._clock.now():
                return
            timer = self._clock.call_at(due, self._wake.set) if due is not None else None
            await self._wake.wait()
            self._wake.clear()
            if timer is not None:
                timer.cancel()

    async def _may_stop(self) -> bool:
        """Says whether no sweep is under way; one that cannot go on, on a full disk, is left to the next start."""
        await self._catch_up()
        return not self._engine.sweeping or bool(self.condition.stalled)

    def _next_instant(self) -> int | None:
        due = self._engine.next_instant()
        return None if due is None else max(due, self._last.at + 1)

    async def _gather(self) -> _Group | None:
        """Cuts what waits into records; a long way for time to go comes first, in steps of its own."""
        now = max(self._clock.now(), self._last.at)
        if self._mid_sweep:
            await self._catch_up()
            if self._engine.sweeping:
                return await self._sweep(self._engine.now)
        steps = self._engine.sweep_steps(self._last.at, now, self._settings.sweep_rows)
        if steps.instants:
            return await self._step(steps)
        due = None if self._in_flight else self._next_instant()
        if due is not None and due < now and self._pace.exact():
            return self._group([Draft(Tick())], due)
        if not self._calls:
            return self._group([Draft(Tick())], now) if due is not None and due <= now else None
        return self._group(self._take_calls(now), now)

    @property
    def _mid_sweep(self) -> bool:
        """Whether parts of an instant are to follow what was applied, or what was handed to the journal."""
        last = self._last.payload
        return self._engine.sweeping or (isinstance(last, Tick) and last.below > 0)

    async def _step(self, steps: Steps) -> _Group | None:
        """Moves time on: by a tick for each instant, or into the parts of a crowded one."""
        instants = steps.instants[:-1] if steps.crowded else steps.instants
        if instants:
            group = self._group([Draft(Tick())] * len(instants), instants[-1])
            group.records = [replace(each, at=at) for each, at in zip(group.records, instants, strict=True)]
            return group
        await self._catch_up()  # prepared is what stands there once everything before it is applied
        return await self._sweep(steps.instants[-1])

    async def _sweep(self, at: int) -> _Group:
        """Returns the next parts of an instant, prepared between other work."""
        # Half as many as in a step: a crowd is passed on to every segment at once, which costs as much again.
        rows = self._settings.sweep_rows // 2
        await self._builder.settle()
        while not self._engine.prepare_sweep(at, rows):
            await self._way.give()
        parts = self._engine.sweep_parts(rows)[: self._settings.group_records]
        return self._group([Draft(Tick(below)) for below in parts], at)

    def _take_calls(self, at: int) -> list[Draft]:
        record_items = self._settings.engine.record_events
        taken: list[Call] = []
        records = 0
        while self._calls and (not taken or records < self._settings.group_records):
            call = self._calls.popleft()
            records += -(-len(call.items) // record_items) or len(call.payloads)
            taken.append(call)
        self._pace.loaded()
        return cut(taken, at, record_items, self._settings.shared_call_events)

    def _group(self, drafts: list[Draft], at: int) -> _Group:
        first = self._last.revision + 1
        records = [Record(first + index, at, draft.payload) for index, draft in enumerate(drafts)]
        self._pace.moved(at, tick=isinstance(records[-1].payload, Tick))
        return _Group(drafts, records)

    async def _commit(self, group: _Group) -> None:
        """Makes a group durable and hands it on; on a full disk its callers are told, and time stands still."""
        self._in_flight += 1
        self._caught_up.clear()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._journal.append, group.records)
        except CoterieError as error:
            self._in_flight -= 1
            for draft in group.drafts:
                draft.fail(error)
            await self._rest_after(error)
            return
        self.condition.stalled = ""
        self._last = group.records[-1]
        await self._committed.put(group)

    async def _rest_after(self, error: CoterieError) -> None:
        """Waits before writing is tried again; time stands still meanwhile, reads go on."""
        self.condition.stalled = error.message
        _log.warning("the journal refused a commit: %s", error.message)
        await asyncio.sleep(self._settings.storage_retry_ms / 1000)

    # ------------------------------------------------------------ apply

    async def _apply_groups(self) -> None:
        while (group := await self._committed.get()) is not None:
            for draft, record in zip(group.drafts, group.records, strict=True):
                await self._builder.settle()
                if self.condition.failed:
                    draft.fail(Unavailable(self.condition.failed))
                    continue
                self._apply(draft, record)
                await self._way.give()
            self._in_flight -= 1
            if not self._in_flight:
                self._caught_up.set()
            self._wake.set()

    def _apply(self, draft: Draft, record: Record) -> None:
        try:
            outcome = self._engine.apply(record)
        except _REFUSALS as error:
            # The record counts, only its own work was refused: readers and watchers see the new revision.
            self._note(record, Outcome(record.revision))
            draft.refuse(error, self._engine.now)
            return
        except Exception as error:  # noqa: BLE001 - a defect stops the dataset, not the server
            _log.exception("the record of revision %d could not be applied", record.revision)
            self._fail(
                f"the record of revision {record.revision} could not be applied ({type(error).__name__}: {error}); "
                f"`coterie journal skip {record.revision}` leaves it out"
            )
            draft.fail(Unavailable(self.condition.failed))
            return
        self._note(record, outcome)
        draft.settle(outcome, self._engine.now)

    def _note(self, record: Record, outcome: Outcome) -> None:
        self.counters.records += 1
        self.counters.events += outcome.accepted
        if isinstance(record.payload, _MAY_BUILD):
            self._builder.wake()
        self._applied(outcome)

    async def _catch_up(self) -> None:
        """Waits until everything committed is applied."""
        while self._in_flight and not self.condition.failed:
            await self._caught_up.wait()

    def _fail(self, message: str) -> None:
        self.condition.failed = message
        while self._calls:
            self._calls.popleft().fail(Unavailable(message))
        self._caught_up.set()
        self._wake.set()

    def _activate(self, segment: str) -> None:
        """Journals that a build is finished. Nobody waits for it, and a segment deleted meanwhile is no fault."""
        call = Call(payloads=[ActivateBuild(segment)])
        call.done.add_done_callback(lambda done: self._builder.activated(segment, done))
        self._calls.append(call)
        self._wake.set()
