"""Reads the answers of calls into plain Python values; pure, shared by both clients."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from coterie.client.errors import RecordsRefused
from coterie.client.profiles import (
    CurrentSegment,
    EventTotal,
    ExplainedNode,
    Explanation,
    Member,
    NewestEvent,
    Profile,
    Visit,
)
from coterie.client.types import (
    Acknowledged,
    Event,
    ExplanationKind,
    Identifier,
    Ingested,
    ListChanged,
    Mode,
    ParsedRule,
    Preview,
    Refusal,
    ScanProgress,
    Segment,
    SegmentKind,
    SegmentVersion,
    State,
    SubjectKind,
    Trend,
    TrendPoint,
    Universe,
)
from coterie.client.values import from_message, from_messages, from_timestamp
from coterie.v1 import (
    analytics_service_pb2,
    common_pb2,
    error_reason_pb2,
    event_service_pb2,
    membership_service_pb2,
    profile_service_pb2,
    segment_service_pb2,
)


def enum_name(wrapper: Any, number: int, prefix: str) -> str:
    """The name of an enum's value without its prefix, in lower case; unknown numbers as text."""
    try:
        return str(wrapper.Name(number)).removeprefix(prefix).lower()
    except ValueError:
        return str(number)


def subject_kind(number: int) -> SubjectKind:
    """`user` or `account`."""
    return "account" if number == common_pb2.SUBJECT_KIND_ACCOUNT else "user"


def moment(message: Message, field: str) -> datetime | None:
    """A timestamp field, None where it is not set."""
    return from_timestamp(cast(Timestamp, getattr(message, field))) if message.HasField(field) else None


def identifier(message: common_pb2.Identifier) -> Identifier:
    """One identifier."""
    return Identifier(message.namespace, message.value)


def identifiers(messages: Iterable[common_pb2.Identifier]) -> tuple[Identifier, ...]:
    """Several identifiers."""
    return tuple(identifier(message) for message in messages)


# ---------------------------------------------------------------- writes


def refusals(messages: Iterable[error_reason_pb2.RecordError]) -> tuple[Refusal, ...]:
    """The records that were not taken."""
    return tuple(
        Refusal(
            message.index,
            error_reason_pb2.ErrorReason.Name(message.reason).removeprefix("ERROR_REASON_"),
            message.field,
            message.message,
        )
        for message in messages
    )


def ingested(
    message: event_service_pb2.IngestEventsResponse
    | event_service_pb2.StreamEventsResponse
    | profile_service_pb2.SetAttributesResponse,
) -> Ingested:
    """What became of a batch of records."""
    return Ingested(
        revision=message.revision.token,
        now=from_timestamp(message.now),
        accepted=message.accepted,
        duplicates=0 if isinstance(message, profile_service_pb2.SetAttributesResponse) else message.duplicates,
        refused=refusals(message.refused),
    )


def acknowledged(
    message: profile_service_pb2.DeleteSubjectResponse | segment_service_pb2.DeleteSegmentResponse,
) -> Acknowledged:
    """A write that is applied."""
    return Acknowledged(message.revision.token, from_timestamp(message.now))


def all_taken(result: Ingested, *, partial: bool) -> Ingested:
    """The result itself; where records were refused and `partial` is not allowed, RecordsRefused."""
    if result.refused and not partial:
        first = result.refused[0]
        raise RecordsRefused(
            f"{len(result.refused)} of the records were refused, the others taken; {first.field}: {first.message}",
            result=result,
            reason=first.reason,
            field=first.field,
        )
    return result


def list_changed(
    message: segment_service_pb2.AddMembersResponse
    | segment_service_pb2.RemoveMembersResponse
    | segment_service_pb2.SetMembersResponse
    | segment_service_pb2.ImportMembersResponse,
) -> ListChanged:
    """What became of a change of a list."""
    return ListChanged(
        revision=message.revision.token,
        now=from_timestamp(message.now),
        added=0 if isinstance(message, segment_service_pb2.RemoveMembersResponse) else message.added,
        removed=0 if isinstance(message, segment_service_pb2.AddMembersResponse) else message.removed,
        member_count=message.member_count,
    )


# ---------------------------------------------------------------- segments


def segment(message: segment_service_pb2.Segment) -> Segment:
    """A segment."""
    return Segment(
        id=message.id,
        kind=cast(SegmentKind, enum_name(segment_service_pb2.SegmentKind, message.kind, "SEGMENT_KIND_")),
        subject_kind=subject_kind(message.subject_kind),
        rule=message.rule_text,
        mode=_mode(message.mode),
        ttl=message.ttl.ToTimedelta() if message.HasField("ttl") else None,
        universe=_universe(message.universe),
        display_name=message.display_name,
        description=message.description,
        labels=dict(message.labels),
        state=cast(State, enum_name(segment_service_pb2.SegmentState, message.state, "SEGMENT_STATE_")),
        build_progress=message.build_progress if message.HasField("build_progress") else None,
        pending_rule=message.pending_rule_text if message.HasField("pending_rule_text") else None,
        member_count=message.member_count if message.HasField("member_count") else None,
        create_time=from_timestamp(message.create_time),
        update_time=from_timestamp(message.update_time),
        version=message.version,
        etag=message.etag,
    )


def _mode(number: int) -> Mode:
    return cast(Mode, enum_name(segment_service_pb2.SegmentMode, number, "SEGMENT_MODE_"))


