"""Checks of rule trees that did not come from text.

Invariant: a tree that passes is one the builder could have made, so it prints, and reads back as itself. Refusals
name the field of the tree, as a path from the rule: ``rule.children[1].events.where``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from coterie.index.errors import RuleInvalid
from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from coterie.index.rules.build_logic import about
from coterie.index.rules.checks import (
    check_at_least,
    check_frequency,
    check_measure,
    check_name,
    check_number,
    check_split,
    check_steps,
    check_term,
    check_window,
    check_zone,
)
from coterie.index.rules.limits import MAX_DEPTH, MAX_NAME_BYTES, MAX_NODES, MAX_TEXT_BYTES, check_limits
from coterie.index.rules.literals import check_duration
from coterie.index.rules.refusal import Refused
from coterie.index.rules.tested import ATTRIBUTE, PROPERTY, check_event_time_test, check_measure_test, check_test


def validate(
    expression: ast.Expression,
    *,
    subject_kind: SubjectKind | None = None,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_DEPTH,
    max_name_bytes: int = MAX_NAME_BYTES,
    max_text_bytes: int = MAX_TEXT_BYTES,
    field: str = "rule",
) -> None:
    """Refuses a tree that no text could say, or that could never hold.

    `subject_kind` is what the rule is about, where that is known. Raises RuleInvalid with the field's path and
    LimitExceeded.
    """
    check_limits(
        expression,
        max_nodes=max_nodes,
        max_depth=max_depth,
        max_name_bytes=max_name_bytes,
        max_text_bytes=max_text_bytes,
        field=field,
    )
    _check_expression(expression, field, _Scope(subject_kind))


class _Scope:
    """A part of a rule that is about one kind of subject, None as long as nothing decides which."""

    def __init__(self, kind: SubjectKind | None) -> None:
        self.kind = kind

    def require(self, kind: SubjectKind, path: str) -> None:
        """Notes that the part is about this kind, and refuses it if it is about the other."""
        if self.kind not in {None, kind}:
            raise RuleInvalid(path, f"{about(kind)} stands beside {about(self.kind)}")
        self.kind = kind


@contextmanager
def _field(path: str) -> Iterator[None]:
    """Gives refusals from inside the field's path."""
    try:
        yield
    except Refused as refusal:
        raise RuleInvalid(path, refusal.message, expected=refusal.expected, fix=refusal.fix) from None


# ---------------------------------------------------------------- logic


def _check_expression(node: ast.Expression | ast.Predicate, path: str, scope: _Scope) -> None:
    match node:
        case ast.And(children) | ast.Or(children):
            _check_flat(node, path)
            for index, child in enumerate(children):
                _check_expression(child, f"{path}.children[{index}]", scope)
        case ast.Not(child):
            _check_expression(child, f"{path}.child", scope)
        case ast.AtLeast(k, children):
            with _field(f"{path}.k"):
                check_at_least(k, len(children))
            for index, child in enumerate(children):
                _check_expression(child, f"{path}.children[{index}]", scope)
        case ast.OfAccount(rule):
            scope.require(SubjectKind.USER, path)
            _check_expression(rule, f"{path}.rule", _Scope(SubjectKind.ACCOUNT))
        case ast.Users(quantity, rule):
            scope.require(SubjectKind.ACCOUNT, path)
            if isinstance(quantity, ast.Frequency):
                with _field(f"{path}.quantity"):
                    check_frequency(quantity)
            _check_expression(rule, f"{path}.rule", _Scope(SubjectKind.USER))
        case ast.AttributeTest():
            if node.owner is ast.Owner.USER:
                scope.require(SubjectKind.USER, path)
            _check_attribute(node, path)
        case _:
            _check_leaf(node, path)


def _check_flat(node: ast.And | ast.Or, path: str) -> None:
    word = type(node).__name__.lower()
    if len(node.children) < 2:
        raise RuleInvalid(f"{path}.children", f"`{word}` joins at least two conditions")
    for index, child in enumerate(node.children):
        if type(child) is type(node):
            raise RuleInvalid(
                f"{path}.children[{index}]", f"`{word}` directly inside `{word}`", fix="lift its children"
            )


