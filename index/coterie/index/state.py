"""The whole state of one dataset, and how a record's work becomes membership changes.

A record works in phases, each with one cause: time first, then what the record itself says. A phase ends by
running everything that flipped up the expression graph. Owns the parts. Invariant: between records the graph
is settled and no flip is pending; in the middle of a sweep, what looks across between subject kinds waits.
"""

from __future__ import annotations

from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from coterie.index.affiliation import Affiliation
from coterie.index.bits import BitPages
from coterie.index.builds import Builds
from coterie.index.changes import ChangeLog
from coterie.index.compiler import compile_rule
from coterie.index.conditions import Conditions, Ids, bitmap, ids_of
from coterie.index.cursors import Cursors
from coterie.index.derivation import Derivation
from coterie.index.events.blocks import BlockStore
from coterie.index.events.dedup import SeenIds
from coterie.index.events.derived import Derived
from coterie.index.events.filters import FilterSet
from coterie.index.events.flow import Flow
from coterie.index.events.history import History
from coterie.index.expressions import Graph
from coterie.index.latches import Latches
from coterie.index.measures.cells import Cells
from coterie.index.measures.registry import Measures
from coterie.index.model import ACCOUNT_ID, Cause, Change, ChangeEntry, SegmentDefinition, SubjectGone, SubjectKind
from coterie.index.nodes import Members, Root, Source
from coterie.index.plan import Plan
from coterie.index.questions import BIRTH
from coterie.index.rules import parse, parse_stored
from coterie.index.rules.ast import Expression
from coterie.index.rules.types import check_types
from coterie.index.schedule import Schedule
from coterie.index.segments import Catalog, Delta, delta_of
from coterie.index.settings import Settings
from coterie.index.storage.parts import Lookup
from coterie.index.subjects.attributes import AttributeTable
from coterie.index.subjects.identity import IdentityMap
from coterie.index.sweeps import Sweeps
from coterie.index.workshop import Workshop

# A rule comes here as it is printed, which may be longer than what was sent; leaves, names and texts bound it.
_ANY_LENGTH = 1 << 30


