"""What the service says of single subjects: profiles, memberships, and why.

Plain values, frozen. Invariant: times are aware, in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from coterie.client.types import Event, ExplanationKind, Identifier, Mode, SubjectKind, Universe
from coterie.client.values import Value


@dataclass(frozen=True, slots=True)
class CurrentSegment:
    """A segment a subject is in; `since` is None where that lies further back than changes are kept."""

    segment: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class NewestEvent:
    """The newest event that counts for a leaf; the id is empty where it has none, or is too old to be kept."""

    time: datetime
    type: str
    event_id: str


@dataclass(frozen=True, slots=True)
class ExplainedNode:
    """One node of a rule: whether it holds, and when time alone will turn it round (None: never).

    A leaf has the value it tests, what that is compared with, and the newest event that contributes to it.
    """

    kind: ExplanationKind
    text: str
    holds: bool
    next_flip: datetime | None
    value: Value | None = None
    condition: str = ""
    threshold: Value | None = None
    upper_threshold: Value | None = None
    newest_event: NewestEvent | None = None
    segment: str = ""
    children: tuple[ExplainedNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a subject is in a segment, or is not. `rule` is None where nobody has such an identifier.

    In a sticky or once segment a subject may be a member although the rule does not hold.

    Nothing whose `next_flip` is None flips before `looked_until`; where that is None, nothing of it ever does.
    """

    revision: str
    now: datetime
    known: bool
    member: bool
    next_flip: datetime | None
    looked_until: datetime | None
    universe: Universe
    in_universe: bool
    mode: Mode
    rule: ExplainedNode | None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an expression, with the attributes asked for."""

    identifiers: tuple[Identifier, ...]
    attributes: Mapping[str, Value]

    @property
    def id(self) -> str:
        """The value of the first identifier."""
        return self.identifiers[0].value


@dataclass(frozen=True, slots=True)
class EventTotal:
    """How many events of one type a subject has, and when the first and the last were."""

    type: str
    count: int
    first_time: datetime
    last_time: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A subject's visit: events less than the dataset's visit gap apart. `end_time` is its last event's so far."""

    start_time: datetime
    end_time: datetime
    events: int
    running: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one subject, with the newest of its events."""

    kind: SubjectKind
    identifiers: tuple[Identifier, ...]
    attributes: Mapping[str, Value]
    current: Mapping[str, Value]
    segments: tuple[CurrentSegment, ...]
    totals: tuple[EventTotal, ...]
    first_seen: datetime | None
    last_seen: datetime | None
    last_visit: Visit | None
    timeline: tuple[Event, ...]
