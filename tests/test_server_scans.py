"""Rules that nobody saved: scans over gRPC, their limits, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from coterie.server.config import load_settings
from coterie.server.progress import Progress
from coterie.server.scans import Scanned, Scans
from coterie.server.way import Way
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as members
from coterie.v1 import segment_service_pb2 as segments
from tests.serving import HOUR, MINUTE, START, ManualClock, Served, event, expect, served, user_named

SCANNED = "did purchase at least 2 times in the last 7 days and not in churned"
INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


async def shop(server: Served, users: int = 9) -> None:
    """User n bought n times, one purchase an hour, no two at one time; u8 and u9 are on the list of the churned."""
    await server.create("churned")
    await server.segments.AddMembers(
        segments.AddMembersRequest(segment="churned", members=[user_named("u8"), user_named("u9")])
    )
    purchases = [
        event("purchase", f"u{user}", START - hour * HOUR - MINUTE + user, event_id=f"{user}-{hour}")
        for user in range(1, users + 1)
        for hour in range(user)
    ]
    await server.ingest(*purchases)


async def counted(server: Served, *expressions: str, **fields: Any) -> list[int]:
    """The counts of some expressions."""
    request = analytics.CountMembersRequest(expressions=expressions, **fields)
    return [one.count for one in (await server.analytics.CountMembers(request)).counts]


def unused(server: Served) -> bool:
    """Whether no rule that was scanned for has left anything."""
    status = server.dataset.engine.status()
    return (status.measures, status.conditions, server.dataset.scans.under_way) == (0, 0, 0)


async def until(true: Callable[[], bool]) -> None:
    """Gives way until something is so; a test that waits in vain is ended by its time limit."""
    while not true():  # noqa: ASYNC110 - what is waited for happens on this loop, and tells nobody
        await asyncio.sleep(0)


async def until_unused(server: Served) -> None:
    """Gives way until everything is let go of."""
    await until(lambda: unused(server))


# ---------------------------------------------------------------- counting


@served(build_rows=3)
async def test_any_rule_is_counted(server: Served) -> None:
    """Expressions with conditions of their own and those without, in one call; nothing of them stays."""
    await shop(server)
    revision = server.dataset.engine.revision
    asked = (SCANNED, "churned", "did purchase", "not churned", "did purchase at least 9 times or in churned")
    assert await counted(server, *asked) == [6, 2, 9, 7, 2]
    answer = await server.analytics.CountMembers(analytics.CountMembersRequest(expressions=asked))
    assert [one.expression for one in answer.counts] == list(asked)
    assert unused(server)
    assert server.dataset.engine.revision == revision


@served(build_rows=1)
async def test_all_counts_of_an_answer_are_of_one_revision(server: Served) -> None:
    """Events that come in while the scan is under way are in every count or in none."""
    await shop(server, 60)
    stop = asyncio.Event()

    async def arrive() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await server.ingest(event("purchase", f"new{number}"))

    arriving = asyncio.create_task(arrive())
    for _ in range(3):
        once, same, other = await counted(server, "did purchase", "did any event", "not did purchase exactly 0 times")
        assert once == same == other
    stop.set()
    await arriving
    assert once > 60


@served(max_scanned_expressions=2)
async def test_bad_expressions_are_named(server: Served) -> None:
    """Each refusal says which expression it was, and nothing is left of the others."""
    await shop(server)
    await server.segments.CreateSegment(
        segments.CreateSegmentRequest(
            segment=segments.Segment(id="firms", subject_kind=common_pb2.SUBJECT_KIND_ACCOUNT, rule_text="did pay")
        )
    )
    await server.ready("firms")
    call, field = (lambda *texts: counted(server, "churned", *texts)), "expressions[1]"
    place = {"line": "1", "column": "29"}
    await expect(call("did purchase in the last 30 dyas"), INVALID, "RULE_INVALID", field, **place)
    await expect(call("did purchase or in nobody"), grpc.StatusCode.NOT_FOUND, "SEGMENT_NOT_FOUND", segment="nobody")
    await expect(call("did purchase or in list firms"), PRECONDITION, "WRONG_SEGMENT_KIND", segment="firms")
    await expect(call("did purchase and in churned and in firms"), PRECONDITION, "WRONG_SEGMENT_KIND")
    deep = "not (" * 40 + "did purchase" + ")" * 40
    await expect(call(deep), INVALID, "LIMIT_EXCEEDED", field)
    await expect(call("did a", "did b", "did c"), INVALID, "LIMIT_EXCEEDED", "expressions", given="3", maximum="2")
    await expect(
        call("did a", "first(a.price) > 1 in the last 1 day"),
        grpc.StatusCode.UNIMPLEMENTED,
        "RULE_UNSUPPORTED",
        "expressions[2]",
    )
    assert server.dataset.scans.under_way == 0
    assert server.dataset.engine.status().conditions == 1  # that of `firms`


@served(build_rows=1)
async def test_a_segment_that_is_being_built_cannot_be_scanned_with(server: Served) -> None:
    """The answer is that of any read of it."""
    await shop(server, 60)
    request = segments.CreateSegmentRequest(segment=segments.Segment(id="slow", rule_text="did purchase"))
    await server.segments.CreateSegment(request)
    await expect(counted(server, "did view and in slow"), PRECONDITION, "SEGMENT_BUILDING", segment="slow")


@served(build_rows=1)
async def test_a_segment_deleted_under_a_scan_ends_it(server: Served) -> None:
    """What it would have been read with is gone; nothing is left."""
    await shop(server, 60)
    stream = server.analytics.StreamCountMembers(analytics.StreamCountMembersRequest(expressions=[SCANNED]))
    assert (await stream.read()).progress.scanned_events == 1
    await server.segments.DeleteSegment(segments.DeleteSegmentRequest(segment="churned"))
    await expect(_rest(stream), grpc.StatusCode.NOT_FOUND, "SEGMENT_NOT_FOUND", segment="churned")
    await until_unused(server)


async def _rest(stream: Any) -> list[Any]:
    messages = []
    while (message := await stream.read()) is not grpc.aio.EOF:
        messages.append(message)
    return messages


@served(build_rows=1, scan_progress_ms=0)
async def test_an_exact_revision_that_has_passed_is_not_answered(server: Served) -> None:
    """A scan during which something was written cannot answer as of before."""
    await shop(server, 60)
    exact = common_pb2.Consistency(at_exact_revision=(await server.ingest(event("view", "u1"))).revision)
    assert await counted(server, SCANNED, consistency=exact) == [57]
    for method, request in (
        (server.analytics.StreamCountMembers, analytics.StreamCountMembersRequest(expressions=[SCANNED])),
        (server.segments.StreamPreviewRule, segments.StreamPreviewRuleRequest(text=SCANNED)),
    ):
        exact.at_exact_revision.CopyFrom((await server.ingest(event("view", "u1"))).revision)
        request.consistency.CopyFrom(exact)
        stream = method(request)
        await stream.read()
        await server.ingest(event("view", "u1"))
        await expect(_rest(stream), PRECONDITION, "REVISION_UNAVAILABLE")
    await until_unused(server)


# ---------------------------------------------------------------- progress


@served(build_rows=5, scan_progress_ms=0)
async def test_a_scan_tells_how_far_it_is(server: Served) -> None:
    """Fractions and numbers of events grow; the last message is the answer of the unary call."""
    await shop(server)
    request = segments.StreamPreviewRuleRequest(text=SCANNED, sample_size=2)
    *told, last = await _rest(server.segments.StreamPreviewRule(request))
    numbers = [message.progress.scanned_events for message in told]
    assert (len(numbers) > 3, numbers) == (True, sorted(numbers))
    assert [message.WhichOneof("result") for message in told] == ["progress"] * len(told)
    assert all(0 < message.progress.fraction <= 1 and message.revision.token for message in told)
    assert (last.matches.count, [one.value for one in last.matches.sample]) == (6, ["u7", "u6"])
    plain = await server.segments.PreviewRule(segments.PreviewRuleRequest(text=SCANNED, sample_size=2))
    assert (plain.count, plain.sample, plain.revision) == (last.matches.count, last.matches.sample, last.revision)
    stream = server.analytics.StreamCountMembers(
        analytics.StreamCountMembersRequest(expressions=["did purchase", "churned"])
    )
    *told, last = await _rest(stream)
    assert told
    assert [(one.expression, one.count) for one in last.answer.counts] == [("did purchase", 9), ("churned", 2)]
    stream = server.analytics.StreamCountMembers(analytics.StreamCountMembersRequest(expressions=["churned"]))
    assert [message.WhichOneof("result") for message in await _rest(stream)] == ["answer"]
    empty = segments.StreamPreviewRuleRequest(text="did nothing")
    assert (await _rest(server.segments.StreamPreviewRule(empty)))[-1].WhichOneof("result") == "matches"
    problem = segments.StreamPreviewRuleRequest(text="did purchase wen")
    await expect(_rest(server.segments.StreamPreviewRule(problem)), INVALID, "RULE_INVALID", "text", line="1")


class _Counting:
    """A preview that has so many steps."""

    progress, scanned = 0.5, 7

    def __init__(self, clock: ManualClock, steps: int) -> None:
        self._clock, self._steps = clock, steps

    def step(self, rows: int) -> bool:
        self._clock.set(self._clock.now() + 70)
        self._steps -= 1
        return self._steps >= 0


def test_progress_is_told_at_a_bounded_rate() -> None:
    """At once, and then not before the interval has passed."""
    clock = ManualClock()
    scans = Scans(load_settings(None, {}), clock, Way(), Progress(0, 1))

    async def told() -> list[Scanned]:
        return [scanned async for scanned in scans.steps(_Counting(clock, 10))]  # type: ignore[arg-type]

    assert asyncio.run(told()) == [Scanned(0.5, 7)] * 4  # after 70, 280, 490 and 700 ms


# ---------------------------------------------------------------- ends


async def _streams(server: Served) -> AsyncIterator[Any]:
    yield server.segments.StreamPreviewRule(segments.StreamPreviewRuleRequest(text=SCANNED))
    yield server.analytics.StreamCountMembers(analytics.StreamCountMembersRequest(expressions=[SCANNED, "did a"]))


@served(build_rows=1, scan_progress_ms=0)
async def test_a_caller_that_goes_away_ends_its_scan(server: Served) -> None:
    """Whatever the rule used is let go of, and its place is free."""
    await shop(server, 60)
    async for stream in _streams(server):
        assert (await stream.read()).HasField("progress")
        assert not unused(server)
        stream.cancel()
        await until_unused(server)


@served(build_rows=1, scan_progress_ms=0)
async def test_unary_calls_are_cancelled_too(server: Served) -> None:
    """A count, a preview, an export."""
    await shop(server, 60)
    calls = [
        (server.analytics.CountMembers, analytics.CountMembersRequest(expressions=[SCANNED])),
        (server.segments.PreviewRule, segments.PreviewRuleRequest(text=SCANNED)),
        (server.members.ExportMembers, members.ExportMembersRequest(expression=SCANNED)),
    ]
    for method, request in calls:
        call = method(request)
        waiting = asyncio.ensure_future(call.read() if hasattr(call, "read") else call)
        await until(lambda: server.dataset.scans.under_way > 0)
        call.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until_unused(server)


@served(build_rows=1)
async def test_a_deadline_ends_a_scan(server: Served) -> None:
    """The caller is told, and the server works no longer for nobody."""
    await shop(server, 60)
    steps = type(server.dataset.scans).steps

    async def for_ever(self: Scans, preview: Any) -> AsyncIterator[Scanned]:
        async for scanned in steps(self, preview):
            yield scanned
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scans, "steps", for_ever)
        request = analytics.CountMembersRequest(expressions=[SCANNED])
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.analytics.CountMembers(request, timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until_unused(server)


@served(build_rows=1, scans=1, scan_progress_ms=0)
async def test_so_many_scan_at_a_time(server: Served) -> None:
    """One too many is refused, with when to try again; set expressions need no place."""
    await shop(server, 60)
    stream = server.segments.StreamPreviewRule(segments.StreamPreviewRuleRequest(text=SCANNED))
    await stream.read()
    preview = segments.PreviewRuleRequest(text="did purchase")
    problem = await expect(server.segments.PreviewRule(preview), EXHAUSTED, "SCANS_SATURATED", maximum="1")
    assert problem.retry_after_ms == 500
    await expect(counted(server, "did purchase"), EXHAUSTED, "SCANS_SATURATED", maximum="1")
    export = members.ExportMembersRequest(expression="did purchase")
    await expect(_rest(server.members.ExportMembers(export)), EXHAUSTED, "SCANS_SATURATED")
    assert await counted(server, "churned") == [2]
    await server.create("s", "did purchase")  # a build is no scan of a call
    await server.segments.DeleteSegment(segments.DeleteSegmentRequest(segment="s"))
    stream.cancel()
    await until_unused(server)
    assert (await server.segments.PreviewRule(preview)).count == 60


@served(build_rows=1, scan_progress_ms=0)
async def test_a_server_that_stops_waits_for_no_scan(server: Served) -> None:
    """The caller learns that it has to ask again."""
    await shop(server, 60)
    stream = server.segments.StreamPreviewRule(segments.StreamPreviewRuleRequest(text=SCANNED))
    await stream.read()
    server.dataset.end_streams()
    await expect(_rest(stream), grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    await until_unused(server)


# ---------------------------------------------------------------- members


@served(build_rows=5)
async def test_members_of_any_rule_are_exported_and_not_paged(server: Served) -> None:
    """An export scans once; pages would scan for each, so they are refused with the way out."""
    await shop(server)
    request = members.ExportMembersRequest(expression=SCANNED, batch_size=2)
    messages = await _rest(server.members.ExportMembers(request))
    exported = [member.identifiers[0].value for message in messages for member in message.batch.members]
    assert exported == [f"u{user}" for user in range(7, 1, -1)]
    assert unused(server)
    await server.ingest(event("purchase", "late"), event("purchase", "late"))
    request.cursor = messages[0].cursor
    resumed = await _rest(server.members.ExportMembers(request))
    assert [m.identifiers[0].value for message in resumed for m in message.batch.members] == exported[2:]
    pages = server.members.ListMembers(members.ListMembersRequest(expression=SCANNED))
    problem = await expect(pages, grpc.StatusCode.UNIMPLEMENTED, "RULE_UNSUPPORTED", "expression")
    assert "an export" in problem.message
