"""Who joins and leaves sticky and once segments: deadlines to the millisecond, births, merges, deletions."""

from __future__ import annotations

import pytest

from coterie.index import model
from coterie.index.model import Event, Mode, Universe
from tests.latch_journal import ACCOUNT, ANN, BOB, HOUR, NOW, PHONE, PRO, USER, Journal, Moves, definition

# ---------------------------------------------------------------- joining, staying, leaving


def test_a_sticky_member_leaves_at_exactly_its_deadline(journal: Journal) -> None:
    """One millisecond before it is a member still; at the deadline it leaves by time, without an event."""
    journal.create(NOW, definition("s", PRO))
    assert journal.plan(NOW + 1, ANN, "pro") == [("s", "attribute", [1], [])]
    assert journal.engine.next_instant() is None
    assert journal.plan(NOW + 5, ANN, "free") == []
    assert journal.engine.next_instant() == NOW + 5 + HOUR
    assert journal.tick(NOW + 5 + HOUR - 1) == []
    assert journal.members("s") == [1]
    assert journal.tick(NOW + 5 + HOUR) == [("s", "time", [], [1])]
    assert journal.members("s") == []
    assert journal.engine.next_instant() is None


def test_a_deadline_passed_by_any_record_counts_as_time(journal: Journal) -> None:
    """Where no tick came at the deadline, the next record moves time first."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, ANN, "free")
    assert journal.plan(NOW + 2 * HOUR, BOB, "pro") == [("s", "time", [], [1]), ("s", "attribute", [2], [])]
    assert journal.members("s") == [2]


def test_a_rule_that_holds_again_forgets_the_deadline(journal: Journal) -> None:
    """Who returns while waiting has been a member throughout; the next deadline counts from the next end."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW + 10, ANN, "free")
    assert journal.plan(NOW + HOUR, ANN, "pro") == []
    assert journal.engine.next_instant() is None
    assert journal.tick(NOW + HOUR + 10) == []
    assert journal.plan(NOW + 2 * HOUR, ANN, "free") == []
    assert journal.tick(NOW + 3 * HOUR - 1) == []
    assert journal.tick(NOW + 3 * HOUR) == [("s", "time", [], [1])]
    assert journal.engine.since("s", 1) == NOW


def test_returning_in_the_record_of_the_deadline_is_no_change(journal: Journal) -> None:
    """Changes are net: the deadline and the return meet in one record."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, ANN, "free")
    assert journal.plan(NOW + HOUR, ANN, "pro") == []
    assert journal.members("s") == [1]
    assert journal.engine.next_instant() is None


def test_once_is_for_ever(journal: Journal) -> None:
    """The rule has held once: no passing of time ends it."""
    journal.create(NOW, definition("s", "did view in the last 1 hours", Mode.ONCE))
    assert journal.view(NOW, ANN) == [("s", "event", [1], [])]
    assert journal.tick(NOW + HOUR) == []
    assert journal.engine.next_instant() is None
    assert journal.tick(NOW + 10_000 * HOUR) == []
    assert journal.members("s") == [1]


def test_time_alone_starts_and_ends_a_stay(journal: Journal) -> None:
    """A window that runs out lets a member in, or starts its deadline, at that very record."""
    journal.create(NOW, definition("quiet", "did view and did not view in the last 1 hours", ttl=2 * HOUR))
    journal.create(NOW, definition("recent", "did view in the last 1 hours", ttl=2 * HOUR))
    assert journal.view(NOW, ANN) == [("recent", "event", [1], [])]
    assert journal.tick(NOW + HOUR) == [("quiet", "time", [1], [])]
    assert journal.view(NOW + HOUR + 1, ANN) == []
    assert journal.tick(NOW + 2 * HOUR + 1) == []
    assert journal.engine.next_instant() == NOW + 4 * HOUR + 1
    assert journal.tick(NOW + 4 * HOUR + 1) == [("recent", "time", [], [1])]
    assert journal.members("quiet") == [1]


def test_what_is_true_only_within_a_record_is_not_latched(journal: Journal) -> None:
    """Time lets the rule hold, the record's own event ends it: nobody was ever in."""
    for mode in (Mode.ONCE, Mode.STICKY):
        journal.create(NOW, definition(mode.name.lower(), "did view exactly 1 time in the last 1 hours", mode))
    journal.view(NOW, ANN)
    for mode in (Mode.ONCE, Mode.STICKY):
        journal.create(
            NOW + 1, definition(f"two-{mode.name.lower()}", "did view exactly 2 times in the last 1 hours", mode)
        )
    both = tuple(Event("", "view", (ANN,), None, NOW + offset, {}, {}) for offset in (2, 3))
    assert journal.apply(NOW + 3, model.IngestEvents(both)) == []  # 1, then 3
    journal.tick(NOW + HOUR - 1)
    assert journal.view(NOW + HOUR, ANN) == []  # 2 by time, then 3
    assert journal.members("two-once") == journal.members("two-sticky") == []
    assert journal.members("once") == [1]


