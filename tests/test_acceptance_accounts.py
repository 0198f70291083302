"""What Coterie promises its callers, continued: users through their account, accounts through their users.

Runs against every backend, as `test_acceptance.py` does.
"""

from __future__ import annotations

from coterie.index.model import ACCOUNT_ID, Identifier, SubjectKind
from tests.backend import Backend, Moved
from tests.shop import event, user

DAY = 86_400_000
ACCOUNT = SubjectKind.ACCOUNT


def company(name: str) -> tuple[Identifier, ...]:
    """Returns what names an account."""
    return (Identifier(ACCOUNT_ID, name),)


def test_users_follow_what_is_known_of_their_account(backend: Backend) -> None:
    """An attribute of the account, its events and its segments reach its users, in the same revision."""
    backend.create("enterprise", "account.seats >= 100", ACCOUNT)
    backend.create("reps", "account (in enterprise) and did login")
    backend.create("retail", "account.industry = 'retail' and not account (did cancel)")
    backend.ingest(
        [event("login", "ann", account="acme"), event("login", "bob", account="acme"), event("login", "cho")]
    )
    assert backend.count("reps") == 0
    since = backend.position()
    backend.set_attributes(company("acme"), {"seats": 250.0, "industry": "retail"}, ACCOUNT)
    assert backend.members("enterprise", ACCOUNT) == ["acme"]
    assert backend.members("reps") == backend.members("retail") == ["ann", "bob"]
    assert backend.changes(since) == [
        Moved("enterprise", "acme", joined=True, cause="attribute"),
        *(
            Moved(segment, who, joined=True, cause="attribute")
            for segment in ("reps", "retail")
            for who in ("ann", "bob")
        ),
    ]
    backend.ingest([event("cancel", "bob", account="acme")])
    assert backend.members("retail") == []
    backend.set_attributes((user("ann"),), {"account_id": "other"})
    assert backend.members("reps") == ["bob"]


def test_accounts_follow_their_users(backend: Backend) -> None:
    """Joining, moving, being merged and being deleted are counted, each at once; without users only `no` is true."""
    backend.create("alive", "any user (did login in the last 7 days)", ACCOUNT)
    backend.create("pairs", "at least 2 users (did login)", ACCOUNT)
    backend.create("idle", "no user (did login in the last 7 days)", ACCOUNT)
    backend.create("all_in", "every user (did login)", ACCOUNT)
    backend.set_attributes(company("acme"), {"seats": 3.0}, ACCOUNT)
    assert [backend.members(name, ACCOUNT) for name in ("alive", "pairs", "idle", "all_in")] == [[], [], ["acme"], []]
    backend.ingest([event("login", "ann", account="acme"), event("view", "bob", account="acme")])
    assert [backend.members(name, ACCOUNT) for name in ("alive", "pairs", "idle", "all_in")] == [["acme"], [], [], []]
    backend.ingest([event("login", "bob")])
    assert backend.members("pairs", ACCOUNT) == backend.members("all_in", ACCOUNT) == ["acme"]
    backend.merge(user("bob"), user("ann"))
    assert (backend.count("pairs", ACCOUNT), backend.members("all_in", ACCOUNT)) == (0, ["acme"])
    backend.advance_to(backend.now() + 7 * DAY)
    assert (backend.count("alive", ACCOUNT), backend.count("not idle", ACCOUNT)) == (0, 0)
    backend.forget(user("ann"))
    assert (backend.count("all_in", ACCOUNT), backend.members("idle", ACCOUNT)) == (0, ["acme"])


def test_an_edit_on_one_side_is_seen_on_the_other(backend: Backend) -> None:
    """A segment of accounts is given another rule; users in what nests it join and leave with that edit."""
    backend.ingest([event("login", "ann", account="acme"), event("view", "bob", account="beta")])
    backend.create("lively", "any user (did login)", ACCOUNT)
    backend.create("reps", "account (in lively)")
    assert backend.members("reps") == ["ann"]
    backend.edit("lively", "no user (did login)")
    assert backend.members("reps") == ["bob"]
    backend.reopen()
    assert backend.members("reps") == ["bob"]
    backend.ingest([event("login", "bob")])
    assert backend.members("reps") == []
