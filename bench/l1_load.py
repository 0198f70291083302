"""L1: the simulated shop's history, loaded from a CSV file through the command line.

A file as `coterie demo-data` writes it, and a server with the first ten segments of the demonstration; `coterie load`
runs as a process of its own. Each process has one core at most, so the slower of the two decides: what counts is rows by
the processor time of each. The history ends when the file is written, so the segments' windows hold a good part of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.measure import checksum, figure_of
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.serving import Server, environment
from bench.wire import channel_to, run_async, server_cpu, server_peak_bytes
from coterie.client import Client
from coterie.server.cli.demo.segments import ALL

SEGMENTS = ALL[:10]
WANTED_RATE = 30_000
WANTED_GB = 1.5
_TOP = ("event_id", "type", "user_id", "anonymous_id", "time")
_PROPERTIES = ("product", "category", "brand", "price", "value", "items")
_CONTEXT = ("os", "device", "source")
MAPS = tuple(f"{name}={name}" for name in _TOP) + tuple(
    f"{part}.{name}={name}" for part, names in (("prop", _PROPERTIES), ("context", _CONTEXT)) for name in names
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load took: seconds by the wall's clock and of each process, and the answer of the command."""

    seconds: float
    client_cpu: float
    server_cpu: float
    server_bytes: int
    answer: Mapping[str, object]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "coterie.server", *arguments]


def _write_file(path: Path, events: int, visitors: int) -> None:
    sizes = ("--events", str(events), "--visitors", str(visitors))
    subprocess.run(_command("demo-data", str(path), *sizes), check=True, capture_output=True, env=environment())


def _create_segments(target: str) -> None:
    client = Client(target)
    for one in SEGMENTS:
        if one.rule:
            client.create_segment(one.id, one.rule)
        else:
            client.create_list(one.id)
    client.close()


def _counts(target: str) -> list[tuple[str, int]]:
    """Returns the sizes of the segments whose windows do not depend on when the benchmark runs."""
    client = Client(target)
    fixed = [one.id for one in SEGMENTS if " in the last " not in one.rule and not one.rule.startswith("in ")]
    counted = client.count_many(fixed)
    client.close()
    return list(zip(fixed, counted, strict=True))


def _load(target: str, path: Path, directory: Path) -> tuple[float, float, dict[str, object]]:
    """Runs the command; returns its seconds by the wall's clock and its own, and what it answered."""
    maps = [part for one in MAPS for part in ("--map", one)]
    command = _command("load", str(path), "--target", target, "--json", *maps)
    begin = perf_counter()
    with subprocess.Popen(command, cwd=directory, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        answered = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)  # the child's own processor time
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the load failed"
    return perf_counter() - begin, usage.ru_utime + usage.ru_stime, json.loads(answered)


async def _server_usage(target: str) -> tuple[float, int]:
    async with channel_to(target) as channel:
        return await server_cpu(channel), await server_peak_bytes(channel)


def _round(run: Run, path: Path, number: int) -> tuple[Loaded, list[tuple[str, int]]]:
    with Server(run.directory / f"server-{number}") as server:
        _create_segments(server.target)
        cpu_before, _ = run_async(_server_usage(server.target))
        seconds, client_cpu, answer = _load(server.target, path, run.directory)
        cpu_after, peak = run_async(_server_usage(server.target))
        counts = _counts(server.target)
        server.kill()
    return Loaded(seconds, client_cpu, cpu_after - cpu_before, peak, answer), counts


def run(run: Run) -> Report:
    """Loads the file into a fresh server once a round."""
    events, visitors = run.choose((3_000, 300), (400_000, 40_000), (2_000_000, 200_000))
    rounds = run.choose(1, 3, 1)
    setup = f"{events:,} events of {visitors:,} visitors, {len(MAPS)} mapped columns, {len(SEGMENTS)} segments"
    report = Report("L1", "loading a CSV file through the command line", setup)
    path = run.directory / "shop.csv"
    run.watch.phase("writing the file")
    _write_file(path, events, visitors)
    run.watch.phase("loading", rounds)
    loads: list[Loaded] = []
    for number in range(rounds):
        loaded, counts = _round(run, path, number)
        assert loaded.answer["accepted"] == events, f"not every row was taken: {loaded.answer}"
        loads.append(loaded)
        report.checksum = checksum(counts)
        run.watch.advance()
    _report(report, loads, events)
    return report


def _report(report: Report, loads: list[Loaded], events: int) -> None:
    server = [one.server_cpu * 1e6 / events for one in loads]
    client = [one.client_cpu * 1e6 / events for one in loads]
    by_core = figure_of(
        "Coterie", "a core each", [1e6 / max(pair) for pair in zip(server, client, strict=True)], "rows/s"
    )
    peak = figure_of("server", "most memory", [one.server_bytes / 1e9 for one in loads], "GB")
    report.figures += [
        figure_of("Coterie", "by the wall's clock", [events / one.seconds for one in loads], "rows/s"),
        by_core,
        figure_of("server", "processor time", server, "us/row"),
        figure_of("client", "processor time", client, "us/row"),
        peak,
    ]
    report.goals += [
        Goal("rows, a core each for client and server", by_core.median, WANTED_RATE, unit="rows/s"),
        Goal("the server's memory", peak.most, WANTED_GB, at_most=True, unit="GB"),
    ]


BENCHMARK = Benchmark("L1", "loading through the command line", run)
