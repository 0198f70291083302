"""What follows when events enter and leave measures: cells change, and events are derived that enter measures too.

The one way into the cells for arrivals, cursors and builds. Derived events are emitted once all cursors of a step have
moved, and placed as arrivals are. Owns visits and sequences. Invariant: after each call, cells equal their
measures over the arrived and derived events that lie inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from pyroaring import BitMap

from coterie.index.events.columns import Arrival, RowColumns
from coterie.index.events.derived import Derived
from coterie.index.events.flow import Flow
from coterie.index.measures.cells import Cells, Touched
from coterie.index.measures.matches import Ints, Matches, collect
from coterie.index.measures.moving import clear, move
from coterie.index.measures.registry import Measures
from coterie.index.measures.spec import DERIVING, Shape
from coterie.index.model import SubjectKind
from coterie.index.sequences import Parts, Sequences
from coterie.index.subjects.identity import DenseIds, IdentityMap
from coterie.index.time.calendar import HIGHEST, LOWEST
from coterie.index.visits import Progress, Visits

Move = tuple[Matches, int]  # events and whether they enter (1) or leave (-1)


class Derivation:
    """Cells, visits and sequences of one dataset, as events move."""

    def __init__(
        self,
        visit_gap_ms: int,
        measures: Measures,
        cells: Cells,
        flow: Flow,
        derived: Derived,
        identity: dict[SubjectKind, IdentityMap],
    ) -> None:
        self._measures, self._cells, self._flow, self._derived = measures, cells, flow, derived
        self._identity = identity
        self.visits = Visits(visit_gap_ms, measures, cells, derived, identity)
        self._sequences = Sequences(Parts(measures, cells, flow, derived, identity))
        self._listener: Callable[[Ints], None] = lambda _: None

    def tell(self, listener: Callable[[Ints], None]) -> None:
        """From now on, `listener` is told the times of derived rows that come or go."""
        self._listener = listener

    def enter(self, moves: Iterable[Move], *, scanning: bool = False) -> list[Touched]:
        """Puts events into the measures they match (+1) or takes them out (-1), with all that follows from it."""
        if not self._measures.derives:
            return self._cells.update(moves)
        parts: dict[Shape, list[Matches]] = {shape: [] for shape in DERIVING}
        plain: list[Move] = []
        in_visit: list[Move] = []
        for matches, sign in moves:
            if matches.shape in parts:
                parts[matches.shape].append(matches)
                continue
            of_visit = self._measures.of_visit[matches.measures]
            plain.append((matches.where(~of_visit), sign))
            if of_visit.any():
                in_visit.append((matches.where(of_visit), sign))
        # What has entered must be there before any of it is withdrawn; which visit runs is known only after that.
        touched = self._cells.update(plain)
        for ended in parts[Shape.ENDINGS]:
            touched += self._end_visits(ended)
        anew: list[tuple[int, int]] = []
        steps = parts[Shape.STEPS]
        for entered in parts[Shape.VISITS]:
            for kind, rows in self._by_kind(entered):
                progress = self.visits.enter(kind, rows, scanning=scanning)
                in_visit = self._hold_back(kind, in_visit, progress.reshaped)
                touched += self._follow_visits(kind, progress, steps, anew)
        touched += self._cells.update(self._in_visits(in_visit))
        return touched + self._follow_sequences(steps, anew)

    def _by_kind(self, matches: Matches) -> Iterable[tuple[SubjectKind, Matches]]:
        for kind in SubjectKind:
            tracker = self._measures.tracker(kind)
            rows = matches.where(matches.measures == tracker)
            if len(rows):
                yield kind, rows

    # ------------------------------------------------------------ derived rows as events

    def _emit(
        self, issued: Sequence[Arrival], withdrawn: Sequence[Arrival], steps: list[Matches], anew: list[tuple[int, int]]
    ) -> list[Touched]:
        """Puts derived rows into measures and takes others out; steps of sequences are only noted."""
        if not issued and not withdrawn:
            return []
        self._listener(np.array([row.time for row in (*issued, *withdrawn)], np.int64))
        leaving = list(self._inside(withdrawn))
        entering = list(self._inside(issued))
        steps += [matches for matches in entering if matches.shape is Shape.STEPS]
        for matches in leaving:
            if matches.shape is Shape.STEPS:
                anew += zip(matches.measures.tolist(), matches.subjects.tolist(), strict=True)
        taken = [(matches, -1) for matches in leaving if matches.shape not in (*DERIVING, Shape.EXTREME)]
        put = [(matches, 1) for matches in entering if matches.shape not in DERIVING]
        extremes = [matches for matches in leaving if matches.shape is Shape.EXTREME]
        return self._cells.update(self._in_visits([*taken, *put])) + self._extremes_anew(extremes)

    def _inside(self, rows: Sequence[Arrival]) -> Iterable[Matches]:
        if not rows:
            return
        columns = RowColumns(rows)
        for matches in collect(columns, self._measures.group, self._measures.filters, self._measures.specs):
            matches.subjects = self._measures.subjects_now(matches, self._canonical)
            yield matches.where(self._measures.inside(matches.measures, matches.times) & (matches.subjects != 0))

    def _canonical(self, kind: SubjectKind, subjects: DenseIds) -> DenseIds:
        return self._identity[kind].canonical(subjects)

    def _extremes_anew(self, withdrawn: list[Matches]) -> list[Touched]:
        """A first, last, smallest or largest of derived events is looked for again when one of them is withdrawn."""
        touched: list[Touched] = []
        for matches in withdrawn:
            for measure in np.unique(matches.measures).tolist():
                subjects = np.unique(matches.subjects[matches.measures == measure])
                spec = self._measures.specs[measure]
                assert spec is not None
                held = {Shape.EXTREME: np.array([measure], np.int64)}
                touched += clear(self._cells, held, subjects)
                touched += self._reread(spec.kind, held, subjects, LOWEST)
        return touched

    def _reread(self, kind: SubjectKind, measures: dict[Shape, Ints], subjects: DenseIds, after: int) -> list[Touched]:
        """Puts the subjects' events later than `after` into empty cells, as far as they lie inside."""
        chosen = [measure for held in measures.values() for measure in held.tolist()]
        group = self._measures.group_of(chosen)
        written = self._identity[kind].written_ids(subjects.tolist())
        moves: list[Move] = []
        for columns in self._flow.rows_of(kind, written, after, HIGHEST):
            for matches in collect(columns, group, self._measures.filters, self._measures.specs):
                matches.subjects = self._canonical(kind, matches.subjects)
                inside = self._measures.inside(matches.measures, matches.times)
                moves.append((matches.where(inside & np.isin(matches.subjects, subjects)), 1))
        return self._cells.update(self._in_visits(moves))

    # ------------------------------------------------------------ visits

    def _follow_visits(
        self, kind: SubjectKind, progress: Progress, steps: list[Matches], anew: list[tuple[int, int]]
    ) -> list[Touched]:
        touched = self._emit(progress.issued, progress.withdrawn, steps, anew)
        touched += self._reshape(kind, progress.reshaped)
        return touched + self._note_moved(kind, progress.moved)

    def _note_moved(self, kind: SubjectKind, subjects: Iterable[int]) -> list[Touched]:
        """Has whatever reads when a visit began look again."""
        tracker = self._measures.tracker(kind)
        ids = np.array(sorted(subjects), np.uint32)
        return [Touched(np.full(len(ids), tracker, np.int64), ids)] if len(ids) else []

    def _in_visits(self, moves: Iterable[Move]) -> Iterable[Move]:
        """Leaves out what belongs to no running visit, where a window is one."""
        for matches, sign in moves:
            of_visit = self._measures.of_visit[matches.measures]
            if not of_visit.any():
                yield matches, sign
                continue
            keep = ~of_visit
            for kind in SubjectKind:
                mine = of_visit & self._are_of(kind, matches.measures)
                if mine.any() and self._measures.tracker(kind) is not None:
                    keep[mine] = matches.times[mine] >= self.visits.begun(kind, matches.subjects[mine])
            yield matches.where(keep), sign

    def _are_of(self, kind: SubjectKind, measures: Ints) -> np.ndarray:
        held = self._measures.windows_of_visit(kind).values()
        return np.isin(measures, np.concatenate(list(held))) if held else np.zeros(len(measures), np.bool_)

    def _hold_back(self, kind: SubjectKind, moves: list[Move], subjects: set[int]) -> list[Move]:
        """Leaves out events of running visits that are counted anew as a whole."""
        if not subjects:
            return moves
        ids = np.fromiter(subjects, np.uint32, len(subjects))
        return [
            (matches.where(~(self._are_of(kind, matches.measures) & np.isin(matches.subjects, ids))), sign)
            for matches, sign in moves
        ]

    def _reshape(self, kind: SubjectKind, subjects: set[int]) -> list[Touched]:
        """Counts the running visits of some subjects anew, from their first event on."""
        measures = self._measures.windows_of_visit(kind)
        if not subjects or not measures:
            return []
        ids = np.array(sorted(subjects), np.uint32)
        touched = clear(self._cells, measures, ids)
        begun = self.visits.begun(kind, ids)
        running = ids[begun < HIGHEST]
        return touched + (self._reread(kind, measures, running, int(begun.min()) - 1) if len(running) else [])

    def _end_visits(self, matches: Matches) -> list[Touched]:
        """Empties the windows of visits that have ended."""
        touched: list[Touched] = []
        for kind in SubjectKind:
            if self._measures.tracker(kind) is None:
                continue
            endings = self._measures.of_kind(kind).get(Shape.ENDINGS, np.empty(0, np.int64))
            rows = matches.where(np.isin(matches.measures, endings))
            subjects = np.unique(rows.subjects)
            ended = subjects[self.visits.begun(kind, subjects) == HIGHEST]
            if len(ended):
                touched += clear(self._cells, self._measures.windows_of_visit(kind), ended)
                touched += self._note_moved(kind, ended.tolist())
        return touched

    # ------------------------------------------------------------ sequences

    def _follow_sequences(self, steps: list[Matches], anew: list[tuple[int, int]]) -> list[Touched]:
        entered = [matches for matches in steps if len(matches)]
        if not entered and not anew:
            return []
        found = self._sequences.enter(entered, anew)
        return self._emit(found.issued, found.withdrawn, [], [])

    # ------------------------------------------------------------ subjects

    def merge(self, kind: SubjectKind, absorbed: int, survivor: int) -> list[Touched]:
        """Moves everything of a subject, whose dense id is the survivor's already, to the survivor."""
        touched = move(self._cells, self._measures.of_kind(kind), absorbed, survivor)
        if not self._measures.derives:
            return touched
        steps: list[Matches] = []
        anew: list[tuple[int, int]] = []
        if self._measures.tracker(kind) is not None:
            touched += self._follow_visits(kind, self.visits.merge(kind, survivor), steps, anew)
        found = self._sequences.merge(kind, survivor)
        return touched + self._emit(found.issued, found.withdrawn, [], [])

    def delete(self, kind: SubjectKind, subject: int, written: BitMap) -> list[Touched]:
        """Empties a subject's cells; its derived rows are nobody's."""
        self._derived.history.erase(kind, written)
        return move(self._cells, self._measures.of_kind(kind), subject, None)
