"""Trends of the time before a segment was created: what the live engine would have recorded, hour by hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coterie.index import model
from coterie.index.changes import TrendPoint
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError, RuleUnsupported
from coterie.index.model import (
    Cause,
    Change,
    Event,
    Identifier,
    Mode,
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
from tests import vocabulary as words
from tests.vocabulary import DAY, HOUR, MINUTE

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
    for begin, end in zip(edges, edges[1:], strict=False):
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


RULES = words.rules().filter(reconstructible)
NESTING = words.rules(NAMED).filter(reconstructible)


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
    definitions = [definition("n", print_rule(nested), kind), definition("s", print_rule(rule), kind, universe=universe)]
    live, later = Driven(Engine(Settings(timezone=zone))), Driven(Engine(Settings(timezone=zone)))
    end = stream[-1][0] + 2 * DAY
    try:
        live.create(definitions, START)
    except (RuleUnsupported, CoterieError):
        assume(False)
    for at, events in stream:
        live.apply(model.IngestEvents(events), at)
    live.apply(model.Tick(), end)
    for _, events in stream:
        later.apply(model.IngestEvents(events), end)
    later.create(definitions, end)
    edges = hours(stream[0][0], end)
    assert finished(later.engine.reconstruct("s", edges, FAR, rows)) == recorded(live.changes, "s", edges)
