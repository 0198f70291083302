"""The calls of SegmentService that show segments."""

from __future__ import annotations

from coterie.index.segments import Segment
from coterie.server.binding import Context
from coterie.server.convert.segments import check_filters, matches, write_segment, write_version
from coterie.server.dataset import Dataset
from coterie.server.rule_forms import tree_message
from coterie.server.service import Service
from coterie.v1 import segment_service_pb2 as v1

_DEFAULT_PAGE = 100


class SegmentViews(Service):
    """Shows segments, their versions and who uses them."""

    async def get_segment(self, request: v1.GetSegmentRequest, context: Context) -> v1.GetSegmentResponse:
        """Shows one segment."""
        dataset = await self._reading(request, context)
        response = v1.GetSegmentResponse()
        segment = dataset.engine.segment(request.segment)
        write_segment(segment, _size(dataset, segment), response.segment)
        dataset.stamp(response)
        if request.view != v1.SEGMENT_VIEW_BASIC:
            await self._write_tree(dataset, response.segment)
        return response

    async def list_segments(self, request: v1.ListSegmentsRequest, context: Context) -> v1.ListSegmentsResponse:
        """Lists segments by id."""
        dataset = await self._reading(request, context)
        size = self._page_size(request.page_size, _DEFAULT_PAGE)
        check_filters(request)
        matching = sorted(
            (segment for segment in dataset.engine.segments() if matches(segment, request)), key=lambda s: s.id
        )
        query = repr((sorted(request.labels.items()), request.state, request.kind, request.subject_kind))
        after = ""
        if request.page_token:
            after = str(dataset.tokens.read_page("segments", query, request.page_token)[0])
        rest = [segment for segment in matching if segment.id > after]
        response = v1.ListSegmentsResponse(total_size=len(matching))
        for segment in rest[:size]:
            write_segment(segment, _size(dataset, segment), response.segments.add())
        if len(rest) > size:
            response.next_page_token = dataset.tokens.page("segments", query, [rest[size - 1].id])
        dataset.stamp(response)
        if request.view == v1.SEGMENT_VIEW_FULL:
            for shown in response.segments:
                await self._write_tree(dataset, shown)
        return response

    async def list_segment_versions(
        self, request: v1.ListSegmentVersionsRequest, context: Context
    ) -> v1.ListSegmentVersionsResponse:
        """Lists the versions of a segment, newest first."""
        dataset = await self._reading(request, context)
        size = self._page_size(request.page_size, _DEFAULT_PAGE)
        versions = dataset.engine.segment(request.segment).versions
        before = versions[-1].number + 1
        if request.page_token:
            before = int(dataset.tokens.read_page("versions", request.segment, request.page_token)[0])
        rest = [version for version in reversed(versions) if version.number < before]
        response = v1.ListSegmentVersionsResponse()
        for version in rest[:size]:
            write_version(version, response.versions.add())
        if len(rest) > size:
            token = dataset.tokens.page("versions", request.segment, [rest[size - 1].number])
            response.next_page_token = token
        dataset.stamp(response)
        return response

    async def list_dependents(self, request: v1.ListDependentsRequest, context: Context) -> v1.ListDependentsResponse:
        """Lists the segments that use a segment."""
        dataset = await self._reading(request, context)
        dataset.engine.segment(request.segment)
        response = v1.ListDependentsResponse(dependents=dataset.engine.dependents(request.segment))
        dataset.stamp(response)
        return response

    async def _show(self, dataset: Dataset, segment: Segment, target: v1.Segment) -> None:
        """Writes all of a segment."""
        write_segment(segment, _size(dataset, segment), target)
        await self._write_tree(dataset, target)

    async def _write_tree(self, dataset: Dataset, target: v1.Segment) -> None:
        """Writes the rule as a tree beside its text, and gives way to other calls."""
        tree = await tree_message(target.rule_text)
        if tree is not None:
            target.rule.CopyFrom(tree)
        await dataset.way.give()


def _size(dataset: Dataset, segment: Segment) -> int | None:
    return dataset.engine.size(segment.id) if segment.root is not None else None