def test_the_past_is_not_latched(journal: Journal) -> None:
    """Who satisfied the rule before the segment was ready is in only if it does so at activation."""
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW, ANN, "free")
    journal.plan(NOW, BOB, "pro")
    assert journal.create(NOW + 1, definition("s", PRO, Mode.ONCE)) == [("s", "backfill", [2], [])]
    assert journal.plan(NOW + 2, BOB, "free") == []
    assert journal.members("s") == [2]


# ---------------------------------------------------------------- negative rules, universes, accounts


def test_births_under_a_negative_rule(journal: Journal) -> None:
    """Whoever is born without an event against it joins, and stays; whose first event is against it does not."""
    journal.create(NOW, definition("s", "did not view"))
    assert journal.plan(NOW, ANN, "x") == [("s", "attribute", [1], [])]
    assert journal.view(NOW, BOB) == []
    assert journal.view(NOW + 1, ANN) == []
    assert journal.members("s") == [1]
    assert journal.tick(NOW + 1 + HOUR) == [("s", "time", [], [1])]
    assert journal.members("s") == []


def test_whoever_becomes_known_leaves_the_universe_and_waits(journal: Journal) -> None:
    """The rule holds within its universe only: outside it the time runs."""
    journal.create(NOW, definition("s", "did view", universe=Universe.ANONYMOUS))
    assert journal.view(NOW, PHONE) == [("s", "event", [1], [])]
    assert journal.view(NOW + 1, PHONE, ANN) == []
    assert journal.tick(NOW + HOUR) == []
    assert journal.tick(NOW + 1 + HOUR) == [("s", "time", [], [1])]


def test_accounts_stay_too(journal: Journal) -> None:
    """A sticky segment of accounts, beside users with the same numbers."""
    journal.create(NOW, definition("s", "did view in the last 1 hours", kind=ACCOUNT))
    assert journal.view(NOW, ANN, account="acme") == [("s", "event", [1], [])]
    assert journal.tick(NOW + HOUR) == []
    journal.apply(NOW + HOUR, model.DeleteSubject(USER, ANN))
    assert journal.members("s", ACCOUNT) == [1]
    assert journal.tick(NOW + 2 * HOUR) == [("s", "time", [], [1])]


# ---------------------------------------------------------------- merges and deletions


def merge(journal: Journal, at: int) -> Moves:
    """Bob becomes Ann."""
    return journal.apply(at, model.MergeSubjects(USER, BOB, ANN))


def test_the_survivor_has_the_later_deadline(journal: Journal) -> None:
    """Two who wait become one that waits as long as either would have."""
    journal.create(NOW, definition("s", PRO))
    for at, who in ((NOW, ANN), (NOW + 7, BOB)):
        journal.plan(at, who, "pro")
        journal.plan(at, who, "free")
    assert merge(journal, NOW + 10) == [("s", "merge", [], [2])]
    assert journal.engine.next_instant() == NOW + 7 + HOUR
    assert journal.tick(NOW + HOUR) == []
    assert journal.tick(NOW + 7 + HOUR) == [("s", "time", [], [1])]


