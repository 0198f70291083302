"""Frames: what the journal holds of a record is all of it, or an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.errors import DataLoss, FormatTooNew
from coterie.index.model import (
    ActivateBuild,
    AttributeUpdate,
    ChangeList,
    CreateSegment,
    DeleteSegment,
    DeleteSubject,
    Event,
    Identifier,
    IngestEvents,
    ListOperation,
    MergeSubjects,
    Mode,
    Payload,
    Record,
    SegmentDefinition,
    SegmentKind,
    SetAttributes,
    SubjectKind,
    Tick,
    Universe,
    UpdateSegment,
    kind_of,
)
from coterie.index.storage.frames import FRAME_VERSION, decode_frame, encode_frame

texts = st.text(max_size=8)
instants = st.integers(-(2**53), 2**53)
values = st.one_of(
    texts,
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    instants,
    st.lists(texts, max_size=3).map(tuple),
)
identifiers = st.builds(Identifier, texts, texts)
names = st.lists(identifiers, max_size=3).map(tuple)
kinds = st.sampled_from(SubjectKind)
events = st.builds(
    Event,
    texts,
    texts,
    names,
    st.none() | texts,
    st.none() | instants,
    st.dictionaries(texts, values, max_size=3),
    st.dictionaries(texts, values, max_size=3),
)
updates = st.builds(AttributeUpdate, kinds, names, st.dictionaries(texts, st.none() | values, max_size=3))
definitions = st.builds(
    SegmentDefinition,
    id=texts,
    kind=st.sampled_from(SegmentKind),
    subject_kind=kinds,
    rule=texts,
    mode=st.sampled_from(Mode),
    ttl_ms=instants,
    universe=st.sampled_from(Universe),
    display_name=texts,
    description=texts,
    labels=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
)
payloads: st.SearchStrategy[Payload] = st.one_of(
    st.builds(IngestEvents, st.lists(events, max_size=3).map(tuple)),
    st.builds(Tick, st.just(0) | st.integers(1, 2**32 - 1)),
    st.builds(SetAttributes, st.lists(updates, max_size=3).map(tuple)),
    st.builds(MergeSubjects, kinds, identifiers, identifiers),
    st.builds(DeleteSubject, kinds, identifiers),
    st.builds(CreateSegment, definitions, texts, texts),
    st.builds(UpdateSegment, definitions, texts, texts),
    st.builds(DeleteSegment, texts, texts),
    st.builds(ChangeList, texts, st.sampled_from(ListOperation), st.lists(names, max_size=3).map(tuple)),
    st.builds(ActivateBuild, texts),
)
records = st.builds(Record, st.integers(1, 2**64 - 1), instants, payloads)


def _types(value: object) -> object:
    """Returns the types of a value and of all in it: 1, 1.0 and True are equal, but not the same kind."""
    if isinstance(value, dict):
        return {key: _types(held) for key, held in value.items()}
    if isinstance(value, tuple):
        return type(value), [_types(held) for held in value]
    return type(value)


@given(records)
def test_a_record_comes_back_equal(record: Record) -> None:
    """Whatever the payload, decoding gives an equal record."""
    assert decode_frame(record.revision, encode_frame(record)) == record


@given(st.lists(events, max_size=3))
def test_values_keep_their_kinds(given_events: list[Event]) -> None:
    """A number comes back a float, an instant an int, a list a tuple, identifiers as identifiers."""
    record = Record(1, 0, IngestEvents(tuple(given_events)))
    payload = decode_frame(1, encode_frame(record)).payload
    assert isinstance(payload, IngestEvents)
    assert _types(payload.events) == _types(tuple(given_events))
    assert all(kind_of(value) for event in payload.events for value in event.properties.values())


@given(records, st.data())
def test_a_flipped_bit_is_data_loss(record: Record, data: st.DataObject) -> None:
    """No single bit can change without being noticed, and the error names the revision."""
    frame = bytearray(encode_frame(record))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DataLoss) as raised:
        decode_frame(record.revision, bytes(frame))
    assert raised.value.metadata == {"database": "journal", "key": f"revision {record.revision}"}


@given(records, st.data())
def test_a_truncated_frame_is_data_loss(record: Record, data: st.DataObject) -> None:
    """A frame that was cut anywhere is noticed."""
    frame = encode_frame(record)
    with pytest.raises(DataLoss):
        decode_frame(record.revision, frame[: data.draw(st.integers(0, len(frame) - 1))])


@given(records)
def test_a_frame_belongs_to_its_revision(record: Record) -> None:
    """A frame found under another revision is not taken."""
    with pytest.raises(DataLoss):
        decode_frame(record.revision - 1, encode_frame(record))


def test_a_tick_for_everybody_is_an_empty_payload() -> None:
    """Ticks written before there were parts are ticks for everybody, and these take no more room than they did."""
    payload = encode_frame(Record(1, 0, Tick()))[10:-4]
    assert payload == b"\x90", "an empty msgpack array"
    assert decode_frame(1, encode_frame(Record(1, 0, Tick()))).payload == Tick(0)


def test_a_newer_frame_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sound frame of a later version is FormatTooNew, not DataLoss."""
    monkeypatch.setattr("coterie.index.storage.frames.FRAME_VERSION", FRAME_VERSION + 1)
    frame = encode_frame(Record(1, 0, Tick()))
    monkeypatch.undo()
    with pytest.raises(FormatTooNew) as raised:
        decode_frame(1, frame)
    assert raised.value.metadata == {"found": str(FRAME_VERSION + 1), "supported": str(FRAME_VERSION)}
