"""Benchmarks: what Coterie promises to be fast at, measured beside what people use today.

`python -m bench` runs them. One module per benchmark (`p1_check`, `p2_batch`, …), named after the row of the
target table in README.md it answers. Invariant: every contestant of a benchmark is asked the same question over
the same data in the same run, and their answers are compared before their times are.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.registry import Benchmark

_MODULES = (
    "p1_check",
    "p2_batch",
    "p3_algebra",
    "p4_ingest",
    "p5_micro",
    "p6_create",
    "p7_sweep",
    "p10_restart",
    "l1_load",
)


def benchmarks() -> dict[str, Benchmark]:
    """Returns all benchmarks by name."""
    found = [import_module(f"bench.{module}").BENCHMARK for module in _MODULES]
    return {benchmark.name: benchmark for benchmark in found}
