"""The members of lists, as calls of the writer.

A change is cut into records like every other; replacing many members first adds the new ones and then takes off
the others, so that nobody who stays is ever off the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coterie.index.errors import FieldInvalid, WrongSegmentKind
from coterie.index.model import (
    ACCOUNT_ID,
    USER_ID,
    Change,
    ChangeList,
    Identifier,
    ListOperation,
    SegmentKind,
    SubjectKind,
)
from coterie.index.rules import ast
from coterie.server.calls import Call, Written
from coterie.server.convert.subjects import checked_identifier, subject_of
from coterie.server.dataset import Dataset

Names = tuple[Identifier, ...]
ADD, REMOVE, SET = ListOperation.ADD, ListOperation.REMOVE, ListOperation.SET
_CALL_RECORDS = 40  # records of a long change that are written before the next ones are cut


def chunks(names: Sequence[Names], size: int) -> Iterator[tuple[Names, ...]]:
    """Yields the members of one record after the other."""
    for first in range(0, len(names), size):
        yield tuple(names[first : first + size])


@dataclass(slots=True)
class Tally:
    """What a change of a list did so far."""

    revision: int
    now: int
    added: int = 0
    removed: int = 0

    def count(self, segment: str, written: Written) -> None:
        """Adds what a call did."""
        self.revision, self.now = written.revision, written.now
        for entry in written.changes:
            if isinstance(entry, Change) and entry.segment == segment:
                self.added += len(entry.joined)
                self.removed += len(entry.left)


class MemberList:
    """A list that is about to be changed; SegmentNotFound, WrongSegmentKind."""

    def __init__(self, dataset: Dataset, segment: str) -> None:
        definition = dataset.engine.segment(segment).definition
        if definition.kind is not SegmentKind.LIST:
            raise WrongSegmentKind(segment, definition.kind.name.lower(), "list")
        self._dataset, self._segment = dataset, segment
        self.subject_kind = definition.subject_kind
        self._record = dataset.settings.engine.record_events

    @property
    def size(self) -> int:
        """How many members it has."""
        return self._dataset.engine.size(self._segment)

    def named(self, subject: Any, path: str) -> Names:
        """Returns the identifiers of a Subject message, which must be of the list's kind."""
        kind, identifiers = subject_of(subject, path, self._dataset.settings.engine)
        if kind is not self.subject_kind:
            wanted = self.subject_kind.name.lower()
            raise FieldInvalid(path, f"the list holds {wanted}s, and this is no {wanted}")
        return identifiers

    def named_by_id(self, value: str, path: str) -> Names:
        """Returns the identifier in the namespace that names a subject of the list's kind."""
        namespace = USER_ID if self.subject_kind is SubjectKind.USER else ACCOUNT_ID
        return (checked_identifier(namespace, value, path, self._dataset.settings.engine),)

    async def change(self, operation: ListOperation, names: Sequence[Names]) -> Tally:
        """Writes a change of any length, a bounded number of records at a time."""
        engine = self._dataset.engine
        tally = Tally(engine.revision, engine.now)
        if operation is SET and len(names) <= self._record:
            payload = ChangeList(self._segment, SET, tuple(names))
            tally.count(self._segment, await self._dataset.writer.write(Call(payloads=[payload])))
            return tally
        await self._write(REMOVE if operation is REMOVE else ADD, names, tally)
        if operation is SET:
            wanted = {engine.find(self.subject_kind, each) for each in names}
            members = engine.members(ast.InSegment(self._segment), self.subject_kind)
            others = [(self._dataset.name_of(self.subject_kind, id_),) for id_ in members if id_ not in wanted]
            await self._write(REMOVE, others, tally)
        return tally

    async def _write(self, operation: ListOperation, names: Sequence[Names], tally: Tally) -> None:
        at_once = self._record * _CALL_RECORDS
        for first in range(0, len(names), at_once):
            pieces = chunks(names[first : first + at_once], self._record)
            payloads = [ChangeList(self._segment, operation, piece) for piece in pieces]
            tally.count(self._segment, await self._dataset.writer.write(Call(payloads=payloads)))
