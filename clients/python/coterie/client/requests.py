"""Builds the request of every call from plain Python values; pure, shared by both clients.

Invariant: a write carries a request id, or events that each have an id, so that it can be sent again safely.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from coterie.client.types import (
    Acknowledged,
    Bucket,
    Event,
    Freshness,
    Mode,
    SegmentKind,
    SubjectKind,
    SubjectLike,
    Universe,
    user,
)
from coterie.client.values import Value, to_message, to_messages, to_timestamp
from coterie.v1 import (
    analytics_service_pb2,
    common_pb2,
    event_service_pb2,
    membership_service_pb2,
    profile_service_pb2,
    segment_service_pb2,
)


def new_request_id() -> str:
    """An id that makes one write recognisable when it is sent again."""
    return uuid.uuid4().hex


# ---------------------------------------------------------------- parts


def revision(token: str) -> common_pb2.Revision:
    """A revision by its token."""
    return common_pb2.Revision(token=token)


def consistency(at_least: Freshness) -> common_pb2.Consistency | None:
    """The requirement to have seen a write; None for none."""
    if at_least is None:
        return None
    token = at_least.revision if isinstance(at_least, Acknowledged) else at_least
    return common_pb2.Consistency(at_least_as_fresh=revision(token))


def subject(of: SubjectLike) -> common_pb2.Subject:
    """A subject; plain text is a user_id."""
    target = user(of) if isinstance(of, str) else of
    return common_pb2.Subject(
        kind=subject_kind(target.kind),
        identifiers=[
            common_pb2.Identifier(namespace=identifier.namespace, value=identifier.value)
            for identifier in target.identifiers
        ],
    )


def subject_kind(kind: SubjectKind) -> str:
    """The name of a kind of subject, as messages take it."""
    return f"SUBJECT_KIND_{kind.upper()}"


def bucket(length: Bucket) -> str:
    """The name of a length of time, as messages take it."""
    return f"TIME_BUCKET_{length.upper()}"


def event(of: Event) -> common_pb2.Event:
    """One event."""
    return common_pb2.Event(
        event_id=of.event_id,
        type=of.type,
        user_id=of.user_id,
        anonymous_id=of.anonymous_id,
        account_id=of.account_id,
        identifiers=[common_pb2.Identifier(namespace=name, value=value) for name, value in of.identifiers.items()],
        time=to_timestamp(of.time, "time") if of.time else None,
        properties=to_messages(of.properties, "properties"),
        context=to_messages(of.context, "context"),
    )


# ---------------------------------------------------------------- events and profiles


def ingest(dataset: str, events: Iterable[Event]) -> event_service_pb2.IngestEventsRequest:
    """A batch of events; a request id is needed only where an event has no id of its own."""
    messages = [event(one) for one in events]
    named = all(message.event_id for message in messages)
    return event_service_pb2.IngestEventsRequest(
        dataset=dataset, events=messages, request_id="" if named else new_request_id()
    )


def attribute_update(of: SubjectLike, attributes: Mapping[str, Value | None]) -> profile_service_pb2.AttributeUpdate:
    """New attribute values of one subject; None removes."""
    values = {
        name: common_pb2.Value() if value is None else to_message(value, f"attributes.{name}")
        for name, value in attributes.items()
    }
    return profile_service_pb2.AttributeUpdate(subject=subject(of), attributes=values)


def set_attributes(
    dataset: str, updates: Iterable[profile_service_pb2.AttributeUpdate]
) -> profile_service_pb2.SetAttributesRequest:
    """A batch of attribute updates."""
    return profile_service_pb2.SetAttributesRequest(dataset=dataset, updates=updates, request_id=new_request_id())


# ---------------------------------------------------------------- segments


def segment(
    segment_id: str,
    *,
    rule: str | None = None,
    kind: SegmentKind | None = None,
    of: SubjectKind | None = None,
    mode: Mode | None = None,
    ttl: timedelta | None = None,
    universe: Universe | None = None,
    display_name: str | None = None,
    description: str | None = None,
    labels: Mapping[str, str] | None = None,
    etag: str = "",
) -> segment_service_pb2.Segment:
    """A segment with only the fields that are given."""
    return segment_service_pb2.Segment(
        id=segment_id,
        etag=etag,
        rule_text=rule,
        display_name=display_name,
        description=description,
        labels=labels,
        kind=f"SEGMENT_KIND_{kind.upper()}" if kind else None,
        subject_kind=subject_kind(of) if of else None,
        mode=f"SEGMENT_MODE_{mode.upper()}" if mode else None,
        universe=f"UNIVERSE_{universe.upper()}" if universe else None,
        ttl=duration(ttl) if ttl is not None else None,
    )


def update_segment(
    dataset: str, changed: segment_service_pb2.Segment, fields: Sequence[str], author: str
) -> segment_service_pb2.UpdateSegmentRequest:
    """An edit of the fields named."""
    request = segment_service_pb2.UpdateSegmentRequest(
        dataset=dataset, segment=changed, author=author, request_id=new_request_id()
    )
    request.update_mask.paths.extend(fields)
    return request


def changed_fields(**given: Any) -> list[str]:
    """The names of the fields of an edit that are given (not None)."""
    return [name for name, value in given.items() if value is not None]


def import_members(
    dataset: str, list_id: str, ids: Iterable[str], operation: str, batch: int = 5_000
) -> Iterable[segment_service_pb2.ImportMembersRequest]:
    """The messages of an import: what is done, then the ids in batches."""
    yield segment_service_pb2.ImportMembersRequest(
        dataset=dataset,
        segment=list_id,
        operation=f"MEMBER_OPERATION_{operation.upper()}",
    )
    gathered: list[str] = []
    for one in ids:
        gathered.append(one)
        if len(gathered) == batch:
            yield segment_service_pb2.ImportMembersRequest(ids=gathered)
            gathered = []
    if gathered:
        yield segment_service_pb2.ImportMembersRequest(ids=gathered)


def preview(
    dataset: str, rule: str, sample: int, of: SubjectKind, universe: Universe
) -> segment_service_pb2.PreviewRuleRequest:
    """Whom a rule would match."""
    return segment_service_pb2.PreviewRuleRequest(**_preview(dataset, rule, sample, of, universe))


def stream_preview(
    dataset: str, rule: str, sample: int, of: SubjectKind, universe: Universe
) -> segment_service_pb2.StreamPreviewRuleRequest:
    """Whom a rule would match, and meanwhile how far the scan is."""
    return segment_service_pb2.StreamPreviewRuleRequest(**_preview(dataset, rule, sample, of, universe))


def _preview(dataset: str, rule: str, sample: int, of: SubjectKind, universe: Universe) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "text": rule,
        "sample_size": sample,
        "subject_kind": subject_kind(of),
        "universe": f"UNIVERSE_{universe.upper()}",
    }


# ---------------------------------------------------------------- members


def batch_check(
    dataset: str, of: Sequence[SubjectLike], segments: Sequence[str], at_least: Freshness
) -> membership_service_pb2.BatchCheckMembershipRequest:
    """Many subjects and segments; plain user_ids travel in the short form."""
    request = membership_service_pb2.BatchCheckMembershipRequest(
        dataset=dataset, segments=segments, consistency=consistency(at_least)
    )
    user_ids = [one for one in of if isinstance(one, str)]
    if len(user_ids) == len(of):
        request.user_ids.extend(user_ids)
    else:
        request.subjects.extend(subjects(of))
    return request


def list_members(
    dataset: str,
    expression: str,
    attributes: Sequence[str],
    order_by: str,
    descending: bool,
    of: SubjectKind,
    at_least: Freshness,
) -> membership_service_pb2.ListMembersRequest:
    """The first page of an expression's members."""
    return membership_service_pb2.ListMembersRequest(
        dataset=dataset,
        expression=expression,
        subject_kind=subject_kind(of),
        order=membership_service_pb2.MemberOrder(attribute=order_by, descending=descending),
        attributes=attributes,
        consistency=consistency(at_least),
    )


