"""Frames: records as bytes, for the journal.

Layout of a frame, little-endian: format version (u8), kind of payload (u8), `at` (i64), the payload in
msgpack, CRC-32 (u32) over the record's revision (u64 big-endian, the frame's key) and all before it.
In a payload a number is a msgpack float, an instant an int, a list an array. Invariant: what was encoded
decodes to an equal record; a frame that is damaged, or under another key, is DataLoss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final
from zlib import crc32

import msgpack

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
)

FRAME_VERSION: Final = 1
_DATABASE = "journal"
_HEADER_BYTES = 10
_CRC_BYTES = 4

# The numbers are stored: a new kind of payload takes the next one.
_KINDS: Final[dict[type[Any], int]] = {
    IngestEvents: 1,
    Tick: 2,
    SetAttributes: 3,
    MergeSubjects: 4,
    DeleteSubject: 5,
    CreateSegment: 6,
    UpdateSegment: 7,
    DeleteSegment: 8,
    ChangeList: 9,
    ActivateBuild: 10,
}


def revision_key(revision: int) -> bytes:
    """Returns the journal's key of a revision."""
    return revision.to_bytes(8, "big")


def encode_frame(record: Record) -> bytes:
    """Packs a record; its revision is the key it must be stored under."""
    header = b"%c%c" % (FRAME_VERSION, _KINDS[type(record.payload)]) + record.at.to_bytes(8, "little", signed=True)
    body = header + _pack(_fields_of(record.payload))
    return body + crc32(body, crc32(revision_key(record.revision))).to_bytes(_CRC_BYTES, "little")


def decode_frame(revision: int, frame: bytes) -> Record:
    """Unpacks the frame found under a revision; raises DataLoss, or FormatTooNew for one of a newer version."""
    body, checksum = frame[:-_CRC_BYTES], frame[-_CRC_BYTES:]
    if len(frame) < _HEADER_BYTES + _CRC_BYTES or _checksum(revision, body) != checksum:
        raise DataLoss(_DATABASE, f"revision {revision}")
    version, kind = body[0], body[1]
    if version > FRAME_VERSION or kind not in _DECODERS:
        raise FormatTooNew(
            f"journal revision {revision} was written by a newer version (frame {version}, kind {kind})",
            found=version,
            supported=FRAME_VERSION,
        )
    at = int.from_bytes(body[2:_HEADER_BYTES], "little", signed=True)
    return Record(revision, at, _DECODERS[kind](_unpack(body[_HEADER_BYTES:])))


def _checksum(revision: int, body: bytes) -> bytes:
    return crc32(body, crc32(revision_key(revision))).to_bytes(_CRC_BYTES, "little")


_pack: Final[Callable[[Any], bytes]] = msgpack.Packer(autoreset=True).pack


def _unpack(packed: bytes) -> Any:
    return msgpack.unpackb(packed, use_list=False)


# ---------------------------------------------------------------- payloads as plain tuples, and back


def _fields_of(payload: Payload) -> Any:
    """Returns a payload's fields in order of declaration (a segment's definition likewise)."""
    match payload:
        case IngestEvents():
            return payload.events
        case SetAttributes():
            return payload.updates
        case Tick():  # below 0, by far the most of them, is left out
            return (payload.below,) if payload.below else ()
        case CreateSegment():
            return _shallow(payload.definition), payload.author, payload.source
        case UpdateSegment():
            return _shallow(payload.definition), payload.etag, payload.author
        case _:
            return _shallow(payload)


def _shallow(instance: Any) -> tuple[Any, ...]:
    return tuple(getattr(instance, field.name) for field in fields(instance))


def _identifiers(packed: Any) -> tuple[Identifier, ...]:
    return tuple(map(Identifier._make, packed))


def _events(packed: Any) -> IngestEvents:
    make, name = Event._make, Identifier._make
    return IngestEvents(
        tuple(
            [
                make((event_id, kind, tuple(map(name, identifiers)), account, time, properties, context))
                for event_id, kind, identifiers, account, time, properties, context in packed
            ]
        )
    )


def _attributes(packed: Any) -> SetAttributes:
    return SetAttributes(
        tuple(
            AttributeUpdate(SubjectKind(kind), _identifiers(identifiers), values)
            for kind, identifiers, values in packed
        )
    )


def _merge(packed: Any) -> MergeSubjects:
    kind, absorbed, survivor = packed
    return MergeSubjects(SubjectKind(kind), Identifier(*absorbed), Identifier(*survivor))


def _delete_subject(packed: Any) -> DeleteSubject:
    kind, identifier = packed
    return DeleteSubject(SubjectKind(kind), Identifier(*identifier))


def _definition(packed: Any) -> SegmentDefinition:
    identity, kind, subject_kind, rule, mode, ttl_ms, universe, name, description, labels = packed
    return SegmentDefinition(
        id=identity,
        kind=SegmentKind(kind),
        subject_kind=SubjectKind(subject_kind),
        rule=rule,
        mode=Mode(mode),
        ttl_ms=ttl_ms,
        universe=Universe(universe),
        display_name=name,
        description=description,
        labels=labels,
    )


def _create(packed: Any) -> CreateSegment:
    definition, author, source = packed
    return CreateSegment(_definition(definition), author, source)


def _update(packed: Any) -> UpdateSegment:
    definition, etag, author = packed
    return UpdateSegment(_definition(definition), etag, author)


def _change_list(packed: Any) -> ChangeList:
    segment, operation, members = packed
    return ChangeList(segment, ListOperation(operation), tuple(map(_identifiers, members)))


_DECODERS: Final[dict[int, Callable[[Any], Payload]]] = {
    1: _events,
    2: lambda packed: Tick(*packed),
    3: _attributes,
    4: _merge,
    5: _delete_subject,
    6: _create,
    7: _update,
    8: lambda packed: DeleteSegment(*packed),
    9: _change_list,
    10: lambda packed: ActivateBuild(*packed),
}
