"""The oracle's dataset at one instant, as rules of one subject kind see it; see `oracle.Facts`.

Owns nothing; what it has worked out once it does not work out again. Invariant: a moment is thrown away when
anything is noted in its dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from coterie.index import model
from coterie.index.model import ACCOUNT_ID, Identifier, SubjectKind, Universe, Value
from coterie.index.rules import ast
from tests import oracle
from tests.oracle_events import Happened
from tests.oracle_visits import Visit, is_running, visit_event, visits_of

if TYPE_CHECKING:
    from tests.oracle_dataset import Dataset


class Moment:
    """The dataset's facts about one kind of subject at one instant."""

    def __init__(self, dataset: Dataset, kind: SubjectKind, now: int) -> None:
        self.dataset, self.kind, self.now, self.zone = dataset, kind, now, dataset.zone
        self._subjects = dataset.of_kind[kind]
        self._arrived: dict[int, list[Happened]] = {}  # also what waits for its time
        for happened in sorted(dataset.events, key=lambda happened: (happened.time, happened.position)):
            written = happened.user if kind is SubjectKind.USER else happened.account
            self._arrived.setdefault(self._subjects.canonical(written), []).append(happened)
        self._events: dict[int, list[Happened]] = {}
        self._visits: dict[int, list[list[Happened]]] = {}
        self._members: dict[tuple[int, str], bool] = {}

    @cached_property
    def other(self) -> Moment:
        """The same instant, as rules of the other kind see it."""
        other = Moment(self.dataset, next(kind for kind in SubjectKind if kind is not self.kind), self.now)
        other.other = self
        return other

    def subjects(self) -> Sequence[int]:
        """Returns all live subjects."""
        return sorted(self._subjects.identifiers)

    # ------------------------------------------------------------ events

    def arrived(self, subject: int) -> Sequence[Happened]:
        """Returns the subject's events, those that wait for their time included."""
        return self._arrived.get(subject, ())

    def _until_now(self, subject: int) -> list[Happened]:
        return [happened for happened in self.arrived(subject) if happened.time <= self.now]

    def events(self, subject: int) -> Sequence[Happened]:
        """Returns the subject's events up to now and those of finished visits, oldest first, ties by position."""
        if subject not in self._events:
            gap_ms = self.dataset.visit_gap_ms
            finished = [visit for visit in self.visits(subject) if not is_running(visit, gap_ms, self.now)]
            both = self._until_now(subject) + [visit_event(visit) for visit in finished]
            self._events[subject] = sorted(both, key=lambda happened: (happened.time, happened.position))
        return self._events[subject]

    def visits(self, subject: int) -> Sequence[Visit]:
        """Returns the subject's visits, oldest first; the last may be running."""
        if subject not in self._visits:
            self._visits[subject] = visits_of(self._until_now(subject), self.dataset.visit_gap_ms)
        return self._visits[subject]

    def running_visit(self, subject: int) -> Visit | None:
        """Returns the visit the subject is on."""
        newest = next(reversed(self.visits(subject)), None)
        return newest if newest and is_running(newest, self.dataset.visit_gap_ms, self.now) else None

    # ------------------------------------------------------------ what is known

    def attribute(self, subject: int, owner: ast.Owner, name: str) -> Value | None:
        """Returns the current value."""
        return self.attributes(subject).get(f"current.{name}" if owner is ast.Owner.CURRENT else name)

    def attributes(self, subject: int) -> dict[str, Value]:
        """Returns the attributes that were set, and those the newest events brought."""
        return self._subjects.attributes(subject)

    def first_identifier(self, subject: int) -> Identifier:
        """Returns the identifier the subject is known by longest."""
        return self._subjects.identifiers[subject][0]

    def account_of(self, user: int) -> int | None:
        """Returns the live account that the user's account_id names."""
        value = self.attributes(user).get(ACCOUNT_ID)
        accounts = self.dataset.of_kind[SubjectKind.ACCOUNT]
        return accounts.owner(Identifier(ACCOUNT_ID, value)) if isinstance(value, str) else None

    def users_of(self, account: int) -> Sequence[int]:
        """Returns the live users whose account_id names the account."""
        users = self.other
        return [user for user in users.subjects() if users.account_of(user) == account]

    # ------------------------------------------------------------ segments

    def in_segment(self, subject: int, segment: str) -> bool:
        """Returns whether the subject is a member of the segment as it is served now."""
        if (subject, segment) not in self._members:
            noted = self.dataset.segments[segment]
            assert noted.serving is not None, f"{segment} has never been ready"
            assert noted.serving.subject_kind is self.kind
            if noted.serving.kind is not model.SegmentKind.RULE:
                found = subject in noted.listed
            else:
                found = noted.latch.keeps(subject, self.now) or self.satisfies(subject, noted.serving)
            self._members[subject, segment] = found
        return self._members[subject, segment]

    def satisfies(self, subject: int, definition: model.SegmentDefinition) -> bool:
        """Returns whether the subject is of the definition's universe and its rule holds."""
        known = self._subjects.known(subject)
        universe = definition.universe
        if universe is not Universe.ALL and known is not (universe is Universe.KNOWN):
            return False
        return oracle.holds(self.dataset.rule_of(definition.rule), subject, self)
