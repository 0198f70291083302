"""ProfileService: what is known of single subjects, and changing it."""

from __future__ import annotations

from coterie.server.binding import Context
from coterie.server.convert.answers import stamp_written, write_event, write_identifiers, write_refusals
from coterie.server.convert.profiles import Range, range_of, totals_of, write_profile
from coterie.server.convert.subjects import subject_of
from coterie.server.service import Service, check_count
from coterie.server.subject_changes import delete, merge, set_attributes
from coterie.server.timelines import Timeline
from coterie.v1 import profile_service_pb2 as v1

_PROFILE_PAGE, _EVENTS_PAGE = 20, 100
_ALL = 2**31


class ProfileService(Service):
    """Keeps and shows what is known of single subjects."""

    async def set_attributes(self, request: v1.SetAttributesRequest, _context: Context) -> v1.SetAttributesResponse:
        """Sets and removes attributes."""
        dataset = self._catalogue.get(request.dataset)
        check_count(request.updates, "updates", "updates in one call", self._settings.max_updates_per_call, least=1)

        async def work() -> v1.SetAttributesResponse:
            written = await set_attributes(dataset, request.updates)
            response = v1.SetAttributesResponse(accepted=written.accepted)
            stamp_written(dataset.tokens, written, response)
            write_refusals(written.refused, response.refused)
            return response

        return await self._once(dataset, request, work)

    async def get_profile(self, request: v1.GetProfileRequest, context: Context) -> v1.GetProfileResponse:
        """Shows one subject, with a page of the timeline."""
        dataset = await self._reading(request, context)
        kind, identifiers = subject_of(request.subject, "subject", dataset.settings.engine)
        size = self._page_size(request.page_size, _PROFILE_PAGE)
        dense = dataset.engine.find(kind, identifiers)
        response = v1.GetProfileResponse(known=dense is not None)
        if dense is not None:
            timeline = Timeline(dataset, kind, dense, repr((kind, identifiers)))
            events, response.next_page_token = timeline.page(request.page_token, size, Range())
            for event, time in events:
                write_event(event, time, response.timeline.add())
            totals = totals_of(dataset.engine.events_of(kind, dense, None, _ALL))
            write_profile(dataset.engine.profile(kind, dense), kind, totals, response.profile)
        dataset.stamp(response)
        return response

    async def list_events(self, request: v1.ListEventsRequest, context: Context) -> v1.ListEventsResponse:
        """Lists a subject's events, newest first."""
        dataset = await self._reading(request, context)
        kind, identifiers = subject_of(request.subject, "subject", dataset.settings.engine)
        check_count(request.types, "types", "event types", self._settings.max_attributes_shown)
        size = self._page_size(request.page_size, _EVENTS_PAGE)
        limits = range_of(request)
        dense = dataset.engine.find(kind, identifiers)
        response = v1.ListEventsResponse(known=dense is not None)
        if dense is not None:
            timeline = Timeline(dataset, kind, dense, repr((kind, identifiers, limits)))
            events, response.next_page_token = timeline.page(request.page_token, size, limits)
            for event, time in events:
                write_event(event, time, response.events.add())
        dataset.stamp(response)
        return response

    async def merge_subjects(self, request: v1.MergeSubjectsRequest, _context: Context) -> v1.MergeSubjectsResponse:
        """Makes two subjects one."""
        dataset = self._catalogue.get(request.dataset)
        absorbed = subject_of(request.absorbed, "absorbed", dataset.settings.engine)
        survivor = subject_of(request.survivor, "survivor", dataset.settings.engine)

        async def work() -> v1.MergeSubjectsResponse:
            written = await merge(dataset, absorbed, survivor)
            response = v1.MergeSubjectsResponse()
            stamp_written(dataset.tokens, written, response)
            dense = dataset.engine.find(*survivor)
            if dense is not None:
                write_identifiers(dataset.engine.identifiers(survivor[0], dense), response.identifiers)
            return response

        return await self._once(dataset, request, work)

    async def delete_subject(self, request: v1.DeleteSubjectRequest, _context: Context) -> v1.DeleteSubjectResponse:
        """Removes a subject; an unknown one is none to remove."""
        dataset = self._catalogue.get(request.dataset)
        subject = subject_of(request.subject, "subject", dataset.settings.engine)

        async def work() -> v1.DeleteSubjectResponse:
            written = await delete(dataset, subject)
            response = v1.DeleteSubjectResponse(known=written is not None)
            if written is None:
                dataset.stamp(response)
            else:
                stamp_written(dataset.tokens, written, response)
            return response

        return await self._once(dataset, request, work)
