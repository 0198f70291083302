"""What goes into the client's calls and comes out: plain frozen dataclasses.

Times are `datetime` in UTC. Invariant: nothing here knows gRPC or protobuf; `requests` and `answers` translate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias, overload

from coterie.client.values import Value

SubjectKind: TypeAlias = Literal["user", "account"]
SegmentKind: TypeAlias = Literal["rule", "list", "frozen"]
Mode: TypeAlias = Literal["live", "sticky", "once"]
Universe: TypeAlias = Literal["all", "known", "anonymous"]
State: TypeAlias = Literal["building", "ready"]
Bucket: TypeAlias = Literal["hour", "day", "week", "month"]
ExplanationKind: TypeAlias = Literal["and", "or", "not", "at_least", "leaf", "segment"]
Cause: TypeAlias = Literal["event", "time", "attribute", "backfill", "edit", "merge", "manual", "delete"]


# ---------------------------------------------------------------- subjects and events


class Identifier(NamedTuple):
    """A name of a subject within a namespace (`user_id`, `anonymous_id`, `account_id`, or one of your own)."""

    namespace: str
    value: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Points at a user or an account by one or more identifiers."""

    identifiers: tuple[Identifier, ...]
    kind: SubjectKind = "user"


SubjectLike: TypeAlias = str | Subject
"""Where a subject is asked for, a plain text means a user_id."""


def user(user_id: str) -> Subject:
    """A user by user_id."""
    return Subject((Identifier("user_id", user_id),))


def anonymous(anonymous_id: str) -> Subject:
    """A user by anonymous_id."""
    return Subject((Identifier("anonymous_id", anonymous_id),))


def account(account_id: str) -> Subject:
    """An account by account_id."""
    return Subject((Identifier("account_id", account_id),), "account")


def identified(namespace: str, value: str, kind: SubjectKind = "user") -> Subject:
    """A subject by an identifier in a namespace of your own, such as `email`."""
    return Subject((Identifier(namespace, value),), kind)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. It needs a user, an account or both; without a `time` it happens when it is recorded.

    With an `event_id`, sending it again changes nothing.
    """

    type: str
    user_id: str = ""
    anonymous_id: str = ""
    account_id: str = ""
    time: datetime | None = None
    properties: Mapping[str, Value] = field(default_factory=dict)
    context: Mapping[str, Value] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
    event_id: str = ""


# ---------------------------------------------------------------- answers


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A write that is durable, applied and visible to every read that asks for at least this `revision`."""

    revision: str
    now: datetime


Freshness: TypeAlias = str | Acknowledged | None
"""A revision that a read must at least have seen: its token, or the acknowledgement of the write."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was not taken: its index in the call, the server's reason, the field, and a sentence."""

    index: int
    reason: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Ingested(Acknowledged):
    """What became of a batch of events or attribute updates."""

    accepted: int
    duplicates: int
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class ListChanged(Acknowledged):
    """What became of a change of a list: who joined, who left, how many are on it now."""

    added: int
    removed: int
    member_count: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as the server holds it. `member_count` is None while the first build runs."""

    id: str
    kind: SegmentKind
    subject_kind: SubjectKind
    rule: str
    mode: Mode
    ttl: timedelta | None
    universe: Universe
    display_name: str
    description: str
    labels: Mapping[str, str]
    state: State
    build_progress: float | None
    pending_rule: str | None
    member_count: int | None
    create_time: datetime
    update_time: datetime
    version: int
    etag: str


@dataclass(frozen=True, slots=True)
class SegmentVersion:
    """One edit of a segment."""

    version: int
    create_time: datetime
    author: str
    rule: str
    mode: Mode
    ttl: timedelta | None
    universe: Universe


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule in its one printed form, and the segments it names."""

    text: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """How many a rule matches now, and some of them."""

    count: int
    sample: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan of history has come: the share that is done, 0 to 1, and how many events that were."""

    fraction: float
    scanned_events: int


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A segment in one bucket of time: its size at the end, and how many joined and left within it."""

    start_time: datetime
    size: int
    joined: int
    left: int
    reconstructed: bool = False
    """Worked out from history, for the time before the segment was created."""


@dataclass(frozen=True, slots=True)
class Trend(Sequence[TrendPoint]):
    """How a segment developed: a sequence of points, oldest first.

    `reconstructed_from` is the start of what was worked out for the time before the creation (None: nothing was), and
    `not_reconstructed` says why some or all of that time is missing though asked for.
    """

    points: tuple[TrendPoint, ...]
    reconstructed_from: datetime | None = None
    not_reconstructed: str = ""

    def __len__(self) -> int:
        return len(self.points)

    @overload
    def __getitem__(self, index: int) -> TrendPoint: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[TrendPoint, ...]: ...

    def __getitem__(self, index: int | slice) -> TrendPoint | tuple[TrendPoint, ...]:
        return self.points[index]


@dataclass(frozen=True, slots=True)
class Change:
    """One subject joined a segment or left it."""

    segment: str
    subject: Identifier
    joined: bool
    cause: Cause
    at: datetime
    revision: str
    subject_kind: SubjectKind = "user"


@dataclass(frozen=True, slots=True)
class SubjectGone:
    """A subject became a part of `survivor`, or was deleted (None); the changes this causes follow."""

    subject: Identifier
    survivor: Identifier | None
    at: datetime
    revision: str
    subject_kind: SubjectKind = "user"
