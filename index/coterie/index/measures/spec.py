"""What a measure is: whose, of which events, inside which window, keeping what.

Two equal specs are one measure, whoever asked for them. Owns nothing. Invariant: everything that can change
a measure's value is in its spec.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from coterie.index.model import SubjectKind
from coterie.index.rules.ast import And, Events, EventTimeTest, Not, Or, Predicate, PropertyTest
from coterie.index.time.boundaries import Beginning, Boundary, Fixed, VisitStart


class Shape(IntEnum):
    """Which table a measure's cells live in: a cell costs what it holds."""

    COUNT = 1
    SUM = 2
    DISTINCT = 3
    EXTREME = 4
    # These three count nothing: events are derived from what enters them.
    VISITS = 5  # the subject's newest visit
    ENDINGS = 6  # no cells: a visit that enters has ended
    STEPS = 7  # how far the subject has come in a sequence


# The derived events that visits are, by whose they are; rules say $visit for both.
VISIT_TYPES = {SubjectKind.USER: "$visit", SubjectKind.ACCOUNT: "$visit/account"}
DERIVING = (Shape.VISITS, Shape.ENDINGS, Shape.STEPS)


class Ranking(IntEnum):
    """Which event an EXTREME keeps."""

    EARLIEST = 1
    LATEST = 2
    SMALLEST = 3
    LARGEST = 4


@dataclass(frozen=True, slots=True)
class Chain:
    """A sequence: its steps, in the zone of their local times, from first to last within a time (None: any)."""

    steps: tuple[Events, ...]
    within_ms: int | None
    zone: str


@dataclass(frozen=True, slots=True)
class Step:
    """Which step of which sequence a STEPS measure is, from 0."""

    chain: Chain
    number: int


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    """A measure. `property_name` None: DISTINCT counts local days, EXTREME keeps only the time."""

    kind: SubjectKind
    events: Events
    lower: Boundary
    upper: Boundary
    shape: Shape
    property_name: str | None = None
    ranking: Ranking | None = None
    zone: str = "UTC"
    step: Step | None = None  # of STEPS

    @property
    def retractable(self) -> bool:
        """Whether an event that leaves the window is taken out again (an extreme is only looked at again)."""
        return self.shape is not Shape.EXTREME

    @property
    def fixed_lower(self) -> bool:
        """Whether the lower boundary never moves, so that it can exclude an event on entering."""
        return isinstance(self.lower, (Beginning, Fixed, VisitStart))

    @property
    def of_visit(self) -> bool:
        """Whether the window is the running visit."""
        return isinstance(self.lower, VisitStart)


def needs_zone(where: Predicate | None) -> bool:
    """Whether a `where` reads local time, so that measures in different zones are different measures."""
    match where:
        case None:
            return False
        case EventTimeTest():
            return True
        case PropertyTest(test=test):
            return "LocalTime" in repr(test)
        case Not(child=child):
            return needs_zone(child)  # type: ignore[arg-type]  # a predicate's child is a predicate
        case And(children=children) | Or(children=children):
            return any(needs_zone(child) for child in children)  # type: ignore[arg-type]
