"""Mutating calls on their way to the journal, and how they are cut into records.

A call of many events (or attribute updates) is sorted by event time and cut into records of bounded size; small
calls that arrive together share one. Invariants: the calls' order is kept between records; a shared record ends
before a call that names a subject already in it, so nobody's intermediate states are lost to grouping; every
outcome finds its way back to the call and the index the caller used.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from coterie.index.errors import CoterieError
from coterie.index.model import (
    ACCOUNT_ID,
    AttributeUpdate,
    ChangeEntry,
    Event,
    Identifier,
    IngestEvents,
    Outcome,
    Payload,
    Refusal,
    SetAttributes,
    SubjectKind,
)

Item = Event | AttributeUpdate
_INDEX = re.compile(r"\[\d+\]")
SubjectName = tuple[SubjectKind, Identifier]


@dataclass(slots=True)
class Written:
    """What became of a call: applied as of `revision`, at engine time `now`."""

    revision: int = 0
    now: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: list[Refusal] = field(default_factory=list)
    changes: list[ChangeEntry] = field(default_factory=list)


def reindexed(refusal: Refusal, index: int) -> Refusal:
    """Returns a refusal under another index, in its field's path too (`events[0].time` -> `events[7].time`)."""
    return replace(refusal, index=index, field=_INDEX.sub(f"[{index}]", refusal.field, count=1))


