"""Calls about events and about single subjects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from coterie.client import answers, requests
from coterie.client.connection import Connection
from coterie.client.pipeline import EventPipeline
from coterie.client.profiles import Profile
from coterie.client.types import Acknowledged, Event, Freshness, Identifier, Ingested, SubjectLike
from coterie.client.values import Value
from coterie.v1 import event_service_pb2, profile_service_pb2


class EventCalls(Connection):
    """Ingesting events, setting attributes, and what is known of one subject."""

    def ingest(self, events: Iterable[Event], *, partial: bool = False) -> Ingested:
        """Sends up to 10 000 events at once; when it returns they are durable, applied and visible.

        Where some are refused the others are taken, and `RecordsRefused` is raised unless `partial` is set.
        """
        answer = self.call(self.services.events.IngestEvents, requests.ingest(self.dataset, events))
        return answers.all_taken(answers.ingested(answer), partial=partial)

    def ingest_stream(self, events: Iterable[Event], *, batch: int = 1_000) -> Iterator[Ingested]:
        """Sends any number of events over one stream and yields one result for each batch, in order.

        Refused events are in the results. Once the stream breaks, what was not acknowledged may or may not have been
        taken: sending it again is safe for events with an `event_id`.
        """
        pipeline: EventPipeline[int] = EventPipeline(self)
        left = iter(events)
        try:
            while messages := [requests.event(event) for event in islice(left, batch)]:
                pipeline.send(
                    event_service_pb2.StreamEventsRequest(dataset=self.dataset, events=messages), len(messages)
                )
                for _, answer in pipeline.acknowledged():
                    yield answers.ingested(answer)
            pipeline.finish()
            for _, answer in pipeline.acknowledged():
                yield answers.ingested(answer)
        finally:
            pipeline.cancel()

    def set_attributes(
        self, subject: SubjectLike, attributes: Mapping[str, Value | None], *, partial: bool = False
    ) -> Ingested:
        """Sets attributes of one subject; None removes one."""
        return self.set_many_attributes([(subject, attributes)], partial=partial)

    def set_many_attributes(
        self, updates: Iterable[tuple[SubjectLike, Mapping[str, Value | None]]], *, partial: bool = False
    ) -> Ingested:
        """Sets attributes of up to 10 000 subjects at once, in the order given."""
        messages = [requests.attribute_update(subject, attributes) for subject, attributes in updates]
        answer = self.call(self.services.profiles.SetAttributes, requests.set_attributes(self.dataset, messages))
        return answers.all_taken(answers.ingested(answer), partial=partial)

    def profile(self, subject: SubjectLike, *, events: int = 20, at_least: Freshness = None) -> Profile | None:
        """What is known of a subject, with its newest events; None where nobody has such an identifier."""
        request = profile_service_pb2.GetProfileRequest(
            dataset=self.dataset,
            subject=requests.subject(subject),
            page_size=events,
            consistency=requests.consistency(at_least),
        )
        return answers.profile(self.call(self.services.profiles.GetProfile, request))

    def merge(self, absorbed: SubjectLike, survivor: SubjectLike) -> tuple[Identifier, ...]:
        """Makes two subjects one; returns the identifiers of the one that stays."""
        request = profile_service_pb2.MergeSubjectsRequest(
            dataset=self.dataset,
            absorbed=requests.subject(absorbed),
            survivor=requests.subject(survivor),
            request_id=requests.new_request_id(),
        )
        return answers.identifiers(self.call(self.services.profiles.MergeSubjects, request).identifiers)

    def delete_subject(self, subject: SubjectLike) -> Acknowledged:
        """Removes a subject with everything known of it; an unknown one changes nothing."""
        request = profile_service_pb2.DeleteSubjectRequest(
            dataset=self.dataset, subject=requests.subject(subject), request_id=requests.new_request_id()
        )
        return answers.acknowledged(self.call(self.services.profiles.DeleteSubject, request))
