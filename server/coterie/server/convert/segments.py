"""Segments between their protobuf and engine forms.

Owns the checks of a definition that need no state: names, labels, sizes, which settings go with which kind. What a
rule may say is the engine's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from coterie.index.errors import FieldInvalid, InputError, LimitExceeded
from coterie.index.model import Mode, SegmentDefinition, SegmentKind, SegmentState, SubjectKind, Universe
from coterie.index.segments import Segment, SegmentVersion, check_mode
from coterie.server.config import ServerSettings
from coterie.server.convert.subjects import kind_of
from coterie.server.convert.values import check_text, duration_of, enum_number, milliseconds_of, timestamp_of
from coterie.v1 import common_pb2
from coterie.v1 import segment_service_pb2 as v1

MUTABLE_FIELDS = ("display_name", "description", "labels", "rule", "rule_text", "mode", "ttl", "universe")

SEGMENT_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)

_KINDS = {0: SegmentKind.RULE, **{kind.value: kind for kind in SegmentKind}}
_MODES = {0: Mode.LIVE, **{mode.value: mode for mode in Mode}}
_UNIVERSES = {0: Universe.ALL, **{universe.value: universe for universe in Universe}}
_STATES = {SegmentState.BUILDING: v1.SEGMENT_STATE_BUILDING, SegmentState.READY: v1.SEGMENT_STATE_READY}


def definition_of(message: v1.Segment, rule: str, settings: ServerSettings) -> SegmentDefinition:
    """Returns the definition of a new segment; `rule` is the canonical text of what the message says."""
    kind = _member(_KINDS, message.kind, "segment.kind")
    if kind is SegmentKind.FROZEN:
        raise FieldInvalid("segment.kind", "a frozen segment is made by FreezeSegment")
    definition = SegmentDefinition(
        id=message.id,
        kind=kind,
        subject_kind=kind_of(message.subject_kind, "segment.subject_kind"),
        rule=rule,
        mode=_member(_MODES, message.mode, "segment.mode"),
        ttl_ms=_ttl_of(message),
        universe=_member(_UNIVERSES, message.universe, "segment.universe"),
        display_name=message.display_name,
        description=message.description,
        labels=labels_of(message.labels, "segment.labels", settings),
    )
    return checked(definition, settings)


def frozen_definition(
    message: v1.FreezeSegmentRequest, kind: SubjectKind, settings: ServerSettings
) -> SegmentDefinition:
    """Returns the definition of a frozen segment to be."""
    labels = labels_of(message.labels, "labels", settings)
    definition = SegmentDefinition(
        message.new_segment,
        SegmentKind.FROZEN,
        kind,
        display_name=message.display_name,
        description=message.description,
        labels=labels,
    )
    return checked(definition, settings, path="", id_field="new_segment")


def changed_definition(
    before: SegmentDefinition, message: v1.Segment, fields: set[str], rule: str, settings: ServerSettings
) -> SegmentDefinition:
    """Returns the definition after an edit of the fields named."""
    changes: dict[str, Any] = {}
    if fields & {"rule", "rule_text"}:
        changes["rule"] = rule
    if "mode" in fields:
        changes["mode"] = _member(_MODES, message.mode, "segment.mode")
    if "ttl" in fields:
        changes["ttl_ms"] = _ttl_of(message)
    elif changes.get("mode", Mode.STICKY) is not Mode.STICKY:
        changes["ttl_ms"] = 0  # it goes with the mode that had one
    if "universe" in fields:
        changes["universe"] = _member(_UNIVERSES, message.universe, "segment.universe")
    if "labels" in fields:
        changes["labels"] = labels_of(message.labels, "segment.labels", settings)
    for name in {"display_name", "description"} & fields:
        changes[name] = getattr(message, name)
    return checked(replace(before, **changes), settings)


def checked(
    definition: SegmentDefinition, settings: ServerSettings, path: str = "segment.", id_field: str = "segment.id"
) -> SegmentDefinition:
    """Returns a definition whose parts go together; `path` and `id_field` say how the request names them."""
    if SEGMENT_ID.fullmatch(definition.id) is None:
        raise FieldInvalid(id_field, f"{definition.id[:80]!r} is no segment id; it must match {SEGMENT_ID.pattern}")
    check_text(definition.display_name, f"{path}display_name", "a display name", settings.max_short_text_bytes)
    check_text(definition.description, f"{path}description", "a description", settings.max_description_bytes)
    is_rule = definition.kind is SegmentKind.RULE
    if is_rule and not definition.rule:
        raise FieldInvalid(f"{path}rule_text", "a rule segment needs a rule, as rule or rule_text")
    if not is_rule and definition.rule:
        raise FieldInvalid(f"{path}rule_text", f"a {definition.kind.name.lower()} has no rule")
    if definition.universe is not Universe.ALL and (not is_rule or definition.subject_kind is SubjectKind.ACCOUNT):
        raise FieldInvalid(f"{path}universe", "only a rule about users can be limited to known or anonymous ones")
    _check_mode(definition, settings, path)
    return definition


def _check_mode(definition: SegmentDefinition, settings: ServerSettings, path: str) -> None:
    """Asks the engine, whose names of fields are not the request's."""
    try:
        check_mode(definition, settings.engine)
    except InputError as error:
        error.field = path + {"ttl_ms": "ttl"}.get(error.field, error.field)
        raise


