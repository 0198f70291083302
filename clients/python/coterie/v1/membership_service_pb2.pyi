import datetime

from coterie.v1 import common_pb2 as _common_pb2
from coterie.v1 import error_reason_pb2 as _error_reason_pb2
from coterie.v1 import segment_service_pb2 as _segment_service_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_MEMBERS: _ClassVar[ExportFormat]
    EXPORT_FORMAT_ROARING: _ClassVar[ExportFormat]

class ChangeCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_CAUSE_UNSPECIFIED: _ClassVar[ChangeCause]
    CHANGE_CAUSE_EVENT: _ClassVar[ChangeCause]
    CHANGE_CAUSE_TIME: _ClassVar[ChangeCause]
    CHANGE_CAUSE_ATTRIBUTE: _ClassVar[ChangeCause]
    CHANGE_CAUSE_BACKFILL: _ClassVar[ChangeCause]
    CHANGE_CAUSE_EDIT: _ClassVar[ChangeCause]
    CHANGE_CAUSE_MERGE: _ClassVar[ChangeCause]
    CHANGE_CAUSE_MANUAL: _ClassVar[ChangeCause]
    CHANGE_CAUSE_DELETE: _ClassVar[ChangeCause]

class ExplanationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPLANATION_KIND_UNSPECIFIED: _ClassVar[ExplanationKind]
    EXPLANATION_KIND_AND: _ClassVar[ExplanationKind]
    EXPLANATION_KIND_OR: _ClassVar[ExplanationKind]
    EXPLANATION_KIND_NOT: _ClassVar[ExplanationKind]
    EXPLANATION_KIND_AT_LEAST: _ClassVar[ExplanationKind]
    EXPLANATION_KIND_LEAF: _ClassVar[ExplanationKind]
    EXPLANATION_KIND_SEGMENT: _ClassVar[ExplanationKind]
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_MEMBERS: ExportFormat
EXPORT_FORMAT_ROARING: ExportFormat
CHANGE_CAUSE_UNSPECIFIED: ChangeCause
CHANGE_CAUSE_EVENT: ChangeCause
CHANGE_CAUSE_TIME: ChangeCause
CHANGE_CAUSE_ATTRIBUTE: ChangeCause
CHANGE_CAUSE_BACKFILL: ChangeCause
CHANGE_CAUSE_EDIT: ChangeCause
CHANGE_CAUSE_MERGE: ChangeCause
CHANGE_CAUSE_MANUAL: ChangeCause
CHANGE_CAUSE_DELETE: ChangeCause
EXPLANATION_KIND_UNSPECIFIED: ExplanationKind
EXPLANATION_KIND_AND: ExplanationKind
EXPLANATION_KIND_OR: ExplanationKind
EXPLANATION_KIND_NOT: ExplanationKind
EXPLANATION_KIND_AT_LEAST: ExplanationKind
EXPLANATION_KIND_LEAF: ExplanationKind
EXPLANATION_KIND_SEGMENT: ExplanationKind

class Membership(_message.Message):
    __slots__ = ("segment", "member")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    segment: str
    member: bool
    def __init__(self, segment: _Optional[str] = ..., member: bool = ...) -> None: ...