# ---------------------------------------------------------------- leaves


def _check_attribute(node: ast.AttributeTest, path: str) -> None:
    with _field(f"{path}.name"):
        check_name(node.name, "attribute")
    with _field(f"{path}.test"):
        check_test(node.test, ATTRIBUTE)
    with _field(f"{path}.zone"):
        check_zone(node.zone)


def _check_leaf(node: ast.Expression | ast.Predicate, path: str) -> None:
    match node:
        case ast.Did(events, frequency, window, zone):
            _check_events(events, f"{path}.events")
            _check_counted(frequency, window, zone, path)
        case ast.DidFirst(events, _, window, zone):
            _check_events(events, f"{path}.events")
            _check_counted(None, window, zone, path)
        case ast.MeasureTest():
            _check_measure_test(node, path)
        case ast.Sequence():
            _check_sequence(node, path)
        case ast.Inaction(first, then_not, within_ms):
            _check_events(first, f"{path}.first")
            _check_events(then_not, f"{path}.then_not")
            with _field(f"{path}.within"):
                check_duration(within_ms)
        case ast.InSegment(segment) | ast.InList(segment):
            with _field(f"{path}.segment"):
                check_name(segment, "segment")
        case ast.InSplit(salt, low, high):
            with _field(path):
                check_split(salt, low, high)
        case _:
            raise RuleInvalid(path, "a test of an event's property stands outside `where`", expected="a condition")


def _check_sequence(node: ast.Sequence, path: str) -> None:
    with _field(f"{path}.steps"):
        check_steps(len(node.steps))
    for index, step in enumerate(node.steps):
        _check_events(step, f"{path}.steps[{index}]")
    if node.within_ms is not None:
        with _field(f"{path}.within"):
            check_duration(node.within_ms)
    _check_counted(node.frequency, node.window, node.zone, path)


def _check_counted(frequency: ast.Frequency | None, window: ast.Window | None, zone: str | None, path: str) -> None:
    if frequency is not None:
        with _field(f"{path}.frequency"):
            check_frequency(frequency)
    with _field(f"{path}.window"):
        check_window(window)
    with _field(f"{path}.zone"):
        check_zone(zone)


def _check_events(events: ast.Events, path: str) -> None:
    if events.type is not None:
        with _field(f"{path}.type"):
            check_name(events.type, "event")
    if events.where is not None:
        _check_predicate(events.where, f"{path}.where")


def _check_predicate(node: ast.Expression | ast.Predicate, path: str) -> None:
    match node:
        case ast.And(children) | ast.Or(children):
            _check_flat(node, path)
            for index, child in enumerate(children):
                _check_predicate(child, f"{path}.children[{index}]")
        case ast.Not(child):
            _check_predicate(child, f"{path}.child")
        case ast.PropertyTest(name, test):
            with _field(f"{path}.name"):
                check_name(name, "property")
            with _field(f"{path}.test"):
                check_test(test, PROPERTY)
        case ast.EventTimeTest():
            with _field(f"{path}.test"):
                check_event_time_test(node)
        case _:
            raise RuleInvalid(
                path, "a condition on the subject stands inside `where`", expected="a test of the event's properties"
            )


# ---------------------------------------------------------------- measures


def _check_measure_test(node: ast.MeasureTest, path: str) -> None:
    _check_term(node.term, f"{path}.term")
    if isinstance(node.test, ast.TermCompare):
        _check_term(node.test.term, f"{path}.test.term")
    with _field(f"{path}.test"):
        check_measure_test(node)


def _check_term(term: ast.Term, path: str) -> None:
    match term:
        case ast.Arithmetic(_, left, right):
            with _field(path):
                check_term(term)
            _check_term(left, f"{path}.left")
            _check_term(right, f"{path}.right")
        case ast.Measure():
            with _field(path):
                check_measure(term)
            if term.events is not None:
                _check_events(term.events, f"{path}.events")
            _check_counted(None, term.window, term.zone, path)
        case _:
            with _field(path):
                check_number(term)
