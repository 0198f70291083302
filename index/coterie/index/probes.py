"""Measures that only an explanation needs: what a leaf's own measures do not keep of the events they count.

The newest of these events, and the smallest or largest value where a leaf about one was compiled to counts. Owns the
uses of these measures. Invariant: each has the window of a leaf's measure as it stands now, so it is exact now.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from coterie.index.leaf_facts import values_of
from coterie.index.measures.spec import DERIVING, MeasureSpec, Ranking, Shape
from coterie.index.model import Value
from coterie.index.plan import Plan
from coterie.index.plan_events import own_events
from coterie.index.plan_terms import with_test
from coterie.index.rules import ast
from coterie.index.state import State
from coterie.index.terms import ExtremeRead, view_of
from coterie.index.time.boundaries import Fixed


class Probe(NamedTuple):
    """What is read to explain a leaf: measures that keep its newest events, and an extreme value."""

    newest: list[int]
    extreme: ExtremeRead | None = None


class Newest(NamedTuple):
    """When the newest event was, and its sequence; a derived one (a visit, a match of a sequence) has its own."""

    time: int
    sequence: int
    is_derived: bool


class Probes:
    """The measures added for one explanation."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.measures: list[int] = []  # once for each use

    def of(self, leaf: ast.Expression, plan: Plan) -> Probe:
        """Adds what a leaf needs that was compiled to a plan of its own."""
        counted = [measure for measure in dict.fromkeys(plan.measures) if self._spec(measure).shape not in DERIVING]
        match leaf:
            case ast.Inaction():
                return Probe(counted)  # both are latest events already, one of them as seen some time ago
            case ast.MeasureTest(term=ast.Measure(events=ast.Events() as events) as term) if (
                term.aggregate in _RANKINGS and counted and self._spec(counted[0]).shape is Shape.COUNT
            ):
                spec, ranking = self._spec(counted[0]), _RANKINGS[term.aggregate]
                own = own_events(spec.kind, events)
                spec = replace(spec, events=own, property_name=term.property, shape=Shape.EXTREME, ranking=ranking)
                return Probe([self._newest(spec)], ExtremeRead(self._add(spec), ranking, value=True))
            case _:
                return Probe([self._newest_of(measure) for measure in counted])

    def _newest_of(self, measure: int) -> int:
        spec = self._spec(measure)
        return measure if spec.ranking is Ranking.EARLIEST else self._newest(spec)  # the first event alone counts

    def _newest(self, spec: MeasureSpec) -> int:
        events, name = spec.events, spec.property_name
        if spec.shape is Shape.SUM or spec.ranking in (Ranking.SMALLEST, Ranking.LARGEST):
            assert name is not None
            events = with_test(events, ast.PropertyTest(name, _ANY_NUMBER))  # others add nothing
        return self._add(replace(spec, events=events, shape=Shape.EXTREME, ranking=Ranking.LATEST))

    def _spec(self, measure: int) -> MeasureSpec:
        spec = self._state.measures.specs[measure]
        assert spec is not None
        return spec

    def _add(self, spec: MeasureSpec) -> int:
        now = self._state.now
        lower = spec.lower if spec.fixed_lower else Fixed(spec.lower.value(now))
        measure = self._state.measures.add(replace(spec, lower=lower), now)
        self.measures.append(measure)
        return measure

    # ------------------------------------------------------------ reading

    def extreme_of(self, read: ExtremeRead, subject: int) -> Value | None:
        """Returns the smallest or largest value."""
        ids = np.array([subject], np.uint32)
        return view_of(read, ids, values_of(self._state)).values()[0]

    def newest_of(self, measures: list[int], subject: int) -> Newest | None:
        """Returns the newest event that these measures keep, None where they keep none."""
        ids, found = np.array([subject], np.uint32), []
        for measure in measures:
            spec = self._spec(measure)
            present, ranks, sequences = self._state.cells.extremes(measure, ids)
            sign = -1 if spec.ranking is Ranking.EARLIEST else 1
            if present[0]:
                is_derived = spec.events.type is not None and spec.events.type.startswith("$")
                found.append(Newest(sign * int(ranks[0]), sign * int(sequences[0]), is_derived))
        return max(found, default=None)


_RANKINGS = {ast.Aggregate.MIN: Ranking.SMALLEST, ast.Aggregate.MAX: Ranking.LARGEST}
_ANY_NUMBER = ast.Between(-math.inf, math.inf)
