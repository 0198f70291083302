"""Strategies of whole rules: every leaf, window and aggregate of the language, over the tiny vocabulary.

About half of the leaves are counts and attributes, the rest visits, sequences, inaction, places and accounts.
Owns the weights. Invariant: every rule drawn has a text form and says something that can hold; what the engine
refuses all the same (`RuleUnsupported`) is skipped by the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from tests.vocabulary import (
    AGE_TESTS,
    COMPARE_OPS,
    DURATIONS,
    EVENTS,
    FIXED_WINDOWS,
    FLAG_TESTS,
    FREQUENCIES,
    INSTANT_TESTS,
    IS_SET,
    LEAF_ZONES,
    LIST_TESTS,
    MORE_VERSION_TESTS,
    NEAR,
    NUMBER_TESTS,
    PAST_TESTS,
    TEXT_TESTS,
    VERSION_TESTS,
    VISIT_EVENTS,
    WINDOWS,
    WINDOWS_OF_VISITS,
    logic,
    weighted,
)

# ---------------------------------------------------------------- measures and attributes


def _measures(aggregates: tuple[ast.Aggregate, ...], name: str | None) -> st.SearchStrategy[ast.Measure]:
    return st.builds(ast.Measure, st.sampled_from(aggregates), EVENTS, st.just(name), WINDOWS, LEAF_ZONES)


_A = ast.Aggregate
VISITS = st.builds(ast.Measure, st.just(_A.VISITS), st.none(), st.none(), WINDOWS_OF_VISITS, LEAF_ZONES)
NUMERIC_TERMS = st.one_of(
    _measures((_A.COUNT, _A.DAYS), None),
    _measures((_A.SUM, _A.AVG, _A.DISTINCT), "price"),
    _measures((_A.DISTINCT,), "category"),
    _measures((_A.DISTINCT,), "tags"),
    _measures((_A.DISTINCT,), "due"),
    _measures((_A.DISTINCT,), "gift"),
    st.builds(
        ast.Arithmetic,
        st.sampled_from(ast.ArithmeticOp),
        _measures((_A.SUM, _A.AVG), "price"),
        st.one_of(st.sampled_from((0.5, 2.0)), _measures((_A.COUNT,), None)),
    ),
)
FIRST_PRICES = st.builds(ast.Measure, st.just(_A.FIRST), EVENTS, st.just("price"), FIXED_WINDOWS, LEAF_ZONES)
FIRST_DUES = st.builds(ast.Measure, st.just(_A.FIRST), EVENTS, st.just("due"), FIXED_WINDOWS, LEAF_ZONES)
OPEN = st.builds(
    ast.Measure,
    st.just(_A.LAST),
    EVENTS,
    st.sampled_from(("due", "gift", "price", "category", "tags")),
    WINDOWS,
    LEAF_ZONES,
)
TIMES = st.one_of(
    st.builds(ast.Measure, st.just(_A.FIRST), EVENTS, st.none(), FIXED_WINDOWS, LEAF_ZONES),
    st.builds(ast.Measure, st.just(_A.LAST), EVENTS, st.none(), WINDOWS, LEAF_ZONES),
)
MEASURE_TESTS = weighted(
    (3, st.builds(ast.MeasureTest, NUMERIC_TERMS, NUMBER_TESTS)),
    (1, st.builds(ast.MeasureTest, NUMERIC_TERMS, st.builds(ast.TermCompare, COMPARE_OPS, NUMERIC_TERMS))),
    (1, st.builds(ast.MeasureTest, TIMES, st.builds(ast.TermCompare, COMPARE_OPS, TIMES))),
    (1, st.builds(ast.MeasureTest, TIMES, PAST_TESTS)),
    (2, st.builds(ast.MeasureTest, _measures((_A.LAST,), "price"), st.one_of(NUMBER_TESTS, IS_SET))),
    (1, st.builds(ast.MeasureTest, _measures((_A.LAST,), "category"), TEXT_TESTS)),
    (1, st.builds(ast.MeasureTest, FIRST_PRICES, NUMBER_TESTS)),
    (2, st.builds(ast.MeasureTest, _measures((_A.LAST,), "due"), st.one_of(AGE_TESTS, INSTANT_TESTS))),
    (1, st.builds(ast.MeasureTest, FIRST_DUES, st.one_of(AGE_TESTS, INSTANT_TESTS))),
    (1, st.builds(ast.MeasureTest, _measures((_A.LAST,), "gift"), FLAG_TESTS)),
    (1, st.builds(ast.MeasureTest, _measures((_A.LAST,), "build"), MORE_VERSION_TESTS)),
    (1, st.builds(ast.MeasureTest, _measures((_A.LAST,), "tags"), LIST_TESTS)),
    (1, st.builds(ast.MeasureTest, OPEN, st.builds(ast.TermCompare, COMPARE_OPS, OPEN))),
    (1, st.builds(ast.MeasureTest, OPEN, st.builds(ast.TermCompare, COMPARE_OPS, TIMES))),
    (1, st.builds(ast.MeasureTest, OPEN, st.builds(ast.TermCompare, COMPARE_OPS, NUMERIC_TERMS))),
    (1, st.builds(ast.MeasureTest, _measures((_A.MIN, _A.MAX), "price"), NUMBER_TESTS)),
)
_OWN = st.just(ast.Owner.USER)
_PLACES = st.sampled_from(((ast.Owner.USER, "home"), (ast.Owner.USER, "home"), (ast.Owner.CURRENT, "location")))
OWN_TESTS = weighted(
    (1, st.builds(ast.AttributeTest, _OWN, st.just("plan"), st.one_of(TEXT_TESTS, IS_SET))),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("age"), NUMBER_TESTS)),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("tags"), st.one_of(LIST_TESTS, IS_SET))),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("version"), VERSION_TESTS)),
    (4, st.builds(ast.AttributeTest, _OWN, st.just("trial_ends"), AGE_TESTS)),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("trial_ends"), PAST_TESTS, LEAF_ZONES)),
)
ATTRIBUTE_TESTS = weighted(
    (9, OWN_TESTS),
    (2, st.builds(ast.AttributeTest, st.just(ast.Owner.CURRENT), st.sampled_from(("os", "category")), TEXT_TESTS)),
    (2, st.builds(ast.AttributeTest, st.just(ast.Owner.CURRENT), st.just("due"), st.one_of(AGE_TESTS, INSTANT_TESTS))),
    (1, st.builds(ast.AttributeTest, st.just(ast.Owner.CURRENT), st.just("gift"), FLAG_TESTS)),
    (1, st.builds(ast.AttributeTest, st.just(ast.Owner.CURRENT), st.just("build"), MORE_VERSION_TESTS)),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("staff"), st.one_of(FLAG_TESTS, IS_SET))),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("version"), MORE_VERSION_TESTS)),
    (
        1,
        st.builds(
            ast.AttributeTest,
            _OWN,
            st.just("account_id"),
            st.one_of(IS_SET, st.just(ast.Compare(ast.CompareOp.EQ, "c1"))),
        ),
    ),
)
NEAR_TESTS = st.builds(lambda place, near: ast.AttributeTest(*place, near), _PLACES, NEAR)
SPLITS = st.sampled_from((ast.InSplit("spring", 0, 5_000), ast.InSplit("spring", 5_000, 10_000)))
DIDS = st.builds(ast.Did, EVENTS, FREQUENCIES, WINDOWS, LEAF_ZONES)

# ---------------------------------------------------------------- visits, sequences, inaction

_VISIT_NUMBERS = st.sampled_from(("duration_s", "events", "pages"))


def _of_visits(aggregates: tuple[ast.Aggregate, ...], names: st.SearchStrategy[str]) -> st.SearchStrategy[ast.Measure]:
    return st.builds(ast.Measure, st.sampled_from(aggregates), VISIT_EVENTS, names, WINDOWS_OF_VISITS, LEAF_ZONES)


VISIT_LEAVES = weighted(
    (2, st.builds(ast.Did, VISIT_EVENTS, FREQUENCIES, WINDOWS_OF_VISITS, LEAF_ZONES)),
    (1, st.builds(ast.DidFirst, VISIT_EVENTS, st.booleans(), WINDOWS_OF_VISITS, LEAF_ZONES)),
    (3, st.builds(ast.MeasureTest, VISITS, st.builds(ast.Compare, COMPARE_OPS, st.sampled_from((0.0, 1.0, 2.0))))),
    (1, st.builds(ast.MeasureTest, VISITS, st.builds(ast.TermCompare, COMPARE_OPS, NUMERIC_TERMS))),
    (2, st.builds(ast.MeasureTest, _of_visits((_A.SUM, _A.AVG, _A.LAST), _VISIT_NUMBERS), NUMBER_TESTS)),
    (1, st.builds(ast.MeasureTest, _of_visits((_A.LAST,), st.sampled_from(("source", "referrer"))), TEXT_TESTS)),
)
_WITHIN = st.sampled_from(DURATIONS)
_STEPS = weighted((3, st.tuples(EVENTS, EVENTS)), (1, st.tuples(EVENTS, EVENTS, EVENTS)))
_STEPS_WITH_VISITS = st.tuples(EVENTS, VISIT_EVENTS) | st.tuples(VISIT_EVENTS, EVENTS)
SEQUENCES = weighted(
    (5, st.builds(ast.Sequence, _STEPS, _WITHIN | st.none(), FREQUENCIES, WINDOWS, LEAF_ZONES)),
    (1, st.builds(ast.Sequence, _STEPS_WITH_VISITS, _WITHIN, FREQUENCIES, WINDOWS_OF_VISITS, LEAF_ZONES)),
)
INACTIONS = weighted(
    (5, st.builds(ast.Inaction, EVENTS, EVENTS, _WITHIN)),
    (1, st.builds(ast.Inaction, VISIT_EVENTS, EVENTS, _WITHIN)),
    (1, st.builds(ast.Inaction, EVENTS, VISIT_EVENTS, _WITHIN)),
)

# ---------------------------------------------------------------- rules

LEAVES: st.SearchStrategy[ast.Expression] = weighted(
    (6, DIDS),
    (1, DIDS.map(ast.Not)),
    (1, st.builds(ast.DidFirst, EVENTS, st.booleans(), WINDOWS, LEAF_ZONES)),
    (6, MEASURE_TESTS),
    (2, ATTRIBUTE_TESTS),
    (1, SPLITS),
    (1, NEAR_TESTS),
    (3, VISIT_LEAVES),
    (3, SEQUENCES),
    (3, INACTIONS),
)
_OTHER_OWN = OWN_TESTS.map(lambda test: replace(test, owner=ast.Owner.ACCOUNT))
_QUANTITIES = st.sampled_from(
    (ast.Quantifier.EVERY, *(ast.Frequency(*bounds) for bounds in ((1, None), (0, 0), (2, None), (0, 1), (1, 1))))
)


def _across(leaves: st.SearchStrategy[ast.Expression]) -> st.SearchStrategy[ast.Expression]:
    """Draws leaves about the account of a user and about the users of an account; some nest once more.

    (In a rule about the other kind they are asked of its account, or of its users.)
    """
    inside: st.SearchStrategy[Any] = weighted((3, leaves), (1, logic(leaves)))
    users = st.builds(ast.Users, _QUANTITIES, inside)
    accounts = st.builds(ast.OfAccount, inside)
    return weighted(
        (2, accounts),
        (3, users),
        (1, _OTHER_OWN),
        (1, st.builds(ast.OfAccount, users)),
        (1, st.builds(ast.Users, _QUANTITIES, accounts)),
    )


def rules(named: st.SearchStrategy[ast.InSegment | ast.InList] | None = None) -> st.SearchStrategy[ast.Expression]:
    """Draws a user rule; `named` are the segments and lists it may be nested on."""
    plain = LEAVES if named is None else weighted((4, LEAVES), (1, named))
    leaves = weighted((6, plain), (1, _across(plain)))
    some = st.lists(leaves, min_size=2, max_size=3).map(tuple)
    at_least = some.flatmap(lambda drawn: st.builds(ast.AtLeast, st.integers(1, len(drawn)), st.just(drawn)))
    return weighted((6, leaves), (3, logic(leaves)), (1, at_least), (1, at_least.map(ast.Not)))  # type: ignore[arg-type]


def placed(
    drawn: Any,
    kind: SubjectKind,
    named: Callable[[ast.InSegment | ast.InList, SubjectKind], ast.Expression] | None = None,
) -> Any:
    """Returns a drawn rule as one about subjects of a kind; `named` says which segment a leaf about one is to name."""
    if isinstance(drawn, ast.InSegment | ast.InList):
        assert named is not None, "no segments were drawn"
        return named(drawn, kind)
    if isinstance(drawn, ast.AttributeTest) and drawn.owner is ast.Owner.USER and kind is SubjectKind.ACCOUNT:
        return replace(drawn, owner=ast.Owner.ACCOUNT)
    if isinstance(drawn, ast.OfAccount):
        of_account = ast.OfAccount(placed(drawn.rule, SubjectKind.ACCOUNT, named))
        return of_account if kind is SubjectKind.USER else ast.Users(ast.Frequency(), of_account)
    if isinstance(drawn, ast.Users):
        users = replace(drawn, rule=placed(drawn.rule, SubjectKind.USER, named))
        return users if kind is SubjectKind.ACCOUNT else ast.OfAccount(users)
    if isinstance(drawn, ast.Not):
        return ast.Not(placed(drawn.child, kind, named))
    if isinstance(drawn, ast.And | ast.Or | ast.AtLeast):
        return replace(drawn, children=tuple(placed(child, kind, named) for child in drawn.children))
    return drawn
