"""The oracle: what a rule means, in the plainest Python.

Loops over a list of events; no numpy, no bitmaps, no state that is kept up to date. Every leaf is one
function of (leaf, subject, facts) that reads `facts.now` and nothing newer. Owns the meaning of rules in
tests. Invariant: nothing here is taken from the engine but the rule tree and the value types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import xxhash

from coterie.index.model import Event, Identifier, SubjectKind, Value, kind_of
from coterie.index.rules import ast
from tests.oracle_time import local_date, local_datetime, window_bounds
from tests.oracle_values import ORDER, satisfies, satisfies_near


@dataclass(frozen=True)
class Happened:
    """One event that was taken: when, at which journal position, whose (dense ids, 0 for nobody)."""

    time: int
    position: tuple[int, int]  # (revision, index in the record); breaks ties of time
    user: int
    account: int
    event: Event

    def value(self, name: str) -> Value | None:
        """Returns the property of that name, or the context value where no property has it."""
        return self.event.properties.get(name, self.event.context.get(name))


class Facts(Protocol):
    """What rules of one subject kind may ask about its subjects."""

    kind: SubjectKind
    now: int
    zone: str  # the dataset's time zone

    def subjects(self) -> Sequence[int]:
        """Returns all live subjects."""
        ...

    def events(self, subject: int) -> Sequence[Happened]:
        """Returns the subject's events up to now, oldest first, ties by journal position."""
        ...

    def attribute(self, subject: int, owner: ast.Owner, name: str) -> Value | None:
        """Returns the current value, None where there is none."""
        ...

    def in_segment(self, subject: int, segment: str) -> bool:
        """Returns whether the subject is a member of the segment (or list) as it is served now."""
        ...

    def first_identifier(self, subject: int) -> Identifier:
        """Returns the identifier the subject is known by longest."""
        ...


def members(rule: ast.Expression, facts: Facts) -> set[int]:
    """Returns the live subjects that satisfy the rule at `facts.now`."""
    return {subject for subject in facts.subjects() if holds(rule, subject, facts)}


def holds(rule: Any, subject: int, facts: Facts) -> bool:
    """Returns whether the rule is true of the subject at `facts.now`."""
    return _LEAVES[type(rule)](rule, subject, facts)


# ---------------------------------------------------------------- logic


def _and(rule: ast.And, subject: int, facts: Facts) -> bool:
    return all(holds(child, subject, facts) for child in rule.children)


def _or(rule: ast.Or, subject: int, facts: Facts) -> bool:
    return any(holds(child, subject, facts) for child in rule.children)


def _not(rule: ast.Not, subject: int, facts: Facts) -> bool:
    return not holds(rule.child, subject, facts)


def _at_least(rule: ast.AtLeast, subject: int, facts: Facts) -> bool:
    return sum(holds(child, subject, facts) for child in rule.children) >= rule.k


# ---------------------------------------------------------------- which events


def matches(events: ast.Events, happened: Happened, zone: str) -> bool:
    """Returns whether the event is of that type (None: any that is not derived) and satisfies the `where`."""
    if events.type is None and happened.event.type.startswith("$"):
        return False
    if events.type not in {None, happened.event.type}:
        return False
    return events.where is None or _where(events.where, happened, zone)


def _where(predicate: Any, happened: Happened, zone: str) -> bool:
    if isinstance(predicate, ast.And):
        return all(_where(child, happened, zone) for child in predicate.children)
    if isinstance(predicate, ast.Or):
        return any(_where(child, happened, zone) for child in predicate.children)
    if isinstance(predicate, ast.Not):
        return not _where(predicate.child, happened, zone)
    if isinstance(predicate, ast.EventTimeTest):
        return satisfies(predicate.test, _time_part(predicate.part, happened.time, zone), zone)
    if isinstance(predicate.test, ast.Near):
        return satisfies_near(predicate.test, predicate.name, happened.value)
    return satisfies(predicate.test, happened.value(predicate.name), zone)


def _time_part(part: ast.EventTimePart, time: int, zone: str) -> Value | date:
    if part is ast.EventTimePart.HOUR:
        return float(local_datetime(time, zone).hour)
    if part is ast.EventTimePart.WEEKDAY:
        return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local_date(time, zone).weekday()]
    return local_date(time, zone)


def _matching(events: ast.Events, window: ast.Window | None, zone: str, subject: int, facts: Facts) -> list[Happened]:
    lower, upper = window_bounds(window, zone, facts.now)
    return [
        happened
        for happened in facts.events(subject)
        if lower < happened.time <= upper and matches(events, happened, zone)
    ]


# ---------------------------------------------------------------- leaves over events


def _did(rule: ast.Did, subject: int, facts: Facts) -> bool:
    number = len(_matching(rule.events, rule.window, rule.zone or facts.zone, subject, facts))
    return rule.frequency.low <= number and (rule.frequency.high is None or number <= rule.frequency.high)


