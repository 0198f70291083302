"""Scans by the Python client and the command line: progress is told, and leaving early ends them on the server."""

from __future__ import annotations

import _thread
import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from coterie.client import AsyncClient, Client, Exhausted, ScanProgress, TrendPoint, Unavailable
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import common_pb2
from coterie.v1 import segment_service_pb2 as segments
from tests.canned_answers import canned_server, run
from tests.fake_server import FakeServer, Refused

COUNTED = [
    analytics.StreamCountMembersResponse(progress=common_pb2.ScanProgress(fraction=0.25, scanned_events=7)),
    analytics.StreamCountMembersResponse(
        answer=analytics.MemberCounts(counts=[analytics.MemberCount(expression="did a", count=3)])
    ),
]
PREVIEWED = [
    segments.StreamPreviewRuleResponse(progress=common_pb2.ScanProgress(fraction=0.25, scanned_events=7)),
    segments.StreamPreviewRuleResponse(
        matches=segments.RuleMatches(count=3, sample=[common_pb2.Identifier(namespace="user_id", value="u1")])
    ),
]
TOLD = [ScanProgress(0.25, 7)]


def test_progress_is_told_and_the_answer_is_that_of_the_plain_call() -> None:
    """Requests are the same but for their type."""
    with FakeServer(StreamCountMembers=[COUNTED], StreamPreviewRule=[PREVIEWED]) as fake:
        told: list[ScanProgress] = []
        with Client(fake.target, dataset="eu") as client:
            assert client.count("did a", of="account", at_least="r1", progress=told.append) == 3
            preview = client.preview("did a", sample=1, universe="known", progress=told.append)
        assert (preview.count, [one.value for one in preview.sample]) == (3, ["u1"])
        assert told == TOLD * 2
        count, rule = fake.asked("StreamCountMembers")[0], fake.asked("StreamPreviewRule")[0]
        assert (count.dataset, list(count.expressions), count.subject_kind) == ("eu", ["did a"], 2)
        assert count.consistency.at_least_as_fresh.token == "r1"
        assert (rule.dataset, rule.text, rule.sample_size, rule.universe) == ("eu", "did a", 1, 2)


def test_the_asynchronous_client_tells_the_same() -> None:
    """Counts, previews and refusals."""

    async def ask(target: str) -> list[ScanProgress]:
        told: list[ScanProgress] = []
        async with AsyncClient(target) as client:
            assert await client.count_many(["did a"], progress=told.append) == [3]
            assert (await client.preview("did a", progress=told.append)).count == 3
            with pytest.raises(Unavailable):
                await client.count("did a", progress=told.append)
        return told

    with FakeServer(StreamCountMembers=[COUNTED, COUNTED[:1]], StreamPreviewRule=[PREVIEWED]) as fake:
        assert asyncio.run(ask(fake.target)) == TOLD * 3


def test_a_refused_scan_raises_what_the_plain_call_does() -> None:
    """Among others that there is no place left, with when to try again."""
    refusal = Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "SCANS_SATURATED", retry_ms=500)
    with FakeServer(StreamCountMembers=refusal) as fake, Client(fake.target) as client:
        with pytest.raises(Exhausted) as raised:
            client.count("did a", progress=lambda _: None)
        assert (raised.value.reason, raised.value.retry_after) == ("SCANS_SATURATED", 0.5)


class Endless:
    """A scan that is never done, and knows when it was given up."""

    def __init__(self, message: Any, after_first: Any = lambda: None) -> None:
        self._message, self._after_first = message, after_first
        self.ended = threading.Event()

    def __call__(self, _request: Any) -> Iterator[Any]:
        """The messages, without end."""
        try:
            yield self._message
            self._after_first()
            while True:
                yield self._message
        finally:
            self.ended.set()


class _Enough(Exception):
    pass


def test_leaving_early_ends_the_scan() -> None:
    """Whoever raises in the callback needs no answer."""
    endless = Endless(COUNTED[0])

    def enough(_progress: ScanProgress) -> None:
        raise _Enough

    with FakeServer(StreamCountMembers=endless) as fake, Client(fake.target) as client:
        with pytest.raises(_Enough):
            client.count("did a", progress=enough)
        assert endless.ended.wait(10)


@pytest.mark.parametrize("command", [("segment", "preview", "did a"), ("count", "did a")])
def test_control_c_ends_the_scan(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends as interrupted, prints nothing, and the server works no longer for nobody."""
    message = PREVIEWED[0] if command[0] == "segment" else COUNTED[0]
    endless = Endless(message, _thread.interrupt_main)
    with canned_server(monkeypatch) as fake:
        fake.answers |= {"StreamPreviewRule": endless, "StreamCountMembers": endless}
        result = run(*command)
        assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")
        assert endless.ended.wait(10)


def test_trends_of_the_time_before_the_creation() -> None:
    """Points say what they are, and the trend says from when on and why not further."""
    point = analytics.TrendPoint(size=3, joined=2, left=1, reconstructed=True)
    point.start_time.seconds = 3_600
    trend = analytics.Trend(segment="vip", points=[point], not_reconstructed="too much to read")
    trend.reconstructed_from.seconds = 3_600
    answer = analytics.GetTrendResponse(trends=[trend])
    with FakeServer(GetTrend=answer) as fake, Client(fake.target) as client:
        found = client.trend("vip", reconstruct=True)
        assert list(found) == [TrendPoint(datetime(1970, 1, 1, 1, tzinfo=UTC), 3, 2, 1, reconstructed=True)]
        assert (len(found), found[0], found[:1]) == (1, found.points[0], found.points)
        assert (found.reconstructed_from, found.not_reconstructed) == (found[0].start_time, "too much to read")
        client.trend("vip")
        assert [request.reconstruct for request in fake.asked("GetTrend")] == [True, False]