def export_members(
    dataset: str, expression: str, attributes: Sequence[str], of: SubjectKind, at_least: Freshness
) -> membership_service_pb2.ExportMembersRequest:
    """All members of an expression."""
    return membership_service_pb2.ExportMembersRequest(
        dataset=dataset,
        expression=expression,
        subject_kind=subject_kind(of),
        attributes=attributes,
        consistency=consistency(at_least),
    )


# ---------------------------------------------------------------- analytics


def counts(
    dataset: str, expressions: Sequence[str], of: SubjectKind, at_least: Freshness = None
) -> analytics_service_pb2.CountMembersRequest:
    """How many members expressions have."""
    return analytics_service_pb2.CountMembersRequest(
        dataset=dataset, expressions=expressions, subject_kind=subject_kind(of), consistency=consistency(at_least)
    )


def stream_counts(
    dataset: str, expressions: Sequence[str], of: SubjectKind, at_least: Freshness = None
) -> analytics_service_pb2.StreamCountMembersRequest:
    """How many members expressions have, and meanwhile how far the scan is."""
    return analytics_service_pb2.StreamCountMembersRequest(
        dataset=dataset, expressions=expressions, subject_kind=subject_kind(of), consistency=consistency(at_least)
    )


def trend(
    dataset: str,
    segments: Sequence[str],
    length: Bucket,
    start: datetime | None,
    end: datetime | None,
    zone: str,
    *,
    reconstruct: bool = False,
    at_least: Freshness = None,
) -> analytics_service_pb2.GetTrendRequest:
    """How segments developed."""
    return analytics_service_pb2.GetTrendRequest(
        dataset=dataset,
        segments=segments,
        bucket=bucket(length),
        start_time=to_timestamp(start, "start") if start else None,
        end_time=to_timestamp(end, "end") if end else None,
        zone=zone,
        reconstruct=reconstruct,
        consistency=consistency(at_least),
    )


def duration(length: timedelta) -> Duration:
    """A duration."""
    message = Duration()
    message.FromTimedelta(length)
    return message


def subjects(of: Iterable[SubjectLike]) -> list[common_pb2.Subject]:
    """Several subjects."""
    return [subject(one) for one in of]