class CheckMembershipRequest(_message.Message):
    __slots__ = ("dataset", "subject", "segments", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    subject: _common_pb2.Subject
    segments: _containers.RepeatedScalarFieldContainer[str]
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., subject: _Optional[_Union[_common_pb2.Subject, _Mapping]] = ..., segments: _Optional[_Iterable[str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class CheckMembershipResponse(_message.Message):
    __slots__ = ("revision", "now", "known", "memberships")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIPS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    known: bool
    memberships: _containers.RepeatedCompositeFieldContainer[Membership]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., known: bool = ..., memberships: _Optional[_Iterable[_Union[Membership, _Mapping]]] = ...) -> None: ...

class BatchCheckMembershipRequest(_message.Message):
    __slots__ = ("dataset", "subjects", "user_ids", "segments", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    subjects: _containers.RepeatedCompositeFieldContainer[_common_pb2.Subject]
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    segments: _containers.RepeatedScalarFieldContainer[str]
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., subjects: _Optional[_Iterable[_Union[_common_pb2.Subject, _Mapping]]] = ..., user_ids: _Optional[_Iterable[str]] = ..., segments: _Optional[_Iterable[str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class BatchCheckMembershipResponse(_message.Message):
    __slots__ = ("revision", "now", "members", "known", "refused")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    members: bytes
    known: bytes
    refused: _containers.RepeatedCompositeFieldContainer[_error_reason_pb2.RecordError]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., members: _Optional[bytes] = ..., known: _Optional[bytes] = ..., refused: _Optional[_Iterable[_Union[_error_reason_pb2.RecordError, _Mapping]]] = ...) -> None: ...

class StreamCheckMembershipRequest(_message.Message):
    __slots__ = ("dataset", "subject", "segments", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    subject: _common_pb2.Subject
    segments: _containers.RepeatedScalarFieldContainer[str]
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., subject: _Optional[_Union[_common_pb2.Subject, _Mapping]] = ..., segments: _Optional[_Iterable[str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class StreamCheckMembershipResponse(_message.Message):
    __slots__ = ("revision", "now", "check", "known", "memberships", "error")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIPS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    check: int
    known: bool
    memberships: _containers.RepeatedCompositeFieldContainer[Membership]
    error: _error_reason_pb2.RecordError
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., check: _Optional[int] = ..., known: bool = ..., memberships: _Optional[_Iterable[_Union[Membership, _Mapping]]] = ..., error: _Optional[_Union[_error_reason_pb2.RecordError, _Mapping]] = ...) -> None: ...

class ListSubjectSegmentsRequest(_message.Message):
    __slots__ = ("dataset", "subject", "consistency", "page_size", "page_token")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    subject: _common_pb2.Subject
    consistency: _common_pb2.Consistency
    page_size: int
    page_token: str
    def __init__(self, dataset: _Optional[str] = ..., subject: _Optional[_Union[_common_pb2.Subject, _Mapping]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSubjectSegmentsResponse(_message.Message):
    __slots__ = ("revision", "now", "known", "segments", "next_page_token")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    known: bool
    segments: _containers.RepeatedCompositeFieldContainer[_common_pb2.CurrentSegment]
    next_page_token: str
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., known: bool = ..., segments: _Optional[_Iterable[_Union[_common_pb2.CurrentSegment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class MemberOrder(_message.Message):
    __slots__ = ("attribute", "descending")
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    DESCENDING_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    descending: bool
    def __init__(self, attribute: _Optional[str] = ..., descending: bool = ...) -> None: ...

class ListMembersRequest(_message.Message):
    __slots__ = ("dataset", "expression", "subject_kind", "order", "attributes", "consistency", "page_size", "page_token")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expression: str
    subject_kind: _common_pb2.SubjectKind
    order: MemberOrder
    attributes: _containers.RepeatedScalarFieldContainer[str]
    consistency: _common_pb2.Consistency
    page_size: int
    page_token: str
    def __init__(self, dataset: _Optional[str] = ..., expression: _Optional[str] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., order: _Optional[_Union[MemberOrder, _Mapping]] = ..., attributes: _Optional[_Iterable[str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("identifiers", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.Value, _Mapping]] = ...) -> None: ...
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    identifiers: _containers.RepeatedCompositeFieldContainer[_common_pb2.Identifier]
    attributes: _containers.MessageMap[str, _common_pb2.Value]
    def __init__(self, identifiers: _Optional[_Iterable[_Union[_common_pb2.Identifier, _Mapping]]] = ..., attributes: _Optional[_Mapping[str, _common_pb2.Value]] = ...) -> None: ...

class ListMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "members", "next_page_token", "total_size")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    members: _containers.RepeatedCompositeFieldContainer[Member]
    next_page_token: str
    total_size: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class ExportMembersRequest(_message.Message):
    __slots__ = ("dataset", "expression", "subject_kind", "format", "attributes", "batch_size", "consistency", "cursor")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expression: str
    subject_kind: _common_pb2.SubjectKind
    format: ExportFormat
    attributes: _containers.RepeatedScalarFieldContainer[str]
    batch_size: int
    consistency: _common_pb2.Consistency
    cursor: str
    def __init__(self, dataset: _Optional[str] = ..., expression: _Optional[str] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., format: _Optional[_Union[ExportFormat, str]] = ..., attributes: _Optional[_Iterable[str]] = ..., batch_size: _Optional[int] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ..., cursor: _Optional[str] = ...) -> None: ...

class BitmapPart(_message.Message):
    __slots__ = ("data", "more")
    DATA_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    more: bool
    def __init__(self, data: _Optional[bytes] = ..., more: bool = ...) -> None: ...

class IdDictionary(_message.Message):
    __slots__ = ("ids", "identifiers")
    IDS_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    identifiers: _containers.RepeatedCompositeFieldContainer[_common_pb2.Identifier]
    def __init__(self, ids: _Optional[_Iterable[int]] = ..., identifiers: _Optional[_Iterable[_Union[_common_pb2.Identifier, _Mapping]]] = ...) -> None: ...

class MemberBatch(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ...) -> None: ...

class ExportMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "total_size", "batch", "bitmap", "dictionary", "cursor")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    BITMAP_FIELD_NUMBER: _ClassVar[int]
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    total_size: int
    batch: MemberBatch
    bitmap: BitmapPart
    dictionary: IdDictionary
    cursor: str
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., total_size: _Optional[int] = ..., batch: _Optional[_Union[MemberBatch, _Mapping]] = ..., bitmap: _Optional[_Union[BitmapPart, _Mapping]] = ..., dictionary: _Optional[_Union[IdDictionary, _Mapping]] = ..., cursor: _Optional[str] = ...) -> None: ...

class WatchMembershipRequest(_message.Message):
    __slots__ = ("dataset", "segments", "after", "progress_interval_ms")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segments: _containers.RepeatedScalarFieldContainer[str]
    after: _common_pb2.Revision
    progress_interval_ms: int
    def __init__(self, dataset: _Optional[str] = ..., segments: _Optional[_Iterable[str]] = ..., after: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., progress_interval_ms: _Optional[int] = ...) -> None: ...

class MembershipChange(_message.Message):
    __slots__ = ("revision", "at", "segment", "subject_kind", "cause", "joined", "left")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    at: _timestamp_pb2.Timestamp
    segment: str
    subject_kind: _common_pb2.SubjectKind
    cause: ChangeCause
    joined: _containers.RepeatedCompositeFieldContainer[_common_pb2.Identifier]
    left: _containers.RepeatedCompositeFieldContainer[_common_pb2.Identifier]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., segment: _Optional[str] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., cause: _Optional[_Union[ChangeCause, str]] = ..., joined: _Optional[_Iterable[_Union[_common_pb2.Identifier, _Mapping]]] = ..., left: _Optional[_Iterable[_Union[_common_pb2.Identifier, _Mapping]]] = ...) -> None: ...

class SubjectGone(_message.Message):
    __slots__ = ("revision", "at", "subject_kind", "subject", "survivor")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    at: _timestamp_pb2.Timestamp
    subject_kind: _common_pb2.SubjectKind
    subject: _common_pb2.Identifier
    survivor: _common_pb2.Identifier
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., subject: _Optional[_Union[_common_pb2.Identifier, _Mapping]] = ..., survivor: _Optional[_Union[_common_pb2.Identifier, _Mapping]] = ...) -> None: ...

class WatchProgress(_message.Message):
    __slots__ = ("revision", "now")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ResyncRequired(_message.Message):
    __slots__ = ("revision", "message", "segments")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    message: str
    segments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., message: _Optional[str] = ..., segments: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchMembershipResponse(_message.Message):
    __slots__ = ("change", "progress", "resync_required", "subject_gone")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESYNC_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_GONE_FIELD_NUMBER: _ClassVar[int]
    change: MembershipChange
    progress: WatchProgress
    resync_required: ResyncRequired
    subject_gone: SubjectGone
    def __init__(self, change: _Optional[_Union[MembershipChange, _Mapping]] = ..., progress: _Optional[_Union[WatchProgress, _Mapping]] = ..., resync_required: _Optional[_Union[ResyncRequired, _Mapping]] = ..., subject_gone: _Optional[_Union[SubjectGone, _Mapping]] = ...) -> None: ...

class ExplainMembershipRequest(_message.Message):
    __slots__ = ("dataset", "subject", "segment", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    subject: _common_pb2.Subject
    segment: str
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., subject: _Optional[_Union[_common_pb2.Subject, _Mapping]] = ..., segment: _Optional[str] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("text", "holds", "value", "threshold", "newest_event_time", "next_flip", "children", "kind", "condition", "upper_threshold", "newest_event_type", "newest_event_id", "segment")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    NEWEST_EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_FLIP_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    UPPER_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    NEWEST_EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    NEWEST_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    text: str
    holds: bool
    value: _common_pb2.Value
    threshold: _common_pb2.Value
    newest_event_time: _timestamp_pb2.Timestamp
    next_flip: _timestamp_pb2.Timestamp
    children: _containers.RepeatedCompositeFieldContainer[Explanation]
    kind: ExplanationKind
    condition: str
    upper_threshold: _common_pb2.Value
    newest_event_type: str
    newest_event_id: str
    segment: str
    def __init__(self, text: _Optional[str] = ..., holds: bool = ..., value: _Optional[_Union[_common_pb2.Value, _Mapping]] = ..., threshold: _Optional[_Union[_common_pb2.Value, _Mapping]] = ..., newest_event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_flip: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., children: _Optional[_Iterable[_Union[Explanation, _Mapping]]] = ..., kind: _Optional[_Union[ExplanationKind, str]] = ..., condition: _Optional[str] = ..., upper_threshold: _Optional[_Union[_common_pb2.Value, _Mapping]] = ..., newest_event_type: _Optional[str] = ..., newest_event_id: _Optional[str] = ..., segment: _Optional[str] = ...) -> None: ...

class ExplainMembershipResponse(_message.Message):
    __slots__ = ("revision", "now", "known", "member", "explanation", "next_flip", "looked_until", "universe", "in_universe", "mode")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    NEXT_FLIP_FIELD_NUMBER: _ClassVar[int]
    LOOKED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    IN_UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    known: bool
    member: bool
    explanation: Explanation
    next_flip: _timestamp_pb2.Timestamp
    looked_until: _timestamp_pb2.Timestamp
    universe: _segment_service_pb2.Universe
    in_universe: bool
    mode: _segment_service_pb2.SegmentMode
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., known: bool = ..., member: bool = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ..., next_flip: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., looked_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., universe: _Optional[_Union[_segment_service_pb2.Universe, str]] = ..., in_universe: bool = ..., mode: _Optional[_Union[_segment_service_pb2.SegmentMode, str]] = ...) -> None: ...

class ReplicateSegmentsRequest(_message.Message):
    __slots__ = ("dataset", "segments", "after")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segments: _containers.RepeatedScalarFieldContainer[str]
    after: _common_pb2.Revision
    def __init__(self, dataset: _Optional[str] = ..., segments: _Optional[_Iterable[str]] = ..., after: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ...) -> None: ...

class SegmentBitmap(_message.Message):
    __slots__ = ("segment", "bitmap")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    BITMAP_FIELD_NUMBER: _ClassVar[int]
    segment: str
    bitmap: BitmapPart
    def __init__(self, segment: _Optional[str] = ..., bitmap: _Optional[_Union[BitmapPart, _Mapping]] = ...) -> None: ...

class SegmentDelta(_message.Message):
    __slots__ = ("segment", "joined", "left")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    segment: str
    joined: _containers.RepeatedScalarFieldContainer[int]
    left: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, segment: _Optional[str] = ..., joined: _Optional[_Iterable[int]] = ..., left: _Optional[_Iterable[int]] = ...) -> None: ...

class ReplicateSegmentsResponse(_message.Message):
    __slots__ = ("bitmap", "dictionary", "delta", "progress", "resync_required")
    BITMAP_FIELD_NUMBER: _ClassVar[int]
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESYNC_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    bitmap: SegmentBitmap
    dictionary: IdDictionary
    delta: SegmentDelta
    progress: WatchProgress
    resync_required: ResyncRequired
    def __init__(self, bitmap: _Optional[_Union[SegmentBitmap, _Mapping]] = ..., dictionary: _Optional[_Union[IdDictionary, _Mapping]] = ..., delta: _Optional[_Union[SegmentDelta, _Mapping]] = ..., progress: _Optional[_Union[WatchProgress, _Mapping]] = ..., resync_required: _Optional[_Union[ResyncRequired, _Mapping]] = ...) -> None: ...
