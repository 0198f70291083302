"""Random rules over random streams: live = built in the middle = built at the end = restarted = replayed = the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.index.engine import Engine
from coterie.index.errors import RuleUnsupported
from coterie.index.model import CreateSegment, Event, SegmentDefinition, SubjectKind
from coterie.index.rules import ast
from coterie.index.rules.printer import print_rule
from coterie.index.settings import Settings
from tests import vocabulary as words
from tests.vocabulary_rules import placed
from tests.vocabulary_rules import rules as drawn_rules
from tests.ways import BUILT, HALF, LIVE, Ways, members, of_users

MEMORY = Path("/dev/shm")  # a disk that needs no waiting, where there is one
GAPS = st.sampled_from((0, 0, 1, 1_000, 299_999, words.DURATIONS[0], words.DURATIONS[0] + 1, *words.DURATIONS))
LATE = st.sampled_from((0, 0, 0, 0, 1, 1_000, *words.DURATIONS))
STREAMS = st.lists(st.tuples(words.events(st.none()), GAPS, LATE), min_size=6, max_size=24)


def arrivals(start: int, drawn: Sequence[tuple[Event, int, int]]) -> list[Event]:
    """Events one after the other, at random distances, some of them late."""
    sent, now = [], start
    for event, gap, late in drawn:
        now += gap
        sent.append(event._replace(time=now - late))
    return sent


def allowed(engine: Engine, drawn: Sequence[tuple[ast.Expression, SubjectKind]]) -> list[SegmentDefinition]:
    """The rules the engine takes: what cannot be kept exactly it refuses."""
    taken = []
    for number, (rule, kind) in enumerate(drawn):
        definition = of_users(f"r{number}", print_rule(rule), kind)
        with suppress(RuleUnsupported):
            engine.validate(CreateSegment(definition))
            taken.append(definition)
    return taken


@settings(max_examples=settings().max_examples // 4)
@given(
    zone=st.sampled_from(words.ZONES),
    start=st.sampled_from(words.STARTS),
    drawn=st.lists(st.tuples(drawn_rules(), words.KINDS), min_size=4, max_size=8),
    stream=STREAMS,
    wait=GAPS,
    build_rows=st.integers(1, 5),
)
def test_members_are_the_same_whatever_way_they_come_about(
    zone: str, start: int, drawn: list[Any], stream: list[Any], wait: int, build_rows: int
) -> None:
    """Whenever a segment is defined, however fast it is built, and however often the engine is started again."""
    own = Settings(timezone=zone, record_events=3)
    about = [(placed(rule, kind), kind) for rule, kind in drawn]
    definitions = allowed(Engine(own), about)
    rules = {print_rule(rule): rule for rule, _ in about}
    events = arrivals(start, stream)
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        ways = Ways(Path(folder), definitions, own)
        ways.tell(events, max(event.time or 0 for event in events) + wait, build_rows)
        dataset = ways.oracle(rules)
        expected = {each.id: sorted(dataset.members(f"{LIVE}-{each.id}")) for each in definitions}
        for engine in (ways.engine, ways.restarted(), ways.replayed()):
            for prefix in (LIVE, HALF, BUILT):
                assert members(engine, definitions, prefix) == expected, prefix
        ways.close()
