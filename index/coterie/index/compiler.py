"""Rules compiled to what keeps them: measures, conditions, and a tree over them and other segments.

Compiling takes uses of measures and conditions and gives them back if the rule is refused half-way. Owns
nothing. Invariant: a plan means exactly what its rule says, and two leaves that say the same thing use the same
condition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from coterie.index.bridges import bridge_of, misplaced
from coterie.index.conditions import Condition, Ids, Question
from coterie.index.errors import InputError, RuleInvalid
from coterie.index.measures.spec import VISIT_TYPES, MeasureSpec, Ranking, Shape, needs_zone
from coterie.index.model import SubjectKind
from coterie.index.nodes import Operation
from coterie.index.plan import Across, Combined, Negated, Nested, Plan, Tree
from coterie.index.plan_events import (
    chain_of,
    check_ranked_window,
    check_visit_window,
    own_events,
    speaks_of_visits,
    step_specs,
    visible,
    visit_specs,
)
from coterie.index.plan_terms import bounds_of, conditional_extreme, is_extreme, measures_in, with_test
from coterie.index.questions import (
    AttributeAge,
    AttributeQuestion,
    FirstTime,
    Inaction,
    SplitQuestion,
    TermQuestion,
    ValueAge,
)
from coterie.index.rules import ast
from coterie.index.sequences import match_type
from coterie.index.terms import Calculated, CountRead, ExtremeRead, SumRead, Term, TermComparison, Values
from coterie.index.thresholds import Read, Threshold
from coterie.index.time.boundaries import NOW, Beginning, Boundary, SlidingEdge, window_bounds
from coterie.index.workshop import Workshop

_NOTHING: Mapping[int, Tree] = {}


def compile_rule(
    shop: Workshop, rule: ast.Expression, kind: SubjectKind, compiled: Mapping[int, Tree] = _NOTHING
) -> Plan:
    """Compiles a rule; RuleUnsupported or RuleInvalid name the leaf and leave nothing behind.

    Leaves that were `compiled` before (by `id()`) are taken as they are; whoever did that holds what they use.
    """
    plan = Plan()
    try:
        plan.tree = _Compiler(shop, kind, plan, compiled).tree(rule)
    except Exception as failed:
        if isinstance(failed, InputError):
            failed.leaf = plan.leaves - 1
        shop.release(plan)
        raise
    return plan


class _Compiler:
    """Compiles one rule."""

    def __init__(self, shop: Workshop, kind: SubjectKind, plan: Plan, compiled: Mapping[int, Tree]) -> None:
        self._shop, self._kind, self.plan, self._compiled = shop, kind, plan, compiled
        self._values = Values(shop.measures, shop.cells, shop.visits)

    # ------------------------------------------------------------ trees

    def tree(self, rule: ast.Expression) -> Tree:
        match rule:
            case ast.And(children=children):
                return Combined(Operation.AND, tuple(self.tree(child) for child in children))  # type: ignore[arg-type]
            case ast.Or(children=children):
                return Combined(Operation.OR, tuple(self.tree(child) for child in children))  # type: ignore[arg-type]
            case ast.Not(child=child):
                return Negated(self.tree(child))  # type: ignore[arg-type]
            case ast.AtLeast(k=k, children=children):
                return Combined(Operation.AT_LEAST, tuple(self.tree(child) for child in children), k)
            case ast.OfAccount(rule=inner) | ast.Users(rule=inner):
                self.plan.leaves += 1
                bridge = bridge_of(rule, self._kind, self._shop.affiliation)
                return Across(bridge, _Compiler(self._shop, bridge.others, self.plan, self._compiled).tree(inner))
            case _:
                self.plan.leaves += 1
                begun = self.plan.leaves
                try:
                    return self._compiled.get(id(rule)) or self._leaf(rule)
                finally:
                    self.plan.leaves = begun  # whatever it was rewritten as

    def _leaf(self, rule: ast.Expression) -> Tree:
        match rule:
            case ast.InSegment(segment=segment):
                return self._nested(segment, must_be_list=False)
            case ast.InList(segment=segment):
                return self._nested(segment, must_be_list=True)
            case ast.Did(events=events, frequency=frequency, window=window, zone=zone):
                measure = self._measure(Shape.COUNT, events, window, zone)
                high = math.inf if frequency.high is None else frequency.high
                return self._threshold(measure, Read.EVENTS, frequency.low, high)
            case ast.DidFirst():
                return self._first_time(rule)
            case ast.MeasureTest(term=term, test=test):
                return self._measure_test(term, test)
            case ast.Sequence():
                return self._sequence(rule)
            case ast.Inaction():
                return self._inaction(rule)
            case ast.AttributeTest():
                return self._attribute(rule)
            case ast.InSplit(salt=salt, low=low, high=high):
                first_value = self._shop.first_value
                kind = self._kind
                split = SplitQuestion(kind, salt, low, high, first_value=lambda dense: first_value(kind, dense))
                return self._question(split)
            case _:
                raise AssertionError(f"no leaf: {rule!r}")

    def _nested(self, segment: str, *, must_be_list: bool) -> Tree:
        self._shop.nested(segment, self._kind, must_be_list)
        self.plan.segments.setdefault(segment, self.plan.leaves - 1)
        return Nested(segment)

    # ------------------------------------------------------------ measures and conditions

    def _measure(
        self,
        shape: Shape,
        events: ast.Events,
        window: ast.Window | None,
        zone: str | None,
        property_name: str | None = None,
        ranking: Ranking | None = None,
    ) -> int:
        check_visit_window(events, window)
        where_zone = zone or self._shop.timezone
        lower, upper = window_bounds(window, where_zone)
        upper = visible(events, upper, self._shop.visits.gap_ms)
        local = needs_zone(events.where) or (shape is Shape.DISTINCT and property_name is None)
        zone = where_zone if local else "UTC"
        own = own_events(self._kind, events)
        if own is not events or isinstance(window, ast.ThisVisit):
            self._follow_visits()
        spec = MeasureSpec(self._kind, own, lower, upper, shape, property_name, ranking, zone)
        check_ranked_window(spec)
        return self._use(spec)

    def _use(self, spec: MeasureSpec) -> int:
        measure = self._shop.measures.add(spec, self._shop.now())
        self.plan.measures.append(measure)
        return measure

    def _follow_visits(self) -> int:
        """Has the visits of the kind followed; returns the measure that does."""
        tracker, endings = (self._use(spec) for spec in visit_specs(self._kind, self._shop.visits.gap_ms))
        self._shop.measures.establish((endings,))  # it holds nothing that history could tell
        return tracker

    def _threshold(self, measure: int, read: int, low: float, high: float, *, negated: bool = False) -> Condition:
        return self._condition(Threshold(measure, read, low, high, negated))

    def _question(self, question: Question) -> Condition:
        return self._condition(question)

    def _condition(self, says: Threshold | Question) -> Condition:
        conditions = self._shop.conditions
        known = conditions.find(self._kind, says)
        condition = conditions.add(self._kind, says)
        self.plan.conditions.append(condition)
        if known is None and not conditions.was_restored(condition):
            conditions.fill(condition, self._candidates(says))
        return condition

    def _candidates(self, says: Threshold | Question) -> Ids:
        measures = (says.measure,) if isinstance(says, Threshold) else says.measures()
        if not measures:
            return self._shop.everyone(self._kind)
        specs, begun = self._shop.measures.specs, self._shop.measures.begun
        held = [
            self._shop.cells.subjects_with(measure, spec.shape)
            for measure in measures
            if (spec := specs[measure]) is not None and begun(measure)
        ]
        return np.unique(np.concatenate(held)) if held else np.empty(0, np.uint32)

    # ------------------------------------------------------------ measure tests

    def _measure_test(self, term: ast.Term, test: ast.Test | ast.TermCompare) -> Tree:
        if isinstance(term, ast.Measure) and not isinstance(test, ast.TermCompare):
            if term.aggregate in (ast.Aggregate.MIN, ast.Aggregate.MAX):
                rewritten = conditional_extreme(term, test)
                if rewritten is not None:
                    return self.tree(rewritten)
            if isinstance(test, ast.OneOf) and not is_extreme(term):
                any_of = tuple(self._measure_test(term, ast.Compare(ast.CompareOp.EQ, value)) for value in test.values)
                tree = Combined(Operation.OR, any_of) if len(any_of) > 1 else any_of[0]
                if not test.negated:
                    return tree
                present = self._measure_test(term, ast.Between(-math.inf, math.inf))
                return Combined(Operation.AND, (present, Negated(tree)))
            if not is_extreme(term):
                return self._plain_threshold(term, test)
        return self._term_question(term, test)

    def _plain_threshold(self, measure: ast.Measure, test: ast.Test) -> Condition:
        bounds = bounds_of(test)
        read = self._read(measure)
        assert isinstance(read, (CountRead, SumRead))
        number = Read.EVENTS if isinstance(read, CountRead) else Read.AVERAGE if read.average else Read.TOTAL
        low, high, negated = bounds
        return self._threshold(read.measure, number, low, high, negated=negated)

    def _term_question(self, term: ast.Term, test: ast.Test | ast.TermCompare) -> Condition:
        compiled = self._term(term)
        zone = next((m.zone for m in measures_in(term) if m.zone), None) or self._shop.timezone
        edge = None
        if isinstance(test, ast.Age):
            assert isinstance(compiled, ExtremeRead), "the age of a number"
            if compiled.value:
                clock = self._shop.now
                return self._question(ValueAge(self._kind, compiled, test, values=self._values, clock=clock))
            edge = SlidingEdge(test.duration_ms)
            self._shop.measures.look(edge, compiled.measure, self._shop.now())
        asked = TermComparison(test.op, self._term(test.term)) if isinstance(test, ast.TermCompare) else test
        return self._question(TermQuestion(self._kind, compiled, asked, zone, edge, values=self._values))

    def _term(self, term: ast.Term) -> Term:
        match term:
            case ast.Arithmetic(op=op, left=left, right=right):
                return Calculated(op, self._operand(left), self._operand(right))
            case ast.Measure():
                return self._read(term)
            case _:
                return float(term)

    def _operand(self, term: ast.Term) -> Term:
        compiled = self._term(term)
        if isinstance(compiled, ExtremeRead) and not compiled.value:
            raise RuleInvalid("rule", "a first or last time cannot be calculated with", expected="a number")
        return compiled

    def _read(self, measure: ast.Measure) -> CountRead | SumRead | ExtremeRead:
        aggregate, window, zone = measure.aggregate, measure.window, measure.zone
        if measure.events is None:
            return CountRead(self._visits(window, zone))
        events, name = measure.events, measure.property
        match aggregate:
            case ast.Aggregate.COUNT:
                counted = events if name is None else with_test(events, ast.PropertyTest(name, ast.IsSet()))
                return CountRead(self._measure(Shape.COUNT, counted, window, zone))
            case ast.Aggregate.SUM | ast.Aggregate.AVG:
                average = aggregate is ast.Aggregate.AVG
                return SumRead(self._measure(Shape.SUM, events, window, zone, name), average)
            case ast.Aggregate.DISTINCT:
                return CountRead(self._measure(Shape.DISTINCT, events, window, zone, name))
            case ast.Aggregate.DAYS:
                return CountRead(self._measure(Shape.DISTINCT, events, window, zone, None))
            case _:
                return self._extreme(measure, events)

    def _extreme(self, measure: ast.Measure, events: ast.Events) -> ExtremeRead:
        ranking = _RANKINGS[measure.aggregate]
        held = self._measure(Shape.EXTREME, events, measure.window, measure.zone, measure.property, ranking)
        spec = self._shop.measures.specs[held]
        assert spec is not None
        return ExtremeRead(held, ranking, measure.property is not None, None if spec.fixed_lower else spec.lower)

    def _visits(self, window: ast.Window | None, zone: str | None) -> int:
        check_visit_window(None, window)
        self._follow_visits()
        bounds = window_bounds(window, zone or self._shop.timezone)
        return self._use(MeasureSpec(self._kind, ast.Events(VISIT_TYPES[self._kind]), *bounds, Shape.COUNT))

    # ------------------------------------------------------------ sequences, inaction

    def _sequence(self, rule: ast.Sequence) -> Condition:
        zone = rule.zone or self._shop.timezone
        chain = chain_of(self._kind, rule, zone)
        if any(speaks_of_visits(step) for step in rule.steps) or isinstance(rule.window, ast.ThisVisit):
            self._follow_visits()
        for spec in step_specs(self._kind, rule, chain, self._shop.visits.gap_ms):
            self._use(spec)
        matches = ast.Events(match_type(self._kind, chain))
        measure = self._use(MeasureSpec(self._kind, matches, *window_bounds(rule.window, zone), Shape.COUNT))
        high = math.inf if rule.frequency.high is None else rule.frequency.high
        return self._threshold(measure, Read.EVENTS, rule.frequency.low, high)

    def _inaction(self, rule: ast.Inaction) -> Condition:
        first = self._latest(rule.first, SlidingEdge(rule.within_ms))
        then_not = self._latest(rule.then_not, NOW)
        return self._question(Inaction(self._kind, first, then_not, values=self._values))

    def _latest(self, events: ast.Events, upper: Boundary) -> int:
        """Keeps the newest event that the edge has passed, however old it is."""
        own = own_events(self._kind, events)
        if own is not events:
            self._follow_visits()
        zone = self._shop.timezone if needs_zone(events.where) else "UTC"
        upper = visible(events, upper, self._shop.visits.gap_ms)
        return self._use(MeasureSpec(self._kind, own, Beginning(), upper, Shape.EXTREME, None, Ranking.LATEST, zone))

    # ------------------------------------------------------------ first times, attributes

    def _first_time(self, rule: ast.DidFirst) -> Condition:
        zone = rule.zone or self._shop.timezone
        matching = self._measure(Shape.EXTREME, rule.events, None, zone, None, Ranking.EARLIEST)
        first = None
        if rule.very_first and rule.events.where is not None:
            every = ast.Events(rule.events.type)
            first = self._measure(Shape.EXTREME, every, None, zone, None, Ranking.EARLIEST)
        now, measures = self._shop.now(), self._shop.measures
        lower, upper = window_bounds(rule.window, zone)
        tracker = self._follow_visits() if isinstance(rule.window, ast.ThisVisit) else None
        for edge in (lower, upper):
            measures.look(edge, matching, now)
        return self._question(FirstTime(self._kind, matching, first, tracker, lower, upper, values=self._values))

    def _attribute(self, rule: ast.AttributeTest) -> Tree:
        if rule.owner is ast.Owner.ACCOUNT and self._kind is SubjectKind.USER:
            return self.tree(ast.OfAccount(rule))
        if rule.owner is ast.Owner.USER and self._kind is SubjectKind.ACCOUNT:
            raise misplaced(f"user.{rule.name}", self._kind)
        name = f"current.{rule.name}" if rule.owner is ast.Owner.CURRENT else rule.name
        table = self._shop.attributes[self._kind]
        if isinstance(rule.test, ast.Age):
            return self._question(AttributeAge(self._kind, name, rule.test, table=table, clock=self._shop.now))
        zone = rule.zone or self._shop.timezone
        return self._question(AttributeQuestion(self._kind, name, rule.test, zone, table=table))


_RANKINGS = {
    ast.Aggregate.FIRST: Ranking.EARLIEST,
    ast.Aggregate.LAST: Ranking.LATEST,
    ast.Aggregate.MIN: Ranking.SMALLEST,
    ast.Aggregate.MAX: Ranking.LARGEST,
}
