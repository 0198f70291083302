"""Builds: measures that catch up with history while everything stays live.

A scan runs a frontier through history in time order; until it arrives, its measures hold exactly the events of
their windows with `t <= frontier`, and live events beyond it are left to the scan. A frontier stands between two
instants; one with very many events is entered in pieces, and nothing comes between these. Owns the scans. Invariant:
pace changes nothing: an activate record finishes what is left, so a replay ends in the same state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from coterie.index.conditions import Conditions
from coterie.index.cursors import matched
from coterie.index.derivation import Derivation
from coterie.index.events.flow import Flow
from coterie.index.measures.cells import Cells
from coterie.index.measures.matches import Group, Matches, collect
from coterie.index.measures.registry import Canonical, Measures
from coterie.index.plan import Plan
from coterie.index.segments import Catalog, Segment
from coterie.index.time.calendar import HIGHEST, LOWEST

_FINISH_ROWS = 65_536  # rows at a time where a record finishes a scan
_CROWD = 2  # so many times the rows of a step lie in one instant: it is entered in pieces


@dataclass(frozen=True, slots=True)
class BuildStatus:
    """How far the build of a segment's pending definition has come."""

    segment: str
    progress: float
    done: bool


@dataclass(slots=True, eq=False)
class Scan:
    """Measures that are being built together."""

    measures: set[int]
    frontier: int = LOWEST
    scanned: int = 0
    pieces: Iterator[None] | None = None  # what is left of an instant that is entered in pieces


