"""Settings of random tests, and where real data is found.

Owns the hypothesis profiles: `default` fits into the ordinary run, `soak` (HYPOTHESIS_PROFILE=soak) takes long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.backend import Backend
    from tests.latch_journal import Journal

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("default", max_examples=100, derandomize=True, **_COMMON)
settings.register_profile("soak", max_examples=20_000, stateful_step_count=40, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets (COTERIE_TEST_DATA, or beside the project); skips where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("COTERIE_TEST_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set COTERIE_TEST_DATA)")
    return folder


@pytest.fixture(params=["in memory", "reopened", "on disk", "over gRPC"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """An empty dataset in UTC, behind each of the backends of the acceptance suite."""
    made = _backend(request.param, tmp_path)
    try:
        yield made
    finally:
        made.close()


def _backend(name: str, folder: Path) -> Backend:
    # Imported here: most tests need neither engine nor server.
    if name == "over gRPC":
        from tests.grpc_backend import OverGrpc

        return OverGrpc(folder)
    from tests.backend import InMemory, ReopenedAfterEveryWrite, ReopenedFromDisk

    return {"in memory": InMemory, "reopened": ReopenedAfterEveryWrite, "on disk": ReopenedFromDisk}[name](folder)


@pytest.fixture(params=["memory", "snapshot", "replay"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """An empty dataset in memory, or restarted after each record from a snapshot or from its journal."""
    from tests.latch_journal import Journal

    held = Journal(tmp_path, request.param)
    yield held
    held.close()
