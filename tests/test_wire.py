"""The form in which requests with events are read: the same on the wire as the contract's, whatever was remembered."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.model import Event
from coterie.server.convert.answers import write_event
from coterie.server.convert.events import EventReader
from coterie.server.convert.wire import canonical_bytes, request_class
from coterie.v1 import common_pb2, event_service_pb2
from tests.event_messages import SETTINGS, events_as_read, names, read_bytes, texts
from tests.serving import event


@given(st.lists(events_as_read(), min_size=1, max_size=5))
def test_what_is_remembered_of_events_changes_nothing(given_events: list[Event]) -> None:
    """Events whose names, values and contexts were seen before are read as the first time, kinds included."""
    request = event_service_pb2.IngestEventsRequest()
    for each in given_events:
        assert each.time is not None
        write_event(each, each.time, request.events.add())
    reader, data = EventReader(SETTINGS), request.SerializeToString()
    for _ in range(3):
        events, refused, _ = read_bytes(data, reader)
        assert refused == []
        assert repr(_in_order(events)) == repr(_in_order(given_events))  # the text tells 1.0 from 1 and from true


def _in_order(events: list[Event]) -> list[Event]:
    return [
        each._replace(properties=dict(sorted(each.properties.items())), context=dict(sorted(each.context.items())))
        for each in events
    ]


entry_bytes = st.one_of(
    st.binary(max_size=12),
    st.builds(
        lambda key, value, cut, byte, place: _spoiled(
            common_pb2.Event.PropertiesEntry(key=key, value=common_pb2.Value(**value)).SerializeToString(),
            cut,
            byte,
            place,
        ),
        names,
        st.one_of(
            st.builds(dict, string=texts), st.builds(dict, number=st.floats()), st.builds(dict, boolean=st.booleans())
        ),
        st.integers(0, 2),
        st.integers(0, 255),
        st.integers(-1, 30),
    ),
)


def _spoiled(entry: bytes, cut: int, byte: int, place: int) -> bytes:
    """The entry without its last bytes, and with another byte somewhere; often as it was."""
    entry = entry[: len(entry) - cut]
    return entry[:place] + bytes([byte]) + entry[place + 1 :] if 0 <= place < len(entry) else entry


@given(st.lists(entry_bytes, min_size=1, max_size=4))
def test_entries_are_read_as_the_contract_reads_them(entries: list[bytes]) -> None:
    """Whatever the bytes of a map's entries are: read with what was learnt before, they mean what the contract says."""
    reader = EventReader(SETTINGS)
    for entry in entries:  # so that something is remembered, and more and more with each
        data = _request_with(entry)
        try:
            meant = event_service_pb2.IngestEventsRequest.FromString(data).SerializeToString()
        except DecodeError:
            with pytest.raises(DecodeError):
                read_bytes(data, reader)
            continue
        for _ in range(2):
            assert repr(read_bytes(data, reader)) == repr(read_bytes(meant, EventReader(SETTINGS)))


def _request_with(entry: bytes) -> bytes:
    """A request with one event whose properties, and whose context, have that entry alone."""
    body = event("a", "u").SerializeToString()
    for tag in (b"\x42", b"\x4a"):
        body += tag + _varint(len(entry)) + entry
    return b"\x12" + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)


@given(events_as_read())
def test_a_repeated_request_is_known_by_its_bytes(given_event: Event) -> None:
    """Two messages that say the same are one request, in whatever order their maps were written."""
    assert given_event.time is not None
    data = []
    for order in (1, -1):
        parts = given_event._replace(properties=dict([*given_event.properties.items()][::order]))
        message = common_pb2.Event()
        write_event(parts, given_event.time, message)
        request = event_service_pb2.IngestEventsRequest(events=[message], request_id="r")
        form: Any = request_class(request.DESCRIPTOR).FromString(request.SerializeToString())
        data.append(canonical_bytes(form))
    assert data[0] == data[1]
