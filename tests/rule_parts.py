"""Random parts of rules: tests of values, events, windows, measures, and logic over anything.

Promise: every drawn part passes the checks of its place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from coterie.index.rules import ast
from coterie.index.rules.literals import exact_unit
from coterie.index.rules.words import UNIT_MS, WEEKDAYS
from tests.rule_palette import Palette, local_dates

# ---------------------------------------------------------------- tests of one value


def moments(palette: Palette) -> SearchStrategy[ast.Moment]:
    """Dates, times and instants."""
    return st.one_of(palette.local_times, palette.instants)


def literals(palette: Palette) -> SearchStrategy[ast.Literal]:
    """Values of every type."""
    kinds: list[SearchStrategy[Any]] = [palette.texts, palette.numbers, st.booleans(), moments(palette)]
    return st.one_of(*kinds, *([palette.versions] if palette.versions is not None else []))


def _compare(values: SearchStrategy[Any]) -> SearchStrategy[ast.Compare]:
    def build(value: ast.Literal, op: ast.CompareOp, ignore_case: bool) -> ast.Compare:
        if isinstance(value, bool) and op not in {ast.CompareOp.EQ, ast.CompareOp.NE}:
            op = ast.CompareOp.EQ
        return ast.Compare(op, value, ignore_case and isinstance(value, str))

    return st.builds(build, values, st.sampled_from(ast.CompareOp), st.booleans())


def _one_of(values: SearchStrategy[Any]) -> SearchStrategy[ast.OneOf]:
    def build(values: list[ast.Literal], negated: bool, ignore_case: bool) -> ast.OneOf:
        return ast.OneOf(tuple(values), negated, ignore_case and all(isinstance(value, str) for value in values))

    return st.builds(build, st.lists(values, min_size=1, max_size=4), st.booleans(), st.booleans())


def _between(
    values: SearchStrategy[Any], key: Callable[[Any], Any] = lambda value: value
) -> SearchStrategy[ast.Between]:
    return st.lists(values, min_size=2, max_size=2).map(lambda pair: ast.Between(*sorted(pair, key=key)))


def _between_moments(values: SearchStrategy[Any]) -> SearchStrategy[ast.Between]:
    def key(moment: ast.Moment) -> Any:
        return moment.ms if isinstance(moment, ast.Instant) else moment.value

    return _between(values, key).filter(lambda between: key(between.low) < key(between.high))


def _parts(version: ast.Version) -> list[int]:
    return [int(part) for part in version.text.split(".")]


@cache
def value_tests(palette: Palette, *, ages: bool = True, near: bool = True) -> SearchStrategy[ast.Test]:
    """Tests of an attribute or property, of the palette's kinds."""
    choices: dict[type, list[SearchStrategy[Any]]] = {
        ast.Compare: [_compare(literals(palette))],
        ast.OneOf: [_one_of(palette.texts), _one_of(literals(palette))],
        ast.Between: [
            _between(palette.numbers),
            _between_moments(palette.local_times),
            _between_moments(palette.instants),
            *([_between(palette.versions, _parts)] if palette.versions is not None else []),
        ],
        ast.TextMatch: [
            st.builds(ast.TextMatch, st.sampled_from(ast.TextOp), palette.texts, st.booleans(), st.booleans())
        ],
        ast.IsSet: [st.builds(ast.IsSet, st.booleans())],
        ast.Near: [near_tests()] if near else [],
        ast.Age: [age_tests(palette)] if ages else [],
    }
    return st.one_of(*(choice for kind, kinds in choices.items() if kind in palette.tests for choice in kinds))


def near_tests() -> SearchStrategy[ast.Near]:
    """Circles anywhere on Earth."""
    return st.builds(
        ast.Near,
        st.floats(0.001, 20_000).map(lambda km: round(km, 3)),
        st.floats(-90, 90).map(lambda degrees: degrees + 0.0),
        st.floats(-180, 180).map(lambda degrees: degrees + 0.0),
    )


def age_tests(palette: Palette) -> SearchStrategy[ast.Age]:
    """Ages of all four relations."""
    return st.builds(ast.Age, st.sampled_from(ast.AgeRelation), palette.durations)


# ---------------------------------------------------------------- events


@cache
def predicates(palette: Palette) -> SearchStrategy[ast.Predicate]:
    """What may stand after `where`."""
    leaf: SearchStrategy[Any] = st.builds(ast.PropertyTest, palette.properties, value_tests(palette, ages=False))
    if palette.event_time:
        leaf = st.one_of(leaf, leaf, _event_time_tests())
    return st.recursive(leaf, lambda inner: logic(inner, frozenset({ast.And, ast.Or, ast.Not})), max_leaves=4)


