"""Large rules and many segments: what they cost is what they touch, and what they say is what their parts say."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import grpc
import pytest

from coterie.index import model
from coterie.index.conditions import Conditions
from coterie.index.engine import Engine
from coterie.index.expressions import Graph
from coterie.index.model import Event, Identifier, SegmentDefinition, SegmentKind, SubjectKind
from coterie.index.settings import Settings
from coterie.index.thresholds import ThresholdTable
from coterie.v1 import membership_service_pb2 as members
from coterie.v1 import segment_service_pb2 as v1
from tests.serving import Served, event, expect, served, user_named

USER = SubjectKind.USER
NOW = 1_700_000_000_000
LEAVES = 10_000


def rule(name: str, text: str) -> model.CreateSegment:
    """A segment of users."""
    return model.CreateSegment(SegmentDefinition(name, SegmentKind.RULE, USER, text))


def apply(engine: Engine, payload: model.Payload, at: int = 0) -> model.Outcome:
    """One record."""
    return engine.apply(model.Record(engine.revision + 1, at or engine.now or NOW, payload))


def ingest(engine: Engine, *events: tuple[str, str]) -> model.Outcome:
    """One record of events, as (user, type)."""
    sent = [Event("", type_, (Identifier("user_id", user),), None, engine.now or NOW, {}, {}) for user, type_ in events]
    return apply(engine, model.IngestEvents(tuple(sent)))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is looked at: conditions that are asked again, nodes of the graph that are evaluated."""
    counts: Counter[str] = Counter()
    ask, truth, evaluate = Conditions._ask, ThresholdTable.truth, Graph._evaluate

    def asking(self: Conditions, *arguments: Any) -> None:
        counts["conditions"] += 1
        ask(self, *arguments)

    def comparing(self: ThresholdTable, thresholds: Any, *arguments: Any) -> Any:
        counts["compared"] += len(thresholds)
        return truth(self, thresholds, *arguments)

    def evaluating(*arguments: Any) -> Any:
        counts["nodes"] += 1
        return evaluate(*arguments)

    monkeypatch.setattr(Conditions, "_ask", asking)
    monkeypatch.setattr(ThresholdTable, "truth", comparing)
    monkeypatch.setattr(Graph, "_evaluate", staticmethod(evaluating))
    return counts


# ---------------------------------------------------------------- ten thousand leaves


@served(max_message_bytes=1 << 23)
async def test_ten_thousand_leaves_say_what_their_parts_say(server: Served) -> None:
    """Created, evaluated live and over history, and explained; each user is in it for its own leaf."""
    chosen = random.Random(7).sample(range(LEAVES), 60)
    history, later = chosen[:30], chosen[30:]
    await server.ingest(*(event(f"e{leaf}", f"u{leaf}") for leaf in history))
    leaves = [f"did e{leaf}" if leaf % 2 else f"did e{leaf} at least 2 times" for leaf in range(LEAVES)]
    await server.create("any", " or ".join(leaves))
    await server.create("none", " and ".join(f"not ({leaf})" for leaf in leaves))
    await server.create("two", f"at least 2 of ({', '.join(leaves[:5_000])})")
    await server.ingest(*(event(f"e{leaf}", f"u{leaf}") for leaf in later))
    await server.ingest(*(event(f"e{leaf}", "u-all") for leaf in chosen))
    for leaf in chosen:
        assert await server.check(f"u{leaf}", "any", "none", "two") == [leaf % 2 == 1, leaf % 2 == 0, False]
    odd_and_low = sum(leaf % 2 == 1 and leaf < 5_000 for leaf in chosen)
    assert await server.check("u-all", "any", "none", "two") == [True, False, odd_and_low >= 2]


