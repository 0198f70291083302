"""The measures that exist: their ids, who needs them, how far each has been built, and which boundaries move them.

Owns specs, reference counts, frontiers and groups. Invariants: an id is given once and means one spec for
ever; a measure holds exactly the events inside its window with `t <= frontier`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from coterie.index.events.filters import FilterSet
from coterie.index.measures.matches import Group, Ints, Matches
from coterie.index.measures.spec import DERIVING, MeasureSpec, Shape
from coterie.index.model import SubjectKind
from coterie.index.time.boundaries import Boundary
from coterie.index.time.calendar import HIGHEST, LOWEST

Canonical = Callable[[SubjectKind, NDArray[np.uint32]], NDArray[np.uint32]]


@dataclass(slots=True)
class Roles:
    """What happens to which measures when a boundary passes an event."""

    enter: set[int] = field(default_factory=set)
    leave: set[int] = field(default_factory=set)
    look: set[int] = field(default_factory=set)  # nothing enters or leaves, but conditions read the boundary

    def __bool__(self) -> bool:
        return bool(self.enter or self.leave or self.look)

    def all(self) -> set[int]:
        """Every measure the boundary moves."""
        return self.enter | self.leave | self.look

    def share(self, role: set[int], matches: Matches) -> Matches:
        """Returns the rows whose measures have the role, of rows that all have one."""
        if all(role >= other for other in (self.enter, self.leave, self.look)):
            return matches
        return matches.where(np.isin(matches.measures, np.fromiter(role, np.int64, len(role))))


class Measures:
    """The measures of one dataset."""

    def __init__(self, filters: FilterSet) -> None:
        self.filters = filters
        self.specs: list[MeasureSpec | None] = [None]  # by id; ids count from 1, 0 is nobody's
        self._ids: dict[str, int] = {}  # by what the spec says, as text: `True == 1.0` must not make two measures one
        self._uses: list[int] = [0]
        self._filter_ids: list[int] = [0]
        self._established: set[int] = set()
        self._reserved: dict[str, tuple[int, int, bool]] = {}
        self.boundaries: list[Boundary] = []
        self.cursors = np.empty(0, np.int64)  # by boundary
        self._boundary_ids: dict[Boundary, int] = {}
        self.roles: list[Roles] = []
        self._lower, self._upper = np.zeros(1, np.int64), np.zeros(1, np.int64)  # boundary ids by measure
        self.frontiers = np.full(1, LOWEST, np.int64)
        self._entering_lower = np.zeros(1, np.bool_)
        self.of_visit = np.zeros(1, np.bool_)  # by measure: whether its window is the running visit
        self._group: Group | None = None
        # By kind and shape, kept as they come and go: making these anew for each of ten thousand new segments is quadratic.
        self._shapes: dict[SubjectKind, dict[Shape, set[int]]] = {kind: {} for kind in SubjectKind}
        self._kinds: dict[SubjectKind, dict[Shape, Ints]] = {}
        self._chains: dict[str, tuple[int, ...]] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    # ------------------------------------------------------------ adding and dropping

    def add(self, spec: MeasureSpec, now: int) -> int:
        """Returns the measure's id, making the measure (with nothing in it and nothing scanned) if it is new."""
        says = repr(spec)
        measure = self._ids.get(says)
        if measure is None:
            measure = self._make(spec, says, now)
        self._uses[measure] += 1
        return measure

    def _make(self, spec: MeasureSpec, says: str, now: int) -> int:
        measure, frontier, established = self._reserved.pop(says, (len(self.specs), LOWEST, False))
        self._extend(measure + 1)
        self._ids[says] = measure
        self.specs[measure] = spec
        self._filter_ids[measure] = self.filters.add(spec.events, spec.zone)
        lower, upper = self.boundary(spec.lower, now), self.boundary(spec.upper, now)
        self._lower[measure], self._upper[measure] = lower, upper
        self.frontiers[measure] = frontier
        self._entering_lower[measure] = spec.retractable or spec.fixed_lower
        self.of_visit[measure] = spec.of_visit
        if established:
            self._established.add(measure)
        self.roles[upper].enter.add(measure)
        if not spec.fixed_lower:
            (self.roles[lower].leave if spec.retractable else self.roles[lower].look).add(measure)
        self._shapes[spec.kind].setdefault(spec.shape, set()).add(measure)
        self._forget_groups()
        return measure

    def _forget_groups(self) -> None:
        self._group = self._chains = None
        self._kinds.clear()

    def _extend(self, size: int) -> None:
        missing = size - len(self.specs)
        if missing <= 0:
            return
        self.specs += [None] * missing
        self._uses += [0] * missing
        self._filter_ids += [0] * missing
        if size > len(self.frontiers):  # doubled, so that ten thousand additions do not copy ten thousand times
            grown = 2 * size
            self._lower, self._upper = np.resize(self._lower, grown), np.resize(self._upper, grown)
            self.frontiers = np.resize(self.frontiers, grown)
            self._entering_lower = np.resize(self._entering_lower, grown)
            self.of_visit = np.resize(self.of_visit, grown)

    def boundary(self, boundary: Boundary, now: int) -> int:
        """Returns the id of a boundary, with its cursor at `now`'s value."""
        held = self._boundary_ids.get(boundary)
        if held is None:
            held = self._boundary_ids[boundary] = len(self.boundaries)
            self.boundaries.append(boundary)
            self.cursors = np.append(self.cursors, boundary.value(now))
            self.roles.append(Roles())
        return held

    def cursor(self, boundary: Boundary) -> int:
        """Returns where the cursor on a boundary in use stands."""
        return int(self.cursors[self._boundary_ids[boundary]])

    def look(self, boundary: Boundary, measure: int, now: int) -> None:
        """From now on, conditions on `measure` are looked at again when the boundary passes one of its events."""
        self.roles[self.boundary(boundary, now)].look.add(measure)

    def release(self, measure: int) -> MeasureSpec | None:
        """Gives up one use; returns the spec when it was the last, and the measure's cells are to be dropped."""
        self._uses[measure] -= 1
        spec = self.specs[measure]
        if self._uses[measure] or spec is None:
            return None
        self.filters.remove(self._filter_ids[measure])
        for roles in self.roles:
            for members in (roles.enter, roles.leave, roles.look):
                members.discard(measure)
        del self._ids[repr(spec)]
        self.specs[measure] = None
        self._established.discard(measure)
        self.frontiers[measure] = LOWEST
        shapes = self._shapes[spec.kind]
        shapes[spec.shape].remove(measure)
        if not shapes[spec.shape]:
            del shapes[spec.shape]
        self._forget_groups()
        return spec

    # ------------------------------------------------------------ where events stand

    def inside(self, measures: Ints, times: Ints) -> np.ndarray:
        """Returns which events enter their measure, by the cursors as they stand and what was scanned so far."""
        upper = np.minimum(self.cursors[self._upper[measures]], self.frontiers[measures])
        lower = np.where(self._entering_lower[measures], self.cursors[self._lower[measures]], LOWEST)
        return (times <= upper) & (times > lower)

    def left(self, measures: Ints, times: Ints) -> np.ndarray:
        """Returns which events passed by a lower boundary had entered their measure."""
        return times <= np.minimum(self.cursors[self._upper[measures]], self.frontiers[measures])

    def lower_cursor(self, measure: int) -> int:
        """Returns where the cursor on a measure's lower boundary stands."""
        return int(self.cursors[self._lower[measure]])

    def subjects_now(self, matches: Matches, canonical: Canonical) -> NDArray[np.uint32]:
        """Returns who the subjects written in history are now; 0 for deleted ones."""
        specs = self.specs
        kinds = {spec.kind for m in np.unique(matches.measures).tolist() if (spec := specs[m]) is not None}
        if len(kinds) == 1:
            return canonical(kinds.pop(), matches.subjects)
        subjects = matches.subjects.copy()
        for kind in kinds:  # an id of one kind may lie beyond all there are of the other
            mine = np.array([getattr(specs[m], "kind", None) is kind for m in matches.measures.tolist()], np.bool_)
            subjects[mine] = canonical(kind, subjects[mine])
        return subjects

    # ------------------------------------------------------------ groups

    @property
    def group(self) -> Group:
        """All measures, by filter."""
        if self._group is None:
            self._group = self.group_of(measure for measure, spec in enumerate(self.specs) if spec is not None)
            self._group.filters = None
        return self._group

    def group_of(self, measures: Iterable[int]) -> Group:
        """The chosen measures, by filter."""
        return Group.of((self._filter_ids[m], m, spec.shape) for m in measures if (spec := self.specs[m]) is not None)

    def of_kind(self, kind: SubjectKind) -> dict[Shape, Ints]:
        """The measures of a subject kind, by shape."""
        if kind not in self._kinds:
            held = [np.array(sorted(measures), np.int64) for measures in self._shapes[kind].values()]
            by_shape = sorted(zip(self._shapes[kind], held, strict=True), key=lambda pair: int(pair[1][0]))
            self._kinds[kind] = dict(by_shape)
        return self._kinds[kind]

    # ------------------------------------------------------------ from which events are derived

    @property
    def derives(self) -> bool:
        """Whether any events are derived from what enters measures."""
        return any(shape in shapes for shapes in self._shapes.values() for shape in DERIVING)

    def tracker(self, kind: SubjectKind) -> int | None:
        """Returns the measure that follows the visits of a kind, None where none does."""
        held = self._shapes[kind].get(Shape.VISITS)
        return None if held is None else min(held)

    def windows_of_visit(self, kind: SubjectKind) -> dict[Shape, Ints]:
        """Returns the measures of a kind whose window is the running visit, by shape."""
        chosen = {shape: held[self.of_visit[held]] for shape, held in self.of_kind(kind).items()}
        return {shape: held for shape, held in chosen.items() if len(held)}

    def steps_with(self, measure: int) -> tuple[int, ...]:
        """Returns all measures of the sequence that a STEPS measure belongs to, in order of the steps."""
        if self._chains is None:
            chains: dict[str, dict[int, int]] = {}
            for other, spec in enumerate(self.specs):
                if spec is not None and spec.step is not None:
                    chains.setdefault(_chain_name(spec), {})[spec.step.number] = other
            self._chains = {name: tuple(held[number] for number in sorted(held)) for name, held in chains.items()}
        spec = self.specs[measure]
        assert spec is not None
        return self._chains[_chain_name(spec)]

    # ------------------------------------------------------------ building

    def begun(self, measure: int) -> bool:
        """Whether anything may have entered the measure yet."""
        return bool(self.frontiers[measure] > LOWEST)

    def established(self, measure: int) -> bool:
        """Whether a finished build stands behind the measure: decided by records alone, so the same in a replay."""
        return measure in self._established

    def establish(self, measures: Iterable[int]) -> None:
        """The measures hold all of history from here on."""
        for measure in measures:
            self._established.add(measure)
            self.frontiers[measure] = HIGHEST

    # ------------------------------------------------------------ snapshot

    def dump(self) -> list[tuple[str, int, int, bool]]:
        """Returns (spec, id, frontier, established) of every measure, for `reserve`."""
        return [
            (says, measure, int(self.frontiers[measure]), measure in self._established)
            for says, measure in self._ids.items()
        ]

    def reserve(self, dumped: Iterable[tuple[str, int, int, bool]]) -> None:
        """Before the same specs are added again (in any order): they get back their ids and frontiers."""
        self._reserved = {text: (measure, frontier, established) for text, measure, frontier, established in dumped}
        self._extend(max((measure for measure, _, _ in self._reserved.values()), default=0) + 1)

    def give_up_reserved(self) -> list[int]:
        """Forgets, and returns, the measures that nobody added again: those of previews a snapshot fell into."""
        reserved, self._reserved = self._reserved, {}
        return [measure for measure, _, _ in reserved.values()]


def _chain_name(spec: MeasureSpec) -> str:
    assert spec.step is not None
    return f"{spec.kind.name} {spec.step.chain!r}"
