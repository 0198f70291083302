"""The conditions that are more than a threshold: terms, first times, attributes, splits.

Each is asked about chosen subjects and answers from current values and cursors. Owns nothing. Invariant: the
answer for a subject without cells or attributes never depends on time, so it is the empty profile's.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import xxhash

from coterie.index.conditions import Ids, Question
from coterie.index.measures.matches import Ints
from coterie.index.measures.spec import Ranking
from coterie.index.model import SubjectKind
from coterie.index.predicates import holds, near
from coterie.index.rules.ast import Age, AgeRelation, Near, Test
from coterie.index.rules.types import place_names
from coterie.index.subjects.attributes import AttributeTable
from coterie.index.terms import (
    ExtremeRead,
    Term,
    TermComparison,
    Values,
    compared,
    measures_of,
    numbers_of,
    times_of,
    view_of,
)
from coterie.index.thresholds import Truths
from coterie.index.time.boundaries import Boundary
from coterie.index.views import ColumnView

BIRTH = ""  # stands among attributes for having come into being
NOBODY = np.zeros(1, np.uint32)  # dense id 0 has no cells and no attributes: the empty profile


class _Asked(Question):
    """A question whose empty truth is its answer about nobody."""

    def empty_truth(self) -> bool:
        """Its answer about nobody."""
        return bool(self.truth(NOBODY)[0])


# ---------------------------------------------------------------- terms


@dataclass(frozen=True, slots=True)
class TermQuestion(_Asked):
    """A test of a term's number, or of a first or last time or value."""

    kind: SubjectKind
    term: Term
    test: Test | TermComparison
    zone: str
    edge: Boundary | None = None  # D before now, for tests of age
    values: Values = field(compare=False, hash=False, repr=False, kw_only=True)

    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""
        other = measures_of(self.test.term) if isinstance(self.test, TermComparison) else ()
        return tuple(dict.fromkeys(measures_of(self.term) + other))

    def truth(self, ids: Ids) -> Truths:
        """Its truth for each subject, from current values."""
        test = self.test
        if isinstance(test, TermComparison):
            return compared(self.term, test, ids, self.values)
        if isinstance(test, Age):
            return self._age(test, ids)
        if isinstance(self.term, ExtremeRead):
            return holds(test, view_of(self.term, ids, self.values), self.zone)
        numbers = numbers_of(self.term, ids, self.values)
        return holds(test, ColumnView(rows=len(ids), numbers=(numbers, ~np.isnan(numbers))), self.zone)

    def _age(self, test: Age, ids: Ids) -> Truths:
        assert isinstance(self.term, ExtremeRead)
        assert self.edge is not None
        view = view_of(self.term, ids, self.values)
        if view.instants is None:
            return np.zeros(len(ids), np.bool_)
        times, present = view.instants
        passed = times <= self.values.measures.cursor(self.edge)
        if test.relation is AgeRelation.MORE_THAN_AGO:
            return np.asarray(present & passed)
        if test.relation is AgeRelation.WITHIN_LAST:
            return np.asarray(present & ~passed)
        return np.zeros(len(ids), np.bool_)  # an event that has happened never lies ahead


# ---------------------------------------------------------------- first times


@dataclass(frozen=True, slots=True)
class FirstTime(_Asked):
    """The first event lies in a window; where `first` is given too, it must be that very event."""

    kind: SubjectKind
    matching: int  # EARLIEST of the events that match
    first: int | None  # EARLIEST of all events of the type
    tracker: int | None  # what follows visits, where the window is the running one
    lower: Boundary
    upper: Boundary
    values: Values = field(compare=False, hash=False, repr=False, kw_only=True)

    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""
        return tuple(measure for measure in (self.matching, self.first, self.tracker) if measure is not None)

    def truth(self, ids: Ids) -> Truths:
        """Its truth for each subject, from current values."""
        present, times, sequences = times_of(
            ExtremeRead(self.matching, Ranking.EARLIEST, value=False), ids, self.values
        )
        cursor = self.values.measures.cursor
        lower = cursor(self.lower) if self.tracker is None else self.values.visits.begun(self.kind, ids) - 1
        inside = present & (times > lower) & (times <= cursor(self.upper))
        if self.first is None:
            return np.asarray(inside)
        _, first_times, first_sequences = times_of(
            ExtremeRead(self.first, Ranking.EARLIEST, value=False), ids, self.values
        )
        return np.asarray(inside & (times == first_times) & (sequences == first_sequences))


# ---------------------------------------------------------------- inaction


@dataclass(frozen=True, slots=True)
class Inaction(_Asked):
    """The last first event, as seen some time ago, is there, and the last one that should not follow is not later."""

    kind: SubjectKind
    first: int  # LATEST, behind now
    then_not: int  # LATEST
    values: Values = field(compare=False, hash=False, repr=False, kw_only=True)

    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""
        return self.first, self.then_not

    def truth(self, ids: Ids) -> Truths:
        """Its truth for each subject, from current values."""
        (happened, since, _), (followed, until, _) = (
            times_of(ExtremeRead(measure, Ranking.LATEST, value=False), ids, self.values)
            for measure in (self.first, self.then_not)
        )
        return happened & (~followed | (until <= since))


