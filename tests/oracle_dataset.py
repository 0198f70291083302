"""The oracle's dataset: what a journal of records says, kept as plain lists and dicts.

Owns which events and attributes there are, which definition of a segment is served. A record
only notes what it says; membership is worked out from everything noted, each time it is asked for.
Invariant: nothing is kept up to date but whom sticky and once segments keep (`oracle_latch`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coterie.index import model
from coterie.index.model import ACCOUNT_ID, Identifier, SubjectKind, kind_of
from coterie.index.rules import ast
from tests import oracle
from tests.oracle_events import Happened
from tests.oracle_latch import Latch, kept_alike
from tests.oracle_moment import Moment
from tests.oracle_rules import named_in, type_error
from tests.oracle_subjects import Subjects
from tests.oracle_visits import VISIT_GAP_MS

FUTURE_MS = 5 * 60_000
REMEMBERED_MS = 24 * 3_600_000
FORGETTING_MS = REMEMBERED_MS // 24


@dataclass
class Segment:
    """One segment: what it serves and what is being built."""

    definition: model.SegmentDefinition
    serving: model.SegmentDefinition | None = None
    pending: model.SegmentDefinition | None = None
    listed: set[int] = field(default_factory=set)
    latch: Latch = field(default_factory=Latch)
    latch_anew: bool = False  # once the pending definition is served


@dataclass
class Expected:
    """What a record must have done, besides changing members."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)  # (index, reason)
    gone: list[tuple[SubjectKind, int, int]] = field(default_factory=list)  # (kind, subject, survivor or 0)
    error: str = ""


