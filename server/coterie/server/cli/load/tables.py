"""Rows of a table (CSV, Parquet) into events and attribute updates, as the mappings say.

Everything that can be decided once is decided when a `TableRows` is made; what is left for each row is a short list
of closures. Invariant: a refused row leaves nothing behind in the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from collections.abc import Mapping as MappingOf
from datetime import date, tzinfo
from typing import Any, TypeAlias

from coterie.server.cli.load.conversion import BadValue, time_reader
from coterie.server.cli.load.mapping import ROW_NUMBER, SUBJECTS, Kind, Mapping, Part
from coterie.server.cli.load.values import (
    RowRefused,
    Writer,
    constant_writer,
    line_writer,
    native_instant,
    native_writer,
    set_instant,
    text_writer,
)
from coterie.v1 import common_pb2, profile_service_pb2

Cell: TypeAlias = Callable[[Sequence[Any]], Any]

_SHORTHANDS = (Part.USER_ID, Part.ANONYMOUS_ID, Part.ACCOUNT_ID)
_TEXTS = (*_SHORTHANDS, Part.EVENT_ID, Part.TYPE)
_NO_SUBJECT = "no identifier: every subject column of the row is blank"


class TableRows:
    """Builds what one row of a table stands for.

    `columns` says where each column is in a row, `kinds` of what kind a column is that no mapping gives a type;
    columns in `native` hold Python values, all others text.
    """

    def __init__(
        self,
        mappings: Sequence[Mapping],
        columns: MappingOf[str, int],
        kinds: MappingOf[str, Kind],
        native: Collection[str],
        zone: tzinfo,
        file_name: str,
    ) -> None:
        self._columns, self._kinds, self._native, self._zone = columns, kinds, native, zone
        self._file_name = file_name
        chosen: dict[Part, list[Mapping]] = {part: [] for part in Part}
        for mapping in mappings:
            chosen[mapping.part].append(mapping)
        self.makes_events = bool(chosen[Part.TYPE])
        self.makes_updates = bool(chosen[Part.ATTRIBUTE])
        texts = [mapping for part in _TEXTS for mapping in chosen[part]]
        # Most texts are the row's own cells; the others are constants, line numbers and numbers of Parquet files.
        self._plain = [(one.part.value, columns[one.column or ""]) for one in texts if self._is_plain(one)]
        self._computed = [(one.part.value, self._cell(one)) for one in texts if not self._is_plain(one)]
        self._time = [self._instant(mapping) for mapping in chosen[Part.TIME]]
        self._subject = [(part.value, self._cell(mapping)) for part in _SHORTHANDS for mapping in chosen[part]]
        self._identifiers = [(mapping.name, self._cell(mapping)) for mapping in chosen[Part.IDENTIFIER]]
        self._properties = [self._writer(mapping) for mapping in chosen[Part.PROPERTY]]
        self._context = [self._writer(mapping) for mapping in chosen[Part.CONTEXT]]
        self._attributes = [self._writer(mapping) for mapping in chosen[Part.ATTRIBUTE]]
        self._subject_cells = [self._cell(mapping) for mapping in mappings if mapping.part in SUBJECTS]
        self._value_cells = [self._cell(mapping) for mapping in chosen[Part.ATTRIBUTE]]

    def fill_event(self, row: Sequence[Any], event: common_pb2.Event) -> None:
        """Makes an empty event what the row says; raises RowRefused and then leaves it half filled."""
        try:
            self._fill_event(row, event)
        except UnicodeEncodeError:
            raise RowRefused("", "the row is not UTF-8") from None

    def _fill_event(self, row: Sequence[Any], event: common_pb2.Event) -> None:
        for name, index in self._plain:
            text = row[index]
            if text:
                setattr(event, name, text)
        for name, cell in self._computed:
            setattr(event, name, cell(row))
        for namespace, cell in self._identifiers:
            if text := cell(row):
                event.identifiers.add(namespace=namespace, value=text)
        self._check(event)
        for instant in self._time:
            set_instant(event.time, instant(row))
        properties, context = event.properties, event.context
        for write in self._properties:
            write(row, properties)
        for write in self._context:
            write(row, context)

    def _check(self, event: common_pb2.Event) -> None:
        """Spares the server what it would refuse anyway."""
        if not (event.user_id or event.anonymous_id or event.account_id or event.identifiers):
            raise RowRefused(self._subject_key(), _NO_SUBJECT)
        if not event.type:
            raise RowRefused("type", "the type is blank")

    def fill_update(self, row: Sequence[Any], update: profile_service_pb2.AttributeUpdate) -> None:
        """Makes an empty attribute update what the row says; raises RowRefused and then leaves it half filled."""
        try:
            for name, cell in self._subject:
                text = cell(row)
                if text:
                    setattr(update.subject, name, text)
            for namespace, cell in self._identifiers:
                text = cell(row)
                if text:
                    update.subject.identifiers.add(namespace=namespace, value=text)
            if not update.HasField("subject"):
                raise RowRefused(self._subject_key(), _NO_SUBJECT)
            if update.subject.user_id or update.subject.anonymous_id or update.subject.identifiers:
                # The attributes of a row that has a user are the user's, not the account's.
                update.subject.ClearField("account_id")
            for write in self._attributes:
                write(row, update.attributes)
        except UnicodeEncodeError:
            raise RowRefused("", "the row is not UTF-8") from None

    def fingerprint(self, row: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The cells that name the subject, and those its attributes come from; equal ones make equal updates."""
        return (
            tuple([cell(row) for cell in self._subject_cells]),
            tuple([cell(row) for cell in self._value_cells]),
        )

    def _is_plain(self, mapping: Mapping) -> bool:
        return mapping.column in self._columns and mapping.column not in self._native

    def _subject_key(self) -> str:
        return self._subject[0][0] if self._subject else f"id.{self._identifiers[0][0]}"

    def _cell(self, mapping: Mapping) -> Cell:
        """Reads a cell as text, as written."""
        if mapping.constant is not None:
            constant = mapping.constant
            return lambda _row: constant
        if mapping.column == ROW_NUMBER:
            prefix = f"{self._file_name}:" if mapping.part is Part.EVENT_ID else ""
            return lambda row: f"{prefix}{row[-1]}"
        index = self._columns[mapping.column or ""]
        if mapping.column in self._native:
            return lambda row: "" if row[index] is None else str(row[index])
        return lambda row: row[index]

    def _instant(self, mapping: Mapping) -> Callable[[Sequence[Any]], int]:
        """Reads a cell as the event's time; a blank one is refused, since "now" is hardly what a file means."""
        zone, cell = self._zone, self._cell(mapping)
        read = time_reader(mapping.layout, zone)
        index = self._columns.get(mapping.column or "", -1)
        native = mapping.column in self._native

        def instant(row: Sequence[Any]) -> int:
            if native and isinstance(row[index], date):
                return native_instant(row[index], zone)
            try:
                moment = read(cell(row))
            except BadValue as error:
                raise RowRefused("time", str(error)) from None
            if moment is None:
                raise RowRefused("time", "the time is blank")
            return moment

        return instant

    def _writer(self, mapping: Mapping) -> Writer:
        if mapping.constant is not None:
            return constant_writer(mapping.name, mapping.constant)
        if mapping.column == ROW_NUMBER:
            return line_writer(mapping.name)
        column = mapping.column or ""
        index = self._columns[column]
        if column in self._native:
            return native_writer(mapping.key, mapping.name, index, self._zone)
        kind = mapping.kind or self._kinds[column]
        return text_writer(mapping.key, mapping.name, index, kind, mapping.layout, self._zone)
