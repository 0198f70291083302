"""P6: a new segment over all of history, beside DuckDB answering the same questions from a Parquet file of the same events.

Coterie's time runs from the call that creates the segment to its first answer; it goes on taking checks meanwhile, and
keeps the segment up to date from then on. Invariant: both give the same number of users for each question, each time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import grpc
import pyarrow as pa
import pyarrow.parquet as pq

from bench.checks import Checks, added_p99_ms
from bench.dataset import Dataset
from bench.measure import DifferentAnswers, checksum, figure_of
from bench.peers import DuckDB
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.serving import Server
from bench.shop import Happening, Shop, events_of, user_name
from bench.wire import call_of, channel_to, run_async
from coterie.v1 import analytics_service_pb2, segment_service_pb2

SERVICE = "/coterie.v1.SegmentService"
COUNT = "/coterie.v1.AnalyticsService/CountMembers"
WANTED_RATIO, WANTED_MS = 1.5, 2.0
BATCH = 1_000
DAY_MS = 86_400_000
_DAYS = 20  # of history
_LOOK_S = 0.002  # between two looks at a build
_ASKED, _CHECKED = "asked", "checked"


@dataclass(frozen=True, slots=True)
class Question:
    """One rule, and the same in SQL; `{since}` is a date ten days into history."""

    what: str
    rule: str
    sql: str


QUESTIONS = (
    Question(
        "often",
        "did view at least 3 times where category = 'shoes'",
        "SELECT count(*) FROM (SELECT user_id FROM '{file}' WHERE type = 'view' AND category = 'shoes' "
        "GROUP BY user_id HAVING count(*) >= 3)",
    ),
    Question(
        "spent",
        "sum(purchase.price since {since}) > 500.005",
        "SELECT count(*) FROM (SELECT user_id FROM '{file}' WHERE type = 'purchase' AND time >= TIMESTAMP '{since}' "
        "GROUP BY user_id HAVING sum(price) > 500.005)",
    ),
    Question(
        "left",
        "did add_to_cart since {since} and did not purchase since {since}",
        "SELECT count(*) FROM (SELECT DISTINCT user_id FROM '{file}' WHERE type = 'add_to_cart' "
        "AND time >= TIMESTAMP '{since}' EXCEPT SELECT DISTINCT user_id FROM '{file}' "
        "WHERE type = 'purchase' AND time >= TIMESTAMP '{since}')",
    ),
)


@dataclass(slots=True)
class Measured:
    """What came of one question, round by round."""

    answer: int = 0
    ours_s: list[float] = field(default_factory=list)
    peer_s: list[float] = field(default_factory=list)
    check_ms: list[float] = field(default_factory=list)


class History:
    """Events at a steady rate over some days that end now, put into a dataset and a file alike."""

    def __init__(self, events: int) -> None:
        self.users = max(events // 20, 100)
        self._events = events
        self.end = int(time.time() * 1000) - 60_000
        self.begin = self.end - _DAYS * DAY_MS
        # A whole date, so that both languages spell it alike.
        self.since = datetime.fromtimestamp((self.begin + _DAYS * DAY_MS // 2) / 1000, UTC).strftime("%Y-%m-%d")

    def batches(self) -> Iterator[tuple[list[Happening], int, int]]:
        """Yields happenings, and the time span each batch has."""
        shop, step = Shop(self.users), (self.end - self.begin) * BATCH // self._events
        for number in range(self._events // BATCH):
            first = self.begin + number * step
            yield shop.happenings(BATCH), first, first + step

    def write(self, data: Path, file: Path, run: Run) -> None:
        """Writes the dataset and the file."""
        run.watch.phase(f"making {self._events:,} events", self._events)
        writer: Any = None
        with Dataset.for_server(data) as dataset:
            for number, (happenings, first, last) in enumerate(self.batches()):
                events = events_of(happenings, first, last, f"e{number}")
                dataset.ingest(events, last)
                table = pa.table(
                    {
                        "user_id": [one.user for one in happenings],
                        "type": [one.type for one in happenings],
                        "time": pa.array([event.time for event in events], pa.timestamp("ms")),
                        "category": [one.properties.get("category") for one in happenings],
                        "price": [one.properties.get("price") for one in happenings],
                    }
                )
                writer = writer or pq.ParquetWriter(file, table.schema)
                writer.write_table(table)
                run.watch.advance(BATCH)
                if number % 1_000 == 999:
                    dataset.snapshot()
            dataset.snapshot()
            writer.close()


async def _create(channel: grpc.aio.Channel, name: str, rule: str) -> tuple[float, int]:
    """Creates a segment and waits for its first answer; returns the seconds, and the answer."""
    request = segment_service_pb2.CreateSegmentRequest()
    request.segment.id, request.segment.rule_text = name, rule
    asked = analytics_service_pb2.CountMembersRequest(expressions=[name]).SerializeToString()
    count = call_of(channel, COUNT)
    begin = perf_counter()
    await call_of(channel, f"{SERVICE}/CreateSegment")(request.SerializeToString())
    while True:
        try:
            answer = analytics_service_pb2.CountMembersResponse.FromString(await count(asked))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            await asyncio.sleep(_LOOK_S)  # it is being built
            continue
        return perf_counter() - begin, answer.counts[0].count


async def _delete(channel: grpc.aio.Channel) -> None:
    request = segment_service_pb2.DeleteSegmentRequest(segment=_ASKED)
    await call_of(channel, f"{SERVICE}/DeleteSegment")(request.SerializeToString())


async def _measure(
    target: str, history: History, file: Path, duck: DuckDB | None, run: Run
) -> tuple[list[float], list[Measured]]:
    rounds, calls = run.choose((1, 100), (5, 3_000), (5, 10_000))
    users = [user_name(number) for number in range(1_000)]
    measured = [Measured() for _ in QUESTIONS]
    async with channel_to(target) as channel, channel_to(target) as other:
        await _create(other, _CHECKED, "did login")
        checks = Checks(channel, users, [_CHECKED])
        idle = await checks.idle(calls)
        run.watch.phase("segments, in turns", rounds * len(QUESTIONS))
        for number in range(rounds + 1):  # the first round is for the caches
            for question, one in zip(QUESTIONS, measured, strict=True):
                rule, sql = (
                    question.rule.format(since=history.since),
                    question.sql.format(file=file, since=history.since),
                )
                begin = perf_counter()
                theirs = duck.count(sql) if duck is not None else None
                peer_s = perf_counter() - begin
                (ours_s, ours), latencies = await checks.during(_create(other, _ASKED, rule))
                await _delete(other)
                if theirs is not None and theirs != ours:
                    raise DifferentAnswers(f"{question.what}: Coterie answers {ours}, DuckDB {theirs}")
                one.answer = ours
                if number:
                    one.ours_s.append(ours_s)
                    one.peer_s.append(peer_s)
                    one.check_ms += latencies
                    run.watch.advance()
    return idle, measured


def run(run: Run) -> Report:
    """Measures new segments beside DuckDB."""
    events = run.choose(3_000, 500_000, 20_000_000)
    report = Report("P6", "creating a segment", f"{events:,} events of history, {len(QUESTIONS)} questions in turns")
    history, data, file = History(events), run.directory / "data", run.directory / "events.parquet"
    history.write(data, file, run)
    asks_peer = run.peers and not DuckDB.NEEDS
    if not asks_peer:
        report.notes.append(f"DuckDB was not asked ({DuckDB.NEEDS or 'left out'})")
    with Server(data) as server, DuckDB() if asks_peer else nullcontext() as duck:
        idle, measured = run_async(_measure(server.target, history, file, duck, run))
        server.kill()
    checks = [latency for one in measured for latency in one.check_ms]
    for question, one in zip(QUESTIONS, measured, strict=True):
        report.figures.append(figure_of("Coterie", f"ready: {question.what}", one.ours_s, "s"))
        if asks_peer:
            report.figures.append(figure_of("DuckDB", question.what, one.peer_s, "s"))
    report.figures += [
        figure_of("Coterie", "a check, while nothing happens", idle, "ms"),
        figure_of("Coterie", "a check meanwhile", checks, "ms"),
    ]
    ours, theirs = (sum(median(getattr(one, side)) for one in measured) for side in ("ours_s", "peer_s"))
    report.goals = [
        Goal("beside DuckDB, all questions", ours / theirs if asks_peer else None, WANTED_RATIO, at_most=True),
        Goal("p99 of checks beyond idle", added_p99_ms(idle, checks), WANTED_MS, at_most=True, unit="ms"),
    ]
    report.checksum = checksum([(question.what, one.answer) for question, one in zip(QUESTIONS, measured, strict=True)])
    return report


BENCHMARK = Benchmark("P6", "creating a segment", run)
