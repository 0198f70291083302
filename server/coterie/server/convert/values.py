"""Values, instants and durations between their protobuf and engine forms.

Owns the checks of single values: kind present, finite, within its size. Reading raises FieldInvalid or
LimitExceeded with a path relative to the message read; writing never fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from math import isfinite
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from coterie.index.errors import FieldInvalid, LimitExceeded
from coterie.index.model import Value
from coterie.index.settings import Settings
from coterie.v1 import common_pb2 as v1

# What a google.protobuf.Timestamp may hold: the years 1 to 9999.
MIN_SECONDS, MAX_SECONDS = -62_135_596_800, 253_402_300_799
MAX_DURATION_MS = 315_576_000_000_000
# A text of n characters has at most 4 n bytes, so most texts need no encoding to be judged.
BYTES_PER_CHARACTER = 4


def instant_of(timestamp: Timestamp, field: str) -> int:
    """Returns whole milliseconds since the epoch; a finer timestamp is cut down to them."""
    seconds, nanos = timestamp.seconds, timestamp.nanos
    if not (MIN_SECONDS <= seconds <= MAX_SECONDS and 0 <= nanos <= 999_999_999):
        raise FieldInvalid(field, "a timestamp must lie in the years 1 to 9999, its nanos from 0 to 999999999")
    return seconds * 1000 + nanos // 1_000_000


def timestamp_of(instant: int) -> Timestamp:
    """Returns the timestamp of an instant."""
    return Timestamp(seconds=instant // 1000, nanos=instant % 1000 * 1_000_000)


def milliseconds_of(duration: Duration, field: str) -> int:
    """Returns whole milliseconds; a duration finer than that is refused, since it would not be kept."""
    seconds, nanos = duration.seconds, duration.nanos
    if nanos % 1_000_000 or abs(nanos) > 999_999_999 or seconds * nanos < 0:
        raise FieldInvalid(field, "a duration must be a whole number of milliseconds")
    result = seconds * 1000 + nanos // 1_000_000
    if abs(result) > MAX_DURATION_MS:
        raise FieldInvalid(field, "a duration must be less than 10 000 years")
    return result


def duration_of(milliseconds: int) -> Duration:
    """Returns the duration of a number of milliseconds, 0 or more."""
    return Duration(seconds=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000)


def enum_number(member: Enum) -> Any:
    """Returns the protobuf number of an engine enum's member: both count alike, which a test holds them to."""
    return member.value


def check_text(text: str, field: str, what: str, max_bytes: int) -> str:
    """Returns the text; LimitExceeded where it has more UTF-8 bytes than allowed."""
    if len(text) * BYTES_PER_CHARACTER > max_bytes:
        given = len(text.encode())
        if given > max_bytes:
            raise LimitExceeded(field, f"UTF-8 bytes of {what}", given, max_bytes)
    return text


def value_of(message: v1.Value, field: str, settings: Settings) -> Value:
    """Returns the engine's value of a message."""
    kind = message.WhichOneof("kind")
    if kind == "string":
        text = message.string
        if len(text) * BYTES_PER_CHARACTER > settings.max_text_bytes:
            check_text(text, field, "a text", settings.max_text_bytes)
        return text
    if kind == "number":
        number = message.number
        if not isfinite(number):
            raise FieldInvalid(field, "a number must be finite")
        return number
    if kind == "boolean":
        return message.boolean
    if kind == "timestamp":
        return instant_of(message.timestamp, field)
    if kind == "list":
        return _list_of(message.list.values, field, settings)
    raise FieldInvalid(field, "a value must have a kind: string, number, boolean, timestamp or list")


def _list_of(values: Iterable[str], field: str, settings: Settings) -> tuple[str, ...]:
    items = tuple(values)
    if len(items) > settings.max_list_items:
        raise LimitExceeded(field, "elements of a list", len(items), settings.max_list_items)
    for index, item in enumerate(items):
        if len(item) * BYTES_PER_CHARACTER > settings.max_text_bytes:
            check_text(item, f"{field}.list.values[{index}]", "a text", settings.max_text_bytes)
    return items


def write_value(value: Value, target: v1.Value) -> None:
    """Writes a value into a message."""
    if isinstance(value, str):
        target.string = value
    elif isinstance(value, float):
        target.number = value
    elif isinstance(value, bool):  # before int, which it is too
        target.boolean = value
    elif isinstance(value, int):
        target.timestamp.CopyFrom(timestamp_of(value))
    else:
        target.list.SetInParent()
        target.list.values.extend(value)


def write_values(values: Mapping[str, Value], target: Mapping[str, v1.Value]) -> None:
    """Writes values by name into a protobuf map of messages."""
    for name, value in values.items():
        write_value(value, target[name])
