"""Calls about who is in which segment: checks, lists, exports, and following joins and leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from coterie.client import answers, requests
from coterie.client.connection import AsyncConnection
from coterie.client.profiles import CurrentSegment, Explanation, Member
from coterie.client.types import Freshness, ListChanged, SubjectKind, SubjectLike
from coterie.client.watching import AsyncWatch
from coterie.v1 import membership_service_pb2


class MemberCalls(AsyncConnection):
    """Membership of segments."""

    async def check(self, subject: SubjectLike, segment: str, *, at_least: Freshness = None) -> bool:
        """Whether a subject is in a segment; an unknown subject is in none."""
        return (await self.check_many(subject, [segment], at_least=at_least))[segment]

    async def check_many(
        self, subject: SubjectLike, segments: Sequence[str] = (), *, at_least: Freshness = None
    ) -> dict[str, bool]:
        """In which of up to 1 000 segments a subject is; without segments, of all that are ready."""
        request = membership_service_pb2.CheckMembershipRequest(
            dataset=self.dataset,
            subject=requests.subject(subject),
            segments=segments,
            consistency=requests.consistency(at_least),
        )
        answer = await self.call(self.services.memberships.CheckMembership, request)
        return {membership.segment: membership.member for membership in answer.memberships}

    async def batch_check(
        self, subjects: Sequence[SubjectLike], segments: Sequence[str], *, at_least: Freshness = None
    ) -> list[list[bool]]:
        """For up to 10 000 subjects, one row each: in which of up to 100 segments it is."""
        request = requests.batch_check(self.dataset, subjects, segments, at_least)
        answer = await self.call(self.services.memberships.BatchCheckMembership, request)
        return answers.bits(answer.members, len(subjects), len(segments))

    async def segments_of(self, subject: SubjectLike, *, at_least: Freshness = None) -> tuple[CurrentSegment, ...]:
        """The segments a subject is in, with since when."""
        request = membership_service_pb2.ListSubjectSegmentsRequest(
            dataset=self.dataset, subject=requests.subject(subject), consistency=requests.consistency(at_least)
        )
        found: list[CurrentSegment] = []
        while True:
            answer = await self.call(self.services.memberships.ListSubjectSegments, request)
            found.extend(answers.current_segments(answer.segments))
            if not answer.next_page_token:
                return tuple(found)
            request.page_token = answer.next_page_token

    async def explain(self, subject: SubjectLike, segment: str, *, at_least: Freshness = None) -> Explanation:
        """Why a subject is in a segment, or is not: its rule as a tree with values, and when time will flip what."""
        request = membership_service_pb2.ExplainMembershipRequest(
            dataset=self.dataset,
            subject=requests.subject(subject),
            segment=segment,
            consistency=requests.consistency(at_least),
        )
        return answers.explanation(await self.call(self.services.memberships.ExplainMembership, request))

    async def members(
        self,
        expression: str,
        *,
        attributes: Sequence[str] = (),
        order_by: str = "",
        descending: bool = False,
        of: SubjectKind = "user",
        at_least: Freshness = None,
    ) -> AsyncIterator[Member]:
        """The members of an expression such as `vip and not churned`, page by page, as first seen or by an attribute."""
        request = requests.list_members(self.dataset, expression, attributes, order_by, descending, of, at_least)
        while True:
            answer = await self.call(self.services.memberships.ListMembers, request)
            for message in answer.members:
                yield answers.member(message)
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def export(
        self,
        expression: str,
        *,
        attributes: Sequence[str] = (),
        of: SubjectKind = "user",
        at_least: Freshness = None,
    ) -> AsyncIterator[Member]:
        """All members of an expression as of one revision, over one stream."""
        request = requests.export_members(self.dataset, expression, attributes, of, at_least)
        async for message in self.stream(self.services.memberships.ExportMembers, request):
            for one in message.batch.members:
                yield answers.member(one)

    async def import_members(self, segment: str, user_ids: Iterable[str], *, operation: str = "add") -> ListChanged:
        """Changes a list (`add`, `remove`, `set`) by a stream of any length; one that breaks changes nothing."""
        messages = requests.import_members(self.dataset, segment, user_ids, operation)
        answer = await self.send_stream(self.services.segments.ImportMembers, messages)
        return answers.list_changed(answer)

    def watch(self, *segments: str, since: Freshness = None, progress_ms: int = 0) -> AsyncWatch:
        """Follows joins and leaves, from now on or after a revision; of all segments where none is named."""
        return AsyncWatch(self, segments, since, progress_ms)