class Call:
    """One mutating call: its items or payloads, and the future its caller waits for."""

    def __init__(self, items: Sequence[Item] = (), payloads: Sequence[Payload] = ()) -> None:
        self.items = items
        self.payloads = payloads
        self.weight = max(len(items), len(payloads))
        self.written = Written()
        self.done: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._pending_records = 0
        self._error: CoterieError | None = None

    def expect_record(self) -> None:
        """Counts one more record that this call waits for."""
        self._pending_records += 1

    def settle(self, outcome: Outcome | None, now: int, error: CoterieError | None = None) -> None:
        """Takes in what one record did; the last one answers the caller, the first error decides."""
        self._error = self._error or error
        if outcome is not None:
            self.written.revision, self.written.now = outcome.revision, now
        self._pending_records -= 1
        if self._pending_records == 0 and not self.done.done():
            if self._error is not None:
                self.done.set_exception(self._error)
            else:
                self.written.refused.sort(key=lambda refusal: refusal.index)
                self.done.set_result(self.written)

    def fail(self, error: CoterieError) -> None:
        """Answers the caller with an error; nothing of the call was or will be acknowledged."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(slots=True)
class Draft:
    """A record to be: its payload, and where its items came from."""

    payload: Payload
    calls: list[Call] = field(default_factory=list)
    origins: list[tuple[Call, int]] | None = None  # of a shared record: call and index for each item
    indexes: Sequence[int] = ()  # of a record with one call: the index for each item

    def settle(self, outcome: Outcome, now: int) -> None:
        """Hands the outcome to the calls in the record."""
        if self.origins is None:
            for call in self.calls:
                self._give_all(call, outcome)
        else:
            self._give_shares(outcome, self.origins)
        for call in self.calls:
            call.settle(outcome, now)

    def refuse(self, error: CoterieError, now: int) -> None:
        """Hands a domain error to the calls in the record."""
        for call in self.calls:
            call.settle(None, now, error)

    def fail(self, error: CoterieError) -> None:
        """Answers the calls in the record with an error."""
        for call in self.calls:
            call.fail(error)

    def _give_all(self, call: Call, outcome: Outcome) -> None:
        written = call.written
        written.accepted += outcome.accepted
        written.duplicates += outcome.duplicates
        written.changes.extend(outcome.changes)
        for refusal in outcome.refused:
            index = self.indexes[refusal.index] if self.indexes else refusal.index
            written.refused.append(reindexed(refusal, index))

    def _give_shares(self, outcome: Outcome, origins: list[tuple[Call, int]]) -> None:
        apart = dict.fromkeys(outcome.duplicate_indexes)
        for refusal in outcome.refused:
            call, index = origins[refusal.index]
            call.written.refused.append(reindexed(refusal, index))
            apart[refusal.index] = None
        for index in outcome.duplicate_indexes:
            origins[index][0].written.duplicates += 1
        for index, (call, _) in enumerate(origins):
            if index not in apart:
                call.written.accepted += 1


def cut(calls: Iterable[Call], at: int, record_items: int, shared_items: int) -> list[Draft]:
    """Returns the records of some calls, in order; each call then expects as many as it takes part in."""
    drafts: list[Draft] = []
    shared = _SharedRecord(record_items)
    for call in calls:
        if 0 < len(call.items) <= shared_items:
            if not shared.takes(call):
                shared.close(drafts, at)
            shared.add(call)
        else:
            shared.close(drafts, at)
            drafts.extend(_cut_items(call, at, record_items) if call.items else _cut_payloads(call))
    shared.close(drafts, at)
    for draft in drafts:
        for call in draft.calls:
            call.expect_record()
    return drafts


def _cut_payloads(call: Call) -> Iterable[Draft]:
    return (Draft(payload, [call]) for payload in call.payloads)


def _cut_items(call: Call, at: int, record_items: int) -> Iterable[Draft]:
    order = _order(call.items, at)
    for first in range(0, len(call.items), record_items):
        if order is None:
            piece = call.items[first : first + record_items]
            indexes: Sequence[int] = range(first, first + len(piece))
        else:
            indexes = order[first : first + record_items]
            piece = [call.items[index] for index in indexes]
        yield Draft(_payload(piece), [call], indexes=indexes)


def _order(items: Sequence[Item], at: int) -> list[int] | None:
    """Returns the order of events by time (ties as they came), None where they have it or are no events."""
    if not isinstance(items[0], Event):
        return None
    times = [at if item.time is None else item.time for item in items]  # type: ignore[union-attr]
    if all(map(int.__le__, times, times[1:])):
        return None
    return sorted(range(len(times)), key=times.__getitem__)


def _payload(items: Sequence[Item]) -> Payload:
    if isinstance(items[0], Event):
        return IngestEvents(tuple(items))  # type: ignore[arg-type]
    return SetAttributes(tuple(items))  # type: ignore[arg-type]


def names_of(item: Item) -> Iterable[SubjectName]:
    """Returns every subject name an item carries."""
    if isinstance(item, Event):
        for identifier in item.identifiers:
            yield SubjectKind.USER, identifier
        if item.account_id:
            yield SubjectKind.ACCOUNT, Identifier(ACCOUNT_ID, item.account_id)
    else:
        for identifier in item.identifiers:
            yield item.kind, identifier


class _SharedRecord:
    """The record that small calls are gathered in."""

    def __init__(self, record_items: int) -> None:
        self._record_items = record_items
        self._calls: list[Call] = []
        self._items = 0
        self._names: set[SubjectName] = set()

    def takes(self, call: Call) -> bool:
        """Says whether a call fits: same kind of items, room, and no subject named twice."""
        if not self._calls:
            return True
        if type(call.items[0]) is not type(self._calls[0].items[0]):
            return False
        if self._items + len(call.items) > self._record_items:
            return False
        return not any(name in self._names for item in call.items for name in names_of(item))

    def add(self, call: Call) -> None:
        """Takes a call in."""
        self._calls.append(call)
        self._items += len(call.items)
        self._names.update(name for item in call.items for name in names_of(item))

    def close(self, drafts: list[Draft], at: int) -> None:
        """Appends the record, if there is one, and begins anew."""
        if not self._calls:
            return
        if len(self._calls) == 1:
            drafts.extend(_cut_items(self._calls[0], at, self._record_items))
        else:
            origins = [(call, index) for call in self._calls for index in range(len(call.items))]
            items = [item for call in self._calls for item in call.items]
            order = _order(items, at)
            if order is not None:
                origins, items = [origins[i] for i in order], [items[i] for i in order]
            drafts.append(Draft(_payload(items), list(self._calls), origins))
        self._calls, self._items, self._names = [], 0, set()
