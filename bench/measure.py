"""Measuring: contestants in turns, medians of rounds, checksums of answers, and on what machine it was.

Owns the clock of the benchmarks. Invariant: contestants take turns within every round, in rotating order, so
that whatever else the machine does falls upon all of them alike; and all must give the same answer.
"""

from __future__ import annotations

import gc
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Generic, Protocol, TypeVar

import xxhash

from bench.report import Figure

Answer = TypeVar("Answer")


class DifferentAnswers(Exception):
    """Two contestants answered the same question differently: nothing about their speed is worth saying."""


class Watch(Protocol):
    """Somebody who watches a benchmark run."""

    def phase(self, label: str, total: int | None = None) -> None:
        """Something begins that takes so many steps (None: nobody knows)."""

    def advance(self, steps: int = 1) -> None:
        """So many steps of it are done."""


class Silent:
    """Nobody watches."""

    def phase(self, label: str, total: int | None = None) -> None:
        """Says nothing."""

    def advance(self, steps: int = 1) -> None:
        """Says nothing."""


@dataclass(slots=True)
class Timings(Generic[Answer]):
    """How long each round took one contestant, by the wall's clock and this process's, and its last answer."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    answer: Answer | None = None

    def figure(self, who: str, what: str, unit: str = "ms", scale: float = 1000.0) -> Figure:
        """Returns the time of a round as a figure."""
        times = [second * scale for second in self.seconds]
        return Figure(who, what, median(times), unit, min(times), max(times))

    def rate(self, who: str, what: str, items: float, unit: str, *, cpu: bool = False) -> Figure:
        """Returns how many items a second were done, where each round did so many, as a figure."""
        return figure_of(who, what, [items / second for second in (self.cpu_seconds if cpu else self.seconds)], unit)


def figure_of(who: str, what: str, values: Sequence[float], unit: str) -> Figure:
    """Returns the median of some values as a figure."""
    return Figure(who, what, median(values), unit, min(values), max(values))


def paired_ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """Returns the median of one by other, round by round: what slowed a round down slowed both."""
    return median(one / other for one, other in zip(ones, others, strict=True))


def interleaved(
    contestants: Mapping[str, Callable[[], Answer]],
    rounds: int,
    watch: Watch,
    same: Callable[[Answer], Any] | None = None,
) -> dict[str, Timings[Answer]]:
    """Lets every contestant answer once per round, in rotating order; within a round `same(answer)` must be equal.

    One round more is run before, unmeasured, so that everybody's caches are warm. Without `same` the answers
    themselves are compared.
    """
    timings: dict[str, Timings[Answer]] = {name: Timings() for name in contestants}
    names = list(contestants)
    watch.phase("measuring " + ", ".join(names), rounds)
    gc.collect()
    for number in range(rounds + 1):
        first: tuple[str, Any] | None = None
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            begin, cpu_begin = perf_counter(), process_time()
            answer = contestants[name]()
            taken, cpu_taken = perf_counter() - begin, process_time() - cpu_begin
            judged = same(answer) if same is not None else answer
            if first is None:
                first = (name, judged)
            elif judged != first[1]:
                raise DifferentAnswers(f"{name} answers {judged!r:.200}, {first[0]} answered {first[1]!r:.200}")
            if number:
                timings[name].seconds.append(taken)
                timings[name].cpu_seconds.append(cpu_taken)
                timings[name].answer = answer
        if number:
            watch.advance()
    return timings


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def checksum(*answers: object) -> str:
    """Returns 16 hexadecimal digits that stand for some answers."""
    digest = xxhash.xxh3_64()
    for answer in answers:
        digest.update(answer if isinstance(answer, bytes) else repr(answer).encode())
    return digest.hexdigest()


def machine() -> str:
    """Returns one line about the machine: results of different machines must not be compared."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        memory = int(Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]) / 2**20
        load = f", load {os.getloadavg()[0]:.1f}"
    except (OSError, StopIteration, ValueError):
        return f"{model}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} CPUs, {memory:.0f} GiB{load}, Python {platform.python_version()}"
