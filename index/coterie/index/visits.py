"""Visits: a subject's events less than a gap apart. Each is one derived event, at the time of its last event so far.

A visit that still runs has its row too, and whoever wants finished ones only looks the gap behind: there is nothing to
be done when a visit ends. A visit is an interval with sums, so a late event, or another subject's visits, are joined
to it by arithmetic. Owns nothing: the newest visit of each subject is a cell, all of them are derived events.
Invariant: the derived rows of a subject are the visits of the events that entered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from coterie.index.events.columns import Arrival
from coterie.index.events.derived import Derived
from coterie.index.measures.cells import VISIT_COLUMNS, Cells, keys_of
from coterie.index.measures.matches import Ints, Matches
from coterie.index.measures.registry import Measures
from coterie.index.measures.spec import VISIT_TYPES
from coterie.index.model import Event, SubjectKind, Value
from coterie.index.subjects.identity import DenseIds, IdentityMap
from coterie.index.time.boundaries import SlidingEdge
from coterie.index.time.calendar import HIGHEST

_FIRST = "$first"  # the sequence of a visit's first event: tells which of two that begin together began first


class Visit(NamedTuple):
    """One visit. `row` is the sequence of its derived row, 0 where it has none yet; texts are codes, 0 for none."""

    start: int
    last: int
    first: int
    row: int
    referrer: int
    source: int
    events: int
    pages: int


@dataclass(slots=True)
class Progress:
    """What events did to the visits of a kind."""

    issued: list[Arrival] = field(default_factory=list)
    withdrawn: list[Arrival] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)  # whose running visit begins at another time than before, or none runs
    reshaped: set[int] = field(default_factory=set)  # whose running visit has events from before that now belong to it


class Visits:
    """The visits of one dataset."""

    def __init__(
        self, gap_ms: int, measures: Measures, cells: Cells, derived: Derived, identity: dict[SubjectKind, IdentityMap]
    ) -> None:
        self.gap_ms = gap_ms
        self._measures, self._cells, self._derived, self._identity = measures, cells, derived, identity

    # ------------------------------------------------------------ asking

    def newest(self, kind: SubjectKind, subjects: DenseIds) -> tuple[Ints, Ints]:
        """Returns when each subject's newest visit began and its last event was; 0 and 0 where it has none."""
        tracker = self._measures.tracker(kind)
        assert tracker is not None
        start, last = self._cells.read("visits", tracker, subjects, "start", "last")
        return start, last

    def begun(self, kind: SubjectKind, subjects: DenseIds) -> Ints:
        """Returns when each subject's running visit began; HIGHEST where none runs."""
        tracker = self._measures.tracker(kind)
        assert tracker is not None
        events, start, last = self._cells.read("visits", tracker, subjects, "events", "start", "last")
        return np.where((events > 0) & (last > self._ended()), start, HIGHEST)

    def _ended(self) -> int:
        """A visit whose last event is not later has ended."""
        return self._measures.cursor(SlidingEdge(self.gap_ms))

    # ------------------------------------------------------------ events come in

    def enter(self, kind: SubjectKind, rows: Matches, *, scanning: bool) -> Progress:
        """Takes events that entered the tracker of a kind; rows are issued and withdrawn, cells written.

        While the tracker itself is `scanning` history, measures of the running visit cannot be thought to have met
        the same events.
        """
        order = np.lexsort((rows.sequences, rows.times, rows.subjects))
        assert rows.values is not None
        singles = [
            Visit(time, time, sequence, 0, *self._origin(origin), 1, int(page))
            for time, sequence, page, origin in zip(
                rows.times[order].tolist(),
                rows.sequences[order].tolist(),
                rows.extra[order].tolist(),
                rows.values(order),
                strict=True,
            )
        ]
        subjects, starts = np.unique(rows.subjects[order], return_index=True)
        events = [singles[start:stop] for start, stop in pairwise([*starts.tolist(), len(singles)])]
        progress = Progress()
        before = self._read(kind, subjects)
        known = self._known(kind, subjects.tolist(), before, events)
        after = [
            self._replace(kind, subject, held, united([*held, *new], self.gap_ms), progress)
            for subject, held, new in zip(subjects.tolist(), known, events, strict=True)
        ]
        self._write(kind, subjects, after)
        self._note_moves(subjects, before, after, progress, scanning=scanning)
        self._derived.withdraw(progress.withdrawn)
        self._derived.issue(progress.issued)
        return progress

    def _origin(self, origin: tuple[str | None, str | None]) -> tuple[int, int]:
        referrer, source = origin
        return self._cells.codes.text_code(referrer), self._cells.codes.text_code(source)

    def _known(
        self, kind: SubjectKind, subjects: list[int], newest: list[Visit | None], events: list[list[Visit]]
    ) -> list[list[Visit]]:
        """Returns the visits of each subject that its new events may join: the newest, or all that end late enough."""
        known = [[] if visit is None else [visit] for visit in newest]
        late = {
            subject: place
            for place, (subject, visit, new) in enumerate(zip(subjects, newest, events, strict=True))
            if visit is not None and new[0].start < visit.start
        }
        if late:
            # Later than the gap after a visit, an event cannot join it.
            after = {subject: events[place][0].start - self.gap_ms for subject, place in late.items()}
            for place in late.values():
                known[place] = []
            written = self._identity[kind].written_ids(late)
            for row in self._rows(kind, written, min(after.values())):
                subject = self._owner(kind, row)
                if row.time > after[subject]:
                    known[late[subject]].append(self._visit_of(row))
        return known

    def _owner(self, kind: SubjectKind, row: Arrival) -> int:
        written = row.user if kind is SubjectKind.USER else row.account
        return int(self._identity[kind].canonical(np.array([written], np.uint32))[0])

    def _rows(self, kind: SubjectKind, written: BitMap, after: int) -> list[Arrival]:
        return self._derived.events_of(kind, written, VISIT_TYPES[kind], after, HIGHEST)

    def _replace(
        self, kind: SubjectKind, subject: int, old: Iterable[Visit], new: list[Visit], progress: Progress
    ) -> Visit:
        """Withdraws the old visits that are none any more, issues the new ones; returns the newest."""
        kept = {visit.row for visit in new if visit.row}
        progress.withdrawn += [self._row_of(kind, subject, visit) for visit in old if visit.row not in kept]
        for index, visit in enumerate(new):
            if not visit.row:
                row = self._derived.row(kind, subject, visit.last, VISIT_TYPES[kind], self._values_of(visit))
                progress.issued.append(row)
                new[index] = visit._replace(row=row.sequence)
        return new[-1]

    def _note_moves(
        self,
        subjects: DenseIds,
        before: list[Visit | None],
        after: list[Visit],
        progress: Progress,
        *,
        scanning: bool,
    ) -> None:
        ended = self._ended()
        for subject, was, now in zip(subjects.tolist(), before, after, strict=True):
            runs, ran = now.last > ended, was is not None and was.last > ended
            moved = runs != ran or (was is not None and was.start != now.start)
            if moved:
                progress.moved.add(subject)
            # A new visit has no past. One that goes on from an ended one, or begins earlier than was thought, has.
            if runs and (scanning or (moved and was is not None and now.start <= was.last)):
                progress.reshaped.add(subject)

    # ------------------------------------------------------------ merges

    def merge(self, kind: SubjectKind, survivor: int) -> Progress:
        """Joins the visits of whom a subject has just absorbed to its own."""
        written = self._identity[kind].written_ids((survivor,))
        progress = Progress()
        rows = self._rows(kind, written, -HIGHEST)
        progress.moved = progress.reshaped = {survivor}
        if not rows:
            return progress
        known = [self._visit_of(row) for row in rows]
        new = united(known, self.gap_ms)
        kept = {visit.row for visit in new}
        progress.withdrawn += [row for row in rows if row.sequence not in kept]
        newest = self._replace(kind, survivor, (), new, progress)
        self._write(kind, np.array([survivor], np.uint32), [newest])
        self._derived.withdraw(progress.withdrawn)
        self._derived.issue(progress.issued)
        return progress

    # ------------------------------------------------------------ cells and rows

    def _read(self, kind: SubjectKind, subjects: DenseIds) -> list[Visit | None]:
        tracker = self._measures.tracker(kind)
        assert tracker is not None
        columns = self._cells.read("visits", tracker, subjects, *VISIT_COLUMNS, "events", "pages")
        rows = (Visit(*row) for row in zip(*(column.tolist() for column in columns), strict=True))
        return [visit if visit.events else None for visit in rows]

    def _write(self, kind: SubjectKind, subjects: DenseIds, visits: list[Visit]) -> None:
        tracker = self._measures.tracker(kind)
        assert tracker is not None
        table = self._cells.tables["visits"]
        slots = table.claim(keys_of(np.full(len(subjects), tracker, np.int64), subjects))
        table.before_write(slots)
        columns = zip(*visits, strict=True)
        for name, column in zip((*VISIT_COLUMNS, "events", "pages"), columns, strict=True):
            table.columns[name][slots] = column

    def _row_of(self, kind: SubjectKind, subject: int, visit: Visit) -> Arrival:
        event = Event("", VISIT_TYPES[kind], (), None, visit.last, self._values_of(visit), {})
        user, account = (subject, 0) if kind is SubjectKind.USER else (0, subject)
        return Arrival(visit.last, visit.row, user, account, event)

    def _values_of(self, visit: Visit) -> dict[str, Value]:
        values: dict[str, Value] = {
            "duration_s": (visit.last - visit.start) / 1000,
            "events": float(visit.events),
            "pages": float(visit.pages),
            _FIRST: float(visit.first),
        }
        for name, code in (("referrer", visit.referrer), ("source", visit.source)):
            text = self._cells.codes.text(code)
            if text is not None:
                values[name] = text
        return values

    def _visit_of(self, row: Arrival) -> Visit:
        values = row.event.properties
        numbers = [values[name] for name in ("duration_s", _FIRST, "events", "pages")]
        duration, first, events, pages = (float(number) for number in numbers)  # type: ignore[arg-type]
        origin = tuple(text if isinstance(text := values.get(name), str) else None for name in ("referrer", "source"))
        codes = self._origin(origin)  # type: ignore[arg-type]
        start = row.time - round(duration * 1000)
        return Visit(start, row.time, int(first), row.sequence, *codes, int(events), int(pages))


def united(visits: list[Visit], gap_ms: int) -> list[Visit]:
    """Returns the visits that these are when those less than the gap apart are one; by time, with `row` 0 where new."""
    result: list[Visit] = []
    for visit in sorted(visits, key=lambda each: (each.start, each.first)):
        held = result[-1] if result else None
        if held is None or visit.start - held.last >= gap_ms:
            result.append(visit)
            continue
        result[-1] = held._replace(
            last=max(held.last, visit.last), row=0, events=held.events + visit.events, pages=held.pages + visit.pages
        )
    return result