class State:
    """All parts of one dataset."""

    def __init__(
        self,
        settings: Settings,
        lookup: Lookup | None = None,
        blocks: BlockStore | None = None,
        *,
        identity: dict[SubjectKind, IdentityMap] | None = None,  # where it is another dataset's past that is read
        history: History | None = None,
    ) -> None:
        self.settings = settings
        self.now = 0
        self.revision = 0
        self.events_taken = 0  # ever, also those erased since
        self.identity = identity or {kind: IdentityMap(kind, lookup) for kind in SubjectKind}
        self.attributes = {kind: AttributeTable(kind, settings.max_attributes) for kind in SubjectKind}
        self.history, self.derived = history or History(blocks), Derived(blocks)
        self.flow = Flow(self.history, self.derived)
        self.affiliation = Affiliation(self.attributes[SubjectKind.USER], self.identity)
        self.seen = SeenIds(settings.dedup_ms, settings.dedup_ids, settings.max_future_ms, self.history.has_id)
        self.filters = FilterSet()
        self.measures = Measures(self.filters)
        self.cells = Cells()
        self.derivation = Derivation(
            settings.visit_gap_ms, self.measures, self.cells, self.flow, self.derived, self.identity
        )
        self.cursors = Cursors(self.measures, self.derivation, self.flow, self.canonical)
        self.pages = BitPages()
        self.schedule = Schedule()
        self.conditions = Conditions(self.cells, self.pages, self.schedule.watch)
        self.graph = Graph()
        self.latches = Latches(self.graph, self.pages, lambda kind: self.identity[kind].subjects)
        waiting = (self.schedule, self.latches.deadlines)
        self.sweeps = Sweeps(self.measures, self.cells, self.derivation, self.conditions, self.cursors, waiting)
        self.catalog = Catalog(self.graph, settings)
        self.builds = Builds(
            self.measures, self.cells, self.derivation, self.conditions, self.flow, self.catalog, self.canonical
        )
        self.changes = ChangeLog(settings)
        self.workshop = Workshop(
            self.measures,
            self.conditions,
            self.cells,
            self.attributes,
            self.affiliation,
            lambda: self.now,
            self.first_value,
            lambda kind: ids_of(self.identity[kind].subjects),
            self.catalog.check_nested,
            self.derived,
            self.derivation.visits,
            settings.timezone,
        )
        self.born = {kind: BitMap() for kind in SubjectKind}  # in the current phase
        self.dead = {kind: BitMap() for kind in SubjectKind}
        self._members_flipped: dict[Members, BitMap] = {}
        self._phases: list[tuple[Cause, dict[str, Delta]]] = []
        self._gone: list[SubjectGone] = []

    # ------------------------------------------------------------ subjects

    def canonical(self, kind: SubjectKind, subjects: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Maps dense ids as once written to those who stand for them now."""
        return self.identity[kind].canonical(subjects)

    def first_value(self, kind: SubjectKind, dense: int) -> str:
        """Returns the value of a subject's first identifier."""
        identifier = self.identity[kind].first_identifier(dense)
        return identifier.value if identifier is not None else ""

    def written_ids(self, kind: SubjectKind, dense: int) -> list[int]:
        """The dense ids under which a subject's events were written: its own and those of whom it absorbed."""
        return list(self.identity[kind].written_ids((dense,)))

    def bear(self, kind: SubjectKind, subjects: Ids) -> None:
        """Subjects have come into being."""
        self.born[kind] |= bitmap(subjects)
        self.conditions.settle_attributes(kind, {BIRTH: subjects})

    def refresh_known(self, kind: SubjectKind, subjects: BitMap) -> None:
        """Brings the universe of known subjects up to date for chosen ones."""
        members = self.catalog.known[kind]
        self.flip_members(members, (self.identity[kind].known & subjects) ^ (members.bits & subjects))

    def depart(self, kind: SubjectKind, subject: int, survivor: int) -> None:
        """A subject without cells or attributes any more leaves every set; an absorbed one's list places move."""
        gone = BitMap([subject])
        self.dead[kind].add(subject)
        self.conditions.clear(kind, gone)
        self.affiliation.depart(kind, subject)
        self.latches.forget(kind, subject)
        for segment in self.catalog:
            if segment.members is not None and segment.definition.subject_kind is kind:
                self.flip_members(segment.members, segment.members.bits & gone)
        self.refresh_known(kind, gone)
        self._gone.append(SubjectGone(self.revision, self.now, kind, subject, survivor))

    def flip_members(self, members: Members, ids: BitMap) -> None:
        """Flips manual or universe membership."""
        if ids:
            self.pages.touch(members)
            members.bits ^= ids
            self._members_flipped.setdefault(members, BitMap()).__ixor__(ids)

    def attributes_changed(self, kind: SubjectKind, changed: dict[str, Ids]) -> None:
        """Brings conditions on attributes up to date."""
        self.conditions.settle_attributes(kind, changed)
        if kind is SubjectKind.USER and ACCOUNT_ID in changed:
            self.affiliation.users_changed(changed[ACCOUNT_ID])

    def plan_of(self, definition: SegmentDefinition, *, is_new: bool = False) -> Plan:
        """Compiles a definition's rule; RuleInvalid, RuleUnsupported, LimitExceeded leave nothing behind.

        A new rule must also keep to the limits, and fit the types that attributes have by now.
        """
        rule = self._read_new(definition) if is_new else parse_stored(definition.rule)
        return compile_rule(self.workshop, rule, definition.subject_kind)

    def _read_new(self, definition: SegmentDefinition) -> Expression:
        rule = parse(
            definition.rule,
            max_nodes=self.settings.max_rule_nodes,
            max_depth=self.settings.max_rule_depth,
            max_name_bytes=self.settings.max_name_bytes,
            max_text_bytes=self.settings.max_text_bytes,
            max_characters=_ANY_LENGTH,
        )
        check_types(rule, definition.subject_kind, lambda kind, name: self.attributes[kind].kind_of(name))
        return rule

    def release(self, plan: Plan | None) -> None:
        """Gives up what a plan uses; measures that nobody uses any more are dropped."""
        if plan is not None:
            self.builds.forget(self.workshop.release(plan))
            self.cursors.forget_groups()

    # ------------------------------------------------------------ phases

    def end_phase(self, cause: Cause) -> None:
        """Runs everything that flipped since the last phase up the graph, as changes of one cause."""
        changed: list[tuple[Source, BitMap]] = []
        for condition in self.conditions.drain():
            changed.append((condition, condition.flipped))
            condition.flipped = BitMap()
        changed += [(members, ids) for members, ids in self._members_flipped.items() if ids]
        self._members_flipped = {}
        affiliated = self.affiliation.drain()
        flipped = self.graph.propagate(changed, affiliated, midway=self.sweeps.under_way)
        self.latches.note(flipped, self.born)
        deltas = self._deltas(flipped)
        for kind in SubjectKind:
            self.born[kind], self.dead[kind] = BitMap(), BitMap()
        if deltas:
            self._phases.append((cause, deltas))

    def _deltas(self, flipped: dict[Root, BitMap]) -> dict[str, Delta]:
        """Who joined and left what, from whose truths flipped and from births and deaths."""
        for kind in SubjectKind:
            if self.born[kind] or self.dead[kind]:
                for root in self.catalog.negative(kind):
                    flipped.setdefault(root, BitMap())
        deltas: dict[str, Delta] = {}
        for root, ids in flipped.items():
            delta = delta_of(root, ids, self.born[root.kind], self.dead[root.kind])
            if delta.joined or delta.left:
                deltas[root.name] = delta
        return deltas

    def add_phase(self, cause: Cause, deltas: dict[str, Delta]) -> None:
        """Adds changes that were found by comparing whole memberships."""
        self._phases.append((cause, deltas))

    def end_record(self) -> tuple[ChangeEntry, ...]:
        """Latches what is true now, nets the record's phases, and appends what remains to the change log."""
        self.latches.settle(self.now)
        phases, self._phases = self._phases, []
        entries: list[ChangeEntry] = [*self._gone]
        self._gone = []
        # Backwards: of several moves one way and back, the first is left.
        for earlier in range(len(phases) - 2, -1, -1):
            before = phases[earlier][1]
            for _, deltas in phases[earlier + 1 :]:
                for name in deltas.keys() & before.keys():
                    _cancel(before[name], deltas[name])
        named = [(name, cause, delta) for cause, deltas in phases for name, delta in deltas.items()]
        named.sort(key=itemgetter(0))
        for name, cause, delta in named:
            segment = self.catalog.find(name)
            if (delta.joined or delta.left) and segment is not None:  # it may have been deleted just now
                kind = segment.definition.subject_kind
                who = delta.joined.to_array(), delta.left.to_array()
                entries.append(Change(self.revision, self.now, name, kind, cause, *who))
        if entries:
            self.changes.add(entries)
        for gone in self.changes.expire(self.now):
            self.identity[gone.subject_kind].forget(gone.subject)
        return tuple(entries)

    def size(self, root: Root) -> int:
        """Returns how many members a segment has."""
        differing = len(root.bits)
        return len(self.identity[root.kind].subjects) - differing if root.empty else differing

    def is_in(self, root: Root, dense: int) -> bool:
        """Returns whether a subject is in a segment; one that is gone is in none."""
        if not root.empty:
            return dense in root.bits
        return dense not in root.bits and dense in self.identity[root.kind].subjects

    def segments_of(self, kind: SubjectKind, dense: int) -> list[str]:
        """Returns the ready segments a subject is in, in the order of their creation."""
        return [
            segment.id
            for segment in self.catalog
            if segment.root is not None and segment.definition.subject_kind is kind and self.is_in(segment.root, dense)
        ]

    # ------------------------------------------------------------ time

    def next_instant(self) -> int | None:
        """Returns the next instant at which time alone may change something, None where nothing waits."""
        instants = (self.cursors.next_instant(), self.schedule.next_instant(), self.latches.deadlines.next_instant())
        return min((instant for instant in instants if instant is not None), default=None)

    def advance(self, at: int, below: int = 0) -> None:
        """Moves time, for subjects below an id where one is given; what joins and leaves by it is the first phase."""
        self.now = at
        if below or self.sweeps.under_way:
            self.sweeps.advance(at, below)
        else:
            self.sweeps.forget()
            self.conditions.settle(self.cursors.advance(at))
            for number, waiting in self.schedule.take(at):
                self.conditions.remind(number, waiting)
        for kept, ids in self.latches.due(at, below):
            self.flip_members(kept, ids)
        self.end_phase(Cause.TIME)


def _cancel(before: Delta, after: Delta) -> None:
    """Takes out who joined and left again, or left and joined again."""
    if not (before.joined.intersect(after.left) or before.left.intersect(after.joined)):
        return
    came_and_went, went_and_came = before.joined & after.left, before.left & after.joined
    before.joined -= came_and_went
    after.left -= came_and_went
    before.left -= went_and_came
    after.joined -= went_and_came
