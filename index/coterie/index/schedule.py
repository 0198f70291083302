"""Instants at which single subjects are looked at again: timestamps of their own that pass an edge.

Reminders of one instant and condition lie together, however many; a heap has the instants. They are only reminders:
whoever was due is asked anew, so one whose timestamp has changed meanwhile does nothing. Owns the reminders.
Invariant: each subject whose answer time alone may change has one at or before that instant.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np

from coterie.index.conditions import Condition, Ids
from coterie.index.questions import Aging

_Key = tuple[int, int]  # instant, number of the condition


class Due(NamedTuple):
    """Reminders whose instant has come: a condition's number and its subjects, some perhaps more than once."""

    instant: int
    number: int
    subjects: Ids


class Schedule:
    """The reminders of one dataset."""

    def __init__(self) -> None:
        self._subjects: dict[_Key, int | array[int]] = {}  # one alone, or several
        self._heap: list[_Key] = []
        self._due: list[Due] = []  # taken from the heap, and not yet asked about

    # ------------------------------------------------------------ adding

    def watch(self, condition: Condition, ids: Ids) -> None:
        """Adds reminders for a condition and chosen subjects, where it is one that looks at timestamps."""
        says = condition.says
        if not isinstance(says, Aging):
            return
        waiting, instants = says.due(ids)
        if not len(waiting):
            return
        order = np.argsort(instants, kind="stable")
        waiting, instants = waiting[order], instants[order]
        starts = np.flatnonzero(np.append(True, instants[1:] != instants[:-1]))
        for instant, start, stop in zip(
            instants[starts].tolist(), starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True
        ):
            self._add((instant, condition.number), waiting[start:stop])

    def _add(self, key: _Key, ids: Ids) -> None:
        held = self._subjects.get(key)
        if held is None:
            heappush(self._heap, key)
            self._subjects[key] = int(ids[0]) if len(ids) == 1 else array("I", ids.tobytes())
        elif isinstance(held, int):
            self._subjects[key] = array("I", [held, *ids.tolist()])
        else:
            held.frombytes(ids.tobytes())

    def rebuild(self, conditions: Iterable[tuple[Condition, Ids]]) -> None:
        """Makes all reminders anew."""
        self._subjects, self._heap, self._due = {}, [], []
        for condition, ids in conditions:
            self.watch(condition, ids)
        heapify(self._heap)

    # ------------------------------------------------------------ what is due

    def next_instant(self) -> int | None:
        """The first reminder's instant."""
        first = min((due.instant for due in self._due), default=None)
        if self._heap:
            return self._heap[0][0] if first is None else min(first, self._heap[0][0])
        return first

    def reach(self, since: int, until: int, rows: int) -> tuple[int, int]:
        """Returns an instant in (since, until] up to which about `rows` reminders are due, and how many they are.

        Those of one instant are always together, however many.
        """
        held = sum(len(due.subjects) for due in self._due if since < due.instant <= until)
        while held <= rows and self._heap and self._heap[0][0] <= until:
            due = self._pop()
            held += len(due.subjects) if due.instant > since else 0
        if held <= rows:
            return until, held
        ahead = sorted((due.instant, len(due.subjects)) for due in self._due if since < due.instant <= until)
        sizes = np.cumsum([size for _, size in ahead])
        instant = ahead[min(int(sizes.searchsorted(rows)), len(ahead) - 1)][0]
        return instant, sum(size for at, size in ahead if at <= instant)

    def due_by(self, now: int) -> Iterator[Due]:
        """Yields what is due by `now`; it stays due until `take` or `done`."""
        while self._heap and self._heap[0][0] <= now:
            self._pop()
        yield from [due for due in self._due if due.instant <= now]

    def _pop(self) -> Due:
        key = heappop(self._heap)
        held = self._subjects.pop(key)
        subjects = np.array([held], np.uint32) if isinstance(held, int) else np.frombuffer(held, np.uint32)
        due = Due(*key, subjects)
        self._due.append(due)
        return due

    # ------------------------------------------------------------ asking

    def take(self, now: int) -> list[tuple[int, Ids]]:
        """Returns whom to ask about what: (number of a condition, those who are due by `now`, each once)."""
        if not self._due and (not self._heap or self._heap[0][0] > now):
            return []
        by_number: dict[int, list[Ids]] = {}
        for due in self.due_by(now):
            by_number.setdefault(due.number, []).append(due.subjects)
        self.done(now)
        return [(number, np.unique(np.concatenate(subjects))) for number, subjects in by_number.items()]

    def done(self, now: int) -> None:
        """Everyone who was due by `now` has been asked about."""
        self._due = [due for due in self._due if due.instant > now]
