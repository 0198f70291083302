"""Strategies over a tiny vocabulary, so that random events, rules and instants collide.

Three event types, three properties, a handful of identifiers, two durations and the days of a clock
change. Owns what random tests draw from. Invariant: every rule drawn has a text form, and most of them
can be evaluated; what the engine refuses (`RuleUnsupported`) is skipped by the tests.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from hypothesis import strategies as st

from coterie.index.model import ANONYMOUS_ID, USER_ID, Event, Identifier, SubjectKind, Universe
from coterie.index.rules import ast

Drawn = TypeVar("Drawn")

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
ZONES = ("UTC", "Europe/Paris")
STARTS = (
    1_774_735_200_000,  # 2026-03-28T22:00Z: clocks in Paris go forward three hours later
    1_792_875_600_000,  # 2026-10-24T21:00Z: clocks in Paris go back four hours later
    1_798_743_600_000,  # 2026-12-31T19:00Z
)
CLOCK_CHANGES = (1_774_746_000_000, 1_792_890_000_000)
DURATIONS = (15 * MINUTE, DAY)
DATES = tuple(ast.LocalTime(datetime(*day), date_only=True) for day in ((2026, 3, 29), (2026, 3, 30), (2026, 10, 25)))
MOMENTS = (*DATES, ast.LocalTime(datetime(2026, 3, 29, 2, 30)), ast.Instant(CLOCK_CHANGES[1]))


def _weighted(*choices: tuple[int, st.SearchStrategy[Drawn]]) -> st.SearchStrategy[Drawn]:
    """Draws from one of several strategies, as often as its weight says.

    (`one_of` leaves out repeats, and spells nested strategies out, which here takes megabytes.)
    """
    strategies = [strategy for weight, strategy in choices for _ in range(weight)]

    @st.composite
    def drawn(draw: st.DrawFn) -> Drawn:
        return draw(strategies[draw(st.integers(0, len(strategies) - 1))])

    return drawn()


TYPES = ("view", "view", "buy", "login")
NUMBERS = (0.0, 1.14, 10.0, -2.5)
TEXTS = ("shoes", "Shoes", "hats")
LISTS = (("vip",), ("vip", "new"), ())
VERSIONS = ("4.9", "4.10")


PROPERTIES = st.fixed_dictionaries(
    {"price": st.sampled_from((*NUMBERS, "10"))},
    optional={"category": st.sampled_from(TEXTS), "tags": st.sampled_from(LISTS)},
)
CONTEXTS = st.fixed_dictionaries(
    {}, optional={"os": st.sampled_from(("iOS", "Android", 7.0)), "category": st.sampled_from(TEXTS)}
)
USERS = tuple(Identifier(USER_ID, name) for name in ("u1", "u2"))
DEVICES = tuple(Identifier(ANONYMOUS_ID, name) for name in ("a1", "a2"))
_U1, _U2, _A1, _A2 = *USERS, *DEVICES
IDENTIFIERS = st.sampled_from(
    ((_U1,), (_U1,), (_A1,), (_A1,), (_U2,), (_A2,), (_U1, _A1), (_U2, _A1), (_U1, _A2), (_U2, _A2))
)
ACCOUNTS = st.sampled_from((None, None, "c1", "c2"))


def events(times: st.SearchStrategy[int | None]) -> st.SearchStrategy[Event]:
    """Draws an event without an id."""
    return st.builds(
        Event,
        event_id=st.just(""),
        type=st.sampled_from(TYPES),
        identifiers=IDENTIFIERS,
        account_id=ACCOUNTS,
        time=times,
        properties=PROPERTIES,
        context=CONTEXTS,
    )


ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(("pro", "Free", 3.0, None)),
        "age": st.sampled_from((17.0, 18.0, None)),
        "tags": st.sampled_from((*LISTS, None)),
        "version": st.sampled_from((*VERSIONS, "beta", None)),
    },
)

# ---------------------------------------------------------------- tests of one value

COMPARE_OPS = st.sampled_from(ast.CompareOp)
EQUALITY_OPS = st.sampled_from((ast.CompareOp.EQ, ast.CompareOp.NE))
IS_SET = st.builds(ast.IsSet, negated=st.booleans())
NUMBER_TESTS = st.one_of(
    st.builds(ast.Compare, COMPARE_OPS, st.sampled_from(NUMBERS)),
    st.builds(ast.Between, st.just(0.0), st.sampled_from((1.14, 10.0))),
    st.builds(ast.OneOf, st.just((0.0, 10.0)), negated=st.booleans()),
)
TEXT_TESTS = st.one_of(
    st.builds(ast.Compare, COMPARE_OPS, st.sampled_from(TEXTS)),
    st.builds(ast.Compare, EQUALITY_OPS, st.sampled_from(TEXTS), ignore_case=st.booleans()),
    st.builds(ast.OneOf, st.just(("shoes", "pro")), negated=st.booleans(), ignore_case=st.booleans()),
    st.builds(
        ast.TextMatch,
        st.sampled_from(ast.TextOp),
        st.sampled_from(("sh", "S*s", "?ats", "s")),
        negated=st.booleans(),
        ignore_case=st.booleans(),
    ),
)
LIST_TESTS = st.one_of(
    st.builds(ast.TextMatch, st.just(ast.TextOp.CONTAINS), st.sampled_from(("vip", "new")), negated=st.booleans()),
    st.builds(ast.OneOf, st.just(("new", "old")), negated=st.booleans()),
)
VERSION_TESTS = st.builds(ast.Compare, COMPARE_OPS, st.sampled_from(VERSIONS).map(ast.Version))
AGE_TESTS = st.builds(ast.Age, st.sampled_from(ast.AgeRelation), st.sampled_from(DURATIONS))
PAST_TESTS = st.one_of(
    st.builds(
        ast.Age,
        st.sampled_from((ast.AgeRelation.MORE_THAN_AGO, ast.AgeRelation.WITHIN_LAST)),
        st.sampled_from(DURATIONS),
    ),
    st.builds(ast.Compare, st.sampled_from((ast.CompareOp.LT, ast.CompareOp.GE)), st.sampled_from(MOMENTS)),
)
DATE_TESTS = st.one_of(
    st.builds(ast.Compare, COMPARE_OPS, st.sampled_from(DATES)),
    st.just(ast.Between(DATES[0], DATES[1])),
)

# ---------------------------------------------------------------- events and windows

_PROPERTY_TESTS = st.one_of(
    st.builds(ast.PropertyTest, st.just("price"), st.one_of(NUMBER_TESTS, IS_SET)),
    st.builds(ast.PropertyTest, st.sampled_from(("category", "os")), st.one_of(TEXT_TESTS, IS_SET)),
    st.builds(ast.PropertyTest, st.just("tags"), LIST_TESTS),
    st.builds(ast.EventTimeTest, st.just(ast.EventTimePart.HOUR), st.just(ast.Between(1.0, 3.0))),
    st.builds(ast.EventTimeTest, st.just(ast.EventTimePart.WEEKDAY), st.just(ast.OneOf(("sat", "sun")))),
    st.builds(ast.EventTimeTest, st.just(ast.EventTimePart.DATE), DATE_TESTS),
)


def _joined(node: type[ast.And | ast.Or], children: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Draws two or three children under `node`, none of them such a node itself."""
    flat = children.filter(lambda child: not isinstance(child, node))
    return st.lists(flat, min_size=2, max_size=3).map(lambda drawn: node(tuple(drawn)))  # type: ignore[arg-type]