def _universe(number: int) -> Universe:
    return cast(Universe, enum_name(segment_service_pb2.Universe, number, "UNIVERSE_"))


def segment_version(message: segment_service_pb2.SegmentVersion) -> SegmentVersion:
    """One edit of a segment."""
    return SegmentVersion(
        version=message.version,
        create_time=from_timestamp(message.create_time),
        author=message.author,
        rule=message.rule_text,
        mode=_mode(message.mode),
        ttl=message.ttl.ToTimedelta() if message.HasField("ttl") else None,
        universe=_universe(message.universe),
    )


def parsed(message: segment_service_pb2.ParseRuleResponse) -> ParsedRule:
    """A rule in its printed form."""
    return ParsedRule(message.text, tuple(message.segments))


def preview(message: segment_service_pb2.PreviewRuleResponse | segment_service_pb2.RuleMatches) -> Preview:
    """Whom a rule would match."""
    return Preview(message.count, identifiers(message.sample))


# ---------------------------------------------------------------- members and profiles


def bits(packed: bytes, rows: int, columns: int) -> list[list[bool]]:
    """A matrix of packed bits, row by row, the lowest bit of a byte first."""
    return [
        [bool(packed[at >> 3] >> (at & 7) & 1) for at in range(row * columns, (row + 1) * columns)]
        for row in range(rows)
    ]


def member(message: membership_service_pb2.Member) -> Member:
    """One member."""
    return Member(identifiers(message.identifiers), from_messages(message.attributes))


def current_segments(messages: Iterable[common_pb2.CurrentSegment]) -> tuple[CurrentSegment, ...]:
    """The segments a subject is in."""
    return tuple(CurrentSegment(message.segment, moment(message, "since")) for message in messages)


def explanation(message: membership_service_pb2.ExplainMembershipResponse) -> Explanation:
    """Why a subject is in a segment, or is not."""
    return Explanation(
        revision=message.revision.token,
        now=from_timestamp(message.now),
        known=message.known,
        member=message.member,
        next_flip=moment(message, "next_flip"),
        looked_until=moment(message, "looked_until"),
        universe=_universe(message.universe),
        in_universe=message.in_universe,
        mode=_mode(message.mode),
        rule=_explained(message.explanation) if message.HasField("explanation") else None,
    )


def _explained(node: membership_service_pb2.Explanation) -> ExplainedNode:
    kind = enum_name(membership_service_pb2.ExplanationKind, node.kind, "EXPLANATION_KIND_")
    newest = None
    if node.HasField("newest_event_time"):
        newest = NewestEvent(from_timestamp(node.newest_event_time), node.newest_event_type, node.newest_event_id)
    return ExplainedNode(
        kind=cast(ExplanationKind, kind),
        text=node.text,
        holds=node.holds,
        next_flip=moment(node, "next_flip"),
        value=from_message(node.value),
        condition=node.condition,
        threshold=from_message(node.threshold),
        upper_threshold=from_message(node.upper_threshold),
        newest_event=newest,
        segment=node.segment,
        children=tuple(map(_explained, node.children)),
    )


def event(message: common_pb2.Event) -> Event:
    """One event of a timeline."""
    return Event(
        type=message.type,
        user_id=message.user_id,
        anonymous_id=message.anonymous_id,
        account_id=message.account_id,
        time=moment(message, "time"),
        properties=from_messages(message.properties),
        context=from_messages(message.context),
        identifiers={one.namespace: one.value for one in message.identifiers},
        event_id=message.event_id,
    )


def profile(message: profile_service_pb2.GetProfileResponse) -> Profile | None:
    """What is known of a subject; None where nobody has such an identifier."""
    if not message.known:
        return None
    known = message.profile
    return Profile(
        kind=subject_kind(known.kind),
        identifiers=identifiers(known.identifiers),
        attributes=from_messages(known.attributes),
        current=from_messages(known.current),
        segments=current_segments(known.segments),
        totals=tuple(
            EventTotal(total.type, total.count, from_timestamp(total.first_time), from_timestamp(total.last_time))
            for total in known.totals
        ),
        first_seen=moment(known, "first_seen"),
        last_seen=moment(known, "last_seen"),
        last_visit=_visit(known.last_visit) if known.HasField("last_visit") else None,
        timeline=tuple(event(one) for one in message.timeline),
    )


def _visit(message: profile_service_pb2.Visit) -> Visit:
    times = from_timestamp(message.start_time), from_timestamp(message.end_time)
    return Visit(*times, message.events, message.running)


# ---------------------------------------------------------------- analytics


def counts(message: analytics_service_pb2.CountMembersResponse | analytics_service_pb2.MemberCounts) -> list[int]:
    """The counts in the order asked."""
    return [one.count for one in message.counts]


def scan_progress(message: common_pb2.ScanProgress) -> ScanProgress:
    """How far a scan has come."""
    return ScanProgress(message.fraction, message.scanned_events)


def trend(message: analytics_service_pb2.GetTrendResponse) -> dict[str, Trend]:
    """The trend of each segment."""
    return {one.segment: _trend(one) for one in message.trends}


def _trend(message: analytics_service_pb2.Trend) -> Trend:
    points = tuple(
        TrendPoint(from_timestamp(point.start_time), point.size, point.joined, point.left, point.reconstructed)
        for point in message.points
    )
    return Trend(points, moment(message, "reconstructed_from"), message.not_reconstructed)