# ---------------------------------------------------------------- attributes


@dataclass(frozen=True, slots=True)
class AttributeQuestion(_Asked):
    """A test of the current value of an attribute that no passing of time can change."""

    kind: SubjectKind
    name: str
    test: Test
    zone: str
    table: AttributeTable = field(compare=False, hash=False, repr=False, kw_only=True)

    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""
        return ()

    def attributes(self) -> tuple[str, ...]:
        """The attributes it reads."""
        return place_names(self.name) if isinstance(self.test, Near) else (self.name,)

    def truth(self, ids: Ids) -> Truths:
        """Its truth for each subject, from current values."""
        if isinstance(self.test, Near):
            latitude, longitude = (self.table.view(name, ids) for name in self.attributes())
            return near(latitude, longitude, self.test)
        return holds(self.test, self.table.view(self.name, ids), self.zone)


class Aging(_Asked):
    """A timestamp of the subject's own compared with now: flips by itself at the instants `due` names."""

    test: Age
    clock: Callable[[], int]

    @abstractmethod
    def view(self, ids: Ids) -> ColumnView:
        """The values that are timestamps, or are not."""

    def truth(self, ids: Ids) -> Truths:
        """Its truth for each subject, from current values."""
        instants = self.view(ids).instants
        if instants is None:
            return np.zeros(len(ids), np.bool_)
        times, present = instants
        now, span = self.clock(), self.test.duration_ms
        match self.test.relation:
            case AgeRelation.MORE_THAN_AGO:
                return present & (times <= now - span)
            case AgeRelation.WITHIN_LAST:
                return present & (times > now - span) & (times <= now)
            case AgeRelation.WITHIN_NEXT:
                return present & (times > now) & (times <= now + span)
            case AgeRelation.MORE_THAN_FROM_NOW:
                return present & (times > now + span)

    def due(self, ids: Ids) -> tuple[Ids, Ints]:
        """Returns the subjects whose truth may yet flip by time alone, and the next instant of each."""
        instants = self.view(ids).instants
        if instants is None:
            return ids[:0], np.empty(0, np.int64)
        now = self.clock()
        upcoming = np.full(len(ids), np.iinfo(np.int64).max)
        for offset in _EDGES[self.test.relation]:
            edge = instants[0] + offset * self.test.duration_ms
            upcoming = np.where(instants[1] & (edge > now), np.minimum(upcoming, edge), upcoming)
        waiting = upcoming < np.iinfo(np.int64).max
        return ids[waiting], upcoming[waiting]


_EDGES = {  # flips at t + offset * D
    AgeRelation.MORE_THAN_AGO: (1,),
    AgeRelation.WITHIN_LAST: (0, 1),
    AgeRelation.WITHIN_NEXT: (-1, 0),
    AgeRelation.MORE_THAN_FROM_NOW: (-1,),
}


@dataclass(frozen=True, slots=True)
class AttributeAge(Aging):
    """A timestamp attribute compared with now."""

    kind: SubjectKind
    name: str
    test: Age
    table: AttributeTable = field(compare=False, hash=False, repr=False, kw_only=True)
    clock: Callable[[], int] = field(compare=False, hash=False, repr=False, kw_only=True)

    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""
        return ()

    def attributes(self) -> tuple[str, ...]:
        """The attributes it reads."""
        return (self.name,)

    def view(self, ids: Ids) -> ColumnView:
        """The attribute's values."""
        return self.table.view(self.name, ids)


@dataclass(frozen=True, slots=True)
class ValueAge(Aging):
    """A timestamp that the first or last event had, compared with now."""

    kind: SubjectKind
    read: ExtremeRead
    test: Age
    values: Values = field(compare=False, hash=False, repr=False, kw_only=True)
    clock: Callable[[], int] = field(compare=False, hash=False, repr=False, kw_only=True)

    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""
        return (self.read.measure,)

    def view(self, ids: Ids) -> ColumnView:
        """The event's values."""
        return view_of(self.read, ids, self.values)


# ---------------------------------------------------------------- splits


@dataclass(frozen=True, slots=True)
class SplitQuestion(_Asked):
    """The subject's bucket, of 10 000, lies in [low, high); never changes in a subject's life."""

    kind: SubjectKind
    salt: str
    low: int
    high: int
    first_value: Callable[[int], str] = field(compare=False, hash=False, repr=False, kw_only=True)

    def measures(self) -> tuple[int, ...]:
        """The measures it reads."""
        return ()

    def attributes(self) -> tuple[str, ...]:
        """The attributes it reads."""
        return (BIRTH,)

    def truth(self, ids: Ids) -> Truths:
        """Its truth for each subject, from current values."""
        buckets = [bucket_of(self.salt, self.first_value(dense)) if dense else -1 for dense in ids.tolist()]
        held = np.array(buckets, np.int64)
        return (held >= self.low) & (held < self.high)


def bucket_of(salt: str, first_identifier: str) -> int:
    """Returns the bucket, 0 to 9 999, of a subject whose first identifier has that value."""
    return xxhash.xxh64_intdigest(f"{salt}\0{first_identifier}".encode()) % 10_000
