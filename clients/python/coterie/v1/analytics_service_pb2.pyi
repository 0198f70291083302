import datetime

from coterie.v1 import common_pb2 as _common_pb2
from coterie.v1 import rule_pb2 as _rule_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Baseline(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BASELINE_UNSPECIFIED: _ClassVar[Baseline]
    BASELINE_EVERYONE: _ClassVar[Baseline]
    BASELINE_COMPLEMENT: _ClassVar[Baseline]

class MembershipTime(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBERSHIP_TIME_UNSPECIFIED: _ClassVar[MembershipTime]
    MEMBERSHIP_TIME_AT_END: _ClassVar[MembershipTime]
    MEMBERSHIP_TIME_NOW: _ClassVar[MembershipTime]
    MEMBERSHIP_TIME_AT_EVENT: _ClassVar[MembershipTime]

class TimeBucket(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_BUCKET_UNSPECIFIED: _ClassVar[TimeBucket]
    TIME_BUCKET_HOUR: _ClassVar[TimeBucket]
    TIME_BUCKET_DAY: _ClassVar[TimeBucket]
    TIME_BUCKET_WEEK: _ClassVar[TimeBucket]
    TIME_BUCKET_MONTH: _ClassVar[TimeBucket]
BASELINE_UNSPECIFIED: Baseline
BASELINE_EVERYONE: Baseline
BASELINE_COMPLEMENT: Baseline
MEMBERSHIP_TIME_UNSPECIFIED: MembershipTime
MEMBERSHIP_TIME_AT_END: MembershipTime
MEMBERSHIP_TIME_NOW: MembershipTime
MEMBERSHIP_TIME_AT_EVENT: MembershipTime
TIME_BUCKET_UNSPECIFIED: TimeBucket
TIME_BUCKET_HOUR: TimeBucket
TIME_BUCKET_DAY: TimeBucket
TIME_BUCKET_WEEK: TimeBucket
TIME_BUCKET_MONTH: TimeBucket

class CountMembersRequest(_message.Message):
    __slots__ = ("dataset", "expressions", "subject_kind", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expressions: _containers.RepeatedScalarFieldContainer[str]
    subject_kind: _common_pb2.SubjectKind
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., expressions: _Optional[_Iterable[str]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class MemberCount(_message.Message):
    __slots__ = ("expression", "count")
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    expression: str
    count: int
    def __init__(self, expression: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class CountMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "counts")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    counts: _containers.RepeatedCompositeFieldContainer[MemberCount]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., counts: _Optional[_Iterable[_Union[MemberCount, _Mapping]]] = ...) -> None: ...

class StreamCountMembersRequest(_message.Message):
    __slots__ = ("dataset", "expressions", "subject_kind", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expressions: _containers.RepeatedScalarFieldContainer[str]
    subject_kind: _common_pb2.SubjectKind
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., expressions: _Optional[_Iterable[str]] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class MemberCounts(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedCompositeFieldContainer[MemberCount]
    def __init__(self, counts: _Optional[_Iterable[_Union[MemberCount, _Mapping]]] = ...) -> None: ...

class StreamCountMembersResponse(_message.Message):
    __slots__ = ("revision", "now", "progress", "answer")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    progress: _common_pb2.ScanProgress
    answer: MemberCounts
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[_common_pb2.ScanProgress, _Mapping]] = ..., answer: _Optional[_Union[MemberCounts, _Mapping]] = ...) -> None: ...

class GetOverlapRequest(_message.Message):
    __slots__ = ("dataset", "expressions", "within", "max_intersections", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    MAX_INTERSECTIONS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expressions: _containers.RepeatedScalarFieldContainer[str]
    within: str
    max_intersections: int
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., expressions: _Optional[_Iterable[str]] = ..., within: _Optional[str] = ..., max_intersections: _Optional[int] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ExclusiveIntersection(_message.Message):
    __slots__ = ("expressions", "count")
    EXPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    expressions: _containers.RepeatedScalarFieldContainer[str]
    count: int
    def __init__(self, expressions: _Optional[_Iterable[str]] = ..., count: _Optional[int] = ...) -> None: ...

class PairOverlap(_message.Message):
    __slots__ = ("left", "right", "both", "either", "jaccard")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    BOTH_FIELD_NUMBER: _ClassVar[int]
    EITHER_FIELD_NUMBER: _ClassVar[int]
    JACCARD_FIELD_NUMBER: _ClassVar[int]
    left: str
    right: str
    both: int
    either: int
    jaccard: float
    def __init__(self, left: _Optional[str] = ..., right: _Optional[str] = ..., both: _Optional[int] = ..., either: _Optional[int] = ..., jaccard: _Optional[float] = ...) -> None: ...

class GetOverlapResponse(_message.Message):
    __slots__ = ("revision", "now", "sizes", "pairs", "intersections")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    INTERSECTIONS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    sizes: _containers.RepeatedCompositeFieldContainer[MemberCount]
    pairs: _containers.RepeatedCompositeFieldContainer[PairOverlap]
    intersections: _containers.RepeatedCompositeFieldContainer[ExclusiveIntersection]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sizes: _Optional[_Iterable[_Union[MemberCount, _Mapping]]] = ..., pairs: _Optional[_Iterable[_Union[PairOverlap, _Mapping]]] = ..., intersections: _Optional[_Iterable[_Union[ExclusiveIntersection, _Mapping]]] = ...) -> None: ...

class DayRange(_message.Message):
    __slots__ = ("to", "zone")
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    to: str
    zone: str
    def __init__(self, to: _Optional[str] = ..., zone: _Optional[str] = ..., **kwargs) -> None: ...

class NamedMeasure(_message.Message):
    __slots__ = ("name", "measure")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    measure: _rule_pb2.Measure
    def __init__(self, name: _Optional[str] = ..., measure: _Optional[_Union[_rule_pb2.Measure, _Mapping]] = ...) -> None: ...

class CompareEngagementRequest(_message.Message):
    __slots__ = ("dataset", "expressions", "days", "goal", "revenue", "revenue_property", "measures", "baseline", "membership", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    REVENUE_PROPERTY_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expressions: _containers.RepeatedScalarFieldContainer[str]
    days: DayRange
    goal: _rule_pb2.Events
    revenue: _rule_pb2.Events
    revenue_property: str
    measures: _containers.RepeatedCompositeFieldContainer[NamedMeasure]
    baseline: Baseline
    membership: MembershipTime
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., expressions: _Optional[_Iterable[str]] = ..., days: _Optional[_Union[DayRange, _Mapping]] = ..., goal: _Optional[_Union[_rule_pb2.Events, _Mapping]] = ..., revenue: _Optional[_Union[_rule_pb2.Events, _Mapping]] = ..., revenue_property: _Optional[str] = ..., measures: _Optional[_Iterable[_Union[NamedMeasure, _Mapping]]] = ..., baseline: _Optional[_Union[Baseline, str]] = ..., membership: _Optional[_Union[MembershipTime, str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class Figure(_message.Message):
    __slots__ = ("name", "value", "baseline", "lift", "lower", "upper", "p_value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    LIFT_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    baseline: float
    lift: float
    lower: float
    upper: float
    p_value: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., baseline: _Optional[float] = ..., lift: _Optional[float] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ..., p_value: _Optional[float] = ...) -> None: ...

class EngagementRow(_message.Message):
    __slots__ = ("expression", "figures")
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    expression: str
    figures: _containers.RepeatedCompositeFieldContainer[Figure]
    def __init__(self, expression: _Optional[str] = ..., figures: _Optional[_Iterable[_Union[Figure, _Mapping]]] = ...) -> None: ...

class CompareEngagementResponse(_message.Message):
    __slots__ = ("revision", "now", "rows", "membership")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    rows: _containers.RepeatedCompositeFieldContainer[EngagementRow]
    membership: MembershipTime
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rows: _Optional[_Iterable[_Union[EngagementRow, _Mapping]]] = ..., membership: _Optional[_Union[MembershipTime, str]] = ...) -> None: ...

class GetTrendRequest(_message.Message):
    __slots__ = ("dataset", "segments", "bucket", "start_time", "end_time", "zone", "consistency", "reconstruct")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCT_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    segments: _containers.RepeatedScalarFieldContainer[str]
    bucket: TimeBucket
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    zone: str
    consistency: _common_pb2.Consistency
    reconstruct: bool
    def __init__(self, dataset: _Optional[str] = ..., segments: _Optional[_Iterable[str]] = ..., bucket: _Optional[_Union[TimeBucket, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., zone: _Optional[str] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ..., reconstruct: bool = ...) -> None: ...

class TrendPoint(_message.Message):
    __slots__ = ("start_time", "size", "joined", "left", "reconstructed")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTED_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    size: int
    joined: int
    left: int
    reconstructed: bool
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., size: _Optional[int] = ..., joined: _Optional[int] = ..., left: _Optional[int] = ..., reconstructed: bool = ...) -> None: ...

class Trend(_message.Message):
    __slots__ = ("segment", "points", "reconstructed_from", "not_reconstructed")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTED_FROM_FIELD_NUMBER: _ClassVar[int]
    NOT_RECONSTRUCTED_FIELD_NUMBER: _ClassVar[int]
    segment: str
    points: _containers.RepeatedCompositeFieldContainer[TrendPoint]
    reconstructed_from: _timestamp_pb2.Timestamp
    not_reconstructed: str
    def __init__(self, segment: _Optional[str] = ..., points: _Optional[_Iterable[_Union[TrendPoint, _Mapping]]] = ..., reconstructed_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., not_reconstructed: _Optional[str] = ...) -> None: ...

class GetTrendResponse(_message.Message):
    __slots__ = ("revision", "now", "trends", "zone")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    TRENDS_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    trends: _containers.RepeatedCompositeFieldContainer[Trend]
    zone: str
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trends: _Optional[_Iterable[_Union[Trend, _Mapping]]] = ..., zone: _Optional[str] = ...) -> None: ...

class GetSegmentStatsRequest(_message.Message):
    __slots__ = ("dataset", "expression", "subject_kind", "channels", "attributes", "top", "sample_size", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    expression: str
    subject_kind: _common_pb2.SubjectKind
    channels: _containers.RepeatedScalarFieldContainer[str]
    attributes: _containers.RepeatedScalarFieldContainer[str]
    top: int
    sample_size: int
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., expression: _Optional[str] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., channels: _Optional[_Iterable[str]] = ..., attributes: _Optional[_Iterable[str]] = ..., top: _Optional[int] = ..., sample_size: _Optional[int] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ChannelReach(_message.Message):
    __slots__ = ("channel", "count")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    channel: str
    count: int
    def __init__(self, channel: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class ValueShare(_message.Message):
    __slots__ = ("value", "members", "everyone", "index")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    EVERYONE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    value: _common_pb2.Value
    members: int
    everyone: int
    index: float
    def __init__(self, value: _Optional[_Union[_common_pb2.Value, _Mapping]] = ..., members: _Optional[int] = ..., everyone: _Optional[int] = ..., index: _Optional[float] = ...) -> None: ...

class AttributeProfile(_message.Message):
    __slots__ = ("attribute", "present", "values")
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    present: int
    values: _containers.RepeatedCompositeFieldContainer[ValueShare]
    def __init__(self, attribute: _Optional[str] = ..., present: _Optional[int] = ..., values: _Optional[_Iterable[_Union[ValueShare, _Mapping]]] = ...) -> None: ...

class GetSegmentStatsResponse(_message.Message):
    __slots__ = ("revision", "now", "size", "everyone", "reach", "attributes", "sample")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    EVERYONE_FIELD_NUMBER: _ClassVar[int]
    REACH_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    size: int
    everyone: int
    reach: _containers.RepeatedCompositeFieldContainer[ChannelReach]
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeProfile]
    sample: _containers.RepeatedCompositeFieldContainer[_common_pb2.Identifier]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., size: _Optional[int] = ..., everyone: _Optional[int] = ..., reach: _Optional[_Iterable[_Union[ChannelReach, _Mapping]]] = ..., attributes: _Optional[_Iterable[_Union[AttributeProfile, _Mapping]]] = ..., sample: _Optional[_Iterable[_Union[_common_pb2.Identifier, _Mapping]]] = ...) -> None: ...

class RunFunnelRequest(_message.Message):
    __slots__ = ("dataset", "steps", "within", "days", "expression", "group_by", "subject_kind", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    steps: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Events]
    within: _duration_pb2.Duration
    days: DayRange
    expression: str
    group_by: str
    subject_kind: _common_pb2.SubjectKind
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[_rule_pb2.Events, _Mapping]]] = ..., within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., days: _Optional[_Union[DayRange, _Mapping]] = ..., expression: _Optional[str] = ..., group_by: _Optional[str] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class FunnelStep(_message.Message):
    __slots__ = ("subjects", "share", "median_time")
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_TIME_FIELD_NUMBER: _ClassVar[int]
    subjects: int
    share: float
    median_time: _duration_pb2.Duration
    def __init__(self, subjects: _Optional[int] = ..., share: _Optional[float] = ..., median_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class FunnelGroup(_message.Message):
    __slots__ = ("value", "steps")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    value: _common_pb2.Value
    steps: _containers.RepeatedCompositeFieldContainer[FunnelStep]
    def __init__(self, value: _Optional[_Union[_common_pb2.Value, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[FunnelStep, _Mapping]]] = ...) -> None: ...

class RunFunnelResponse(_message.Message):
    __slots__ = ("revision", "now", "groups")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedCompositeFieldContainer[FunnelGroup]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[FunnelGroup, _Mapping]]] = ...) -> None: ...

class GetRetentionRequest(_message.Message):
    __slots__ = ("dataset", "first", "back", "period", "periods", "days", "expression", "subject_kind", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    BACK_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_KIND_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    first: _rule_pb2.Events
    back: _rule_pb2.Events
    period: TimeBucket
    periods: int
    days: DayRange
    expression: str
    subject_kind: _common_pb2.SubjectKind
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., first: _Optional[_Union[_rule_pb2.Events, _Mapping]] = ..., back: _Optional[_Union[_rule_pb2.Events, _Mapping]] = ..., period: _Optional[_Union[TimeBucket, str]] = ..., periods: _Optional[int] = ..., days: _Optional[_Union[DayRange, _Mapping]] = ..., expression: _Optional[str] = ..., subject_kind: _Optional[_Union[_common_pb2.SubjectKind, str]] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class RetentionCohort(_message.Message):
    __slots__ = ("start_time", "size", "returned")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    size: int
    returned: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., size: _Optional[int] = ..., returned: _Optional[_Iterable[int]] = ...) -> None: ...

class GetRetentionResponse(_message.Message):
    __slots__ = ("revision", "now", "cohorts")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    COHORTS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    cohorts: _containers.RepeatedCompositeFieldContainer[RetentionCohort]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cohorts: _Optional[_Iterable[_Union[RetentionCohort, _Mapping]]] = ...) -> None: ...

class CountEventsRequest(_message.Message):
    __slots__ = ("dataset", "events", "bucket", "start_time", "end_time", "zone", "expression", "group_by", "max_groups", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    MAX_GROUPS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    events: _rule_pb2.Events
    bucket: TimeBucket
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    zone: str
    expression: str
    group_by: str
    max_groups: int
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., events: _Optional[_Union[_rule_pb2.Events, _Mapping]] = ..., bucket: _Optional[_Union[TimeBucket, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., zone: _Optional[str] = ..., expression: _Optional[str] = ..., group_by: _Optional[str] = ..., max_groups: _Optional[int] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class EventCount(_message.Message):
    __slots__ = ("start_time", "events", "subjects")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    events: int
    subjects: int
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., events: _Optional[int] = ..., subjects: _Optional[int] = ...) -> None: ...

class EventSeries(_message.Message):
    __slots__ = ("value", "rest", "counts")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    value: _common_pb2.Value
    rest: bool
    counts: _containers.RepeatedCompositeFieldContainer[EventCount]
    def __init__(self, value: _Optional[_Union[_common_pb2.Value, _Mapping]] = ..., rest: bool = ..., counts: _Optional[_Iterable[_Union[EventCount, _Mapping]]] = ...) -> None: ...

class CountEventsResponse(_message.Message):
    __slots__ = ("revision", "now", "series")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    series: _containers.RepeatedCompositeFieldContainer[EventSeries]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., series: _Optional[_Iterable[_Union[EventSeries, _Mapping]]] = ...) -> None: ...
