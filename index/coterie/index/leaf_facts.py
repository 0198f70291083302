"""What a leaf of a rule shows when it is explained: its current value, and what that is compared with.

Values are read from what the leaf was compiled to, through the engine's own parts; only what the value is
compared with comes from the rule's text. Owns nothing. Invariant: a condition of a kind not known here shows
nothing, and its truth is told all the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from coterie.index.bridges import CountOfUsers
from coterie.index.conditions import Condition, Ids, Question
from coterie.index.measures.spec import Ranking, Shape
from coterie.index.model import Value
from coterie.index.plan import Across, Combined, Negated, Tree
from coterie.index.plan_terms import measures_in
from coterie.index.predicates import distances
from coterie.index.questions import (
    AttributeAge,
    AttributeQuestion,
    FirstTime,
    Inaction,
    SplitQuestion,
    TermQuestion,
    ValueAge,
    bucket_of,
)
from coterie.index.rules import ast
from coterie.index.rules.literals import print_duration, print_percent
from coterie.index.rules.print_values import print_frequency, print_literal, print_test, print_window
from coterie.index.rules.types import place_names
from coterie.index.state import State
from coterie.index.terms import CountRead, ExtremeRead, SumRead, Term, TermComparison, Values, numbers_of, view_of
from coterie.index.thresholds import Read, Threshold
from coterie.index.time.boundaries import window_bounds
from coterie.index.time.calendar import HIGHEST, LOWEST, resolve


def values_of(state: State) -> Values:
    """Returns where questions look values up."""
    return Values(state.measures, state.cells, state.derivation.visits)


@dataclass(frozen=True, slots=True)
class Bar:
    """What a leaf's value is compared with: as text, as one value, and the upper end where it is a range."""

    condition: str = ""
    threshold: Value | None = None
    upper: Value | None = None


# ---------------------------------------------------------------- current values


def value_of(state: State, tree: Tree, subject: int) -> Value | None:
    """Returns the value that a compiled leaf tests now; None: it is missing, or the leaf has none."""
    if isinstance(tree, Across):
        return _value_across(state, tree, subject)
    condition = _first_condition(tree)
    if condition is None:
        return None
    ids = np.array([subject], np.uint32)
    says = condition.says
    return _number(state, says, ids) if isinstance(says, Threshold) else _answer(state, says, ids)


def _value_across(state: State, tree: Across, subject: int) -> Value | None:
    """Returns how many of an account's users satisfy, or the value of the user's account."""
    if isinstance(tree.bridge, CountOfUsers):
        return float(len(state.catalog.tree(tree.child).of(BitMap(state.affiliation.users_of(subject)))))
    account = state.affiliation.account_of(subject)
    return value_of(state, tree.child, account) if account else None


def _first_condition(tree: Tree) -> Condition | None:
    """Finds a condition of a leaf that became several: all of them test the same value."""
    match tree:
        case Condition():
            return tree
        case Combined(children=children):
            return _first_condition(children[0])
        case Negated(child=child):
            return _first_condition(child)
        case _:
            return None


def _number(state: State, says: Threshold, ids: Ids) -> Value | None:
    spec = state.measures.specs[says.measure]
    assert spec is not None
    read = SumRead(says.measure, says.read == Read.AVERAGE) if spec.shape is Shape.SUM else CountRead(says.measure)
    return _term(state, read, ids)


def _term(state: State, term: Term, ids: Ids) -> Value | None:
    values = values_of(state)
    if isinstance(term, ExtremeRead):
        return view_of(term, ids, values).values()[0]
    number = float(numbers_of(term, ids, values)[0])
    return None if math.isnan(number) else number


def _answer(state: State, says: Question, ids: Ids) -> Value | None:
    match says:
        case TermQuestion(term=term) | ValueAge(read=term):
            return _term(state, term, ids)
        case FirstTime(matching=matching):
            return _term(state, ExtremeRead(matching, Ranking.EARLIEST, value=False), ids)
        case AttributeQuestion(name=name, test=ast.Near() as test, table=table):
            latitude, longitude = (table.view(each, ids) for each in place_names(name))
            distance = float(distances(latitude, longitude, test)[0])
            return None if math.isnan(distance) else distance
        case AttributeQuestion(name=name, table=table) | AttributeAge(name=name, table=table):
            return table.view(name, ids).values()[0]
        case Inaction(first=first):
            return _term(state, ExtremeRead(first, Ranking.LATEST, value=False), ids)
        case SplitQuestion(salt=salt, first_value=first_value):
            return bucket_of(salt, first_value(int(ids[0]))) / 100
        case _:
            return None


