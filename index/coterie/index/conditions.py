"""Conditions: what is true or false of each subject, one bitmap each, shared by every segment that asks.

A bitmap holds the subjects whose truth *differs from that of the empty profile*, so a new subject costs
nothing. Thresholds on one measure are compared for a whole batch at once; every other condition is asked
anew about the subjects whose inputs were touched. Owns bitmaps and reference counts. Invariant: after
`settle`, each bitmap equals its condition evaluated on current values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import xxhash
from numpy.typing import NDArray
from pyroaring import BitMap

from coterie.index.bits import BitPages
from coterie.index.measures.cells import Cells, Touched
from coterie.index.measures.matches import Ints
from coterie.index.model import SubjectKind
from coterie.index.thresholds import Read, Threshold, ThresholdTable, Truths

Ids = NDArray[np.uint32]


def bitmap(ids: NDArray[np.generic]) -> BitMap:
    """Makes a bitmap of dense ids (through `array`, several times faster than from numpy)."""
    return BitMap(array("I", ids.astype(np.uint32).tobytes()))


def ids_of(bits: BitMap) -> Ids:
    """Returns a bitmap's ids, ascending."""
    return np.frombuffer(bits.to_array(), np.uint32) if len(bits) else np.empty(0, np.uint32)


class Question(ABC):
    """A condition that is asked about chosen subjects. Hashable by what it says, so that equal ones are shared."""

    kind: SubjectKind

    @abstractmethod
    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""

    def attributes(self) -> tuple[str, ...]:
        """The attributes it reads."""
        return ()

    def subjects(self) -> Ids | None:
        """Everyone whose truth may differ from the empty profile's; None: whoever has a cell of its measures."""
        return None

    @abstractmethod
    def truth(self, ids: Ids) -> Truths:
        """Its truth for each subject, from current values."""

    @abstractmethod
    def empty_truth(self) -> bool:
        """Its truth for the empty profile."""


@dataclass(slots=True, eq=False)
class Condition:
    """One condition in use."""

    number: int
    kind: SubjectKind
    says: Threshold | Question
    empty: bool
    page_key: bytes
    bits: BitMap = field(default_factory=BitMap)
    flipped: BitMap = field(default_factory=BitMap)  # net, since the last `drain`
    uses: int = 0


