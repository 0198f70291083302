"""P10: how long a restart takes, from starting the program to the first answered check.

Of many users and a thousand segments: a hundred rules with their cells and history, the rest sets. After a clean
stop, which ends with a snapshot, and after kill -9, which leaves a journal to be replayed; what was acknowledged before
the kill must be there. Files are in the page cache: what is measured is Coterie, not the disk.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import perf_counter

from bench.data import bitmap, make_list, name_users, random_ids
from bench.dataset import Dataset
from bench.measure import Watch, checksum, figure_of
from bench.membership import CHECK
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.serving import Server
from bench.shop import Shop, events_of, rules, user_name
from bench.wire import IngestMessage, call_of, channel_to, run_async
from coterie.v1 import event_service_pb2, membership_service_pb2

WANTED_S = 5.0
WINDOWS = ("1 day", "4 days", "8 days", "14 days", "19 days")
DAY_MS = 86_400_000
SPAN_DAYS = 20
SEGMENTS = 1_000
BASE_SHARES = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
BATCH = 1_000
INGEST = "/coterie.v1.EventService/IngestEvents"


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the state is, and how many events a kill leaves to be replayed."""

    users: int
    history: int
    segments: int
    replayed: int
    rounds: int


def _make_sets(dataset: Dataset, plan: Plan, watch: Watch) -> None:
    """Creates lists of many densities: ten random sets, and what comes of combining two of them."""
    watch.phase("making sets", plan.segments)
    base = [bitmap(random_ids(share, plan.users, seed)) for seed, share in enumerate(BASE_SHARES)]
    for number in range(plan.segments):
        one, two = base[number % len(base)], base[number // len(base) % len(base)]
        bits = (one & two, one | two, one - two, one ^ two)[number // len(base) ** 2 % 4]
        make_list(dataset, f"set-{number:04d}", bits)
        watch.advance()


def _make_events(dataset: Dataset, plan: Plan, watch: Watch) -> None:
    """Takes events of the last twenty days, of as many users as there are to every tenth event."""
    dataset.create(rules(WINDOWS))
    watch.phase(f"ageing: {plan.history:,} events", plan.history // BATCH)
    shop = Shop(min(plan.users, max(plan.history // 10, 10)))
    now = time.time_ns() // 1_000_000
    step = SPAN_DAYS * DAY_MS // (plan.history // BATCH)
    for number in range(plan.history // BATCH):
        first = now - SPAN_DAYS * DAY_MS + number * step
        dataset.ingest(events_of(shop.happenings(BATCH), first, first + step, f"h{number}"), first + step)
        watch.advance()


def _check_request(token: str = "") -> bytes:
    request = membership_service_pb2.CheckMembershipRequest()
    request.subject.user_id = user_name(0)
    if token:
        request.consistency.at_least_as_fresh.token = token
    return request.SerializeToString()


async def _check(target: str, token: str = "") -> list[tuple[str, bool]]:
    """Asks of one user in all segments, at a revision that must be there."""
    async with channel_to(target) as channel:
        answer = await call_of(channel, CHECK)(_check_request(token))
    response = membership_service_pb2.CheckMembershipResponse.FromString(answer)
    return [(one.segment, one.member) for one in response.memberships]


async def _ingest(target: str, events: int) -> str:
    """Takes so many events; returns the revision of the last acknowledgement."""
    shop, numbers = Shop(events // 10, seed=7), count()
    token = ""
    async with channel_to(target) as channel:
        ingest = call_of(channel, INGEST)
        for _ in range(events // BATCH):
            message = IngestMessage(shop.happenings(BATCH)).stamped(next(numbers))
            answer = event_service_pb2.IngestEventsResponse.FromString(await ingest(message))
            assert answer.accepted == BATCH, "events were not taken"
            token = answer.revision.token
    return token


def _restart(data: Path, token: str = "") -> tuple[Server, float, list[tuple[str, bool]]]:
    """Returns a started server, the seconds until it had answered, and its answer."""
    server = Server(data).__enter__()
    begin = perf_counter()
    answer = run_async(_check(server.target, token))
    return server, server.ready_seconds + perf_counter() - begin, answer


def run(run: Run) -> Report:
    """Restarts after clean stops and after a kill."""
    plan = run.choose(
        Plan(2_000, 2_000, 20, 1_000, 1),
        Plan(200_000, 200_000, SEGMENTS - 100, 100_000, 5),
        Plan(10_000_000, 1_000_000, SEGMENTS - 100, 900_000, 5),
    )
    title = f"{plan.users:,} users, {plan.segments + 100:,} segments, {plan.history:,} events of history"
    report = Report("P10", "restart", title)
    data = run.directory / "data"
    with Dataset.for_server(data) as dataset:
        name_users(dataset, plan.users, run.watch)
        _make_sets(dataset, plan, run.watch)
        _make_events(dataset, plan, run.watch)
        dataset.snapshot()
    clean, answers = _after_clean_stops(data, plan, run.watch)
    killed = _after_kill(data, plan, run.watch)
    report.figures = [
        figure_of("Coterie", "ready after a clean stop", clean, "s"),
        figure_of("Coterie", f"ready after kill -9, {plan.replayed:,} events to replay", [killed], "s"),
    ]
    replay_s = max(killed - report.figures[0].median, 1e-9)
    report.notes.append(f"replay: {plan.replayed / replay_s:,.0f} events a second")
    report.goals = [Goal("ready after a clean stop", report.figures[0].median, WANTED_S, at_most=True, unit="s")]
    report.checksum = checksum([name for name, _ in answers])
    return report


def _after_clean_stops(data: Path, plan: Plan, watch: Watch) -> tuple[list[float], list[tuple[str, bool]]]:
    watch.phase("restarting after clean stops", plan.rounds)
    seconds: list[float] = []
    answers: list[tuple[str, bool]] = []
    for _ in range(plan.rounds):
        server, taken, answers = _restart(data)
        server.stop()
        seconds.append(taken)
        watch.advance()
    return seconds, answers


def _after_kill(data: Path, plan: Plan, watch: Watch) -> float:
    watch.phase(f"taking {plan.replayed:,} events, then kill -9, then restarting")
    with Server(data) as server:
        token = run_async(_ingest(server.target, plan.replayed))
        server.kill()
    server, taken, _ = _restart(data, token)
    server.kill()
    return taken


BENCHMARK = Benchmark("P10", "restart", run)
