"""How a dataset is doing, gathered for GetStatus."""

from __future__ import annotations

import os
import resource
import shutil
from importlib import metadata
from pathlib import Path

from coterie.index.model import SubjectKind
from coterie.server.convert.values import duration_of, timestamp_of
from coterie.server.dataset import Dataset
from coterie.v1 import admin_service_pb2 as v1


def server_version() -> str:
    """Returns the version of the installed distribution; empty where it runs from a plain checkout."""
    try:
        return metadata.version("coterie")
    except metadata.PackageNotFoundError:
        return ""


def write_status(dataset: Dataset, response: v1.GetStatusResponse) -> None:
    """Writes everything but revision, description and uptime."""
    response.state, response.message = _state_of(dataset)
    response.server_version = server_version()
    due = dataset.engine.next_instant()
    response.lag.CopyFrom(duration_of(0 if due is None else max(0, dataset.clock.now() - due)))
    _write_engine(dataset, response)
    counters = dataset.writer.counters
    response.queue.calls = counters.waiting_calls
    response.queue.records = counters.waiting_items
    response.queue.capacity = dataset.settings.queue_events
    _write_storage(dataset, response.storage)
    response.oldest_change.token = dataset.tokens.revision(dataset.engine.changes.oldest)
    response.watchers = dataset.watchers


def _state_of(dataset: Dataset) -> tuple[v1.ServingState, str]:
    condition = dataset.writer.condition
    if condition.failed:
        return v1.SERVING_STATE_FAILED, condition.failed
    if dataset.progress.closed:
        return v1.SERVING_STATE_DRAINING, "the server is stopping"
    if condition.stalled:
        return v1.SERVING_STATE_STALLED, condition.stalled
    return v1.SERVING_STATE_READY, ""


def _write_engine(dataset: Dataset, response: v1.GetStatusResponse) -> None:
    status = dataset.engine.status()
    counts, memory = response.counts, response.memory
    counts.users, counts.accounts = status.subjects[SubjectKind.USER], status.subjects[SubjectKind.ACCOUNT]
    counts.events, counts.segments = status.events, status.segments
    counts.measures, counts.conditions, counts.cells = status.measures, status.conditions, status.cells
    memory.resident_bytes = resident_bytes()
    memory.cells_bytes = status.cells_bytes
    memory.subjects_bytes = status.attributes_bytes + status.identity_bytes
    edits = {segment.id for segment in dataset.engine.segments() if segment.root is not None}
    for build in status.builds:
        response.builds.add(segment=build.segment, progress=build.progress, edit=build.segment in edits)


def _write_storage(dataset: Dataset, storage: v1.StorageStatus) -> None:
    storage.journal_bytes = dataset.journal.size_bytes
    storage.state_bytes = dataset.store.size_bytes
    storage.free_bytes = shutil.disk_usage(dataset.directory).free
    header = dataset.store.header
    storage.replay_records = dataset.engine.revision - header.revision
    if header.revision:
        storage.snapshot_revision.token = dataset.tokens.revision(header.revision)
        storage.snapshot_time.CopyFrom(timestamp_of(header.now))


def resident_bytes() -> int:
    """Returns how much memory the process takes."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        # Where there is no /proc: the most it ever took, which macOS counts in bytes.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if os.uname().sysname == "Darwin" else peak * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
