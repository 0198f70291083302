"""One load: rows in, events and attribute updates out, everything counted.

Owns the run from the first row to the last acknowledgement. Invariant: when it ends, however it ends, the totals are
those of the rows the server has acknowledged and of the rows that were refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from coterie.client import CoterieError
from coterie.client.connection import Connection
from coterie.server.cli.load.json_lines import JsonLines
from coterie.server.cli.load.readers import Broken, Row
from coterie.server.cli.load.refusals import Refusals
from coterie.server.cli.load.sending import BATCH_ROWS, EventSender, UpdateSender
from coterie.server.cli.load.tables import TableRows
from coterie.server.cli.load.values import RowRefused
from coterie.v1.admin_service_pb2 import GetStatusRequest

INVALID = "FIELD_INVALID"
"""The server's name for what is wrong with a row that was not even sent."""
FAREWELL_SECONDS = 30.0
"""How long an interrupted load waits for what it has sent."""
_REMEMBERED_SUBJECTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of the rows so far."""

    rows: int
    accepted: int
    duplicates: int
    refused: int
    attributes_set: int
    revision: str
    last_line: int
    interrupted: bool = False


class Maker(Protocol):
    """Puts what a row stands for into the batches; raises RowRefused."""

    def make(self, line: int, row: Any, events: EventSender, updates: UpdateSender) -> None:
        """Handles one row."""


class TableMaker:
    """Rows of a table. An attribute update that repeats the subject's last one is not sent again."""

    def __init__(self, rows: TableRows, *, with_line: bool) -> None:
        self._rows, self._with_line = rows, with_line
        self._last_update: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.repeated = 0

    def make(self, line: int, row: Sequence[Any], events: EventSender, updates: UpdateSender) -> None:
        """Adds the row's event, its attribute update, or both."""
        if self._with_line:
            row = [*row, line]
        if self._rows.makes_events:
            batch = events.batch.events
            try:
                self._rows.fill_event(row, batch.add())
            except RowRefused:
                del batch[-1]
                raise
            events.origins.add(line, row)
        if self._rows.makes_updates:
            self._add_update(line, row, updates)

    def _add_update(self, line: int, row: Sequence[Any], updates: UpdateSender) -> None:
        subject, values = self._rows.fingerprint(row)
        if self._last_update.get(subject) == values:
            self.repeated += 1
            return
        batch = updates.batch.updates
        try:
            update = batch.add()
            self._rows.fill_update(row, update)
        except RowRefused:
            del batch[-1]
            raise
        if not update.attributes:
            del batch[-1]
            return
        if len(self._last_update) >= _REMEMBERED_SUBJECTS:
            self._last_update.clear()
        self._last_update[subject] = values
        updates.origins.add(line, row, alone=not self._rows.makes_events)


class JsonMaker:
    """JSON lines: an event where the object has a type, an attribute update where it has attributes."""

    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines

    def make(self, line: int, row: str, events: EventSender, updates: UpdateSender) -> None:
        """Adds the object's event, its attribute update, or both."""
        found = self._lines.read(row, line)
        has_attributes = bool(found.get("attributes"))
        if not has_attributes and not found.get("type"):
            raise RowRefused("type", "an event needs a type, a row without one needs attributes")
        if found.get("type"):
            batch = events.batch.events
            try:
                self._lines.fill_event(found, batch.add())
            except RowRefused:
                del batch[-1]
                raise
            events.origins.add(line, row)
        if has_attributes:
            try:
                self._lines.fill_update(found, updates.batch.updates.add())
            except RowRefused:
                del updates.batch.updates[-1]
                raise
            updates.origins.add(line, row, alone=not found.get("type"))


class Loader:
    """Runs one load."""

    def __init__(
        self, connection: Connection, maker: Maker, refusals: Refusals, progressed: Callable[[Totals], None]
    ) -> None:
        self._maker, self._refusals, self._progressed = maker, refusals, progressed
        self._rows = self._without_event = 0
        self._interrupted = False
        self._revision = ""
        self._connection = connection
        self._events = EventSender(connection, refusals.add)
        self._updates = UpdateSender(connection, refusals.add)

    def run(self, rows: Iterable[Row]) -> Totals:
        """Loads all rows. An interruption stops it and waits for what was sent; an error of the server is raised."""
        try:
            try:
                self._send_all(rows)
            except KeyboardInterrupt:
                self._interrupted = True
            self._events.finish(FAREWELL_SECONDS if self._interrupted else None)
            self._updates.finish()
            self._revision = self._last_revision()
        except CoterieError:
            self._events.settle()
            raise
        finally:
            self._events.close()
            self._updates.close()
            self._refusals.close()
        return self.totals

    def _last_revision(self) -> str:
        """A revision that covers everything; of two streams of writes neither knows which came last."""
        if not (self._events.revision and self._updates.revision):
            return self._events.revision or self._updates.revision
        request = GetStatusRequest(dataset=self._connection.dataset)
        return self._connection.call(self._connection.services.admin.GetStatus, request).revision.token

    @property
    def totals(self) -> Totals:
        """The totals so far."""
        events, updates = self._events, self._updates
        return Totals(
            rows=self._rows,
            accepted=events.accepted + self._without_event - updates.refused_alone,
            duplicates=events.duplicates,
            refused=self._refusals.rows,
            attributes_set=updates.accepted,
            revision=self._revision or events.revision or updates.revision,
            last_line=events.last_line,
            interrupted=self._interrupted,
        )

    def _send_all(self, rows: Iterable[Row]) -> None:
        events, updates, make, refuse = self._events, self._updates, self._maker.make, self._refusals.add
        gathered = 0
        for line, row in rows:
            self._rows += 1
            gathered += 1
            if isinstance(row, Broken):
                refuse(line, INVALID, "", row.message, row)
            else:
                before = len(events.origins.lines)
                try:
                    make(line, row, events, updates)
                    self._without_event += len(events.origins.lines) == before
                except RowRefused as refusal:
                    refuse(line, INVALID, refusal.field, refusal.message, row)
            if gathered == BATCH_ROWS:
                gathered = 0
                self._flush()
        self._flush()

    def _flush(self) -> None:
        self._events.flush()
        self._updates.flush()
        self._progressed(self.totals)
