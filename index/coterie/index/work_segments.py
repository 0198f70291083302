"""Applying segment calls: create, edit, delete, list members, activation of finished builds.

Functions over `State`. Invariants: a definition that is refused leaves nothing behind; a segment answers
from one definition at a time, and swaps in one record.
"""

from __future__ import annotations

import numpy as np
from pyroaring import BitMap

from coterie.index.algebra import members_of
from coterie.index.conditions import bitmap
from coterie.index.errors import LimitExceeded, PreconditionFailed, WrongSegmentKind
from coterie.index.latches import Latch
from coterie.index.model import (
    ActivateBuild,
    Cause,
    ChangeList,
    CreateSegment,
    DeleteSegment,
    ListOperation,
    Mode,
    Outcome,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
    UpdateSegment,
)
from coterie.index.nodes import Members, Ref, Root
from coterie.index.plan import Plan
from coterie.index.rules import parse_expression_of_names
from coterie.index.segments import Delta, Pending, Segment, SegmentVersion
from coterie.index.state import State
from coterie.index.work_subjects import Resolver


def create(state: State, payload: CreateSegment) -> Outcome:
    """Creates a segment: a list or frozen one is ready at once, a rule as soon as it lacks no history."""
    definition = payload.definition
    state.catalog.check_new(definition)
    version = SegmentVersion(1, state.now, payload.author, definition)
    segment = Segment(definition, state.now, state.now, [version])
    if definition.kind is SegmentKind.RULE:
        plan = _compile(state, definition)
        state.catalog.add(segment)
        _build(state, segment, Pending(definition, plan, 1))
    else:
        frozen = definition.kind is SegmentKind.FROZEN
        bits = _frozen_members(state, payload) if frozen else BitMap()
        segment.members = Members(definition.id, bits)
        state.pages.touch(segment.members)
        state.catalog.add(segment)
        state.catalog.put_to_work(segment, Ref(segment.members))
        _announce(state, segment, {}, Cause.MANUAL)
    return Outcome(state.revision, accepted=1)


def _frozen_members(state: State, payload: CreateSegment) -> BitMap:
    source = parse_expression_of_names(payload.source)
    kind = payload.definition.subject_kind
    return BitMap(members_of(state, source, kind))


def _compile(state: State, definition: SegmentDefinition) -> Plan:
    plan = state.plan_of(definition, is_new=True)
    state.cursors.forget_groups()
    try:
        state.catalog.check_cycle(definition.id, plan)
    except Exception:
        state.release(plan)
        raise
    return plan


def _build(state: State, segment: Segment, pending: Pending) -> None:
    _withdraw(state, segment)
    segment.pending, segment.progress = pending, 0.0
    if state.builds.start(segment, without_history=not state.events_taken):
        _activate(state, segment)


def update(state: State, payload: UpdateSegment) -> Outcome:
    """Edits a segment: a new rule is built beside the old one, everything else changes at once.

    An edit back to what is served ends the build under way, if there is one.
    """
    definition = payload.definition
    segment = _check_update(state, payload)
    is_served, is_pending = _is_served(segment, definition), _is_pending(segment, definition)
    plan = None if is_served or is_pending else _compile(state, definition)
    number = segment.version + 1
    segment.versions.append(SegmentVersion(number, state.now, payload.author, definition))
    segment.updated_at = state.now
    if is_served:
        segment.definition = definition
        _withdraw(state, segment)
    elif is_pending:
        _describe_pending(segment, definition, number)
    else:
        assert plan is not None
        _build(state, segment, Pending(definition, plan, number))
    return Outcome(state.revision, accepted=1)


def _is_served(segment: Segment, definition: SegmentDefinition) -> bool:
    return segment.root is not None and _means_the_same(definition, segment.definition)


def _is_pending(segment: Segment, definition: SegmentDefinition) -> bool:
    return segment.pending is not None and _means_the_same(definition, segment.pending.definition)


def _withdraw(state: State, segment: Segment) -> None:
    """Ends the build of a segment, if there is one, and gives back what only that used."""
    if segment.pending is not None:
        state.release(segment.pending.plan)
        segment.pending = None


def _describe_pending(segment: Segment, definition: SegmentDefinition, number: int) -> None:
    assert segment.pending is not None
    segment.pending.definition, segment.pending.version = definition, number


def _means_the_same(one: SegmentDefinition, other: SegmentDefinition) -> bool:
    """Whether the same subjects are in both: other edits touch neither the members nor what is latched."""
    return (one.rule, one.universe, one.mode, one.ttl_ms) == (other.rule, other.universe, other.mode, other.ttl_ms)


def _check_update(state: State, payload: UpdateSegment) -> Segment:
    definition = payload.definition
    segment = state.catalog.get(definition.id)
    state.catalog.check_etag(segment, payload.etag)
    state.catalog.check_edited(segment, definition)
    return segment