def _event_time_tests() -> SearchStrategy[ast.EventTimeTest]:
    hours, days = st.integers(0, 23).map(float), st.sampled_from(WEEKDAYS)
    equal = st.sampled_from([ast.CompareOp.EQ, ast.CompareOp.NE])
    tests: dict[ast.EventTimePart, SearchStrategy[Any]] = {
        ast.EventTimePart.HOUR: st.one_of(_compare(hours), _one_of(hours), _between(hours)),
        ast.EventTimePart.WEEKDAY: st.one_of(st.builds(ast.Compare, equal, days), _one_of(days)),
        ast.EventTimePart.DATE: st.one_of(
            _compare(local_dates()), _one_of(local_dates()), _between_moments(local_dates())
        ),
    }
    return st.one_of(*(st.builds(ast.EventTimeTest, st.just(part), test) for part, test in tests.items()))


@cache
def events(palette: Palette) -> SearchStrategy[ast.Events]:
    """Event selectors, half of them with a `where`."""
    types = st.one_of(palette.events, st.none()) if palette.any_event else palette.events
    return st.builds(ast.Events, types, st.one_of(st.none(), predicates(palette)))


# ---------------------------------------------------------------- frequencies and windows


def frequencies(palette: Palette) -> SearchStrategy[ast.Frequency]:
    """Frequencies, small ones often."""
    counts = st.one_of(st.integers(0, min(4, palette.max_count)), st.integers(0, palette.max_count))
    pairs = st.tuples(counts, counts).map(sorted)
    return st.one_of(
        st.just(ast.Frequency()),
        st.builds(ast.Frequency, counts),
        pairs.map(lambda pair: ast.Frequency(pair[0], pair[1])),
    )


@cache
def windows(palette: Palette) -> SearchStrategy[ast.Window | None]:
    """Windows of the palette's kinds; None is all time."""
    choices: dict[type, SearchStrategy[Any]] = {
        type(None): st.none(),
        ast.Sliding: st.builds(ast.Sliding, palette.durations),
        ast.AgoRange: _ago_ranges(palette),
        ast.Absolute: _absolutes(palette),
        ast.Calendar: _calendars(),
        ast.ThisVisit: st.just(ast.ThisVisit()),
    }
    return st.one_of(*(choice for kind, choice in choices.items() if kind in palette.windows))


def _ago_ranges(palette: Palette) -> SearchStrategy[ast.AgoRange]:
    def build(first: int, second: int, weeks: bool) -> ast.AgoRange:
        far, near = max(first, second), min(first, second)
        unit = exact_unit(far, near)
        whole_weeks = far % UNIT_MS["weeks"] == 0 and near % UNIT_MS["weeks"] == 0
        return ast.AgoRange(far, near, "weeks" if weeks and whole_weeks else unit)

    nearer = st.one_of(st.just(0), palette.durations)
    return st.builds(build, palette.durations, nearer, st.booleans()).filter(
        lambda window: window.far_ms > window.near_ms
    )


def _absolutes(palette: Palette) -> SearchStrategy[ast.Absolute]:
    def ordered(between: ast.Between) -> ast.Absolute:
        assert isinstance(between.low, ast.LocalTime | ast.Instant)
        assert isinstance(between.high, ast.LocalTime | ast.Instant)
        return ast.Absolute(between.low, between.high)

    return st.one_of(
        _between_moments(palette.local_times).map(ordered),
        _between_moments(palette.instants).map(ordered),
        moments(palette).map(lambda moment: ast.Absolute(moment, None)),
        moments(palette).map(lambda moment: ast.Absolute(None, moment)),
    )


def _calendars() -> SearchStrategy[ast.Calendar]:
    back = st.integers(0, 3)
    return st.builds(
        lambda unit, first, second: ast.Calendar(unit, max(first, second), min(first, second)),
        st.sampled_from(ast.CalendarUnit),
        back,
        back,
    )


# ---------------------------------------------------------------- measures

_NUMERIC = {ast.Aggregate.SUM, ast.Aggregate.AVG, ast.Aggregate.MIN, ast.Aggregate.MAX}


@cache
def measures(palette: Palette) -> SearchStrategy[ast.Measure]:
    """Measures of the palette's aggregates."""
    of_numbers = palette.properties if palette.number_properties is None else palette.number_properties

    def of(aggregate: ast.Aggregate) -> SearchStrategy[ast.Measure]:
        properties: SearchStrategy[str | None] = st.none()
        if aggregate in _NUMERIC:
            properties = of_numbers
        elif aggregate is ast.Aggregate.DISTINCT:
            properties = palette.properties
        elif aggregate in {ast.Aggregate.FIRST, ast.Aggregate.LAST}:
            properties = st.one_of(st.none(), palette.properties)
        selected = st.none() if aggregate is ast.Aggregate.VISITS else events(palette)
        return st.builds(ast.Measure, st.just(aggregate), selected, properties, windows(palette), palette.zones)

    return st.sampled_from(sorted(palette.aggregates, key=lambda aggregate: aggregate.value)).flatmap(of)


