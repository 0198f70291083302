"""Which column of a file becomes which part of an event: the `--map KEY=COLUMN[:TYPE]` options.

Owns their syntax and the rules about what goes together. Invariant: a `Mapping` that was made can be followed;
whatever is wrong with the options is a `MappingInvalid` before the first row is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class MappingInvalid(ValueError):
    """The `--map` options cannot be followed; the message says which and why."""


class Part(Enum):
    """The part of an event a column becomes; the value is how a KEY spells it."""

    USER_ID = "user_id"
    ANONYMOUS_ID = "anonymous_id"
    ACCOUNT_ID = "account_id"
    IDENTIFIER = "id"
    EVENT_ID = "event_id"
    TYPE = "type"
    TIME = "time"
    PROPERTY = "prop"
    CONTEXT = "context"
    ATTRIBUTE = "attr"


class Kind(Enum):
    """How a column's text is read."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "bool"
    TIME = "time"


NAMED = frozenset({Part.IDENTIFIER, Part.PROPERTY, Part.CONTEXT, Part.ATTRIBUTE})
"""Parts there can be several of, told apart by a name: `prop.price`."""
SUBJECTS = frozenset({Part.USER_ID, Part.ANONYMOUS_ID, Part.ACCOUNT_ID, Part.IDENTIFIER})
VALUES = frozenset({Part.PROPERTY, Part.CONTEXT, Part.ATTRIBUTE})
"""Parts that hold values of any kind; all others but TIME are text."""

ROW_NUMBER = "#line"
"""As a COLUMN: the number of the row's line in the file."""

_KINDS = "|".join(kind.value for kind in Kind)
_COLUMN = re.compile(rf"(?P<column>.+?)(?::(?P<kind>{_KINDS})(?::(?P<layout>.+))?)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mapping:
    """One `--map` option: a part of the event, and the column or the constant it comes from.

    `kind` None means: as it looks. `layout` is the STRPTIME of a time, or `s` or `ms` for time since the epoch.
    """

    part: Part
    name: str
    column: str | None = None
    constant: str | None = None
    kind: Kind | None = None
    layout: str | None = None

    @property
    def key(self) -> str:
        """The KEY as written: `prop.price`."""
        return f"{self.part.value}.{self.name}" if self.part in NAMED else self.part.value

    @property
    def undecided(self) -> bool:
        """Whether the kind of its values must be seen in the file."""
        return self.column is not None and self.part in VALUES and self.kind is None


def parse_mapping(option: str) -> Mapping:
    """Reads `KEY=COLUMN`, `KEY=COLUMN:TYPE`, `KEY=COLUMN:time:STRPTIME` or `KEY==CONSTANT`."""
    key, equals, source = option.partition("=")
    if not equals or not source:
        raise MappingInvalid(f"{option!r}: expected KEY=COLUMN[:TYPE] or KEY==CONSTANT")
    part, name = _parse_key(key, option)
    if source.startswith("="):
        return Mapping(part, name, constant=source[1:])
    matched = _COLUMN.fullmatch(source)
    assert matched is not None, "any text that is not empty is a column"
    kind = Kind(matched["kind"]) if matched["kind"] else None
    return _checked(Mapping(part, name, column=matched["column"], kind=kind, layout=matched["layout"]), option)


def _parse_key(key: str, option: str) -> tuple[Part, str]:
    prefix, dot, name = key.partition(".")
    try:
        part = Part(prefix)
    except ValueError:
        keys = ", ".join(f"{known.value}.NAME" if known in NAMED else known.value for known in Part)
        raise MappingInvalid(f"{option!r}: unknown key {key!r}; the keys are {keys}") from None
    if part in NAMED and not name:
        raise MappingInvalid(f"{option!r}: {prefix} needs a name, as in {prefix}.NAME")
    if part not in NAMED and dot:
        raise MappingInvalid(f"{option!r}: {prefix} takes no name")
    return part, name


def _checked(mapping: Mapping, option: str) -> Mapping:
    if mapping.layout and mapping.kind is not Kind.TIME:
        raise MappingInvalid(f"{option!r}: only the type time takes a layout")
    if mapping.part is Part.TIME and mapping.kind not in {None, Kind.TIME}:
        raise MappingInvalid(f"{option!r}: time can only be of type time")
    if mapping.part not in VALUES | {Part.TIME} and mapping.kind not in {None, Kind.STRING}:
        raise MappingInvalid(f"{option!r}: {mapping.part.value} is always text")
    if mapping.layout and "%" not in mapping.layout and mapping.layout not in {"s", "ms"}:
        raise MappingInvalid(
            f"{option!r}: the layout {mapping.layout!r} has no %-field; or say s or ms since the epoch"
        )
    return mapping


def parse_mappings(options: Sequence[str]) -> tuple[Mapping, ...]:
    """Reads all `--map` options; no key may come twice."""
    mappings = tuple(parse_mapping(option) for option in options)
    keys = [mapping.key for mapping in mappings]
    for key in keys:
        if keys.count(key) > 1:
            raise MappingInvalid(f"{key} is mapped twice")
    return mappings


def check_complete(mappings: Sequence[Mapping]) -> None:
    """Demands of a table's mappings that they name a subject, and an event or an attribute."""
    parts = {mapping.part for mapping in mappings}
    if not parts & SUBJECTS:
        raise MappingInvalid(
            "no subject is mapped: give --map user_id=COLUMN (or anonymous_id, account_id, id.NAMESPACE)"
        )
    if Part.TYPE in parts:
        return
    needing = sorted(mapping.key for mapping in mappings if mapping.part not in SUBJECTS | {Part.ATTRIBUTE})
    if needing:
        raise MappingInvalid(f"{', '.join(needing)}: only events have these; give --map type=COLUMN or type==NAME")
    if Part.ATTRIBUTE not in parts:
        raise MappingInvalid(
            "nothing to load is mapped: give --map type=COLUMN (or type==NAME), or --map attr.NAME=COLUMN"
        )


def check_columns(mappings: Sequence[Mapping], columns: Sequence[str]) -> None:
    """Demands that every column named is in the file, once."""
    for mapping in mappings:
        if mapping.column is None or mapping.column == ROW_NUMBER:
            continue
        found = columns.count(mapping.column)
        if found > 1:
            raise MappingInvalid(f"{mapping.key}={mapping.column}: the file has {found} columns of that name")
        if not found:
            raise MappingInvalid(f"{mapping.key}={mapping.column}: {_missing(mapping.column, columns)}")


def _missing(column: str, columns: Sequence[str]) -> str:
    before, colon, kind = column.rpartition(":")
    if colon and before in columns:
        return f"unknown type {kind!r}; the types are {_KINDS.replace('|', ', ')}"
    return f"no such column; the file has {', '.join(columns)}"
