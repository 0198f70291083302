"""Small parts that read a value from a protobuf message and write it back, from one description.

A field codec handles one field of a message; a body (`Shape`, `Choice`) handles a whole message. Because
reading and writing come from the same table, the two directions cannot drift apart. Reading raises FieldInvalid
or LimitExceeded with the path of the field; writing expects what reading could have returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from math import isfinite
from typing import Any, Protocol

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from coterie.index.errors import FieldInvalid, LimitExceeded
from coterie.server.convert.values import check_text, duration_of, milliseconds_of


class Body(Protocol):
    """Reads and writes a whole message."""

    def read(self, message: Any, path: str) -> Any:
        """Returns what the message says."""

    def write(self, message: Any, value: Any) -> None:
        """Makes the message say it."""


class FieldCodec(Protocol):
    """Reads and writes one field of a message."""

    def read(self, message: Any, name: str, path: str) -> Any:
        """Returns what the field says; `path` is the field's own."""

    def write(self, message: Any, name: str, value: Any) -> None:
        """Makes the field say it."""


class Text:
    """A string field, 0 or 1 to `most` UTF-8 bytes; `optional` ones are None where they are unset."""

    def __init__(self, most: int, least: int = 1, *, optional: bool = False) -> None:
        self._most, self._least, self._optional = most, least, optional

    def read(self, message: Any, name: str, path: str) -> str | None:
        """Returns the text."""
        if self._optional and not message.HasField(name):
            return None
        text: str = getattr(message, name)
        if len(text) < self._least:
            raise FieldInvalid(path, "must not be empty")
        return check_text(text, path, "a text", self._most)

    def write(self, message: Any, name: str, value: str | None) -> None:
        """Sets the text; None leaves the field unset."""
        if value is not None:
            setattr(message, name, value)


class Number:
    """A double field, finite and within its bounds."""

    def __init__(self, least: float = float("-inf"), most: float = float("inf")) -> None:
        self._least, self._most = least, most

    def read(self, message: Any, name: str, path: str) -> float:
        """Returns the number."""
        number: float = getattr(message, name)
        if not isfinite(number):
            raise FieldInvalid(path, "must be finite")
        if not self._least <= number <= self._most:
            raise FieldInvalid(path, f"must lie between {self._least:g} and {self._most:g}")
        return number

    def write(self, message: Any, name: str, value: float) -> None:
        """Sets the number."""
        setattr(message, name, value)


class Boolean:
    """A bool field."""

    def read(self, message: Any, name: str, path: str) -> bool:  # noqa: ARG002 - every truth value is good
        """Returns the truth value."""
        return bool(getattr(message, name))

    def write(self, message: Any, name: str, value: bool) -> None:
        """Sets the truth value."""
        setattr(message, name, value)


class Integer:
    """An integer field within its bounds; `optional` ones are None where they are unset."""

    def __init__(self, least: int, most: int = 2**31 - 1, *, optional: bool = False) -> None:
        self._least, self._most, self._optional = least, most, optional

    def read(self, message: Any, name: str, path: str) -> int | None:
        """Returns the number."""
        if self._optional and not message.HasField(name):
            return None
        number: int = getattr(message, name)
        if not self._least <= number <= self._most:
            raise FieldInvalid(path, f"must lie between {self._least} and {self._most}")
        return number

    def write(self, message: Any, name: str, value: int | None) -> None:
        """Sets the number; None leaves the field unset."""
        if value is not None:
            setattr(message, name, value)


class Choices:
    """An enum field; members are matched by name, `PREFIX_NAME` for `NAME`. Zero (unspecified) is refused."""

    def __init__(self, members: type[Enum], wrapper: EnumTypeWrapper, prefix: str) -> None:
        self._to_number = {member: wrapper.Value(f"{prefix}_{member.name}") for member in members}
        self._to_member = {number: member for member, number in self._to_number.items()}
        self._names = ", ".join(f"{prefix}_{member.name}" for member in members)

    def read(self, message: Any, name: str, path: str) -> Enum:
        """Returns the member."""
        member = self._to_member.get(getattr(message, name))
        if member is None:
            raise FieldInvalid(path, f"must be one of {self._names}")
        return member

    def write(self, message: Any, name: str, value: Enum) -> None:
        """Sets the member."""
        setattr(message, name, self._to_number[value])


