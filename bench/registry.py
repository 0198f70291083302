"""Which benchmarks there are, and what each is given to run.

A benchmark is a function from a `Run` to a report. Invariant: a benchmark that is registered runs at every size,
also without any peer installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.measure import Watch
from bench.report import Report

SIZES = ("tiny", "small", "full")
Parameters = TypeVar("Parameters")


@dataclass(frozen=True, slots=True)
class Run:
    """What a benchmark is given: how large to be, whether to ask peers, where to put files, who watches."""

    size: str
    directory: Path
    watch: Watch
    peers: bool = True

    def choose(self, tiny: Parameters, small: Parameters, full: Parameters) -> Parameters:
        """Returns the parameters for this run's size."""
        return {"tiny": tiny, "small": small, "full": full}[self.size]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One row of the target table."""

    name: str
    title: str
    run: Callable[[Run], Report]
