"""The oracle itself, held against examples computed by hand: sticky and once segments."""

from __future__ import annotations

import pytest

from coterie.index.model import (
    AttributeUpdate,
    DeleteSubject,
    MergeSubjects,
    Mode,
    SetAttributes,
    SubjectKind,
    Tick,
)
from tests.oracle_examples import NOON, Journal
from tests.shop import device, event, user

USER = SubjectKind.USER
TTL = 1_000


def lately(mode: Mode, ttl_ms: int = 0) -> Journal:
    """Returns a journal with a segment of those who bought in the last second, and u1 who buys at noon."""
    journal = Journal()
    journal.apply(Tick())
    journal.create("s", "did buy in the last 1 second", mode=mode, ttl_ms=ttl_ms)
    journal.ingest(event("buy", "u1"))
    return journal


def test_sticky_members_stay_for_the_ttl_after_the_record_that_found_the_rule_false() -> None:
    """The rule ends at 1 000 ms; a record at 1 000 starts the time, one at 1 500 would start it then."""
    for stopped in (1_000, 1_500):
        journal = lately(Mode.STICKY, TTL)
        journal.apply(Tick(), stopped)
        assert journal.data.members("s") == {1}
        assert journal.data.members("s", NOON + stopped + TTL - 1) == {1}
        assert journal.data.members("s", NOON + stopped + TTL) == set()
        journal.apply(Tick(), stopped + TTL - 1)
        assert journal.data.members("s") == {1}
        journal.apply(Tick(), stopped + TTL)
        assert journal.data.members("s") == set()


def test_a_sticky_member_for_whom_the_rule_holds_again_is_kept_from_its_next_end() -> None:
    """The first deadline, at 2 000 ms, is forgotten."""
    journal = lately(Mode.STICKY, TTL)
    journal.apply(Tick(), 1_000)
    journal.ingest(event("buy", "u1"), at=1_500)
    journal.apply(Tick(), 2_600)
    assert journal.data.members("s", NOON + 3_599) == {1}
    assert journal.data.members("s", NOON + 3_600) == set()


def test_once_is_for_ever() -> None:
    """Until the subject is deleted."""
    journal = lately(Mode.ONCE)
    journal.apply(Tick(), 10**9)
    assert journal.data.members("s") == {1}
    journal.apply(DeleteSubject(USER, user("u1")), 10**9)
    assert journal.data.members("s") == set()


@pytest.mark.parametrize("mode", [Mode.STICKY, Mode.ONCE])
def test_what_is_true_within_a_record_only_is_not_kept(mode: Mode) -> None:
    """An event that waited comes due in the record that takes its subject's account away."""
    journal = Journal()
    journal.apply(Tick())
    journal.create("s", "did buy and user.plan = 'pro'", mode=mode, ttl_ms=TTL)
    journal.set(USER, user("u1"), plan="pro")
    journal.ingest(event("buy", "u1", NOON + 100))
    assert journal.data.members("s", NOON + 100) == {1}
    free = SetAttributes((AttributeUpdate(USER, (user("u1"),), {"plan": "free"}),))
    journal.apply(free, 100)
    assert journal.data.members("s") == set()


def test_what_is_true_at_activation_is_kept_and_an_edit_starts_anew() -> None:
    """A new name changes nothing; another ttl, mode or rule forgets whom the old definition kept."""
    journal = lately(Mode.ONCE)
    journal.create("t", "did buy in the last 1 second", mode=Mode.ONCE)
    journal.apply(Tick(), 5_000)
    assert journal.data.members("t") == {1}
    journal.edit("t", "did buy in the last 1 second", 5_000, mode=Mode.ONCE, display_name="T")
    assert journal.data.members("t") == {1}
    journal.edit("t", "did buy in the last 1 second", 5_000, mode=Mode.STICKY, ttl_ms=TTL)
    assert journal.data.members("t") == set()
    journal.edit("s", "did buy in the last 2 seconds", 5_000, mode=Mode.ONCE)
    assert journal.data.members("s") == set()


def test_a_survivor_is_kept_if_either_was_with_the_later_deadline() -> None:
    """a1 is kept until 2 000 ms, u1 until 2 500; either way round."""
    for absorbed, survivor, left in ((device("a1"), user("u1"), 2), (user("u1"), device("a1"), 1)):
        journal = Journal()
        journal.apply(Tick())
        journal.create("s", "did buy in the last 1 second", mode=Mode.STICKY, ttl_ms=TTL)
        journal.ingest(event("buy", (device("a1"),)))
        journal.ingest(event("buy", "u1", NOON + 1))
        journal.apply(Tick(), 1_000)
        journal.apply(Tick(), 1_500)
        journal.apply(MergeSubjects(USER, absorbed, survivor), 1_600)
        assert journal.data.members("s", NOON + 2_499) == {left}
        assert journal.data.members("s", NOON + 2_500) == set()


def test_a_merge_that_ends_the_rule_starts_the_time() -> None:
    """Bought exactly once holds for each and not for both together."""
    journal = Journal()
    journal.apply(Tick())
    journal.create("s", "did buy exactly 1 time", mode=Mode.STICKY, ttl_ms=TTL)
    journal.ingest(event("buy", (device("a1"),)), event("buy", "u1"))
    journal.apply(MergeSubjects(USER, device("a1"), user("u1")), 500)
    assert journal.data.members("s", NOON + 1_499) == {2}
    assert journal.data.members("s", NOON + 1_500) == set()


def test_segments_that_nest_a_sticky_one_see_whom_it_keeps() -> None:
    """Membership is what is nested, not the rule."""
    journal = lately(Mode.STICKY, TTL)
    journal.create("t", "not in s")
    journal.apply(Tick(), 1_000)
    assert journal.data.members("t") == set()
    journal.apply(Tick(), 2_000)
    assert journal.data.members("t") == {1}
