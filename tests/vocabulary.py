"""Strategies over a tiny vocabulary, so that random events, rules and instants collide.

Three event types, a few properties, a handful of identifiers, two durations and the days of a clock
change. Owns the events, attributes, tests of values and windows that random tests draw; `vocabulary_rules` has
the rules made of them. Invariant: everything drawn has a text form.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from hypothesis import strategies as st

from coterie.index.model import ANONYMOUS_ID, USER_ID, Event, Identifier, Mode, SubjectKind, Universe
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


def weighted(*choices: tuple[int, st.SearchStrategy[Drawn]]) -> st.SearchStrategy[Drawn]:
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
INSTANTS = tuple(start + beside for start in STARTS for beside in (-DAY, 15 * MINUTE, 2 * HOUR, 3 * HOUR, DAY, 2 * DAY))
DUE = (*INSTANTS, "soon", 10.0)
FLAGS = (True, False, "yes")


PROPERTIES = st.fixed_dictionaries(
    {"price": st.sampled_from((*NUMBERS, "10"))},
    optional={
        "category": st.sampled_from(TEXTS),
        "tags": st.sampled_from(LISTS),
        "referrer": st.sampled_from(TEXTS),
        "due": st.sampled_from(DUE),
        "gift": st.sampled_from(FLAGS),
        "build": st.sampled_from((*VERSIONS, "beta")),
    },
)
NEAR = st.just(ast.Near(25.0, 48.85, 2.35))
LATITUDES, LONGITUDES = (48.85, 49.2), (2.35, 2.45, 2.9)  # inside, outside; inside, inside, outside
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "os": st.sampled_from(("iOS", "Android", 7.0)),
        "category": st.sampled_from(TEXTS),
        "source": st.sampled_from(("shoes", "hats", 7.0)),
        "due": st.sampled_from(DUE),
        "gift": st.sampled_from(FLAGS),
        "tags": st.sampled_from(LISTS),
        "build": st.sampled_from((*VERSIONS, "beta")),
    },
)
PLACES = st.sampled_from(
    (
        *[{}] * 3,
        {"latitude": LATITUDES[0]},
        *({"latitude": latitude, "longitude": longitude} for latitude in LATITUDES for longitude in LONGITUDES),
    )
)
USERS = tuple(Identifier(USER_ID, name) for name in ("u1", "u2"))
DEVICES = tuple(Identifier(ANONYMOUS_ID, name) for name in ("a1", "a2"))
_U1, _U2, _A1, _A2 = *USERS, *DEVICES
IDENTIFIERS = st.sampled_from(
    ((_U1,), (_U1,), (_A1,), (_A1,), (_U2,), (_A2,), (_U1, _A1), (_U2, _A1), (_U1, _A2), (_U2, _A2))
)
ACCOUNTS = st.sampled_from((None, None, "c1", "c2"))


def events(times: st.SearchStrategy[int | None]) -> st.SearchStrategy[Event]:
    """Draws an event without an id, of a user, an account or both."""
    return st.builds(
        Event,
        event_id=st.just(""),
        type=st.sampled_from(TYPES),
        identifiers=weighted((9, IDENTIFIERS), (1, st.just(()))),
        account_id=ACCOUNTS,
        time=times,
        properties=PROPERTIES,
        context=st.builds(lambda words, place: {**words, **place}, CONTEXTS, PLACES),
    ).map(of_somebody)


def of_somebody(event: Event) -> Event:
    """Returns an event that has a user or an account, as all have that are taken."""
    return event if event.identifiers or event.account_id else event._replace(account_id="c1")


ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(("pro", "Free", 3.0, None)),
        "age": st.sampled_from((17.0, 18.0, None)),
        "tags": st.sampled_from((*LISTS, None)),
        "version": st.sampled_from((*VERSIONS, "beta", None)),
        "staff": st.sampled_from((True, False, None)),
        "home_latitude": st.sampled_from((*LATITUDES, None)),
        "home_longitude": st.sampled_from((*LONGITUDES, None)),
        "account_id": st.sampled_from(("c1", "c2", "c9", None)),
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

FLAG_TESTS = st.builds(ast.Compare, EQUALITY_OPS, st.booleans())
MORE_VERSION_TESTS = st.one_of(
    VERSION_TESTS,
    st.just(ast.Between(*map(ast.Version, VERSIONS))),
    st.builds(ast.OneOf, st.just((ast.Version("4.10"), "beta")), negated=st.booleans()),
)
INSTANT_TESTS = st.one_of(
    st.builds(ast.Compare, COMPARE_OPS, st.sampled_from((*MOMENTS, *map(ast.Instant, INSTANTS)))),
    st.just(ast.Between(DATES[0], DATES[1])),
    st.builds(ast.OneOf, st.just((ast.Instant(INSTANTS[0]), ast.Instant(INSTANTS[1]), 10.0)), negated=st.booleans()),
    IS_SET,
)

# ---------------------------------------------------------------- events and windows

_PROPERTY_TESTS = st.one_of(
    st.builds(ast.PropertyTest, st.just("price"), st.one_of(NUMBER_TESTS, IS_SET)),
    st.builds(ast.PropertyTest, st.sampled_from(("category", "os")), st.one_of(TEXT_TESTS, IS_SET)),
    st.builds(ast.PropertyTest, st.just("tags"), LIST_TESTS),
    st.builds(ast.PropertyTest, st.just("location"), NEAR),
    st.builds(ast.PropertyTest, st.just("due"), INSTANT_TESTS),
    st.builds(ast.PropertyTest, st.just("gift"), FLAG_TESTS),
    st.builds(ast.PropertyTest, st.just("build"), MORE_VERSION_TESTS),
    st.builds(ast.EventTimeTest, st.just(ast.EventTimePart.HOUR), st.just(ast.Between(1.0, 3.0))),
    st.builds(ast.EventTimeTest, st.just(ast.EventTimePart.WEEKDAY), st.just(ast.OneOf(("sat", "sun")))),
    st.builds(ast.EventTimeTest, st.just(ast.EventTimePart.DATE), DATE_TESTS),
)


def _joined(node: type[ast.And | ast.Or], children: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Draws two or three children under `node`, none of them such a node itself."""
    flat = children.filter(lambda child: not isinstance(child, node))
    return st.lists(flat, min_size=2, max_size=3).map(lambda drawn: node(tuple(drawn)))  # type: ignore[arg-type]


