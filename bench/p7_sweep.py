"""P7: a million memberships end in the same second; how long until all changes are out, and what a check costs meanwhile.

Measured twice, on the real clock: ends spread over one second, and all in one millisecond, as a midnight or a date moves
people. The time runs from the first end to the answer that counts nobody. Invariant: everybody is a member until then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import numpy as np

from bench.checks import Checks, added_p99_ms
from bench.dataset import Dataset
from bench.measure import Watch, checksum, figure_of
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.serving import Server
from bench.shop import user_name
from bench.wire import Call, call_of, channel_to, run_async
from coterie.index.model import USER_ID, Event, Identifier
from coterie.v1 import analytics_service_pb2, segment_service_pb2

CREATE = "/coterie.v1.SegmentService/CreateSegment"
COUNT = "/coterie.v1.AnalyticsService/CountMembers"
WANTED_S, WANTED_MS = 2.0, 2.0
BATCH = 1_000
SECOND_MS = 1_000
_AGE_MS = 3_600_000  # how long ago the events happened when the dataset is made
_LOOK_S = 0.002  # between two counts


@dataclass(frozen=True, slots=True)
class Kind:
    """One way for everybody to leave: an event type, and over how many milliseconds its events are spread."""

    segment: str
    event: str
    spread_ms: int
    what: str


AT_ONCE, SPREAD = "all in one millisecond", "spread over one second"


def _kinds(crowds: int) -> list[Kind]:
    """One movement takes so little time that few checks fall into it: several are made of those at once."""
    at_once = [Kind(f"crowd-{number}", f"login-{number}", 1, AT_ONCE) for number in range(crowds)]
    return [*at_once, Kind("stream", "view", SECOND_MS, SPREAD)]


@dataclass(slots=True)
class Measured:
    """What came of one mass movement."""

    seconds: float
    states: int  # with some gone and some not that were seen from outside
    check_ms: list[float]


def _events(kind: Kind, users: int, begin: int) -> Iterator[tuple[Event, ...]]:
    """Yields one event for each user, in an order that is not that of the users."""
    order = np.random.default_rng(7).permutation(users).tolist()
    for first in range(0, users, BATCH):
        yield tuple(
            Event("", kind.event, (Identifier(USER_ID, user_name(user)),), None, time_of, {}, {})
            for user, time_of in (
                (user, begin + (first + index) * kind.spread_ms // users)
                for index, user in enumerate(order[first : first + BATCH])
            )
        )


def _fill(dataset: Dataset, kinds: list[Kind], users: int, begin: int, watch: Watch) -> None:
    watch.phase(f"making {users:,} users and their events", len(kinds) * users)
    for kind in kinds:
        for events in _events(kind, users, begin):
            dataset.ingest(events, begin + SECOND_MS)
            watch.advance(len(events))
        dataset.snapshot()


async def _create(channel: grpc.aio.Channel, kind: Kind, window_s: int, users: int) -> None:
    """Creates the segment and waits until everybody is in it."""
    request = segment_service_pb2.CreateSegmentRequest()
    request.segment.id = kind.segment
    request.segment.rule_text = f"did {kind.event} in the last {window_s} seconds"
    await call_of(channel, CREATE)(request.SerializeToString())
    count = call_of(channel, COUNT)
    while True:
        try:
            members, _ = await _count(count, kind)
        except grpc.aio.AioRpcError:  # it is being built
            await asyncio.sleep(_LOOK_S)
            continue
        assert members == users, f"{members} of {users} are members"
        return


async def _count(count: Call, kind: Kind) -> tuple[int, str]:
    request = analytics_service_pb2.CountMembersRequest(expressions=[kind.segment]).SerializeToString()
    answer = analytics_service_pb2.CountMembersResponse.FromString(await count(request))
    return answer.counts[0].count, answer.revision.token


async def _all_out(count: Call, kind: Kind, begin_ms: int) -> tuple[float, int]:
    """Waits until nobody is left; returns the seconds since the first end, and in how many states members were seen."""
    await asyncio.sleep(begin_ms / 1000 - time.time())
    seen: set[str] = set()
    while True:
        members, revision = await _count(count, kind)
        if members == 0:
            return time.time() - begin_ms / 1000, len(seen)
        seen.add(revision)
        await asyncio.sleep(_LOOK_S)


async def _measure(
    target: str, kinds: list[Kind], users: int, begin: int, pace_s: tuple[int, int], run: Run
) -> tuple[list[float], list[Measured]]:
    calls = run.choose(200, 3_000, 10_000)
    names = [user_name(number) for number in np.random.default_rng(1).integers(users, size=1_000).tolist()]
    async with channel_to(target) as channel, channel_to(target) as other:
        first = int(time.time()) + pace_s[0]  # until then, segments are built and idle checks made
        ends = [first + pace_s[1] * number for number in range(len(kinds))]
        for kind, end in zip(kinds, ends, strict=True):
            run.watch.phase(f"creating the segment of those who leave {kind.what}")
            await _create(other, kind, end - begin // 1000, users)
        checks = Checks(channel, names, [kind.segment for kind in kinds])
        run.watch.phase("checks while nothing happens")
        idle = await checks.idle(calls)
        measured = []
        for kind, end in zip(kinds, ends, strict=True):
            assert time.time() < end, "the machine is too slow for the time given: the second has begun"
            run.watch.phase(f"waiting, then everybody leaves {kind.what}")
            await asyncio.sleep(end - 0.1 - time.time())
            (seconds, states), latencies = await checks.during(_all_out(call_of(other, COUNT), kind, end * 1000))
            measured.append(Measured(seconds, states, latencies))
    return idle, measured


def run(run: Run) -> Report:
    """Measures mass movements beside checks."""
    users, crowds, lead_s, gap_s = run.choose((1_000, 1, 3, 2), (200_000, 3, 20, 4), (1_000_000, 2, 90, 10))
    report = Report("P7", "mass expiry", f"{users:,} memberships end in one second; checks one after the other")
    begin = (int(time.time() * 1000) - _AGE_MS) // SECOND_MS * SECOND_MS
    data, kinds = run.directory / "data", _kinds(crowds)
    with Dataset.for_server(data) as dataset:
        _fill(dataset, kinds, users, begin, run.watch)
    with Server(data) as server:
        idle, measured = run_async(_measure(server.target, kinds, users, begin, (lead_s, gap_s), run))
        server.kill()
    report.figures.append(figure_of("Coterie", "a check, while nothing happens", idle, "ms"))
    for what in (AT_ONCE, SPREAD):
        _add(report, what, idle, [one for kind, one in zip(kinds, measured, strict=True) if kind.what == what])
    report.checksum = checksum([kind.segment for kind in kinds], users)
    return report


def _add(report: Report, what: str, idle: list[float], measured: list[Measured]) -> None:
    seconds = [one.seconds for one in measured]
    checks = [latency for one in measured for latency in one.check_ms]
    report.figures += [
        figure_of("Coterie", f"all out, {what}", seconds, "s"),
        figure_of("Coterie", f"a check meanwhile, {what}", checks, "ms"),
    ]
    beyond = added_p99_ms(idle, checks)
    report.goals += [
        Goal(f"all changes out, {what}", max(seconds), WANTED_S, at_most=True, unit="s"),
        Goal(f"p99 of checks beyond idle, {what}", beyond, WANTED_MS, at_most=True, unit="ms"),
    ]
    states = sum(one.states for one in measured)
    report.notes.append(f"{what}: {len(checks)} checks; members were counted in {states} states on the way")


BENCHMARK = Benchmark("P7", "mass expiry", run)