def labels_of(labels: Mapping[str, str], field: str, settings: ServerSettings) -> tuple[tuple[str, str], ...]:
    """Returns labels sorted by key."""
    if len(labels) > settings.max_labels:
        raise LimitExceeded(field, "labels", len(labels), settings.max_labels)
    for key in labels:
        if not key:
            raise FieldInvalid(field, "a label's key must not be empty")
        check_text(key, f'{field}["{key[:63]}"]', "a label's key", settings.max_label_key_bytes)
        check_text(labels[key], f'{field}["{key}"]', "a label's value", settings.max_short_text_bytes)
    return tuple(sorted((key, labels[key]) for key in labels))


def previewed_definition(rule: str, kind: SubjectKind, universe: Universe) -> SegmentDefinition:
    """Returns the definition of a segment that is only tried out."""
    return SegmentDefinition("preview", SegmentKind.RULE, kind, rule, universe=universe)


def universe_of(number: int, kind: SubjectKind, field: str) -> Universe:
    """Returns a universe; only users are known or anonymous."""
    universe: Universe = _member(_UNIVERSES, number, field)
    if universe is not Universe.ALL and kind is SubjectKind.ACCOUNT:
        raise FieldInvalid(field, "only users are known or anonymous")
    return universe


def _ttl_of(message: v1.Segment) -> int:
    ttl = milliseconds_of(message.ttl, "segment.ttl")
    if message.HasField("ttl") and ttl < 1:
        raise FieldInvalid("segment.ttl", "must be longer than nothing")
    return ttl


def _member(members: Mapping[int, Any], number: int, field: str) -> Any:
    member = members.get(number)
    if member is None:
        raise FieldInvalid(field, f"{number} is no value of this enum")
    return member


def write_segment(segment: Segment, size: int | None, target: v1.Segment) -> None:
    """Writes a segment without its tree; `size` is None while it never was ready."""
    definition, newest = segment.definition, segment.newest
    target.id = segment.id
    target.display_name = newest.display_name or segment.id
    target.description = newest.description
    target.labels.update(dict(newest.labels))
    target.kind = enum_number(definition.kind)
    target.subject_kind = enum_number(definition.subject_kind)
    target.rule_text = definition.rule
    target.mode = enum_number(definition.mode)
    if definition.ttl_ms:
        target.ttl.CopyFrom(duration_of(definition.ttl_ms))
    target.universe = enum_number(definition.universe)
    target.state = _STATES[segment.state]
    if segment.pending is not None:
        target.build_progress = segment.progress
        if segment.state is SegmentState.READY:
            target.pending_rule_text = segment.pending.definition.rule
    if size is not None:
        target.member_count = size
    target.create_time.CopyFrom(timestamp_of(segment.created_at))
    target.update_time.CopyFrom(timestamp_of(segment.updated_at))
    target.version = segment.version
    target.etag = segment.etag


def check_filters(request: v1.ListSegmentsRequest) -> None:
    """Refuses a filter that is no value of its enum."""
    for field, enum in (
        ("view", v1.SegmentView),
        ("state", v1.SegmentState),
        ("kind", v1.SegmentKind),
        ("subject_kind", common_pb2.SubjectKind),
    ):
        if getattr(request, field) not in enum.values():
            raise FieldInvalid(field, f"{getattr(request, field)} is no value of this enum")


def matches(segment: Segment, request: v1.ListSegmentsRequest) -> bool:
    """Says whether a segment is among those asked for."""
    definition = segment.definition
    labels = dict(segment.newest.labels)
    return (
        all(labels.get(key) == value for key, value in request.labels.items())
        and request.state in (v1.SEGMENT_STATE_UNSPECIFIED, _STATES[segment.state])
        and request.kind in (v1.SEGMENT_KIND_UNSPECIFIED, definition.kind.value)
        and request.subject_kind in (common_pb2.SUBJECT_KIND_UNSPECIFIED, definition.subject_kind.value)
    )


def write_version(version: SegmentVersion, target: v1.SegmentVersion) -> None:
    """Writes one version."""
    definition = version.definition
    target.version = version.number
    target.create_time.CopyFrom(timestamp_of(version.at))
    target.author = version.author
    target.rule_text = definition.rule
    target.mode = enum_number(definition.mode)
    if definition.ttl_ms:
        target.ttl.CopyFrom(duration_of(definition.ttl_ms))
    target.universe = enum_number(definition.universe)
