"""Calls about segments: creating, editing, listing, and the members of lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import timedelta

from coterie.client import answers, requests
from coterie.client.connection import AsyncConnection
from coterie.client.types import (
    Acknowledged,
    Freshness,
    ListChanged,
    Mode,
    ParsedRule,
    Preview,
    ScanProgress,
    Segment,
    SegmentVersion,
    SubjectKind,
    SubjectLike,
    Universe,
)
from coterie.v1 import segment_service_pb2

_FIRST_LOOK, _LONGEST_LOOK = 0.01, 0.5
"""Seconds between two looks at a build."""


class SegmentCalls(AsyncConnection):
    """The segments of a dataset."""

    async def create_segment(
        self,
        segment: str,
        rule: str,
        *,
        of: SubjectKind = "user",
        mode: Mode = "live",
        ttl: timedelta | None = None,
        universe: Universe = "all",
        display_name: str = "",
        description: str = "",
        labels: Mapping[str, str] | None = None,
        author: str = "",
        wait: bool = True,
    ) -> Segment:
        """Creates a segment kept up to date by a rule in text form, and waits until it answers.

        Without `wait` it returns at once; reads then raise SEGMENT_BUILDING while its state is `building`.
        """
        message = requests.segment(
            segment, rule=rule, kind="rule", of=of, mode=mode, ttl=ttl, universe=universe,
            display_name=display_name, description=description, labels=labels,
        )  # fmt: skip
        request = segment_service_pb2.CreateSegmentRequest(
            dataset=self.dataset, segment=message, author=author, request_id=requests.new_request_id()
        )
        created = answers.segment((await self.call(self.services.segments.CreateSegment, request)).segment)
        return await self._built(created) if wait else created

    async def create_list(
        self,
        segment: str,
        *,
        of: SubjectKind = "user",
        display_name: str = "",
        description: str = "",
        labels: Mapping[str, str] | None = None,
        author: str = "",
    ) -> Segment:
        """Creates an empty list, whose members are changed by hand."""
        message = requests.segment(
            segment, kind="list", of=of, display_name=display_name, description=description, labels=labels
        )
        request = segment_service_pb2.CreateSegmentRequest(
            dataset=self.dataset, segment=message, author=author, request_id=requests.new_request_id()
        )
        return answers.segment((await self.call(self.services.segments.CreateSegment, request)).segment)

    async def segment(self, segment: str, *, at_least: Freshness = None) -> Segment:
        """One segment."""
        request = segment_service_pb2.GetSegmentRequest(
            dataset=self.dataset,
            segment=segment,
            view=segment_service_pb2.SEGMENT_VIEW_BASIC,
            consistency=requests.consistency(at_least),
        )
        return answers.segment((await self.call(self.services.segments.GetSegment, request)).segment)

    async def _built(self, segment: Segment) -> Segment:
        """The segment once no build of it is running."""
        pause = _FIRST_LOOK
        while segment.build_progress is not None or segment.state == "building":
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_LOOK)
            segment = await self.segment(segment.id)
        return segment

    async def segments(
        self, *, labels: Mapping[str, str] | None = None, at_least: Freshness = None
    ) -> AsyncIterator[Segment]:
        """All segments, by id; or those that have all these labels."""
        request = segment_service_pb2.ListSegmentsRequest(
            dataset=self.dataset, labels=labels, page_size=1_000, consistency=requests.consistency(at_least)
        )
        while True:
            answer = await self.call(self.services.segments.ListSegments, request)
            for message in answer.segments:
                yield answers.segment(message)
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def update_segment(
        self,
        segment: str,
        *,
        rule: str | None = None,
        mode: Mode | None = None,
        ttl: timedelta | None = None,
        universe: Universe | None = None,
        display_name: str | None = None,
        description: str | None = None,
        labels: Mapping[str, str] | None = None,
        etag: str = "",
        author: str = "",
        wait: bool = False,
    ) -> Segment:
        """Changes what is given. A new rule takes over once it is built; until then the old one answers.

        With `wait` it returns when the new one has taken over.
        """
        message = requests.segment(
            segment, rule=rule, mode=mode, ttl=ttl, universe=universe,
            display_name=display_name, description=description, labels=labels, etag=etag,
        )  # fmt: skip
        fields = requests.changed_fields(
            rule_text=rule, mode=mode, ttl=ttl, universe=universe,
            display_name=display_name, description=description, labels=labels,
        )  # fmt: skip
        request = requests.update_segment(self.dataset, message, fields, author)
        updated = answers.segment((await self.call(self.services.segments.UpdateSegment, request)).segment)
        return await self._built(updated) if wait else updated

    async def delete_segment(self, segment: str, *, etag: str = "") -> Acknowledged:
        """Deletes a segment that no other uses."""
        request = segment_service_pb2.DeleteSegmentRequest(
            dataset=self.dataset, segment=segment, etag=etag, request_id=requests.new_request_id()
        )
        answer = await self.call(self.services.segments.DeleteSegment, request)
        return answers.acknowledged(answer)

    async def clone_segment(
        self, segment: str, new_segment: str, *, display_name: str = "", author: str = "", wait: bool = True
    ) -> Segment:
        """Creates a segment with the rule and settings, or the list members, of another."""
        request = segment_service_pb2.CloneSegmentRequest(
            dataset=self.dataset,
            segment=segment,
            new_segment=new_segment,
            display_name=display_name,
            author=author,
            request_id=requests.new_request_id(),
        )
        copy = answers.segment((await self.call(self.services.segments.CloneSegment, request)).segment)
        return await self._built(copy) if wait else copy

    async def freeze(self, expression: str, new_segment: str, *, of: SubjectKind = "user", author: str = "") -> Segment:
        """Creates a segment that holds for ever who is in the expression now."""
        request = segment_service_pb2.FreezeSegmentRequest(
            dataset=self.dataset,
            expression=expression,
            new_segment=new_segment,
            subject_kind=requests.subject_kind(of),
            author=author,
            request_id=requests.new_request_id(),
        )
        return answers.segment((await self.call(self.services.segments.FreezeSegment, request)).segment)

    async def segment_versions(self, segment: str) -> AsyncIterator[SegmentVersion]:
        """The edits of a segment, newest first."""
        request = segment_service_pb2.ListSegmentVersionsRequest(dataset=self.dataset, segment=segment, page_size=1_000)
        while True:
            answer = await self.call(self.services.segments.ListSegmentVersions, request)
            for message in answer.versions:
                yield answers.segment_version(message)
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def dependents(self, segment: str) -> list[str]:
        """The segments whose rules name this one."""
        request = segment_service_pb2.ListDependentsRequest(dataset=self.dataset, segment=segment)
        return list((await self.call(self.services.segments.ListDependents, request)).dependents)

    async def parse(self, rule: str, *, of: SubjectKind = "user") -> ParsedRule:
        """Reads a rule and gives it back in its one printed form; raises RuleError with line and column."""
        request = segment_service_pb2.ParseRuleRequest(
            dataset=self.dataset, text=rule, subject_kind=requests.subject_kind(of)
        )
        return answers.parsed(await self.call(self.services.segments.ParseRule, request))

    async def preview(
        self,
        rule: str,
        *,
        sample: int = 10,
        of: SubjectKind = "user",
        universe: Universe = "all",
        progress: Callable[[ScanProgress], object] | None = None,
    ) -> Preview:
        """How many a rule matches now, and some of them; nothing is saved.

        With `progress`, which is told how far the scan of history is, the call takes as long as it takes.
        """
        segments = self.services.segments
        if progress is None:
            request = requests.preview(self.dataset, rule, sample, of, universe)
            answer = await self.call(segments.PreviewRule, request)
            return answers.preview(answer)
        streamed = requests.stream_preview(self.dataset, rule, sample, of, universe)
        last = await self.scan(segments.StreamPreviewRule, streamed, progress)
        return answers.preview(last.matches)

    async def add_members(self, segment: str, members: Iterable[SubjectLike]) -> ListChanged:
        """Puts up to 10 000 subjects on a list; unknown ones are created."""
        request = segment_service_pb2.AddMembersRequest(
            dataset=self.dataset,
            segment=segment,
            members=requests.subjects(members),
            request_id=requests.new_request_id(),
        )
        answer = await self.call(self.services.segments.AddMembers, request)
        return answers.list_changed(answer)

    async def remove_members(self, segment: str, members: Iterable[SubjectLike]) -> ListChanged:
        """Takes up to 10 000 subjects off a list."""
        request = segment_service_pb2.RemoveMembersRequest(
            dataset=self.dataset,
            segment=segment,
            members=requests.subjects(members),
            request_id=requests.new_request_id(),
        )
        answer = await self.call(self.services.segments.RemoveMembers, request)
        return answers.list_changed(answer)

    async def set_members(self, segment: str, members: Iterable[SubjectLike]) -> ListChanged:
        """Replaces all members of a list by at most 10 000 others."""
        request = segment_service_pb2.SetMembersRequest(
            dataset=self.dataset,
            segment=segment,
            members=requests.subjects(members),
            request_id=requests.new_request_id(),
        )
        answer = await self.call(self.services.segments.SetMembers, request)
        return answers.list_changed(answer)
