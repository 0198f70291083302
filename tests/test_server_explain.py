"""ExplainMembership over gRPC: the tree, freshness, refusals, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import grpc
import pytest

from coterie.index.explain import Explanation
from coterie.index.scratch import Scratch
from coterie.index.settings import Settings
from coterie.v1 import common_pb2, segment_service_pb2
from coterie.v1 import membership_service_pb2 as v1
from tests.serving import DAY, HOUR, MINUTE, START, Served, event, expect, refused, served, user_named


async def _explain(server: Served, segment: str, user: str = "u1", **fields: Any) -> v1.ExplainMembershipResponse:
    return await server.members.ExplainMembership(_request(segment, user, **fields))


def _request(segment: str, user: str = "u1", **fields: Any) -> v1.ExplainMembershipRequest:
    return v1.ExplainMembershipRequest(subject=user_named(user), segment=segment, **fields)


def _ms(stamp: Any) -> int:
    return int(stamp.ToMilliseconds())


@served()
async def test_a_membership_is_explained_and_ends_when_promised(server: Served) -> None:
    """Truth, value, threshold, newest event and flip of each node; at that instant the member leaves."""
    await server.ingest(
        event("purchase", "u1", START - 3 * DAY, properties={"price": 80}, event_id="p1"),
        event("purchase", "u1", START - DAY, properties={"price": 30}, event_id="p2", context={"os": "iOS"}),
    )
    await server.create("buyers", "did purchase at least 2 times in the last 7 days")
    await server.create("targets", "in buyers and not (sum(purchase.price) > 200) and current.os = 'iOS'")
    answer = await _explain(server, "targets")
    assert (answer.known, answer.member, answer.in_universe) == (True, True, True)
    assert answer.universe == segment_service_pb2.UNIVERSE_ALL
    assert answer.revision == (await server.members.CheckMembership(_check("targets"))).revision
    assert _ms(answer.now) == START
    assert _ms(answer.next_flip) == START + 4 * DAY
    assert not answer.HasField("looked_until")
    rule = answer.explanation
    assert (rule.kind, rule.holds) == (v1.EXPLANATION_KIND_AND, True)
    buyers, unlike, os_is = rule.children
    assert (buyers.kind, buyers.segment) == (v1.EXPLANATION_KIND_SEGMENT, "buyers")
    did = buyers.children[0]
    assert (did.text, did.condition) == ("did purchase at least 2 times in the last 7 days", "at least 2 times")
    assert (did.value.number, did.threshold.number, did.HasField("upper_threshold")) == (2.0, 2.0, False)
    assert (_ms(did.newest_event_time), did.newest_event_type, did.newest_event_id) == (START - DAY, "purchase", "p2")
    assert _ms(did.next_flip) == START + 4 * DAY
    spent = unlike.children[0]
    assert (unlike.kind, unlike.holds, spent.holds, spent.value.number) == (v1.EXPLANATION_KIND_NOT, True, False, 110)
    assert (os_is.value.string, os_is.HasField("next_flip")) == ("iOS", False)
    await server.move(START + 4 * DAY - 1)
    assert await server.check("u1", "targets") == [True]
    await server.move(START + 4 * DAY)
    assert await server.check("u1", "targets") == [False]


def _check(segment: str) -> v1.CheckMembershipRequest:
    return v1.CheckMembershipRequest(subject=user_named("u1"), segments=[segment])


@served()
async def test_an_unknown_subject_and_a_list(server: Served) -> None:
    """Nobody is a member of nothing, without an explanation; a list has one node."""
    await server.create("others", "not did login")
    await server.create("vips")
    await server.ingest(event("view", "u1"))
    answer = await _explain(server, "others", "nobody")
    assert (answer.known, answer.member, answer.HasField("explanation")) == (False, False, False)
    answer = await _explain(server, "vips")
    assert (answer.known, answer.member, answer.explanation.text) == (True, False, "in vips")
    assert answer.explanation.kind == v1.EXPLANATION_KIND_SEGMENT


@served()
async def test_ones_own_write_is_explained(server: Served) -> None:
    """A read that asks for a revision waits for it."""
    await server.create("viewers", "did view")
    taken = await server.ingest(event("view", "u1"))
    fresh = common_pb2.Consistency(at_least_as_fresh=taken.revision)
    assert (await _explain(server, "viewers", consistency=fresh)).member


@served()
async def test_what_cannot_be_explained_is_refused(server: Served) -> None:
    """Each wrong request by its own reason."""
    await server.create("viewers", "did view")
    await server.create("firms", "did view", subject_kind=common_pb2.SUBJECT_KIND_ACCOUNT)
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    await expect(_explain(server, ""), invalid, "FIELD_INVALID", "segment")
    await expect(_explain(server, "viewers", ""), invalid, "FIELD_INVALID", "subject.user_id")
    await expect(_explain(server, "nope"), grpc.StatusCode.NOT_FOUND, "SEGMENT_NOT_FOUND", segment="nope")
    wrong = await refused(_explain(server, "firms"))
    assert (wrong.code, wrong.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "WRONG_SEGMENT_KIND")
    exact = common_pb2.Consistency(at_exact_revision=common_pb2.Revision(token="nonsense"))
    assert (await refused(_explain(server, "viewers", consistency=exact))).code == invalid


@served(engine=Settings(max_explain_events=10))
async def test_a_subject_with_too_many_events_is_refused(server: Served) -> None:
    """The limit is named."""
    await server.create("viewers", "did view")
    await server.ingest(*(event("view", "u1", START - ago) for ago in range(11)))
    problem = await expect(
        _explain(server, "viewers"), grpc.StatusCode.INVALID_ARGUMENT, "LIMIT_EXCEEDED", "subject", maximum="10"
    )
    assert "events of a subject that is explained" in problem.message


def test_other_calls_go_on_and_a_caller_may_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks are answered between the steps; an explanation nobody waits for any more is given up."""
    steps, step = [0], Explanation.step

    def counted(explanation: Explanation) -> bool:
        steps[0] += 1
        return step(explanation)

    @served()
    async def run(server: Served) -> None:
        await server.create("viewers", "did view at least 1500 times in the last 10 days and did click")
        await server.ingest(*(event("view", "u1", START - ago * MINUTE) for ago in range(2000)))
        begun = asyncio.ensure_future(_explain(server, "viewers"))
        checks = 0
        while not begun.done():
            await server.check("u1", "viewers")
            checks += 1
        assert checks > 3
        assert _ms(begun.result().explanation.children[0].next_flip) == START + 10 * DAY - 1499 * MINUTE
        whole, steps[0] = steps[0], 0
        left = server.members.ExplainMembership(_request("viewers"))
        while not steps[0]:
            await server.check("u1", "viewers")
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        for _ in range(checks):
            await server.check("u1", "viewers")
        assert steps[0] < whole

    monkeypatch.setattr(Explanation, "step", counted)
    run()


@served()
async def test_a_long_rule_is_read_beside_the_loop(server: Served) -> None:
    """A thousand leaves are explained, one by one."""
    await server.create("any", " or ".join(f"did view where category = 'c{number}'" for number in range(300)))
    await server.ingest(event("view", "u1", properties={"category": "c7"}))
    answer = await _explain(server, "any")
    assert [number for number, leaf in enumerate(answer.explanation.children) if leaf.holds] == [7]


def test_a_wrong_explanation_is_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the tree ever say otherwise than what is served, the caller gets both and the operator a defect."""

    @served()
    async def run(server: Served) -> None:
        await server.create("viewers", "did view")
        await server.ingest(event("view", "u1", START - HOUR))
        monkeypatch.setattr(Scratch, "_append", lambda *_: None)  # a copy without events
        answer = await _explain(server, "viewers")
        assert (answer.member, answer.explanation.holds) == (True, False)

    with caplog.at_level(logging.ERROR, "coterie.server"):
        run()
    assert "the explanation of a membership of viewers is wrong" in caplog.text
