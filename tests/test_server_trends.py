"""Trends over gRPC: local days, and the time before a segment was created."""

from __future__ import annotations

from typing import Any

from coterie.v1 import analytics_service_pb2 as analytics
from tests.serving import DAY, HOUR, MINUTE, START, Served, event, served
from tests.test_server_scans import until


async def trend(server: Served, segment: str, **fields: Any) -> Any:
    """A segment's trend."""
    request = analytics.GetTrendRequest(segments=[segment], reconstruct=True, **fields)
    return (await server.analytics.GetTrend(request)).trends[0]


def shown(one: Any) -> list[tuple[int, int, int, int, bool]]:
    """The points: hours from the start, size, joined, left, reconstructed."""
    return [
        ((point.start_time.seconds * 1000 - START) // HOUR, point.size, point.joined, point.left, point.reconstructed)
        for point in one.points
    ]


@served(build_rows=2)
async def test_a_trend_goes_on_before_the_creation(server: Served) -> None:
    """Reconstructed buckets come first and are marked; what was recorded stays as it was."""
    await server.ingest(event("view", "u1", START - 3 * HOUR), event("view", "u2", START - 2 * HOUR - 1))
    await server.create("recent", "did view in the last 2 hours")
    recorded = await server.analytics.GetTrend(
        analytics.GetTrendRequest(segments=["recent"], bucket=analytics.TIME_BUCKET_HOUR)
    )
    assert [(p.size, p.joined, p.left, p.reconstructed) for p in recorded.trends[0].points] == [(0, 0, 0, False)]
    assert not recorded.trends[0].HasField("reconstructed_from")
    whole = await trend(server, "recent", bucket=analytics.TIME_BUCKET_HOUR)
    assert shown(whole) == [(-3, 2, 2, 0, True), (-2, 2, 0, 0, True), (-1, 0, 0, 2, True), (0, 0, 0, 0, False)]
    assert whole.reconstructed_from.ToMilliseconds() == START - 3 * HOUR
    assert whole.not_reconstructed == ""
    assert server.dataset.scans.under_way == 0


@served()
async def test_a_trend_says_why_its_past_is_missing(server: Served) -> None:
    """Attributes keep no history; neither do lists."""
    await server.ingest(event("view", "u1", START - 3 * DAY))
    await server.create("pros", "user.plan = 'pro' and did view")
    past = await trend(server, "pros")
    assert shown(past) == [(-12, 0, 0, 0, False)]
    assert past.not_reconstructed == "attributes keep no history, and pros asks for `user.plan = 'pro'`"


@served(max_reconstructed_events=3)
async def test_reading_for_the_past_is_bounded(server: Served) -> None:
    """The oldest buckets are left out, and the answer says so; the limit is that of the call."""
    await server.ingest(*(event("view", "u1", START - hour * HOUR - 1) for hour in range(6)))
    for name in ("a", "b"):
        await server.create(name, "did view in the last 1 hours")
    request = analytics.GetTrendRequest(segments=["a", "b"], reconstruct=True, bucket=analytics.TIME_BUCKET_HOUR)
    first, second = (await server.analytics.GetTrend(request)).trends
    assert [point.reconstructed for point in first.points] == [True, True, False]
    assert [point.reconstructed for point in second.points] == [False]
    assert "more than the 3 events" in first.not_reconstructed
    assert "events" in second.not_reconstructed


@served()
async def test_local_days_have_the_hours_they_have(server: Served) -> None:
    """Where clocks change, a day has 23 or 25 hours; recorded and reconstructed days have the same edges."""
    zone = "Europe/Paris"
    spring = 1_774_738_800_000  # 2026-03-29T00:00 in Paris, where the day has 23 hours
    server.clock.set(spring + 5 * DAY)
    await server.ingest(
        event("view", "u1", spring - 1), event("view", "u2", spring), event("view", "u3", spring + 23 * HOUR - 1),
        event("view", "u4", spring + 23 * HOUR),
    )  # fmt: skip
    await server.create("seen", "did view")
    past = await trend(server, "seen", zone=zone)
    starts = [point.start_time.ToMilliseconds() for point in past.points]
    assert starts[:4] == [spring - DAY, spring, spring + 23 * HOUR, spring + 47 * HOUR]
    assert [point.joined for point in past.points][:4] == [1, 2, 1, 0]
    autumn = 1_792_879_200_000  # 2026-10-25T00:00 in Paris: 25 hours
    await server.move(autumn)
    await server.ingest(event("view", "u5"))
    await server.move(autumn + 25 * HOUR - MINUTE)
    await server.ingest(event("view", "u6"))
    await server.move(autumn + 25 * HOUR)
    await server.ingest(event("view", "u7"))
    request = analytics.GetTrendRequest(segments=["seen"], zone=zone)
    request.start_time.FromMilliseconds(autumn)
    points = (await server.analytics.GetTrend(request)).trends[0].points
    assert [(point.start_time.ToMilliseconds(), point.joined) for point in points] == [
        (autumn, 2),
        (autumn + 25 * HOUR, 1),
    ]


@served(build_rows=1)
async def test_a_trend_that_is_cancelled_ends(server: Served) -> None:
    """Its place is free again."""
    await server.ingest(*(event("view", f"u{i}", START - i * MINUTE) for i in range(2_000)))
    await server.create("seen", "did view in the last 1 hours")
    request = analytics.GetTrendRequest(segments=["seen"], reconstruct=True, bucket=analytics.TIME_BUCKET_HOUR)
    call = server.analytics.GetTrend(request)
    await until(lambda: server.dataset.scans.under_way > 0)
    call.cancel()
    await until(lambda: server.dataset.scans.under_way == 0)
