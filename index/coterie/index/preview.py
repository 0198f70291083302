"""Answering a rule nobody has saved: it is compiled, scanned for like a build, read once and let go.

Events, reads and other builds go on between its steps. Owns the uses of its plan until it is closed.
Invariant: a preview changes no membership, no revision and nothing that is stored.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pyroaring import BitMap

from coterie.index.model import SegmentDefinition
from coterie.index.state import State


class Preview:
    """Who would be in a segment with this definition. A context manager: leaving it lets go of the rule."""

    def __init__(self, state: State, definition: SegmentDefinition) -> None:
        self._state, self._definition = state, definition
        self._plan = state.plan_of(definition, is_new=True)
        state.cursors.forget_groups()
        for name in self._plan.segments:
            state.catalog.ready(name)
        state.builds.begin(self._plan)

    def step(self, rows: int = 8192) -> bool:
        """Scans about `rows` rows of what it lacks (none during a sweep); returns False when there is no more."""
        return self._state.sweeps.begun or self._state.builds.step_for(self._plan, rows)

    @property
    def progress(self) -> float:
        """How much of the scan is done, 0 to 1."""
        return self._state.builds.progress_of(self._plan)

    def members(self) -> BitMap:
        """Returns the members, once all is scanned."""
        state = self._state
        ref = state.catalog.expression(self._plan.tree, self._definition)
        state.graph.use(ref)
        members = ref.of(state.identity[self._definition.subject_kind].subjects)
        state.graph.release(ref)
        return members

    def close(self) -> None:
        """Lets go of everything the rule used."""
        self._state.release(self._plan)

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()
