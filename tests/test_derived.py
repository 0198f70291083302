"""Derived events: what was withdrawn or let go is never seen again, wherever its rows lie."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from coterie.index.events.columns import Arrival, RowColumns
from coterie.index.events.derived import Derived
from coterie.index.events.flow import Flow
from coterie.index.events.history import History
from coterie.index.events.sealing import Sizes
from coterie.index.model import Event, SubjectKind
from coterie.index.storage.parts import ON_DEMAND
from tests.kept_pages import KeptPages

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
ALL = (-(2**62), 2**62)


class Store(KeptPages):
    """Pages that can be read one by one."""

    def read(self, part: str, page: bytes) -> bytes | None:
        """Returns a page of the derived history."""
        assert part == "derived"
        return self.pages.get(page)


class House:
    """Derived events over a store, with rows that become runs and blocks soon."""

    def __init__(self) -> None:
        self.store = Store()
        self.derived = Derived(self.store, _SIZES)

    def issue(self, subject: int, *times: int, kind: SubjectKind = USER, event_type: str = "$a") -> list[Arrival]:
        """Issues rows of a subject."""
        rows = [self.derived.row(kind, subject, time, event_type, {"n": float(time)}) for time in times]
        self.derived.issue(rows)
        return rows

    def seen(self, event_type: str = "$a", kind: SubjectKind = USER) -> list[tuple[int, int]]:
        """Returns (time, subject) of all rows of a type and kind, as a scan and as the subjects' own rows tell."""
        scanned = [row for piece in self.derived.scan(*ALL) for row in piece.all_events()]
        found = sorted(
            (row.time, row.user if kind is USER else row.account)
            for row in scanned
            if row.event.type == event_type and (row.user if kind is USER else row.account)
        )
        owners = BitMap(subject for _, subject in found)
        if owners:
            own = self.derived.events_of(kind, owners, event_type, *ALL)
            assert sorted((row.time, row.user if kind is USER else row.account) for row in own) == found
        return found

    def snapshot(self) -> None:
        """Seals everything."""
        self.store.take(self.derived)

    def reopen(self) -> None:
        """Starts again from the store."""
        self.derived = Derived(self.store, _SIZES)
        self.derived.load((key, page) for key, page in self.store.committed() if not key.startswith(ON_DEMAND))


_SIZES = Sizes(recent_rows=4, runs_merged=2, piece_rows=3, block_rows=8, least_block_rows=4)


@pytest.mark.parametrize("where", ["as a row", "in a run", "in a block", "in a block of another start"])
def test_withdrawn_rows_are_gone(where: str) -> None:
    """A row is withdrawn whichever part of the history it lies in, and its equals stay."""
    house = House()
    first, second, other = house.issue(1, 10, 10, 20)
    if where != "as a row":
        house.issue(2, 11, 12, 13, 14, 15)
    if where.startswith("in a block"):
        house.snapshot()
    if where.endswith("start"):
        house.reopen()
    house.derived.withdraw([first])
    rest = [(11, 2), (12, 2), (13, 2), (14, 2), (15, 2)] if where != "as a row" else []
    assert house.seen() == sorted([(10, 1), (20, 1), *rest])
    house.snapshot()
    house.reopen()
    assert house.seen() == sorted([(10, 1), (20, 1), *rest])
    house.derived.withdraw([second, other])
    house.snapshot()
    assert house.seen() == rest


def test_pairs_that_cancel_take_no_room_for_long() -> None:
    """Rows withdrawn and what withdraws them go when rows are put together."""
    house = House()
    rows = house.issue(1, *range(100))
    house.derived.withdraw(rows[:90])
    house.snapshot()
    house.snapshot()
    assert house.derived.history.rows < 110
    assert house.seen() == [(time, 1) for time in range(90, 100)]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_type_let_go_is_nobodys(sealed: bool) -> None:
    """Rows of a type that was let go are not seen again; rows of that type issued later are."""
    house = House()
    house.issue(1, *range(20))
    house.issue(1, *range(5), event_type="$b")
    if sealed:
        house.snapshot()
    house.derived.let_go("$a")
    assert house.seen() == []
    house.issue(3, 7)
    assert house.seen() == [(7, 3)]
    house.snapshot()
    house.reopen()
    assert house.seen() == [(7, 3)]
    assert house.seen("$b") == [(time, 1) for time in range(5)]
    assert house.derived.history.rows == 6


def test_kinds_keep_apart() -> None:
    """A row of an account is no row of the user with that number."""
    house = House()
    house.issue(1, 5)
    house.issue(1, 6, kind=ACCOUNT)
    assert house.seen() == [(5, 1)]
    assert house.seen(kind=ACCOUNT) == [(6, 1)]


def test_both_histories_flow_as_one() -> None:
    """What cursors run over has the events of both histories, and stops at whichever comes first."""
    house, history = House(), History()
    flow = Flow(history, house.derived)
    assert (flow.next_time(0), flow.reach(0, 5)) == (None, 2**62)
    house.issue(1, 5, 9)
    history.append(RowColumns([Arrival(7, 1, 1, 0, Event("", "view", (), None, 7, {}, {}))]))
    assert [flow.next_time(after) for after in (0, 5, 7, 9)] == [5, 7, 9, None]
    assert flow.rows == 3
    assert sorted(int(time) for piece in flow.scan(5, 9) for time in piece.times) == [7, 9]
    assert flow.reach(0, 1) == 5


@pytest.mark.parametrize("rows", [3, 20])
def test_a_type_let_go_during_a_snapshot_is_still_in_it(rows: int) -> None:
    """A snapshot shows the rows as it found them: the records after it, done again, need them."""
    house = House()
    house.issue(1, *range(rows))
    let_go = False

    def meanwhile() -> None:
        nonlocal let_go
        if not let_go:
            house.derived.let_go("$a")
            let_go = True

    house.store.take(house.derived, between=meanwhile)
    assert house.seen() == []
    house.reopen()
    assert house.seen() == [(time, 1) for time in range(rows)]


def test_a_snapshot_given_up_forgets_nothing_that_was_let_go() -> None:
    """Blocks with rows of a type let go are rewritten by the next snapshot, also where the one before was given up."""
    house = House()
    house.issue(1, *range(20))
    house.issue(1, *range(5), event_type="$b")
    house.snapshot()
    house.derived.let_go("$a")
    house.store.abandon(house.derived, after=1)
    house.snapshot()
    assert house.derived.history.rows == 5
