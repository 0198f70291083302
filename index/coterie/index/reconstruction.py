"""The trend of a segment before it was created: its rule, run through history as if it had been there.

A state of its own reads the dataset's history, takes the rule as a segment at the start of the range, builds it,
and lets time go on as if every event had arrived when it happened. Owns that state. Invariants: the evaluator is
the engine's own; the dataset is only read; the joins and leaves are those a live segment would have recorded had
it been known from the beginning who is who.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from pyroaring import BitMap

from coterie.index.changes import TrendPoint
from coterie.index.model import ActivateBuild, Change, CreateSegment, SegmentDefinition, SubjectKind, Universe
from coterie.index.past import PastHistory, PastIdentity
from coterie.index.reconstructible import has_split, moves_by_events_alone, why_not, with_nested
from coterie.index.rules.literals import print_duration
from coterie.index.settings import Settings
from coterie.index.state import State
from coterie.index.strides import Touches, strides, touches_of
from coterie.index.subjects.identity import IdentityMap
from coterie.index.time.calendar import LOWEST
from coterie.index.work_segments import activate, create

_INSTANT_WEIGHT: Final = 50  # a step for each instant takes as long as that many events in strides
_NOBODY: Final = Touches(np.empty(0, np.int64), np.empty(0, np.uint32))


@dataclass(frozen=True, slots=True)
class Reach:
    """How many events one reconstruction may read, and how far before the creation it may go."""

    events: int
    span_ms: int


class Reconstruction:
    """The buckets before a segment's creation. `reason` says why some, or all, of them are left out."""

    def __init__(self, state: State, segment_id: str, edges: Sequence[int], reach: Reach, rows: int = 8192) -> None:
        self._dataset, self._segment, self._rows = state, state.catalog.get(segment_id), rows
        self._kind = self._segment.definition.subject_kind
        self._edges = self._before_creation(edges)
        self.reason = why_not(state.catalog, self._segment.definition) if len(self._edges) > 1 else ""
        self.events = 0  # about how many are read
        self.points: list[TrendPoint] = []
        self._past: _Past | None = None
        self._work: Iterator[None] = iter(())
        if len(self._edges) < 2 or self.reason:
            return
        self._definitions = with_nested(state.catalog, self._segment.definition)
        self._probe = State(_settings_of(state))
        _take(self._probe, self._definitions, self._edges[0])
        self._by_birth = self._needs_births()
        self._limit(reach)
        if len(self._edges) > 1:
            self._begin()

    # ------------------------------------------------------------ which buckets

    def _before_creation(self, edges: Sequence[int]) -> list[int]:
        """The edges of the whole buckets before the one of the creation, from the one of the first event on."""
        held = list(edges[: bisect_right(edges, self._segment.created_at)])
        first = self._dataset.history.next_time(LOWEST)
        return [] if first is None else held[max(bisect_right(held, first) - 1, 0) :]

    def _needs_births(self) -> bool:
        """Whether somebody is in it, or in what it nests, from the first moment on, without having done anything."""
        return any(segment.root is not None and segment.root.empty for segment in self._probe.catalog) or any(
            has_split(each) or each.universe is not Universe.ALL for each in self._definitions
        )

    def _limit(self, reach: Reach) -> None:
        edges = self._edges
        first = bisect_left(edges, self._segment.created_at - reach.span_ms)
        if first:
            self.reason = f"it was created {print_duration(reach.span_ms // 1000 * 1000)} later, and no more than that is reconstructed"
        rest = range(first, len(edges) - 1)  # the later the start, the less is read
        skipped = bisect_left(rest, True, key=lambda index: self._cost(edges[index]) <= reach.events)
        if skipped:
            left = f"the {reach.events} events left of what one call may read"
            self.reason = f"going further back would mean to read more than {left}"
        first += skipped
        self._edges = edges[first:]
        self.events = max(1, self._cost(self._edges[0])) if len(self._edges) > 1 else 0

    def _cost(self, start: int) -> int:
        """How many events are read where the first bucket begins at `start`, in the time that reading one takes."""
        lowers = [spec.lower.value(start - 1) for spec in self._probe.measures.specs if spec is not None]
        lowest = LOWEST if self._by_birth else min([start - 1, *lowers])
        weight = 1 if all(map(moves_by_events_alone, self._definitions)) else _INSTANT_WEIGHT
        return weight * self._dataset.history.count(lowest, self._edges[-1] - 1)

    # ------------------------------------------------------------ stepping

    def step(self) -> bool:
        """Does a little of the work; returns False when there is no more."""
        if self._past is None:
            return False
        if not self._past.history.intact:
            self._begin()  # a subject was deleted: nothing of it appears
        if next(self._work, self) is None:
            return True
        self.points, self._past = self._past.points, None
        return False

    def _begin(self) -> None:
        past = _Past(self._dataset, self._kind, self._edges)
        self._past, self._work = past, past.run(self._definitions, self._rows, by_birth=self._by_birth)


