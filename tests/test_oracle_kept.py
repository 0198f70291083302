"""The oracle itself, held against examples computed by hand: accounts and their users, latches, types of attributes."""

from __future__ import annotations

from typing import Any

import pytest

from coterie.index.model import (
    ACCOUNT_ID,
    ActivateBuild,
    AttributeUpdate,
    CreateSegment,
    DeleteSubject,
    Identifier,
    IngestEvents,
    MergeSubjects,
    Mode,
    Payload,
    Record,
    SegmentDefinition,
    SegmentKind,
    SetAttributes,
    SubjectKind,
    Tick,
    UpdateSegment,
    Value,
    ValueKind,
)
from coterie.index.rules import parse
from tests import oracle, oracle_dataset
from tests.oracle_dataset import Dataset, Moment
from tests.oracle_examples import NOON
from tests.oracle_rules import named_in, type_error
from tests.shop import device, event, user

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
TTL = 1_000


class Journal:
    """A dataset, and records for it one after the other."""

    def __init__(self) -> None:
        self.data = Dataset("UTC", parse)
        self.revision = 0

    def apply(self, payload: Payload, at: int = 0) -> str:
        """Applies a record, `at` milliseconds after noon; returns the error it must have ended with."""
        self.revision += 1
        expected = self.data.apply(Record(self.revision, NOON + at, payload))
        self.data.end_record()
        return expected.error

    def ingest(self, *events: Any, at: int = 0) -> None:
        """Applies a record of events."""
        self.apply(IngestEvents(events), at)

    def set(self, kind: SubjectKind, who: Identifier, **values: Value | None) -> None:
        """Applies a record of attributes."""
        self.apply(SetAttributes((AttributeUpdate(kind, (who,), values),)))

    def create(self, name: str, rule: str, kind: SubjectKind = USER, **rest: Any) -> str:
        """Creates and activates a rule segment."""
        error = self.apply(CreateSegment(SegmentDefinition(name, SegmentKind.RULE, kind, rule, **rest)))
        return error or self.apply(ActivateBuild(name))

    def edit(self, name: str, rule: str, at: int, **rest: Any) -> None:
        """Edits a segment and activates the edit."""
        self.apply(UpdateSegment(SegmentDefinition(name, SegmentKind.RULE, USER, rule, **rest)), at)
        self.apply(ActivateBuild(name), at)

    def satisfying(self, rule: str, kind: SubjectKind = USER) -> set[str]:
        """Returns the first identifiers of those who satisfy a rule now."""
        subjects = self.data.of_kind[kind]
        moment = Moment(self.data, kind, self.data.now)
        return {subjects.identifiers[subject][0].value for subject in oracle.members(parse(rule), moment)}


def account(name: str) -> Identifier:
    """Returns an account_id."""
    return Identifier(ACCOUNT_ID, name)


# ---------------------------------------------------------------- accounts and their users


@pytest.fixture
def company() -> Journal:
    """c1 has u1 and u2, of whom u1 bought; c2 has nobody; u3 has no account."""
    journal = Journal()
    journal.ingest(event("buy", "u1", account="c1"), event("view", "u2", account="c1"), event("view", "u3"))
    journal.set(ACCOUNT, account("c1"), industry="retail")
    journal.set(ACCOUNT, account("c2"), industry="retail")
    return journal


@pytest.mark.parametrize(
    ("rule", "users"),
    [
        ("account.industry = 'retail'", {"u1", "u2"}),
        ("account (account.industry = 'retail')", {"u1", "u2"}),
        ("account.industry is not set", set()),
        ("account.size is not set", {"u1", "u2"}),
        ("not (account.industry = 'retail')", {"u3"}),
        ("account (not (account.industry = 'food'))", {"u1", "u2"}),
        ("account (did buy)", {"u1", "u2"}),
        ("account (did view exactly 1 time) and did view", {"u2"}),
        ("account (every user (did buy))", set()),
    ],
)
def test_account_leaves_ask_the_users_account(company: Journal, rule: str, users: set[str]) -> None:
    """A user without an account satisfies none of them, whatever is asked."""
    assert company.satisfying(rule) == users


@pytest.mark.parametrize(
    ("rule", "accounts"),
    [
        ("any user (did buy)", {"c1"}),
        ("every user (did buy)", set()),
        ("every user (did buy or did view)", {"c1"}),
        ("no user (did buy)", {"c2"}),
        ("no user (did login)", {"c1", "c2"}),
        ("at least 2 users (did any event)", {"c1"}),
        ("at most 1 users (did any event)", {"c2"}),
        ("exactly 1 users (did buy)", {"c1"}),
        ("any user (account.industry = 'retail')", {"c1"}),
        ("every user (not (did login))", {"c1"}),
    ],
)
def test_account_rules_count_the_accounts_users(company: Journal, rule: str, accounts: set[str]) -> None:
    """An account without users satisfies `no user` and `at most`, never `any` or `every`."""
    assert company.satisfying(rule, ACCOUNT) == accounts


