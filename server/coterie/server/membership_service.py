"""MembershipService: who is in which segment. CheckMembership is the hottest path of the server."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from functools import partial

from coterie.index.algebra import is_set
from coterie.index.errors import CoterieError, FieldInvalid, Origin
from coterie.server.binding import Context
from coterie.server.catalogue import Catalogue
from coterie.server.config import ServerSettings
from coterie.server.consistency import check_unmoved
from coterie.server.convert.answers import Refusals, pack_bits, stamp, write_error
from coterie.server.convert.explanations import write_explanation
from coterie.server.convert.members import exported_members, find_subjects, find_users, listed_members
from coterie.server.convert.subjects import subject_of
from coterie.server.convert.values import timestamp_of
from coterie.server.counting import Asked, members_by_scan
from coterie.server.dataset import Dataset
from coterie.server.exports import Exports
from coterie.server.members import write_page
from coterie.server.rule_forms import any_expression_of, read_beside
from coterie.server.service import Service, check_count
from coterie.server.watch import Watcher, WatchQuestion
from coterie.v1 import membership_service_pb2 as v1

_DEFAULT_SEGMENTS_PAGE = 1_000
_log = logging.getLogger("coterie.server")


class MembershipService(Service):
    """Answers membership."""

    def __init__(self, catalogue: Catalogue, settings: ServerSettings) -> None:
        super().__init__(catalogue, settings)
        self._exports = Exports()

    async def check_membership(self, request: v1.CheckMembershipRequest, context: Context) -> bytes:
        """Says of one subject in which segments it is; a serialized CheckMembershipResponse."""
        dataset = await self._reading(request, context)
        known, segments, members = self._checked(dataset, request)
        engine = dataset.engine
        return dataset.check_answers.pack(engine.revision, engine.now, segments, members, known=known)

    def _checked(
        self, dataset: Dataset, request: v1.CheckMembershipRequest | v1.StreamCheckMembershipRequest
    ) -> tuple[bool, list[str], list[bool]]:
        """Returns whether the subject is known, the segments, and in which of them it is."""
        kind, identifiers = subject_of(request.subject, "subject", dataset.settings.engine)
        segments = list(request.segments)
        if not segments:
            segments = dataset.ready_segments(kind)
        elif len(segments) > self._settings.max_segments_per_check:
            check_count(segments, "segments", "segments in one check", self._settings.max_segments_per_check)
        engine = dataset.engine
        dense = engine.find(kind, identifiers)
        return dense is not None, segments, engine.check(kind, dense, segments)

    async def stream_check_membership(
        self, requests: AsyncIterator[v1.StreamCheckMembershipRequest], context: Context
    ) -> AsyncIterator[v1.StreamCheckMembershipResponse]:
        """Answers checks as they come; what is wrong with one is said in its answer."""
        number, name = 0, ""
        async for request in requests:
            name = request.dataset = request.dataset or name
            response = v1.StreamCheckMembershipResponse(check=number)
            dataset = self._catalogue.get(name)
            try:
                await self._reading(request, context)
                response.known, segments, members = self._checked(dataset, request)
                for segment, member in zip(segments, members, strict=True):
                    response.memberships.add(segment=segment, member=member)
            except CoterieError as error:
                write_error(error, number, response.error)
            dataset.stamp(response)
            yield response
            number += 1

    async def batch_check_membership(
        self, request: v1.BatchCheckMembershipRequest, context: Context
    ) -> v1.BatchCheckMembershipResponse:
        """Says of many subjects in which segments each is."""
        dataset = await self._reading(request, context)
        settings = self._settings
        segments = list(request.segments)
        check_count(segments, "segments", "segments in one batch", settings.max_segments_per_batch_check, least=1)
        if request.subjects and request.user_ids:
            raise FieldInvalid("user_ids", "give either subjects or user_ids")
        field = "subjects" if request.subjects else "user_ids"
        most = settings.max_subjects_per_batch_check
        check_count(request.subjects or request.user_ids, field, "subjects in one batch", most, least=1)
        refused = Refusals(most)
        find, limits = dataset.engine.find, dataset.settings.engine
        if request.subjects:
            kind, dense = find_subjects(request.subjects, find, limits, refused)
        else:
            kind, dense = dataset.user_kind, find_users(request.user_ids, dataset.engine.find_many, limits, refused)
        response = v1.BatchCheckMembershipResponse()
        response.members = pack_bits(dataset.engine.check_many(kind, dense, segments))
        response.known = pack_bits(dense != 0)
        refused.write(response.refused)
        dataset.stamp(response)
        return response

    async def list_subject_segments(
        self, request: v1.ListSubjectSegmentsRequest, context: Context
    ) -> v1.ListSubjectSegmentsResponse:
        """Lists the segments a subject is in, with since when."""
        dataset = await self._reading(request, context)
        kind, identifiers = subject_of(request.subject, "subject", dataset.settings.engine)
        size = self._page_size(request.page_size, _DEFAULT_SEGMENTS_PAGE)
        query = repr((kind, identifiers))
        after = ""
        if request.page_token:
            after = str(dataset.tokens.read_page("segments_of", query, request.page_token)[0])
        dense = dataset.engine.find(kind, identifiers)
        response = v1.ListSubjectSegmentsResponse(known=dense is not None)
        if dense is not None:
            rest = sorted(name for name in dataset.engine.segments_of(kind, dense) if name > after)
            for name in rest[:size]:
                entry = response.segments.add(segment=name)
                since = dataset.engine.since(name, dense)
                if since is not None:
                    entry.since.CopyFrom(timestamp_of(since))
            if len(rest) > size:
                response.next_page_token = dataset.tokens.page("segments_of", query, [rest[size - 1]])
        dataset.stamp(response)
        return response

    async def list_members(self, request: v1.ListMembersRequest, context: Context) -> v1.ListMembersResponse:
        """Lists the members of a set expression in pages."""
        question = listed_members(request, self._settings)
        # Read before the dataset is settled: nothing may be awaited between that and the answer.
        expression, _ = await any_expression_of(question.expression, "expression", self._settings)
        dataset = await self._reading(request, context)
        response = v1.ListMembersResponse()
        write_page(dataset, question, expression, response)
        dataset.stamp(response)
        return response

    async def export_members(
        self, request: v1.ExportMembersRequest, context: Context
    ) -> AsyncIterator[v1.ExportMembersResponse]:
        """Streams all members of an expression."""
        question = exported_members(request, self._settings)
        expression, places = await any_expression_of(question.expression, "expression", self._settings)
        dataset = await self._reading(request, context)
        scanned = None
        if not question.place and not is_set(expression):
            asked = Asked(Origin("expression", places), question.expression, expression, question.subject_kind)
            scanned = await members_by_scan(dataset, asked)
            check_unmoved(dataset, request.consistency)
        for message in self._exports.messages(dataset, question, expression, scanned):
            yield message

    async def watch_membership(
        self, request: v1.WatchMembershipRequest, _context: Context
    ) -> AsyncIterator[v1.WatchMembershipResponse]:
        """Streams joins and leaves."""
        dataset = self._catalogue.get(request.dataset)
        dataset.check_serving()
        most = self._settings.max_segments_per_watch
        check_count(request.segments, "segments", "segments in one watch", most)
        after = request.after.token if request.HasField("after") else None
        question = WatchQuestion(frozenset(request.segments) or None, after, request.progress_interval_ms)
        dataset.watchers += 1
        try:
            async for message in Watcher(dataset, question).messages():
                yield message
        finally:
            dataset.watchers -= 1

    async def explain_membership(
        self, request: v1.ExplainMembershipRequest, context: Context
    ) -> v1.ExplainMembershipResponse:
        """Says why a subject is in a segment, or is not; a step at a time, other work goes on between them."""
        dataset = await self._reading(request, context)
        kind, identifiers = subject_of(request.subject, "subject", dataset.settings.engine)
        if not request.segment:
            raise FieldInvalid("segment", "must not be empty")
        explanation = dataset.engine.explain(kind, identifiers, request.segment)
        for text in explanation.unread():
            await read_beside(partial(explanation.read, text), len(text))
        while explanation.step():
            await dataset.way.give()
        answer = explanation.answer
        if not answer.agrees:
            _log.error("%s: the explanation of a membership of %s is wrong", dataset.description.id, request.segment)
        response = v1.ExplainMembershipResponse()
        write_explanation(answer, response)
        stamp(dataset.tokens, answer.revision, answer.now, response)
        return response
