"""Calls about events and about single subjects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import islice
from typing import cast

import grpc

from coterie.client import answers, requests
from coterie.client.connection import AsyncConnection
from coterie.client.errors import translate
from coterie.client.pipeline import IN_FLIGHT
from coterie.client.profiles import Profile
from coterie.client.types import Acknowledged, Event, Freshness, Identifier, Ingested, SubjectLike
from coterie.client.values import Value
from coterie.v1 import event_service_pb2, profile_service_pb2


class EventCalls(AsyncConnection):
    """Ingesting events, setting attributes, and what is known of one subject."""

    async def ingest(self, events: Iterable[Event], *, partial: bool = False) -> Ingested:
        """Sends up to 10 000 events at once; when it returns they are durable, applied and visible.

        Where some are refused the others are taken, and `RecordsRefused` is raised unless `partial` is set.
        """
        answer = await self.call(self.services.events.IngestEvents, requests.ingest(self.dataset, events))
        return answers.all_taken(answers.ingested(answer), partial=partial)

    async def ingest_stream(self, events: Iterable[Event], *, batch: int = 1_000) -> AsyncIterator[Ingested]:
        """Sends any number of events over one stream and yields one result for each batch, in order.

        Refused events are in the results. Once the stream breaks, what was not acknowledged may or may not have been
        taken: sending it again is safe for events with an `event_id`.
        """
        stream = self.services.events.StreamEvents()
        left, under_way = iter(events), 0
        try:
            while messages := [requests.event(event) for event in islice(left, batch)]:
                if under_way == IN_FLIGHT:
                    yield answers.ingested(cast(event_service_pb2.StreamEventsResponse, await stream.read()))
                    under_way -= 1
                await stream.write(event_service_pb2.StreamEventsRequest(dataset=self.dataset, events=messages))
                under_way += 1
            await stream.done_writing()
            for _ in range(under_way):
                yield answers.ingested(cast(event_service_pb2.StreamEventsResponse, await stream.read()))
        except grpc.RpcError as failure:
            raise translate(failure) from None
        finally:
            stream.cancel()

    async def set_attributes(
        self, subject: SubjectLike, attributes: Mapping[str, Value | None], *, partial: bool = False
    ) -> Ingested:
        """Sets attributes of one subject; None removes one."""
        return await self.set_many_attributes([(subject, attributes)], partial=partial)

    async def set_many_attributes(
        self, updates: Iterable[tuple[SubjectLike, Mapping[str, Value | None]]], *, partial: bool = False
    ) -> Ingested:
        """Sets attributes of up to 10 000 subjects at once, in the order given."""
        messages = [requests.attribute_update(subject, attributes) for subject, attributes in updates]
        answer = await self.call(self.services.profiles.SetAttributes, requests.set_attributes(self.dataset, messages))
        return answers.all_taken(answers.ingested(answer), partial=partial)

    async def profile(self, subject: SubjectLike, *, events: int = 20, at_least: Freshness = None) -> Profile | None:
        """What is known of a subject, with its newest events; None where nobody has such an identifier."""
        request = profile_service_pb2.GetProfileRequest(
            dataset=self.dataset,
            subject=requests.subject(subject),
            page_size=events,
            consistency=requests.consistency(at_least),
        )
        return answers.profile(await self.call(self.services.profiles.GetProfile, request))

    async def merge(self, absorbed: SubjectLike, survivor: SubjectLike) -> tuple[Identifier, ...]:
        """Makes two subjects one; returns the identifiers of the one that stays."""
        request = profile_service_pb2.MergeSubjectsRequest(
            dataset=self.dataset,
            absorbed=requests.subject(absorbed),
            survivor=requests.subject(survivor),
            request_id=requests.new_request_id(),
        )
        return answers.identifiers((await self.call(self.services.profiles.MergeSubjects, request)).identifiers)

    async def delete_subject(self, subject: SubjectLike) -> Acknowledged:
        """Removes a subject with everything known of it; an unknown one changes nothing."""
        request = profile_service_pb2.DeleteSubjectRequest(
            dataset=self.dataset, subject=requests.subject(subject), request_id=requests.new_request_id()
        )
        answer = await self.call(self.services.profiles.DeleteSubject, request)
        return answers.acknowledged(answer)
