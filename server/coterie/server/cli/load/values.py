"""Cells into protobuf values: one small writer per mapped column, made once and called for every row.

A writer takes the row and a protobuf map and sets its own entry there, or none where the cell is blank. Invariant:
a cell that cannot be converted raises `RowRefused` naming the mapping's key.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from coterie.server.cli.load.conversion import BadValue, converter, instant_of, read_number
from coterie.server.cli.load.mapping import Kind
from coterie.v1 import common_pb2

Values: TypeAlias = MutableMapping[str, common_pb2.Value]
Writer: TypeAlias = Callable[[Sequence[Any], Values], None]
Read: TypeAlias = Callable[[Any], Any]


class RowRefused(ValueError):
    """A row cannot be taken: which part of it, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def text_writer(key: str, name: str, index: int, kind: Kind, layout: str | None, zone: tzinfo) -> Writer:
    """The writer of a column of text that is read as values of one kind."""
    read: Read = converter(kind, layout, zone)
    if kind is Kind.NUMBER:
        return _number_writer(key, name, index, read)
    if kind is Kind.BOOLEAN:
        return _boolean_writer(key, name, index, read)
    if kind is Kind.TIME:
        return _time_writer(key, name, index, read)
    return _string_writer(name, index)


def native_writer(key: str, name: str, index: int, zone: tzinfo) -> Writer:
    """The writer of a column whose cells are Python values already, each of its own kind."""

    def write(row: Sequence[Any], values: Values) -> None:
        cell = row[index]
        if cell is not None:
            try:
                set_native(values, name, cell, zone)
            except BadValue as error:
                raise RowRefused(key, str(error)) from None

    return write


def constant_writer(name: str, constant: str) -> Writer:
    """The writer of the same value for every row: a number or a boolean where it looks like one, else text."""
    value = common_pb2.Value()
    if constant in {"true", "false"}:
        value.boolean = constant == "true"
    else:
        try:
            value.number = read_number(constant) or 0.0
        except BadValue:
            value.string = constant

    def write(_row: Sequence[Any], values: Values) -> None:
        values[name].CopyFrom(value)

    return write


def line_writer(name: str) -> Writer:
    """The writer of the row's line number, which the loader appends to the row as its last cell."""

    def write(row: Sequence[Any], values: Values) -> None:
        values[name].number = row[-1]

    return write


def _string_writer(name: str, index: int) -> Writer:
    def write(row: Sequence[Any], values: Values) -> None:
        text = row[index]
        if text:
            values[name].string = text

    return write


def _number_writer(key: str, name: str, index: int, read: Read) -> Writer:
    def write(row: Sequence[Any], values: Values) -> None:
        text = row[index]
        if text:
            try:
                number = read(text)
            except BadValue as error:
                raise RowRefused(key, str(error)) from None
            if number is not None:
                values[name].number = number

    return write


def _boolean_writer(key: str, name: str, index: int, read: Read) -> Writer:
    def write(row: Sequence[Any], values: Values) -> None:
        try:
            truth = read(row[index])
        except BadValue as error:
            raise RowRefused(key, str(error)) from None
        if truth is not None:
            values[name].boolean = truth

    return write


def _time_writer(key: str, name: str, index: int, read: Read) -> Writer:
    def write(row: Sequence[Any], values: Values) -> None:
        try:
            instant = read(row[index])
        except BadValue as error:
            raise RowRefused(key, str(error)) from None
        if instant is not None:
            set_instant(values[name].timestamp, instant)

    return write


def set_instant(timestamp: Timestamp, instant: int) -> None:
    """Puts milliseconds since the epoch into a timestamp."""
    seconds, milliseconds = divmod(instant, 1000)
    timestamp.seconds = seconds
    if milliseconds:
        timestamp.nanos = milliseconds * 1_000_000


def set_native(values: Values, name: str, value: Any, zone: tzinfo) -> None:
    """Puts a Python value into a protobuf map; one that is no Coterie value raises `BadValue`."""
    if isinstance(value, str):
        values[name].string = value
    elif isinstance(value, bool):
        values[name].boolean = value
    elif isinstance(value, (int, float, Decimal)):
        values[name].number = _as_double(value)
    elif isinstance(value, date):
        set_instant(values[name].timestamp, native_instant(value, zone))
    elif isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise BadValue("a list may hold texts only")
        values[name].list.values.extend(value)
    elif isinstance(value, dict):
        raise BadValue("nested objects are not values")
    else:
        raise BadValue(f"{type(value).__name__} is not a kind of value")


def native_instant(value: date, zone: tzinfo) -> int:
    """Milliseconds since the epoch of a datetime or a date (its midnight); local ones in `zone`."""
    return instant_of(value if isinstance(value, datetime) else datetime.combine(value, time.min), zone)


def _as_double(value: float | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        raise BadValue("the number is larger than a double can hold") from None
