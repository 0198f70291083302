"""Changes to single subjects: attributes, merges, deletions, as calls of the writer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coterie.index.errors import MergeRefused, SubjectNotFound
from coterie.index.model import (
    AttributeUpdate,
    DeleteSubject,
    Identifier,
    MergeSubjects,
    Refusal,
    SubjectKind,
)
from coterie.server.calls import Call, Written, reindexed
from coterie.server.convert.subjects import SubjectKey, read_updates
from coterie.server.dataset import Dataset

_SLICE = 250  # updates read before other work has its turn


async def set_attributes(dataset: Dataset, messages: Sequence[Any]) -> Written:
    """Takes the updates that can be read; the others are refused by their index."""
    updates: list[AttributeUpdate] = []
    indexes: list[int] = []
    refused: list[Refusal] = []
    for first in range(0, len(messages), _SLICE):
        if first:
            await dataset.way.give()
        part = messages[first : first + _SLICE]
        read_updates(part, first, dataset.settings.engine, updates, indexes, refused)
    written = Written(dataset.engine.revision, dataset.engine.now)
    if updates:
        written = await dataset.writer.write(Call(updates))
    refused += (reindexed(refusal, indexes[refusal.index]) for refusal in written.refused)
    written.refused = sorted(refused, key=lambda refusal: refusal.index)
    return written


async def merge(dataset: Dataset, absorbed: SubjectKey, survivor: SubjectKey) -> Written:
    """Makes two subjects one; SubjectNotFound, MergeRefused."""
    kind = survivor[0]
    if absorbed[0] is not kind:
        raise MergeRefused("a user and an account cannot be merged")
    payload = MergeSubjects(kind, _known_of(dataset, absorbed), _known_of(dataset, survivor))
    return await dataset.writer.write(Call(payloads=[payload]))


async def delete(dataset: Dataset, subject: SubjectKey) -> Written | None:
    """Removes a subject; None where there is none."""
    try:
        payload = DeleteSubject(subject[0], _known_of(dataset, subject))
        return await dataset.writer.write(Call(payloads=[payload]))
    except SubjectNotFound:
        return None


def _known_of(dataset: Dataset, subject: tuple[SubjectKind, Sequence[Identifier]]) -> Identifier:
    """Returns the first identifier that somebody has, in the order that decides; SubjectNotFound."""
    kind, identifiers = subject
    for identifier in identifiers:
        if dataset.engine.find(kind, (identifier,)) is not None:
            return identifier
    raise SubjectNotFound(*identifiers[0])
