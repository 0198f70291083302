"""Answering rules nobody has saved: they are compiled, scanned for like a build, read once and let go.

Several rules are scanned for in one pass and kept up to date until all are done, so that they are read together,
at one revision. Events, reads and other builds go on between the steps. Owns the uses of its plans until it is
closed. Invariant: a preview changes no membership, no revision and nothing that is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from pyroaring import BitMap

from coterie.index.errors import InputError, Origin
from coterie.index.model import SegmentDefinition
from coterie.index.plan import Plan
from coterie.index.state import State


class Preview:
    """Who would be in segments with these definitions. A context manager: leaving it lets go of the rules.

    Each comes with the origin of its rule: a refusal names it.
    """

    def __init__(self, state: State, definitions: Iterable[tuple[Origin, SegmentDefinition]]) -> None:
        self._state = state
        self._plans: list[tuple[Plan, SegmentDefinition]] = []
        try:
            for origin, definition in definitions:
                self._plans.append((self._compiled(origin, definition), definition))
        except Exception:
            self.close()
            raise
        state.cursors.forget_groups()
        self._all = Plan(measures=[measure for plan, _ in self._plans for measure in plan.measures])
        state.builds.begin(self._all)
        self._total = max(1, state.builds.remaining(self._all))

    def _compiled(self, origin: Origin, definition: SegmentDefinition) -> Plan:
        try:
            plan = self._state.plan_of(definition, is_new=True)
        except InputError as error:
            origin.tell(error)
            raise
        try:
            for name in plan.segments:
                self._state.catalog.ready(name)
        except Exception:
            self._state.release(plan)
            raise
        return plan

    def step(self, rows: int = 8192) -> bool:
        """Scans about `rows` rows of what is lacking (none during a sweep); returns False when there is no more."""
        return self._state.sweeps.begun or self._state.builds.step_for(self._all, rows)

    @property
    def scanned(self) -> int:
        """How many events have been scanned."""
        return max(0, self._total - self._state.builds.remaining(self._all))

    @property
    def progress(self) -> float:
        """How much of the scan is done, 0 to 1."""
        remaining = self._state.builds.remaining(self._all)
        return max(0.0, 1 - remaining / self._total)

    def members(self, which: int = 0) -> BitMap:
        """Returns the members of one, once all is scanned; SegmentNotFound where what it nests has been deleted."""
        state = self._state
        plan, definition = self._plans[which]
        for name in plan.segments:
            state.catalog.ready(name)  # before any node is made
        ref = state.catalog.expression(plan.tree, definition)
        state.graph.use(ref)
        members = ref.of(state.identity[definition.subject_kind].subjects)
        state.graph.release(ref)
        return members

    def close(self) -> None:
        """Lets go of everything the rules used."""
        plans, self._plans = self._plans, []
        for plan, _ in plans:
            self._state.release(plan)

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()
