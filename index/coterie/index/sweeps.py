"""Mass movements: an instant that moves very many is passed in parts, cut by subject.

A part moves everything of the subjects in a range of dense ids, of both kinds: all their events past all cursors, all
their reminders. So a subject moves once, whole, and no record is long. Owns the rows of the instant under way.
Invariant: after a part, subjects below its id stand at the new instant and all others where they stood before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coterie.index.arranged import Arranged, Columns, shift_for
from coterie.index.conditions import Conditions
from coterie.index.cursors import Cursors
from coterie.index.deadlines import Deadlines
from coterie.index.derivation import Derivation
from coterie.index.measures.cells import Cells, Touched
from coterie.index.measures.matches import Matches
from coterie.index.measures.registry import Measures
from coterie.index.measures.spec import Shape
from coterie.index.schedule import Schedule

_NEAR_MS = 5  # a way so short is not cut for a few events; what was found out before says whether there are many
_LEAST_ROWS = 64  # passed by each cursor in a step, however many cursors there are
_MOST_STEPS = 4  # found out at once
_APPLIED_ROWS = 8192  # a piece where a record has to prepare itself


class _Passing:
    """What one boundary passes, of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.rows = Arranged()
        self._shape = shape
        self._values: list[Any] = []  # of shapes that have any, in the order they were found

    def add(self, matches: Matches) -> None:
        columns: Columns = {
            "subjects": matches.subjects,
            "measures": matches.measures,
            "times": matches.times,
            "extra": matches.extra,
        }
        if matches.values is not None:
            every = np.arange(len(matches))
            columns |= {"sequences": matches.sequences, "found": every + len(self._values)}
            self._values += matches.values(every)
        self.rows.add(columns)

    def take(self, first: int, below: int) -> Matches | None:
        columns = self.rows.take(first, below)
        if columns is None:
            return None
        subjects, found, values = columns["subjects"], columns.get("found"), None
        if found is not None:
            values = lambda chosen: [self._values[row] for row in found[chosen].tolist()]  # noqa: E731 - over these rows
        sequences = columns.get("sequences", np.zeros(len(subjects), np.int64))
        return Matches(
            self._shape, columns["measures"], subjects, columns["times"], sequences, columns["extra"], values
        )


class _Plan:
    """All rows of one instant, by subject."""

    def __init__(self, at: int, history: int) -> None:
        self.at = at
        self.history = history  # which state of history's files it reads from
        self.passing: dict[int, dict[Shape, _Passing]] = {}  # by boundary
        self.reminders = Arranged()
        self.deadlines = Arranged()  # counted only: who is due is told by the deadlines themselves
        self.shift = 0
        self.counts: NDArray[np.int64] = np.zeros(1, np.int64)  # rows by range of ids

    def all(self) -> list[Arranged]:
        passing = [held.rows for by_shape in self.passing.values() for held in by_shape.values()]
        return [*passing, self.reminders, self.deadlines]

    def parts(self, after: int, rows: int) -> list[int]:
        """Returns ids, ascending, with about `rows` rows between two; the last is 0, which stands for all the rest."""
        first = after >> self.shift
        passed = np.cumsum(self.counts[first:])
        total = int(passed[-1]) if len(passed) else 0
        parts, base = [], 0
        while total > base + rows:
            one_more = int(passed.searchsorted(base, side="right")) + 1  # a range is never cut, however many it has
            ranges = max(int(passed.searchsorted(base + rows, side="right")), one_more)
            if ranges >= len(passed):
                break
            parts.append((first + ranges) << self.shift)
            base = int(passed[ranges - 1])
        return [*parts, 0]


class Steps(NamedTuple):
    """Instants, ascending, each for a tick of its own; where they are `crowded`, the last one is to be passed in parts."""

    instants: list[int]
    crowded: bool


class _Calm(NamedTuple):
    """Found out once: until when the cursors pass no more than a step's events, unless many more arrive."""

    until: int
    rows: int
    arrivals: int  # at which it must be found out anew
    groups_made: int


