"""Latches: what keeps members of sticky and once segments for whom the rule no longer holds.

Such a segment means `rule or kept`: `kept` is a bitmap set from outside, as a list's is, of those for whom the
rule held at the end of some record since the latch began and whose time is not up. So only the kept need care;
the graph does the rest. Owns the latches and the deadlines. Invariants between records: whoever the rule holds
for is kept; of a sticky latch, exactly those who are kept and for whom it does not hold have a deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from coterie.index.bits import BitPages
from coterie.index.conditions import bitmap, ids_of
from coterie.index.deadlines import Deadlines
from coterie.index.expressions import Graph
from coterie.index.model import SegmentDefinition, SubjectKind
from coterie.index.nodes import Members, Operation, Ref, Root, rank_of
from coterie.index.table import Keys

_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(slots=True, eq=False)
class Latch:
    """What one sticky or once segment remembers. `rule` follows the rule within its universe."""

    number: int
    rule: Root
    kept: Members
    ttl_ms: int  # 0: for ever


class Latches:
    """All latches of one dataset."""

    def __init__(self, graph: Graph, pages: BitPages, subjects: Callable[[SubjectKind], BitMap]) -> None:
        self._graph, self._pages, self._subjects = graph, pages, subjects
        self._by_number: dict[int, Latch] = {}
        self._by_rule: dict[Root, Latch] = {}
        self._newest = 0
        self._touched: dict[Latch, BitMap] = {}  # in this record: whose rule has flipped, who was born or merged
        self.deadlines = Deadlines()

    # ------------------------------------------------------------ beginning and ending

    def begin(self, definition: SegmentDefinition, rule: Ref) -> Latch:
        """Begins a latch with those for whom the rule holds now."""
        latch = self._add(definition, rule, self._newest + 1, rule.of(self._subjects(definition.subject_kind)))
        self._pages.touch(latch.kept)
        return latch

    def restore(self, definition: SegmentDefinition, rule: Ref, number: int, kept: BitMap) -> Latch:
        """Takes up a latch as it was saved."""
        return self._add(definition, rule, number, kept)

    def places_of(self, latch: Latch, subjects: Iterable[int]) -> dict[int, int]:
        """Returns which of these subjects are kept, each with its deadline, 0 where it has none."""
        kept = [subject for subject in subjects if subject in latch.kept.bits]
        return dict(zip(kept, self.deadlines.of(_keys(latch, kept)).tolist(), strict=True))

    def take_over(self, definition: SegmentDefinition, rule: Ref, number: int, places: dict[int, int]) -> Latch:
        """Begins a latch that keeps these subjects until these deadlines."""
        latch = self._add(definition, rule, number, BitMap(places))
        for key, deadline in zip(_keys(latch, tuple(places)).tolist(), places.values(), strict=True):
            if deadline:
                self.deadlines.carry(key, deadline)
        return latch

    def _add(self, definition: SegmentDefinition, rule: Ref, number: int, kept: BitMap) -> Latch:
        root = Root(definition.id, rule, rank_of(rule.source) + 1, definition.subject_kind)
        latch = Latch(number, root, Members(definition.id, kept), definition.ttl_ms)
        self._graph.attach(root)
        self._by_rule[root] = self._by_number[number] = latch
        self._newest = max(self._newest, number)
        return latch

    def answer(self, latch: Latch) -> Ref:
        """Returns the expression that answers for a latched segment."""
        return self._graph.node(Operation.OR, (latch.rule.ref, Ref(latch.kept)))

    def end(self, latch: Latch) -> None:
        """Lets go of a latch whose answer nobody reads any more."""
        self._graph.detach(latch.rule)
        del self._by_rule[latch.rule], self._by_number[latch.number]
        self._touched.pop(latch, None)
        self.deadlines.drop(latch.number)

    # ------------------------------------------------------------ during a record

    def due(self, now: int, below: int = 0) -> Iterator[tuple[Members, BitMap]]:
        """Forgets the deadlines that are reached (where `below` is given, of subjects with a smaller id only).

        Yields who is no longer kept by whom.
        """
        keys = self.deadlines.due(now, below)
        numbers = keys >> _HALF
        starts = np.flatnonzero(np.diff(numbers, prepend=np.uint64(0)))
        for number, ids in zip(numbers[starts].tolist(), np.split(keys & _LOW, starts)[1:], strict=True):
            yield self._by_number[number].kept, bitmap(ids)

    def note(self, flipped: dict[Root, BitMap], born: dict[SubjectKind, BitMap]) -> None:
        """Takes the flips of latched rules out of a phase's, and notes whom to look at when the record ends."""
        for root in [root for root in flipped if root in self._by_rule]:
            self.touch(root, flipped.pop(root))
        if any(born.values()):
            for root in self._by_rule:
                if root.empty and born[root.kind]:
                    self.touch(root, born[root.kind])

    def touch(self, rule: Root, ids: BitMap) -> bool:
        """Notes subjects of a latched rule to look at when the record ends; returns False for any other root."""
        latch = self._by_rule.get(rule)
        if latch is not None:
            held = self._touched.get(latch)
            self._touched[latch] = ids if held is None else held | ids
        return latch is not None

    def merge(self, kind: SubjectKind, absorbed: int, survivor: int) -> None:
        """The survivor gets the later deadline, or none yet where the rule held for either.

        Must be called before the absorbed subject's place among the kept moves to the survivor.
        """
        for latch in self._sticky(kind):
            held = [subject in latch.kept.bits for subject in (absorbed, survivor)]
            if not any(held):
                continue
            keys = _keys(latch, (absorbed, survivor))
            deadlines = self.deadlines.of(keys).tolist()
            if any(is_held and not deadline for is_held, deadline in zip(held, deadlines, strict=True)):
                self.deadlines.clear(keys[1:])
            elif deadlines[0] > deadlines[1]:
                self.deadlines.carry(int(keys[1]), deadlines[0])
            self.touch(latch.rule, BitMap([survivor]))

    def forget(self, kind: SubjectKind, subject: int) -> None:
        """Forgets the deadlines of a subject that is gone."""
        keys = [_keys(latch, (subject,)) for latch in self._sticky(kind)]
        if keys:
            self.deadlines.clear(np.concatenate(keys))

    def _sticky(self, kind: SubjectKind) -> list[Latch]:
        return [latch for latch in self._by_number.values() if latch.ttl_ms and latch.rule.kind is kind]

    # ------------------------------------------------------------ the end of a record

    def settle(self, now: int) -> None:
        """Latches what is true now. Nobody's membership changes by it: for whom the rule holds, it holds."""
        touched, self._touched = self._touched, {}
        held: list[Keys] = []
        stopped: dict[int, list[Keys]] = {}
        for latch, ids in touched.items():
            living = ids & self._subjects(latch.rule.kind)
            holds = latch.rule.ref.of(living)
            again = holds & latch.kept.bits
            self._keep(latch.kept, holds - again)
            if latch.ttl_ms:
                held.append(_keys(latch, ids_of(again)))
                stopped.setdefault(latch.ttl_ms, []).append(_keys(latch, ids_of((living - holds) & latch.kept.bits)))
        if held:
            self.deadlines.clear(np.concatenate(held))
        for ttl_ms, parts in stopped.items():
            self.deadlines.begin(np.concatenate(parts), now, ttl_ms)

    def _keep(self, kept: Members, ids: BitMap) -> None:
        if ids:
            self._pages.touch(kept)
            kept.bits |= ids


def _keys(latch: Latch, subjects: Iterable[int]) -> Keys:
    ids = np.asarray(subjects, np.uint64)
    return (np.uint64(latch.number) << _HALF) | ids
