"""Deadlines: until when a member may stay whose rule no longer holds, by (latch, subject).

A table keyed `latch << 32 | dense id` says which deadline counts; queues in order of time say who is due next,
and may name deadlines that no longer count. Owns both; only the table is saved. Invariant: every deadline that
counts is in some queue, so whoever is due is found by looking at the heads alone.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from coterie.index.table import Keys, Slots, Table

# Queues that belong to no ttl: all deadlines of a rebuild; those a merge carried over; those of another part.
_SORTED, _CARRIED, _LATE = 0, -1, -2
_LOOK_ROWS = 256  # rows at a queue's head looked at together
_SLACK_ROWS = 65_536  # rows that no longer count, beyond as many as do, until the queues are made anew
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)

Instants = NDArray[np.int64]


class _Queue:
    """Deadlines in ascending order, used up from the front. Numbers in `array`, so that a row takes 16 bytes."""

    __slots__ = ("_deadlines", "_head", "_keys")

    def __init__(self) -> None:
        self._deadlines, self._keys, self._head = array("q"), array("Q"), 0

    def __len__(self) -> int:
        return len(self._keys) - self._head

    def first(self) -> int:
        """The deadline at the head."""
        return self._deadlines[self._head]

    def extend(self, keys: Keys, deadlines: Instants | int) -> None:
        """Appends rows that are due no earlier than those before."""
        self._keys.frombytes(keys.tobytes())
        self._deadlines.frombytes(np.broadcast_to(np.asarray(deadlines, np.int64), len(keys)).tobytes())

    def insert(self, key: int, deadline: int) -> None:
        """Inserts one row in its place."""
        place = bisect_right(self._deadlines, deadline, self._head)
        self._keys.insert(place, key)
        self._deadlines.insert(place, deadline)

    def peek(self, rows: int, after: int = 0) -> tuple[Keys, Instants]:
        """Returns rows at the head, or so many rows after it."""
        ahead = slice(self._head + after, self._head + after + rows)
        return np.array(self._keys[ahead], np.uint64), np.array(self._deadlines[ahead], np.int64)

    def between(self, after: int, until: int) -> array[int]:
        """Returns the deadlines in (after, until]."""
        first = bisect_right(self._deadlines, after, self._head)
        return self._deadlines[first : bisect_right(self._deadlines, until, first)]

    def skip(self, rows: int) -> None:
        """Uses up rows at the head."""
        self._head += rows
        if self._head > _LOOK_ROWS and 2 * self._head > len(self._keys):
            del self._keys[: self._head], self._deadlines[: self._head]
            self._head = 0

    def count(self, until: int) -> int:
        """Returns how many rows are due by `until`."""
        return bisect_right(self._deadlines, until, self._head) - self._head

    def take(self, until: int) -> Keys:
        """Uses up and returns the keys due by `until`."""
        count = self.count(until)
        keys, _ = self.peek(count)
        self.skip(count)
        return keys


class Deadlines:
    """All deadlines of one dataset."""

    def __init__(self) -> None:
        self.table = Table({"deadline": "i8"})
        self._queues: dict[int, _Queue] = {}
        self._counting = 0  # rows of the table with a deadline
        self._next: int | None = None

    def __len__(self) -> int:
        return self._counting

    def next_instant(self) -> int | None:
        """The first deadline that counts."""
        return self._next

    @property
    def size_bytes(self) -> int:
        """Memory the deadlines take."""
        return self.table.size_bytes + 16 * sum(map(len, self._queues.values()))

    def of(self, keys: Keys) -> Instants:
        """Returns the deadline of each key, 0 where it has none."""
        slots = self.table.find(keys)
        deadlines: Instants = self.table.columns["deadline"][slots]
        return np.where(slots < 0, 0, deadlines)

    # ------------------------------------------------------------ setting and clearing

    def begin(self, keys: Keys, now: int, ttl_ms: int) -> None:
        """Gives those of distinct keys that have no deadline the one that is `ttl_ms` from now."""
        begun = self._write(keys, now + ttl_ms)
        self._queue(ttl_ms).extend(begun, now + ttl_ms)  # time never goes back: no deadline before is later

    def carry(self, key: int, deadline: int) -> None:
        """Gives one key a deadline that began earlier, with another subject."""
        keys = np.array([key], np.uint64)
        self.clear(keys)
        self._write(keys, deadline)
        self._queue(_CARRIED).insert(key, deadline)

    def _write(self, keys: Keys, deadline: int) -> Keys:
        """Writes one deadline for all keys that have none; returns those."""
        slots = self.table.claim(keys)
        column = self.table.columns["deadline"]
        free = np.flatnonzero(column[slots] == 0)
        self.table.before_write(slots[free])
        column[slots[free]] = deadline
        self._counting += len(free)
        if len(free):
            self._next = deadline if self._next is None else min(self._next, deadline)
        return keys[free]

    def _queue(self, name: int) -> _Queue:
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = _Queue()
        return queue

    def clear(self, keys: Keys) -> None:
        """Forgets the deadlines of distinct keys, where they have one."""
        if len(keys) and self._counting:
            slots = self.table.find(keys)
            self._clear(slots[slots >= 0])

    def drop(self, latch: int) -> None:
        """Forgets all deadlines of a latch (a pass over the table)."""
        self._clear(np.flatnonzero((self.table.keys >> _HALF) == np.uint64(latch)))

    def _clear(self, slots: Slots) -> None:
        column = self.table.columns["deadline"]
        slots = slots[column[slots] != 0]
        if not len(slots):
            return
        self.table.before_write(slots)
        first = int(column[slots].min())
        column[slots] = 0
        self._counting -= len(slots)
        if self._next is None or first <= self._next:
            self._look_ahead()
        if sum(map(len, self._queues.values())) > 2 * self._counting + _SLACK_ROWS:
            self.rebuild()

    # ------------------------------------------------------------ coming due

    def reach(self, since: int, until: int, rows: int) -> tuple[int, int]:
        """Returns an instant in (since, until] up to which about `rows` deadlines lie, and how many they are.

        Those of one instant are always together, however many.
        """
        ahead = np.array([], np.int64)
        for queue in self._queues.values():
            ahead = np.append(ahead, np.array(queue.between(since, until), np.int64))
        if len(ahead) > rows:
            until = int(np.partition(ahead, rows - 1)[rows - 1])
        return until, int((ahead <= until).sum())

    def subjects_due(self, now: int, rows: int) -> Iterator[NDArray[np.uint32]]:
        """Yields the dense ids that `due` would look at, about so many at a time, some perhaps in vain."""
        for queue in self._queues.values():
            count = queue.count(now)
            for start in range(0, count, rows):
                yield (queue.peek(min(rows, count - start), start)[0] & _LOW).astype(np.uint32)

    def due(self, now: int, below: int = 0) -> Keys:
        """Forgets and returns, ascending, the keys whose deadline is `now` or earlier.

        Where `below` is given, those of subjects with a smaller dense id only; the others stay due.
        """
        if self._next is None or self._next > now:
            return np.empty(0, np.uint64)
        reached = np.concatenate([queue.take(now) for queue in self._queues.values()])
        reached.sort()
        reached = reached[np.diff(reached, prepend=np.uint64(0)) != 0]  # each key once; none is 0
        slots = self.table.find(reached)
        deadlines = self.table.columns["deadline"][slots]
        due = (slots >= 0) & (deadlines != 0) & (deadlines <= now)
        if below:
            later = due & ((reached & _LOW) >= below)
            due &= ~later
            self._queues[_LATE] = _queue_of(reached[later], deadlines[later])
            self._look_ahead()
        self._clear(slots[due])
        keys: Keys = reached[due]
        return keys

    def _look_ahead(self) -> None:
        """Finds the first deadline that counts, passing over those that do not."""
        while True:
            queue = min(filter(None, self._queues.values()), key=_Queue.first, default=None)
            if queue is None:
                self._next = None
                return
            keys, deadlines = queue.peek(_LOOK_ROWS)
            counting = np.flatnonzero(self.of(keys) == deadlines)
            if len(counting) and counting[0] == 0:
                self._next = queue.first()
                return
            queue.skip(int(counting[0]) if len(counting) else len(keys))

    def rebuild(self) -> None:
        """Makes the queues anew from the table: after loading it, and where most of what they name is forgotten."""
        column = self.table.columns["deadline"]
        slots = np.flatnonzero(column)
        queue = _queue_of(self.table.keys[slots], column[slots])
        self._queues = {_SORTED: queue}
        self._counting = len(slots)
        self._next = queue.first() if len(slots) else None


def _queue_of(keys: Keys, deadlines: Instants) -> _Queue:
    queue, order = _Queue(), np.argsort(deadlines, kind="stable")
    queue.extend(keys[order], deadlines[order])
    return queue
