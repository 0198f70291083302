"""Trends of the time before a segment was created: what the live engine would have recorded, hour by hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from coterie.index import model
from coterie.index.changes import TrendPoint
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError
from coterie.index.model import (
    Change,
    Event,
    Identifier,
    Record,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
    Universe,
)
from coterie.index.reconstructible import nodes_of
from coterie.index.reconstruction import Reach, Reconstruction
from coterie.index.rules import ast, print_rule
from coterie.index.settings import Settings
from coterie.index.strides import Touches, strides
from tests import vocabulary as words
from tests.vocabulary import DAY, HOUR, MINUTE
from tests.vocabulary_rules import rules

START = words.STARTS[0]
FAR = Reach(1_000_000, 400 * DAY)
GAPS = st.sampled_from((1, 15 * MINUTE, 15 * MINUTE, HOUR, 5 * HOUR, DAY - 1, DAY, DAY + 1))
Happened = tuple[int, tuple[Event, ...]]


def definition(name: str, rule: str, kind: SubjectKind = SubjectKind.USER, **fields: object) -> SegmentDefinition:
    """A rule segment."""
    return SegmentDefinition(name, SegmentKind.RULE, kind, rule, **fields)  # type: ignore[arg-type]


@dataclass
class Driven:
    """An engine and the records it was given."""

    engine: Engine = field(default_factory=Engine)
    changes: list[Change] = field(default_factory=list)

    def apply(self, payload: model.Payload, at: int) -> None:
        """Applies a record, and a tick before it at every instant at which time changes something."""
        while (due := self.engine.next_instant()) is not None and due < at:
            self._apply(model.Tick(), due)
        self._apply(payload, at)

    def _apply(self, payload: model.Payload, at: int) -> None:
        outcome = self.engine.apply(Record(self.engine.revision + 1, max(at, self.engine.now), payload))
        self.changes += [entry for entry in outcome.changes if isinstance(entry, Change)]

    def create(self, definitions: Iterable[SegmentDefinition], at: int) -> None:
        """Creates segments and builds them."""
        for each in definitions:
            self.apply(model.CreateSegment(each), at)
            while self.engine.step_builds(3):
                pass
            if self.engine.segment(each.id).pending is not None:
                self.apply(model.ActivateBuild(each.id), at)


def finished(reconstruction: Reconstruction) -> list[TrendPoint]:
    """The points, once all is done."""
    while reconstruction.step():
        pass
    return reconstruction.points


def hours(start: int, end: int) -> list[int]:
    """The edges of whole hours."""
    return list(range(start // HOUR * HOUR, end // HOUR * HOUR + 1, HOUR))


def recorded(changes: list[Change], name: str, edges: list[int]) -> list[TrendPoint]:
    """The trend, from the change entries themselves."""
    points, size = [], 0
    for begin, end in pairwise(edges):
        inside = [entry for entry in changes if entry.segment == name and begin <= entry.at < end]
        joins, leaves = (sum(len(getattr(entry, side)) for entry in inside) for side in ("joined", "left"))
        size += joins - leaves
        points.append(TrendPoint(begin, size, joins, leaves, reconstructed=True))
    return points


NAMED = st.just(ast.InSegment("n"))
EVENTS = words.events(st.none())
SINGLE = st.sampled_from((*words.USERS, *words.DEVICES))


@st.composite
def streams(draw: st.DrawFn) -> list[Happened]:
    """Events on time, each subject under one name; those of one record at one instant."""
    at, stream = START, []
    for gap in draw(st.lists(GAPS, min_size=1, max_size=12)):
        at += gap
        drawn = draw(st.lists(st.tuples(EVENTS, SINGLE), min_size=1, max_size=3))
        stream.append((at, tuple(event._replace(identifiers=(name,), time=at) for event, name in drawn)))
    return stream


def reconstructible(rule: ast.Expression) -> bool:
    """Whether nothing in the rule lacks a past."""
    return not any(isinstance(node, (ast.AttributeTest, ast.OfAccount, ast.Users)) for node in nodes_of(rule))


RULES = rules().filter(reconstructible)
NESTING = rules(NAMED).filter(reconstructible)


@given(
    stream=streams(),
    nested=RULES,
    rule=NESTING,
    kind=words.KINDS,
    universe=words.UNIVERSES,
    zone=st.sampled_from(words.ZONES),
    rows=st.sampled_from((2, 5, 8192)),
)
def test_a_reconstructed_trend_is_the_one_that_would_have_been_recorded(
    stream: list[Happened],
    nested: ast.Expression,
    rule: ast.Expression,
    kind: SubjectKind,
    universe: Universe,
    zone: str,
    rows: int,
) -> None:
    """A segment that was there from the beginning recorded, on the same events, what is reconstructed for a new one."""
    definitions = [
        definition("n", print_rule(nested), kind),
        definition("s", print_rule(rule), kind, universe=universe),
    ]
    live, later = Driven(Engine(Settings(timezone=zone))), Driven(Engine(Settings(timezone=zone)))
    end = stream[-1][0] + 2 * DAY
    try:
        live.create(definitions, START)
    except CoterieError:
        assume(False)
    for at, events in stream:
        live.apply(model.IngestEvents(events), at)
    live.apply(model.Tick(), end)
    for _, events in stream:
        later.apply(model.IngestEvents(events), end)
    later.create(definitions, end)
    edges = hours(stream[0][0], end)
    assert finished(later.engine.reconstruct("s", edges, FAR, rows)) == recorded(live.changes, "s", edges)


MIXED = st.lists(st.tuples(GAPS, st.lists(words.events(st.none()), min_size=1, max_size=3)), min_size=1, max_size=12)


@given(drawn=MIXED, rule=RULES, universe=words.UNIVERSES, deleted=st.booleans())
def test_who_is_who_is_taken_as_it_is_known_now(
    drawn: list[tuple[int, list[Event]]], rule: ast.Expression, universe: Universe, deleted: bool
) -> None:
    """The trend is that of a stream in which everybody had from the beginning the name it has now."""
    later, live, at, stream = Driven(), Driven(), START, []
    for gap, events in drawn:
        at += gap
        stream.append((at, tuple(event._replace(time=at) for event in events)))
    end = at + 2 * DAY
    for _, events in stream:
        later.apply(model.IngestEvents(events), end)
    users = list(later.engine.subjects(SubjectKind.USER))
    if deleted and users:
        name = later.engine.identifier(SubjectKind.USER, users[0])
        assert name is not None
        later.apply(model.DeleteSubject(SubjectKind.USER, name), end)
    whole = definition("s", print_rule(rule), universe=universe)
    try:
        live.create([whole], START)
    except CoterieError:
        assume(False)
    later.create([whole], end)
    for at, renamed in _as_known_now(later.engine, stream):
        live.apply(model.IngestEvents(renamed), at)
    live.apply(model.Tick(), end)
    edges = hours(stream[0][0], end)
    assert finished(later.engine.reconstruct("s", edges, FAR, 3)) == recorded(live.changes, "s", edges)


def _as_known_now(engine: Engine, stream: list[Happened]) -> Iterator[Happened]:
    """The events under the first names of whom they belong to now; those of deleted subjects are left out."""
    state, user = engine._state, SubjectKind.USER  # whom a stored event belongs to
    columns = list(state.history.scan(START - 1, START + 1_000 * DAY))
    subjects = np.concatenate([state.canonical(user, piece.subjects(user)) for piece in columns])
    owners = iter(subjects[np.argsort(np.concatenate([piece.sequences for piece in columns]))].tolist())
    for at, events in stream:
        renamed = []
        for event in events:
            owner = next(owners)
            name = engine.identifier(user, owner) if owner else None
            if name is not None:
                space = "user_id" if owner in engine.known(user) else "anonymous_id"
                renamed.append(event._replace(identifiers=(Identifier(space, name.value),)))
        if renamed:
            yield at, tuple(renamed)


# ---------------------------------------------------------------- who appears


def event(kind: str, at: int, *names: str) -> Event:
    """An event of a user (`u1`) or a device (`d1`), or of both."""
    named = tuple(Identifier("user_id" if name.startswith("u") else "anonymous_id", name) for name in names)
    return Event("", kind, named, None, at, {}, {})


def dataset(*events: Event, at: int = START + 10 * HOUR) -> Driven:
    """An engine that learned of events long after they happened."""
    driven = Driven()
    driven.apply(model.IngestEvents(tuple(sorted(events, key=lambda one: one.time or 0))), at)
    return driven


def trend(driven: Driven, rule: str, first: int = 0, last: int = 10, **fields: object) -> list[tuple[int, int, int]]:
    """Size, joins and leaves by the hour, of a segment created now with a rule."""
    driven.create([definition("s", rule, **fields)], driven.engine.now)
    edges = list(range(START + first * HOUR, START + last * HOUR + 1, HOUR))
    reconstruction = driven.engine.reconstruct("s", edges, FAR, 2)
    return [(point.size, point.joins, point.leaves) for point in finished(reconstruction)]


def test_merged_subjects_count_as_their_survivor_and_deleted_ones_not_at_all() -> None:
    """Who is who is taken as it is known now."""
    driven = dataset(event("view", START, "d1"), event("view", START + 1, "u2"), event("view", START + HOUR, "u3"))
    driven.apply(model.IngestEvents((event("login", START + 10 * HOUR, "u1", "d1"),)), START + 10 * HOUR)
    driven.apply(
        model.MergeSubjects(SubjectKind.USER, Identifier("user_id", "u2"), Identifier("user_id", "u1")),
        START + 10 * HOUR,
    )
    driven.apply(model.DeleteSubject(SubjectKind.USER, Identifier("user_id", "u3")), START + 10 * HOUR)
    assert trend(driven, "did view at least 2 times", last=3) == [(1, 1, 0), (1, 0, 0), (1, 0, 0)]


def test_subjects_appear_with_their_first_event() -> None:
    """Rules that are true of nobody in particular, splits and universes hold from then on, not before."""
    views = [event("view", START + hour * HOUR, name) for hour, name in enumerate(("u1", "d2", "u3"))]
    assert trend(dataset(*views), "not did login", last=3) == [(1, 1, 0), (2, 1, 0), (3, 1, 0)]
    assert trend(dataset(*views), "in split 'x' 0% to 100%", last=3) == [(1, 1, 0), (2, 1, 0), (3, 1, 0)]
    known = trend(dataset(*views), "did view", last=3, universe=Universe.KNOWN)
    assert known == [(1, 1, 0), (1, 0, 0), (2, 1, 0)]


def test_the_bucket_of_the_creation_and_those_before_all_events_are_left_out() -> None:
    """The first was recorded, and of the others there is nothing to say."""
    driven = dataset(event("view", START + 2 * HOUR, "u1"), at=START + 5 * HOUR + 1)
    driven.create([definition("s", "did view in the last 1 hours")], START + 5 * HOUR + 1)
    points = finished(driven.engine.reconstruct("s", hours(START, START + 8 * HOUR), FAR))
    assert [point.start for point in points] == [START + 2 * HOUR, START + 3 * HOUR, START + 4 * HOUR]
    assert [(point.joins, point.leaves) for point in points] == [(1, 0), (0, 1), (0, 0)]
    assert finished(driven.engine.reconstruct("s", hours(START + 6 * HOUR, START + 8 * HOUR), FAR)) == []
    assert finished(Driven(driven.engine).engine.reconstruct("s", [START], FAR)) == []


def test_a_range_may_begin_in_the_middle_of_history() -> None:
    """Whoever is in by then is counted in the size, and has not joined."""
    driven = dataset(event("view", START, "u1"), event("view", START + 6 * HOUR, "u2"))
    assert trend(driven, "did view in the last 5 hours", first=4, last=8) == [
        (1, 0, 0),
        (0, 0, 1),
        (1, 1, 0),
        (1, 0, 0),
    ]


# ---------------------------------------------------------------- strides


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 4)), max_size=30))
def test_no_stride_touches_anybody_at_two_instants(touches: list[tuple[int, int]]) -> None:
    """Strides cover every instant, and none could be longer."""
    instants, subjects = (np.array([touch[side] for touch in touches]) for side in (0, 1))
    ends = strides([Touches(instants.astype(np.int64), subjects.astype(np.uint32))])
    real = sorted({touch for touch in touches if touch[1]})
    assert ends == sorted(set(ends))
    assert (ends[-1] if ends else None) == max((instant for instant, _ in real), default=None)
    begin = 0
    for end in ends:
        inside = [subject for instant, subject in real if begin < instant <= end]
        assert len(inside) == len(set(inside))
        following = [subject for instant, subject in real if instant == min((i for i, _ in real if i > end), default=0)]
        assert not following or set(inside) & set(following)
        begin = end
