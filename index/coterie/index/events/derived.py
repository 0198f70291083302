"""Derived events: what follows from the events of a subject, such as finished visits and matches of sequences.

They lie in a history of their own, each row of one subject of one kind. A row that no longer holds is withdrawn by
an equal row with the negative of its sequence, unless it can simply be taken out. Owns that history. Invariants:
a sequence is given once; what `scan` and `of` yield are the rows that are neither withdrawn nor of a type let go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial

import msgpack
import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from coterie.index.events.blocks import BlockStore
from coterie.index.events.columns import Arrival, EventColumns, RowColumns, TypeCodes
from coterie.index.events.history import History
from coterie.index.events.runs import Gone
from coterie.index.events.sealing import Sizes
from coterie.index.model import Event, SubjectKind, Value
from coterie.index.storage.parts import Page
from coterie.index.views import Instants

PART = "derived"
_STATE_KEY = b"0"  # sorts before history's own pages
_SIZES = Sizes()


class Derived:
    """The derived events of one dataset."""

    def __init__(self, store: BlockStore | None = None, sizes: Sizes = _SIZES) -> None:
        self.history = History(store, sizes, part=PART, gone=self._gone_now)
        self._next = 1
        self._let_go: dict[str, int] = {}  # type -> rows of it up to this sequence are nobody's
        self._negatives = False  # whether any withdrawing row was ever written

    # ------------------------------------------------------------ writing

    def row(self, kind: SubjectKind, subject: int, time: int, event_type: str, values: dict[str, Value]) -> Arrival:
        """Returns a new row; `issue` adds it."""
        sequence, self._next = self._next, self._next + 1
        user, account = (subject, 0) if kind is SubjectKind.USER else (0, subject)
        return Arrival(time, sequence, user, account, Event("", event_type, (), None, time, values, {}))

    def issue(self, rows: list[Arrival]) -> None:
        """Adds rows."""
        self.history.append(RowColumns(rows))

    def withdraw(self, rows: Iterable[Arrival]) -> None:
        """Takes rows back; of each, time, sequence, type and subject must be what they were."""
        against = [row._replace(sequence=-row.sequence) for row in rows if not self.history.take_back(row)]
        if against:
            self._negatives = True
            self.history.append(RowColumns(against))

    def let_go(self, event_type: str) -> None:
        """The rows of a type that there are now are nobody's; a snapshot leaves them out when it comes by."""
        self._let_go[event_type] = self._next
        self.history.compact((event_type,))

    def keep_only(self, types: Collection[str]) -> None:
        """Lets go of all other types: after a restart, of what belonged to nothing that was saved."""
        for event_type in sorted(self.history.types() - set(types)):
            self.let_go(event_type)

    def _gone_now(self) -> Gone:
        return partial(_gone, dict(self._let_go))

    # ------------------------------------------------------------ reading

    def _live(self, pieces: Iterable[EventColumns]) -> Iterator[EventColumns]:
        """Yields what holds of pieces that together are all rows of their times."""
        if not (self._negatives or self._let_go):
            yield from pieces
            return
        held = list(pieces)
        negatives = [piece.sequences[piece.sequences < 0] for piece in held]
        withdrawn = -np.concatenate(negatives) if negatives else np.empty(0, np.int64)
        for piece in held:
            gone = _gone(self._let_go, piece.sequences, piece.type_codes, piece.type_names) | (piece.sequences < 0)
            rows = np.flatnonzero(~(gone | np.isin(piece.sequences, withdrawn)))
            if len(rows):
                yield piece if len(rows) == piece.rows else piece.take(rows)

    def scan(self, after: int, through: int, piece_rows: int | None = None) -> Iterator[EventColumns]:
        """Yields all rows with `after < time <= through`; see `History.scan`."""
        return self._live(self.history.scan(after, through, piece_rows))

    def rows_of(self, kind: SubjectKind, written: BitMap, after: int, through: int) -> Iterator[EventColumns]:
        """Yields the rows of subjects, by the dense ids written; see `History.rows_of`."""
        return self._live(self.history.rows_of(kind, written, after, through))

    def events_of(self, kind: SubjectKind, written: BitMap, event_type: str, after: int, through: int) -> list[Arrival]:
        """Returns the rows of one type of a subject, by (time, sequence)."""
        found = [
            row
            for piece in self.rows_of(kind, written, after, through)
            for row in piece.all_events()
            if row.event.type == event_type
        ]
        return sorted(found)

    # ------------------------------------------------------------ snapshot part

    def begin(self) -> Iterator[Page]:
        """Freezes the rows (see `Part`)."""
        state = msgpack.packb([self._next, self._negatives, self._let_go])
        pages = self.history.begin()

        def all_pages() -> Iterator[Page]:
            yield _STATE_KEY, state
            yield from pages

        return all_pages()

    def end(self, committed: bool) -> None:
        """Forgets or takes back what was frozen (see `Part`)."""
        self.history.end(committed)

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores the rows (see `Part`)."""
        rest = []
        for key, page in pages:
            if key == _STATE_KEY:
                self._next, self._negatives, self._let_go = msgpack.unpackb(page)
            else:
                rest.append((key, page))
        self.history.load(rest)


def _gone(let_go: Mapping[str, int], sequences: Instants, codes: TypeCodes, names: list[str]) -> npt.NDArray[np.bool_]:
    """Which rows of a gathering need not be kept: pairs that cancel each other, and what was let go."""
    withdrawn = -sequences[sequences < 0]
    taken_back = np.isin(sequences, withdrawn)
    gone = taken_back | np.isin(-sequences, sequences[taken_back])
    for code, name in enumerate(names):
        limit = let_go.get(name)
        if limit is not None:
            gone |= (codes == code) & (np.abs(sequences) < limit)
    return gone
