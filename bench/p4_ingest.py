"""P4: events in, in batches of 1 000, under 100 live segments whose windows let go as fast as events arrive.

Measured twice: the engine and its journal in this process, on a clock that events drive; and end to end over gRPC,
on the real clock, after running at full speed for longer than the longest window. Then single events at 1 000 a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.aged import BATCH, WINDOWS, Arrivals, Batch, age, aged_dataset
from bench.dataset import Dataset
from bench.measure import Timings, checksum, interleaved
from bench.p4_serving import measure_server
from bench.registry import Benchmark, Run
from bench.report import Figure, Goal, Report
from bench.shop import MEASURES, SEGMENTS, rules

WANTED_RATE = 100_000


def core(dataset: Dataset, batches: Iterator[list[Batch]]) -> Callable[[], Dataset]:
    """Returns a contestant that takes the next batches, durably."""

    def ingest() -> Dataset:
        for batch in next(batches):
            dataset.ingest(batch.events, batch.at)
        return dataset

    return ingest


def _measure_core(run: Run, report: Report) -> None:
    history = run.choose(3_000, 400_000, 2_000_000)
    rounds, per_round = run.choose((2, 1), (10, 5), (20, 5))
    with aged_dataset(run.directory / "core", rules(WINDOWS)) as dataset:
        status = dataset.engine.status()
        assert (status.segments, status.measures) == (SEGMENTS, MEASURES), f"{status.measures} measures"
        arrivals = Arrivals(history // 10, history)
        age([dataset], arrivals, history, run.watch)
        batches = iter([arrivals.take(per_round) for _ in range(rounds + 1)])
        dataset.journal_seconds = dataset.apply_seconds = 0.0
        ours = interleaved({"Coterie": core(dataset, batches)}, rounds, run.watch, same=lambda _: None)["Coterie"]
        report.figures += core_figures("Coterie, in process", ours, per_round * BATCH)
        share = dataset.journal_seconds / (dataset.journal_seconds + dataset.apply_seconds)
        report.notes.append(
            f"in process: {share:.0%} of the time is the journal's, one commit a batch, none overlapped"
        )
        report.checksum = checksum(dataset.sizes())


def core_figures(who: str, timings: Timings[Dataset], events: int) -> list[Figure]:
    """Returns events a second by the clock on the wall and by that of the processor."""
    return [
        timings.rate(who, "durable and visible", events, "events/s"),
        timings.rate(who, "by processor time", events, "events/s", cpu=True),
    ]


def run(run: Run) -> Report:
    """Measures ingest in process and over gRPC."""
    title = f"{SEGMENTS} segments over {MEASURES} measures in {len(WINDOWS)} windows, batches of {BATCH:,}"
    report = Report("P4", "ingest, durable and visible, on aged history", title)
    _measure_core(run, report)
    server = measure_server(run, report)
    report.goals += [
        Goal("end to end, for each core the server used", server.events_per_core, WANTED_RATE, unit="events/s"),
        Goal("single events at 1 000/s, p99", server.single_p99_ms, 5, at_most=True, unit="ms"),
        Goal("the same while a snapshot runs, p99", server.snapshot_p99_ms, 10, at_most=True, unit="ms"),
    ]
    return report


BENCHMARK = Benchmark("P4", "ingest on aged history", run)