def _did_first(rule: ast.DidFirst, subject: int, facts: Facts) -> bool:
    zone = rule.zone or facts.zone
    searched = ast.Events(rule.events.type) if rule.very_first else rule.events
    first = next(iter(_matching(searched, None, zone, subject, facts)), None)
    lower, upper = window_bounds(rule.window, zone, facts.now)
    return first is not None and lower < first.time <= upper and matches(rule.events, first, zone)


def _measure_test(rule: ast.MeasureTest, subject: int, facts: Facts) -> bool:
    left = term_value(rule.term, subject, facts)
    if isinstance(rule.test, ast.TermCompare):
        right = term_value(rule.test.term, subject, facts)
        if left is None or right is None or kind_of(left) is not kind_of(right):
            return False
        return ORDER[rule.test.op](left, right)
    zone = rule.term.zone if isinstance(rule.term, ast.Measure) else None
    return satisfies(rule.test, left, zone or facts.zone, facts.now)


# ---------------------------------------------------------------- measures


def term_value(term: ast.Term, subject: int, facts: Facts) -> Value | None:
    """Returns what a term is worth for a subject, None where it is missing."""
    if isinstance(term, ast.Measure):
        zone = term.zone or facts.zone
        assert term.events is not None, "visits belong to no rule of this release"
        return aggregate(term, _matching(term.events, term.window, zone, subject, facts), zone)
    if isinstance(term, ast.Arithmetic):
        left, right = term_value(term.left, subject, facts), term_value(term.right, subject, facts)
        return _arithmetic(term.op, left, right)
    return float(term)


def _arithmetic(op: ast.ArithmeticOp, left: Value | None, right: Value | None) -> float | None:
    if type(left) is not float or type(right) is not float:
        return None
    if op is ast.ArithmeticOp.ADD:
        return left + right
    if op is ast.ArithmeticOp.SUBTRACT:
        return left - right
    if op is ast.ArithmeticOp.MULTIPLY:
        return left * right
    return None if right == 0 else left / right


def aggregate(measure: ast.Measure, inside: Sequence[Happened], zone: str) -> Value | None:
    """Returns the aggregate over the events inside the window, which come oldest first."""
    kept = measure.aggregate
    if kept is ast.Aggregate.COUNT:
        return float(len(inside))
    if kept is ast.Aggregate.DAYS:
        return float(len({local_date(happened.time, zone) for happened in inside}))
    if measure.property is None:
        assert kept in {ast.Aggregate.FIRST, ast.Aggregate.LAST}
        return None if not inside else inside[0 if kept is ast.Aggregate.FIRST else -1].time
    values = [value for happened in inside if (value := happened.value(measure.property)) is not None]
    if kept is ast.Aggregate.DISTINCT:
        return float(len({(kind_of(value), value) for value in values}))
    if kept in {ast.Aggregate.FIRST, ast.Aggregate.LAST}:
        return None if not values else values[0 if kept is ast.Aggregate.FIRST else -1]
    return _of_numbers(kept, [value for value in values if type(value) is float])


def _of_numbers(kept: ast.Aggregate, numbers: Sequence[float]) -> float | None:
    if kept is ast.Aggregate.SUM:
        return exact_sum(numbers)
    if not numbers:
        return None
    if kept is ast.Aggregate.AVG:
        return exact_sum(numbers) / len(numbers)
    return min(numbers) if kept is ast.Aggregate.MIN else max(numbers)


def exact_sum(numbers: Sequence[float]) -> float:
    """Returns the sum, kept as whole units and millionths, each rounded once on its way in."""
    millionths = 0
    for number in numbers:
        units = int(number)
        millionths += units * 1_000_000 + round((number - units) * 1e6)  # round() is rint(): halves to even
    return millionths / 1_000_000


# ---------------------------------------------------------------- leaves over what is known of the subject


def _attribute(rule: ast.AttributeTest, subject: int, facts: Facts) -> bool:
    if isinstance(rule.test, ast.Near):
        return satisfies_near(rule.test, rule.name, lambda name: facts.attribute(subject, rule.owner, name))
    value = facts.attribute(subject, rule.owner, rule.name)
    return satisfies(rule.test, value, rule.zone or facts.zone, facts.now)


def _in_segment(rule: ast.InSegment | ast.InList, subject: int, facts: Facts) -> bool:
    return facts.in_segment(subject, rule.segment)


def _in_split(rule: ast.InSplit, subject: int, facts: Facts) -> bool:
    return rule.low <= bucket(rule.salt, facts.first_identifier(subject)) < rule.high


def bucket(salt: str, identifier: Identifier) -> int:
    """Returns the subject's bucket of that split, 0-9999."""
    return xxhash.xxh64_intdigest(f"{salt}\0{identifier.value}".encode()) % 10_000


_LEAVES: dict[type, Callable[[Any, int, Facts], bool]] = {
    ast.And: _and,
    ast.Or: _or,
    ast.Not: _not,
    ast.AtLeast: _at_least,
    ast.AttributeTest: _attribute,
    ast.Did: _did,
    ast.DidFirst: _did_first,
    ast.MeasureTest: _measure_test,
    ast.InSegment: _in_segment,
    ast.InList: _in_segment,
    ast.InSplit: _in_split,
}
