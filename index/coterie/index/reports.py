"""What is known of one subject, and how large a dataset is: answers drawn from several parts of the state.

Functions over `State` that change nothing. Owns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coterie.index.builds import BuildStatus
from coterie.index.events.columns import Arrival
from coterie.index.model import Identifier, SubjectKind, Value
from coterie.index.state import State
from coterie.index.time.calendar import HIGHEST


@dataclass(frozen=True, slots=True)
class Membership:
    """A segment a subject is in, and since when (None: longer than the change log reaches)."""

    segment: str
    since: int | None


@dataclass(frozen=True, slots=True)
class LastVisit:
    """A subject's newest visit, as of now."""

    start: int
    end: int  # the time of its last event so far
    events: int
    running: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one subject."""

    identifiers: tuple[Identifier, ...]
    attributes: dict[str, Value]
    segments: tuple[Membership, ...]
    event_totals: dict[str, int]
    first_seen: int | None
    last_seen: int | None
    last_visit: LastVisit | None


@dataclass(frozen=True, slots=True)
class Status:
    """How large a dataset is and what it is doing."""

    revision: int
    now: int
    subjects: dict[SubjectKind, int]
    segments: int
    measures: int
    conditions: int
    events: int
    cells: int
    changes: int
    cells_bytes: int
    attributes_bytes: int
    identity_bytes: int
    builds: tuple[BuildStatus, ...]


def profile_of(state: State, kind: SubjectKind, dense: int) -> Profile:
    """Returns everything known of a live subject."""
    totals = state.history.summary(kind, state.written_ids(kind, dense))
    since = state.changes.since_when
    return Profile(
        state.identity[kind].identifiers_of(dense),
        state.attributes[kind].get(dense),
        tuple(Membership(name, since(name, dense)) for name in state.segments_of(kind, dense)),
        totals.totals,
        totals.first,
        totals.last,
        last_visit_of(state, kind, dense),
    )


def last_visit_of(state: State, kind: SubjectKind, dense: int) -> LastVisit | None:
    """Returns a subject's newest visit, read from its newest events; those that wait for their time are in none."""
    written, gap = state.written_ids(kind, dense), state.settings.visit_gap_ms
    start = end = None
    events = 0
    before: tuple[int, int] | None = (state.now, HIGHEST)
    while before is not None:
        page = state.history.of_subjects(kind, written, before, _PAGE_EVENTS)
        before = (page[-1].time, page[-1].sequence) if len(page) == _PAGE_EVENTS else None
        for arrival in page:
            if start is not None and start - arrival.time >= gap:
                before = None
                break
            start, end, events = arrival.time, arrival.time if end is None else end, events + 1
    if start is None or end is None:
        return None
    return LastVisit(start, end, events, running=state.now - end < gap)


_PAGE_EVENTS = 128


def events_of(
    state: State, kind: SubjectKind, dense: int, before: tuple[int, int] | None, limit: int
) -> Sequence[Arrival]:
    """Returns a subject's events, and those of whom it absorbed, newest first."""
    return state.history.of_subjects(kind, state.written_ids(kind, dense), before, limit)


def status_of(state: State) -> Status:
    """Returns how large everything is."""
    return Status(
        state.revision,
        state.now,
        {kind: len(state.identity[kind].subjects) for kind in SubjectKind},
        len(state.catalog),
        len(state.measures),
        len(state.conditions),
        state.history.rows,
        state.cells.used,
        len(state.changes),
        state.cells.size_bytes + state.latches.deadlines.size_bytes,
        sum(table.size_bytes for table in state.attributes.values()),
        sum(identity.size_bytes for identity in state.identity.values()),
        tuple(state.builds.status()),
    )