class Sweeps:
    """The instant that is being passed, if it is passed in parts."""

    def __init__(
        self,
        measures: Measures,
        cells: Cells,
        derivation: Derivation,
        conditions: Conditions,
        cursors: Cursors,
        waiting: tuple[Schedule, Deadlines],
    ) -> None:
        self._measures, self._cells = measures, cells
        self._derivation, self._conditions = derivation, conditions
        self._cursors, (self._schedule, self._deadlines) = cursors, waiting
        self._plan: _Plan | None = None
        self._steps: Iterator[None] | None = None  # what is left to prepare; None: nothing
        self._below = 0
        self._calm: _Calm | None = None

    @property
    def under_way(self) -> bool:
        """Whether some subjects have passed the instant and others have not."""
        return self._below > 0

    @property
    def begun(self) -> bool:
        """Whether a sweep is being prepared or under way."""
        return self._plan is not None

    # ------------------------------------------------------------ where to cut

    def steps(self, since: int, until: int, rows: int) -> Steps:
        """Returns how to move time from one instant to another, by steps that pass about `rows` events each.

        What lies between the last step and `until` needs none.
        """
        due, reminders = self._schedule.reach(since, until, rows)
        due, stays = self._deadlines.reach(since, due, rows)
        reminders += stays
        last = Steps([due] if due < until or reminders > rows else [], crowded=reminders > 2 * rows)
        if due - since <= _NEAR_MS and self._is_calm(due, rows):
            return last
        standing, goal = self._cursors.standing(since), self._cursors.standing(due)
        least = max(rows // max(len(standing), 1), _LEAST_ROWS)
        steps: list[int] = []
        while len(steps) < _MOST_STEPS:
            if self._cursors.between(standing, goal) <= rows:
                self._note_calm(max(self._cursors.reach(standing, least) - 1, due), rows, least)
                return Steps(steps + last.instants, last.crowded)
            at = min(max(self._step(standing, due, rows, least), since + 1), due)
            later = self._cursors.standing(at)
            steps.append(at)
            if self._cursors.between(standing, later) > 2 * max(rows, least * len(standing)):
                return Steps(steps, crowded=True)
            standing, since = later, at
        return Steps(steps, crowded=False)

    def _step(self, standing: dict[int, int], until: int, rows: int, least: int) -> int:
        """Returns an instant by which the cursors pass about `rows` events; where one instant has more, that one."""
        at = self._cursors.reach(standing, least)
        while least < rows:  # they need not pass equally many
            least *= 2
            further = self._cursors.reach(standing, least)
            if further > until or self._cursors.between(standing, self._cursors.standing(further)) > rows:
                break
            at = further
        return at

    def _note_calm(self, instant: int, rows: int, least: int) -> None:
        self._calm = _Calm(instant, rows, self._cursors.arrivals + least, self._cursors.groups_made)

    def _is_calm(self, until: int, rows: int) -> bool:
        """Says whether few events can be passed by then, by what was found out before."""
        calm, cursors = self._calm, self._cursors
        if calm is None or calm.rows != rows or calm.groups_made != cursors.groups_made:
            return False
        return until <= calm.until and cursors.arrivals < calm.arrivals

    def parts(self, rows: int) -> list[int]:
        """Returns the ids, ascending, below which the next parts end, each of about `rows` rows; 0, the end, is last."""
        assert self._plan is not None
        assert self._steps is None, "cut before it is prepared"
        return self._plan.parts(self._below, rows)

    # ------------------------------------------------------------ preparing

    def forget(self) -> None:
        """Lets go of what was prepared: the instant is passed, or something else came before it."""
        self._plan, self._steps, self._below = None, None, 0

    def prepare(self, at: int, rows: int) -> bool:
        """Does a piece of what the parts of an instant need, about `rows` rows; returns whether all is done.

        Nothing anyone can see changes. What was prepared for another instant is let go.
        """
        plan = self._plan
        if plan is None or plan.at != at or (self._steps is not None and plan.history != self._cursors.history_state):
            assert not self._below or plan is None or plan.at == at, "the sweep under way comes first"
            plan = self._plan = _Plan(at, self._cursors.history_state)
            self._steps = self._preparation(plan, rows)
        if self._steps is not None and next(self._steps, self) is self:
            self._steps = None
        return self._steps is None

    def _preparation(self, plan: _Plan, rows: int) -> Iterator[None]:
        lacking: Counter[str] = Counter()
        for boundary, target in self._cursors.standing(plan.at).items():
            passing = plan.passing[boundary] = {}
            for piece in self._cursors.ahead(boundary, target, rows):
                for matches in piece:
                    passing.setdefault(matches.shape, _Passing(matches.shape)).add(matches)
                    entering = self._cursors.entering(boundary, matches)
                    lacking.update({} if entering is None else self._cells.lacking(entering))
                yield
        yield from self._cells.make_room(lacking, rows)
        for due in self._schedule.due_by(plan.at):
            for start in range(0, len(due.subjects), rows):
                subjects = due.subjects[start : start + rows]
                plan.reminders.add({"subjects": subjects, "numbers": np.full(len(subjects), due.number)})
                yield
        for subjects in self._deadlines.subjects_due(plan.at, rows):
            plan.deadlines.add({"subjects": subjects})
            yield
        yield from _arrange(plan)

    # ------------------------------------------------------------ passing

    def advance(self, at: int, below: int) -> None:
        """Moves the subjects with smaller ids that have not been moved yet; 0: all that are left, which ends it."""
        assert not below or below > self._below, "parts go up"
        while not self.prepare(at, _APPLIED_ROWS):
            pass
        plan = self._plan
        assert plan is not None
        standing = self._measures.cursors.copy()
        moves: list[tuple[Matches, int]] = []
        looks: list[Touched] = []
        # As `Cursors.advance` does it, boundary after boundary, so that what one lets in the next may take out.
        for boundary, definition in enumerate(self._measures.boundaries):
            self._measures.cursors[boundary] = max(int(standing[boundary]), definition.value(at))
            for passing in plan.passing.get(boundary, {}).values():
                matches = passing.take(self._below, below)
                if matches is not None:
                    self._cursors.passed(boundary, matches, moves, looks)
        # Asked while the cursors stand at the instant: nobody is who has not been moved to it.
        self._conditions.settle(self._derivation.enter(moves) + looks)
        self._remind(plan, below)
        if below:
            self._measures.cursors[:] = standing
            self._below = below
        else:
            self._cursors.jumped()
            self._schedule.done(at)
            self.forget()

    def _remind(self, plan: _Plan, below: int) -> None:
        due = plan.reminders.take(self._below, below)
        if due is not None:
            for number in np.unique(due["numbers"]).tolist():
                self._conditions.remind(number, np.unique(due["subjects"][due["numbers"] == number]))


def _arrange(plan: _Plan) -> Iterator[None]:
    held = plan.all()
    highest = max(rows.highest for rows in held)
    plan.shift = shift_for(highest)
    ranges = (highest >> plan.shift) + 1
    plan.counts = np.zeros(ranges, np.int64)
    for rows in held:
        for counted in rows.arrange(plan.shift, ranges):
            plan.counts += counted
            yield
