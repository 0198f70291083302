"""The machine that drives engine and oracle side by side through random journals.

Owns which records are drawn. Invariant: what it draws depends on hypothesis alone, so every failure can be replayed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from coterie.index import model
from coterie.index.model import Identifier, ListOperation, SegmentDefinition, SegmentKind, SubjectKind, Universe
from coterie.index.rules import ast
from coterie.index.rules.printer import print_rule
from tests import vocabulary as words
from tests.aims import EVENT_AIMS, SHORT_STEPS, STAY, STEPS, any_time, event_time, pick, step_to
from tests.in_parts import Parts
from tests.shorten import shortened
from tests.side_by_side import FAR_MS, Setting, SideBySide
from tests.vocabulary import DAY
from tests.vocabulary_rules import placed
from tests.vocabulary_rules import rules as drawn_rules

NAMES = tuple(f"s{number}" for number in range(6))
LISTS = {"l0": SubjectKind.USER, "l1": SubjectKind.ACCOUNT}
FROZEN = "f0"
MEMORY = Path("/dev/shm")  # a disk that needs no waiting, where there is one

NAMED = st.builds(ast.InSegment, st.sampled_from(("#0", "#1", "#2"))) | st.just(ast.InList("#0"))
RULES = drawn_rules(NAMED)
DRAWN_EVENT = st.tuples(words.events(st.none()), st.none() | EVENT_AIMS, st.booleans())
SOMEONE = st.integers(0, 9)
PARTS = st.none() | st.builds(
    Parts,
    ends=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(lambda ends: tuple(sorted(ends))),
    prepared=st.integers(0, 12),
    rows=st.integers(1, 5),
    crash_after=st.none() | st.integers(0, 2),
)


class Machine(RuleBasedStateMachine):
    """Random records for one dataset; `SideBySide.apply` compares after each."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.pair = SideBySide(Setting("UTC"))
        self.sent: list[model.Event] = []
        self.named = 0
        self.replayed = False  # before the end, where every journal is: the longer it is, the more one costs

    @initialize(
        zone=st.sampled_from(words.ZONES),
        start=st.sampled_from(words.STARTS),
        retention_ms=st.sampled_from((FAR_MS, DAY)),
        drawn=st.lists(DRAWN_EVENT, min_size=4, max_size=12),
        rules=st.lists(st.tuples(RULES, words.KINDS, words.UNIVERSES, words.MODES), min_size=4, max_size=5),
        late=st.booleans(),
        on_disk=st.booleans(),
    )
    def begin(
        self, zone: str, start: int, retention_ms: int, drawn: Any, rules: Any, late: bool, on_disk: bool
    ) -> None:
        """The first record sets the clock; there are some events and segments, in either order."""
        self.pair = SideBySide(Setting(zone, retention_ms, Path(self.folder.name) if on_disk else None))
        self.pair.apply(model.Tick(), start)
        if late:
            self._arrive(drawn, start)
        for name, (tree, kind, universe, mode) in zip(NAMES, rules, strict=False):
            about = SegmentDefinition(name, SegmentKind.RULE, kind, "", *mode, universe)
            self._define(model.CreateSegment, about, tree, True, STAY)
        if not late:
            self._arrive(drawn, start)

    # ------------------------------------------------------------ events, attributes, time

    @rule(drawn=st.lists(DRAWN_EVENT, min_size=1, max_size=5), of_one=st.booleans(), step=SHORT_STEPS)
    def ingest(self, drawn: list[Any], of_one: bool, step: Any) -> None:
        """Events on time, late, tied or ahead of now; some with ids; of several subjects or of one."""
        if of_one:
            names = drawn[0][0].identifiers
            drawn = [
                (words.of_somebody(event._replace(identifiers=names)), aim, with_id) for event, aim, with_id in drawn
            ]
        self._arrive(drawn, step_to(self.pair, step))

    @rule(drawn=DRAWN_EVENT, step=SHORT_STEPS, wait=STEPS, parts=PARTS)
    def ingest_and_wait(self, drawn: Any, step: Any, wait: Any, parts: Parts | None) -> None:
        """One event, and then time alone."""
        self._arrive([drawn], step_to(self.pair, step))
        self._wait(wait, parts)

    def _wait(self, wait: Any, parts: Parts | None) -> None:
        at = step_to(self.pair, wait)
        if parts is None:
            self.pair.apply(model.Tick(), at)
        else:
            self.pair.sweep(at, parts)

    def _arrive(self, drawn: list[Any], at: int) -> None:
        events = []
        for event, aim, with_id in drawn:
            self.named += with_id
            named = f"e{self.named}" if with_id else ""
            events.append(event._replace(event_id=named, time=None if aim is None else event_time(self.pair, aim, at)))
        self._ingest(events, at)

    @precondition(lambda self: self.sent)
    @rule(which=SOMEONE, again=SOMEONE, step=SHORT_STEPS)
    def retry(self, which: int, again: int, step: Any) -> None:
        """Events sent before, in one call or twice in it."""
        at = step_to(self.pair, step)
        chosen = [self.sent[index % len(self.sent)] for index in (which, again)]
        self._ingest([event for event in chosen if not self.pair.dataset.may_be_forgotten(event.event_id, at)], at)

    def _ingest(self, events: list[model.Event], at: int) -> None:
        in_order = sorted(events, key=lambda event: at if event.time is None else event.time)
        self.pair.apply(model.IngestEvents(tuple(in_order)), at)
        # A retry without a time would be another event once ids are forgotten; it is sent again as it was taken.
        known = {event.event_id for event in self.sent}
        self.sent += [
            event if event.time is not None else event._replace(time=at)
            for event in in_order
            if event.event_id and event.event_id not in known
        ]

    @rule(steps=st.lists(st.tuples(STEPS, PARTS), min_size=1, max_size=4))
    def tick(self, steps: Any) -> None:
        """Time alone, some instants of it in parts, maybe with a crash between two."""
        for wait, parts in steps:
            self._wait(wait, parts)

    @rule(
        kind=words.KINDS,
        names=words.IDENTIFIERS,
        account=st.sampled_from(("c1", "c2")),
        values=words.ATTRIBUTES,
        trial_ends=STEPS | EVENT_AIMS,
        step=SHORT_STEPS,
    )
    def set_attributes(
        self, kind: SubjectKind, names: Any, account: str, values: Any, trial_ends: Any, step: Any
    ) -> None:
        """Attributes of all kinds, a timestamp among them."""
        at = step_to(self.pair, step)
        values = {**values, "trial_ends": any_time(self.pair, trial_ends, at)}
        if kind is SubjectKind.ACCOUNT:
            names = (Identifier(model.ACCOUNT_ID, account),)
        self.pair.apply(model.SetAttributes((model.AttributeUpdate(kind, names, values),)), at)

    # ------------------------------------------------------------ segments

    @rule(
        drawn=RULES,
        kind=words.KINDS,
        universe=words.UNIVERSES,
        mode=words.MODES,
        at_once=st.booleans(),
        step=SHORT_STEPS,
    )
    def create_segment(
        self, drawn: Any, kind: SubjectKind, universe: Universe, mode: Any, at_once: bool, step: Any
    ) -> None:
        """A new segment, activated at once or left to be built."""
        free = [name for name in NAMES if name not in self.pair.dataset.segments]
        if free:
            about = SegmentDefinition(free[0], SegmentKind.RULE, kind, "", *mode, universe)
            self._define(model.CreateSegment, about, drawn, at_once, step)

    @precondition(lambda self: self._rule_segments())
    @rule(
        which=SOMEONE,
        drawn=st.none() | RULES,
        universe=words.UNIVERSES,
        mode=words.MODES,
        at_once=st.booleans(),
        step=SHORT_STEPS,
    )
    def edit_segment(self, which: int, drawn: Any, universe: Universe, mode: Any, at_once: bool, step: Any) -> None:
        """Another rule for a segment, the old one served until the new one is built; or it goes, unless in use."""
        name = pick(self._rule_segments(), which)
        if drawn is None:
            self.pair.apply(model.DeleteSegment(name), step_to(self.pair, step))
            return
        kind = self.pair.dataset.segments[name].definition.subject_kind
        about = SegmentDefinition(name, SegmentKind.RULE, kind, "", *mode, universe)
        self._define(model.UpdateSegment, about, drawn, at_once, step)

    @precondition(lambda self: self._rule_segments())
    @rule(which=SOMEONE, mode=st.none() | words.MODES, back=st.booleans(), at_once=st.booleans(), step=SHORT_STEPS)
    def edit_settings(self, which: int, mode: Any, back: bool, at_once: bool, step: Any) -> None:
        """The newest rule, or the one still served, kept in another way or only called differently."""
        segment = self.pair.dataset.segments[pick(self._rule_segments(), which)]
        definition = segment.serving if back and segment.serving is not None else segment.definition
        about = replace(definition, display_name=f"{which}")
        if mode is not None:
            about = replace(about, mode=mode[0], ttl_ms=mode[1])
        self._send(model.UpdateSegment, about, at_once, step)

    def _define(self, record: Any, about: SegmentDefinition, drawn: Any, at_once: bool, step: Any) -> None:
        tree = self._placed(drawn, about.subject_kind, about.id)
        text = print_rule(tree)
        self.pair.rules[text] = tree
        universe = about.universe if about.subject_kind is SubjectKind.USER else Universe.ALL
        self._send(record, replace(about, rule=text, universe=universe), at_once, step)

    def _send(self, record: Any, definition: SegmentDefinition, at_once: bool, step: Any) -> None:
        self.pair.apply(record(definition), step_to(self.pair, step))
        if at_once and definition.id in self._building():
            self.pair.apply(model.ActivateBuild(definition.id))

    @precondition(lambda self: self._building())
    @rule(which=SOMEONE, step=SHORT_STEPS)
    def activate(self, which: int, step: Any) -> None:
        """A build is switched to, however far it has come."""
        self.pair.apply(model.ActivateBuild(pick(self._building(), which)), step_to(self.pair, step))

    @precondition(lambda self: self._building())
    @rule(rows=st.sampled_from((1, 2, 5)))
    def build(self, rows: int) -> None:
        """Some of a build's work; nothing anyone can see changes."""
        self.pair.build(rows)

    @rule(
        name=st.sampled_from(sorted(LISTS)),
        operation=st.sampled_from(ListOperation),
        members=st.lists(words.IDENTIFIERS, max_size=3),
        accounts=st.lists(st.sampled_from(("c1", "c2")), max_size=2),
        step=SHORT_STEPS,
    )
    def change_list(self, name: str, operation: ListOperation, members: Any, accounts: Any, step: Any) -> None:
        """A list is made when first used, then added to, taken from and replaced."""
        kind = LISTS[name]
        if name not in self.pair.dataset.segments:
            self.pair.apply(model.CreateSegment(SegmentDefinition(name, SegmentKind.LIST, kind)))
        if kind is SubjectKind.ACCOUNT:
            members = [(Identifier(model.ACCOUNT_ID, account),) for account in accounts]
        self.pair.apply(model.ChangeList(name, operation, tuple(members)), step_to(self.pair, step))

    @rule(which=SOMEONE, other=SOMEONE, step=SHORT_STEPS)
    def freeze(self, which: int, other: int, step: Any) -> None:
        """The members of an expression are kept as they are now; a frozen segment made before goes."""
        segments = self.pair.dataset.segments
        served = [name for name in self.pair.served() if segments[name].definition.rule]
        if FROZEN in segments:
            self.pair.apply(model.DeleteSegment(FROZEN), step_to(self.pair, step))
        elif served:
            kind = segments[pick(served, which)].definition.subject_kind
            alike = [name for name in served if segments[name].definition.subject_kind is kind]
            chosen, left_out = ast.InSegment(pick(served, which)), ast.InSegment(pick(alike, other))
            tree = ast.And((chosen, ast.Not(left_out))) if chosen != left_out else ast.Not(chosen)
            source = print_rule(tree)
            self.pair.rules[source] = tree
            definition = SegmentDefinition(FROZEN, SegmentKind.FROZEN, kind)
            self.pair.apply(model.CreateSegment(definition, source=source), step_to(self.pair, step))

    # ------------------------------------------------------------ subjects

    @rule(which=SOMEONE, survivor=st.none() | SOMEONE, kind=words.KINDS, step=SHORT_STEPS)
    def end_subject(self, which: int, survivor: int | None, kind: SubjectKind, step: Any) -> None:
        """An explicit merge (also of two known subjects, of one with itself, of nobody), or a deletion."""
        name = _somebody(kind, which)
        if survivor is None:
            self.pair.apply(model.DeleteSubject(kind, name), step_to(self.pair, step))
        else:
            self.pair.apply(model.MergeSubjects(kind, name, _somebody(kind, survivor)), step_to(self.pair, step))

    # ------------------------------------------------------------ restarts

    @rule(jobs=st.none() | st.integers(0, 40))
    def snapshot(self, jobs: int | None) -> None:
        """A snapshot goes on for a while, records arriving meanwhile, or to its end."""
        self.pair.snapshot(jobs)

    @precondition(lambda self: self.pair.disk is not None or not self.replayed)
    @rule(whole=st.booleans())
    def restart(self, whole: bool) -> None:
        """A crash, maybe in the middle of a snapshot or a build; or, once, the whole journal from the start."""
        if not self.replayed and (whole or self.pair.disk is None):
            self.replayed = True
            self.pair.replay()
        else:
            self.pair.reopen()

    def teardown(self) -> None:
        """Every example ends with a step of time and both kinds of restart; one that failed is shown as a short journal."""
        try:
            if not self.pair.failed:
                self.pair.apply(model.Tick(), step_to(self.pair, ("due", 0, 0)))
                self.pair.replay()
                self.pair.reopen()
        finally:
            self.pair.close()
            self.folder.cleanup()
            if self.pair.failed:
                note(shortened(self.pair))

    # ------------------------------------------------------------ names

    def _rule_segments(self) -> list[str]:
        return [name for name in NAMES if name in self.pair.dataset.segments]

    def _building(self) -> list[str]:
        return [name for name in NAMES if (held := self.pair.dataset.segments.get(name)) and held.pending]

    def _placed(self, drawn: Any, kind: SubjectKind, name: str) -> Any:
        """Returns the rule with names of segments that exist, come before `name` and are of the kind."""

        def named(leaf: ast.InSegment | ast.InList, kind: SubjectKind) -> ast.Expression:
            lists = [other for other in LISTS if LISTS[other] is kind and other in self.pair.dataset.segments]
            frozen = self.pair.dataset.segments.get(FROZEN)
            others = [FROZEN] if frozen and frozen.definition.subject_kind is kind else []
            usable = lists if isinstance(leaf, ast.InList) else [*others, *lists, *self._before(name, kind)]
            return replace(leaf, segment=pick(usable, int(leaf.segment[1:]))) if usable else ast.Did(ast.Events("view"))

        return placed(drawn, kind, named)

    def _before(self, name: str, kind: SubjectKind) -> list[str]:
        return [
            other
            for other in self._rule_segments()
            if other < name and self.pair.dataset.segments[other].definition.subject_kind is kind
        ]


def _somebody(kind: SubjectKind, which: int) -> Identifier:
    if kind is SubjectKind.ACCOUNT:
        return Identifier(model.ACCOUNT_ID, ("c1", "c2")[which % 2])
    return pick((*words.USERS, *words.DEVICES, Identifier(model.USER_ID, "nobody")), which)