def validate(state: State, payload: CreateSegment | UpdateSegment) -> None:
    """Raises what `create` or `update` would refuse; changes nothing."""
    definition = payload.definition
    if isinstance(payload, CreateSegment):
        state.catalog.check_new(definition)
        if definition.kind is SegmentKind.FROZEN:
            _frozen_members(state, payload)
    else:
        segment = _check_update(state, payload)
        if _is_served(segment, definition) or _is_pending(segment, definition):
            return
    if definition.kind is SegmentKind.RULE:
        state.release(_compile(state, definition))


def delete(state: State, payload: DeleteSegment) -> Outcome:
    """Deletes a segment that no other uses, ready or not."""
    segment = state.catalog.get(payload.id)
    state.catalog.check_etag(segment, payload.etag)
    state.catalog.check_unused(payload.id)
    state.catalog.remove(segment)
    _end_latch(state, segment.latch)
    _withdraw(state, segment)
    state.release(segment.plan)
    state.changes.forget(payload.id)
    return Outcome(state.revision, accepted=1)


def activate(state: State, payload: ActivateBuild) -> Outcome:
    """Finishes a build and switches to its definition."""
    segment = state.catalog.get(payload.segment)
    if segment.pending is None:
        raise PreconditionFailed(f"segment {payload.segment!r} is not being built", segment=payload.segment)
    for name in segment.pending.plan.segments:
        state.catalog.ready(name)
    _activate(state, segment)
    return Outcome(state.revision, accepted=1)


def _activate(state: State, segment: Segment) -> None:
    pending = segment.pending
    assert pending is not None
    state.builds.finish(segment)
    state.cursors.forget_groups()
    state.conditions.discard_flips()
    first = segment.root is None
    above = state.graph.above(segment.root) if segment.root is not None else ([], [])
    before = {root: _members(state, root) for root in above[1]}
    unlatched = segment.latch
    state.catalog.put_to_work(segment, _answer(state, segment, pending))
    state.graph.recompute(above[0])
    replaced, segment.plan, segment.pending = segment.plan, pending.plan, None
    segment.definition = pending.definition
    _announce(state, segment, before, Cause.BACKFILL if first else Cause.EDIT)
    _end_latch(state, unlatched)
    state.release(replaced)


def _answer(state: State, segment: Segment, pending: Pending) -> Ref:
    """Returns what is to answer for a segment; where its members stay, a new latch begins."""
    rule = state.catalog.expression(pending.plan.tree, pending.definition)
    if pending.definition.mode is Mode.LIVE:
        segment.latch = segment.members = None
        return rule
    segment.latch = state.latches.begin(pending.definition, rule)
    segment.members = segment.latch.kept
    return state.latches.answer(segment.latch)


def _end_latch(state: State, latch: Latch | None) -> None:
    if latch is not None:
        state.latches.end(latch)


def _members(state: State, root: Root) -> BitMap:
    subjects = state.identity[root.kind].subjects
    return subjects - root.bits if root.empty else BitMap(root.bits)


def _announce(state: State, segment: Segment, before: dict[Root, BitMap], cause: Cause) -> None:
    """Emits what a swap changed, for the segment and for all that nest it, by comparing whole memberships."""
    assert segment.root is not None
    deltas = {}
    for root, old in (before or {segment.root: BitMap()}).items():
        new = _members(state, root)
        if not state.latches.touch(root, new ^ old):
            deltas[root.name] = Delta(new - old, old - new)
    state.add_phase(cause, deltas)


def change_list(state: State, payload: ChangeList) -> Outcome:
    """Adds, removes or replaces members of a list; adding makes unknown subjects."""
    segment = state.catalog.get(payload.segment)
    if segment.definition.kind is not SegmentKind.LIST or segment.members is None:
        raise WrongSegmentKind(payload.segment, f"{segment.definition.kind.name.lower()} segment", "list")
    kind = segment.definition.subject_kind
    identity = state.identity[kind]
    limit = state.settings.max_list_members
    if len(segment.members.bits) + len(payload.members) > limit and payload.operation is ListOperation.ADD:
        raise LimitExceeded("members", "members of a list", len(segment.members.bits) + len(payload.members), limit)
    if payload.operation is ListOperation.REMOVE:
        named = BitMap(filter(None, (identity.find(identifiers) for identifiers in payload.members)))
        flips = named & segment.members.bits
    else:
        named = _resolved(state, kind, payload)
        flips = named ^ segment.members.bits if payload.operation is ListOperation.SET else named - segment.members.bits
    state.flip_members(segment.members, flips)
    state.end_phase(Cause.MANUAL)
    return Outcome(state.revision, accepted=len(payload.members))


def _resolved(state: State, kind: SubjectKind, payload: ChangeList) -> BitMap:
    resolver = Resolver(state)
    subjects = [resolver.resolve(kind, identifiers) for identifiers in payload.members]
    resolver.settle()
    return bitmap(np.unique(state.canonical(kind, np.array(subjects, np.uint32))))