def _logic(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(
        leaves,
        leaves.map(ast.Not),  # type: ignore[arg-type]
        _joined(ast.And, leaves),
        _joined(ast.Or, leaves),
        _joined(ast.Or, _joined(ast.And, leaves)),
    )


WHERE = _weighted((1, _logic(_PROPERTY_TESTS)))
EVENTS = _weighted(
    (2, st.just(ast.Events(None))),
    (3, st.builds(ast.Events, st.sampled_from(TYPES))),
    (1, st.builds(ast.Events, st.sampled_from((*TYPES, None)), WHERE)),
)
LEAF_ZONES = st.sampled_from((None, None, "Europe/Paris", "America/St_Johns"))
FIXED_WINDOWS = st.one_of(
    st.none(),
    st.builds(ast.Absolute, st.sampled_from(MOMENTS), st.none()),
    st.builds(ast.Absolute, st.none(), st.sampled_from(MOMENTS)),
    st.just(ast.Absolute(MOMENTS[0], MOMENTS[1])),
)
WINDOWS = _weighted(
    (2, st.none()),
    (1, FIXED_WINDOWS),
    (3, st.builds(ast.Sliding, st.sampled_from(DURATIONS))),
    (2, st.sampled_from((ast.AgoRange(2 * DAY, DAY), ast.AgoRange(DAY, 0), ast.AgoRange(HOUR, 0, "hours")))),
    (
        2,
        st.builds(
            lambda unit, backs: ast.Calendar(unit, *backs),
            st.sampled_from((ast.CalendarUnit.DAY, *ast.CalendarUnit)),
            st.sampled_from(((0, 0), (1, 1), (1, 0))),
        ),
    ),
)
FREQUENCIES = st.sampled_from(
    [ast.Frequency(*bounds) for bounds in ((1, None), (1, None), (2, None), (1, 1), (0, 1), (1, 2), (2, 3))]
)

# ---------------------------------------------------------------- leaves


def _measures(aggregates: tuple[ast.Aggregate, ...], name: str | None) -> st.SearchStrategy[ast.Measure]:
    return st.builds(ast.Measure, st.sampled_from(aggregates), EVENTS, st.just(name), WINDOWS, LEAF_ZONES)


_A = ast.Aggregate
NUMERIC_TERMS = st.one_of(
    _measures((_A.COUNT, _A.DAYS), None),
    _measures((_A.SUM, _A.AVG, _A.DISTINCT), "price"),
    _measures((_A.DISTINCT,), "category"),
    st.builds(
        ast.Arithmetic,
        st.sampled_from(ast.ArithmeticOp),
        _measures((_A.SUM, _A.AVG), "price"),
        st.one_of(st.sampled_from((0.5, 2.0)), _measures((_A.COUNT,), None)),
    ),
)
FIRST_PRICES = st.builds(ast.Measure, st.just(_A.FIRST), EVENTS, st.just("price"), FIXED_WINDOWS, LEAF_ZONES)
TIMES = st.one_of(
    st.builds(ast.Measure, st.just(_A.FIRST), EVENTS, st.none(), FIXED_WINDOWS, LEAF_ZONES),
    st.builds(ast.Measure, st.just(_A.LAST), EVENTS, st.none(), WINDOWS, LEAF_ZONES),
)
MEASURE_TESTS = _weighted(
    (3, st.builds(ast.MeasureTest, NUMERIC_TERMS, NUMBER_TESTS)),
    (1, st.builds(ast.MeasureTest, NUMERIC_TERMS, st.builds(ast.TermCompare, COMPARE_OPS, NUMERIC_TERMS))),
    (1, st.builds(ast.MeasureTest, TIMES, st.builds(ast.TermCompare, COMPARE_OPS, TIMES))),
    (1, st.builds(ast.MeasureTest, TIMES, PAST_TESTS)),
    (2, st.builds(ast.MeasureTest, _measures((_A.LAST,), "price"), st.one_of(NUMBER_TESTS, IS_SET))),
    (1, st.builds(ast.MeasureTest, _measures((_A.LAST,), "category"), TEXT_TESTS)),
    (1, st.builds(ast.MeasureTest, FIRST_PRICES, NUMBER_TESTS)),
    (1, st.builds(ast.MeasureTest, _measures((_A.MIN, _A.MAX), "price"), NUMBER_TESTS)),
)
_OWN = st.just(ast.Owner.USER)
ATTRIBUTE_TESTS = _weighted(
    (1, st.builds(ast.AttributeTest, _OWN, st.just("plan"), st.one_of(TEXT_TESTS, IS_SET))),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("age"), NUMBER_TESTS)),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("tags"), st.one_of(LIST_TESTS, IS_SET))),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("version"), VERSION_TESTS)),
    (4, st.builds(ast.AttributeTest, _OWN, st.just("trial_ends"), AGE_TESTS)),
    (1, st.builds(ast.AttributeTest, _OWN, st.just("trial_ends"), PAST_TESTS, LEAF_ZONES)),
    (2, st.builds(ast.AttributeTest, st.just(ast.Owner.CURRENT), st.sampled_from(("os", "category")), TEXT_TESTS)),
)
SPLITS = st.sampled_from((ast.InSplit("spring", 0, 5_000), ast.InSplit("spring", 5_000, 10_000)))
DIDS = st.builds(ast.Did, EVENTS, FREQUENCIES, WINDOWS, LEAF_ZONES)
LEAVES: st.SearchStrategy[ast.Expression] = _weighted(
    (4, DIDS),
    (1, DIDS.map(ast.Not)),
    (1, st.builds(ast.DidFirst, EVENTS, st.booleans(), WINDOWS, LEAF_ZONES)),
    (4, MEASURE_TESTS),
    (2, ATTRIBUTE_TESTS),
    (1, SPLITS),
)


def rules(named: st.SearchStrategy[ast.InSegment | ast.InList] | None = None) -> st.SearchStrategy[ast.Expression]:
    """Draws a user rule; `named` are the segments and lists it may be nested on."""
    leaves = LEAVES if named is None else _weighted((4, LEAVES), (1, named))
    some = st.lists(leaves, min_size=2, max_size=3).map(tuple)
    at_least = some.flatmap(lambda drawn: st.builds(ast.AtLeast, st.integers(1, len(drawn)), st.just(drawn)))
    return _weighted((6, leaves), (3, _logic(leaves)), (1, at_least), (1, at_least.map(ast.Not)))  # type: ignore[arg-type]


UNIVERSES = st.sampled_from((Universe.ALL, Universe.ALL, Universe.KNOWN, Universe.ANONYMOUS))
KINDS = st.sampled_from((*[SubjectKind.USER] * 5, SubjectKind.ACCOUNT))
