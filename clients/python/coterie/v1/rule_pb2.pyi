import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompareOp(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARE_OP_UNSPECIFIED: _ClassVar[CompareOp]
    COMPARE_OP_EQ: _ClassVar[CompareOp]
    COMPARE_OP_NE: _ClassVar[CompareOp]
    COMPARE_OP_LT: _ClassVar[CompareOp]
    COMPARE_OP_LE: _ClassVar[CompareOp]
    COMPARE_OP_GT: _ClassVar[CompareOp]
    COMPARE_OP_GE: _ClassVar[CompareOp]

class TextOp(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_OP_UNSPECIFIED: _ClassVar[TextOp]
    TEXT_OP_CONTAINS: _ClassVar[TextOp]
    TEXT_OP_STARTS_WITH: _ClassVar[TextOp]
    TEXT_OP_ENDS_WITH: _ClassVar[TextOp]
    TEXT_OP_MATCHES: _ClassVar[TextOp]

class AgeRelation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGE_RELATION_UNSPECIFIED: _ClassVar[AgeRelation]
    AGE_RELATION_MORE_THAN_AGO: _ClassVar[AgeRelation]
    AGE_RELATION_WITHIN_LAST: _ClassVar[AgeRelation]
    AGE_RELATION_WITHIN_NEXT: _ClassVar[AgeRelation]
    AGE_RELATION_MORE_THAN_FROM_NOW: _ClassVar[AgeRelation]

class EventTimePart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_TIME_PART_UNSPECIFIED: _ClassVar[EventTimePart]
    EVENT_TIME_PART_HOUR: _ClassVar[EventTimePart]
    EVENT_TIME_PART_WEEKDAY: _ClassVar[EventTimePart]
    EVENT_TIME_PART_DATE: _ClassVar[EventTimePart]

class CalendarUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALENDAR_UNIT_UNSPECIFIED: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_DAY: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_WEEK: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_MONTH: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_YEAR: _ClassVar[CalendarUnit]

class Aggregate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATE_UNSPECIFIED: _ClassVar[Aggregate]
    AGGREGATE_COUNT: _ClassVar[Aggregate]
    AGGREGATE_SUM: _ClassVar[Aggregate]
    AGGREGATE_AVG: _ClassVar[Aggregate]
    AGGREGATE_MIN: _ClassVar[Aggregate]
    AGGREGATE_MAX: _ClassVar[Aggregate]
    AGGREGATE_DISTINCT: _ClassVar[Aggregate]
    AGGREGATE_DAYS: _ClassVar[Aggregate]
    AGGREGATE_FIRST: _ClassVar[Aggregate]
    AGGREGATE_LAST: _ClassVar[Aggregate]
    AGGREGATE_VISITS: _ClassVar[Aggregate]

class ArithmeticOp(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARITHMETIC_OP_UNSPECIFIED: _ClassVar[ArithmeticOp]
    ARITHMETIC_OP_ADD: _ClassVar[ArithmeticOp]
    ARITHMETIC_OP_SUBTRACT: _ClassVar[ArithmeticOp]
    ARITHMETIC_OP_MULTIPLY: _ClassVar[ArithmeticOp]
    ARITHMETIC_OP_DIVIDE: _ClassVar[ArithmeticOp]

class Owner(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OWNER_UNSPECIFIED: _ClassVar[Owner]
    OWNER_USER: _ClassVar[Owner]
    OWNER_ACCOUNT: _ClassVar[Owner]
    OWNER_CURRENT: _ClassVar[Owner]

class Quantifier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUANTIFIER_UNSPECIFIED: _ClassVar[Quantifier]
    QUANTIFIER_EVERY: _ClassVar[Quantifier]
COMPARE_OP_UNSPECIFIED: CompareOp
COMPARE_OP_EQ: CompareOp
COMPARE_OP_NE: CompareOp
COMPARE_OP_LT: CompareOp
COMPARE_OP_LE: CompareOp
COMPARE_OP_GT: CompareOp
COMPARE_OP_GE: CompareOp
TEXT_OP_UNSPECIFIED: TextOp
TEXT_OP_CONTAINS: TextOp
TEXT_OP_STARTS_WITH: TextOp
TEXT_OP_ENDS_WITH: TextOp
TEXT_OP_MATCHES: TextOp
AGE_RELATION_UNSPECIFIED: AgeRelation
AGE_RELATION_MORE_THAN_AGO: AgeRelation
AGE_RELATION_WITHIN_LAST: AgeRelation
AGE_RELATION_WITHIN_NEXT: AgeRelation
AGE_RELATION_MORE_THAN_FROM_NOW: AgeRelation
EVENT_TIME_PART_UNSPECIFIED: EventTimePart
EVENT_TIME_PART_HOUR: EventTimePart
EVENT_TIME_PART_WEEKDAY: EventTimePart
EVENT_TIME_PART_DATE: EventTimePart
CALENDAR_UNIT_UNSPECIFIED: CalendarUnit
CALENDAR_UNIT_DAY: CalendarUnit
CALENDAR_UNIT_WEEK: CalendarUnit
CALENDAR_UNIT_MONTH: CalendarUnit
CALENDAR_UNIT_YEAR: CalendarUnit
AGGREGATE_UNSPECIFIED: Aggregate
AGGREGATE_COUNT: Aggregate
AGGREGATE_SUM: Aggregate
AGGREGATE_AVG: Aggregate
AGGREGATE_MIN: Aggregate
AGGREGATE_MAX: Aggregate
AGGREGATE_DISTINCT: Aggregate
AGGREGATE_DAYS: Aggregate
AGGREGATE_FIRST: Aggregate
AGGREGATE_LAST: Aggregate
AGGREGATE_VISITS: Aggregate
ARITHMETIC_OP_UNSPECIFIED: ArithmeticOp
ARITHMETIC_OP_ADD: ArithmeticOp
ARITHMETIC_OP_SUBTRACT: ArithmeticOp
ARITHMETIC_OP_MULTIPLY: ArithmeticOp
ARITHMETIC_OP_DIVIDE: ArithmeticOp
OWNER_UNSPECIFIED: Owner
OWNER_USER: Owner
OWNER_ACCOUNT: Owner
OWNER_CURRENT: Owner
QUANTIFIER_UNSPECIFIED: Quantifier
QUANTIFIER_EVERY: Quantifier

class Expression(_message.Message):
    __slots__ = ("attribute_test", "did", "did_first", "measure_test", "sequence", "inaction", "in_segment", "in_list", "in_split", "at_least", "of_account", "users", "all_of", "any_of", "negation")
    ATTRIBUTE_TEST_FIELD_NUMBER: _ClassVar[int]
    DID_FIELD_NUMBER: _ClassVar[int]
    DID_FIRST_FIELD_NUMBER: _ClassVar[int]
    MEASURE_TEST_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INACTION_FIELD_NUMBER: _ClassVar[int]
    IN_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    IN_LIST_FIELD_NUMBER: _ClassVar[int]
    IN_SPLIT_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    OF_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    ALL_OF_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    NEGATION_FIELD_NUMBER: _ClassVar[int]
    attribute_test: AttributeTest
    did: Did
    did_first: DidFirst
    measure_test: MeasureTest
    sequence: Sequence
    inaction: Inaction
    in_segment: InSegment
    in_list: InList
    in_split: InSplit
    at_least: AtLeast
    of_account: OfAccount
    users: Users
    all_of: And
    any_of: Or
    negation: Not
    def __init__(self, attribute_test: _Optional[_Union[AttributeTest, _Mapping]] = ..., did: _Optional[_Union[Did, _Mapping]] = ..., did_first: _Optional[_Union[DidFirst, _Mapping]] = ..., measure_test: _Optional[_Union[MeasureTest, _Mapping]] = ..., sequence: _Optional[_Union[Sequence, _Mapping]] = ..., inaction: _Optional[_Union[Inaction, _Mapping]] = ..., in_segment: _Optional[_Union[InSegment, _Mapping]] = ..., in_list: _Optional[_Union[InList, _Mapping]] = ..., in_split: _Optional[_Union[InSplit, _Mapping]] = ..., at_least: _Optional[_Union[AtLeast, _Mapping]] = ..., of_account: _Optional[_Union[OfAccount, _Mapping]] = ..., users: _Optional[_Union[Users, _Mapping]] = ..., all_of: _Optional[_Union[And, _Mapping]] = ..., any_of: _Optional[_Union[Or, _Mapping]] = ..., negation: _Optional[_Union[Not, _Mapping]] = ...) -> None: ...

class And(_message.Message):
    __slots__ = ("children",)
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[Expression]
    def __init__(self, children: _Optional[_Iterable[_Union[Expression, _Mapping]]] = ...) -> None: ...

class Or(_message.Message):
    __slots__ = ("children",)
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[Expression]
    def __init__(self, children: _Optional[_Iterable[_Union[Expression, _Mapping]]] = ...) -> None: ...

class Not(_message.Message):
    __slots__ = ("child",)
    CHILD_FIELD_NUMBER: _ClassVar[int]
    child: Expression
    def __init__(self, child: _Optional[_Union[Expression, _Mapping]] = ...) -> None: ...

class Literal(_message.Message):
    __slots__ = ("text", "number", "boolean", "version", "local_time", "instant")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    BOOLEAN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LOCAL_TIME_FIELD_NUMBER: _ClassVar[int]
    INSTANT_FIELD_NUMBER: _ClassVar[int]
    text: str
    number: float
    boolean: bool
    version: Version
    local_time: LocalTime
    instant: _timestamp_pb2.Timestamp
    def __init__(self, text: _Optional[str] = ..., number: _Optional[float] = ..., boolean: bool = ..., version: _Optional[_Union[Version, _Mapping]] = ..., local_time: _Optional[_Union[LocalTime, _Mapping]] = ..., instant: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Version(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class LocalTime(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: str
    def __init__(self, value: _Optional[str] = ...) -> None: ...

class Moment(_message.Message):
    __slots__ = ("local_time", "instant")
    LOCAL_TIME_FIELD_NUMBER: _ClassVar[int]
    INSTANT_FIELD_NUMBER: _ClassVar[int]
    local_time: LocalTime
    instant: _timestamp_pb2.Timestamp
    def __init__(self, local_time: _Optional[_Union[LocalTime, _Mapping]] = ..., instant: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Test(_message.Message):
    __slots__ = ("compare", "one_of", "between", "text_match", "is_set", "near", "age")
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    ONE_OF_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_FIELD_NUMBER: _ClassVar[int]
    TEXT_MATCH_FIELD_NUMBER: _ClassVar[int]
    IS_SET_FIELD_NUMBER: _ClassVar[int]
    NEAR_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    compare: Compare
    one_of: OneOf
    between: Between
    text_match: TextMatch
    is_set: IsSet
    near: Near
    age: Age
    def __init__(self, compare: _Optional[_Union[Compare, _Mapping]] = ..., one_of: _Optional[_Union[OneOf, _Mapping]] = ..., between: _Optional[_Union[Between, _Mapping]] = ..., text_match: _Optional[_Union[TextMatch, _Mapping]] = ..., is_set: _Optional[_Union[IsSet, _Mapping]] = ..., near: _Optional[_Union[Near, _Mapping]] = ..., age: _Optional[_Union[Age, _Mapping]] = ...) -> None: ...

class Compare(_message.Message):
    __slots__ = ("op", "value", "ignore_case")
    OP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    IGNORE_CASE_FIELD_NUMBER: _ClassVar[int]
    op: CompareOp
    value: Literal
    ignore_case: bool
    def __init__(self, op: _Optional[_Union[CompareOp, str]] = ..., value: _Optional[_Union[Literal, _Mapping]] = ..., ignore_case: bool = ...) -> None: ...

class OneOf(_message.Message):
    __slots__ = ("values", "negated", "ignore_case")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    IGNORE_CASE_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Literal]
    negated: bool
    ignore_case: bool
    def __init__(self, values: _Optional[_Iterable[_Union[Literal, _Mapping]]] = ..., negated: bool = ..., ignore_case: bool = ...) -> None: ...

class Between(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: Literal
    high: Literal
    def __init__(self, low: _Optional[_Union[Literal, _Mapping]] = ..., high: _Optional[_Union[Literal, _Mapping]] = ...) -> None: ...

class TextMatch(_message.Message):
    __slots__ = ("op", "text", "negated", "ignore_case")
    OP_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    IGNORE_CASE_FIELD_NUMBER: _ClassVar[int]
    op: TextOp
    text: str
    negated: bool
    ignore_case: bool
    def __init__(self, op: _Optional[_Union[TextOp, str]] = ..., text: _Optional[str] = ..., negated: bool = ..., ignore_case: bool = ...) -> None: ...

class IsSet(_message.Message):
    __slots__ = ("negated",)
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    negated: bool
    def __init__(self, negated: bool = ...) -> None: ...

class Near(_message.Message):
    __slots__ = ("km", "latitude", "longitude")
    KM_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    km: float
    latitude: float
    longitude: float
    def __init__(self, km: _Optional[float] = ..., latitude: _Optional[float] = ..., longitude: _Optional[float] = ...) -> None: ...

class Age(_message.Message):
    __slots__ = ("relation", "duration")
    RELATION_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    relation: AgeRelation
    duration: _duration_pb2.Duration
    def __init__(self, relation: _Optional[_Union[AgeRelation, str]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Events(_message.Message):
    __slots__ = ("type", "where")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    type: str
    where: Predicate
    def __init__(self, type: _Optional[str] = ..., where: _Optional[_Union[Predicate, _Mapping]] = ...) -> None: ...

class Predicate(_message.Message):
    __slots__ = ("property_test", "event_time_test", "all_of", "any_of", "negation")
    PROPERTY_TEST_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_TEST_FIELD_NUMBER: _ClassVar[int]
    ALL_OF_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    NEGATION_FIELD_NUMBER: _ClassVar[int]
    property_test: PropertyTest
    event_time_test: EventTimeTest
    all_of: PredicateAnd
    any_of: PredicateOr
    negation: PredicateNot
    def __init__(self, property_test: _Optional[_Union[PropertyTest, _Mapping]] = ..., event_time_test: _Optional[_Union[EventTimeTest, _Mapping]] = ..., all_of: _Optional[_Union[PredicateAnd, _Mapping]] = ..., any_of: _Optional[_Union[PredicateOr, _Mapping]] = ..., negation: _Optional[_Union[PredicateNot, _Mapping]] = ...) -> None: ...

class PredicateAnd(_message.Message):
    __slots__ = ("children",)
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[Predicate]
    def __init__(self, children: _Optional[_Iterable[_Union[Predicate, _Mapping]]] = ...) -> None: ...

class PredicateOr(_message.Message):
    __slots__ = ("children",)
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[Predicate]
    def __init__(self, children: _Optional[_Iterable[_Union[Predicate, _Mapping]]] = ...) -> None: ...

class PredicateNot(_message.Message):
    __slots__ = ("child",)
    CHILD_FIELD_NUMBER: _ClassVar[int]
    child: Predicate
    def __init__(self, child: _Optional[_Union[Predicate, _Mapping]] = ...) -> None: ...

class PropertyTest(_message.Message):
    __slots__ = ("name", "test")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    test: Test
    def __init__(self, name: _Optional[str] = ..., test: _Optional[_Union[Test, _Mapping]] = ...) -> None: ...

class EventTimeTest(_message.Message):
    __slots__ = ("part", "test")
    PART_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    part: EventTimePart
    test: Test
    def __init__(self, part: _Optional[_Union[EventTimePart, str]] = ..., test: _Optional[_Union[Test, _Mapping]] = ...) -> None: ...

class Window(_message.Message):
    __slots__ = ("sliding", "ago_range", "absolute", "calendar", "this_visit")
    SLIDING_FIELD_NUMBER: _ClassVar[int]
    AGO_RANGE_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    THIS_VISIT_FIELD_NUMBER: _ClassVar[int]
    sliding: Sliding
    ago_range: AgoRange
    absolute: Absolute
    calendar: Calendar
    this_visit: ThisVisit
    def __init__(self, sliding: _Optional[_Union[Sliding, _Mapping]] = ..., ago_range: _Optional[_Union[AgoRange, _Mapping]] = ..., absolute: _Optional[_Union[Absolute, _Mapping]] = ..., calendar: _Optional[_Union[Calendar, _Mapping]] = ..., this_visit: _Optional[_Union[ThisVisit, _Mapping]] = ...) -> None: ...

class Sliding(_message.Message):
    __slots__ = ("duration",)
    DURATION_FIELD_NUMBER: _ClassVar[int]
    duration: _duration_pb2.Duration
    def __init__(self, duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class AgoRange(_message.Message):
    __slots__ = ("far", "near", "unit")
    FAR_FIELD_NUMBER: _ClassVar[int]
    NEAR_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    far: _duration_pb2.Duration
    near: _duration_pb2.Duration
    unit: str
    def __init__(self, far: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., near: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., unit: _Optional[str] = ...) -> None: ...

class Absolute(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: Moment
    end: Moment
    def __init__(self, start: _Optional[_Union[Moment, _Mapping]] = ..., end: _Optional[_Union[Moment, _Mapping]] = ...) -> None: ...

class Calendar(_message.Message):
    __slots__ = ("unit", "first_back", "last_back")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    FIRST_BACK_FIELD_NUMBER: _ClassVar[int]
    LAST_BACK_FIELD_NUMBER: _ClassVar[int]
    unit: CalendarUnit
    first_back: int
    last_back: int
    def __init__(self, unit: _Optional[_Union[CalendarUnit, str]] = ..., first_back: _Optional[int] = ..., last_back: _Optional[int] = ...) -> None: ...

class ThisVisit(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Measure(_message.Message):
    __slots__ = ("aggregate", "events", "property", "window", "zone")
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    aggregate: Aggregate
    events: Events
    property: str
    window: Window
    zone: str
    def __init__(self, aggregate: _Optional[_Union[Aggregate, str]] = ..., events: _Optional[_Union[Events, _Mapping]] = ..., property: _Optional[str] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., zone: _Optional[str] = ...) -> None: ...

class Arithmetic(_message.Message):
    __slots__ = ("op", "left", "right")
    OP_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    op: ArithmeticOp
    left: Term
    right: Term
    def __init__(self, op: _Optional[_Union[ArithmeticOp, str]] = ..., left: _Optional[_Union[Term, _Mapping]] = ..., right: _Optional[_Union[Term, _Mapping]] = ...) -> None: ...

class Term(_message.Message):
    __slots__ = ("number", "measure", "arithmetic")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    ARITHMETIC_FIELD_NUMBER: _ClassVar[int]
    number: float
    measure: Measure
    arithmetic: Arithmetic
    def __init__(self, number: _Optional[float] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., arithmetic: _Optional[_Union[Arithmetic, _Mapping]] = ...) -> None: ...

class TermCompare(_message.Message):
    __slots__ = ("op", "term")
    OP_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    op: CompareOp
    term: Term
    def __init__(self, op: _Optional[_Union[CompareOp, str]] = ..., term: _Optional[_Union[Term, _Mapping]] = ...) -> None: ...

class AttributeTest(_message.Message):
    __slots__ = ("owner", "name", "test", "zone")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    owner: Owner
    name: str
    test: Test
    zone: str
    def __init__(self, owner: _Optional[_Union[Owner, str]] = ..., name: _Optional[str] = ..., test: _Optional[_Union[Test, _Mapping]] = ..., zone: _Optional[str] = ...) -> None: ...

class Frequency(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: int
    high: int
    def __init__(self, low: _Optional[int] = ..., high: _Optional[int] = ...) -> None: ...

class Did(_message.Message):
    __slots__ = ("events", "frequency", "window", "zone")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    events: Events
    frequency: Frequency
    window: Window
    zone: str
    def __init__(self, events: _Optional[_Union[Events, _Mapping]] = ..., frequency: _Optional[_Union[Frequency, _Mapping]] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., zone: _Optional[str] = ...) -> None: ...

class DidFirst(_message.Message):
    __slots__ = ("events", "very_first", "window", "zone")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    VERY_FIRST_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    events: Events
    very_first: bool
    window: Window
    zone: str
    def __init__(self, events: _Optional[_Union[Events, _Mapping]] = ..., very_first: bool = ..., window: _Optional[_Union[Window, _Mapping]] = ..., zone: _Optional[str] = ...) -> None: ...

class MeasureTest(_message.Message):
    __slots__ = ("term", "test", "term_compare")
    TERM_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    TERM_COMPARE_FIELD_NUMBER: _ClassVar[int]
    term: Term
    test: Test
    term_compare: TermCompare
    def __init__(self, term: _Optional[_Union[Term, _Mapping]] = ..., test: _Optional[_Union[Test, _Mapping]] = ..., term_compare: _Optional[_Union[TermCompare, _Mapping]] = ...) -> None: ...

class Sequence(_message.Message):
    __slots__ = ("steps", "within", "frequency", "window", "zone")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[Events]
    within: _duration_pb2.Duration
    frequency: Frequency
    window: Window
    zone: str
    def __init__(self, steps: _Optional[_Iterable[_Union[Events, _Mapping]]] = ..., within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., frequency: _Optional[_Union[Frequency, _Mapping]] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., zone: _Optional[str] = ...) -> None: ...

class Inaction(_message.Message):
    __slots__ = ("first", "then_not", "within")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    THEN_NOT_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    first: Events
    then_not: Events
    within: _duration_pb2.Duration
    def __init__(self, first: _Optional[_Union[Events, _Mapping]] = ..., then_not: _Optional[_Union[Events, _Mapping]] = ..., within: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class InSegment(_message.Message):
    __slots__ = ("segment",)
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    segment: str
    def __init__(self, segment: _Optional[str] = ...) -> None: ...

class InList(_message.Message):
    __slots__ = ("segment",)
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    segment: str
    def __init__(self, segment: _Optional[str] = ...) -> None: ...

class InSplit(_message.Message):
    __slots__ = ("salt", "low", "high")
    SALT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    salt: str
    low: int
    high: int
    def __init__(self, salt: _Optional[str] = ..., low: _Optional[int] = ..., high: _Optional[int] = ...) -> None: ...

class AtLeast(_message.Message):
    __slots__ = ("k", "children")
    K_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    k: int
    children: _containers.RepeatedCompositeFieldContainer[Expression]
    def __init__(self, k: _Optional[int] = ..., children: _Optional[_Iterable[_Union[Expression, _Mapping]]] = ...) -> None: ...

class OfAccount(_message.Message):
    __slots__ = ("rule",)
    RULE_FIELD_NUMBER: _ClassVar[int]
    rule: Expression
    def __init__(self, rule: _Optional[_Union[Expression, _Mapping]] = ...) -> None: ...

class Users(_message.Message):
    __slots__ = ("frequency", "quantifier", "rule")
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    QUANTIFIER_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    frequency: Frequency
    quantifier: Quantifier
    rule: Expression
    def __init__(self, frequency: _Optional[_Union[Frequency, _Mapping]] = ..., quantifier: _Optional[_Union[Quantifier, str]] = ..., rule: _Optional[_Union[Expression, _Mapping]] = ...) -> None: ...
