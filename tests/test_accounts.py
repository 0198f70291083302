"""Conditions on a user's account, and on an account's users: kept up to date from both sides.

Journals made by hand. Users are called u1, u2, …, accounts c1, c2, …
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coterie.index import model
from coterie.index.model import ANONYMOUS_ID, Cause, Change
from tests.account_journal import ACCOUNT, DAY, NOW, USER, Journal, account, event, names


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty dataset, whose journal must replay to the same changes and members."""
    held = Journal()
    yield held
    held.compare_replay()


# ---------------------------------------------------------------- a user's account


def test_an_account_attribute_reaches_all_its_users_at_once(journal: Journal) -> None:
    """The account changes: its users join and leave, those of other accounts do not."""
    journal.create("retail", "account.industry = 'retail'")
    journal.ingest(event("view", "u1", "c1"), event("view", "u2", "c1"), event("view", "u3", "c2"))
    assert journal.set_account("c1", industry="retail") == {"retail": (["u1", "u2"], [])}
    assert journal.members("retail") == ["u1", "u2"]
    assert journal.set_account("c1", industry="bank") == {"retail": ([], ["u1", "u2"])}


def test_a_user_moves_to_another_account(journal: Journal) -> None:
    """Whether by an attribute, or by the newest event that names an account; a late one moves nobody."""
    journal.create("retail", "account.industry = 'retail'")
    journal.set_account("c1", industry="retail")
    journal.set_account("c2", industry="bank")
    assert journal.set_user("u1", account_id="c1") == {"retail": (["u1"], [])}
    assert journal.set_user("u1", account_id="c2") == {"retail": ([], ["u1"])}
    journal.ingest(event("view", "u2", "c1", NOW))
    assert journal.members("retail") == ["u2"]
    assert journal.ingest(event("view", "u2", "c2", NOW - DAY)) == {}
    assert journal.ingest(event("view", "u2", "c2", NOW), at=NOW + 1) == {"retail": ([], ["u2"])}
    assert journal.set_user("u2", account_id=None) == {}


def test_no_account_satisfies_nothing_of_an_account(journal: Journal) -> None:
    """Neither a test that something is missing nor a `not` inside is true of a user without account; `not` outside is."""
    journal.create("unset", "account.industry is not set")
    journal.create("negative", "account (not did buy)")
    journal.create("outside", "not account (did buy)")
    assert journal.ingest(event("view", "u1")) == {"outside": (["u1"], [])}
    journal.set_user("u1", account_id="c1")
    assert journal.members("unset") == []
    assert journal.members("negative") == []


def test_an_account_is_born_after_its_users(journal: Journal) -> None:
    """From then on they have one: true of an empty account is true of them."""
    journal.create("quiet", "account (did not buy)")
    journal.create("buying", "account (did buy)")
    journal.set_user("u1", account_id="c1")
    journal.set_user("u2", account_id="c2")
    assert journal.ingest(event("view", (), "c1")) == {"quiet": (["u1"], [])}
    assert journal.ingest(event("buy", (), "c2")) == {"buying": (["u2"], [])}
    assert journal.ingest(event("buy", (), "c1")) == {"quiet": ([], ["u1"]), "buying": (["u1"], [])}


def test_user_account_and_affiliation_come_in_one_event(journal: Journal) -> None:
    """One event makes a user, an account and what is between them; an anonymous one is absorbed in the same record."""
    device = names("a1", namespace=ANONYMOUS_ID)
    journal.create("quiet", "account (did not buy)")
    journal.create("lively", "any user (did view)", ACCOUNT)
    journal.create("calm", "no user (did view)", ACCOUNT)
    moves = journal.ingest(event("view", device, "c1"), event("login", names("u1") + device, "c2"))
    assert moves == {"quiet": (["a1"], []), "calm": (["c1"], []), "lively": (["c2"], [])}
    both = names("a2", namespace=ANONYMOUS_ID)
    moves = journal.ingest(event("view", both, "c1"), event("login", names("u1") + both, "c3"))
    assert moves == {"lively": (["c3"], ["c2"]), "calm": (["c2"], [])}
    assert journal.members("quiet") == ["a1"]


def test_an_account_gets_its_identifier_later(journal: Journal) -> None:
    """An account known by another name becomes its users' the moment it has the account_id they name."""
    crm = names("x", namespace="crm_id")
    journal.create("large", "account.size > 10")
    journal.set_user("u1", account_id="c1")
    journal.set_user("u2", account_id="c2")
    journal.apply(model.SetAttributes((model.AttributeUpdate(ACCOUNT, crm, {"size": 50.0}),)))
    update = model.AttributeUpdate(ACCOUNT, account("c1") + crm, {})
    assert journal.apply(model.SetAttributes((update,))) == {"large": (["u1"], [])}
    update = model.AttributeUpdate(ACCOUNT, account("c1", "c2"), {})
    assert journal.apply(model.SetAttributes((update,))) == {"large": (["u2"], [])}


