"""A rule tree as its one canonical line of text.

Invariant: reading the line gives the same tree, for every tree that `validate` accepts; so equal rules print
equally, and the text may serve as their name.
"""

from __future__ import annotations

from typing import assert_never

from coterie.index.rules import ast
from coterie.index.rules.checks import measures_of
from coterie.index.rules.literals import print_duration, print_number, print_percent, quote
from coterie.index.rules.print_values import print_frequency, print_test, print_window
from coterie.index.rules.words import (
    SEGMENT_WORDS,
    VISIT_EVENT,
    is_bare_attribute,
    is_bare_event,
    is_bare_name,
    is_bare_property,
    is_word_of,
)

ALWAYS = ast.Frequency()
_WEAK = {ast.ArithmeticOp.ADD, ast.ArithmeticOp.SUBTRACT}


def print_rule(expression: ast.Expression | ast.Predicate) -> str:
    """Returns the canonical text of a valid rule."""
    match expression:
        case ast.And(children):
            return " and ".join(map(_operand, children))
        case ast.Or(children):
            return " or ".join(map(_operand, children))
        case ast.Not(child):
            return _print_not(child)
        case ast.AtLeast(k, children):
            return f"at least {k} of ({', '.join(map(_operand, children))})"
        case ast.OfAccount(rule):
            return f"account ({print_rule(rule)})"
        case ast.Users(quantity, rule):
            return f"{_quantity(quantity)} ({print_rule(rule)})"
        case _:
            return _print_leaf(expression)


def _operand(expression: ast.Expression | ast.Predicate) -> str:
    text = print_rule(expression)
    return f"({text})" if isinstance(expression, ast.And | ast.Or) else text


def _print_not(child: ast.Expression | ast.Predicate) -> str:
    match child:
        case ast.Did():
            return "did not " + _print_did(child)
        case ast.InSegment() | ast.InList() | ast.InSplit():
            return "not " + print_rule(child)
        case _:
            return f"not ({print_rule(child)})"


def _quantity(quantity: ast.Frequency | ast.Quantifier) -> str:
    match quantity:
        case ast.Quantifier.EVERY:
            return "every user"
        case ast.Frequency(1, None):
            return "any user"
        case ast.Frequency(0, 0):
            return "no user"
        case _:
            return print_frequency(quantity, "users")


# ---------------------------------------------------------------- leaves


def _print_leaf(leaf: ast.Expression | ast.Predicate) -> str:
    match leaf:
        case ast.AttributeTest(owner, name, test, zone):
            spelled = name if is_bare_attribute(name) else quote(name, '"')
            return f"{owner.value}.{spelled} {print_test(test)}{_window_and_zone(None, zone)}"
        case ast.Did():
            return "did " + _print_did(leaf)
        case ast.DidFirst():
            return _print_first(leaf)
        case ast.MeasureTest():
            return _print_measure_test(leaf)
        case ast.Sequence():
            return _print_sequence(leaf)
        case ast.Inaction(first, then_not, within_ms):
            return f"did {_step(first)} then not {_step(then_not)} within {print_duration(within_ms)}"
        case ast.InSegment(segment):
            return "in " + _segment(segment)
        case ast.InList(segment):
            return "in list " + _segment(segment)
        case ast.InSplit(salt, low, high):
            return f"in split {quote(salt, chr(39))} {print_percent(low)} to {print_percent(high)}"
        case _:
            raise TypeError(f"{type(leaf).__name__} is no part of a rule")


def _segment(name: str) -> str:
    bare = is_bare_name(name) and not is_word_of(name, SEGMENT_WORDS)
    return name if bare else quote(name, '"')


def _print_did(did: ast.Did) -> str:
    frequency = "" if did.frequency == ALWAYS else " " + print_frequency(did.frequency, "times")
    return f"{_event(did.events)}{frequency}{_where(did.events.where)}{_window_and_zone(did.window, did.zone)}"


def _print_first(first: ast.DidFirst) -> str:
    rest = f"{_where(first.events.where)}{_window_and_zone(first.window, first.zone)}"
    if first.very_first:
        return f"did first {_event(first.events)}{rest}"
    return f"did {_event(first.events)} for the first time{rest}"


