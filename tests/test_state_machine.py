"""Random journals through engine and oracle: the two never differ."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

from coterie.index.storage import snapshot
from tests.state_machine import Machine


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes snapshots of little data take many steps."""
    monkeypatch.setattr(snapshot, "_TRANSACTION_BYTES", 2_000)
    monkeypatch.setattr(snapshot, "_COLLECT_BYTES", 500)
    monkeypatch.setattr("coterie.index.subjects.names._PAGE_ENTRIES", 2)


class TestSideBySide(Machine.TestCase):  # type: ignore[misc, name-defined]
    """As many examples as fit into the ordinary run."""


class TestSoak(Machine.TestCase):  # type: ignore[misc, name-defined]
    """The same for as long as the profile `soak` says."""

    pytestmark = pytest.mark.soak


# A failing journal is shortened by `shorten`, much faster than by shrinking what was drawn.
_HOW = {
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
}
TestSideBySide.settings = settings(max_examples=120, stateful_step_count=25, **_HOW)
TestSoak.settings = settings(settings.get_profile("soak"), **_HOW)
