"""Segments: definitions, versions, states, and how each hangs in the expression graph.

Owns the catalogue and the bitmaps of lists and frozen segments. Invariants: a READY segment has a root in the
graph that answers for it; an edit changes that root only when its own build is done; nothing refers to a
segment that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyroaring import BitMap

from coterie.index.conditions import Condition
from coterie.index.errors import (
    EtagMismatch,
    FieldInvalid,
    InputError,
    LimitExceeded,
    SegmentBuilding,
    SegmentCycle,
    SegmentExists,
    SegmentInUse,
    SegmentNotFound,
    WrongSegmentKind,
)
from coterie.index.expressions import Graph
from coterie.index.latches import Latch
from coterie.index.model import Mode, SegmentDefinition, SegmentKind, SegmentState, SubjectKind, Universe
from coterie.index.nodes import Members, Operation, Ref, Root, rank_of
from coterie.index.plan import Across, Combined, Negated, Nested, Plan, Tree
from coterie.index.settings import Settings

_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class SegmentVersion:
    """One definition a segment has had."""

    number: int
    at: int
    author: str
    definition: SegmentDefinition


@dataclass(slots=True)
class Pending:
    """A definition on its way to being live."""

    definition: SegmentDefinition
    plan: Plan
    version: int


@dataclass(slots=True, eq=False)
class Segment:
    """One segment. `definition` is the one that answers (while it was never READY: the one being built)."""

    definition: SegmentDefinition
    created_at: int
    updated_at: int
    versions: list[SegmentVersion]
    plan: Plan | None = None
    root: Root | None = None
    members: Members | None = None  # of lists and frozen segments; those whom a sticky or once segment keeps
    latch: Latch | None = None
    pending: Pending | None = None
    progress: float = 0.0  # of the newest build

    @property
    def id(self) -> str:
        """The slug."""
        return self.definition.id

    @property
    def state(self) -> SegmentState:
        """READY once a definition of it has been."""
        return SegmentState.BUILDING if self.root is None else SegmentState.READY

    @property
    def version(self) -> int:
        """The number of the newest version, pending or not."""
        return self.versions[-1].number

    @property
    def etag(self) -> str:
        """Changes with every edit."""
        return f"v{self.version}"

    @property
    def newest(self) -> SegmentDefinition:
        """The newest definition, pending or not."""
        return self.versions[-1].definition


def check_mode(definition: SegmentDefinition, settings: Settings) -> None:
    """Refuses a mode and a ttl that do not go with each other or with the kind of segment."""
    sticky, ttl_ms = definition.mode is Mode.STICKY, definition.ttl_ms
    if definition.mode is not Mode.LIVE and definition.kind is not SegmentKind.RULE:
        raise FieldInvalid(
            "mode", f"a {definition.kind.name.lower()} segment has no mode: its members stay until taken out"
        )
    if sticky != (ttl_ms != 0):
        raise FieldInvalid("ttl_ms", "a ttl is required for the mode STICKY, and goes with no other")
    if sticky and ttl_ms < settings.min_ttl_ms:
        raise FieldInvalid("ttl_ms", f"a ttl must be at least {settings.min_ttl_ms} ms")
    if ttl_ms > settings.max_ttl_ms:
        raise LimitExceeded("ttl_ms", "milliseconds of a ttl", ttl_ms, settings.max_ttl_ms)


class Catalog:
    """All segments of one dataset."""

    def __init__(self, graph: Graph, settings: Settings) -> None:
        self._graph, self._settings = graph, settings
        self._segments: dict[str, Segment] = {}
        self.known = {kind: Members(f"known {kind.name}") for kind in SubjectKind}
        self._negative: dict[SubjectKind, list[Root]] | None = None

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments.values())

    def __len__(self) -> int:
        return len(self._segments)

    def __contains__(self, segment_id: str) -> bool:
        return segment_id in self._segments

    # ------------------------------------------------------------ asking

    def get(self, segment_id: str) -> Segment:
        """Returns a segment; SegmentNotFound."""
        segment = self._segments.get(segment_id)
        if segment is None:
            raise SegmentNotFound(segment_id)
        return segment

    def find(self, segment_id: str) -> Segment | None:
        """Returns a segment if there is one of that name."""
        return self._segments.get(segment_id)

    def ready(self, segment_id: str) -> Root:
        """Returns what answers for a segment; SegmentNotFound, SegmentBuilding."""
        segment = self.get(segment_id)
        if segment.root is None:
            raise SegmentBuilding(segment_id, segment.progress)
        return segment.root

    def negative(self, kind: SubjectKind) -> list[Root]:
        """The roots that are true of the empty profile."""
        if self._negative is None:
            self._negative = {each: [] for each in SubjectKind}
            for segment in self:
                if segment.root is not None and segment.root.empty:
                    self._negative[segment.definition.subject_kind].append(segment.root)
        return self._negative[kind]

    def dependents(self, segment_id: str) -> tuple[str, ...]:
        """The segments that use one, in their current or pending definition."""
        return tuple(sorted(held.id for held in self if segment_id in self.uses_of(held)))

    @staticmethod
    def uses_of(segment: Segment) -> set[str]:
        """The segments that one uses."""
        plans = (segment.plan, segment.pending.plan if segment.pending else None)
        return {name for plan in plans if plan is not None for name in plan.segments}

    # ------------------------------------------------------------ checks

    def check_new(self, definition: SegmentDefinition) -> None:
        """Refuses an id that is malformed or taken, and one segment too many."""
        if not _ID.fullmatch(definition.id):
            raise FieldInvalid(
                "segment_id",
                f"segment id {definition.id!r} must be a letter a-z, then up to 62 of a-z, 0-9, '-' and '_'",
            )
        if definition.id in self._segments:
            raise SegmentExists(definition.id)
        if len(self._segments) >= self._settings.max_segments:
            raise LimitExceeded("segment_id", "segments", len(self._segments) + 1, self._settings.max_segments)
        check_mode(definition, self._settings)

    def check_edited(self, segment: Segment, definition: SegmentDefinition) -> None:
        """Refuses a new definition that makes another kind of segment of it, or whose mode and ttl do not fit."""
        newest = segment.newest
        if (definition.kind, definition.subject_kind) != (newest.kind, newest.subject_kind):
            raise FieldInvalid("segment.kind", "a segment's kind and subject kind cannot be changed")
        check_mode(definition, self._settings)

    def check_etag(self, segment: Segment, etag: str) -> None:
        """Refuses a stale etag; an empty one guards nothing."""
        if etag and etag != segment.etag:
            raise EtagMismatch(segment.id, etag, segment.etag)

    def check_nested(self, segment_id: str, kind: SubjectKind, must_be_list: bool) -> None:
        """Refuses a leaf about a segment that does not exist, is of the other subject kind, or is no list."""
        segment = self.get(segment_id)
        if segment.definition.subject_kind is not kind:
            raise WrongSegmentKind(
                segment_id,
                f"segment of {segment.definition.subject_kind.name.lower()}s",
                f"segment of {kind.name.lower()}s",
            )
        if must_be_list and segment.definition.kind is not SegmentKind.LIST:
            raise WrongSegmentKind(segment_id, f"{segment.definition.kind.name.lower()} segment", "list")

    def check_cycle(self, segment_id: str, plan: Plan) -> None:
        """Refuses a rule through which a segment would depend on itself, or nest too deep."""
        deepest = self._settings.max_segment_depth

        def walk(name: str, path: tuple[str, ...]) -> None:
            if name == segment_id:
                raise SegmentCycle("rule", (*path, name))
            if len(path) > deepest:
                raise LimitExceeded("rule", "segments nested in segments", len(path), deepest)
            for used in sorted(self.uses_of(self.get(name))):
                walk(used, (*path, name))

        for used in sorted(plan.segments):
            try:
                walk(used, (segment_id,))
            except InputError as refused:
                refused.leaf = plan.segments[used]
                raise

    def check_unused(self, segment_id: str) -> None:
        """Refuses to delete what others use."""
        dependents = self.dependents(segment_id)
        if dependents:
            raise SegmentInUse(segment_id, dependents)

    # ------------------------------------------------------------ changing

    def add(self, segment: Segment) -> None:
        """Takes a new segment in."""
        self._segments[segment.id] = segment

    def remove(self, segment: Segment) -> None:
        """Lets a segment go."""
        del self._segments[segment.id]
        if segment.root is not None:
            self._graph.detach(segment.root)
        self._negative = None

    def put_to_work(self, segment: Segment, ref: Ref) -> None:
        """Makes an expression the segment's answer, in place of the one before."""
        if segment.root is None:
            segment.root = Root(segment.id, ref, rank_of(ref.source) + 1, segment.definition.subject_kind)
            self._graph.attach(segment.root)
        else:
            self._graph.use(ref)  # before the old one goes: they may share nodes
            self._graph.detach(segment.root)
            segment.root.ref = ref
            self._graph.attach(segment.root)
            self._graph.release(ref)
            self._graph.lift(segment.root)
        segment.progress = 1.0
        self._negative = None

    def expression(self, tree: Tree | None, definition: SegmentDefinition) -> Ref:
        """Builds a plan's tree in the graph, within the definition's universe."""
        assert tree is not None
        ref = self.tree(tree)
        if definition.universe is Universe.ALL:
            return ref
        known = Ref(self.known[definition.subject_kind], definition.universe is Universe.ANONYMOUS)
        return self._graph.node(Operation.AND, (ref, known))

    def tree(self, tree: Tree) -> Ref:
        """Builds a tree in the graph; other segments in it must be ready."""
        match tree:
            case Condition():
                return Ref(tree)
            case Nested(segment=segment):
                return Ref(self.ready(segment))
            case Negated(child=child):
                return self.tree(child).opposite()
            case Across(bridge=bridge, child=child):
                return self._graph.bridge(bridge, self.tree(child))
            case Combined(operation=operation, children=children, k=k):
                return self._graph.node(operation, tuple(self.tree(child) for child in children), k)


@dataclass(slots=True)
class Delta:
    """Who joined and who left one segment."""

    joined: BitMap = field(default_factory=BitMap)
    left: BitMap = field(default_factory=BitMap)


def delta_of(root: Root, flipped: BitMap, born: BitMap, dead: BitMap) -> Delta:
    """Returns who joined and left, from whose truth flipped, who came into being and who went."""
    source, negated = root.ref
    bits = source.bits
    now_differs = flipped & bits
    if source.empty == negated:  # false of the empty profile
        joined, left = now_differs, flipped - now_differs
        if not born:
            return Delta(joined, left)
        joined |= born & bits
    else:
        joined, left = flipped - now_differs, now_differs
        joined |= born - bits
        left |= dead - flipped
        joined -= dead
    return Delta(joined, left - born)
