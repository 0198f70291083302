import datetime

from coterie.v1 import common_pb2 as _common_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVING_STATE_UNSPECIFIED: _ClassVar[ServingState]
    SERVING_STATE_RECOVERING: _ClassVar[ServingState]
    SERVING_STATE_READY: _ClassVar[ServingState]
    SERVING_STATE_STALLED: _ClassVar[ServingState]
    SERVING_STATE_DRAINING: _ClassVar[ServingState]
    SERVING_STATE_FAILED: _ClassVar[ServingState]
SERVING_STATE_UNSPECIFIED: ServingState
SERVING_STATE_RECOVERING: ServingState
SERVING_STATE_READY: ServingState
SERVING_STATE_STALLED: ServingState
SERVING_STATE_DRAINING: ServingState
SERVING_STATE_FAILED: ServingState

class Dataset(_message.Message):
    __slots__ = ("id", "display_name", "time_zone", "visit_gap", "create_time")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    VISIT_GAP_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: str
    time_zone: str
    visit_gap: _duration_pb2.Duration
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[str] = ..., time_zone: _Optional[str] = ..., visit_gap: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateDatasetRequest(_message.Message):
    __slots__ = ("dataset", "display_name", "time_zone", "visit_gap", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    VISIT_GAP_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    display_name: str
    time_zone: str
    visit_gap: _duration_pb2.Duration
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., display_name: _Optional[str] = ..., time_zone: _Optional[str] = ..., visit_gap: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateDatasetResponse(_message.Message):
    __slots__ = ("revision", "now", "created")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    created: Dataset
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created: _Optional[_Union[Dataset, _Mapping]] = ...) -> None: ...

class ListDatasetsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDatasetsResponse(_message.Message):
    __slots__ = ("datasets", "next_page_token")
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    datasets: _containers.RepeatedCompositeFieldContainer[Dataset]
    next_page_token: str
    def __init__(self, datasets: _Optional[_Iterable[_Union[Dataset, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteDatasetRequest(_message.Message):
    __slots__ = ("dataset", "request_id")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    request_id: str
    def __init__(self, dataset: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteDatasetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ("dataset", "consistency")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    consistency: _common_pb2.Consistency
    def __init__(self, dataset: _Optional[str] = ..., consistency: _Optional[_Union[_common_pb2.Consistency, _Mapping]] = ...) -> None: ...

class DatasetCounts(_message.Message):
    __slots__ = ("users", "accounts", "events", "segments", "measures", "conditions", "cells", "attributes")
    USERS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    users: int
    accounts: int
    events: int
    segments: int
    measures: int
    conditions: int
    cells: int
    attributes: int
    def __init__(self, users: _Optional[int] = ..., accounts: _Optional[int] = ..., events: _Optional[int] = ..., segments: _Optional[int] = ..., measures: _Optional[int] = ..., conditions: _Optional[int] = ..., cells: _Optional[int] = ..., attributes: _Optional[int] = ...) -> None: ...

class MemoryUse(_message.Message):
    __slots__ = ("resident_bytes", "cells_bytes", "bitmaps_bytes", "subjects_bytes", "history_bytes", "changes_bytes")
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    CELLS_BYTES_FIELD_NUMBER: _ClassVar[int]
    BITMAPS_BYTES_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_BYTES_FIELD_NUMBER: _ClassVar[int]
    HISTORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHANGES_BYTES_FIELD_NUMBER: _ClassVar[int]
    resident_bytes: int
    cells_bytes: int
    bitmaps_bytes: int
    subjects_bytes: int
    history_bytes: int
    changes_bytes: int
    def __init__(self, resident_bytes: _Optional[int] = ..., cells_bytes: _Optional[int] = ..., bitmaps_bytes: _Optional[int] = ..., subjects_bytes: _Optional[int] = ..., history_bytes: _Optional[int] = ..., changes_bytes: _Optional[int] = ...) -> None: ...

class QueueStatus(_message.Message):
    __slots__ = ("calls", "records", "capacity")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    calls: int
    records: int
    capacity: int
    def __init__(self, calls: _Optional[int] = ..., records: _Optional[int] = ..., capacity: _Optional[int] = ...) -> None: ...

class BuildStatus(_message.Message):
    __slots__ = ("segment", "progress", "edit")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    EDIT_FIELD_NUMBER: _ClassVar[int]
    segment: str
    progress: float
    edit: bool
    def __init__(self, segment: _Optional[str] = ..., progress: _Optional[float] = ..., edit: bool = ...) -> None: ...

class StorageStatus(_message.Message):
    __slots__ = ("journal_bytes", "state_bytes", "free_bytes", "replay_records", "snapshot_time", "snapshot_revision")
    JOURNAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    STATE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    REPLAY_RECORDS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_TIME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_REVISION_FIELD_NUMBER: _ClassVar[int]
    journal_bytes: int
    state_bytes: int
    free_bytes: int
    replay_records: int
    snapshot_time: _timestamp_pb2.Timestamp
    snapshot_revision: _common_pb2.Revision
    def __init__(self, journal_bytes: _Optional[int] = ..., state_bytes: _Optional[int] = ..., free_bytes: _Optional[int] = ..., replay_records: _Optional[int] = ..., snapshot_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snapshot_revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("revision", "now", "state", "message", "server_version", "uptime", "lag", "counts", "memory", "queue", "builds", "storage", "oldest_change", "watchers", "description")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    BUILDS_FIELD_NUMBER: _ClassVar[int]
    STORAGE_FIELD_NUMBER: _ClassVar[int]
    OLDEST_CHANGE_FIELD_NUMBER: _ClassVar[int]
    WATCHERS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    state: ServingState
    message: str
    server_version: str
    uptime: _duration_pb2.Duration
    lag: _duration_pb2.Duration
    counts: DatasetCounts
    memory: MemoryUse
    queue: QueueStatus
    builds: _containers.RepeatedCompositeFieldContainer[BuildStatus]
    storage: StorageStatus
    oldest_change: _common_pb2.Revision
    watchers: int
    description: Dataset
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[ServingState, str]] = ..., message: _Optional[str] = ..., server_version: _Optional[str] = ..., uptime: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lag: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., counts: _Optional[_Union[DatasetCounts, _Mapping]] = ..., memory: _Optional[_Union[MemoryUse, _Mapping]] = ..., queue: _Optional[_Union[QueueStatus, _Mapping]] = ..., builds: _Optional[_Iterable[_Union[BuildStatus, _Mapping]]] = ..., storage: _Optional[_Union[StorageStatus, _Mapping]] = ..., oldest_change: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., watchers: _Optional[int] = ..., description: _Optional[_Union[Dataset, _Mapping]] = ...) -> None: ...

class CreateSnapshotRequest(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    def __init__(self, dataset: _Optional[str] = ...) -> None: ...

class CreateSnapshotResponse(_message.Message):
    __slots__ = ("revision", "now", "duration", "written_bytes")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_BYTES_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    written_bytes: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., written_bytes: _Optional[int] = ...) -> None: ...

class VerifyDataRequest(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    def __init__(self, dataset: _Optional[str] = ...) -> None: ...

class DataFault(_message.Message):
    __slots__ = ("database", "key", "message")
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    database: str
    key: str
    message: str
    def __init__(self, database: _Optional[str] = ..., key: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class VerifyDataResponse(_message.Message):
    __slots__ = ("revision", "now", "entries", "bytes", "faults")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    entries: int
    bytes: int
    faults: _containers.RepeatedCompositeFieldContainer[DataFault]
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., entries: _Optional[int] = ..., bytes: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[DataFault, _Mapping]]] = ...) -> None: ...

class CompactDataRequest(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    def __init__(self, dataset: _Optional[str] = ...) -> None: ...

class CompactDataResponse(_message.Message):
    __slots__ = ("revision", "now", "before_bytes", "after_bytes")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    BEFORE_BYTES_FIELD_NUMBER: _ClassVar[int]
    AFTER_BYTES_FIELD_NUMBER: _ClassVar[int]
    revision: _common_pb2.Revision
    now: _timestamp_pb2.Timestamp
    before_bytes: int
    after_bytes: int
    def __init__(self, revision: _Optional[_Union[_common_pb2.Revision, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., before_bytes: _Optional[int] = ..., after_bytes: _Optional[int] = ...) -> None: ...
