"""Boundaries in motion: what a step of time lets into and out of the measures.

A cursor stands at a boundary's value; moving it passes the events between the old and the new value. Passed
events are matched ahead in slices, for all measures of the boundary at once, and used up as time goes on. Owns
the slices and the next time each cursor will meet an event. Invariant: after `advance(now)` every cursor
stands at `boundary.value(now)`, and each event was passed exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from coterie.index.derivation import Derivation
from coterie.index.events.columns import EventColumns
from coterie.index.events.flow import Flow
from coterie.index.measures.cells import Touched
from coterie.index.measures.matches import Group, Matches, collect, concatenate
from coterie.index.measures.registry import Canonical, Measures
from coterie.index.measures.spec import Shape
from coterie.index.time.calendar import HIGHEST

_SLICE_ROWS = 4096
_SLICE_MS = 60_000  # how far ahead of need a slice may reach: late events inside a slice make it useless


@dataclass(slots=True)
class _Slice:
    """Matched events ahead of one cursor, by shape, sorted by time, complete through `through`."""

    through: int
    ahead: list[Matches] = field(default_factory=list)

    def next_time(self) -> int | None:
        return min((int(matches.times[0]) for matches in self.ahead if len(matches)), default=None)

    def take(self, through: int) -> Iterator[Matches]:
        rest = []
        for matches in self.ahead:
            count = int(np.searchsorted(matches.times, through, side="right"))
            if count:
                yield matches.take(slice(0, count))
            if count < len(matches):
                rest.append(matches.take(slice(count, None)))
        self.ahead = rest


class Cursors:
    """All cursors of one dataset."""

    def __init__(self, measures: Measures, derivation: Derivation, flow: Flow, canonical: Canonical) -> None:
        self._measures, self._derivation, self._flow, self._canonical = measures, derivation, flow, canonical
        self._slices: dict[int, _Slice] = {}
        self._groups: dict[int, Group] = {}
        self.slice_ms = _SLICE_MS
        derivation.tell(self.arrived)
        self.groups_made = 0  # how often measures came or went
        self.arrivals = 0  # events that have arrived

    def forget_groups(self) -> None:
        """Must be called when measures came or went: slices matched for others are matched anew."""
        self._slices.clear()
        self._groups.clear()
        self.groups_made += 1

    def arrived(self, times: NDArray[np.int64]) -> None:
        """Must be called with the times of events added to history: a slice they fall into is matched anew."""
        self.arrivals += len(times)
        for boundary, held in list(self._slices.items()):
            cursor = self._measures.cursors[boundary]
            if ((times > cursor) & (times <= held.through)).any():
                del self._slices[boundary]

    # ------------------------------------------------------------ moving

    def advance(self, now: int) -> list[Touched]:
        """Moves every cursor to its value at `now`; returns the cells touched."""
        moves: list[tuple[Matches, int]] = []
        looks: list[Touched] = []
        for boundary, definition in enumerate(self._measures.boundaries):
            target = definition.value(now)
            if target > self._measures.cursors[boundary]:
                self._move(boundary, target, moves, looks)
                self._measures.cursors[boundary] = target
        return self._derivation.enter(moves) + looks

    def _move(self, boundary: int, target: int, moves: list[tuple[Matches, int]], looks: list[Touched]) -> None:
        if not self._measures.roles[boundary]:
            return
        while True:
            held = self._slice(boundary, target)
            through = min(target, held.through)
            self._measures.cursors[boundary] = through  # what has been passed counts as inside from here on
            for matches in held.take(through):
                self.passed(boundary, self._as_of_now(matches), moves, looks)
            if through == target:
                return
            del self._slices[boundary]

    def _as_of_now(self, matches: Matches) -> Matches:
        matches.subjects = self._measures.subjects_now(matches, self._canonical)
        return matches.where(matches.subjects != 0)

    def passed(self, boundary: int, matches: Matches, moves: list[tuple[Matches, int]], looks: list[Touched]) -> None:
        """Adds what it means that a boundary's cursor has passed events of the subjects they belong to now."""
        roles = self._measures.roles[boundary]
        if roles.enter:
            entering = roles.share(roles.enter, matches)
            moves.append((entering.where(self._measures.inside(entering.measures, entering.times)), 1))
        if roles.leave:
            leaving = roles.share(roles.leave, matches)
            moves.append((leaving.where(self._measures.left(leaving.measures, leaving.times)), -1))
        if roles.look:
            looking = roles.share(roles.look, matches)
            looks.append(Touched(looking.measures, looking.subjects))

    # ------------------------------------------------------------ slices

    def _slice(self, boundary: int, target: int) -> _Slice:
        held = self._slices.get(boundary)
        if held is None:
            cursor = int(self._measures.cursors[boundary])
            reach = self._flow.reach(cursor, _SLICE_ROWS)
            through = min(reach, max(target, cursor + self.slice_ms))
            if through > target and self._flow.count(through - 1, through) > _SLICE_ROWS:
                through -= 1  # a crowd at one time is left to the sweep that passes it
            held = self._slices[boundary] = _Slice(through, self._matched(boundary, cursor, through))
        return held

    def _matched(self, boundary: int, after: int, through: int) -> list[Matches]:
        return matched(self._flow.scan(after, through), self._group(boundary), self._measures)

    def _group(self, boundary: int) -> Group:
        group = self._groups.get(boundary)
        if group is None:
            roles = self._measures.roles[boundary]
            group = self._groups[boundary] = self._measures.group_of(roles.all())
        return group

    # ------------------------------------------------------------ the next instant

    def next_instant(self) -> int | None:
        """The next instant at which a cursor may meet an event that matters (None: never, as things stand)."""
        instants = (self._next_of(boundary) for boundary in range(len(self._measures.boundaries)))
        return min((instant for instant in instants if instant is not None), default=None)

    def _next_of(self, boundary: int) -> int | None:
        roles, definition = self._measures.roles[boundary], self._measures.boundaries[boundary]
        cursor = int(self._measures.cursors[boundary])
        if not roles:
            return None
        upcoming = self._flow.next_time(cursor)
        if upcoming is None or definition.due(upcoming) is None:
            return None
        if boundary not in self._slices and self._flow.count(upcoming - 1, upcoming) > _SLICE_ROWS:
            return definition.due(upcoming)  # a crowd at one time: too many to match just to know whether they matter
        held = self._slice(boundary, upcoming)
        time = held.next_time()
        if time is None:  # nothing that matters in the slice: the next event of any kind beyond it is early enough
            time = self._flow.next_time(max(held.through, cursor))
        return None if time is None else definition.due(time)

    # ------------------------------------------------------------ what lies ahead, for sweeps

    @property
    def history_state(self) -> int:
        """Changes when what `ahead` has begun to read may no longer be there."""
        return self._flow.state

    def standing(self, at: int) -> dict[int, int]:
        """Returns where the cursors that matter will stand at an instant that is not behind them, by boundary."""
        cursors, roles = self._measures.cursors, self._measures.roles
        return {
            boundary: max(int(cursors[boundary]), definition.value(at))
            for boundary, definition in enumerate(self._measures.boundaries)
            if roles[boundary]
        }

    def reach(self, standing: dict[int, int], rows: int) -> int:
        """Returns the first instant at which a cursor has passed about `rows` events from there, or all; or HIGHEST."""
        boundaries = self._measures.boundaries
        reaches = ((boundary, self._flow.reach(cursor, rows)) for boundary, cursor in standing.items())
        dues = (boundaries[boundary].due(reach) for boundary, reach in reaches if reach != HIGHEST)
        return min((due for due in dues if due is not None), default=HIGHEST)

    def between(self, standing: dict[int, int], later: dict[int, int]) -> int:
        """Returns how many events the cursors pass on their way from one place to another, all together."""
        count = self._flow.count
        return sum(count(cursor, later[boundary]) for boundary, cursor in standing.items())

    def ahead(self, boundary: int, target: int, rows: int) -> Iterator[list[Matches]]:
        """Yields what a cursor will pass on its way to `target`, from one piece of so many events after the other."""
        group, measures = self._group(boundary), self._measures
        for columns in self._flow.scan(int(measures.cursors[boundary]), target, rows):
            found = collect(columns, group, measures.filters, measures.specs)
            yield [self._as_of_now(matches) for matches in found]

    def entering(self, boundary: int, matches: Matches) -> Matches | None:
        """Returns those of the rows that may enter a measure when the boundary passes them."""
        roles = self._measures.roles[boundary]
        return roles.share(roles.enter, matches) if roles.enter else None

    def jumped(self) -> None:
        """Must be called when cursors were moved from outside: what they have passed is no longer ahead."""
        for boundary, held in list(self._slices.items()):
            cursor = int(self._measures.cursors[boundary])
            if held.through <= cursor:
                del self._slices[boundary]
            else:
                for _ in held.take(cursor):
                    pass


def matched(pieces: Iterable[EventColumns], group: Group, measures: Measures) -> list[Matches]:
    """Returns what pieces of history touch of a group, one `Matches` per shape, sorted by time."""
    by_shape: dict[Shape, list[Matches]] = {}
    for columns in pieces:
        for matches in collect(columns, group, measures.filters, measures.specs):
            by_shape.setdefault(matches.shape, []).append(matches)
    return [concatenate(parts) for parts in by_shape.values()]
