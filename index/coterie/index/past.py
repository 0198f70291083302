"""The past of a dataset as it is known at one revision, to be read while the dataset moves on.

`PastHistory` shows the events that had arrived by then, up to an instant that can be moved; `PastIdentity` shows
who they belong to by then, and which subjects had appeared by that instant. Owns the pins, no events and no
names. Invariant: what is read does not depend on records applied after the pin, as long as `intact` holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from pyroaring import BitMap

from coterie.index.events.columns import EventColumns, first_sequence
from coterie.index.events.history import History
from coterie.index.model import Identifier, SubjectKind
from coterie.index.subjects.identity import DenseIds, IdentityMap
from coterie.index.time.calendar import HIGHEST, LOWEST


class PastHistory(History):
    """The events of another history that had arrived by a revision and happened up to `until`."""

    def __init__(self, history: History, revision: int, until: int) -> None:
        super().__init__()
        self._all_events, self.until = history, until
        self._sequence = first_sequence(revision + 1)
        self._erasures = history.erasures

    @property
    def intact(self) -> bool:
        """Whether no subject's rows have been given up since the pin: they may be gone half-way."""
        return self._all_events.erasures == self._erasures

    @property
    def rows(self) -> int:
        """About how many rows there are."""
        return self.count(LOWEST, HIGHEST)

    def scan(self, after: int, through: int, piece_rows: int | None = None) -> Iterator[EventColumns]:
        """Yields the rows with `after < time <= through` and at most `until`; see `History.scan`."""
        return self._arrived(self._all_events.scan(after, min(through, self.until), piece_rows))

    def rows_of(self, kind: SubjectKind, written: BitMap, after: int, through: int) -> Iterator[EventColumns]:
        """Yields what `scan` would of subjects alone; see `History.rows_of`."""
        return self._arrived(self._all_events.rows_of(kind, written, after, min(through, self.until)))

    def _arrived(self, pieces: Iterable[EventColumns]) -> Iterator[EventColumns]:
        for columns in pieces:
            arrived = columns.sequences < self._sequence
            if arrived.all():
                yield columns
            elif arrived.any():
                yield columns.take(np.flatnonzero(arrived))

    def count(self, after: int, through: int) -> int:
        """Returns how many rows `scan` yields, late arrivals since the pin included."""
        return self._all_events.count(after, min(through, self.until))

    def next_time(self, after: int) -> int | None:
        """Returns the smallest time later than `after` at which there may be a row, None where there is none."""
        found = self._all_events.next_time(after)
        return None if found is None or found > self.until else found

    def reach(self, after: int, rows: int) -> int:
        """Returns a time later than `after` such that about `rows` rows lie between; see `History.reach`."""
        reached = self._all_events.reach(after, rows)
        if reached <= self.until:
            return reached
        return self.until if self.count(after, self.until) else HIGHEST


class PastIdentity(IdentityMap):
    """Who a dataset's subjects are by a pin. `subjects` and `known` are those of them that have appeared."""

    def __init__(self, kind: SubjectKind, identity: IdentityMap) -> None:
        super().__init__(kind)
        self._names_of = identity
        self.next_id = identity.next_id
        # A copy: merges and deletions to come must not move anybody half-way.
        self._stands_for = np.array(identity.canonical(np.arange(identity.next_id, dtype=np.uint32)))
        self._known_by_then = identity.known.copy()

    def canonical(self, subjects: DenseIds) -> DenseIds:
        """Maps dense ids as once written to those who stood for them at the pin; 0 for deleted subjects."""
        return self._stands_for[subjects]

    def written_ids(self, subjects: Iterable[int]) -> BitMap:
        """Returns the dense ids under which the events of subjects were written; see `IdentityMap`."""
        wanted = np.fromiter(subjects, np.uint32)
        return BitMap(np.flatnonzero(np.isin(self._stands_for, wanted)).tolist())

    def first_identifier(self, subject: int) -> Identifier | None:
        """Returns the oldest identifier of a subject."""
        return self._names_of.first_identifier(subject)

    def appear(self, subjects: DenseIds) -> DenseIds:
        """Notes that subjects have appeared; returns those that had not before."""
        fresh = subjects[[dense not in self.subjects for dense in subjects.tolist()]]
        appeared = BitMap(fresh.tolist())
        self.subjects |= appeared
        self.known |= appeared & self._known_by_then
        return fresh
