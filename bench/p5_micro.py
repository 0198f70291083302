"""P5: the ingest of P4 with 10 000 micro-segments besides, of one property value each.

Both datasets take the same batches in turns; the hundred segments they share must hold the same members after each.
"""

from __future__ import annotations

from itertools import chain

from bench.aged import BATCH, WINDOWS, Arrivals, age, aged_dataset
from bench.dataset import Dataset
from bench.measure import checksum, interleaved, paired_ratio
from bench.p4_ingest import core, core_figures
from bench.registry import Benchmark, Run
from bench.report import Goal, Report
from bench.shop import SEGMENTS, micro_rules, rules

WANTED = 0.8


def _shared_sizes(dataset: Dataset) -> list[tuple[str, int]]:
    return dataset.sizes()[:SEGMENTS]


def run(run: Run) -> Report:
    """Measures ingest in process, with micro-segments and without."""
    micro = run.choose(200, 10_000, 10_000)
    history = run.choose(3_000, 300_000, 1_000_000)
    rounds, per_round = run.choose((2, 1), (10, 5), (20, 5))
    report = Report(
        "P5", f"ingest with {micro:,} micro-segments", f"P4's ingest in process, {history:,} events of history"
    )
    run.watch.phase(f"creating {micro:,} micro-segments")
    with (
        aged_dataset(run.directory / "plain", rules(WINDOWS)) as plain,
        aged_dataset(run.directory / "micro", chain(rules(WINDOWS), micro_rules(micro, WINDOWS))) as crowded,
    ):
        arrivals = Arrivals(history // 10, history)
        age([plain, crowded], arrivals, history, run.watch)
        batches = [arrivals.take(per_round) for _ in range(rounds + 1)]
        contestants = {"P4": core(plain, iter(batches)), "with micro-segments": core(crowded, iter(batches))}
        timings = interleaved(contestants, rounds, run.watch, same=_shared_sizes)
        report.checksum = checksum(crowded.sizes())
    for who, timing in timings.items():
        report.figures += core_figures(who, timing, per_round * BATCH)
    ratio = paired_ratio(timings["P4"].cpu_seconds, timings["with micro-segments"].cpu_seconds)
    report.goals.append(Goal("rate beside P4, by processor time", ratio, WANTED))
    return report


BENCHMARK = Benchmark("P5", "ingest with micro-segments", run)
