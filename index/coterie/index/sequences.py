"""Sequences: A then B then C within a time. Each last-step event that completes a chain is one derived event.

For each step but the last a cell keeps when the best chain up to it began: the one that began last. Events in order of
time go by these alone. A late one has its subject's chains worked out anew over `[t - within, t + within]`, as a merge
has over everything. Owns nothing. Invariant: the derived rows of a sequence are the matches among the events that
entered its steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

import numpy as np
import xxhash

from coterie.index.events.columns import Arrival
from coterie.index.events.derived import Derived
from coterie.index.events.flow import Flow
from coterie.index.measures.cells import Cells, keys_of
from coterie.index.measures.matches import Matches, collect
from coterie.index.measures.registry import Measures
from coterie.index.measures.spec import Chain, Shape
from coterie.index.model import SubjectKind
from coterie.index.subjects.identity import IdentityMap
from coterie.index.time.calendar import HIGHEST, LOWEST

_NEVER = -HIGHEST  # before every time there is
Row: TypeAlias = tuple[int, int, int]  # (subject, time, number of the step)


def match_type(kind: SubjectKind, chain: Chain) -> str:
    """Returns the type of a sequence's derived events."""
    return f"$match/{xxhash.xxh3_128_hexdigest(f'{kind.name} {chain!r}'.encode())}"


@dataclass(slots=True)
class State:
    """How far a subject has come: when the best chain up to each step began, and its newest event of any step."""

    begun: list[int]
    newest: int = _NEVER

    def take(self, time: int, steps: list[int], within_ms: int | None) -> int:
        """Takes the events of one instant, by the steps they are; returns how many of them are matches."""
        last = len(self.begun)
        begun = [(step, time if step == 0 else self.begun[step - 1]) for step in steps]
        matches = sum(
            step == last and begin != _NEVER and (within_ms is None or time - begin <= within_ms)
            for step, begin in begun
        )
        for step, begin in begun:
            if step < last:
                self.begun[step] = max(self.begun[step], begin)
        self.newest = time
        return matches


@dataclass(slots=True)
class Found:
    """Derived rows to be put into measures, and to be taken out."""

    issued: list[Arrival] = field(default_factory=list)
    withdrawn: list[Arrival] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parts:
    """What sequences are worked out with."""

    measures: Measures
    cells: Cells
    flow: Flow
    derived: Derived
    identity: dict[SubjectKind, IdentityMap]


class Sequences:
    """The sequences of one dataset."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._measures, self._derived = parts, parts.measures, parts.derived

    def enter(self, entered: Iterable[Matches], anew: Iterable[tuple[int, int]]) -> Found:
        """Takes events that entered steps; `anew` are (STEPS measure, subject) whose past has changed otherwise."""
        rows: dict[tuple[int, ...], list[Row]] = {}
        for matches in entered:
            for measure, subject, time in zip(
                matches.measures.tolist(), matches.subjects.tolist(), matches.times.tolist(), strict=True
            ):
                steps = self._measures.steps_with(measure)
                rows.setdefault(steps, []).append((subject, time, steps.index(measure)))
        found = Found()
        changed: dict[tuple[int, ...], set[int]] = {}
        for measure, subject in anew:
            changed.setdefault(self._measures.steps_with(measure), set()).add(subject)
        for steps in dict.fromkeys([*rows, *changed]):
            work = _Work(self._parts, steps, found)
            subjects = changed.get(steps, set())
            work.follow([row for row in rows.get(steps, ()) if row[0] not in subjects])
            work.rebuild(dict.fromkeys(sorted(subjects), LOWEST), HIGHEST, whole=True)
        self._derived.withdraw(found.withdrawn)
        self._derived.issue(found.issued)
        return found

    def merge(self, kind: SubjectKind, survivor: int) -> Found:
        """Works out a subject anew whose past has become longer by another's."""
        steps = self._measures.of_kind(kind).get(Shape.STEPS)
        return self.enter((), [(measure, survivor) for measure in ([] if steps is None else steps.tolist())])