class _Past:
    """A segment on its way through the past, as of one revision."""

    def __init__(self, dataset: State, kind: SubjectKind, edges: Sequence[int]) -> None:
        self._kind, self._edges = kind, edges
        self.history = PastHistory(dataset.history, dataset.revision, edges[0] - 1)
        self._identity = PastIdentity(kind, dataset.identity[kind])
        identity: dict[SubjectKind, IdentityMap] = {each: IdentityMap(each) for each in SubjectKind}
        identity[kind] = self._identity
        self._state = State(_settings_of(dataset), identity=identity, history=self.history)
        self._state.events_taken = dataset.events_taken  # where there are events, measures are built
        self._name = ""
        self._unborn = _NOBODY  # who appears first between now and the next stop but one
        self._joins = self._leaves = 0
        self.points: list[TrendPoint] = []

    def run(self, definitions: Sequence[SegmentDefinition], rows: int, *, by_birth: bool) -> Iterator[None]:
        """Does all the work, and gives way after every little piece."""
        state, self._name = self._state, definitions[-1].id
        if by_birth:
            yield from self._read_births(rows)
        _take(state, definitions, self._edges[0])
        while state.builds.step(rows):
            yield
        _activate(state, definitions)
        state.end_record()  # whoever is in by now has not joined within the first bucket
        self.history.until = self._edges[-1] - 1
        state.cursors.forget_groups()
        in_strides = all(map(moves_by_events_alone, definitions))
        for start, end in pairwise(self._edges):
            while state.now < end - 1:
                until = self._look_ahead(end - 1, rows, by_birth=by_birth)
                for at in self._strides(until) if in_strides else self._instants(until):
                    self._advance(at)
                    yield
                self._advance(until)
            self._note(start)

    def _note(self, start: int) -> None:
        size = self._state.size(self._state.catalog.ready(self._name))
        self.points.append(TrendPoint(start, size, self._joins, self._leaves, reconstructed=True))
        self._joins = self._leaves = 0

    # ------------------------------------------------------------ time

    def _look_ahead(self, last: int, rows: int, *, by_birth: bool) -> int:
        """Returns how far to look at once, and notes who appears until then."""
        state = self._state
        passed = state.cursors.reach(state.cursors.standing(state.now), rows)
        until = min(max(passed, state.now + 1), last)
        if by_birth:
            until = min(until, self.history.reach(state.now, rows))
            self._unborn = self._births(state.now, until)
        return until

    def _strides(self, until: int) -> Iterator[int]:
        """Yields where to stop on the way, so that nobody is touched twice in between."""
        state = self._state
        touches = touches_of(state.measures, self.history, state.canonical, until)
        yield from strides([*touches, self._unborn])

    def _instants(self, until: int) -> Iterator[int]:
        """Yields every instant on the way at which anything may happen."""
        state = self._state
        while True:
            upcoming = self._unborn.instants[self._unborn.instants > state.now]
            instants = (state.cursors.next_instant(), state.schedule.next_instant(), upcoming.min(initial=until))
            following = min(int(instant) for instant in instants if instant is not None)
            if following >= until:
                return
            yield following

    def _advance(self, at: int) -> None:
        """Moves time; whoever appears on the way is born, as by an arriving event."""
        state = self._state
        state.revision += 1
        born = self._identity.appear(np.sort(self._unborn.subjects[self._unborn.instants <= at]))
        if len(born):
            state.bear(self._kind, born)
            state.refresh_known(self._kind, BitMap(born.tolist()))
        state.advance(at)
        for entry in state.end_record():
            if isinstance(entry, Change) and entry.segment == self._name:
                self._joins += len(entry.joined)
                self._leaves += len(entry.left)

    # ------------------------------------------------------------ births

    def _read_births(self, rows: int) -> Iterator[None]:
        """Finds everybody who appeared before the range."""
        frontier = LOWEST
        while (through := self.history.reach(frontier, rows)) <= self.history.until:
            self._identity.appear(self._births(frontier, through).subjects)
            frontier = through
            yield

    def _births(self, after: int, through: int) -> Touches:
        """Returns who appears first in a stretch of time, and when."""
        pieces = list(self.history.scan(after, through))
        if not pieces:
            return _NOBODY
        times = np.concatenate([piece.times for piece in pieces])
        order = np.argsort(times, kind="stable")
        written = np.concatenate([piece.subjects(self._kind) for piece in pieces])[order]
        subjects, first = np.unique(self._identity.canonical(written), return_index=True)
        fresh = np.array(
            [bool(dense) and dense not in self._identity.subjects for dense in subjects.tolist()], np.bool_
        )
        return Touches(times[order][first][fresh], subjects[fresh])


def _settings_of(state: State) -> Settings:
    """The dataset's settings, for a state whose changes are read at once."""
    return replace(state.settings, change_retention_ms=0, change_retention_entries=1)


def _take(state: State, definitions: Sequence[SegmentDefinition], start: int) -> None:
    """Takes the definitions in, as they would have been just before an instant."""
    state.now = start - 1
    for definition in definitions:
        create(state, CreateSegment(definition))


def _activate(state: State, definitions: Sequence[SegmentDefinition]) -> None:
    for definition in definitions:
        if state.catalog.get(definition.id).pending is not None:
            activate(state, ActivateBuild(definition.id))
