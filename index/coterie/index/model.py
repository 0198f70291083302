"""The values that pass through the engine: subjects, events, attribute updates, records, changes.

Plain tuples and frozen dataclasses, cheap to make and to pack. Property values are Python values of
exactly five kinds: str text, float number, bool, int instant (ms since the epoch), tuple[str, ...] list.
Invariant: a number is always a float and an instant always an int, so a value's type is its kind.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple, TypeAlias

Value: TypeAlias = str | float | bool | int | tuple[str, ...]


class ValueKind(IntEnum):
    """The five kinds of value; the numbers are stored."""

    TEXT = 1
    NUMBER = 2
    BOOLEAN = 3
    INSTANT = 4
    LIST = 5


_KIND_OF_TYPE = {
    str: ValueKind.TEXT,
    float: ValueKind.NUMBER,
    bool: ValueKind.BOOLEAN,
    int: ValueKind.INSTANT,
    tuple: ValueKind.LIST,
}


def kind_of(value: Value) -> ValueKind:
    """Returns the kind of a value (KeyError for anything that is not a `Value`)."""
    return _KIND_OF_TYPE[type(value)]


class SubjectKind(IntEnum):
    """Users and accounts have dense id spaces of their own; the numbers are stored."""

    USER = 1
    ACCOUNT = 2


USER_ID = "user_id"
ANONYMOUS_ID = "anonymous_id"
ACCOUNT_ID = "account_id"


class Identifier(NamedTuple):
    """An external name of a subject: `user_id`, `anonymous_id`, `account_id`, or the sender's own namespace."""

    namespace: str
    value: str


class Event(NamedTuple):
    """One event as it arrives. `time` None means: when it is recorded.

    `identifiers` are the user's, `user_id` and `anonymous_id` among them; an event may carry a user, an
    account or both, and counts for each it carries. `event_id` "" is never a duplicate.
    """

    event_id: str
    type: str
    identifiers: tuple[Identifier, ...]
    account_id: str | None
    time: int | None
    properties: dict[str, Value]
    context: dict[str, Value]


class AttributeUpdate(NamedTuple):
    """New attribute values of one subject; None removes."""

    kind: SubjectKind
    identifiers: tuple[Identifier, ...]
    values: dict[str, Value | None]


# ---------------------------------------------------------------- segments


class SegmentKind(IntEnum):
    """What decides membership; the numbers are stored."""

    RULE = 1
    LIST = 2
    FROZEN = 3


class Universe(IntEnum):
    """Which subjects a segment ranges over; the numbers are stored."""

    ALL = 1
    KNOWN = 2  # subjects with a user_id
    ANONYMOUS = 3


class Mode(IntEnum):
    """How long a member stays; the numbers are stored."""

    LIVE = 1
    STICKY = 2
    ONCE = 3


class SegmentState(IntEnum):
    """Whether a segment answers; the numbers are stored."""

    BUILDING = 1
    READY = 2


@dataclass(frozen=True, slots=True)
class SegmentDefinition:
    """What a caller says of a segment. `rule` is canonical text (empty for lists and frozen segments)."""

    id: str
    kind: SegmentKind
    subject_kind: SubjectKind
    rule: str = ""
    mode: Mode = Mode.LIVE
    ttl_ms: int = 0
    universe: Universe = Universe.ALL
    display_name: str = ""
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()


# ---------------------------------------------------------------- records: everything that changes state


@dataclass(frozen=True, slots=True)
class IngestEvents:
    """At most 250 events, sorted by event time."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """Time alone. `below` > 0: for subjects (of both kinds) with smaller dense ids; others follow at the same `at`."""

    below: int = 0


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """Attribute updates, at most 250."""

    updates: tuple[AttributeUpdate, ...]


@dataclass(frozen=True, slots=True)
class MergeSubjects:
    """An explicit merge, absorbed into survivor."""

    kind: SubjectKind
    absorbed: Identifier
    survivor: Identifier


@dataclass(frozen=True, slots=True)
class DeleteSubject:
    """The subject with that identifier leaves nothing behind."""

    kind: SubjectKind
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class CreateSegment:
    """A new segment; a frozen one takes `source`, a set expression, as its members now."""

    definition: SegmentDefinition
    author: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class UpdateSegment:
    """A whole new definition under the same id; `etag` "" is unguarded."""

    definition: SegmentDefinition
    etag: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class DeleteSegment:
    """The segment and its versions go; `etag` "" is unguarded."""

    id: str
    etag: str = ""


class ListOperation(IntEnum):
    """What a ChangeList record does; the numbers are stored."""

    ADD = 1
    REMOVE = 2
    SET = 3


@dataclass(frozen=True, slots=True)
class ChangeList:
    """Manual membership of a list. ADD makes unknown subjects; REMOVE ignores them; SET replaces all members."""

    segment: str
    operation: ListOperation
    members: tuple[tuple[Identifier, ...], ...]


@dataclass(frozen=True, slots=True)
class ActivateBuild:
    """The build of that segment's pending definition is finished (first, where it is not) and switched to."""

    segment: str


Payload: TypeAlias = (
    IngestEvents
    | Tick
    | SetAttributes
    | MergeSubjects
    | DeleteSubject
    | CreateSegment
    | UpdateSegment
    | DeleteSegment
    | ChangeList
    | ActivateBuild
)


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the journal: `revision` counts from 1 without gaps, `at` (ms) never decreases."""

    revision: int
    at: int
    payload: Payload


# ---------------------------------------------------------------- what comes out


class Cause(Enum):
    """Why a membership changed."""

    EVENT = 1
    TIME = 2
    ATTRIBUTE = 3
    BACKFILL = 4
    EDIT = 5
    MERGE = 6
    MANUAL = 7
    DELETE = 8


class Change(NamedTuple):
    """Who joined and who left one segment in one revision for one cause; dense ids (typecode I), ascending."""

    revision: int
    at: int
    segment: str
    subject_kind: SubjectKind
    cause: Cause
    joined: array[int]
    left: array[int]


@dataclass(frozen=True, slots=True)
class SubjectGone:
    """A subject was absorbed by `survivor`, or deleted (survivor 0); precedes the changes it causes."""

    revision: int
    at: int
    subject_kind: SubjectKind
    subject: int
    survivor: int


ChangeEntry: TypeAlias = Change | SubjectGone


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event or update of a record that was not taken: its index in the record, and why."""

    index: int
    reason: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applying one record did, besides changing state."""

    revision: int
    accepted: int = 0
    duplicates: int = 0
    refused: tuple[Refusal, ...] = ()
    changes: tuple[ChangeEntry, ...] = field(default=())
    duplicate_indexes: tuple[int, ...] = ()  # which of the record's events: calls that share a record ask