class _Work:
    """One sequence and what events do to it."""

    def __init__(self, parts: Parts, steps: tuple[int, ...], found: Found) -> None:
        spec = parts.measures.specs[steps[0]]
        assert spec is not None
        assert spec.step is not None
        self._measures, self._cells, self._flow, self._derived = parts.measures, parts.cells, parts.flow, parts.derived
        self._kind, self._identity = spec.kind, parts.identity[spec.kind]
        self._steps, self._found = steps, found
        self._within = spec.step.chain.within_ms
        self._type = match_type(spec.kind, spec.step.chain)

    # ------------------------------------------------------------ in order

    def follow(self, rows: list[Row]) -> None:
        """Takes new rows of several subjects; those with a late one are worked out anew around it."""
        rows.sort()
        states = self._read({row[0] for row in rows})
        late: dict[int, int] = {}
        newest = LOWEST
        for subject, times in _by_time(rows):
            state = states[subject]
            if times[0][0] <= state.newest:  # of one instant, too: a step must not see another of its own time
                late[subject] = times[0][0]
                newest = max(newest, times[-1][0])
                del states[subject]
                continue
            for time, steps in times:
                self._issue(subject, time, state.take(time, steps, self._within))
        self._write(states)
        if late:
            self.rebuild(late, newest, whole=False)

    def _issue(self, subject: int, time: int, matches: int) -> None:
        for _ in range(matches):
            self._found.issued.append(self._derived.row(self._kind, subject, time, self._type, {}))

    # ------------------------------------------------------------ anew

    def rebuild(self, since: dict[int, int], until: int, *, whole: bool) -> None:
        """Works out anew the matches of subjects from an instant each on, as far as events up to `until` reach.

        `whole`: everything, so that what the cells say is forgotten.
        """
        if not since:
            return
        reach = HIGHEST if self._within is None or whole else self._within
        after = LOWEST if reach == HIGHEST else min(since.values()) - reach - 1
        through = HIGHEST if reach == HIGHEST else until + reach
        held = {} if whole else self._read(set(since))
        worked = {subject: self._fresh() for subject in since}
        wanted: dict[int, Counter[int]] = {subject: Counter() for subject in since}
        for subject, times in _by_time(self._rows(since, after, through)):
            for time, steps in times:
                wanted[subject][time] += worked[subject].take(time, steps, self._within)
        for subject, begin in since.items():
            self._settle(subject, wanted[subject], begin - 1 if begin > LOWEST else begin, through)
            if subject in held:
                worked[subject] = _newer(held[subject], worked[subject])
        self._write(worked)

    def _rows(self, subjects: Iterable[int], after: int, through: int) -> list[Row]:
        """Reads the subjects' step events from history, as far as they have entered."""
        group = self._measures.group_of(self._steps)
        written = self._identity.written_ids(subjects)
        number = {measure: index for index, measure in enumerate(self._steps)}
        rows: list[Row] = []
        for columns in self._flow.rows_of(self._kind, written, after, through):
            for matches in collect(columns, group, self._measures.filters, self._measures.specs):
                entered = matches.where(self._measures.inside(matches.measures, matches.times))
                owners = self._identity.canonical(entered.subjects)
                rows += [
                    (subject, time, number[measure])
                    for subject, time, measure in zip(
                        owners.tolist(), entered.times.tolist(), entered.measures.tolist(), strict=True
                    )
                ]
        rows.sort()
        return rows

    def _settle(self, subject: int, wanted: Counter[int], after: int, through: int) -> None:
        """Issues and withdraws what makes the subject's rows the wanted matches."""
        written = self._identity.written_ids((subject,))
        missing = Counter({time: count for time, count in wanted.items() if time > after})
        for row in self._derived.events_of(self._kind, written, self._type, after, through):
            if missing[row.time] > 0:
                missing[row.time] -= 1
            else:
                self._found.withdrawn.append(row)
        for time, count in sorted(missing.items()):
            self._issue(subject, time, count)

    # ------------------------------------------------------------ cells

    def _fresh(self) -> State:
        return State([_NEVER] * (len(self._steps) - 1))

    def _read(self, subjects: set[int]) -> dict[int, State]:
        ids = np.array(sorted(subjects), np.uint32)
        states = {subject: self._fresh() for subject in ids.tolist()}
        for number, measure in enumerate(self._steps):
            kinds, begun, newest = self._cells.read("steps", measure, ids, "kind", "start", "newest")
            for subject, there, start, time in zip(
                ids.tolist(), kinds.tolist(), begun.tolist(), newest.tolist(), strict=True
            ):
                if there:
                    states[subject].newest = max(states[subject].newest, time)
                    if number < len(self._steps) - 1:
                        states[subject].begun[number] = start
        return states

    def _write(self, states: dict[int, State]) -> None:
        """Writes what is known of subjects; the newest time stands at each of their steps."""
        if not states:
            return
        ids = np.fromiter(states, np.uint32, len(states))
        newest = np.array([state.newest for state in states.values()], np.int64)
        table = self._cells.tables["steps"]
        for number, measure in enumerate(self._steps):
            last = number == len(self._steps) - 1
            begun = np.array([_NEVER if last else state.begun[number] for state in states.values()], np.int64)
            slots = table.claim(keys_of(np.full(len(ids), measure, np.int64), ids))
            table.before_write(slots)
            table.columns["kind"][slots] = 1
            table.columns["start"][slots] = begun
            table.columns["newest"][slots] = newest


def _newer(held: State, worked: State) -> State:
    begun = [max(pair) for pair in zip(held.begun, worked.begun, strict=True)]
    return State(begun, max(held.newest, worked.newest))


_subject: Callable[[Row], int] = itemgetter(0)
_time: Callable[[Row], int] = itemgetter(1)


def _by_time(rows: list[Row]) -> Iterator[tuple[int, list[tuple[int, list[int]]]]]:
    """Yields each subject of sorted rows with its instants and the steps of each, in order of time."""
    for subject, of_subject in groupby(rows, _subject):
        yield subject, [(time, [row[2] for row in of_time]) for time, of_time in groupby(of_subject, _time)]