class Builds:
    """All builds of one dataset."""

    def __init__(
        self,
        measures: Measures,
        cells: Cells,
        derivation: Derivation,
        conditions: Conditions,
        flow: Flow,
        catalog: Catalog,
        canonical: Canonical,
    ) -> None:
        self._measures, self._cells = measures, cells
        self._derivation, self._conditions = derivation, conditions
        self._flow, self._catalog, self._canonical = flow, catalog, canonical
        self._scans: list[Scan] = []

    def start(self, segment: Segment, *, without_history: bool) -> bool:
        """Begins what the pending definition lacks; returns True where it lacks nothing."""
        assert segment.pending is not None
        plan = segment.pending.plan
        if without_history:
            self._measures.establish(plan.measures)
        self.begin(plan)
        return not self._lacking(plan) and self._nested_ready(segment)

    def begin(self, plan: Plan) -> None:
        """Begins the scan of whatever measures of a plan nobody has begun with."""
        begun = {measure for scan in self._scans for measure in scan.measures}
        fresh = {m for m in self._lacking(plan) - begun if self._measures.frontiers[m] < HIGHEST}
        if fresh:
            self._scans.append(Scan(fresh, self._first_frontier(fresh)))

    def _lacking(self, plan: Plan) -> set[int]:
        return {measure for measure in plan.measures if not self._measures.established(measure)}

    def _first_frontier(self, measures: set[int]) -> int:
        lowest = min(self._measures.lower_cursor(measure) for measure in measures)
        for measure in measures:
            self._measures.frontiers[measure] = lowest
        return lowest

    def resume(self) -> None:
        """After a restart, takes up the scans that were under way: measures of one frontier go on together."""
        by_frontier: dict[int, set[int]] = {}
        for segment in self._catalog:
            for measure in segment.pending.plan.measures if segment.pending else ():
                frontier = int(self._measures.frontiers[measure])
                if not self._measures.established(measure) and frontier < HIGHEST:
                    by_frontier.setdefault(frontier, set()).add(measure)
        self._scans = [Scan(held, frontier) for frontier, held in sorted(by_frontier.items())]

    def forget(self, dropped: list[int]) -> None:
        """Lets go of measures nobody uses any more."""
        for scan in self._scans:
            scan.measures.difference_update(dropped)
        self._scans = [scan for scan in self._scans if scan.measures]

    def _nested_ready(self, segment: Segment) -> bool:
        assert segment.pending is not None
        return all(self._catalog.get(name).root is not None for name in segment.pending.plan.segments)

    # ------------------------------------------------------------ stepping

    def complete(self) -> None:
        """Does what is left of instants that are being entered: must be called before anything else changes."""
        while not self.settle():
            pass

    def settle(self) -> bool:
        """Does a piece of what is left of instants that are being entered; returns whether nothing was."""
        for scan in self._scans:
            if scan.pieces is not None:
                self._next_piece(scan)
                return False
        return True

    def step(self, rows: int) -> bool:
        """Scans about `rows` rows of history; returns False where there is nothing to scan."""
        if not self._scans:
            return False
        self._step(self._scans[0], rows)
        return True

    def step_for(self, plan: Plan, rows: int) -> bool:
        """Scans about `rows` rows for a plan; returns False where it lacks no history any more."""
        scans = self._scans_of(plan)
        if scans:
            self._step(scans[0], rows)
        return bool(scans)

    def _scans_of(self, plan: Plan) -> list[Scan]:
        needed = set(plan.measures)
        return [scan for scan in self._scans if scan.measures & needed]

    def _step(self, scan: Scan, rows: int) -> None:
        if scan.pieces is not None:
            self._next_piece(scan)
            return
        through = self._flow.reach(scan.frontier, rows)
        if through < HIGHEST and self._flow.count(scan.frontier, through) > _CROWD * rows:
            scan.pieces = self._in_pieces(scan, through, rows)
            return
        matches = matched(self._flow.scan(scan.frontier, through), self._group(scan), self._measures)
        self._arrive(scan, through, rows)
        self._enter(matches)
        if through >= HIGHEST:
            self._scans.remove(scan)

    def _group(self, scan: Scan) -> Group:
        return self._measures.group_of(scan.measures)

    def _arrive(self, scan: Scan, through: int, rows: int) -> None:
        for measure in scan.measures:
            self._measures.frontiers[measure] = through
        scan.frontier = through
        scan.scanned += rows

    def _enter(self, matches: list[Matches]) -> None:
        entering = [(self._inside(each), 1) for each in matches]
        self._conditions.settle(self._derivation.enter(entering, scanning=True))
        self._conditions.discard_flips()

    def _in_pieces(self, scan: Scan, through: int, rows: int) -> Iterator[None]:
        """Passes what lies before `through`: reads it, makes room for it and enters it, all piece by piece."""
        found: list[list[Matches]] = []
        lacking: Counter[str] = Counter()
        begun = None
        while begun != self._flow.state:  # a snapshot began or ended: what was to be read may be gone
            begun = self._flow.state
            found = []
            lacking.clear()
            group = self._group(scan)
            for columns in self._flow.scan(scan.frontier, through, rows):
                matches = collect(columns, group, self._measures.filters, self._measures.specs)
                found.append([each.with_values() for each in matches])
                for each in matches:
                    lacking.update(self._cells.lacking(each))
                yield
                if self._flow.state != begun:
                    break
        yield from self._cells.make_room(lacking, rows)
        self._arrive(scan, through, self._flow.count(scan.frontier, through))
        for matches in found:
            self._enter(matches)
            yield

    def _next_piece(self, scan: Scan) -> None:
        assert scan.pieces is not None
        if next(scan.pieces, scan) is scan:
            scan.pieces = None

    def _inside(self, matches: Matches) -> Matches:
        matches.subjects = self._measures.subjects_now(matches, self._canonical)
        return matches.where(self._measures.inside(matches.measures, matches.times) & (matches.subjects != 0))

    def finish(self, segment: Segment) -> None:
        """Scans whatever the pending definition still lacks, and stands behind its measures from here on."""
        assert segment.pending is not None
        while self.step_for(segment.pending.plan, _FINISH_ROWS):
            pass
        self._measures.establish(segment.pending.plan.measures)

    # ------------------------------------------------------------ asking

    def status(self) -> list[BuildStatus]:
        """Returns how far every build has come."""
        return [self._status_of(segment) for segment in self._catalog if segment.pending is not None]

    def _status_of(self, segment: Segment) -> BuildStatus:
        assert segment.pending is not None
        segment.progress = max(segment.progress, self.progress_of(segment.pending.plan))
        done = not self._scans_of(segment.pending.plan) and self._nested_ready(segment)
        return BuildStatus(segment.id, segment.progress, done)

    def progress_of(self, plan: Plan) -> float:
        """Returns how much of a plan's scans is done, 0 to 1."""
        scans = self._scans_of(plan)
        total = max(self._flow.rows, 1) * len(scans)
        return min(sum(scan.scanned for scan in scans) / total, 0.99) if scans else 1.0

    def remaining(self, plan: Plan) -> int:
        """Returns how many rows are still to be scanned for a plan."""
        return sum(self._flow.count(scan.frontier, HIGHEST) for scan in self._scans_of(plan))
