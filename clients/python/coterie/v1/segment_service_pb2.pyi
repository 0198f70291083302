import datetime

from coterie.v1 import common_pb2 as _common_pb2
from coterie.v1 import error_reason_pb2 as _error_reason_pb2
from coterie.v1 import rule_pb2 as _rule_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SegmentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_KIND_UNSPECIFIED: _ClassVar[SegmentKind]
    SEGMENT_KIND_RULE: _ClassVar[SegmentKind]
    SEGMENT_KIND_LIST: _ClassVar[SegmentKind]
    SEGMENT_KIND_FROZEN: _ClassVar[SegmentKind]

class SegmentMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_MODE_UNSPECIFIED: _ClassVar[SegmentMode]
    SEGMENT_MODE_LIVE: _ClassVar[SegmentMode]
    SEGMENT_MODE_STICKY: _ClassVar[SegmentMode]
    SEGMENT_MODE_ONCE: _ClassVar[SegmentMode]

class Universe(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNIVERSE_UNSPECIFIED: _ClassVar[Universe]
    UNIVERSE_ALL: _ClassVar[Universe]
    UNIVERSE_KNOWN: _ClassVar[Universe]
    UNIVERSE_ANONYMOUS: _ClassVar[Universe]

class SegmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_STATE_UNSPECIFIED: _ClassVar[SegmentState]
    SEGMENT_STATE_BUILDING: _ClassVar[SegmentState]
    SEGMENT_STATE_READY: _ClassVar[SegmentState]

class SegmentView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_VIEW_UNSPECIFIED: _ClassVar[SegmentView]
    SEGMENT_VIEW_BASIC: _ClassVar[SegmentView]
    SEGMENT_VIEW_FULL: _ClassVar[SegmentView]

class MemberOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBER_OPERATION_UNSPECIFIED: _ClassVar[MemberOperation]
    MEMBER_OPERATION_ADD: _ClassVar[MemberOperation]
    MEMBER_OPERATION_REMOVE: _ClassVar[MemberOperation]
    MEMBER_OPERATION_SET: _ClassVar[MemberOperation]
SEGMENT_KIND_UNSPECIFIED: SegmentKind
SEGMENT_KIND_RULE: SegmentKind
SEGMENT_KIND_LIST: SegmentKind
SEGMENT_KIND_FROZEN: SegmentKind
SEGMENT_MODE_UNSPECIFIED: SegmentMode
SEGMENT_MODE_LIVE: SegmentMode
SEGMENT_MODE_STICKY: SegmentMode
SEGMENT_MODE_ONCE: SegmentMode
UNIVERSE_UNSPECIFIED: Universe
UNIVERSE_ALL: Universe
UNIVERSE_KNOWN: Universe
UNIVERSE_ANONYMOUS: Universe
SEGMENT_STATE_UNSPECIFIED: SegmentState
SEGMENT_STATE_BUILDING: SegmentState
SEGMENT_STATE_READY: SegmentState
SEGMENT_VIEW_UNSPECIFIED: SegmentView
SEGMENT_VIEW_BASIC: SegmentView
SEGMENT_VIEW_FULL: SegmentView
MEMBER_OPERATION_UNSPECIFIED: MemberOperation
MEMBER_OPERATION_ADD: MemberOperation
MEMBER_OPERATION_REMOVE: MemberOperation
MEMBER_OPERATION_SET: MemberOperation

class Segment(_message.Message):
    __slots__ = ("id", "display_name", "description", "labels", "kind", "subject_kind", "rule", "rule_text", "mode", "ttl", "universe", "state", "build_progress", "pending_rule_text", "member_count", "create_time", "update_time", "version", "etag")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    RULE_TEXT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BUILD_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PENDING_RULE_TEXT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: str
    description: str
    labels: _containers.ScalarMap[str, str]
    kind: SegmentKind
    subject_kind: _common_pb2.SubjectKind
    rule: _rule_pb2.Expression
    rule_text: str
    mode: SegmentMode
    ttl: _duration_pb2.Duration
    universe: Universe
    state: SegmentState
    build_progress: float
    pending_rule_text: str
    member_count: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    version: int
    etag: str
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., kind: _Optional[_Union[SegmentKind, str]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., rule: _Optional[_Union[_rule_pb2.Expression, _Mapping]] = ..., rule_text: _Optional[str] = ..., mode: _Optional[_Union[SegmentMode, str]] = ..., ttl: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., universe: _Optional[_Union[Universe, str]] = ..., state: _Optional[_Union[SegmentState, str]] = ..., build_progress: _Optional[float] = ..., pending_rule_text: _Optional[str] = ..., member_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ..., etag: _Optional[str] = ...) -> None: ...

class CreateSegmentRequest(_message.Message):
    __slots__ = ("dataset", "segment", "author", "validate_only", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: Segment
    author: str
    validate_only: bool
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ..., author: _Optional[str] = ..., validate_only: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateSegmentResponse(_message.Message):
    __slots__ = ("revision", "now", "segment")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    segment: Segment
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ...) -> None: ...

class GetSegmentRequest(_message.Message):
    __slots__ = ("dataset", "segment", "view", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    view: SegmentView
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., view: _Optional[_Union[SegmentView, str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class GetSegmentResponse(_message.Message):
    __slots__ = ("revision", "now", "segment")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    segment: Segment
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ...) -> None: ...

class ListSegmentsRequest(_message.Message):
    __slots__ = ("dataset", "view", "labels", "state", "kind", "subject_kind", "consistency", "page_size", "page_token")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATASET_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    view: SegmentView
    labels: _containers.ScalarMap[str, str]
    state: SegmentState
    kind: SegmentKind
    subject_kind: _common_pb2.SubjectKind
    consistency: _common_pb2.Consistency
    page_size: int
    page_token: str
    def __init__(self, dataset: _Optional[str] = ..., view: _Optional[_Union[SegmentView, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., state: _Optional[_Union[SegmentState, str]] = ..., kind: _Optional[_Union[SegmentKind, str]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSegmentsResponse(_message.Message):
    __slots__ = ("revision", "now", "segments", "next_page_token", "total_size")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    next_page_token: str
    total_size: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class UpdateSegmentRequest(_message.Message):
    __slots__ = ("dataset", "segment", "update_mask", "author", "validate_only", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: Segment
    update_mask: _field_mask_pb2.FieldMask
    author: str
    validate_only: bool
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., author: _Optional[str] = ..., validate_only: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateSegmentResponse(_message.Message):
    __slots__ = ("revision", "now", "segment")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    segment: Segment
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ...) -> None: ...

class DeleteSegmentRequest(_message.Message):
    __slots__ = ("dataset", "segment", "etag", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    etag: str
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteSegmentResponse(_message.Message):
    __slots__ = ("revision", "now")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CloneSegmentRequest(_message.Message):
    __slots__ = ("dataset", "segment", "new_segment", "display_name", "author", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    NEW_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    new_segment: str
    display_name: str
    author: str
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., new_segment: _Optional[str] = ..., display_name: _Optional[str] = ..., author: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CloneSegmentResponse(_message.Message):
    __slots__ = ("revision", "now", "segment")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    segment: Segment
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ...) -> None: ...

class FreezeSegmentRequest(_message.Message):
    __slots__ = ("dataset", "expression", "new_segment", "display_name", "description", "labels", "subject_kind", "author", "request_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    NEW_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expression: str
    new_segment: str
    display_name: str
    description: str
    labels: _containers.ScalarMap[str, str]
    subject_kind: _common_pb2.SubjectKind
    author: str
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., expression: _Optional[str] = ..., new_segment: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., author: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class FreezeSegmentResponse(_message.Message):
    __slots__ = ("revision", "now", "segment")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    segment: Segment
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ...) -> None: ...

class SegmentVersion(_message.Message):
    __slots__ = ("version", "create_time", "author", "rule_text", "mode", "ttl", "universe")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    RULE_TEXT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    version: int
    create_time: _timestamp_pb2.Timestamp
    author: str
    rule_text: str
    mode: SegmentMode
    ttl: _duration_pb2.Duration
    universe: Universe
    def __init__(self, version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., rule_text: _Optional[str] = ..., mode: _Optional[_Union[SegmentMode, str]] = ..., ttl: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., universe: _Optional[_Union[Universe, str]] = ...) -> None: ...

class ListSegmentVersionsRequest(_message.Message):
    __slots__ = ("dataset", "segment", "consistency", "page_size", "page_token")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    consistency: _common_pb2.Consistency
    page_size: int
    page_token: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSegmentVersionsResponse(_message.Message):
    __slots__ = ("revision", "now", "versions", "next_page_token")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    versions: _containers.RepeatedCompositeFieldContainer[SegmentVersion]
    next_page_token: str
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., versions: _Optional[_Iterable[_Union[SegmentVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListDependentsRequest(_message.Message):
    __slots__ = ("dataset", "segment", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ListDependentsResponse(_message.Message):
    __slots__ = ("revision", "now", "dependents")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    DEPENDENTS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    dependents: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dependents: _Optional[_Iterable[str]] = ...) -> None: ...

class ParseRuleRequest(_message.Message):
    __slots__ = ("dataset", "text", "rule", "subject_kind", "set_expression")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    SET_EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    text: str
    rule: _rule_pb2.Expression
    subject_kind: _common_pb2.SubjectKind
    set_expression: bool
    def __init__(self, dataset: _Optional[str] = ..., text: _Optional[str] = ..., rule: _Optional[_Union[_rule_pb2.Expression, _Mapping]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., set_expression: bool = ...) -> None: ...

class ParseRuleResponse(_message.Message):
    __slots__ = ("revision", "now", "rule", "text", "segments")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    rule: _rule_pb2.Expression
    text: str
    segments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rule: _Optional[_Union[_rule_pb2.Expression, _Mapping]] = ..., text: _Optional[str] = ..., segments: _Optional[_Iterable[str]] = ...) -> None: ...

class PreviewRuleRequest(_message.Message):
    __slots__ = ("dataset", "text", "rule", "subject_kind", "universe", "sample_size", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    text: str
    rule: _rule_pb2.Expression
    subject_kind: _common_pb2.SubjectKind
    universe: Universe
    sample_size: int
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., text: _Optional[str] = ..., rule: _Optional[_Union[_rule_pb2.Expression, _Mapping]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., universe: _Optional[_Union[Universe, str]] = ..., sample_size: _Optional[int] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class PreviewRuleResponse(_message.Message):
    __slots__ = ("revision", "now", "count", "sample")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    count: int
    sample: _containers.RepeatedCompositeFieldContainer[_common_pb2.Identifier]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ..., sample: _Optional[_Iterable[_Union[_common_pb2.Identifier, _Mapping]]] = ...) -> None: ...

class StreamPreviewRuleRequest(_message.Message):
    __slots__ = ("dataset", "text", "rule", "subject_kind", "universe", "sample_size", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    UNIVERSE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    text: str
    rule: _rule_pb2.Expression
    subject_kind: _common_pb2.SubjectKind
    universe: Universe
    sample_size: int
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., text: _Optional[str] = ..., rule: _Optional[_Union[_rule_pb2.Expression, _Mapping]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., universe: _Optional[_Union[Universe, str]] = ..., sample_size: _Optional[int] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class RuleMatches(_message.Message):
    __slots__ = ("count", "sample")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    count: int
    sample: _containers.RepeatedCompositeFieldContainer[_common_pb2.Identifier]
    def __init__(self, count: _Optional[int] = ..., sample: _Optional[_Iterable[_Union[_common_pb2.Identifier, _Mapping]]] = ...) -> None: ...

class StreamPreviewRuleResponse(_message.Message):
    __slots__ = ("revision", "now", "progress", "matches")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    progress: _common_pb2.ScanProgress
    matches: RuleMatches
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[_common_pb2.ScanProgress, _Mapping]] = ..., matches: _Optional[_Union[RuleMatches, _Mapping]] = ...) -> None: ...

class AddMembersRequest(_message.Message):
    __slots__ = ("dataset", "segment", "members", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    members: _containers.RepeatedCompositeFieldContainer[_common_pb2.Subject]
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., members: _Optional[_Iterable[_Union[_common_pb2.Subject, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class AddMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "added", "member_count")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    added: int
    member_count: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., added: _Optional[int] = ..., member_count: _Optional[int] = ...) -> None: ...

class RemoveMembersRequest(_message.Message):
    __slots__ = ("dataset", "segment", "members", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    members: _containers.RepeatedCompositeFieldContainer[_common_pb2.Subject]
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., members: _Optional[_Iterable[_Union[_common_pb2.Subject, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RemoveMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "removed", "member_count")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    removed: int
    member_count: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., removed: _Optional[int] = ..., member_count: _Optional[int] = ...) -> None: ...

class SetMembersRequest(_message.Message):
    __slots__ = ("dataset", "segment", "members", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    members: _containers.RepeatedCompositeFieldContainer[_common_pb2.Subject]
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., members: _Optional[_Iterable[_Union[_common_pb2.Subject, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "added", "removed", "member_count")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    added: int
    removed: int
    member_count: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., added: _Optional[int] = ..., removed: _Optional[int] = ..., member_count: _Optional[int] = ...) -> None: ...

class ImportMembersRequest(_message.Message):
    __slots__ = ("dataset", "segment", "operation", "members", "ids")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segment: str
    operation: MemberOperation
    members: _containers.RepeatedCompositeFieldContainer[_common_pb2.Subject]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset: _Optional[str] = ..., segment: _Optional[str] = ..., operation: _Optional[_Union[MemberOperation, str]] = ..., members: _Optional[_Iterable[_Union[_common_pb2.Subject, _Mapping]]] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ImportMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "read", "added", "removed", "refused", "member_count")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    read: int
    added: int
    removed: int
    refused: _containers.RepeatedCompositeFieldContainer[_error_reason_pb2.RecordError]
    member_count: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., read: _Optional[int] = ..., added: _Optional[int] = ..., removed: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[_error_reason_pb2.RecordError, _Mapping]]] = ..., member_count: _Optional[int] = ...) -> None: ...
