"""Why a subject is in a segment, or is not: the served rule as a tree with truths, values and next flips.

There is no second evaluation of rules: the subject is copied into a scratch state, the rule is compiled there,
built over its events like any new segment, and read; then time moves on there, from instant to instant, to see
what flips. All of it in steps, between which the dataset goes on. Owns the scratch state. Invariant: the answer
is of the revision it was begun at, and the dataset's own state is only read.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from pyroaring import BitMap

from coterie.index.bridges import CountOfUsers
from coterie.index.compiler import compile_rule
from coterie.index.explained import Answer, Explained, NewestEvent, NodeKind
from coterie.index.leaf_facts import bar_of, value_of
from coterie.index.model import Identifier, SegmentDefinition, SegmentKind, SubjectKind, Universe
from coterie.index.nodes import Members, Ref
from coterie.index.plan import Plan, Tree
from coterie.index.probes import Probe, Probes
from coterie.index.rule_trees import bridges_of, children_of, cut, leaves_of, parts_of, printed, size_of
from coterie.index.rules import ast, parse_stored, print_rule
from coterie.index.rules.words import VISIT_EVENT
from coterie.index.scratch import Scratch
from coterie.index.segments import Segment
from coterie.index.state import State

_SCAN_ROWS = 1024  # events scanned between two pauses


@dataclass(frozen=True, slots=True)
class _Served:
    """A segment the rule depends on, as it is served."""

    definition: SegmentDefinition
    members: BitMap  # of those who were copied, by their numbers
    latch: int = 0  # its number, where members stay
    kept: dict[int, int] = field(default_factory=dict)  # who stays, and until when (0: no deadline yet)


class Explanation:
    """One explanation under way: `step` until it returns False, then read `answer`.

    Raises SegmentNotFound, SegmentBuilding, WrongSegmentKind for a segment that cannot be asked about.
    """

    answer: Answer

    def __init__(self, state: State, kind: SubjectKind, identifiers: Sequence[Identifier], segment_id: str) -> None:
        self._source, self._kind, self._identifiers, self._segment = state, kind, identifiers, segment_id
        self._rules: dict[str, ast.Expression] = {}  # by their text
        self._begin()
        self._steps = self._work()

    def _begin(self) -> None:
        """Notes what is asked about as it is now."""
        source, kind = self._source, self._kind
        source.catalog.check_nested(self._segment, kind, False)
        source.catalog.ready(self._segment)
        definition = source.catalog.get(self._segment).definition
        universe = definition.universe
        dense = source.identity[kind].find(self._identifiers)
        self.answer = Answer(source.revision, source.now, dense is not None, universe, definition.mode)
        self._served: dict[str, _Served] = {}  # those that are nested before those that nest them
        if dense is not None:
            names = self._nested_first(self._segment, {})
            across = [bridge for name in names for bridge in bridges_of(source.catalog.get(name).plan)]
            users = any(isinstance(bridge, CountOfUsers) for bridge in across)
            self._scratch = Scratch(source, kind, dense, account=bool(across), users=users)
            for name in names:
                self._served[name] = self._serve(name)
            known = universe is Universe.KNOWN
            self.answer.in_universe = universe is Universe.ALL or (dense in source.identity[kind].known) is known
            self.answer.member = self._scratch.subject in self._served[self._segment].members

    def _nested_first(self, name: str, found: dict[str, None]) -> dict[str, None]:
        plan = self._source.catalog.get(name).plan
        for used in plan.segments if plan is not None else ():
            if used not in found:
                self._nested_first(used, found)
        found[name] = None
        return found

    def _serve(self, name: str) -> _Served:
        source, segment, root = self._source, self._source.catalog.get(name), self._source.catalog.ready(name)
        copied = self._scratch.numbers[segment.definition.subject_kind]
        served = _Served(segment.definition, BitMap([copied[dense] for dense in copied if source.is_in(root, dense)]))
        if segment.latch is None:
            return served
        places = source.latches.places_of(segment.latch, copied)
        kept = {copied[dense]: deadline for dense, deadline in places.items()}
        return replace(served, latch=segment.latch.number, kept=kept)

    # ------------------------------------------------------------ reading rules

    def unread(self) -> list[str]:
        """Returns the rules not read yet; reading long ones first, elsewhere, keeps the steps short."""
        texts = dict.fromkeys(served.definition.rule for served in self._served.values())
        return [text for text in texts if text and text not in self._rules]

    def read(self, text: str) -> None:
        """Reads a rule; may run beside anything but a step."""
        self._rules[text] = parse_stored(text)

    # ------------------------------------------------------------ steps

    def step(self) -> bool:
        """Does about a millisecond of work; returns False when there is no more."""
        return next(self._steps, self) is not self

    def _work(self) -> Generator[None, None, None]:
        while True:
            if self._source.sweeps.under_way:  # some subjects stand at another instant than the others
                while self._source.sweeps.under_way:
                    yield
                self._begin()
            if not self.answer.known or (yield from self._scratch.copy_events()):
                break
            self._begin()  # the subject is no more, or another one
        if not self.answer.known:
            return
        for text in self.unread():
            self.read(text)
            yield
        yield from self._compile()
        yield from self._build()
        self._waiting: list[tuple[Explained, Ref, int]] = []  # nodes that have not flipped, and of whom they tell
        self._shown = 0
        root = ast.InSegment(self._segment)
        self.answer.segment = yield from self._segment_node(root, self._scratch.subject, 0)
        self.answer.agrees = self.answer.segment.holds == self.answer.member
        for measure in self._probes.measures:
            self._state.release(Plan(measures=[measure]))
            yield
        yield from self._look_ahead()

    @property
    def _state(self) -> State:
        return self._scratch.state

    def _compile(self) -> Generator[None, None, None]:
        """Compiles every leaf by itself, so that the rules as a whole find everything at hand."""
        state = self._state
        self._probes = Probes(state)
        trees: dict[int, Tree] = {}
        # By id() of the leaf: equal ones may mean different things (1 and true).
        self._of_leaf: dict[int, Probe] = {}
        for name, served in self._served.items():
            segment = Segment(served.definition, state.now, state.now, [])
            if served.definition.kind is SegmentKind.RULE:
                rule, kind = self._rules[served.definition.rule], served.definition.subject_kind
                for leaf, whose in leaves_of(rule, kind):
                    plan = compile_rule(state.workshop, leaf, whose)
                    assert plan.tree is not None
                    trees[id(leaf)] = plan.tree
                    self._of_leaf[id(leaf)] = Probe([]) if isinstance(leaf, ast.Users) else self._probes.of(leaf, plan)
                    yield
                segment.plan = compile_rule(state.workshop, rule, kind, trees)
            else:
                segment.members = Members(name, served.members)
            state.catalog.add(segment)

    def _build(self) -> Generator[None, None, None]:
        """Scans the events for all measures at once, then puts the segments to work."""
        state = self._state
        measures = [measure for measure, spec in enumerate(state.measures.specs) if spec is not None]
        state.builds.begin(Plan(measures=measures))
        while state.builds.step(_SCAN_ROWS):
            yield
        state.measures.establish(measures)
        state.cursors.forget_groups()
        for segment in state.catalog:
            if segment.members is not None:
                state.catalog.put_to_work(segment, Ref(segment.members))
            else:
                assert segment.plan is not None
                answer = state.catalog.expression(segment.plan.tree, segment.definition)
                state.catalog.put_to_work(segment, self._latched(segment, answer))
            yield

    def _latched(self, segment: Segment, rule: Ref) -> Ref:
        served, latches = self._served[segment.id], self._state.latches
        if not served.latch:
            return rule
        segment.latch = latches.take_over(segment.definition, rule, served.latch, served.kept)
        return latches.answer(segment.latch)

    # ------------------------------------------------------------ the tree

    def _node(self, rule: ast.Expression, tree: Tree, who: int, depth: int) -> Generator[None, None, Explained]:
        """Explains one node: the rule says what it is, the tree it was compiled to whether it holds of whom."""
        match rule:
            case ast.InSegment() | ast.InList():
                return (yield from self._segment_node(rule, who, depth))
            case ast.And() | ast.Or() | ast.AtLeast() | ast.Not():
                node = self._watched(_KINDS[type(rule)], rule, tree, who)
                for child, part in zip(children_of(rule), parts_of(tree), strict=True):
                    node.children.append((yield from self._node(child, part, who, depth + 1)))
            case ast.OfAccount(rule=inner):
                node = self._watched(NodeKind.LEAF, rule, tree, who)
                account = self._state.affiliation.account_of(who)
                if account:
                    node.children.append((yield from self._node(inner, parts_of(tree)[0], account, depth + 1)))
            case _:
                node = self._watched(NodeKind.LEAF, rule, tree, who)
                self._show_leaf(node, rule, tree, who)
                yield
        return node

    def _segment_node(self, rule: ast.InSegment | ast.InList, who: int, depth: int) -> Generator[None, None, Explained]:
        """Explains membership of a segment, with its own rule beneath it where there is room for it."""
        name = rule.segment
        segment = self._state.catalog.get(name)
        node = self._keep(NodeKind.SEGMENT, print_rule(rule), Ref(self._state.catalog.ready(name)), who)
        node.segment = name
        if segment.plan is not None and segment.plan.tree is not None:
            own = self._rules[segment.definition.rule]
            if not depth or self._has_room(own, depth):
                node.children.append((yield from self._node(own, segment.plan.tree, who, depth + 1)))
        return node

    def _has_room(self, rule: ast.Expression, depth: int) -> bool:
        settings = self._state.settings
        nodes, levels = size_of(rule)
        return depth + levels <= settings.max_explain_depth and self._shown + nodes <= settings.max_explain_nodes

    def _watched(self, kind: NodeKind, rule: ast.Expression, tree: Tree, who: int) -> Explained:
        ref = self._state.catalog.tree(tree)
        self._state.graph.use(ref)
        return self._keep(kind, printed(rule), ref, who)

    def _keep(self, kind: NodeKind, text: str, ref: Ref, who: int) -> Explained:
        node = Explained(kind, text, _holds(ref, who))
        self._waiting.append((node, ref, who))
        self._shown += 1
        return node

    def _show_leaf(self, node: Explained, leaf: ast.Expression, tree: Tree, who: int) -> None:
        probe = self._of_leaf[id(leaf)]
        if probe.extreme is None:
            node.value = value_of(self._state, tree, who)
        else:
            node.value = self._probes.extreme_of(probe.extreme, who)
        bar = bar_of(self._state, leaf, tree, who)
        node.condition, node.threshold, node.upper = cut(bar.condition), bar.threshold, bar.upper
        node.newest = self._newest(leaf, probe, who)

    def _newest(self, leaf: ast.Expression, probe: Probe, who: int) -> NewestEvent | None:
        found = self._probes.newest_of(probe.newest, who)
        if found is None:
            return None
        if not found.is_derived:
            event = self._scratch.arrivals[found.sequence].event
            return NewestEvent(found.time, event.type, event.event_id)
        if isinstance(leaf, ast.Sequence):  # a match is told as the event that completed it
            for arrival in self._scratch.arrivals.values():
                if arrival.time == found.time and leaf.steps[-1].type in (None, arrival.event.type):
                    return NewestEvent(found.time, arrival.event.type, arrival.event.event_id)
        return NewestEvent(found.time, VISIT_EVENT, "")

    # ------------------------------------------------------------ what time alone will do

    def _look_ahead(self) -> Generator[None, None, None]:
        """Moves time from one instant to the next until everything has flipped or nothing can any more."""
        state = self._state
        for _ in range(state.settings.max_explain_steps):
            upcoming = state.next_instant() if self._waiting else None
            if upcoming is None:
                return
            state.revision += 1
            state.advance(upcoming)
            state.end_record()
            self._waiting = [waiting for waiting in self._waiting if not self._flipped(*waiting)]
            yield
        self.answer.looked_until = state.now

    def _flipped(self, node: Explained, ref: Ref, who: int) -> bool:
        flipped = _holds(ref, who) != node.holds
        if flipped:
            node.next_flip = self._state.now
        return flipped


def _holds(ref: Ref, who: int) -> bool:
    return bool(ref.of(BitMap([who])))


_KINDS: dict[type, NodeKind] = {
    ast.And: NodeKind.AND,
    ast.Or: NodeKind.OR,
    ast.Not: NodeKind.NOT,
    ast.AtLeast: NodeKind.AT_LEAST,
}