def logic(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Draws leaves, alone or under `not`, `and`, `or`."""
    return st.one_of(
        leaves,
        leaves.map(ast.Not),  # type: ignore[arg-type]
        _joined(ast.And, leaves),
        _joined(ast.Or, leaves),
        _joined(ast.Or, _joined(ast.And, leaves)),
    )


WHERE = weighted((1, logic(_PROPERTY_TESTS)))
EVENTS = weighted(
    (2, st.just(ast.Events(None))),
    (3, st.builds(ast.Events, st.sampled_from(TYPES))),
    (1, st.builds(ast.Events, st.sampled_from((*TYPES, None)), WHERE)),
)
VISIT_TESTS = st.one_of(
    st.builds(
        ast.PropertyTest, st.just("duration_s"), st.builds(ast.Compare, COMPARE_OPS, st.sampled_from((0.0, 900.0)))
    ),
    st.builds(
        ast.PropertyTest, st.sampled_from(("events", "pages")), st.builds(ast.Compare, COMPARE_OPS, st.just(1.0))
    ),
    st.builds(ast.PropertyTest, st.sampled_from(("source", "referrer")), st.one_of(TEXT_TESTS, IS_SET)),
)
VISIT_EVENTS = st.builds(ast.Events, st.just("$visit"), st.none() | logic(VISIT_TESTS))
LEAF_ZONES = st.sampled_from((None, None, "Europe/Paris", "America/St_Johns"))
FIXED_WINDOWS = st.one_of(
    st.none(),
    st.builds(ast.Absolute, st.sampled_from(MOMENTS), st.none()),
    st.builds(ast.Absolute, st.none(), st.sampled_from(MOMENTS)),
    st.just(ast.Absolute(MOMENTS[0], MOMENTS[1])),
)
WINDOWS_OF_VISITS = weighted(
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
WINDOWS = weighted((10, WINDOWS_OF_VISITS), (1, st.just(ast.ThisVisit())))
FREQUENCIES = st.sampled_from(
    [ast.Frequency(*bounds) for bounds in ((1, None), (1, None), (2, None), (1, 1), (0, 1), (0, 0), (1, 2), (2, 3))]
)

# ---------------------------------------------------------------- segments

UNIVERSES = st.sampled_from((Universe.ALL, Universe.ALL, Universe.KNOWN, Universe.ANONYMOUS))
KINDS = st.sampled_from((*[SubjectKind.USER] * 4, SubjectKind.ACCOUNT))
MODES: st.SearchStrategy[tuple[Mode, int]] = weighted(
    (8, st.just((Mode.LIVE, 0))),
    (2, st.tuples(st.just(Mode.STICKY), st.sampled_from((*DURATIONS, HOUR)))),
    (1, st.just((Mode.ONCE, 0))),
)
