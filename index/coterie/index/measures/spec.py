"""What a measure is: whose, of which events, inside which window, keeping what.

Two equal specs are one measure, whoever asked for them. Owns nothing. Invariant: everything that can change
a measure's value is in its spec.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from coterie.index.model import SubjectKind
from coterie.index.rules.ast import And, Events, EventTimeTest, Not, Or, Predicate, PropertyTest
from coterie.index.time.boundaries import Beginning, Boundary, Fixed


class Shape(IntEnum):
    """Which table a measure's cells live in: a cell costs what it holds."""

    COUNT = 1
    SUM = 2
    DISTINCT = 3
    EXTREME = 4


class Ranking(IntEnum):
    """Which event an EXTREME keeps."""

    EARLIEST = 1
    LATEST = 2
    SMALLEST = 3
    LARGEST = 4


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

    @property
    def retractable(self) -> bool:
        """Whether an event that leaves the window is taken out again (an extreme is only looked at again)."""
        return self.shape is not Shape.EXTREME

    @property
    def fixed_lower(self) -> bool:
        """Whether the lower boundary never moves, so that it can exclude an event on entering."""
        return isinstance(self.lower, (Beginning, Fixed))


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