def test_the_survivor_keeps_its_own_later_deadline(journal: Journal) -> None:
    """The other way round: the absorbed one's was the earlier."""
    journal.create(NOW, definition("s", PRO))
    for at, who in ((NOW, BOB), (NOW + 7, ANN)):
        journal.plan(at, who, "pro")
        journal.plan(at, who, "free")
    assert merge(journal, NOW + 10) == [("s", "merge", [], [1])]
    assert journal.tick(NOW + HOUR) == []
    assert journal.tick(NOW + 7 + HOUR) == [("s", "time", [], [2])]


def test_a_survivor_inherits_a_place_it_never_had(journal: Journal) -> None:
    """Sticky and once alike: in if either was."""
    journal.create(NOW, definition("s", PRO))
    journal.create(NOW, definition("o", PRO, Mode.ONCE))
    journal.plan(NOW, ANN, "free")
    journal.plan(NOW, BOB, "pro")
    journal.plan(NOW + 3, BOB, "free")
    assert merge(journal, NOW + 4) == [("o", "merge", [1], [2]), ("s", "merge", [1], [2])]
    assert journal.tick(NOW + 3 + HOUR) == [("s", "time", [], [1])]
    assert journal.members("o") == [1]


def test_where_the_rule_held_for_one_the_time_starts_with_the_merge(journal: Journal) -> None:
    """The absorbed one's value is overruled by the survivor's: the rule stops holding in that record."""
    journal.create(NOW, definition("s", PRO))
    journal.plan(NOW, ANN, "pro")
    journal.plan(NOW + 1, ANN, "free")
    journal.plan(NOW + 2, BOB, "pro")
    assert merge(journal, NOW + 50) == [("s", "merge", [], [2])]
    assert journal.tick(NOW + HOUR + 49) == []
    assert journal.tick(NOW + HOUR + 50) == [("s", "time", [], [1])]


def test_a_merge_that_makes_the_rule_hold_forgets_the_deadline(journal: Journal) -> None:
    """Together they viewed twice: the survivor waits no longer."""
    journal.create(NOW, definition("s", "did view at least 2 times in the last 1 hours", ttl=2 * HOUR))
    for offset in (0, 1):
        journal.view(NOW + offset, ANN)
    journal.tick(NOW + HOUR)  # waits for NOW + 3 h
    journal.view(NOW + HOUR, BOB)
    journal.view(NOW + HOUR + 1, ANN)
    assert merge(journal, NOW + HOUR + 2) == []
    assert journal.engine.next_instant() == NOW + 2 * HOUR
    assert journal.tick(NOW + 2 * HOUR) == []
    assert journal.tick(NOW + 4 * HOUR - 1) == []
    assert journal.tick(NOW + 4 * HOUR) == [("s", "time", [], [1])]


def test_a_device_that_turns_out_to_be_a_user_brings_its_stay(journal: Journal) -> None:
    """A merge by an event: the anonymous subject's deadline goes over."""
    journal.create(NOW, definition("s", "did view in the last 1 hours"))
    journal.plan(NOW, ANN, "x")
    journal.view(NOW, PHONE)
    journal.tick(NOW + HOUR)
    event = Event("", "login", (ANN, PHONE), None, NOW + HOUR, {}, {})
    assert journal.apply(NOW + HOUR + 5, model.IngestEvents((event,))) == [("s", "merge", [1], [2])]
    assert journal.tick(NOW + 2 * HOUR) == [("s", "time", [], [1])]


@pytest.mark.parametrize("holding", [True, False], ids=["while the rule holds", "while waiting"])
def test_the_deleted_are_kept_nowhere(journal: Journal, holding: bool) -> None:
    """A deleted subject leaves at once; the same name later is somebody new, for whom no time runs."""
    journal.create(NOW, definition("s", PRO))
    journal.create(NOW, definition("o", PRO, Mode.ONCE))
    journal.plan(NOW, ANN, "pro")
    if not holding:
        journal.plan(NOW, ANN, "free")
    gone = journal.apply(NOW + 1, model.DeleteSubject(USER, ANN))
    assert gone == [("o", "delete", [], [1]), ("s", "delete", [], [1])]
    assert journal.engine.next_instant() is None
    journal.plan(NOW + 2, ANN, "free")
    assert journal.members("s") == journal.members("o") == []
