"""The oracle itself, held against examples computed by hand: types of attributes in rules."""

from __future__ import annotations

import pytest

from coterie.index.model import (
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
    UpdateSegment,
    ValueKind,
)
from coterie.index.rules import parse
from tests.oracle_examples import Journal
from tests.oracle_rules import type_error
from tests.shop import user

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
TTL = 1_000


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


def test_a_rule_with_a_type_error_is_refused_when_saved() -> None:
    """By creating and by editing; what is known later changes nothing."""
    journal = Journal()
    assert journal.create("early", "user.plan = 1") == ""
    journal.set(USER, user("u1"), plan="pro")
    assert journal.create("s", "user.plan = 1") == "RULE_INVALID"
    assert journal.create("early", "user.plan = 1") == "SEGMENT_EXISTS"
    assert journal.create("s", "user.plan = 'pro'") == ""
    wrong = UpdateSegment(SegmentDefinition("s", SegmentKind.RULE, USER, "user.plan > 1"))
    assert journal.apply(wrong) == "RULE_INVALID"
    assert journal.data.members("s") == {1}
