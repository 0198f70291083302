"""Applying merges and deletions of subjects.

Functions over `State`. Invariants: after a merge the survivor is what it would be had every event and value
been its own from the start; after a deletion nothing the subject had is in any cell, set, column or list.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pyroaring import BitMap

from coterie.index.errors import MergeRefused, SubjectNotFound
from coterie.index.model import Cause, DeleteSubject, Identifier, MergeSubjects, Outcome, SubjectKind
from coterie.index.questions import BIRTH
from coterie.index.state import State


def merge(state: State, payload: MergeSubjects) -> Outcome:
    """Merges one subject into another."""
    absorbed, survivor = (_named(state, payload.kind, each) for each in (payload.absorbed, payload.survivor))
    if absorbed == survivor:
        raise MergeRefused("both identifiers name the same subject")
    state.identity[payload.kind].merge(absorbed, survivor)
    changed = state.attributes[payload.kind].merge(absorbed, survivor)
    absorb(state, payload.kind, absorbed, survivor, changed)
    state.end_phase(Cause.MERGE)
    return Outcome(state.revision, accepted=1)


def _named(state: State, kind: SubjectKind, identifier: Identifier) -> int:
    subject = state.identity[kind].find((identifier,))
    if subject is None:
        raise SubjectNotFound(identifier.namespace, identifier.value)
    return subject


def absorb(state: State, kind: SubjectKind, absorbed: int, survivor: int, changed: list[str]) -> None:
    """Moves everything else of a subject, whose identifiers and attributes (`changed`) the survivor has already."""
    state.conditions.settle(state.derivation.merge(kind, absorbed, survivor))
    ids = np.array([survivor], np.uint32)
    state.attributes_changed(kind, dict.fromkeys(changed, ids))
    state.latches.merge(kind, absorbed, survivor)
    for segment in state.catalog:
        members = segment.members
        if members is not None and segment.definition.subject_kind is kind and absorbed in members.bits:
            state.flip_members(members, BitMap([survivor]) - members.bits)
    state.depart(kind, absorbed, survivor)
    state.refresh_known(kind, BitMap([survivor]))


def delete(state: State, payload: DeleteSubject) -> Outcome:
    """Deletes a subject and everything it had."""
    kind = payload.kind
    subject = _named(state, kind, payload.identifier)
    written = state.identity[kind].written_ids((subject,))
    state.identity[kind].delete(subject)
    state.conditions.settle(state.derivation.delete(kind, subject, written))
    state.attributes[kind].delete(subject)
    state.history.erase(kind, written)
    state.depart(kind, subject, 0)
    state.end_phase(Cause.DELETE)
    return Outcome(state.revision, accepted=1)


class Resolver:
    """Finds or makes the subjects a record names, and settles at its end what that did to whom."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._touched: dict[SubjectKind, set[int]] = {kind: set() for kind in SubjectKind}
        self._born: dict[SubjectKind, list[int]] = {kind: [] for kind in SubjectKind}
        self._absorbed: list[tuple[SubjectKind, int, int, list[str]]] = []
        self._parted: dict[SubjectKind, set[int]] = {kind: set() for kind in SubjectKind}

    def resolve(self, kind: SubjectKind, identifiers: tuple[Identifier, ...]) -> int:
        """Returns the subject the identifiers mean, as of all events before."""
        return self.resolve_all(kind, (identifiers,))[0]

    def resolve_all(self, kind: SubjectKind, named: Iterable[tuple[Identifier, ...]]) -> list[int]:
        """Returns whom each event's identifiers mean, one after the other; 0 where an event has none."""
        recent = self._state.identity[kind].recent
        subjects = []
        for identifiers in named:
            subject = 0
            if identifiers:
                subject = recent(identifiers[0]) or 0
                if not subject or (len(identifiers) > 1 and any(recent(each) != subject for each in identifiers[1:])):
                    subject = self._resolve(kind, identifiers)
            subjects.append(subject)
        return subjects

    def _resolve(self, kind: SubjectKind, identifiers: tuple[Identifier, ...]) -> int:
        identity = self._state.identity[kind]
        found = identity.named(identifiers)
        subject = found[0]
        if subject and found.count(subject) == len(found):
            return subject  # as it was: nobody's names change, so neither does who is known
        subject, born, absorbed, parted = identity.resolve(identifiers, found)
        if born:
            self._born[kind].append(subject)
        for other in absorbed:
            # Attributes at once: what the same record sets or removes from here on is newer.
            self._absorbed.append((kind, other, subject, self._state.attributes[kind].merge(other, subject)))
        if parted:
            self._parted[kind].update(parted)
        self._touched[kind].add(subject)
        return subject

    def settle(self) -> bool:
        """Ends births and merges; returns whether anybody was absorbed."""
        state = self._state
        for kind in SubjectKind:
            if self._born[kind]:
                state.bear(kind, np.array(self._born[kind], np.uint32))
            if self._parted[kind]:  # whoever lost its first identifier has another one now
                state.conditions.settle_attributes(kind, {BIRTH: np.array(sorted(self._parted[kind]), np.uint32)})
        for kind, absorbed, survivor, changed in self._absorbed:
            absorb(state, kind, absorbed, survivor, changed)
        state.affiliation.accounts_changed(self._touched[SubjectKind.ACCOUNT])
        for kind in SubjectKind:
            if self._touched[kind]:
                state.refresh_known(kind, BitMap(self._touched[kind]) & state.identity[kind].subjects)
        if self._absorbed:
            state.end_phase(Cause.MERGE)
        return bool(self._absorbed)
