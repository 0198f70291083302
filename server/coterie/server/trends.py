"""Size, joins and leaves of a segment over time, gathered from the hours the engine keeps.

Trends are kept by whole hours of UTC; a local day, week or month is a number of them. Where a zone's days begin
between two hours the question is refused rather than answered inexactly.
"""

from __future__ import annotations

import zoneinfo
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from coterie.index.changes import TrendPoint
from coterie.index.errors import FieldInvalid, LimitExceeded
from coterie.index.reconstruction import Reach, Reconstruction
from coterie.index.rules.ast import CalendarUnit
from coterie.index.settings import HOUR_MS
from coterie.index.time.calendar import next_start, period_start
from coterie.server.dataset import Dataset

DEFAULT_BUCKETS = 30


def check_zone(name: str, field: str) -> str:
    """Returns an IANA time zone's name."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FieldInvalid(field, f"{name[:80]!r} is no IANA time zone") from error
    return name


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of one length ("hour", "day", "week", "month") in a zone; None: the default start or end."""

    length: str
    zone: str
    start: int | None
    end: int | None

    def edges(self, now: int, most: int) -> list[int]:
        """Returns the first instants of the buckets, and the end of the last one."""
        end = now + 1 if self.end is None else self.end
        start = self._default_start(end) if self.start is None else self.start
        if end <= start:
            raise FieldInvalid("end_time", "must be after start_time")
        edges = [self._first(start)]
        while edges[-1] < end:
            if len(edges) > most:
                raise LimitExceeded("start_time", "buckets", len(edges), most)
            edges.append(self._next(edges[-1]))
        if any(edge % HOUR_MS for edge in edges):
            raise FieldInvalid(
                "zone",
                f"days in {self.zone} do not begin at whole hours of UTC, in which trends are kept; "
                "ask for hours, or for the days of a zone that is whole hours from UTC",
            )
        return edges

    def _default_start(self, end: int) -> int:
        if self.length == "hour":
            return end - DEFAULT_BUCKETS * HOUR_MS
        return period_start(CalendarUnit(self.length), self.zone, end - 1, DEFAULT_BUCKETS - 1)

    def _first(self, start: int) -> int:
        if self.length == "hour":
            return start // HOUR_MS * HOUR_MS
        return period_start(CalendarUnit(self.length), self.zone, start, 0)

    def _next(self, edge: int) -> int:
        return edge + HOUR_MS if self.length == "hour" else next_start(CalendarUnit(self.length), self.zone, edge)


async def reconstructed(dataset: Dataset, segments: Iterable[str], edges: list[int]) -> dict[str, Reconstruction]:
    """Returns what can be reconstructed of the time before each segment's creation; the limits are the call's."""
    settings, found = dataset.settings, {}
    left = settings.max_reconstructed_events
    for name in dict.fromkeys(segments):
        reach = Reach(left, settings.max_reconstructed_ms)
        past = found[name] = dataset.engine.reconstruct(name, edges, reach, settings.build_rows)
        left -= past.events
        if past.events:
            with dataset.scans.place():
                await dataset.scans.finish(past)
    return found


def trend_of(dataset: Dataset, segment: str, edges: list[int]) -> list[TrendPoint]:
    """Returns one point for each bucket, from the one in which the segment was created."""
    points: dict[int, TrendPoint] = {}
    for hour in dataset.engine.trend(segment, "hour", edges[0], edges[-1]):
        start = edges[max(0, bisect_right(edges, hour.start) - 1)]
        before = points.get(start)
        joins, leaves = (before.joins, before.leaves) if before else (0, 0)
        points[start] = TrendPoint(start, hour.size, joins + hour.joins, leaves + hour.leaves)
    return list(points.values())
