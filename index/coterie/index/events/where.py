"""The `where` of an event selector as a tree of column tests, equal parts shared by every filter that has them.

Owns nothing that outlives its filters. Invariant: a node's verdict depends only on the columns, so it is computed
once per batch, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple, TypeAlias, cast
from weakref import WeakValueDictionary

import numpy as np

from coterie.index.events.columns import EventColumns
from coterie.index.predicates import ColumnView, Judge, judge, judge_days, near
from coterie.index.rules import ast
from coterie.index.texts import Bools, Words
from coterie.index.time.calendar import WEEKDAYS, local_days, local_hours, local_weekdays

Memo: TypeAlias = "dict[WhereNode, Bools]"
_Test: TypeAlias = Callable[[EventColumns, Memo], Bools]

_WEEKDAY_WORDS = Words(WEEKDAYS)


class WhereNode:
    """One part of a predicate; identity is equality, since `Nodes` makes one for each."""

    __slots__ = ("__weakref__", "_test", "names")

    def __init__(self, test: _Test, names: frozenset[str]) -> None:
        self._test = test
        self.names = names  # the properties it reads

    def test(self, columns: EventColumns, memo: Memo) -> Bools:
        """Returns which rows satisfy it; not to be written to."""
        verdicts = memo.get(self)
        if verdicts is None:
            verdicts = memo[self] = self._test(columns, memo)
        return verdicts


class Nodes:
    """The nodes in use, by what they say."""

    def __init__(self) -> None:
        self._nodes: WeakValueDictionary[tuple[str, str], WhereNode] = WeakValueDictionary()

    def node(self, predicate: ast.Predicate, zone: str) -> WhereNode:
        """Returns the node of a predicate whose local times are read in `zone`."""
        key = (repr(predicate), zone)  # the text tells 1 from true, which compare equal
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = WhereNode(self._test(predicate, zone), names_read(predicate))
        return found

    def _test(self, predicate: ast.Predicate, zone: str) -> _Test:
        match predicate:
            case ast.And(children):
                nodes = [self.node(cast("ast.Predicate", child), zone) for child in children]
                return lambda columns, memo: reduce(np.logical_and, (node.test(columns, memo) for node in nodes))
            case ast.Or(children):
                nodes = [self.node(cast("ast.Predicate", child), zone) for child in children]
                return lambda columns, memo: reduce(np.logical_or, (node.test(columns, memo) for node in nodes))
            case ast.Not(child):
                node = self.node(cast("ast.Predicate", child), zone)
                return lambda columns, memo: ~node.test(columns, memo)
            case ast.EventTimeTest(part, test):
                return _time_test(part, test, zone)
            case ast.PropertyTest(name, ast.Near() as test):
                return _near_test(name, test)
            case ast.PropertyTest(name, test):
                return _property_test(name, judge(test, zone))
        raise AssertionError(f"no predicate: {predicate!r}")


def names_read(predicate: ast.Predicate) -> frozenset[str]:
    """Returns the names of the properties a predicate reads."""
    match predicate:
        case ast.And(children) | ast.Or(children):
            return frozenset().union(*(names_read(cast("ast.Predicate", child)) for child in children))
        case ast.Not(child):
            return names_read(cast("ast.Predicate", child))
        case ast.PropertyTest(name, ast.Near()):
            return frozenset(near_names(name))
        case ast.PropertyTest(name):
            return frozenset((name,))
    return frozenset()


def near_names(name: str) -> tuple[str, str]:
    """Returns the names of the pair of properties that a test of distance reads."""
    prefix = "" if name == "location" else f"{name}_"
    return f"{prefix}latitude", f"{prefix}longitude"


def _property_test(name: str, passes: Judge) -> _Test:
    return lambda columns, _: passes(columns.view(name))


def _near_test(name: str, test: ast.Near) -> _Test:
    latitude, longitude = near_names(name)
    return lambda columns, _: near(columns.view(latitude), columns.view(longitude), test)


def _time_test(part: ast.EventTimePart, test: ast.Test, zone: str) -> _Test:
    """A test of the events' own local hour, weekday or date."""
    if part is ast.EventTimePart.DATE:
        days = judge_days(test)
        return lambda columns, _: days(local_days(columns.times, zone))
    passes = judge(test, zone)
    if part is ast.EventTimePart.HOUR:
        return lambda columns, _: passes(_hours(columns.times, zone))
    return lambda columns, _: passes(
        ColumnView(columns.rows, texts=(local_weekdays(columns.times, zone), _WEEKDAY_WORDS))
    )


def _hours(times: Any, zone: str) -> ColumnView:
    hours = local_hours(times, zone).astype(np.float64)
    return ColumnView(len(hours), numbers=(hours, np.ones(len(hours), dtype=np.bool_)))


class ValueSplit(NamedTuple):
    """A predicate as `property is one of values` and the rest (None: nothing)."""

    property: str
    values: tuple[str, ...]
    in_lists: bool
    rest: ast.Predicate | None


def split_by_value(predicate: ast.Predicate) -> ValueSplit | None:
    """Returns a predicate's first test for equality with texts and what else must hold; None without such a test."""
    if isinstance(predicate, ast.PropertyTest):
        return _split_test(predicate, None)
    if isinstance(predicate, ast.And):
        for index, child in enumerate(predicate.children):
            others = cast("tuple[ast.Predicate, ...]", predicate.children[:index] + predicate.children[index + 1 :])
            if isinstance(child, ast.PropertyTest):
                split = _split_test(child, others[0] if len(others) == 1 else ast.And(others))
                if split is not None:
                    return split
    return None


def _split_test(tested: ast.PropertyTest, rest: ast.Predicate | None) -> ValueSplit | None:
    match tested.test:
        case ast.Compare(ast.CompareOp.EQ, str() as text, False):
            return ValueSplit(tested.name, (text,), False, rest)
        case ast.OneOf(values, False, False) if all(isinstance(value, str) for value in values):
            return ValueSplit(tested.name, cast("tuple[str, ...]", tuple(dict.fromkeys(values))), True, rest)
    return None
