"""Python values into protobuf values and back.

A value is text, a number, True or False, a `datetime` with a zone, or a list of texts; nothing else. Invariant:
`from_message(to_message(v)) == v`, but for numbers, which come back as float, and lists, which come back as list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from coterie.v1 import common_pb2

Value: TypeAlias = str | float | bool | datetime | Sequence[str]
"""What a property or an attribute can hold."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def to_message(value: Value, name: str) -> common_pb2.Value:
    """The protobuf form of a value; `name` is for the error of one that has none (TypeError)."""
    if isinstance(value, str):
        return common_pb2.Value(string=value)
    if isinstance(value, bool):
        return common_pb2.Value(boolean=value)
    if isinstance(value, (int, float)):
        return common_pb2.Value(number=value)
    if isinstance(value, datetime):
        return common_pb2.Value(timestamp=to_timestamp(value, name))
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return common_pb2.Value(list=common_pb2.StringList(values=value))
    raise TypeError(f"{name}: a value is text, number, bool, datetime or a list of texts, not {value!r}")


def from_message(message: common_pb2.Value) -> Value | None:
    """The Python form of a value; None where no kind is set."""
    kind = message.WhichOneof("kind")
    if kind is None:
        return None
    if kind == "timestamp":
        return from_timestamp(message.timestamp)
    if kind == "list":
        return list(message.list.values)
    plain: str | float | bool = getattr(message, kind)
    return plain


def to_messages(values: Mapping[str, Value], where: str) -> dict[str, common_pb2.Value]:
    """A mapping of values in protobuf form; `where` leads the name in errors."""
    return {name: to_message(value, f"{where}.{name}") for name, value in values.items()}


def from_messages(messages: Mapping[str, common_pb2.Value]) -> dict[str, Value]:
    """A mapping of values in Python form; entries without a kind are left out."""
    values = {name: from_message(message) for name, message in messages.items()}
    return {name: value for name, value in values.items() if value is not None}


def to_timestamp(moment: datetime, name: str) -> Timestamp:
    """An instant in protobuf form; a local time without a zone has two readings and is refused (ValueError)."""
    if moment.tzinfo is None:
        raise ValueError(f"{name}: the time {moment.isoformat()} needs a time zone, such as datetime.UTC")
    elapsed = moment - _EPOCH
    return Timestamp(seconds=elapsed // _SECOND, nanos=(elapsed % _SECOND).microseconds * 1000)


def from_timestamp(message: Timestamp) -> datetime:
    """An instant as a datetime in UTC."""
    return message.ToDatetime(tzinfo=UTC)
