"""AnalyticsService: counts of set expressions, and trends."""

from __future__ import annotations

from coterie.index.errors import FieldInvalid
from coterie.server.binding import Context
from coterie.server.convert.subjects import kind_of
from coterie.server.convert.values import instant_of, timestamp_of
from coterie.server.rule_forms import set_expression_of, subject_kind_of
from coterie.server.service import Service, check_count
from coterie.server.trends import Buckets, check_zone, trend_of
from coterie.v1 import analytics_service_pb2 as v1

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
        """Counts the members of set expressions, all at one revision."""
        most = self._settings.max_expressions_per_count
        check_count(request.expressions, "expressions", "expressions in one call", most, least=1)
        otherwise = kind_of(request.subject_kind, "subject_kind")
        parsed = [
            await set_expression_of(text, f"expressions[{index}]", self._settings)
            for index, text in enumerate(request.expressions)
        ]
        # From here on nothing is awaited, so all counts are of one revision.
        dataset = await self._reading(request, context)
        response = v1.CountMembersResponse()
        for text, expression in zip(request.expressions, parsed, strict=True):
            kind = subject_kind_of(dataset, expression, otherwise)
            response.counts.add(expression=text, count=dataset.engine.count(expression, kind))
        dataset.stamp(response)
        return response

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
        response = v1.GetTrendResponse()
        for name in request.segments:
            trend = response.trends.add(segment=name)
            for point in trend_of(dataset, name, edges):
                entry = trend.points.add(size=point.size, joined=point.joins, left=point.leaves)
                entry.start_time.CopyFrom(timestamp_of(point.start))
        dataset.stamp(response)
        return response
