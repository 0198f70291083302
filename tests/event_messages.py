"""Events for the tests of messages: strategies, and how the bytes of a request are read."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from coterie.index.model import Event, Identifier, Refusal
from coterie.index.settings import Settings
from coterie.server.convert.events import EventReader
from coterie.server.convert.wire import request_class
from coterie.v1 import event_service_pb2

SETTINGS = Settings()
MIN_MS, MAX_MS = -62_135_596_800_000, 253_402_300_799_999

texts = st.text(max_size=20)
values = st.one_of(
    texts,
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.integers(MIN_MS, MAX_MS),
    st.lists(texts, max_size=3).map(tuple),
)

names = st.text(min_size=1, max_size=10)
identifiers = st.lists(
    st.builds(Identifier, st.sampled_from(["email", "device_id", "crm_id"]), names), max_size=3, unique=True
)


@st.composite
def events_as_read(draw: st.DrawFn) -> Event:
    """Events in the order and form in which they are read."""
    known = [Identifier("user_id", draw(names))] if draw(st.booleans()) else []
    known += [Identifier("anonymous_id", draw(names))] if draw(st.booleans()) else []
    account = draw(st.one_of(st.none(), names))
    others = draw(identifiers)
    if not (known or others or account):
        account = "firm"
    properties = st.dictionaries(names, values, max_size=4)
    return Event(
        draw(texts),
        draw(names.filter(lambda name: not name.startswith("$"))),
        (*known, *others),
        account,
        draw(st.integers(MIN_MS, MAX_MS)),
        draw(properties),
        draw(properties),
    )


def read_bytes(data: bytes, reader: EventReader) -> tuple[list[Event], list[Refusal], list[int]]:
    """Returns the events of a request's bytes, the refusals, and the events' indexes."""
    events: list[Event] = []
    indexes: list[int] = []
    refused: list[Refusal] = []
    request: Any = request_class(event_service_pb2.IngestEventsRequest.DESCRIPTOR).FromString(data)
    reader.read(request.events, 0, events, indexes, refused)
    return events, refused, indexes
