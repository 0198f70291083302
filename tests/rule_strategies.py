"""Random valid rule trees, of every leaf or of those that a test allows.

`expressions(palette)` draws rules whose leaves, windows, names and values come from a `Palette`. The default
palette is wild: names that need quotes, reserved words, values at the edges. Tests that also make events give
one with few names and values, so that rules and events meet:

    palette = Palette(leaves=frozenset({ast.Did}), events=st.sampled_from(["view", "buy"]), ...)
    rule = expressions(palette)

Promise: every drawn rule passes `validate`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from tests.rule_palette import LEAVES, NESTING, TESTS, WILD, WINDOWS, Palette
from tests.rule_parts import events, frequencies, logic, measure_tests, value_tests, windows

__all__ = ["LEAVES", "NESTING", "TESTS", "WILD", "WINDOWS", "Palette", "expressions", "leaves", "set_expressions"]

# ---------------------------------------------------------------- leaves and logic


@cache
def leaves(palette: Palette = WILD, kind: SubjectKind = SubjectKind.USER) -> SearchStrategy[ast.Expression]:
    """One condition, of the palette's kinds."""
    owners = [ast.Owner.ACCOUNT, ast.Owner.CURRENT] + ([ast.Owner.USER] * 3 if kind is SubjectKind.USER else [])
    counted = frequencies(palette), windows(palette), palette.zones
    spans = st.one_of(st.none(), palette.durations)
    choices: dict[type, SearchStrategy[Any]] = {
        ast.AttributeTest: st.builds(
            ast.AttributeTest, st.sampled_from(owners), palette.attributes, value_tests(palette), palette.zones
        ),
        ast.Did: st.builds(ast.Did, events(palette), *counted),
        ast.DidFirst: st.builds(ast.DidFirst, events(palette), st.booleans(), *counted[1:]),
        ast.MeasureTest: measure_tests(palette),
        ast.Sequence: st.builds(
            ast.Sequence, st.lists(events(palette), min_size=2, max_size=3).map(tuple), spans, *counted
        ),
        ast.Inaction: st.builds(ast.Inaction, events(palette), events(palette), palette.durations),
        ast.InSegment: st.builds(ast.InSegment, palette.segments),
        ast.InList: st.builds(ast.InList, palette.lists),
        ast.InSplit: _splits(palette),
    }
    return st.one_of(*(choice for leaf, choice in choices.items() if leaf in palette.leaves))


def _splits(palette: Palette) -> SearchStrategy[ast.InSplit]:
    bounds = st.lists(st.integers(0, 10_000), min_size=2, max_size=2, unique=True).map(sorted)
    return st.builds(lambda salt, pair: ast.InSplit(salt, pair[0], pair[1]), palette.salts, bounds)


def expressions(palette: Palette = WILD, kind: SubjectKind = SubjectKind.USER) -> SearchStrategy[ast.Expression]:
    """Whole rules about subjects of the kind."""
    return _expressions(palette, kind, levels=2)


@cache
def _expressions(palette: Palette, kind: SubjectKind, levels: int) -> SearchStrategy[ast.Expression]:
    base: SearchStrategy[Any] = leaves(palette, kind)
    if levels:  # rules about the other kind nest a bounded number of times
        if kind is SubjectKind.USER and ast.OfAccount in palette.nesting:
            of_account = st.deferred(lambda: _expressions(palette, SubjectKind.ACCOUNT, levels - 1))
            base = st.one_of(base, base, base, st.builds(ast.OfAccount, of_account))
        if kind is SubjectKind.ACCOUNT and ast.Users in palette.nesting:
            of_users = st.deferred(lambda: _expressions(palette, SubjectKind.USER, levels - 1))
            quantities = st.one_of(st.just(ast.Quantifier.EVERY), frequencies(palette))
            base = st.one_of(base, base, st.builds(ast.Users, quantities, of_users))
    return st.recursive(base, lambda inner: logic(inner, palette.nesting), max_leaves=palette.max_leaves)


def set_expressions(segments: SearchStrategy[str]) -> SearchStrategy[ast.Expression]:
    """What counts take: segments, lists, splits and logic."""
    palette = Palette(leaves=frozenset({ast.InSegment, ast.InList, ast.InSplit}), segments=segments, lists=segments)
    nodes = frozenset({ast.And, ast.Or, ast.Not, ast.AtLeast})
    return st.recursive(leaves(palette), lambda inner: logic(inner, nodes), max_leaves=palette.max_leaves)
