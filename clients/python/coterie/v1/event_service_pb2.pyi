import datetime

from coterie.v1 import common_pb2 as _common_pb2
from coterie.v1 import error_reason_pb2 as _error_reason_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ColumnType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLUMN_TYPE_UNSPECIFIED: _ClassVar[ColumnType]
    COLUMN_TYPE_STRING: _ClassVar[ColumnType]
    COLUMN_TYPE_NUMBER: _ClassVar[ColumnType]
    COLUMN_TYPE_BOOLEAN: _ClassVar[ColumnType]
    COLUMN_TYPE_TIME: _ClassVar[ColumnType]
COLUMN_TYPE_UNSPECIFIED: ColumnType
COLUMN_TYPE_STRING: ColumnType
COLUMN_TYPE_NUMBER: ColumnType
COLUMN_TYPE_BOOLEAN: ColumnType
COLUMN_TYPE_TIME: ColumnType

class IngestEventsRequest(_message.Message):
    __slots__ = ("dataset", "events", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    events: _containers.RepeatedCompositeFieldContainer[_common_pb2.Event]
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., events: _Optional[_Iterable[_Union[_common_pb2.Event, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class IngestEventsResponse(_message.Message):
    __slots__ = ("revision", "now", "accepted", "duplicates", "refused")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    accepted: int
    duplicates: int
    refused: _containers.RepeatedCompositeFieldContainer[_error_reason_pb2.RecordError]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accepted: _Optional[int] = ..., duplicates: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[_error_reason_pb2.RecordError, _Mapping]]] = ...) -> None: ...

class StreamEventsRequest(_message.Message):
    __slots__ = ("dataset", "events")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    events: _containers.RepeatedCompositeFieldContainer[_common_pb2.Event]
    def __init__(self, dataset: _Optional[str] = ..., events: _Optional[_Iterable[_Union[_common_pb2.Event, _Mapping]]] = ...) -> None: ...

class StreamEventsResponse(_message.Message):
    __slots__ = ("revision", "now", "batch", "accepted", "duplicates", "refused")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    batch: int
    accepted: int
    duplicates: int
    refused: _containers.RepeatedCompositeFieldContainer[_error_reason_pb2.RecordError]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., batch: _Optional[int] = ..., accepted: _Optional[int] = ..., duplicates: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[_error_reason_pb2.RecordError, _Mapping]]] = ...) -> None: ...

class ColumnMapping(_message.Message):
    __slots__ = ("key", "column", "constant", "type", "time_format")
    KEY_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_FORMAT_FIELD_NUMBER: _ClassVar[int]
    key: str
    column: str
    constant: str
    type: ColumnType
    time_format: str
    def __init__(self, key: _Optional[str] = ..., column: _Optional[str] = ..., constant: _Optional[str] = ..., type: _Optional[_Union[ColumnType, str]] = ..., time_format: _Optional[str] = ...) -> None: ...

class ImportEventsRequest(_message.Message):
    __slots__ = ("dataset", "mappings", "arrow_ipc")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    MAPPINGS_FIELD_NUMBER: _ClassVar[int]
    ARROW_IPC_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    mappings: _containers.RepeatedCompositeFieldContainer[ColumnMapping]
    arrow_ipc: bytes
    def __init__(self, dataset: _Optional[str] = ..., mappings: _Optional[_Iterable[_Union[ColumnMapping, _Mapping]]] = ..., arrow_ipc: _Optional[bytes] = ...) -> None: ...

class ImportEventsResponse(_message.Message):
    __slots__ = ("revision", "now", "rows", "accepted", "duplicates", "refused_rows", "refused")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_ROWS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    rows: int
    accepted: int
    duplicates: int
    refused_rows: int
    refused: _containers.RepeatedCompositeFieldContainer[_error_reason_pb2.RecordError]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rows: _Optional[int] = ..., accepted: _Optional[int] = ..., duplicates: _Optional[int] = ..., refused_rows: _Optional[int] = ..., refused: _Optional[_Iterable[_Union[_error_reason_pb2.RecordError, _Mapping]]] = ...) -> None: ...
