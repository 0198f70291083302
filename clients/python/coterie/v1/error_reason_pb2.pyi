from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_FIELD_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_LIMIT_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_EVENT_TIME_IN_FUTURE: _ClassVar[ErrorReason]
    ERROR_REASON_TYPE_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_RULE_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_RULE_UNSUPPORTED: _ClassVar[ErrorReason]
    ERROR_REASON_SEGMENT_CYCLE: _ClassVar[ErrorReason]
    ERROR_REASON_HISTORY_TOO_SHORT: _ClassVar[ErrorReason]
    ERROR_REASON_SEGMENT_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_DATASET_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_SUBJECT_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_SEGMENT_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_DATASET_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_SEGMENT_IN_USE: _ClassVar[ErrorReason]
    ERROR_REASON_SEGMENT_BUILDING: _ClassVar[ErrorReason]
    ERROR_REASON_WRONG_SEGMENT_KIND: _ClassVar[ErrorReason]
    ERROR_REASON_MERGE_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_ETAG_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_REVISION_COMPACTED: _ClassVar[ErrorReason]
    ERROR_REASON_REVISION_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_INGEST_SATURATED: _ClassVar[ErrorReason]
    ERROR_REASON_WATCH_LAGGED: _ClassVar[ErrorReason]
    ERROR_REASON_STORAGE_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_DATA_LOSS: _ClassVar[ErrorReason]
    ERROR_REASON_FORMAT_TOO_NEW: _ClassVar[ErrorReason]
    ERROR_REASON_CALL_UNIMPLEMENTED: _ClassVar[ErrorReason]
    ERROR_REASON_SCANS_SATURATED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_FIELD_INVALID: ErrorReason
ERROR_REASON_LIMIT_EXCEEDED: ErrorReason
ERROR_REASON_EVENT_TIME_IN_FUTURE: ErrorReason
ERROR_REASON_TYPE_CONFLICT: ErrorReason
ERROR_REASON_RULE_INVALID: ErrorReason
ERROR_REASON_RULE_UNSUPPORTED: ErrorReason
ERROR_REASON_SEGMENT_CYCLE: ErrorReason
ERROR_REASON_HISTORY_TOO_SHORT: ErrorReason
ERROR_REASON_SEGMENT_NOT_FOUND: ErrorReason
ERROR_REASON_DATASET_NOT_FOUND: ErrorReason
ERROR_REASON_SUBJECT_NOT_FOUND: ErrorReason
ERROR_REASON_SEGMENT_EXISTS: ErrorReason
ERROR_REASON_DATASET_EXISTS: ErrorReason
ERROR_REASON_SEGMENT_IN_USE: ErrorReason
ERROR_REASON_SEGMENT_BUILDING: ErrorReason
ERROR_REASON_WRONG_SEGMENT_KIND: ErrorReason
ERROR_REASON_MERGE_REFUSED: ErrorReason
ERROR_REASON_ETAG_MISMATCH: ErrorReason
ERROR_REASON_REVISION_COMPACTED: ErrorReason
ERROR_REASON_REVISION_UNAVAILABLE: ErrorReason
ERROR_REASON_INGEST_SATURATED: ErrorReason
ERROR_REASON_WATCH_LAGGED: ErrorReason
ERROR_REASON_STORAGE_FULL: ErrorReason
ERROR_REASON_UNAVAILABLE: ErrorReason
ERROR_REASON_DATA_LOSS: ErrorReason
ERROR_REASON_FORMAT_TOO_NEW: ErrorReason
ERROR_REASON_CALL_UNIMPLEMENTED: ErrorReason
ERROR_REASON_SCANS_SATURATED: ErrorReason

class RecordError(_message.Message):
    __slots__ = ("index", "reason", "field", "message")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    index: int
    reason: ErrorReason
    field: str
    message: str
    def __init__(self, index: _Optional[int] = ..., reason: _Optional[_Union[ErrorReason, str]] = ..., field: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
