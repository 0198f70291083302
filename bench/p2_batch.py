"""P2: are these thousand users in these ten segments? One call, beside Redis with a bitmap for each segment.

Redis is asked by bit offset, which it does not have to look up, once by its own benchmark (a C program; every request
reads the same bit, the only form it can spell) and once by redis-py, whose ten thousand answers are compared with ours.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from bench.measure import checksum, figure_of
from bench.membership import BATCH_CHECK, SEGMENTS, Population, batch_checked, batch_request
from bench.peers import Redis
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.serving import Server
from bench.wire import Call, call_of, channel_to, run_async, server_cpu

USERS_A_CALL = 1_000
ANSWERS = USERS_A_CALL * len(SEGMENTS)
WANTED_PER_CORE, WANTED_REDIS, WANTED_PYTHON = 10_000_000, 5.0, 50.0
PIPELINE = 1_000

Ask = Callable[[NDArray[np.int64]], bytes]


class _Rates:
    """Answers a second, round by round."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.core: list[float] = []
        self.redis: list[float] = []
        self.python: list[float] = []


def _python_client(redis: Redis) -> Ask:
    def ask(numbers: NDArray[np.int64]) -> bytes:
        pipeline = redis.client.pipeline(transaction=False)
        for number in numbers.tolist():
            for segment in SEGMENTS:
                pipeline.getbit(segment, number + 1)
        return np.packbits(np.array(pipeline.execute(), np.bool_), bitorder="little").tobytes()

    return ask


async def _measure(target: str, population: Population, redis: Redis | None, run: Run, report: Report) -> _Rates:
    rounds, calls = run.choose((2, 3), (10, 100), (20, 300))
    rates = _Rates()
    batches = [population.choose(USERS_A_CALL, seed) for seed in range(calls)]
    requests = [batch_request(batch) for batch in batches]
    async with channel_to(target) as channel:
        check = call_of(channel, BATCH_CHECK)
        answers = [batch_checked(await check(request)) for request in requests]
        for batch, answer in zip(batches, answers, strict=True):
            truth = np.packbits(population.truth[batch].ravel(), bitorder="little").tobytes()
            assert answer == truth, "a batch was answered wrongly"
        report.checksum = checksum(*answers)
        ask = _python_client(redis) if redis is not None else None
        run.watch.phase("batches in turns", rounds)
        for number in range(rounds):
            cpu, begin = await server_cpu(channel), perf_counter()
            await _send(check, requests)
            taken, cpu_taken = perf_counter() - begin, await server_cpu(channel) - cpu
            rates.wall.append(calls * ANSWERS / taken)
            rates.core.append(calls * ANSWERS / cpu_taken)
            if redis is not None and ask is not None:
                get = ["GETBIT", SEGMENTS[0], str(population.users // 2)]
                rates.redis.append(redis.own_benchmark(get, 100_000 if run.size == "tiny" else 1_000_000, PIPELINE))
                begin = perf_counter()
                assert ask(batches[number]) == answers[number], "Redis answered otherwise"
                rates.python.append(ANSWERS / (perf_counter() - begin))
            run.watch.advance()
    return rates


async def _send(check: Call, requests: list[bytes]) -> None:
    for request in requests:
        await check(request)


def run(run: Run) -> Report:
    """Measures batches beside Redis."""
    users = run.choose(2_000, 200_000, 1_000_000)
    report = Report(
        "P2", "BatchCheckMembership", f"{USERS_A_CALL:,} users x {len(SEGMENTS)} segments a call, {users:,} users"
    )
    population = Population(run.directory / "data", users, run.watch)
    with ExitStack() as stack:
        redis = None
        if Redis.NEEDS or not run.peers:
            report.notes.append("Redis was left out" + (f": {Redis.NEEDS} is not installed" if Redis.NEEDS else ""))
        else:
            redis = stack.enter_context(Redis(run.directory / "redis"))
            for name, ids in zip(SEGMENTS, population.sets, strict=True):
                redis.store(name, ids, users + 1)
        server = stack.enter_context(Server(run.directory / "data"))
        rates = run_async(_measure(server.target, population, redis, run, report))
    _judge(report, rates)
    return report


def _judge(report: Report, rates: _Rates) -> None:
    report.figures = [
        figure_of("Coterie", "one call at a time", rates.wall, "answers/s"),
        figure_of("Coterie", "by the server's processor time", rates.core, "answers/s"),
    ]
    if rates.redis:
        report.figures += [
            figure_of("Redis", f"redis-benchmark GETBIT, {PIPELINE:,} pipelined", rates.redis, "answers/s"),
            figure_of("Redis", "redis-py, one pipeline a batch", rates.python, "answers/s"),
        ]
    ours = median(rates.wall)
    report.goals = [
        Goal("answers for each core of the server", median(rates.core), WANTED_PER_CORE, unit="answers/s"),
        Goal(
            "beside Redis pipelined by its C benchmark",
            ours / median(rates.redis) if rates.redis else None,
            WANTED_REDIS,
        ),
        Goal("beside redis-py", ours / median(rates.python) if rates.python else None, WANTED_PYTHON),
    ]


BENCHMARK = Benchmark("P2", "BatchCheckMembership", run)