@served(max_message_bytes=1 << 23)
async def test_a_large_rule_is_explained_leaf_by_leaf(server: Served) -> None:
    """Ten thousand leaves with their truth, for somebody who satisfies two of them."""
    await server.ingest(*(event(f"e{leaf}", "u1") for leaf in (3, 5)))
    await server.create("fits", " or ".join(f"did e{leaf}" for leaf in range(LEAVES)))
    request = members.ExplainMembershipRequest(subject=user_named("u1"), segment="fits")
    explained = await server.members.ExplainMembership(request)
    assert explained.explanation.holds
    children = explained.explanation.children
    assert [number for number, child in enumerate(children) if child.holds] == [3, 5]


def test_one_event_touches_one_of_ten_thousand_leaves(counted: Counter[str]) -> None:
    """The others' conditions are not asked: what an event costs is what it touches."""
    engine = Engine()
    apply(engine, rule("wide", " or ".join(f"did e{leaf} at least 2 times" for leaf in range(LEAVES))))
    ingest(engine, ("u1", "e77"))
    counted.clear()
    ingest(engine, ("u1", "e77"))
    assert engine.is_member("wide", 1)
    assert counted == {"compared": 2, "nodes": 4}, "once before and once after; a wide node is a tree of sixteens"


# ---------------------------------------------------------------- chains, and many segments


def test_a_chain_as_deep_as_may_be_flips_in_one_revision() -> None:
    """32 segments nested in segments, each the opposite of the one below, or within it: one event moves them all."""
    engine, depth = Engine(), Settings().max_segment_depth
    apply(engine, rule("s0", "did view"))
    for level in range(1, depth + 1):
        apply(engine, rule(f"s{level}", f"not in s{level - 1}" if level % 2 else f"in s{level - 1} or did never"))
    with pytest.raises(Exception, match="segments nested in segments") as refused:
        apply(engine, rule("deeper", f"in s{depth}"))
    assert refused.value.facts == {"given": depth + 1, "maximum": depth}
    assert refused.value.field == "rule"
    ingest(engine, ("u1", "other"))
    before = [engine.is_member(f"s{level}", 1) for level in range(depth + 1)]
    outcome = ingest(engine, ("u1", "view"))
    after = [engine.is_member(f"s{level}", 1) for level in range(depth + 1)]
    assert all(was != now for was, now in zip(before, after, strict=True))
    assert {change.segment for change in outcome.changes} == {f"s{level}" for level in range(depth + 1)}
    assert {change.revision for change in outcome.changes} == {engine.revision}
    assert all(bool(len(change.joined)) != bool(len(change.left)) for change in outcome.changes)


@served()
async def test_a_chain_too_deep_is_refused_by_its_field(server: Served) -> None:
    """Over gRPC: the limit and what was given, in segment.rule_text."""
    await server.create("s0", "did view")
    for level in range(1, 33):
        await server.create(f"s{level}", f"in s{level - 1}")
    call = server.segments.CreateSegment(v1.CreateSegmentRequest(segment=v1.Segment(id="deeper", rule_text="in s32")))
    facts = {"given": "33", "maximum": "32"}
    await expect(call, grpc.StatusCode.INVALID_ARGUMENT, "LIMIT_EXCEEDED", "segment.rule_text", **facts)


def test_an_event_costs_what_it_touches_among_ten_thousand_segments(counted: Counter[str]) -> None:
    """Ten thousand segments over as many event types, some nested, some negative: one event asks one condition."""
    engine = Engine()
    for number in range(LEAVES):
        text = f"did e{number}" if number % 3 else f"not (did e{number} at least 2 times)"
        apply(engine, rule(f"s{number}", text if number % 5 else f"{text} and did f{number}"))
    ingest(engine, ("u1", "other"))
    counted.clear()
    outcome = ingest(engine, ("u1", "e7"))
    assert [change.segment for change in outcome.changes] == ["s7"]
    assert counted == {"compared": 2}, "once before, once after"
    counted.clear()
    outcome = ingest(engine, ("u1", "f10"), ("u1", "e10"))
    assert [change.segment for change in outcome.changes] == ["s10"]
    assert counted == {"compared": 4, "nodes": 1}
    counted.clear()
    ingest(engine, ("u1", "other"))
    assert counted == {}