class Milliseconds:
    """A duration field as a whole number of milliseconds; `optional` ones are None where they are unset."""

    def __init__(self, least: int = 1, *, optional: bool = False) -> None:
        self._least, self._optional = least, optional

    def read(self, message: Any, name: str, path: str) -> int | None:
        """Returns the milliseconds."""
        if self._optional and not message.HasField(name):
            return None
        duration = milliseconds_of(getattr(message, name), path)
        if duration < self._least:
            raise FieldInvalid(path, f"must be at least {self._least} ms")
        return duration

    def write(self, message: Any, name: str, value: int | None) -> None:
        """Sets the duration; None leaves the field unset."""
        if value is not None:
            getattr(message, name).CopyFrom(duration_of(value))


_REQUIRED = object()


class One:
    """A message field. Unset, it reads as the default; without a default it is required."""

    def __init__(self, body: Body, default: Any = _REQUIRED) -> None:
        self._body, self._default = body, default

    def read(self, message: Any, name: str, path: str) -> Any:
        """Returns what the inner message says."""
        if message.HasField(name):
            return self._body.read(getattr(message, name), path)
        if self._default is _REQUIRED:
            raise FieldInvalid(path, "is required")
        return self._default

    def write(self, message: Any, name: str, value: Any) -> None:
        """Writes the inner message; None leaves the field unset."""
        if value is not None:
            inner = getattr(message, name)
            inner.SetInParent()
            self._body.write(inner, value)


class Many:
    """A repeated message field, as a tuple of `least` to `most` items."""

    def __init__(self, body: Body, least: int, most: int) -> None:
        self._body, self._least, self._most = body, least, most

    def read(self, message: Any, name: str, path: str) -> tuple[Any, ...]:
        """Returns what the inner messages say."""
        items = getattr(message, name)
        if len(items) < self._least:
            raise FieldInvalid(path, f"needs at least {self._least} items; {len(items)} given")
        if len(items) > self._most:
            raise LimitExceeded(path, "items", len(items), self._most)
        return tuple(self._body.read(item, f"{path}[{index}]") for index, item in enumerate(items))

    def write(self, message: Any, name: str, value: tuple[Any, ...]) -> None:
        """Adds the inner messages."""
        items = getattr(message, name)
        for item in value:
            self._body.write(items.add(), item)


class Shape:
    """A message that mirrors a dataclass: its fields by name (ours where protobuf's differs: `ours=theirs`)."""

    def __init__(
        self,
        node: type,
        check: Callable[[Any, str], None] | None = None,
        /,
        **fields: FieldCodec | tuple[str, FieldCodec],
    ) -> None:
        self.node = node
        self._check = check
        self._fields = [
            (ours, *codec) if isinstance(codec, tuple) else (ours, ours, codec) for ours, codec in fields.items()
        ]

    def read(self, message: Any, path: str) -> Any:
        """Returns the dataclass."""
        node = self.node(
            **{ours: codec.read(message, theirs, f"{path}.{theirs}") for ours, theirs, codec in self._fields}
        )
        if self._check is not None:
            self._check(node, path)
        return node

    def write(self, message: Any, value: Any) -> None:
        """Writes the dataclass's fields."""
        for ours, theirs, codec in self._fields:
            codec.write(message, theirs, getattr(value, ours))


class Choice:
    """A oneof: exactly one of several fields, told apart by the Python type of its value.

    Entries are given by `of` after construction, so that choices may contain each other. As a field codec of the
    message that has the oneof, it ignores the field's name.
    """

    def __init__(self, oneof: str = "kind") -> None:
        self._oneof = oneof
        self._codecs: Mapping[str, FieldCodec] = {}
        self._by_type: dict[type, tuple[str, FieldCodec]] = {}

    def of(self, **entries: tuple[type | tuple[type, ...], FieldCodec]) -> None:
        """Sets the entries: protobuf field name -> (Python type or types, codec)."""
        self._codecs = {name: codec for name, (_, codec) in entries.items()}
        for name, (types, codec) in entries.items():
            for kind in types if isinstance(types, tuple) else (types,):
                self._by_type[kind] = (name, codec)

    def read(self, message: Any, path: str) -> Any:
        """Returns the value that is set."""
        name = message.WhichOneof(self._oneof)
        if name is None:
            raise FieldInvalid(path, f"must have one of {', '.join(self._codecs)}")
        return self._codecs[name].read(message, name, f"{path}.{name}")

    def write(self, message: Any, value: Any) -> None:
        """Sets the field of the value's type."""
        name, codec = self._by_type[type(value)]
        codec.write(message, name, value)


class Beside:
    """A choice whose oneof belongs to the message it is a field of."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    def read(self, message: Any, name: str, path: str) -> Any:
        """Returns the value that is set."""
        return self._choice.read(message, path.removesuffix(f".{name}"))

    def write(self, message: Any, name: str, value: Any) -> None:  # noqa: ARG002 - the value decides
        """Sets the field of the value's type."""
        self._choice.write(message, value)
