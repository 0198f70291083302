"""The oracle: what a rule means, in the plainest Python.

Loops over a list of events; no numpy, no bitmaps, no state that is kept up to date. Every leaf is one
function of (leaf, subject, facts) that reads `facts.now` and nothing newer. Owns the meaning of rules in
tests. Invariant: nothing here is taken from the engine but the rule tree and the value types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import xxhash

from coterie.index.model import Identifier, SubjectKind, Value, kind_of
from coterie.index.rules import ast
from tests.oracle_events import Happened, matches
from tests.oracle_time import BEGINNING, local_date, window_bounds
from tests.oracle_values import ORDER, satisfies, satisfies_near
from tests.oracle_visits import Visit


class Facts(Protocol):
    """What rules of one subject kind may ask about its subjects."""

    kind: SubjectKind
    now: int
    zone: str  # the dataset's time zone

    def subjects(self) -> Sequence[int]:
        """Returns all live subjects."""
        ...

    def events(self, subject: int) -> Sequence[Happened]:
        """Returns the subject's events up to now, `$visit` among them, oldest first, ties by journal position."""
        ...

    def visits(self, subject: int) -> Sequence[Visit]:
        """Returns the subject's visits, the running one included."""
        ...

    def running_visit(self, subject: int) -> Visit | None:
        """Returns the visit the subject is on."""
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

    @property
    def other(self) -> Facts:
        """The facts about subjects of the other kind."""
        ...

    def account_of(self, user: int) -> int | None:
        """Returns a user's account, None where it has none."""
        ...

    def users_of(self, account: int) -> Sequence[int]:
        """Returns an account's users."""
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


def _bounds(window: ast.Window | None, zone: str, subject: int, facts: Facts) -> tuple[int, int]:
    """Returns (lower, upper): an event of the subject is inside when lower < time <= upper."""
    if isinstance(window, ast.ThisVisit):
        visit = facts.running_visit(subject)
        return (visit[0].time - 1 if visit else facts.now), facts.now
    return window_bounds(window, zone, facts.now)


def _matching(events: ast.Events, window: ast.Window | None, zone: str, subject: int, facts: Facts) -> list[Happened]:
    lower, upper = _bounds(window, zone, subject, facts)
    return [
        happened
        for happened in facts.events(subject)
        if lower < happened.time <= upper and matches(events, happened, zone)
    ]


def _is_within(number: int, frequency: ast.Frequency) -> bool:
    return frequency.low <= number and (frequency.high is None or number <= frequency.high)


# ---------------------------------------------------------------- leaves over events


def _did(rule: ast.Did, subject: int, facts: Facts) -> bool:
    number = len(_matching(rule.events, rule.window, rule.zone or facts.zone, subject, facts))
    return _is_within(number, rule.frequency)


def _did_first(rule: ast.DidFirst, subject: int, facts: Facts) -> bool:
    zone = rule.zone or facts.zone
    searched = ast.Events(rule.events.type) if rule.very_first else rule.events
    first = next(iter(_matching(searched, None, zone, subject, facts)), None)
    lower, upper = _bounds(rule.window, zone, subject, facts)
    return first is not None and lower < first.time <= upper and matches(rule.events, first, zone)


def _sequence(rule: ast.Sequence, subject: int, facts: Facts) -> bool:
    zone = rule.zone or facts.zone
    ends = _matching(rule.steps[-1], rule.window, zone, subject, facts)
    events = facts.events(subject)
    number = 0
    for end in ends:
        earliest = BEGINNING if rule.within_ms is None else end.time - rule.within_ms
        number += _has_chain(rule.steps[:-1], events, earliest, end.time, zone)
    return _is_within(number, rule.frequency)


def _has_chain(steps: Sequence[ast.Events], events: Sequence[Happened], earliest: int, before: int, zone: str) -> bool:
    """Returns whether events strictly later each match the steps, none before `earliest`, all before `before`."""
    if not steps:
        return True
    return any(
        earliest <= happened.time < before
        and matches(steps[-1], happened, zone)
        and _has_chain(steps[:-1], events, earliest, happened.time, zone)
        for happened in events
    )


def _inaction(rule: ast.Inaction, subject: int, facts: Facts) -> bool:
    asked = [happened.time for happened in facts.events(subject) if matches(rule.first, happened, facts.zone)]
    given = [happened.time for happened in facts.events(subject) if matches(rule.then_not, happened, facts.zone)]
    seen = [time for time in asked if time <= facts.now - rule.within_ms]
    return bool(seen) and (not given or max(given) <= max(seen))


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
        if term.events is None:
            lower, upper = _bounds(term.window, zone, subject, facts)
            return float(sum(lower < visit[-1].time <= upper for visit in facts.visits(subject)))
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
    if rule.owner is ast.Owner.ACCOUNT and facts.kind is SubjectKind.USER:
        return _of_account(ast.OfAccount(rule), subject, facts)
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


# ---------------------------------------------------------------- accounts and their users


def _of_account(rule: ast.OfAccount, subject: int, facts: Facts) -> bool:
    account = facts.account_of(subject)
    return account is not None and holds(rule.rule, account, facts.other)


def _users(rule: ast.Users, subject: int, facts: Facts) -> bool:
    users = facts.users_of(subject)
    number = sum(holds(rule.rule, user, facts.other) for user in users)
    if isinstance(rule.quantity, ast.Frequency):
        return _is_within(number, rule.quantity)
    return number == len(users) > 0


_LEAVES: dict[type, Callable[[Any, int, Facts], bool]] = {
    ast.And: _and,
    ast.Or: _or,
    ast.Not: _not,
    ast.AtLeast: _at_least,
    ast.AttributeTest: _attribute,
    ast.Did: _did,
    ast.DidFirst: _did_first,
    ast.MeasureTest: _measure_test,
    ast.Sequence: _sequence,
    ast.Inaction: _inaction,
    ast.InSegment: _in_segment,
    ast.InList: _in_segment,
    ast.InSplit: _in_split,
    ast.OfAccount: _of_account,
    ast.Users: _users,
}