class Conditions:
    """All conditions of one dataset."""

    def __init__(self, cells: Cells, pages: BitPages, watch: Callable[[Condition, Ids], None]) -> None:
        self._cells, self._pages = cells, pages
        self._watch = watch  # is told of whom a question was asked: time alone may flip some answers
        self._restored: dict[bytes, bytes] = {}
        self._by_meaning: dict[bytes, Condition] = {}
        self._by_number: list[Condition | None] = []
        self._thresholds: ThresholdTable | None = None
        self._threshold_list: list[Condition] = []
        self._of_measure: dict[int, list[Condition]] = {}
        self._of_attribute: dict[tuple[SubjectKind, str], list[Condition]] = {}
        self._flipped: dict[int, Condition] = {}

    def __len__(self) -> int:
        return len(self._by_meaning)

    # ------------------------------------------------------------ adding and dropping

    def find(self, kind: SubjectKind, says: Threshold | Question) -> Condition | None:
        """Returns the condition that says so, if there is one."""
        return self._by_meaning.get(_page_key(kind, says))

    def add(self, kind: SubjectKind, says: Threshold | Question) -> Condition:
        """Returns the condition that says so, adding it if it is new: from then on it is kept up to date."""
        key = _page_key(kind, says)
        condition = self._by_meaning.get(key)
        if condition is None:
            condition = Condition(len(self._by_number), kind, says, says.empty_truth(), key)
            self._by_meaning[key] = condition
            self._by_number.append(condition)
            self._index(condition)
        condition.uses += 1
        return condition

    def _index(self, condition: Condition) -> None:
        says = condition.says
        if isinstance(says, Threshold):
            self._threshold_list.append(condition)
            self._thresholds = None
            return
        for measure in says.measures():
            self._of_measure.setdefault(measure, []).append(condition)
        for name in says.attributes():
            self._of_attribute.setdefault((condition.kind, name), []).append(condition)

    def release(self, condition: Condition) -> bool:
        """Gives up one use; returns True when it was the last and the condition is gone."""
        condition.uses -= 1
        if condition.uses:
            return False
        says = condition.says
        del self._by_meaning[condition.page_key]
        self._by_number[condition.number] = None
        self._flipped.pop(condition.number, None)
        if isinstance(says, Threshold):
            self._threshold_list.remove(condition)
            self._thresholds = None
            return True
        for measure in says.measures():
            self._of_measure[measure].remove(condition)
        for name in says.attributes():
            self._of_attribute[condition.kind, name].remove(condition)
        return True

    def restore(self, pages: dict[bytes, bytes]) -> None:
        """Gives conditions that are added from here on the bitmaps they had, by page key."""
        self._restored = pages

    def take_restored(self, page_key: bytes) -> BitMap:
        """Returns the bitmap that was saved under a key; an empty one where none was."""
        page = self._restored.pop(page_key, None)
        return BitMap() if page is None else BitMap.deserialize(page)

    def was_restored(self, condition: Condition) -> bool:
        """Gives a new condition the bitmap it had, if one was saved; returns whether it did."""
        page = self._restored.pop(condition.page_key, None)
        if page is not None:
            condition.bits = BitMap.deserialize(page)
        return page is not None

    def fill(self, condition: Condition, candidates: Ids) -> None:
        """Evaluates a new condition for everyone it may differ for, without counting flips."""
        says = condition.says
        self._pages.touch(condition)
        if not len(candidates):
            return
        if isinstance(says, Threshold):
            truths = self._threshold_truth(says, candidates)
        else:
            truths = says.truth(candidates)
            self._watch(condition, candidates)
        condition.bits = bitmap(np.unique(candidates[truths != condition.empty]))

    def _threshold_truth(self, says: Threshold, ids: Ids) -> Truths:
        if says.read == Read.EVENTS:
            events = self._cells.counts(says.measure, ids)
            totals = np.zeros(len(ids))
        else:
            events, totals = self._cells.sums(says.measure, ids)
        return ThresholdTable([says]).truth(np.zeros(len(ids), np.int64), events, totals)

    # ------------------------------------------------------------ keeping up to date

    def settle(self, touched: Iterable[Touched]) -> None:
        """Brings every condition on the touched cells up to date."""
        asked: dict[int, list[Ids]] = {}
        for cells in touched:
            if cells.old is not None and cells.new is not None:
                self._settle_thresholds(cells.measures, cells.subjects, cells.old, cells.new)
            self._gather(cells, asked)
        for number, ids in asked.items():
            condition = self._by_number[number]
            assert condition is not None
            self._ask(condition, _united(ids))

    def _gather(self, cells: Touched, asked: dict[int, list[Ids]]) -> None:
        if not self._of_measure:
            return
        if not len(cells.measures):
            return
        for measure in np.bincount(cells.measures).nonzero()[0].tolist():
            conditions = self._of_measure.get(measure)
            if conditions:
                ids = cells.subjects[cells.measures == measure]
                for condition in conditions:
                    asked.setdefault(condition.number, []).append(ids)

    def settle_attributes(self, kind: SubjectKind, changed: dict[str, Ids]) -> None:
        """Brings every condition on the changed attributes up to date."""
        for name, ids in changed.items():
            for condition in self._of_attribute.get((kind, name), ()):
                self._ask(condition, ids)

    def remind(self, number: int, ids: Ids) -> None:
        """Brings the condition of that number up to date for subjects whose time has come; one that is gone has none."""
        condition = self._by_number[number]
        if condition is not None and len(ids):
            self._ask(condition, ids)

    def _ask(self, condition: Condition, ids: Ids) -> None:
        assert isinstance(condition.says, Question)
        differs = condition.says.truth(ids) != condition.empty
        self.flip(condition, (bitmap(ids) & condition.bits) ^ bitmap(ids[differs]))
        self._watch(condition, ids)

    def flip(self, condition: Condition, ids: BitMap) -> None:
        """Flips the truth of some subjects."""
        if ids:
            self._pages.touch(condition)
            condition.bits ^= ids
            condition.flipped ^= ids
            self._flipped[condition.number] = condition

    def _settle_thresholds(
        self,
        measures: Ints,
        subjects: Ids,
        old: tuple[Ints, NDArray[np.float64]],
        new: tuple[Ints, NDArray[np.float64]],
    ) -> None:
        if self._thresholds is None:
            self._thresholds = ThresholdTable([_threshold(condition) for condition in self._threshold_list])
        table = self._thresholds
        rows, conditions = table.expand(measures)
        if not len(rows):
            return
        flips = table.truth(conditions, old[0][rows], old[1][rows]) != table.truth(
            conditions, new[0][rows], new[1][rows]
        )
        chosen = np.flatnonzero(flips)
        if not len(chosen):
            return
        order = chosen[np.argsort(conditions[chosen], kind="stable")]
        flipped, ids = conditions[order], subjects[rows[order]]
        starts = np.flatnonzero(np.append(True, flipped[1:] != flipped[:-1]))
        ends = [*starts[1:].tolist(), len(order)]
        which, found = table.order, self._threshold_list
        for position, start, end in zip(flipped[starts].tolist(), starts.tolist(), ends, strict=True):
            condition = found[which[position]]
            if end - start == 1:
                self._flip_one(condition, int(ids[start]))
            else:
                self.flip(condition, bitmap(ids[start:end]))

    def _flip_one(self, condition: Condition, subject: int) -> None:
        """Flips the truth of one subject: what a micro-segment mostly does, so without a bitmap made for it."""
        self._pages.touch(condition)
        for bits in (condition.bits, condition.flipped):
            if subject in bits:
                bits.remove(subject)
            else:
                bits.add(subject)
        self._flipped[condition.number] = condition

    def drain(self) -> list[Condition]:
        """Returns the conditions with flips since the last drain; the caller takes `flipped` and clears it."""
        drained = [condition for condition in self._flipped.values() if condition.flipped]
        self._flipped = {}
        return drained

    def discard_flips(self) -> None:
        """Forgets flips of conditions nobody reads yet; must not be called between a record's phases."""
        for condition in self.drain():
            condition.flipped = BitMap()

    def clear(self, kind: SubjectKind, ids: BitMap) -> None:
        """Gives subjects that are gone the empty profile's truth in everything."""
        for condition in self._by_meaning.values():
            if condition.kind is kind:
                self.flip(condition, condition.bits & ids)

    def all(self) -> list[Condition]:
        """All conditions in use."""
        return list(self._by_meaning.values())


def _page_key(kind: SubjectKind, says: Threshold | Question) -> bytes:
    """What it says, as text: Python's `True == 1.0` must not make two conditions one."""
    return b"condition/" + xxhash.xxh3_128_digest(f"{kind.name} {says!r}".encode())


def _united(parts: list[Ids]) -> Ids:
    """Returns all ids once, ascending; those of the cells of one measure mostly are so already."""
    if len(parts) == 1 and (parts[0][1:] > parts[0][:-1]).all():
        return parts[0]
    return np.unique(np.concatenate(parts))


def _threshold(condition: Condition) -> Threshold:
    assert isinstance(condition.says, Threshold)
    return condition.says
