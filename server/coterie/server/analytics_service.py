"""AnalyticsService: counts of expressions, and trends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any, TypeAlias

from coterie.index.errors import FieldInvalid, Origin
from coterie.server.binding import Context
from coterie.server.consistency import check_unmoved
from coterie.server.convert.answers import write_progress
from coterie.server.convert.subjects import kind_of
from coterie.server.convert.trends import write_trend
from coterie.server.convert.values import instant_of
from coterie.server.counting import Asked, count_into
from coterie.server.rule_forms import any_expression_of
from coterie.server.scans import Scanned
from coterie.server.service import Service, check_count
from coterie.server.trends import Buckets, check_zone, reconstructed, trend_of
from coterie.v1 import analytics_service_pb2 as v1

CountRequest: TypeAlias = v1.CountMembersRequest | v1.StreamCountMembersRequest
_LENGTHS = {
    v1.TIME_BUCKET_UNSPECIFIED: "day",
    v1.TIME_BUCKET_HOUR: "hour",
    v1.TIME_BUCKET_DAY: "day",
    v1.TIME_BUCKET_WEEK: "week",
    v1.TIME_BUCKET_MONTH: "month",
}


class AnalyticsService(Service):
    """Counts and compares."""

    async def count_members(self, request: v1.CountMembersRequest, context: Context) -> v1.CountMembersResponse:
        """Counts the members of expressions, all at one revision."""
        response = v1.CountMembersResponse()
        async with aclosing(self._count(request, context, response.counts, response)) as scan:
            async for _ in scan:
                pass
        return response

    async def stream_count_members(
        self, request: v1.StreamCountMembersRequest, context: Context
    ) -> AsyncIterator[v1.StreamCountMembersResponse]:
        """Does the same, and says how far it is."""
        last = v1.StreamCountMembersResponse()
        dataset = self._catalogue.get(request.dataset)
        async with aclosing(self._count(request, context, last.answer.counts, last)) as scan:
            async for scanned in scan:
                message = v1.StreamCountMembersResponse()
                write_progress(*scanned, message.progress)
                dataset.stamp(message)
                yield message
        yield last

    async def _count(
        self, request: CountRequest, context: Context, counts: Any, stamped: Any
    ) -> AsyncGenerator[Scanned, None]:
        most = self._settings.max_expressions_per_count
        check_count(request.expressions, "expressions", "expressions in one call", most, least=1)
        otherwise = kind_of(request.subject_kind, "subject_kind")
        asked = []
        for index, text in enumerate(request.expressions):
            field = f"expressions[{index}]"
            expression, places = await any_expression_of(text, field, self._settings)
            asked.append(Asked(Origin(field, places), text, expression, otherwise))
        dataset = await self._reading(request, context)
        async with aclosing(
            count_into(dataset, asked, counts, stamped, partial(check_unmoved, dataset, request.consistency))
        ) as scan:
            async for scanned in scan:
                yield scanned

    async def get_trend(self, request: v1.GetTrendRequest, context: Context) -> v1.GetTrendResponse:
        """Shows size, joins and leaves over time."""
        dataset = await self._reading(request, context)
        check_count(request.segments, "segments", "segments", self._settings.max_segments_per_trend, least=1)
        if request.bucket not in _LENGTHS:
            raise FieldInvalid("bucket", f"{request.bucket} is no value of this enum")
        buckets = Buckets(
            _LENGTHS[request.bucket],
            check_zone(request.zone or dataset.description.time_zone, "zone"),
            instant_of(request.start_time, "start_time") if request.HasField("start_time") else None,
            instant_of(request.end_time, "end_time") if request.HasField("end_time") else None,
        )
        edges = buckets.edges(dataset.engine.now, self._settings.max_trend_points)
        past = await reconstructed(dataset, request.segments, edges) if request.reconstruct else {}
        check_unmoved(dataset, request.consistency)
        # From here on nothing is awaited, so all that was recorded is of one revision.
        response = v1.GetTrendResponse(zone=buckets.zone)
        for name in request.segments:
            write_trend(name, past.get(name), trend_of(dataset, name, edges), response.trends.add())
        dataset.stamp(response)
        return response
