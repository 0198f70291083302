"""P1: is this user in these ten segments? Beside a call of the same size, on the same server, that does nothing.

Both calls send the same requests and get answers of the same length; both are sent as bytes made before, so that the
client costs the same. Calls a second are compared by the wall's clock, and by the server's processor time for a call,
because a client on another core may be the slower of the two; the target is judged by the worse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import grpc

from bench.measure import checksum, figure_of, paired_ratio, percentile
from bench.membership import CHECK, SEGMENTS, Population, check_request, checked
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.serving import NOTHING, PREPARE, Server
from bench.wire import Call, call_of, channel_to, run_async, server_cpu

IN_FLIGHT = 16
WANTED_RATE, WANTED_P99 = 0.85, 1.3


@dataclass(slots=True)
class _Contestant:
    name: str
    call: Call
    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    alone_ms: list[float] = field(default_factory=list)
    loaded_ms: list[float] = field(default_factory=list)


async def _flood(contestant: _Contestant, channel: grpc.aio.Channel, requests: Sequence[bytes]) -> None:
    """Sends the requests, a few at a time."""
    waiting, latencies = iter(requests), []

    async def send() -> None:
        for request in waiting:
            begin = perf_counter()
            await contestant.call(request)
            latencies.append((perf_counter() - begin) * 1000)

    cpu, begin = await server_cpu(channel), perf_counter()
    await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))
    taken, cpu_taken = perf_counter() - begin, await server_cpu(channel) - cpu
    contestant.per_second.append(len(requests) / taken)
    contestant.cpu_us.append(cpu_taken / len(requests) * 1e6)
    contestant.loaded_ms += latencies


async def _one_by_one(contestant: _Contestant, requests: Sequence[bytes]) -> None:
    for request in requests:
        begin = perf_counter()
        await contestant.call(request)
        contestant.alone_ms.append((perf_counter() - begin) * 1000)


async def _measure(target: str, population: Population, run: Run, report: Report) -> list[_Contestant]:
    rounds, calls = run.choose((2, 100), (10, 3_000), (20, 10_000))
    async with channel_to(target) as channel:
        check = call_of(channel, CHECK)
        numbers = population.choose(calls, 1).tolist()
        requests = [check_request(number) for number in numbers]
        answers = [checked(await check(request)) for request in requests[:1_000]]
        assert answers == population.truth[numbers[:1_000]].tolist(), "a check answered wrongly"
        report.checksum = checksum(answers)
        await call_of(channel, PREPARE)(await check(requests[0]))
        contestants = [_Contestant("no-op", call_of(channel, NOTHING)), _Contestant("CheckMembership", check)]
        run.watch.phase("calls in turns", rounds)
        for number in range(rounds + 1):
            if number == 1:  # the round before was for the caches
                contestants = [_Contestant(one.name, one.call) for one in contestants]
            for contestant in contestants if number % 2 else reversed(contestants):
                await _flood(contestant, channel, requests)
                await _one_by_one(contestant, requests[: calls // 4])
            run.watch.advance()
    return sorted(contestants, key=lambda one: one.name)


def run(run: Run) -> Report:
    """Measures checks beside a call that does nothing."""
    users = run.choose(500, 200_000, 1_000_000)
    report = Report(
        "P1", "CheckMembership", f"1 user x {len(SEGMENTS)} segments, {users:,} users, {IN_FLIGHT} calls under way"
    )
    population = Population(run.directory / "data", users, run.watch)
    with Server(run.directory / "data") as server:
        ours, nothing = run_async(_measure(server.target, population, run, report))
    for one in (ours, nothing):
        report.figures += [
            figure_of(one.name, "calls a second", one.per_second, "calls/s"),
            figure_of(one.name, "the server's processor time for a call", one.cpu_us, "µs"),
            figure_of(one.name, "alone", one.alone_ms, "ms"),
        ]
        p99 = percentile(one.alone_ms, 0.99), percentile(one.loaded_ms, 0.99)
        report.notes.append(f"{one.name}: p99 alone {p99[0]:.3f} ms, with {IN_FLIGHT} calls under way {p99[1]:.3f} ms")
    by_wall = paired_ratio(ours.per_second, nothing.per_second)
    by_cpu = paired_ratio(nothing.cpu_us, ours.cpu_us)
    alone = percentile(ours.alone_ms, 0.99) / percentile(nothing.alone_ms, 0.99)
    loaded = percentile(ours.loaded_ms, 0.99) / percentile(nothing.loaded_ms, 0.99)
    report.goals = [
        Goal("calls/s beside a no-op, by the wall's clock", by_wall, WANTED_RATE),
        Goal("calls/s beside a no-op, by the server's processor time", by_cpu, WANTED_RATE),
        Goal("p99 beside a no-op, the worse of alone and loaded", max(alone, loaded), WANTED_P99, at_most=True),
    ]
    return report


BENCHMARK = Benchmark("P1", "CheckMembership", run)
