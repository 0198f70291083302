"""Random values, tests of values, selectors and arrivals over a small vocabulary, and what a selector means.

Names clash between properties and context, kinds clash within names, times tie. Owns what tests of columns,
filters and history draw from. Invariant: `selects` looks at one event at a time, with nothing of the engine's.
"""

from __future__ import annotations

from datetime import datetime

from hypothesis import strategies as st

from coterie.index.events.columns import Arrival
from coterie.index.model import Event, Value
from coterie.index.rules import ast
from tests.oracle import Happened, matches

ZONES = ("UTC", "Europe/Paris", "America/Sao_Paulo")
TIMES = (
    1_774_746_000_000,  # clocks in Paris go forward
    1_792_890_000_000,  # and back
    1_541_300_400_000,  # clocks in São Paulo jump over midnight
)
TEXTS = ("", "a", "A", "ab", "Straße", "STRASSE", "4.9", "4.10", "4.10.0", "x.1", "ÅÄ")
NUMBERS = (0.0, -0.0, 1.0, 2.5, -3.0, 1e300)
MOMENTS = (
    ast.LocalTime(datetime(2026, 3, 29), date_only=True),
    ast.LocalTime(datetime(2026, 10, 25, 2, 30)),
    ast.LocalTime(datetime(2018, 11, 4), date_only=True),
    ast.Instant(TIMES[0]),
    ast.Instant(1),
)

instants = st.sampled_from([*TIMES, 1, *(at + step for at in TIMES for step in (-3_600_000, -1, 1, 10_800_000))])
values: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.booleans(),
    instants,
    st.lists(st.sampled_from(TEXTS[:5]), max_size=3).map(tuple),
)
literals: st.SearchStrategy[ast.Literal] = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.booleans(),
    st.sampled_from(MOMENTS),
    st.sampled_from(("4.9", "4.10", "4.010", "4", "x")).map(ast.Version),
)
patterns = st.text(alphabet="aAb*?.4", max_size=5)
value_tests: st.SearchStrategy[ast.Test] = st.one_of(
    st.builds(ast.Compare, st.sampled_from(list(ast.CompareOp)), literals, st.booleans()),
    st.builds(ast.OneOf, st.lists(literals, min_size=1, max_size=4).map(tuple), st.booleans(), st.booleans()),
    st.builds(ast.Between, literals, literals),
    st.builds(ast.TextMatch, st.sampled_from(list(ast.TextOp)), patterns, st.booleans(), st.booleans()),
    st.builds(ast.IsSet, st.booleans()),
)
time_tests: st.SearchStrategy[ast.Predicate] = st.one_of(
    st.builds(
        ast.EventTimeTest,
        st.just(ast.EventTimePart.HOUR),
        st.builds(ast.Between, st.sampled_from((0.0, 1.0, 2.0)), st.sampled_from((2.0, 23.0))),
    ),
    st.builds(
        ast.EventTimeTest,
        st.just(ast.EventTimePart.WEEKDAY),
        st.builds(ast.OneOf, st.lists(st.sampled_from(("sat", "sun", "mon")), min_size=1).map(tuple), st.booleans()),
    ),
    st.builds(
        ast.EventTimeTest,
        st.just(ast.EventTimePart.DATE),
        st.one_of(
            st.builds(ast.Compare, st.sampled_from(list(ast.CompareOp)), st.sampled_from(MOMENTS[:3])),
            st.builds(ast.Between, st.sampled_from(MOMENTS[:3]), st.sampled_from(MOMENTS[:3])),
        ),
    ),
)

NAMES = ("p", "q", "os", "latitude", "longitude")
TYPES = ("view", "buy", "login", "$visit")
near_tests = st.builds(
    ast.PropertyTest,
    st.just("location"),
    st.builds(ast.Near, st.sampled_from((1.0, 5000.0)), st.just(1.0), st.just(2.0)),
)
property_tests = st.builds(ast.PropertyTest, st.sampled_from(NAMES[:3]), value_tests)
equalities = st.builds(
    ast.PropertyTest,
    st.sampled_from(NAMES[:2]),
    st.sampled_from(TEXTS[:5]).map(lambda text: ast.Compare(ast.CompareOp.EQ, text))
    | st.lists(st.sampled_from(TEXTS[:5]), min_size=1, max_size=3).map(lambda texts: ast.OneOf(tuple(texts))),
)


def _nested(inner: st.SearchStrategy[ast.Predicate]) -> st.SearchStrategy[ast.Predicate]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(ast.And, several), st.builds(ast.Or, several), st.builds(ast.Not, inner))


predicates = st.recursive(property_tests | equalities | time_tests | near_tests, _nested, max_leaves=4)
selectors = st.builds(ast.Events, st.none() | st.sampled_from(TYPES), st.none() | equalities | predicates)


def _bags(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Value]]:
    return st.dictionaries(st.sampled_from(names), values, max_size=3)


events = st.builds(
    Event,
    st.sampled_from(("", "e1", "e2", "e3")),
    st.sampled_from(TYPES),
    st.just(()),
    st.none(),
    st.none(),
    _bags(NAMES),
    _bags(NAMES[1:]),
)


@st.composite
def records(
    draw: st.DrawFn, revision: int, max_size: int = 12, drawn_events: st.SearchStrategy[Event] = events
) -> list[Arrival]:
    """Draws the arrivals of one record, sorted by time; each has a user, an account or both."""
    drawn = draw(st.lists(st.tuples(instants, st.integers(0, 4), st.integers(0, 2), drawn_events), max_size=max_size))
    in_order = sorted(drawn, key=lambda each: each[0])
    return [
        Arrival(time, revision * 256 + index, user or (0 if account else 1), account, event)
        for index, (time, user, account, event) in enumerate(in_order)
    ]


def selects(selector: ast.Events, arrival: Arrival, zone: str) -> bool:
    """Whether the event is one the selector means, by the oracle."""
    happened = Happened(arrival.time, (0, 0), arrival.user, arrival.account, arrival.event)
    return matches(selector, happened, zone)