# ---------------------------------------------------------------- what they are compared with


def bar_of(state: State, leaf: ast.Expression, tree: Tree, subject: int) -> Bar:
    """Returns what a leaf's value is compared with."""
    match leaf:
        case ast.Did(frequency=frequency) | ast.Sequence(frequency=frequency):
            return _times(frequency, "times")
        case ast.Users(quantity=ast.Frequency() as frequency):
            return _times(frequency, "users")
        case ast.Users():
            return Bar("every user", float(len(state.affiliation.users_of(subject))))
        case ast.DidFirst(window=window, zone=zone):
            return _within(state, window, zone)
        case ast.MeasureTest(test=ast.TermCompare(op=op)):
            other = _other_term(state, tree, subject)
            return Bar(f"{op.value} {'(missing)' if other is None else _printed(other)}", other)
        case ast.MeasureTest(term=term, test=test):
            zone = next((measure.zone for measure in measures_in(term) if measure.zone), None)
            return _tested(state, test, zone)
        case ast.AttributeTest(test=test, zone=zone):
            return _tested(state, test, zone)
        case ast.Inaction(within_ms=within_ms):
            return _not_followed(state, within_ms, tree, subject)
        case ast.InSplit(low=low, high=high):
            return Bar(f"{print_percent(low)} to {print_percent(high)}", low / 100, high / 100)
        case _:
            return Bar()


def _times(frequency: ast.Frequency, noun: str) -> Bar:
    low, high = frequency.low, frequency.high
    text = print_frequency(frequency, noun)
    if high is None or low == high:
        return Bar(text, float(low))
    return Bar(text, float(low), float(high)) if low else Bar(text, float(high))


def _not_followed(state: State, within_ms: int, tree: Tree, subject: int) -> Bar:
    """The first event is compared with the newest one that should not have followed."""
    text = f"not followed within {print_duration(within_ms)}"
    if isinstance(tree, Condition) and isinstance(tree.says, Inaction):
        read = ExtremeRead(tree.says.then_not, Ranking.LATEST, value=False)
        return Bar(text, _term(state, read, np.array([subject], np.uint32)))
    return Bar(text)


def _within(state: State, window: ast.Window | None, zone: str | None) -> Bar:
    if window is None:
        return Bar()
    lower, upper = (edge.value(state.now) for edge in window_bounds(window, zone or state.settings.timezone))
    first, last = lower + 1 if lower > LOWEST else None, upper if upper < HIGHEST else None
    return Bar(print_window(window), first, last)


def _other_term(state: State, tree: Tree, subject: int) -> Value | None:
    condition = _first_condition(tree)
    if condition is not None and isinstance(condition.says, TermQuestion):
        test = condition.says.test
        if isinstance(test, TermComparison):
            return _term(state, test.term, np.array([subject], np.uint32))
    return None


def _printed(value: Value) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return print_literal(ast.Instant(value))
    return ", ".join(value) if isinstance(value, tuple) else print_literal(value)


def _tested(state: State, test: ast.Test | ast.TermCompare, zone: str | None) -> Bar:
    assert not isinstance(test, ast.TermCompare)
    text = print_test(test)

    def literal(written: ast.Literal) -> Value:
        if isinstance(written, ast.LocalTime | ast.Instant):
            return resolve(written, zone or state.settings.timezone)
        return written.text if isinstance(written, ast.Version) else written

    match test:
        case ast.Compare(value=value):
            return Bar(text, literal(value))
        case ast.Between(low=low, high=high):
            return Bar(text, literal(low), literal(high))
        case ast.OneOf(values=values) if all(isinstance(value, str) for value in values):
            return Bar(text, tuple(value for value in values if isinstance(value, str)))
        case ast.TextMatch(text=part):
            return Bar(text, part)
        case ast.Near(km=km):
            return Bar(text, float(km))
        case ast.Age(relation=relation, duration_ms=duration):
            back = relation in (ast.AgeRelation.MORE_THAN_AGO, ast.AgeRelation.WITHIN_LAST)
            return Bar(text, state.now + (-duration if back else duration))
        case _:
            return Bar(text)
