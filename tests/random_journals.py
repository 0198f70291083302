"""Many random journals through engine and oracle, in batches of examples from numbered seeds, on several processes.

    python -m tests.random_journals 5000 --jobs 2 --first 1

Owns the processes. Invariant: a batch draws the same journals whenever its seed is the same, so a failure is replayed by
its number: `python -m tests.random_journals 1 --first SEED`.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import unittest
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from functools import lru_cache
from io import StringIO
from multiprocessing import get_context

from hypothesis import HealthCheck, Phase, seed, settings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from coterie.index import builds
from coterie.index.rules import language
from coterie.index.storage import snapshot
from coterie.index.subjects import names
from tests.state_machine import Machine

BATCH = 100  # examples of one seed
STEPS = 25
BATCHES_OF_A_PROCESS = 40  # more or less

# A failing journal is shortened by `shorten`, much faster than by shrinking what was drawn.
HOW = {
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    "stateful_step_count": STEPS,
}


def make_small_steps() -> None:
    """Makes snapshots of little data take many steps; for a process that does nothing else."""
    snapshot._TRANSACTION_BYTES, snapshot._COLLECT_BYTES, names._PAGE_ENTRIES = 2_000, 500, 2


def hurry() -> None:
    """Reads each rule's text once, however often a journal is done again, and looks for garbage less often.

    For a process that does nothing else.
    """
    language._read = lru_cache(4096)(language._read)
    gc.freeze()
    gc.set_threshold(50_000)


def run_batch(number: int, examples: int = BATCH) -> str:
    """Runs the examples of one seed; returns what was found, empty where engine and oracle never differ."""
    make_small_steps()
    builds._CROWD = 2 * (number % 2)  # in every other batch each step of a build goes in pieces

    @seed(number)  # of the machine: on its test case it would be ignored
    class Seeded(Machine):
        """The journals of one seed."""

    case = Seeded.TestCase("runTest")
    case.settings = settings(max_examples=examples, deadline=None, database=None, derandomize=False, **HOW)
    said = StringIO()
    result = unittest.TextTestRunner(said, verbosity=0).run(case)
    return "" if result.wasSuccessful() else said.getvalue()


def run(examples: int, jobs: int, first: int, console: Console) -> list[tuple[int, str]]:
    """Runs so many examples; returns (seed, what was found) of the batches that failed. Ctrl-C ends it early."""
    seeds = range(first, first + -(-examples // BATCH))
    failed: list[tuple[int, str]] = []
    columns = (
        TextColumn("random journals"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(seeds) * BATCH)
        for number, found in _results(seeds, jobs):
            progress.advance(task, BATCH)
            if found:
                failed.append((number, found))
                progress.console.print(f"seed {number}: a difference", style="red")
                progress.console.out(found)
            elif not console.is_terminal and number % 10 == 0:
                progress.console.print(f"seed {number}: {BATCH} journals, no difference")
    return failed


def _results(seeds: range, jobs: int) -> Iterator[tuple[int, str]]:
    # A process's memory grows with what it has drawn, so it is replaced now and then, together with its whole pool:
    # a pool that replaces its processes one by one (`max_tasks_per_child`) comes to a standstill in Python 3.11.
    for start in range(0, len(seeds), jobs * BATCHES_OF_A_PROCESS):
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=hurry) as pool:
            some = seeds[start : start + jobs * BATCHES_OF_A_PROCESS]
            waiting = {pool.submit(run_batch, number): number for number in some}
            try:
                for done in as_completed(waiting):
                    yield waiting[done], done.result()
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def main() -> int:
    """Runs from the command line; exit status 1 where a difference was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=int, help="how many journals")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--first", type=int, default=1, help="the seed of the first batch")
    asked = parser.parse_args()
    with suppress(KeyboardInterrupt):
        failed = run(asked.examples, asked.jobs, asked.first, Console())
        return 1 if failed else 0
    return 130


if __name__ == "__main__":
    sys.exit(main())
