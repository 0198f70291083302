"""Explanations of random rules over random journals against the oracle: truths, values, and every promised flip."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coterie.index import model
from coterie.index.explained import Explained
from coterie.index.model import SegmentDefinition, SegmentKind, SubjectKind, Universe
from coterie.index.rules import ast
from coterie.index.rules.printer import print_rule
from tests import oracle
from tests import vocabulary as words
from tests.compare_explanations import explained
from tests.oracle_moment import Moment
from tests.oracle_time import day_start, local_date
from tests.oracle_visits import VISIT_GAP_MS
from tests.side_by_side import Setting, SideBySide
from tests.vocabulary import DAY, HOUR, logic, weighted
from tests.vocabulary_rules import LEAVES

FAR = 800 * DAY  # time alone changes nothing of these rules later than that
LONGEST = 1_000  # characters of a node's text


def leaves(rule: Any, node: Explained) -> Iterator[tuple[Any, Explained]]:
    """Every node of a rule beside what is said of it, those of other segments left out."""
    yield rule, node
    children = getattr(rule, "children", ()) or (getattr(rule, "child", None),)
    if isinstance(rule, ast.And | ast.Or | ast.AtLeast | ast.Not):
        for child, part in zip(children, node.children, strict=True):
            yield from leaves(child, part)


def instants(pair: SideBySide, until: int) -> list[int]:
    """Every instant at which anything may flip by time alone, as far as the engine itself does not say."""
    now, found = pair.now, set()
    moments = []
    for happened in pair.dataset.events:
        moments.append(happened.time)
        moments += [value for value in happened.event.properties.values() if type(value) is int]
        moments += [value for value in happened.event.context.values() if type(value) is int]
    now_of_users = Moment(pair.dataset, SubjectKind.USER, now)
    for subject in now_of_users.subjects():
        moments += [value for value in now_of_users.attributes(subject).values() if type(value) is int]
    widths = (0, *words.DURATIONS, HOUR, 2 * DAY, VISIT_GAP_MS)
    found |= {moment + sign * width for moment in moments for width in widths for sign in (1, -1)}
    for zone in ("UTC", "Europe/Paris", "America/St_Johns"):
        found |= set(midnights(now, zone))
    found |= {moment + 1 for moment in found} | {moment - 1 for moment in found}
    return sorted(moment for moment in found if now < moment <= until)


def midnights(now: int, zone: str) -> Iterator[int]:
    """The local midnights of the next days, and those of months and years after them."""
    today = local_date(now, zone)
    for days in range(1, 16):
        yield day_start(today + timedelta(days=days), zone)
    for months in range(1, 4):
        month = today.month - 1 + months
        yield day_start(date(today.year + month // 12, month % 12 + 1, 1), zone)
    for years in range(1, 4):
        yield day_start(date(today.year + years, 1, 1), zone)


def first_flip(pair: SideBySide, rule: Any, subject: int, candidates: list[int]) -> int | None:
    """When the oracle first says otherwise than now."""

    def holds(at: int) -> bool:
        return oracle.holds(rule, subject, Moment(pair.dataset, SubjectKind.USER, at))

    now = holds(pair.now)
    return next((at for at in candidates if holds(at) != now), None)


EVENTS = st.lists(
    words.events(st.none()).flatmap(
        lambda event: st.sampled_from(
            (-2 * DAY, -DAY, -HOUR, -30 * 60_000, -15 * 60_000, -10 * 60_000, -1, 0, 1, 60_000, -3 * HOUR)
        ).map(lambda ago: (event, ago))
    ),
    min_size=1,
    max_size=8,
)

_SOME = st.lists(LEAVES, min_size=2, max_size=3).map(tuple)
RULES: st.SearchStrategy[Any] = weighted(
    (6, LEAVES),
    (3, logic(LEAVES)),
    (1, st.builds(ast.AtLeast, st.just(2), _SOME)),
)


@given(
    zone=st.sampled_from(words.ZONES),
    start=st.sampled_from(words.STARTS),
    who=words.IDENTIFIERS,
    drawn=EVENTS,
    attributes=words.ATTRIBUTES,
    trial_ends=st.sampled_from((None, -DAY, -HOUR, 0, 1, 15 * 60_000, DAY, 2 * DAY)),
    rules=st.lists(RULES, min_size=1, max_size=3),
    universe=words.UNIVERSES,
)
def test_truths_and_flips_are_the_oracles(
    zone: str, start: int, who: Any, drawn: Any, attributes: Any, trial_ends: int | None, rules: Any, universe: Universe
) -> None:
    """Each node holds where the oracle says so, and flips at the first instant at which the oracle does."""
    pair = SideBySide(Setting(zone))
    pair.apply(model.Tick(), start - DAY)
    (first, ago), *rest = drawn
    drawn = [(first._replace(identifiers=who), ago), *rest]
    events = sorted((event._replace(time=start + ago) for event, ago in drawn), key=lambda event: event.time)
    if trial_ends is not None:
        attributes = {**attributes, "trial_ends": start + trial_ends}
    pair.apply(model.SetAttributes((model.AttributeUpdate(SubjectKind.USER, who, attributes),)), start)
    pair.apply(model.IngestEvents(tuple(events)), start)
    made = []
    for number, rule in enumerate(rules):
        text = print_rule(rule)
        pair.rules[text] = rule
        name = f"s{number}"
        definition = SegmentDefinition(name, SegmentKind.RULE, SubjectKind.USER, text, universe=universe)
        pair.apply(model.CreateSegment(definition))
        if name in pair.dataset.segments:
            if pair.dataset.segments[name].pending:
                pair.apply(model.ActivateBuild(name))
            made.append((name, rule))
    candidates = instants(pair, start + FAR)
    for name, rule in made:
        compare(pair, name, rule, who, candidates)


def compare(pair: SideBySide, name: str, rule: Any, names: Any, candidates: list[int]) -> None:
    """Compares one explanation with the oracle."""
    answer = explained(pair.engine, SubjectKind.USER, names, name)
    subject = pair.engine.find(SubjectKind.USER, names)
    assert answer.known
    assert answer.agrees
    assert answer.looked_until is None
    assert answer.segment is not None
    assert answer.segment.holds == answer.member == pair.engine.is_member(name, subject)
    for part, node in leaves(rule, answer.segment.children[0]):
        assert node.text == shown(print_rule(part))
        assert node.holds == oracle.holds(part, subject, Moment(pair.dataset, SubjectKind.USER, pair.now)), node.text
        assert node.next_flip == first_flip(pair, part, subject, candidates), node.text
        compare_facts(pair, part, node, subject)
    membership = ast.InSegment(name)
    assert answer.segment.next_flip == first_flip(pair, membership, subject, candidates), name


def shown(text: str) -> str:
    """What is shown of a rule's text: all of it, or its beginning and a mark."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def compare_facts(pair: SideBySide, leaf: Any, node: Explained, subject: int) -> None:
    """Compares a leaf's value and newest event."""
    moment = Moment(pair.dataset, SubjectKind.USER, pair.now)

    def of_events(aggregate: ast.Aggregate, events: ast.Events, window: ast.Window | None = None) -> Any:
        return oracle.term_value(ast.Measure(aggregate, events, None, window, leaf.zone), subject, moment)

    match leaf:
        case ast.Did(events=events, window=window):
            assert node.value == of_events(ast.Aggregate.COUNT, events, window)
            assert newest(node) == of_events(ast.Aggregate.LAST, events, window)
        case ast.MeasureTest(term=term, test=test):
            assert node.value == oracle.term_value(term, subject, moment)
            if isinstance(test, ast.TermCompare):
                assert node.threshold == oracle.term_value(test.term, subject, moment)
            elif isinstance(term, ast.Measure) and term.property is None and isinstance(node.value, int):
                assert newest(node) == node.value
        case ast.AttributeTest(owner=owner, name=name, test=test) if not isinstance(test, ast.Near):
            assert node.value == moment.attribute(subject, owner, name)
        case ast.InSplit(salt=salt):
            assert node.value == oracle.bucket(salt, moment.first_identifier(subject)) / 100
        case ast.DidFirst(events=events, very_first=False):
            assert node.value == newest(node) == of_events(ast.Aggregate.FIRST, events)


def newest(node: Explained) -> int | None:
    """The time of the newest event."""
    return None if node.newest is None else node.newest.time
