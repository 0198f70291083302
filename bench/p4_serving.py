"""The part of P4 that goes over gRPC: a server in its own process, on the real clock.

The windows are full once it has run at full speed for longer than the longest of them; from then on they let go of
events as fast as they arrive. Invariant: only acknowledged events are counted.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from time import perf_counter

import grpc

from bench.aged import BATCH
from bench.dataset import Dataset
from bench.measure import Watch, figure_of, percentile
from bench.registry import Run
from bench.report import Report
from bench.serving import Server
from bench.shop import Shop, rules
from bench.wire import Call, IngestMessage, accepted_of, call_of, channel_to, run_async, server_cpu

INGEST = "/coterie.v1.EventService/IngestEvents"
SNAPSHOT = "/coterie.v1.AdminService/CreateSnapshot"
IN_FLIGHT = 4
SINGLE_RATE = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how large."""

    users: int
    templates: int
    windows_s: tuple[int, ...]
    rounds: int
    round_s: float
    singles: int

    @property
    def windows(self) -> tuple[str, ...]:
        """The windows as rules spell them."""
        return tuple(f"{seconds} seconds" for seconds in self.windows_s)


@dataclass(slots=True)
class Measured:
    """What came out."""

    per_second: list[float] = field(default_factory=list)
    per_core: list[float] = field(default_factory=list)
    single_ms: list[float] = field(default_factory=list)
    single_cpu_ms: float = 0.0
    snapshot_ms: list[float] = field(default_factory=list)

    @property
    def events_per_core(self) -> float:
        """Events for each second of the server's processor time."""
        return median(self.per_core)

    @property
    def single_p99_ms(self) -> float:
        """The 99th percentile of single-event calls."""
        return percentile(self.single_ms, 0.99)

    @property
    def snapshot_p99_ms(self) -> float:
        """The same, of the calls under way while a snapshot ran."""
        return percentile(self.snapshot_ms, 0.99)


def measure_server(run: Run, report: Report) -> Measured:
    """Adds the server's figures to a report."""
    plan = run.choose(
        Plan(300, 3, (1, 2, 3, 4, 5), 2, 0.2, 50),
        Plan(40_000, 100, (1, 2, 4, 7, 10), 8, 2.0, 10_000),
        Plan(200_000, 400, (1, 4, 8, 14, 19), 20, 2.0, 30_000),
    )
    data = run.directory / "server"
    with Dataset.for_server(data) as dataset:
        dataset.create(rules(plan.windows))
    run.watch.phase("making messages")
    shop = Shop(plan.users)
    batches = [IngestMessage(shop.happenings(BATCH)) for _ in range(plan.templates)]
    singles = [IngestMessage(shop.happenings(1)) for _ in range(BATCH)]
    with Server(data) as server:
        measured = run_async(_measure(server.target, plan, batches, singles, run))
        server.kill()
    who = "Coterie, over gRPC"
    report.figures += [
        figure_of(who, "durable and visible", measured.per_second, "events/s"),
        figure_of(who, "by the server's processor time", measured.per_core, "events/s"),
        figure_of(who, "one event a call, 1 000 calls/s", measured.single_ms, "ms"),
        figure_of(who, "its processor time", [measured.single_cpu_ms], "ms"),
        figure_of(who, "the same while a snapshot runs", measured.snapshot_ms, "ms"),
    ]
    unanswered = sum(map(math.isinf, measured.single_ms + measured.snapshot_ms))
    if unanswered:
        report.notes.append(
            f"{unanswered} calls of a single event were not answered: the server had too many under way"
        )
    if run.size == "tiny":
        report.notes.append("over gRPC the windows were not full yet: the run was shorter than they are")
    return measured


async def _measure(
    target: str, plan: Plan, batches: list[IngestMessage], singles: list[IngestMessage], run: Run
) -> Measured:
    measured, numbers, patience = Measured(), count(), 0.3 if run.size == "tiny" else max(plan.windows_s) + 1.0
    async with channel_to(target) as channel:
        ingest = call_of(channel, INGEST)
        run.watch.phase(f"filling the windows at full speed, {patience:.0f} s")
        await _flood(ingest, batches, numbers, patience)
        await _measure_batches(channel, plan, batches, numbers, measured, run.watch)
        run.watch.phase(f"single events, {patience:.0f} s until the windows hold no others")
        await _pace(ingest, singles, numbers, int(patience * SINGLE_RATE))
        run.watch.phase("single events, 1 000 a second")
        cpu = await server_cpu(channel)
        measured.single_ms = await _pace(ingest, singles, numbers, plan.singles)
        measured.single_cpu_ms = (await server_cpu(channel) - cpu) * 1000 / plan.singles
        run.watch.phase("single events while a snapshot runs")
        measured.snapshot_ms = await _pace_during_snapshot(channel, ingest, singles, numbers)
    return measured


async def _measure_batches(
    channel: grpc.aio.Channel,
    plan: Plan,
    batches: list[IngestMessage],
    numbers: Iterator[int],
    measured: Measured,
    watch: Watch,
) -> None:
    watch.phase("batches of 1 000", plan.rounds)
    for _ in range(plan.rounds):
        cpu, begin = await server_cpu(channel), perf_counter()
        events = await _flood(call_of(channel, INGEST), batches, numbers, plan.round_s)
        taken, cpu_taken = perf_counter() - begin, await server_cpu(channel) - cpu
        measured.per_second.append(events / taken)
        measured.per_core.append(events / cpu_taken)
        watch.advance()


async def _flood(ingest: Call, batches: list[IngestMessage], numbers: Iterator[int], seconds: float) -> int:
    """Keeps a few calls under way for so long; returns how many events were acknowledged."""
    end = perf_counter() + seconds
    acknowledged = 0

    async def send() -> None:
        nonlocal acknowledged
        while perf_counter() < end:
            number = next(numbers)
            batch = batches[number % len(batches)]
            accepted = accepted_of(await ingest(batch.stamped(number)))
            assert accepted == batch.events, f"{batch.events - accepted} events were not taken"
            acknowledged += accepted

    await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))
    return acknowledged


async def _pace(ingest: Call, singles: list[IngestMessage], numbers: Iterator[int], calls: int) -> list[float]:
    """Sends so many single events at a steady rate, whatever comes back; returns what each took (ms)."""
    latencies: list[float] = []
    begin = perf_counter()
    async with asyncio.TaskGroup() as under_way:
        for index in range(calls):
            rest = begin + index / SINGLE_RATE - perf_counter()
            if rest > 0:
                await asyncio.sleep(rest)
            under_way.create_task(_single(ingest, singles, next(numbers), latencies))
    return latencies


async def _single(ingest: Call, singles: list[IngestMessage], number: int, latencies: list[float]) -> None:
    begin = perf_counter()
    try:
        answer = await ingest(singles[number % len(singles)].stamped(number))
    except grpc.aio.AioRpcError:
        latencies.append(math.inf)  # shed by a server with too many calls under way
        return
    latencies.append((perf_counter() - begin) * 1000)
    assert accepted_of(answer) == 1, "the event was not taken"


async def _pace_during_snapshot(
    channel: grpc.aio.Channel, ingest: Call, singles: list[IngestMessage], numbers: Iterator[int]
) -> list[float]:
    snapshot = asyncio.ensure_future(call_of(channel, SNAPSHOT)(b""))
    latencies: list[float] = []
    while not snapshot.done():
        latencies += await _pace(ingest, singles, numbers, SINGLE_RATE // 10)
    await snapshot
    return latencies
