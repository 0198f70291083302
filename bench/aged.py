"""An aged dataset: its windows are full, so that they let go of events as fast as new ones arrive.

Owns the clock of the in-process ingest benchmarks: events come at a steady rate, every batch moves time on by its
own length. Invariant: datasets aged with equal parameters take the same batches and hold the same members.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.dataset import START, Dataset
from bench.measure import Watch
from bench.shop import Shop, events_of
from coterie.index.model import Event

BATCH = 1_000
SPAN_S = 20
WINDOWS = ("1 second", "4 seconds", "8 seconds", "14 seconds", "19 seconds")  # all shorter than the span


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of events, and the time when it arrives."""

    events: tuple[Event, ...]
    at: int


class Arrivals:
    """Batches one after the other, at a steady rate."""

    def __init__(self, users: int, history: int) -> None:
        self._shop = Shop(users)
        self._batch_ms = SPAN_S * 1000 * BATCH // history
        self._at = START
        self._count = 0

    def next(self) -> Batch:
        """Returns the next batch."""
        first, self._at = self._at, self._at + self._batch_ms
        self._count += 1
        return Batch(events_of(self._shop.happenings(BATCH), first, self._at, f"e{self._count}"), self._at)

    def take(self, count: int) -> list[Batch]:
        """Returns the next batches."""
        return [self.next() for _ in range(count)]


def age(datasets: Sequence[Dataset], arrivals: Arrivals, history: int, watch: Watch) -> None:
    """Fills the windows of datasets, then takes a snapshot of each, as a server that has run for long has."""
    watch.phase(f"ageing: {history:,} events", history // BATCH)
    for _ in range(history // BATCH):
        batch = arrivals.next()
        for dataset in datasets:
            dataset.ingest(batch.events, batch.at)
        watch.advance()
    for dataset in datasets:
        dataset.snapshot()


def aged_dataset(directory: Path, rules: Iterable[tuple[str, str]]) -> Dataset:
    """Returns a dataset with segments, yet without events."""
    dataset = Dataset(directory)
    dataset.create(rules)
    return dataset
