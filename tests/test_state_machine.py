"""Random journals through engine and oracle: the two never differ."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import settings
from rich.console import Console

from coterie.index.storage import snapshot
from tests import random_journals
from tests.random_journals import HOW
from tests.state_machine import Machine

JOBS = os.cpu_count() or 1


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes snapshots of little data take many steps."""
    monkeypatch.setattr(snapshot, "_TRANSACTION_BYTES", 2_000)
    monkeypatch.setattr(snapshot, "_COLLECT_BYTES", 500)
    monkeypatch.setattr("coterie.index.subjects.names._PAGE_ENTRIES", 2)
    monkeypatch.setattr("coterie.index.builds._CROWD", 0)


class TestSideBySide(Machine.TestCase):  # type: ignore[misc, name-defined]
    """As many examples as fit into the ordinary run, from a fixed seed."""


TestSideBySide.settings = settings(max_examples=120, **HOW)


def _run(examples: int, first: int) -> None:
    failed = random_journals.run(examples, JOBS, first, Console(stderr=True))
    assert not failed, "\n".join(f"seed {number}\n{found}" for number, found in failed)


def test_a_seed_draws_the_same_journals_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failure in a long run is replayed by: also after other batches of the same process."""
    drawn: list[str] = []
    end = Machine.teardown

    def teardown(machine: Machine) -> None:
        drawn.append(repr(machine.pair.steps))
        end(machine)

    monkeypatch.setattr(Machine, "teardown", teardown)
    batches = []
    for number in (7, 8, 7):
        assert not random_journals.run_batch(number, examples=3)
        batches.append(list(drawn))
        drawn.clear()
    assert batches[0] == batches[2] != batches[1]


@pytest.mark.many
def test_five_thousand_journals() -> None:
    """What continuous integration adds: 5 000 journals, each with steps of time and restarts, from fixed seeds."""
    _run(5_000, first=1)


@pytest.mark.soak
def test_a_hundred_thousand_journals() -> None:
    """The long run: 100 000 journals from seeds nobody has tried, told by the clock."""
    _run(100_000, first=int(time.time()) * 1_000)
