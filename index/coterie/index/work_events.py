"""Applying events and attribute updates: identity, deduplication, measures, newest context.

Functions over `State`, called by the engine for one record at a time. Invariant: what is refused is decided by
state and record alone, so a replay refuses the same.
"""

from __future__ import annotations

import numpy as np

from coterie.index.conditions import Ids
from coterie.index.errors import EventTimeInFuture, InputError
from coterie.index.events.columns import Arrival, EventColumns, RowColumns, first_sequence
from coterie.index.measures.matches import collect
from coterie.index.model import (
    ACCOUNT_ID,
    AttributeUpdate,
    Cause,
    Event,
    Identifier,
    IngestEvents,
    Outcome,
    Refusal,
    SetAttributes,
    SubjectKind,
)
from coterie.index.state import State
from coterie.index.views import ColumnView
from coterie.index.work_subjects import Resolver

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT


def ingest(state: State, payload: IngestEvents) -> Outcome:
    """Takes events: duplicates change nothing, refused ones are named, the rest is applied at once."""
    taken, refused = _accepted(state, payload.events)
    times = np.array([state.now if event.time is None else event.time for _, event in taken], np.int64)
    repeats = state.seen.add([event.event_id for _, event in taken], times, state.now)
    duplicates = tuple(index for (index, _), repeat in zip(taken, repeats.tolist(), strict=True) if repeat)
    if duplicates:
        kept = np.flatnonzero(~repeats)
        taken, times = [taken[row] for row in kept.tolist()], times[kept]
    if taken:
        _apply(state, taken, times.tolist())
    return Outcome(
        state.revision,
        accepted=len(taken),
        duplicates=len(duplicates),
        refused=tuple(refused),
        duplicate_indexes=duplicates,
    )


def _accepted(state: State, events: tuple[Event, ...]) -> tuple[list[tuple[int, Event]], list[Refusal]]:
    horizon = state.now + state.settings.max_future_ms
    taken: list[tuple[int, Event]] = []
    refused = []
    for index, event in enumerate(events):
        if event.time is not None and event.time > horizon:
            ahead = f"{(event.time - state.now) / 1000:.0f} s ahead of now, at most {state.settings.max_future_ms // 1000} s allowed"
            error = EventTimeInFuture(f"events[{index}].time", f"the event's time lies {ahead}")
            refused.append(Refusal(index, error.reason, error.field, error.message))
        else:
            taken.append((index, event))
    return taken, refused


def _apply(state: State, taken: list[tuple[int, Event]], times: list[int]) -> None:
    subjects = Resolver(state)
    first = first_sequence(state.revision)
    arrivals = []
    for (index, event), time in zip(taken, times, strict=True):
        user = subjects.resolve(USER, event.identifiers) if event.identifiers else 0
        account = subjects.resolve(ACCOUNT, (Identifier(ACCOUNT_ID, event.account_id),)) if event.account_id else 0
        arrivals.append(Arrival(time, first + index, user, account, event))
    if subjects.settle():  # somebody was absorbed after its event was read
        arrivals = _as_of_now(state, arrivals)
    columns = RowColumns(arrivals)
    state.history.append(columns)
    state.events_taken += columns.rows
    state.cursors.arrived(columns.times)
    arriving = collect(columns, state.measures.group, state.filters, state.measures.specs)
    entering = [(matches.where(state.measures.inside(matches.measures, matches.times)), 1) for matches in arriving]
    state.conditions.settle(state.derivation.enter(entering))
    _take_context(state, columns)
    state.end_phase(Cause.EVENT)


def _as_of_now(state: State, arrivals: list[Arrival]) -> list[Arrival]:
    users, accounts = (
        state.canonical(kind, np.array(written, np.uint32)).tolist()
        for kind, written in (
            (USER, [arrival.user for arrival in arrivals]),
            (ACCOUNT, [arrival.account for arrival in arrivals]),
        )
    )
    return [
        Arrival(arrival.time, arrival.sequence, user, account, arrival.event)
        for arrival, user, account in zip(arrivals, users, accounts, strict=True)
    ]


def _take_context(state: State, columns: EventColumns) -> None:
    """The newest context value of each name becomes an attribute; so does the account a user is seen with."""
    for kind in SubjectKind:
        subjects = columns.subjects(kind)
        if not subjects.any():
            continue
        changed: dict[str, Ids] = {}
        table = state.attributes[kind]
        for name in columns.context_names():
            ids = table.set_newest(f"current.{name}", subjects, columns.context_view(name), columns.times)
            if len(ids):
                changed[f"current.{name}"] = ids
        if kind is USER and columns.subjects(ACCOUNT).any():
            accounts = _account_ids(columns)
            ids = table.set_newest(ACCOUNT_ID, subjects, accounts, columns.times)
            if len(ids):
                changed[ACCOUNT_ID] = ids
        if changed:
            state.attributes_changed(kind, changed)


def _account_ids(columns: EventColumns) -> ColumnView:
    return ColumnView.of([columns.event(row).event.account_id or None for row in range(columns.rows)])


def set_attributes(state: State, payload: SetAttributes) -> Outcome:
    """Sets attributes; an update with a value that is refused changes nothing at all."""
    refused: list[Refusal] = []
    resolver = Resolver(state)
    changed: dict[SubjectKind, dict[str, list[int]]] = {kind: {} for kind in SubjectKind}
    for index, update in enumerate(payload.updates):
        error = _conflict(state, index, update)
        if error is not None:
            refused.append(Refusal(index, error.reason, error.field, error.message))
            continue
        subject = resolver.resolve(update.kind, update.identifiers)
        for name, value in update.values.items():
            if state.attributes[update.kind].set(subject, name, value, f"updates[{index}].attributes.{name}"):
                changed[update.kind].setdefault(name, []).append(subject)
    resolver.settle()
    for kind, names in changed.items():
        ids = {name: np.array(subjects, np.uint32) for name, subjects in names.items()}
        state.attributes_changed(kind, {name: np.unique(state.canonical(kind, held)) for name, held in ids.items()})
    state.end_phase(Cause.ATTRIBUTE)
    return Outcome(state.revision, accepted=len(payload.updates) - len(refused), refused=tuple(refused))


def _conflict(state: State, index: int, update: AttributeUpdate) -> InputError | None:
    try:
        state.attributes[update.kind].check(update.values, f"updates[{index}].attributes")
    except InputError as error:
        return error
    return None
