"""The parts of a dataset that rules are compiled with, and how what a plan uses is given up again.

Owns nothing. Invariant: a measure whose last use is given up leaves neither cells nor derived events behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coterie.index.affiliation import Affiliation
from coterie.index.conditions import Conditions, Ids
from coterie.index.events.derived import Derived
from coterie.index.measures.cells import Cells
from coterie.index.measures.registry import Measures
from coterie.index.measures.spec import VISIT_TYPES, Shape
from coterie.index.model import SubjectKind
from coterie.index.plan import Plan
from coterie.index.sequences import match_type
from coterie.index.subjects.attributes import AttributeTable
from coterie.index.visits import Visits


@dataclass(frozen=True, slots=True)
class Workshop:
    """The parts a compiler works with."""

    measures: Measures
    conditions: Conditions
    cells: Cells
    attributes: dict[SubjectKind, AttributeTable]
    affiliation: Affiliation
    now: Callable[[], int]
    first_value: Callable[[SubjectKind, int], str]
    everyone: Callable[[SubjectKind], Ids]
    nested: Callable[[str, SubjectKind, bool], None]  # refuses a segment that does not exist, or is no list
    derived: Derived
    visits: Visits
    timezone: str

    def derived_types(self) -> set[str]:
        """Returns the types of events that are derived now."""
        specs = [spec for spec in self.measures.specs if spec is not None]
        matches = {match_type(spec.kind, spec.step.chain) for spec in specs if spec.step is not None}
        return matches | {VISIT_TYPES[spec.kind] for spec in specs if spec.shape is Shape.VISITS}

    def release(self, plan: Plan) -> list[int]:
        """Gives up everything a plan uses; returns the measures that nobody uses any more."""
        dropped = []
        for condition in plan.conditions:
            self.conditions.release(condition)
        for measure in plan.measures:
            spec = self.measures.release(measure)
            if spec is not None:
                self.cells.drop(measure, spec.shape)
                dropped.append(measure)
                if spec.shape is Shape.VISITS:
                    self.derived.let_go(VISIT_TYPES[spec.kind])
                elif spec.step is not None and spec.step.number == 0:
                    self.derived.let_go(match_type(spec.kind, spec.step.chain))
        return dropped
