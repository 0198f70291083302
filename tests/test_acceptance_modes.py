"""What Coterie promises its callers, continued: members that stay after the rule has stopped holding.

Runs against every backend, as `test_acceptance.py` does.
"""

from __future__ import annotations

from coterie.index.model import Mode, SubjectKind
from tests.backend import Backend, Moved, refuses
from tests.shop import event, user

SECOND, HOUR = 1_000, 3_600_000


def test_a_sticky_member_leaves_by_time_alone(backend: Backend) -> None:
    """The window has run out, the hour after it too: everyone who watches is told, in what nests it as well."""
    backend.create("warm", "did view in the last 10 minutes", mode=Mode.STICKY, ttl_ms=HOUR)
    backend.create("cold", "not in warm")
    since, begun = backend.position(), backend.now()
    backend.ingest([event("view", "u1")])
    ended = begun + HOUR // 6
    backend.advance_to(ended)
    backend.advance_to(ended + HOUR - 1)
    assert (backend.members("warm"), backend.count("cold")) == (["u1"], 0)
    backend.advance_to(ended + HOUR)
    assert not backend.check(user("u1"), "warm")
    assert backend.changes(since) == [
        Moved("warm", "u1", joined=True, cause="event"),
        Moved("cold", "u1", joined=True, cause="time"),
        Moved("warm", "u1", joined=False, cause="time"),
    ]


def test_a_stay_outlives_a_restart(backend: Backend) -> None:
    """Who is kept and until when is durable, for users and accounts."""
    backend.create("users", "did view in the last 10 minutes", mode=Mode.STICKY, ttl_ms=HOUR)
    backend.create("accounts", "did view in the last 10 minutes", SubjectKind.ACCOUNT, mode=Mode.STICKY, ttl_ms=HOUR)
    begun = backend.now()
    backend.ingest([event("view", "u1")._replace(account_id="acme")])
    backend.advance_to(begun + HOUR)
    backend.reopen()
    assert backend.members("users") == ["u1"]
    assert backend.members("accounts", SubjectKind.ACCOUNT) == ["acme"]
    backend.advance_to(begun + HOUR + HOUR // 6)
    assert backend.count("users") == backend.count("accounts", SubjectKind.ACCOUNT) == 0


def test_whoever_was_in_once_is_in_for_ever(backend: Backend) -> None:
    """Not who had satisfied the rule before there was the segment."""
    backend.set_attributes((user("u0"),), {"plan": "pro"})
    backend.set_attributes((user("u0"),), {"plan": "free"})
    backend.create("ever_pro", "user.plan = 'pro'", mode=Mode.ONCE)
    for plan in ("pro", "free"):
        backend.set_attributes((user("u1"),), {"plan": plan})
    backend.advance_to(backend.now() + 10_000 * HOUR)
    backend.reopen()
    assert backend.members("ever_pro") == ["u1"]


def test_an_edit_of_the_rule_begins_anew(backend: Backend) -> None:
    """Those who only stayed leave with the swap; those of the new rule are there, with the same time to live."""
    backend.create("s", "user.plan = 'pro'", mode=Mode.STICKY, ttl_ms=HOUR)
    for plan in ("pro", "free"):
        backend.set_attributes((user("u1"),), {"plan": plan})
    backend.set_attributes((user("u2"),), {"plan": "basic"})
    since = backend.position()
    backend.edit("s", "user.plan = 'basic'")
    assert sorted(backend.changes(since)) == [
        Moved("s", "u1", joined=False, cause="edit"),
        Moved("s", "u2", joined=True, cause="edit"),
    ]
    backend.set_attributes((user("u2"),), {"plan": "free"})
    left = backend.now() + HOUR
    backend.advance_to(left - 1)
    assert backend.members("s") == ["u2"]
    backend.advance_to(left)
    assert backend.members("s") == []


def test_a_mode_and_its_time_to_live_go_together(backend: Backend) -> None:
    """Sticky without one, another mode with one, one too short and one too long: all refused."""
    for mode, ttl_ms, reason in (
        (Mode.STICKY, 0, "FIELD_INVALID"),
        (Mode.LIVE, HOUR, "FIELD_INVALID"),
        (Mode.ONCE, HOUR, "FIELD_INVALID"),
        (Mode.STICKY, SECOND - 1, "FIELD_INVALID"),
        (Mode.STICKY, 3_650 * 24 * HOUR + 1, "LIMIT_EXCEEDED"),
    ):
        with refuses(reason):
            backend.create("s", "did view", mode=mode, ttl_ms=ttl_ms)
    backend.create("s", "did view", mode=Mode.STICKY, ttl_ms=SECOND)