def _print_sequence(sequence: ast.Sequence) -> str:
    within = "" if sequence.within_ms is None else f" within {print_duration(sequence.within_ms)}"
    chain = " then ".join(map(_step, sequence.steps)) + within
    frequency = "" if sequence.frequency == ALWAYS else " " + print_frequency(sequence.frequency, "times")
    options = frequency + _window_and_zone(sequence.window, sequence.zone)
    return f"did ({chain}){options}" if options else f"did {chain}"


def _step(events: ast.Events) -> str:
    return _event(events) + _where(events.where)


def _event(events: ast.Events) -> str:
    if events.type is None:
        return "any event"
    return events.type if is_bare_event(events.type) else quote(events.type, '"')


def _window_and_zone(window: ast.Window | None, zone: str | None) -> str:
    return (f" {print_window(window)}" if window else "") + (f" in {quote(zone, chr(39))}" if zone is not None else "")


# ---------------------------------------------------------------- where


def _where(predicate: ast.Predicate | None) -> str:
    if predicate is None:
        return ""
    text = print_predicate(predicate)
    return f" where ({text})" if isinstance(predicate, ast.And | ast.Or) else f" where {text}"


def print_predicate(predicate: ast.Expression | ast.Predicate) -> str:
    """Returns the canonical text of what stands after `where`, without outer parentheses."""
    match predicate:
        case ast.And(children):
            return " and ".join(map(_clause, children))
        case ast.Or(children):
            return " or ".join(map(_clause, children))
        case ast.Not(child):
            return f"not ({print_predicate(child)})"
        case ast.PropertyTest(name, test):
            return f"{name if is_bare_property(name) else quote(name, chr(34))} {print_test(test)}"
        case ast.EventTimeTest(part, test):
            return f"{part.value} {print_test(test)}"
        case _:
            raise TypeError(f"{type(predicate).__name__} is no test of an event")


def _clause(predicate: ast.Expression | ast.Predicate) -> str:
    text = print_predicate(predicate)
    return f"({text})" if isinstance(predicate, ast.And | ast.Or) else text


# ---------------------------------------------------------------- measures


def _print_measure_test(node: ast.MeasureTest) -> str:
    right = node.test.term if isinstance(node.test, ast.TermCompare) else None
    reaches = {(measure.window, measure.zone) for term in (node.term, right) for measure in measures_of(term)}
    shared = len(reaches) == 1
    after = _window_and_zone(*next(iter(reaches))) if shared else ""
    term = _term(node.term, inside=not shared)
    if isinstance(node.test, ast.TermCompare):
        return f"{term} {node.test.op.value} {_term(node.test.term, inside=not shared)}{after}"
    return f"{term} {print_test(node.test)}{after}"


def _term(term: ast.Term, *, inside: bool) -> str:
    match term:
        case ast.Measure():
            return _measure(term, inside=inside)
        case ast.Arithmetic(op, left, right):
            return f"{_factor(left, op, inside, right=False)} {op.value} {_factor(right, op, inside, right=True)}"
        case float() | int():
            return print_number(term)
        case _:
            assert_never(term)


def _factor(term: ast.Term, op: ast.ArithmeticOp, inside: bool, *, right: bool) -> str:
    """Puts parentheses where reading from left to right, * and / first, would group otherwise."""
    text = _term(term, inside=inside)
    if not isinstance(term, ast.Arithmetic):
        return text
    weaker = term.op in _WEAK and op not in _WEAK
    same = (term.op in _WEAK) == (op in _WEAK)
    return f"({text})" if weaker or (right and same) else text


def _measure(measure: ast.Measure, *, inside: bool) -> str:
    options = _window_and_zone(measure.window, measure.zone) if inside else ""
    if measure.events is None:
        return f"visits({options.strip()})" if options else "visits"
    source = _source(measure.events.type, measure.property)
    return f"{measure.aggregate.value}({source}{_where(measure.events.where)}{options})"


def _source(event: str | None, property_name: str | None) -> str:
    if event is None:
        spelled = "any event"
    elif event == VISIT_EVENT and property_name is not None:
        spelled = "visits"
    else:
        spelled = event if is_bare_name(event) else quote(event, '"')
    if property_name is None:
        return spelled
    return f"{spelled}.{property_name if is_bare_name(property_name) else quote(property_name, chr(34))}"
