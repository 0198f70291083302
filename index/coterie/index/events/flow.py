"""Everything a measure may count, by time: the events that arrived, and what was derived from them.

What cursors and builds run over, so that neither needs to know which is which. Owns nothing. Invariant: each event
of either history is in it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from pyroaring import BitMap

from coterie.index.events.columns import EventColumns
from coterie.index.events.derived import Derived
from coterie.index.events.history import History
from coterie.index.model import SubjectKind


class Flow:
    """Two histories as one; see `History` for what each method promises."""

    def __init__(self, history: History, derived: Derived) -> None:
        self._history, self._derived = history, derived

    @property
    def rows(self) -> int:
        """How many rows there are, withdrawn ones included."""
        return self._history.rows + self._derived.history.rows

    @property
    def state(self) -> int:
        """Changes where what a scan has not read yet may be gone."""
        return self._history.state + self._derived.history.state

    def scan(self, after: int, through: int, piece_rows: int | None = None) -> Iterator[EventColumns]:
        """Yields all rows with `after < time <= through`, in no particular order."""
        return chain(self._history.scan(after, through, piece_rows), self._derived.scan(after, through, piece_rows))

    def count(self, after: int, through: int) -> int:
        """Returns how many rows lie between, withdrawn ones included."""
        return self._history.count(after, through) + self._derived.history.count(after, through)

    def rows_of(self, kind: SubjectKind, written: BitMap, after: int, through: int) -> Iterator[EventColumns]:
        """Yields what `scan` would of subjects alone, by the dense ids written on arrival."""
        found = (held.rows_of(kind, written, after, through) for held in (self._history, self._derived))
        return chain.from_iterable(found)

    def next_time(self, after: int) -> int | None:
        """Returns the smallest time later than `after`, None where there is none."""
        times = (self._history.next_time(after), self._derived.history.next_time(after))
        return min((time for time in times if time is not None), default=None)

    def reach(self, after: int, rows: int) -> int:
        """Returns a time later than `after` such that about `rows` rows of either history at most lie between."""
        return min(self._history.reach(after, rows), self._derived.history.reach(after, rows))
