"""The engine: a deterministic state machine over journal records.

`apply` is the only mutator; everything else reads. Owns the state of one dataset. Invariant: equal records in
equal order give equal dense ids, bits, revisions and changes, whatever happened between them (snapshots,
restarts, the pace of builds, reads).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from coterie.index import work_events, work_segments, work_subjects
from coterie.index.algebra import count_of, members_of
from coterie.index.builds import BuildStatus
from coterie.index.changes import ChangeLog, TrendPoint
from coterie.index.conditions import bitmap, ids_of
from coterie.index.errors import CoterieError, Origin
from coterie.index.events.blocks import BlockStore
from coterie.index.events.columns import Arrival
from coterie.index.explain import Explanation
from coterie.index.image import parts_of
from coterie.index.model import (
    ActivateBuild,
    ChangeList,
    CreateSegment,
    DeleteSegment,
    DeleteSubject,
    Identifier,
    IngestEvents,
    MergeSubjects,
    Outcome,
    Record,
    SegmentDefinition,
    SetAttributes,
    SubjectKind,
    Tick,
    UpdateSegment,
    Value,
)
from coterie.index.preview import Preview
from coterie.index.reconstruction import Reach, Reconstruction
from coterie.index.reports import Profile, Status, events_of, profile_of, status_of
from coterie.index.rules.ast import Expression
from coterie.index.segments import Segment
from coterie.index.settings import DAY_MS, HOUR_MS, Settings
from coterie.index.state import State
from coterie.index.storage.parts import Lookup, Part
from coterie.index.sweeps import Steps

_EXPIRE_TRENDS_EVERY_MS = HOUR_MS


def _tick(state: State, _payload: Tick) -> Outcome:
    return Outcome(state.revision)


_WORK: dict[type, Callable[[State, Any], Outcome]] = {
    IngestEvents: work_events.ingest,
    Tick: _tick,
    SetAttributes: work_events.set_attributes,
    MergeSubjects: work_subjects.merge,
    DeleteSubject: work_subjects.delete,
    CreateSegment: work_segments.create,
    UpdateSegment: work_segments.update,
    DeleteSegment: work_segments.delete,
    ChangeList: work_segments.change_list,
    ActivateBuild: work_segments.activate,
}


class Engine:
    """One dataset in memory."""

    def __init__(
        self, settings: Settings | None = None, *, lookup: Lookup | None = None, blocks: BlockStore | None = None
    ) -> None:
        self.settings = settings or Settings()
        self._state = State(self.settings, lookup, blocks)
        self._trends_expired_at = 0
        self._parts = parts_of(self._state)

    @property
    def now(self) -> int:
        """The engine's time: the last record's `at`."""
        return self._state.now

    @property
    def revision(self) -> int:
        """The last record's revision."""
        return self._state.revision

    @property
    def changes(self) -> ChangeLog:
        """The change log."""
        return self._state.changes

    # ------------------------------------------------------------ the one mutator

    def apply(self, record: Record) -> Outcome:
        """Moves time to the record's `at`, then does its work.

        Raises a domain error where the record is refused as a whole: time has moved, nothing else has changed.
        """
        state = self._state
        assert record.revision == state.revision + 1, "records are applied in order, without gaps"
        assert record.at >= state.now, "time never goes back"
        below = record.payload.below if type(record.payload) is Tick else None
        if state.sweeps.under_way:
            assert below is not None, "a sweep is finished before anything else is done"
            assert record.at == state.now, "a sweep is of one instant"
        state.builds.complete()
        state.revision = record.revision
        state.advance(record.at, below or 0)
        refused: CoterieError | None = None
        outcome = Outcome(record.revision)
        try:
            outcome = _WORK[type(record.payload)](state, record.payload)
        except CoterieError as error:
            refused = error
        changes = state.end_record()
        if record.at - self._trends_expired_at > _EXPIRE_TRENDS_EVERY_MS:
            self._trends_expired_at = record.at
            state.changes.expire_trends(record.at)
        if refused is not None:
            raise refused
        return replace(outcome, changes=changes)

    # ------------------------------------------------------------ time

    def next_instant(self) -> int | None:
        """Returns the next instant at which time alone may change something, None where nothing waits.

        In the middle of a sweep that is now: the rest of it.
        """
        if self.sweeping:
            return self.now
        return self._state.next_instant()

    def sweep_steps(self, since: int, until: int, rows: int) -> Steps:
        """Returns at which instants in (since, until] to write ticks, so that each passes about `rows` events.

        `since` is the time of the newest record, applied or not. An instant is never cut by time: one in which very
        many lie is told to be crowded, and passed in parts.
        """
        return self._state.sweeps.steps(since, until, rows)

    @property
    def sweeping(self) -> bool:
        """Whether an instant has been passed for some subjects only: nothing but ticks for the others may follow."""
        return self._state.sweeps.under_way

    @property
    def preparing(self) -> bool:
        """Whether a sweep is being prepared or under way: no build goes on, no preview begins."""
        return self._state.sweeps.begun

    def prepare_sweep(self, at: int, rows: int = 8192) -> bool:
        """Prepares the parts of an instant, about `rows` rows a call; returns whether that is done. No record is needed.

        Nothing anyone can ask for changes. Whatever of it is missing when the first part comes is done then.
        """
        self._state.builds.complete()
        return self._state.sweeps.prepare(at, rows)

    def sweep_parts(self, rows: int) -> list[int]:
        """Returns `below` of the ticks that pass the prepared instant in parts of about `rows` rows; the last is 0."""
        return self._state.sweeps.parts(rows)

    # ------------------------------------------------------------ builds

    def builds(self) -> list[BuildStatus]:
        """Returns how far every build has come; a done one waits for its ActivateBuild record."""
        return self._state.builds.status()

    def step_builds(self, rows: int = 8192) -> bool:
        """Scans about `rows` rows of history for the oldest build; returns False where nothing is to be scanned.

        Nor is there during a sweep: a build must find every subject at the same instant.
        """
        return not self.preparing and self._state.builds.step(rows)

    def settle_builds(self) -> bool:
        """Does a piece of an instant a build is in the middle of; returns whether it was in the middle of none.

        Before the next record, sweep or snapshot: what is left then is done at one go.
        """
        return self._state.builds.settle()

    # ------------------------------------------------------------ identity

    def find(self, kind: SubjectKind, identifiers: Sequence[Identifier]) -> int | None:
        """Returns the subject that has these identifiers; never makes one."""
        return self._state.identity[kind].find(identifiers)

    def find_many(self, kind: SubjectKind, identifiers: Sequence[Identifier]) -> NDArray[np.uint32]:
        """Returns whom each of many identifiers names, 0 for nobody; never makes a subject."""
        return self._state.identity[kind].find_many(identifiers)

    def identifier(self, kind: SubjectKind, dense: int) -> Identifier | None:
        """Returns a subject's first identifier, also of one that is gone while the change log names it."""
        return self._state.identity[kind].first_identifier(dense)

    def identifiers(self, kind: SubjectKind, dense: int) -> tuple[Identifier, ...]:
        """Returns all identifiers of a subject."""
        return self._state.identity[kind].identifiers_of(dense)

    def subjects(self, kind: SubjectKind) -> BitMap:
        """Returns all live subjects; must not be changed."""
        return self._state.identity[kind].subjects

    def known(self, kind: SubjectKind) -> BitMap:
        """Returns the live subjects that have a user_id (accounts: an account_id); must not be changed."""
        return self._state.identity[kind].known

    # ------------------------------------------------------------ segments

    def segment(self, segment_id: str) -> Segment:
        """Returns a segment; SegmentNotFound."""
        return self._state.catalog.get(segment_id)

    def validate(self, payload: CreateSegment | UpdateSegment) -> None:
        """Raises what `apply` would refuse the call with; changes nothing."""
        work_segments.validate(self._state, payload)

    def preview(self, *definitions: SegmentDefinition, origins: Sequence[Origin] = ()) -> Preview:
        """Begins to find out who would be in segments with these rules; what `validate` refuses is refused.

        `origins` are where refusals say the rules are, by default `rule`. Not during a sweep: subjects stand at two instants.
        """
        assert not self.preparing, "a preview waits for the sweep"
        return Preview(self._state, zip(origins or [Origin("rule")] * len(definitions), definitions, strict=True))

    def segments(self) -> list[Segment]:
        """Returns all segments, in the order of their creation."""
        return list(self._state.catalog)

    def dependents(self, segment_id: str) -> tuple[str, ...]:
        """Returns the segments that use one; SegmentNotFound."""
        self._state.catalog.get(segment_id)
        return self._state.catalog.dependents(segment_id)

    # ------------------------------------------------------------ membership

    def is_member(self, segment_id: str, dense: int) -> bool:
        """Returns whether a live subject is in a segment; SegmentNotFound, SegmentBuilding."""
        return self._state.is_in(self._state.catalog.ready(segment_id), dense)

    def check(self, kind: SubjectKind, dense: int | None, segment_ids: Iterable[str]) -> list[bool]:
        """Returns whether a subject (None: an unknown one, in nothing) is in each segment."""
        ready = self._state.catalog.ready
        if dense is None or dense not in self._state.identity[kind].subjects:
            return [ready(segment_id) is None for segment_id in segment_ids]  # none is: whoever is gone is in nothing
        answers = []
        for segment_id in segment_ids:
            root = ready(segment_id)
            ref = root.ref  # read here rather than by properties: this is the hottest path there is
            source = ref.source
            answers.append((dense in source.bits) != (source.empty != ref.negated) and root.kind is kind)
        return answers

    def check_many(
        self, kind: SubjectKind, dense_ids: NDArray[np.uint32], segment_ids: Sequence[str]
    ) -> NDArray[np.bool_]:
        """Returns, as bool[len(dense_ids), len(segment_ids)], which live subjects are in what; id 0 is in nothing."""
        answers = np.zeros((len(dense_ids), len(segment_ids)), np.bool_)
        subjects, rows = np.unique(dense_ids, return_inverse=True)
        asked = bitmap(subjects)
        for column, segment_id in enumerate(segment_ids):
            root = self._state.catalog.ready(segment_id)
            if root.kind is kind:
                held = np.zeros(len(subjects), np.bool_)
                held[np.searchsorted(subjects, ids_of(asked & root.bits))] = True
                answers[:, column] = (held != root.empty)[rows]
        answers[dense_ids == 0] = False
        return answers

    def explain(self, kind: SubjectKind, identifiers: Sequence[Identifier], segment_id: str) -> Explanation:
        """Begins to find out why a subject is in a segment; SegmentNotFound, SegmentBuilding, WrongSegmentKind."""
        return Explanation(self._state, kind, identifiers, segment_id)

    def segments_of(self, kind: SubjectKind, dense: int) -> list[str]:
        """Returns the ready segments a live subject is in."""
        return self._state.segments_of(kind, dense)

    def since(self, segment_id: str, dense: int) -> int | None:
        """Returns since when a member is one, None where that lies beyond the change log."""
        return self._state.changes.since_when(segment_id, dense)

    def members(self, expression: Expression, kind: SubjectKind = SubjectKind.USER) -> BitMap:
        """Returns the members of a set expression, to read only; RuleUnsupported for leaves that are no sets."""
        return members_of(self._state, expression, kind)

    def count(self, expression: Expression, kind: SubjectKind = SubjectKind.USER) -> int:
        """Returns how many members a set expression has."""
        return count_of(self._state, expression, kind)

    def size(self, segment_id: str) -> int:
        """Returns how many members a segment has; SegmentNotFound, SegmentBuilding."""
        return self._state.size(self._state.catalog.ready(segment_id))

    def trend(self, segment_id: str, bucket: str, start: int, end: int) -> list[TrendPoint]:
        """Returns size, joins and leaves per 'hour' or 'day' (UTC)."""
        segment = self._state.catalog.get(segment_id)
        bucket_ms = {"hour": HOUR_MS, "day": DAY_MS}[bucket]
        return self._state.changes.trend(segment_id, bucket_ms, start, end, segment.created_at)

    def reconstruct(self, segment_id: str, edges: Sequence[int], reach: Reach, rows: int = 8192) -> Reconstruction:
        """Begins to work out the buckets between edges that lie before a segment's creation; SegmentNotFound."""
        return Reconstruction(self._state, segment_id, edges, reach, rows)

    # ------------------------------------------------------------ profiles, status

    def profile(self, kind: SubjectKind, dense: int) -> Profile:
        """Returns everything known of a live subject."""
        return profile_of(self._state, kind, dense)

    def events_of(self, kind: SubjectKind, dense: int, before: tuple[int, int] | None, limit: int) -> Sequence[Arrival]:
        """Returns a subject's events, newest first, older than `before` (time, sequence)."""
        return events_of(self._state, kind, dense, before, limit)

    def attributes(self, kind: SubjectKind, dense: int) -> dict[str, Value]:
        """Returns all attributes of a subject, `current.*` among them."""
        return self._state.attributes[kind].get(dense)

    def attribute_values(self, kind: SubjectKind, name: str, ids: NDArray[np.uint32]) -> list[Value | None]:
        """Returns one attribute of chosen subjects."""
        return self._state.attributes[kind].view(name, ids).values()

    def status(self) -> Status:
        """Returns how large everything is."""
        return status_of(self._state)

    def snapshot_parts(self) -> dict[str, Part]:
        """Returns the parts of the state, in the order in which they must be loaded, for a snapshot that begins now.

        Not in the middle of a sweep.
        """
        assert not self.sweeping, "a snapshot shows no half of a sweep"
        self._state.builds.complete()
        return self._parts