class Dataset:
    """Everything a journal said so far. `rule_of` reads the text of a rule."""

    def __init__(self, zone: str, rule_of: Callable[[str], ast.Expression]) -> None:
        self.zone = zone
        self.rule_of = rule_of
        self.visit_gap_ms = VISIT_GAP_MS
        self.now = 0
        self.events: list[Happened] = []
        self.arrivals: dict[str, list[tuple[int, Happened]]] = {}  # event id -> (arrived at, what arrived)
        self.of_kind = {kind: Subjects(kind) for kind in SubjectKind}
        self.segments: dict[str, Segment] = {}
        self._expected = Expected()

    def members(self, segment: str, now: int | None = None) -> set[int]:
        """Returns the members of a segment that has been READY, at `now` (default: now)."""
        served = self.segments[segment].serving
        assert served is not None
        moment = Moment(self, served.subject_kind, self.now if now is None else now)
        return {subject for subject in moment.subjects() if moment.in_segment(subject, segment)}

    # ------------------------------------------------------------ records

    def apply(self, record: model.Record) -> Expected:
        """Notes what the record says and returns what it must have done; `end_record` is to follow."""
        self.now = max(self.now, record.at)
        self._expected = Expected()
        work: dict[type, Callable[..., None]] = {
            model.IngestEvents: self._ingest,
            model.Tick: lambda *_: None,
            model.SetAttributes: self._set_attributes,
            model.MergeSubjects: self._merge_subjects,
            model.DeleteSubject: self._delete_subject,
            model.CreateSegment: self._create,
            model.UpdateSegment: self._update,
            model.DeleteSegment: self._delete_segment,
            model.ChangeList: self._change_list,
            model.ActivateBuild: self._activate,
        }
        work[type(record.payload)](record, record.payload)
        return self._expected

    def end_record(self) -> None:
        """Lets sticky and once segments note who satisfies them now that the record has done all its work."""
        moments = {kind: Moment(self, kind, self.now) for kind in SubjectKind}
        satisfying = {
            name: {subject for subject in moments[kind].subjects() if moments[kind].satisfies(subject, served)}
            for name, segment in self.segments.items()
            if (served := segment.serving) is not None and served.mode is not model.Mode.LIVE
            for kind in (served.subject_kind,)
        }
        for name, true in satisfying.items():
            segment = self.segments[name]
            assert segment.serving is not None
            live = set(self.of_kind[segment.serving.subject_kind].identifiers)
            segment.latch.end_record(segment.serving, true, live, self.now)

    def _ingest(self, record: model.Record, payload: model.IngestEvents) -> None:
        taken = []
        for index, event in enumerate(payload.events):
            time = record.at if event.time is None else event.time
            if time > self.now + FUTURE_MS:
                self._expected.refused.append((index, "EVENT_TIME_IN_FUTURE"))
            elif self._seen(event.event_id, time):
                self._expected.duplicates += 1
            else:
                taken.append(self._take(event, time, (record.revision, index)))
        for happened in taken:
            self._see(happened)

    def _seen(self, event_id: str, time: int) -> bool:
        """By the arrivals of the last 24 hours, or by an event of that time that still is somebody's."""
        return any(
            self.now - at < REMEMBERED_MS or (happened.time == time and self._is_somebodys(happened))
            for at, happened in self.arrivals.get(event_id, ())
        )

    def may_be_forgotten(self, event_id: str, at: int) -> bool:
        """Returns whether nothing is promised of the id: ids are forgotten by the hour, but those of history never."""
        return any(
            REMEMBERED_MS <= at - arrived < REMEMBERED_MS + FORGETTING_MS and not self._is_somebodys(happened)
            for arrived, happened in self.arrivals.get(event_id, ())
        )

    def _is_somebodys(self, happened: Happened) -> bool:
        users, accounts = self.of_kind[SubjectKind.USER], self.of_kind[SubjectKind.ACCOUNT]
        return bool(users.canonical(happened.user) or accounts.canonical(happened.account))

    def _take(self, event: model.Event, time: int, position: tuple[int, int]) -> Happened:
        self._expected.accepted += 1
        user = self.resolve(SubjectKind.USER, event.identifiers)
        names = (Identifier(ACCOUNT_ID, event.account_id),) if event.account_id is not None else ()
        account = self.resolve(SubjectKind.ACCOUNT, names)
        happened = Happened(time, position, user, account, event)
        self.events.append(happened)
        if event.event_id:
            self.arrivals.setdefault(event.event_id, []).append((self.now, happened))
        return happened

    def _see(self, happened: Happened) -> None:
        """Notes what an event's context brings to its subjects, and the account its user is seen with."""
        for kind, subject in ((SubjectKind.USER, happened.user), (SubjectKind.ACCOUNT, happened.account)):
            subjects = self.of_kind[kind]
            brought = {f"current.{name}": value for name, value in happened.event.context.items()}
            if kind is SubjectKind.USER and happened.event.account_id:
                brought[ACCOUNT_ID] = happened.event.account_id
            for name, value in brought.items() if subject else ():
                subjects.see(subjects.canonical(subject), name, happened.time, value)

    def resolve(self, kind: SubjectKind, identifiers: Sequence[Identifier]) -> int:
        """Returns the subject with these identifiers, made if need be."""
        return self.of_kind[kind].resolve(identifiers, lambda absorbed, survivor: self._merge(kind, absorbed, survivor))

    def _set_attributes(self, record: model.Record, payload: model.SetAttributes) -> None:
        for index, update in enumerate(payload.updates):
            subjects = self.of_kind[update.kind]
            wrong = any(
                value is not None and subjects.types.get(name, kind_of(value)) is not kind_of(value)
                for name, value in update.values.items()
            )
            if wrong:
                self._expected.refused.append((index, "TYPE_CONFLICT"))
                continue
            self._expected.accepted += 1
            subject = self.resolve(update.kind, update.identifiers)
            for name, value in update.values.items():
                subjects.set(subject, name, value)

    def _merge_subjects(self, record: model.Record, payload: model.MergeSubjects) -> None:
        subjects = self.of_kind[payload.kind]
        absorbed, survivor = subjects.owner(payload.absorbed), subjects.owner(payload.survivor)
        if absorbed is None or survivor is None:
            self._expected.error = "SUBJECT_NOT_FOUND"
        elif absorbed == survivor:
            self._expected.error = "MERGE_REFUSED"
        else:
            self._merge(payload.kind, absorbed, survivor)

    def _merge(self, kind: SubjectKind, absorbed: int, survivor: int) -> None:
        subjects = self.of_kind[kind]
        subjects.merge(absorbed, survivor)
        for segment in self.segments.values():
            if segment.definition.subject_kind is kind:
                segment.latch.merge(absorbed, survivor)
                if absorbed in segment.listed:
                    segment.listed ^= {absorbed}
                    segment.listed |= {survivor}
        self._expected.gone.append((kind, absorbed, survivor))

    def _delete_subject(self, record: model.Record, payload: model.DeleteSubject) -> None:
        subjects = self.of_kind[payload.kind]
        subject = subjects.owner(payload.identifier)
        if subject is None:
            self._expected.error = "SUBJECT_NOT_FOUND"
            return
        subjects.delete(subject)
        for segment in self.segments.values():
            if segment.definition.subject_kind is payload.kind:
                segment.listed.discard(subject)
        self._expected.gone.append((payload.kind, subject, 0))

    # ------------------------------------------------------------ segments

    def _create(self, record: model.Record, payload: model.CreateSegment) -> None:
        definition = payload.definition
        if definition.id in self.segments:
            self._expected.error = "SEGMENT_EXISTS"
        elif self._has_type_error(definition):
            self._expected.error = "RULE_INVALID"
        elif definition.kind is not model.SegmentKind.RULE:
            listed = self._satisfying(payload.source, definition) if payload.source else set()
            self.segments[definition.id] = Segment(definition, serving=definition, listed=listed)
        else:
            self.segments[definition.id] = Segment(definition, pending=definition)

    def _satisfying(self, source: str, definition: model.SegmentDefinition) -> set[int]:
        moment = Moment(self, definition.subject_kind, self.now)
        return oracle.members(self.rule_of(source), moment)

    def _update(self, record: model.Record, payload: model.UpdateSegment) -> None:
        segment, definition = self.segments[payload.definition.id], payload.definition
        if segment.serving is not None and kept_alike(segment.serving, definition):
            segment.definition = segment.serving = definition  # back to what is served: nothing is being built
            segment.pending, segment.latch_anew = None, False
            return
        alike = segment.pending is not None and kept_alike(segment.pending, definition)
        if not alike and self._has_type_error(definition):
            self._expected.error = "RULE_INVALID"
            return
        segment.latch_anew = True
        segment.definition = segment.pending = definition

    def _has_type_error(self, definition: model.SegmentDefinition) -> bool:
        types = {kind: subjects.types for kind, subjects in self.of_kind.items()}
        rule = self.rule_of(definition.rule) if definition.rule else None
        return type_error(rule, definition.subject_kind, types)

    def _activate(self, record: model.Record, payload: model.ActivateBuild) -> None:
        pending = self.segments[payload.segment].pending
        assert pending is not None
        if any(self.segments[name].serving is None for name in named_in(self.rule_of(pending.rule))):
            self._expected.error = "SEGMENT_BUILDING"
        else:
            self.promote(payload.segment)

    def promote(self, segment_id: str) -> None:
        """Serves the definition that was being built."""
        segment = self.segments[segment_id]
        segment.serving, segment.pending = segment.pending or segment.serving, None
        if segment.latch_anew:
            segment.latch, segment.latch_anew = Latch(), False

    def _delete_segment(self, record: model.Record, payload: model.DeleteSegment) -> None:
        if self.dependents(payload.id):
            self._expected.error = "SEGMENT_IN_USE"
        else:
            del self.segments[payload.id]

    def dependents(self, segment_id: str) -> set[str]:
        """Returns the segments whose served or pending rule names this one."""
        return {
            name
            for name, segment in self.segments.items()
            for definition in (segment.serving, segment.pending)
            if definition is not None and definition.rule and segment_id in named_in(self.rule_of(definition.rule))
        }

    def _change_list(self, record: model.Record, payload: model.ChangeList) -> None:
        segment = self.segments[payload.segment]
        kind = segment.definition.subject_kind
        if payload.operation is model.ListOperation.SET:
            segment.listed.clear()
        for identifiers in payload.members:
            if payload.operation is model.ListOperation.REMOVE:
                segment.listed.discard(self.of_kind[kind].find(identifiers) or 0)
            else:
                segment.listed.add(self.resolve(kind, identifiers))