def test_a_users_account_is_the_one_its_account_id_names(company: Journal) -> None:
    """Set by hand or by the newest event; an account that is not live is none."""
    company.set(USER, user("u3"), account_id="c2")
    assert company.satisfying("account (did buy)") == {"u1", "u2"}
    assert company.satisfying("any user (did view)", ACCOUNT) == {"c1", "c2"}
    company.set(USER, user("u3"), account_id="c9")
    assert company.satisfying("any user (did view)", ACCOUNT) == {"c1"}
    company.ingest(event("view", "u1", NOON - 1, account="c2"))  # older than what is known
    assert company.satisfying("any user (did buy)", ACCOUNT) == {"c1"}
    company.ingest(event("view", "u1", account="c2"))
    assert company.satisfying("any user (did buy)", ACCOUNT) == {"c2"}
    company.apply(DeleteSubject(ACCOUNT, account("c2")))
    assert company.satisfying("account.industry is set or account.industry is not set") == {"u2"}


def test_a_merged_account_has_the_users_of_both(company: Journal) -> None:
    """Any of its identifiers names it."""
    company.set(USER, user("u3"), account_id="c2")
    company.apply(MergeSubjects(ACCOUNT, account("c1"), account("c2")))
    assert company.satisfying("exactly 3 users (did any event)", ACCOUNT) == {"c2"}
    assert company.satisfying("account (did buy)") == {"u1", "u2", "u3"}


def test_a_hand_set_account_stays_until_a_newer_event_and_removal_too(company: Journal) -> None:
    """An event of the same time as the newest seen is the later one."""
    company.set(USER, user("u1"), account_id=None)
    assert company.satisfying("account (did buy)") == {"u2"}
    company.ingest(event("login", "u1", NOON - 1, account="c1"))
    assert company.satisfying("account (did buy)") == {"u2"}
    company.ingest(event("login", "u1", account="c1"))
    assert company.satisfying("account (did buy)") == {"u1", "u2"}


def test_segments_nest_across_kinds(company: Journal) -> None:
    """`account (in …)` asks for accounts, `any user (in …)` for users, and both are named by the rule."""
    company.create("buyers", "did buy")
    company.create("buying", "any user (in buyers)", ACCOUNT)
    company.create("colleagues", "account (in buying) and not in buyers")
    assert company.data.members("buying") == {1}
    assert company.data.members("colleagues") == {2}
    assert named_in(parse("account (in a and any user (in b or at least 1 of (in c, not in d)))")) == set("abcd")
    assert company.data.dependents("buying") == {"colleagues"}


# ---------------------------------------------------------------- sticky and once


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


# ---------------------------------------------------------------- types of attributes

TYPES = {
    USER: {"t": ValueKind.TEXT, "n": ValueKind.NUMBER, "b": ValueKind.BOOLEAN, "i": ValueKind.INSTANT}
    | {"l": ValueKind.LIST, "home_latitude": ValueKind.TEXT, "longitude": ValueKind.NUMBER},
    ACCOUNT: {"n": ValueKind.TEXT},
}


@pytest.mark.parametrize(
    ("test", "fits"),
    [
        ("= 'a'", "t"),
        ("!= 'a'", "t"),
        ("> version('4.2')", "t"),
        ("> 1", "n"),
        ("between 1 and 2", "n"),
        ("between 'a' and 'b'", "t"),
        ("= true", "b"),
        ("< 2026-05-01", "i"),
        ("between 2026-05-01 and 2026-05-02T00:00Z", "i"),
        ("in ('a', 'b')", "tl"),
        ("not in ('a', 1)", "tln"),
        ("in (1, 2)", "n"),
        ("contains 'a'", "tl"),
        ("does not contain 'a'", "tl"),
        ("starts with 'a'", "t"),
        ("more than 1 day ago", "i"),
        ("is not set", "tnbil"),
    ],
)
def test_which_tests_fit_which_kind(test: str, fits: str) -> None:
    """Everything else can never be true, nor false but for the type."""
    for name in "tnbil":
        assert type_error(parse(f"user.{name} {test}"), USER, TYPES) is (name not in fits), name
    assert not type_error(parse(f"user.unknown {test}"), USER, TYPES)
    assert not type_error(parse(f"current.n {test}"), USER, TYPES)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("user.home within 1 km of (1, 1)", True),
        ("user.location within 1 km of (1, 1)", False),
        ("did buy and not (user.n = 'a')", True),
        ("at least 1 of (did buy, user.n = 1)", False),
        ("account.n = 'a'", False),
        ("account.n = 1", True),
        ("account (account.n = 1)", True),
        ("account (any user (user.n = 1))", False),
        ("account (any user (user.n = 'a'))", True),
    ],
)
def test_types_are_those_of_the_subject_that_is_asked(rule: str, wrong: bool) -> None:
    """An attribute of users may have another type than that of accounts; pairs of places are numbers."""
    assert type_error(parse(rule), USER, TYPES) is wrong


def test_a_rule_with_a_type_error_is_refused_when_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """By creating and by editing; what is known later changes nothing."""
    monkeypatch.setattr(oracle_dataset, "ENGINE_CHECKS_TYPES", True)
    journal = Journal()
    assert journal.create("early", "user.plan = 1") == ""
    journal.set(USER, user("u1"), plan="pro")
    assert journal.create("s", "user.plan = 1") == "RULE_INVALID"
    assert journal.create("early", "user.plan = 1") == "SEGMENT_EXISTS"
    assert journal.create("s", "user.plan = 'pro'") == ""
    wrong = UpdateSegment(SegmentDefinition("s", SegmentKind.RULE, USER, "user.plan > 1"))
    assert journal.apply(wrong) == "RULE_INVALID"
    assert journal.data.members("s") == {1}
