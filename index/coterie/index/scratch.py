"""A scratch state: one subject of a dataset, with everything it did and is, at one revision.

What is worked out there is worked out by the engine's own parts, so it cannot disagree with them. Owns the
state and the copying into it, a page of events at a time. Invariant: the copy shows the revision it was begun at,
whatever records are applied between the pages; the dataset's own state is only read.
"""

from __future__ import annotations

from collections.abc import Generator

from pyroaring import BitMap

from coterie.index.errors import LimitExceeded
from coterie.index.events.columns import Arrival, RowColumns
from coterie.index.model import SubjectKind
from coterie.index.state import State
from coterie.index.time.calendar import HIGHEST

_PAGE_EVENTS = 128  # read from history between two pauses: about a millisecond
_SEQUENCES = 256  # of one revision, see `Arrival`


class Scratch:
    """A state of its own that holds one subject; with `account` its account too, with `users` the account's users."""

    def __init__(self, source: State, kind: SubjectKind, dense: int, *, account: bool, users: bool) -> None:
        self._source = source
        self.revision = source.revision
        self.state = State(source.settings, None, None)
        self.state.now = source.now
        self.state.cursors.slice_ms = 2 * HIGHEST  # nothing arrives late here
        self.arrivals: dict[int, Arrival] = {}  # by sequence
        self.numbers: dict[SubjectKind, dict[int, int]] = {each: {} for each in SubjectKind}  # dense id -> number here
        self._written: dict[SubjectKind, dict[int, int]] = {each: {} for each in SubjectKind}  # the same, absorbed too
        self._copied: list[tuple[SubjectKind, int, list[int]]] = []  # kind, dense id, ids its events were written with
        self._take(kind, dense)
        self.subject = self.numbers[kind][dense]
        if account or users:
            self._take_affiliated(kind, dense, users=users)

    def _take(self, kind: SubjectKind, dense: int) -> None:
        """Copies who a subject is, and notes that its events are to be copied."""
        source, state = self._source, self.state
        number = state.identity[kind].resolve(source.identity[kind].identifiers_of(dense)).subject
        state.attributes[kind].copy(source.attributes[kind], dense, number)
        state.catalog.known[kind].bits = BitMap(state.identity[kind].known)
        written = source.written_ids(kind, dense)
        self.numbers[kind][dense] = number
        self._copied.append((kind, dense, written))
        self._written[kind] |= dict.fromkeys(written, number)

    def _take_affiliated(self, kind: SubjectKind, dense: int, *, users: bool) -> None:
        affiliation = self._source.affiliation
        account = affiliation.account_of(dense) if kind is SubjectKind.USER else dense
        if account and account not in self.numbers[SubjectKind.ACCOUNT]:
            self._take(SubjectKind.ACCOUNT, account)
        theirs = affiliation.users_of(account) if users and account else ()
        most = self.state.settings.max_explain_users
        if len(theirs) > most:
            raise LimitExceeded("subject", "users of an account that is explained", len(theirs), most)
        for user in theirs:
            if user not in self.numbers[SubjectKind.USER]:
                self._take(SubjectKind.USER, user)

    def copy_events(self) -> Generator[None, None, bool]:
        """Copies the events, also those that wait for their time, pausing after each page.

        Returns False where a subject is no more: it was merged or deleted meanwhile, and what was copied is void.
        LimitExceeded where there are too many events.
        """
        most = self.state.settings.max_explain_events
        for kind, dense, written in self._copied:
            before = None
            while True:
                if dense not in self._source.identity[kind].subjects:
                    return False
                page = self._source.history.of_subjects(kind, written, before, _PAGE_EVENTS)
                if not page:
                    break
                before = page[-1].time, page[-1].sequence
                self._append(page)
                if len(self.arrivals) > most:
                    raise LimitExceeded("subject", "events of a subject that is explained", len(self.arrivals), most)
                yield
        return True

    def _append(self, page: list[Arrival]) -> None:
        users, accounts = self._written[SubjectKind.USER], self._written[SubjectKind.ACCOUNT]
        fresh = [
            arrival._replace(user=users.get(arrival.user, 0), account=accounts.get(arrival.account, 0))
            for arrival in page
            if arrival.sequence not in self.arrivals and not self._is_later(arrival)
        ]
        self.state.history.append(RowColumns(fresh))
        self.state.events_taken += len(fresh)
        self.arrivals.update((arrival.sequence, arrival) for arrival in fresh)

    def _is_later(self, arrival: Arrival) -> bool:
        """Whether the event came after the copy was begun."""
        return arrival.sequence >= (self.revision + 1) * _SEQUENCES
