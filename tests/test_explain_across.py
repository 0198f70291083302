"""Explanations of what is asked of accounts and users by each other, and of members that stay."""

from __future__ import annotations

from typing import Any

import pytest

from coterie.index import model
from coterie.index.errors import LimitExceeded
from coterie.index.model import Identifier, Mode, SubjectKind
from tests.explained_shop import DAY, HOUR, MINUTE, NOW, USER, Shop, shop


def _firm(users: int = 3, **settings: Any) -> Shop:
    """An account with users, of whom the first alone viewed an hour ago, and with an event that names nobody."""
    made = Shop(**settings)
    for number in range(1, users + 1):
        who = (Identifier("user_id", f"u{number}"),)
        made.happen("login", DAY + number, who, account="c1")
    made.happen("view", HOUR, account="c1")
    made.happen("invoice", 2 * DAY, (), account="c1", total=80.0)
    made.know((Identifier("account_id", "c1"),), SubjectKind.ACCOUNT, industry="retail")
    return made


def test_what_is_asked_of_a_users_account_is_explained() -> None:
    """The account's rule stands beneath, with the account's values; a user without an account has none."""
    made = _firm()
    made.segment("buyers", "did invoice in the last 7 days", subject_kind=SubjectKind.ACCOUNT)
    made.happen("view", HOUR + 1, (Identifier("user_id", "alone"),))
    rule = "account.industry = 'retail' and account (sum(invoice.total) >= 80 and in buyers)"
    root = made.rule(rule)
    industry, firm = root.children
    assert (industry.text, industry.value, industry.threshold) == ("account.industry = 'retail'", "retail", "retail")
    spent, buyers = firm.children[0].children
    assert (spent.text, spent.value, spent.newest and spent.newest.type) == (
        "sum(invoice.total) >= 80",
        80.0,
        "invoice",
    )
    assert buyers.children[0].next_flip == firm.next_flip == root.next_flip == NOW + 5 * DAY
    answer = made.explain("s", (Identifier("user_id", "alone"),))
    assert answer.segment is not None
    assert [(node.holds, node.value, node.children) for node in answer.segment.children[0].children] == [
        (False, None, [])
    ] * 2


def test_what_is_asked_of_an_accounts_users_is_explained() -> None:
    """How many of them satisfy, and when time alone changes the answer; also from a user's side."""
    made = _firm()
    account = (Identifier("account_id", "c1"),)
    asked = (
        ("any user (did view in the last 1 day)", 1.0, ("at least 1 user", 1.0, None), 23 * HOUR),
        ("at least 2 users (did login in the last 2 days)", 3.0, ("at least 2 users", 2.0, None), DAY - 2),
        ("every user (did login)", 3.0, ("every user", 3.0, None), None),
        ("no user (did view)", 1.0, ("exactly 0 users", 0.0, None), None),
    )
    for number, (text, value, bar, after) in enumerate(asked):
        made.segment(f"firms{number}", text, subject_kind=SubjectKind.ACCOUNT)
        answer = made.explain(f"firms{number}", account, SubjectKind.ACCOUNT)
        assert answer.segment is not None
        node = answer.segment.children[0]
        assert (node.text, node.value, (node.condition, node.threshold, node.upper)) == (text, value, bar)
        assert node.next_flip == (None if after is None else NOW + after)
    root = made.rule("account (any user (did view in the last 1 day))")
    assert root.children[0].value == 1.0
    assert root.next_flip == NOW + 23 * HOUR


def test_an_account_with_too_many_users_is_refused() -> None:
    """Only where the rule looks at them."""
    made = _firm(users=3, max_explain_users=2)
    made.segment("firms", "any user (did view)", subject_kind=SubjectKind.ACCOUNT)
    made.segment("retail", "account.industry = 'retail'", subject_kind=SubjectKind.ACCOUNT)
    account = (Identifier("account_id", "c1"),)
    made.explain("retail", account, SubjectKind.ACCOUNT)
    with pytest.raises(LimitExceeded, match="users of an account"):
        made.explain("firms", account, SubjectKind.ACCOUNT)


def test_a_member_that_stays_is_explained() -> None:
    """The rule does not hold, the membership does; it ends at its deadline, or never."""
    made = shop()
    for name, mode, ttl in (("sticky", Mode.STICKY, 3 * DAY), ("once", Mode.ONCE, 0)):
        made.segment(name, "did view in the last 7 days", mode=mode, ttl_ms=ttl)
    made.segment("both", "in sticky and in once")
    left = NOW + 7 * DAY - MINUTE
    for name, flip in (("sticky", left + 3 * DAY), ("once", None), ("both", left + 3 * DAY)):
        for at in (NOW, left):  # promised while the rule holds as when it no longer does
            made.apply(model.Tick(), at)
            answer = made.explain(name)
            assert answer.segment is not None
            assert (answer.member, answer.segment.next_flip) == (True, flip)
    answer = made.explain("sticky")
    assert answer.segment is not None
    assert (answer.mode, answer.segment.children[0].holds) == (Mode.STICKY, False)
    dense = made.engine.find(SubjectKind.USER, USER)
    assert dense is not None
    made.apply(model.Tick(), left + 3 * DAY - 1)
    assert made.engine.is_member("both", dense)
    made.apply(model.Tick(), left + 3 * DAY)
    assert not made.engine.is_member("both", dense)


def test_accounts_are_explained_too() -> None:
    """By the events that carry them."""
    made = shop()
    made.happen("login", HOUR, account="c1")
    account = (Identifier("account_id", "c1"),)
    made.know(account, SubjectKind.ACCOUNT, seats=3.0)
    made.segment("firms", "did login in the last 1 day and account.seats > 2", subject_kind=SubjectKind.ACCOUNT)
    answer = made.explain("firms", account, SubjectKind.ACCOUNT)
    assert answer.segment is not None
    assert (answer.member, answer.segment.next_flip) == (True, NOW + DAY - HOUR)