@cache
def measure_tests(palette: Palette) -> SearchStrategy[ast.MeasureTest]:
    """Tests of measures: numbers, times, values, arithmetic on either side, one window shared by all of them or not."""
    numeric = measures(palette).filter(_is_number)
    term: SearchStrategy[Any] = numeric
    if palette.operators:
        operators = st.sampled_from(sorted(palette.operators, key=lambda operator: operator.value))
        term = st.recursive(
            st.one_of(numeric, numeric, palette.numbers),
            lambda inner: st.builds(ast.Arithmetic, operators, inner, inner),
            max_leaves=4,
        )
    by_term = st.builds(
        lambda left, op, right: ast.MeasureTest(left, ast.TermCompare(op, right)),
        term,
        st.sampled_from(ast.CompareOp),
        term.filter(lambda right: not isinstance(right, float)),
    ).filter(_measures_something)
    numbers_ = st.one_of(_compare(palette.numbers), _between(palette.numbers), _one_of(palette.numbers))
    by_number = st.builds(ast.MeasureTest, term.filter(_has_measure), numbers_)
    kinds: list[SearchStrategy[ast.MeasureTest]] = [by_number, by_number.map(_share_window), by_term]
    times = measures(palette).filter(_is_time)
    if palette.aggregates & {ast.Aggregate.FIRST, ast.Aggregate.LAST}:
        of_times = st.one_of(_compare(moments(palette)), age_tests(palette), _between_moments(palette.instants))
        kinds += [
            st.builds(ast.MeasureTest, times, of_times),
            st.builds(ast.MeasureTest, measures(palette).filter(_is_open), value_tests(palette, near=False)),
        ]
    return st.one_of(*kinds)


def _is_time(measure: ast.Measure) -> bool:
    return measure.aggregate in {ast.Aggregate.FIRST, ast.Aggregate.LAST} and measure.property is None


def _is_open(measure: ast.Measure) -> bool:
    return measure.aggregate in {ast.Aggregate.FIRST, ast.Aggregate.LAST} and measure.property is not None


def _is_number(measure: ast.Measure) -> bool:
    return measure.aggregate not in {ast.Aggregate.FIRST, ast.Aggregate.LAST}


def _has_measure(term: ast.Term) -> bool:
    if isinstance(term, ast.Arithmetic):
        return _has_measure(term.left) or _has_measure(term.right)
    return isinstance(term, ast.Measure)


def _measures_something(node: ast.MeasureTest) -> bool:
    assert isinstance(node.test, ast.TermCompare)
    return _has_measure(node.term) or _has_measure(node.test.term)


def _share_window(node: ast.MeasureTest) -> ast.MeasureTest:
    """Gives all measures the window and zone of the first: such rules print with one window at their end."""

    def first(term: ast.Term) -> ast.Measure | None:
        if isinstance(term, ast.Arithmetic):
            return first(term.left) or first(term.right)
        return term if isinstance(term, ast.Measure) else None

    def same(term: ast.Term) -> ast.Term:
        if isinstance(term, ast.Arithmetic):
            return ast.Arithmetic(term.op, same(term.left), same(term.right))
        if isinstance(term, ast.Measure):
            return ast.Measure(term.aggregate, term.events, term.property, model.window, model.zone)
        return term

    model = first(node.term)
    assert model is not None
    return ast.MeasureTest(same(node.term), node.test)


def logic(inner: SearchStrategy[Any], nesting: frozenset[type]) -> SearchStrategy[Any]:
    """What joins conditions, of the node types in `nesting`."""
    several = st.lists(inner, min_size=2, max_size=4)
    choices: dict[type, SearchStrategy[Any]] = {
        ast.And: several.map(lambda children: ast.And(_flat(ast.And, children))),
        ast.Or: several.map(lambda children: ast.Or(_flat(ast.Or, children))),
        ast.Not: st.builds(ast.Not, inner),
        ast.AtLeast: st.lists(inner, min_size=1, max_size=4).flatmap(
            lambda children: st.builds(ast.AtLeast, st.integers(1, len(children)), st.just(tuple(children)))
        ),
    }
    return st.one_of(*(choice for node, choice in choices.items() if node in nesting))


def _flat(kind: type[ast.And | ast.Or], children: list[Any]) -> tuple[Any, ...]:
    return tuple(part for child in children for part in (child.children if isinstance(child, kind) else (child,)))
