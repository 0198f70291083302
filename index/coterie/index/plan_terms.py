"""Reshaping measure tests before they are compiled: bounds of comparisons, extremes said as counts.

A minimum cannot be taken back when its event leaves a window; "max(price) >= 100" is "at least one price >=
100", which can. Owns nothing. Invariant: the rewritten rule is true for exactly the same subjects.
"""

from __future__ import annotations

import math

from coterie.index.errors import RuleInvalid
from coterie.index.rules import ast
from coterie.index.rules.ast import Compare, CompareOp, Did, Frequency
from coterie.index.thresholds import above, below


def conditional_extreme(measure: ast.Measure, test: ast.Test) -> ast.Expression | None:
    """Returns the rule about counts that means `measure test`; None where there is none."""
    match test:
        case Compare(op=op, value=float() as value):
            return _compared(measure, op, value)
        case ast.Between(low=float() as low, high=float() as high):
            return ast.And((_compared(measure, CompareOp.GE, low), _compared(measure, CompareOp.LE, high)))
        case ast.OneOf(values=values, negated=negated) if all(isinstance(value, float) for value in values):
            equal = tuple(_compared(measure, CompareOp.EQ, float(value)) for value in values)  # type: ignore[arg-type]
            any_of = ast.Or(equal) if len(equal) > 1 else equal[0]
            return ast.And((_present(measure), ast.Not(any_of))) if negated else any_of
        case _:
            return None


def _compared(measure: ast.Measure, op: CompareOp, value: float) -> ast.Expression:
    towards = op in (CompareOp.GT, CompareOp.GE)  # for a maximum, one value beyond the threshold is enough
    if measure.aggregate is ast.Aggregate.MIN:
        towards = op in (CompareOp.LT, CompareOp.LE)
    if op is CompareOp.EQ:
        beyond = CompareOp.GT if measure.aggregate is ast.Aggregate.MAX else CompareOp.LT
        return ast.And((_some(measure, CompareOp.EQ, value), ast.Not(_some(measure, beyond, value))))
    if op is CompareOp.NE:
        return ast.And((_present(measure), ast.Not(_compared(measure, CompareOp.EQ, value))))
    if towards:
        return _some(measure, op, value)
    opposite = {
        CompareOp.LT: CompareOp.GE,
        CompareOp.LE: CompareOp.GT,
        CompareOp.GT: CompareOp.LE,
        CompareOp.GE: CompareOp.LT,
    }
    return ast.And((_present(measure), ast.Not(_some(measure, opposite[op], value))))


def _present(measure: ast.Measure) -> Did:
    return _some(measure, CompareOp.GE, -math.inf)


def _some(measure: ast.Measure, op: CompareOp, value: float) -> Did:
    assert measure.events is not None
    assert measure.property is not None
    events = with_test(measure.events, ast.PropertyTest(measure.property, Compare(op, value)))
    return Did(events, Frequency(), measure.window, measure.zone)


_EXTREMES = (ast.Aggregate.FIRST, ast.Aggregate.LAST, ast.Aggregate.MIN, ast.Aggregate.MAX)


def is_extreme(measure: ast.Measure) -> bool:
    """Whether a measure keeps one of the events rather than a number of them all."""
    return measure.aggregate in _EXTREMES


def measures_in(term: ast.Term) -> list[ast.Measure]:
    """Returns the measures of a term, from left to right."""
    if isinstance(term, ast.Arithmetic):
        return measures_in(term.left) + measures_in(term.right)
    return [term] if isinstance(term, ast.Measure) else []


def with_test(events: ast.Events, test: ast.Predicate) -> ast.Events:
    """Returns those of the events that satisfy one more test."""
    return ast.Events(events.type, test if events.where is None else ast.And((events.where, test)))


def bounds_of(test: ast.Test) -> tuple[float, float, bool]:
    """Returns (low, high, negated) of a comparison with numbers."""
    match test:
        case ast.Compare(op=op, value=float() as value):
            return {
                ast.CompareOp.EQ: (value, value, False),
                ast.CompareOp.NE: (value, value, True),
                ast.CompareOp.LT: (-math.inf, below(value), False),
                ast.CompareOp.LE: (-math.inf, value, False),
                ast.CompareOp.GT: (above(value), math.inf, False),
                ast.CompareOp.GE: (value, math.inf, False),
            }[op]
        case ast.Between(low=float() as low, high=float() as high):
            return low, high, False
        case _:
            raise RuleInvalid("rule", "a number is compared with something else", expected="a number")
