"""The oracle itself, held against examples computed by hand: accounts and their users."""

from __future__ import annotations

import pytest

from coterie.index.model import (
    ACCOUNT_ID,
    DeleteSubject,
    Identifier,
    MergeSubjects,
    SubjectKind,
)
from coterie.index.rules import parse
from tests.oracle_examples import NOON, Journal
from tests.oracle_rules import named_in
from tests.shop import event, user

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
TTL = 1_000


def account(name: str) -> Identifier:
    """Returns an account_id."""
    return Identifier(ACCOUNT_ID, name)


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
