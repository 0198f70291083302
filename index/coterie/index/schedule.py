"""Instants at which single subjects are looked at again: timestamp attributes that pass an edge.

A heap of (instant, condition, subject). Rows are only reminders: whoever was due is asked anew, so a row whose
attribute has changed meanwhile does nothing. Owns the heap. Invariant: each subject whose answer time alone
may change has a row at or before that instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

import numpy as np

from coterie.index.conditions import Condition, Conditions, Ids
from coterie.index.questions import AttributeAge


class Schedule:
    """The reminders of one dataset."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._heap: list[tuple[int, int, int]] = []
        self._of: dict[int, Condition] = {}

    def watch(self, condition: Condition, ids: Ids) -> None:
        """Adds reminders for a condition and chosen subjects, where it is one that time can flip."""
        says = condition.says
        if not isinstance(says, AttributeAge):
            return
        self._of[condition.number] = condition
        waiting, instants = says.due(ids)
        for dense, instant in zip(waiting.tolist(), instants.tolist(), strict=True):
            heappush(self._heap, (instant, condition.number, dense))

    def next_instant(self) -> int | None:
        """The first reminder's instant."""
        return self._heap[0][0] if self._heap else None

    def advance(self, now: int) -> None:
        """Asks about everyone who is due by `now`, and reminds itself of their next instants."""
        due: dict[int, list[int]] = {}
        while self._heap and self._heap[0][0] <= now:
            _, number, dense = heappop(self._heap)
            due.setdefault(number, []).append(dense)
        for number, subjects in due.items():
            condition = self._of[number]
            if condition.uses:
                ids = np.unique(np.array(subjects, np.uint32))
                self._conditions.ask(condition, ids)
                self.watch(condition, ids)

    def rebuild(self, conditions: Iterable[tuple[Condition, Ids]]) -> None:
        """Makes all reminders anew."""
        self._heap, self._of = [], {}
        for condition, ids in conditions:
            self.watch(condition, ids)
        heapify(self._heap)
