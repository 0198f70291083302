"""Requests that carry events, in a form that is cheap to read: the entries of an event's maps stay bytes.

Owns message classes made of the contract's own descriptors, the same on the wire. Reading a map entry by entry costs
several objects for each; bytes that were seen before need none. Invariant: whatever the contract says of these
requests is true of them here, field by field, since nothing is written down twice.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from coterie.index.errors import FieldInvalid
from coterie.v1 import common_pb2, event_service_pb2

_REQUESTS = ("IngestEventsRequest", "StreamEventsRequest")
_PACKAGE = "coterie.wire"


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="coterie/wire.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    messages = [event_service_pb2.DESCRIPTOR.message_types_by_name[name] for name in _REQUESTS]
    messages += [common_pb2.DESCRIPTOR.message_types_by_name[name] for name in ("Event", "Identifier")]
    ours = {f".{message.full_name}": f".{_PACKAGE}.{message.name}" for message in messages}
    for message in messages:
        _add(file.message_type.add(), message, ours)
    return file


def _add(copy: DescriptorProto, message: Descriptor, ours: dict[str, str]) -> None:
    message.CopyToProto(copy)
    del copy.nested_type[:]
    entries = {f".{nested.full_name}" for nested in message.nested_types if nested.GetOptions().map_entry}
    for field in copy.field:
        if field.type_name in entries:
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
        elif field.type_name:
            field.type_name = ours.get(field.type_name, field.type_name)


def _classes() -> dict[str, type[Message]]:
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(_file().SerializeToString())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _REQUESTS}


_CLASSES = _classes()


def request_class(descriptor: Descriptor) -> type[Message]:
    """Returns the class that requests of a type are read with: ours where it carries events, else the contract's."""
    return _CLASSES.get(descriptor.name) or GetMessageClass(descriptor)


def malformed(name: str) -> FieldInvalid:
    """Returns the refusal of bytes that are no message of a type."""
    return FieldInvalid(
        "request", f"not a valid {name} message (malformed, nested too deep, or text that is not UTF-8)"
    )


def canonical_bytes(request: Any) -> bytes:
    """Returns bytes that are equal for equal requests, whatever order their maps were written in."""
    data: bytes = request.SerializeToString(deterministic=True)
    if request.DESCRIPTOR.name in _CLASSES:
        contract = GetMessageClass(event_service_pb2.DESCRIPTOR.message_types_by_name[request.DESCRIPTOR.name])
        data = contract.FromString(data).SerializeToString(deterministic=True)
    return data
