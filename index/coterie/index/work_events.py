"""Applying events and attribute updates: identity, deduplication, measures, newest context.

Functions over `State`, called by the engine for one record at a time. Invariant: what is refused is decided by
state and record alone, so a replay refuses the same.
"""

from __future__ import annotations

import numpy as np

from coterie.index.conditions import Ids
from coterie.index.errors import EventTimeInFuture, InputError
from coterie.index.events.columns import EventColumns, RowColumns, first_sequence
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
from coterie.index.views import ColumnView, Instants
from coterie.index.work_subjects import Resolver

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT


def ingest(state: State, payload: IngestEvents) -> Outcome:
    """Takes events: duplicates change nothing, refused ones are named, the rest is applied at once."""
    events = payload.events
    refused = _refused(state, events)
    apart = {refusal.index for refusal in refused}
    indexes = [index for index in range(len(events)) if index not in apart] if apart else list(range(len(events)))
    taken = [events[index] for index in indexes] if apart else list(events)
    now = state.now
    times = np.array([now if event.time is None else event.time for event in taken], np.int64)
    repeats = state.seen.add([event.event_id for event in taken], times, now)
    duplicates: tuple[int, ...] = ()
    if repeats.any():
        duplicates = tuple(indexes[row] for row in np.flatnonzero(repeats).tolist())
        kept = np.flatnonzero(~repeats)
        indexes, taken = [indexes[row] for row in kept.tolist()], [taken[row] for row in kept.tolist()]
        times = times[kept]
    if taken:
        _apply(state, taken, indexes, times)
    return Outcome(
        state.revision,
        accepted=len(taken),
        duplicates=len(duplicates),
        refused=tuple(refused),
        duplicate_indexes=duplicates,
    )


def _refused(state: State, events: tuple[Event, ...]) -> list[Refusal]:
    horizon = state.now + state.settings.max_future_ms
    if max([event.time or 0 for event in events], default=0) <= horizon:
        return []
    refused = []
    for index, event in enumerate(events):
        if event.time is not None and event.time > horizon:
            ahead = f"{(event.time - state.now) / 1000:.0f} s ahead of now, at most {state.settings.max_future_ms // 1000} s allowed"
            error = EventTimeInFuture(f"events[{index}].time", f"the event's time lies {ahead}")
            refused.append(Refusal(index, error.reason, error.field, error.message))
    return refused


def _apply(state: State, events: list[Event], indexes: list[int], times: Instants) -> None:
    subjects = Resolver(state)
    users = subjects.resolve_all(USER, [event[2] for event in events])
    accounts = subjects.resolve_all(ACCOUNT, [_account_name(event[3]) if event[3] else () for event in events])
    written = np.array(users, np.uint32), np.array(accounts, np.uint32)
    if subjects.settle():  # somebody was absorbed after its event was read
        written = state.canonical(USER, written[0]), state.canonical(ACCOUNT, written[1])
    sequences = np.array(indexes, np.int64) + first_sequence(state.revision)
    columns = RowColumns.of(times, sequences, *written, events)
    state.history.append(columns)
    state.events_taken += columns.rows
    state.cursors.arrived(columns.times)
    arriving = collect(columns, state.measures.group, state.filters, state.measures.specs)
    entering = [(matches.where(state.measures.inside(matches.measures, matches.times)), 1) for matches in arriving]
    state.conditions.settle(state.derivation.enter(entering))
    _take_context(state, columns)
    state.end_phase(Cause.EVENT)


def _account_name(account_id: str) -> tuple[Identifier, ...]:
    return (Identifier(ACCOUNT_ID, account_id),)


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