def test_time_moves_users_through_their_account(journal: Journal) -> None:
    """The account's window runs out, and its users leave at that millisecond, by time."""
    journal.create("active", "account (did login in the last 1 days)")
    journal.ingest(event("login", "u1", "c1", NOW))
    assert journal.engine.next_instant() == NOW + DAY
    assert journal.members("active") == ["u1"]
    journal.apply(model.Tick(), NOW + DAY - 1)
    assert journal.apply(model.Tick(), NOW + DAY) == {"active": ([], ["u1"])}
    (change,) = journal.outcomes[-1]
    assert isinstance(change, Change)
    assert change.cause is Cause.TIME


# ---------------------------------------------------------------- an account's users

QUANTITIES = {
    "some": "any user (user.plan = 'pro')",
    "all": "every user (user.plan = 'pro')",
    "none": "no user (user.plan = 'pro')",
    "two": "at least 2 users (user.plan = 'pro')",
    "few": "at most 1 users (user.plan = 'pro')",
    "one": "exactly 1 users (user.plan = 'pro')",
}


def test_quantities_from_no_user_on(journal: Journal) -> None:
    """Without users: `no` and `at most`, never `any` or `every`. Then one joins after the other."""
    for segment, rule in QUANTITIES.items():
        journal.create(segment, rule, ACCOUNT)

    def true_of(name: str) -> set[str]:
        return {segment for segment in QUANTITIES if name in journal.members(segment)}

    journal.set_account("c1")
    assert true_of("c1") == {"none", "few"}
    journal.set_user("u1", account_id="c1")
    assert true_of("c1") == {"none", "few"}
    journal.set_user("u1", plan="pro")
    assert true_of("c1") == {"some", "all", "few", "one"}
    journal.set_user("u2", account_id="c1")
    assert true_of("c1") == {"some", "few", "one"}
    joined: tuple[list[str], list[str]] = (["c1"], [])
    left = joined[::-1]
    assert journal.set_user("u2", plan="pro") == {"all": joined, "two": joined, "few": left, "one": left}
    journal.apply(model.DeleteSubject(USER, *names("u1")))
    assert true_of("c1") == {"some", "all", "few", "one"}
    journal.set_user("u2", account_id=None)
    assert true_of("c1") == {"none", "few"}


def test_what_is_true_of_nobody_in_particular_is_counted(journal: Journal) -> None:
    """A user who never did anything satisfies `did not …`, and counts as soon as it belongs to the account."""
    journal.create("idle", "every user (did not buy)", ACCOUNT)
    journal.create("busy", "no user (did not buy)", ACCOUNT)
    assert journal.set_account("c1") == {"busy": (["c1"], [])}
    assert journal.set_user("u1", account_id="c1") == {"idle": (["c1"], []), "busy": ([], ["c1"])}
    assert journal.ingest(event("buy", "u1")) == {"idle": ([], ["c1"]), "busy": (["c1"], [])}
    assert journal.apply(model.DeleteSubject(USER, *names("u1"))) == {}
    assert journal.members("busy") == ["c1"]


def test_users_are_merged(journal: Journal) -> None:
    """Two users become one: the account has one fewer, and who goes to another account goes with all it did."""
    journal.create("two", "at least 2 users (did view)", ACCOUNT)
    journal.create("some", "any user (did view at least 2 times)", ACCOUNT)
    journal.ingest(event("view", "u1", "c1"), event("view", "u2", "c1"), event("view", "u3", "c2"))
    assert journal.members("two") == ["c1"]
    moves = journal.apply(model.MergeSubjects(USER, *names("u1", "u2")))
    assert moves == {"two": ([], ["c1"]), "some": (["c1"], [])}
    journal.apply(model.MergeSubjects(USER, *names("u2", "u3")), NOW + 1)
    assert journal.members("some") == ["c2"]


def test_accounts_are_merged_and_deleted(journal: Journal) -> None:
    """The survivor has all the users, under either name; after a deletion they have none until it is born anew."""
    journal.create("two", "at least 2 users (did view)", ACCOUNT)
    journal.create("large", "account.size > 10")
    journal.create("silent", "not account (did buy)")
    journal.ingest(event("view", "u1", "c1"), event("view", "u2", "c2"), event("buy", (), "c2"))
    journal.set_account("c2", size=50.0)
    assert journal.members("silent") == ["u1"]
    moves = journal.apply(model.MergeSubjects(ACCOUNT, *account("c2", "c1")))
    assert moves == {"two": (["c1"], []), "large": (["u1"], []), "silent": ([], ["u1"])}
    assert journal.set_user("u3", account_id="c2") == {"large": (["u3"], [])}
    moves = journal.apply(model.DeleteSubject(ACCOUNT, *account("c2")))
    assert moves == {"two": ([], ["c1"]), "large": ([], ["u1", "u2", "u3"]), "silent": (["u1", "u2", "u3"], [])}
    assert journal.set_account("c2", size=20.0) == {"large": (["u2", "u3"], [])}
    assert journal.members("two") == []
    journal.ingest(event("view", "u3"))
    assert journal.members("two") == ["c2"]


def test_an_attribute_of_another_type_names_no_account(journal: Journal) -> None:
    """Where `account_id` was first set to a number, nobody has an account."""
    journal.create("quiet", "account (did not buy)")
    journal.set_account("1")
    journal.set_user("u1", account_id=1.0)
    assert journal.members("quiet") == []
