"""What Coterie promises its callers, written once and run against every backend: events, time, rules.

The same scenarios run against the engine in memory, against one that is reopened after every write, and
over gRPC. Instants are set by hand: nothing here waits.
"""

from __future__ import annotations

import pytest

from coterie.index.model import SubjectKind, Universe
from tests.backend import Backend, Moved
from tests.shop import device, event, user

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ACCOUNT = SubjectKind.ACCOUNT


# ---------------------------------------------------------------- events


def test_what_an_event_changes_is_seen_by_the_next_read(backend: Backend) -> None:
    """Check, list and count agree right after the acknowledgement."""
    backend.create("buyers", "did purchase")
    backend.ingest([event("purchase", "u1"), event("view", "u2")])
    assert [backend.check(user(name), "buyers") for name in ("u1", "u2")] == [True, False]
    assert backend.members("buyers") == ["u1"]
    assert backend.count("buyers") == 1
    assert backend.members("not buyers") == ["u2"]
    assert backend.segments_of(user("u1")) == {"buyers"}


def test_a_retried_event_counts_once_and_loses_nothing(backend: Backend) -> None:
    """A duplicate is counted in the answer, is no error, and takes nothing else with it."""
    backend.create("twice", "did purchase at least 2 times")
    first = event("purchase", event_id="e1", time=backend.now())
    assert backend.ingest([first, first, event("view", event_id="e2")])[:2] == (2, 1)
    backend.reopen()
    assert backend.ingest([first])[:2] == (0, 1)
    assert not backend.check(user("u1"), "twice")
    assert backend.ingest([event("purchase", event_id="e3")])[:2] == (1, 0)
    assert backend.check(user("u1"), "twice")


def test_an_event_too_far_ahead_is_refused_and_the_others_are_taken(backend: Backend) -> None:
    """Five minutes ahead waits for its time; a millisecond more is refused, with its index and field."""
    backend.create("buyers", "did purchase")
    ahead = backend.now() + 5 * MINUTE
    answer = backend.ingest([event("purchase", "u2", ahead + HOUR), event("purchase", "u1", ahead)])
    assert (answer.accepted, answer.duplicates) == (1, 0)
    assert [(index, reason) for index, reason, _ in answer.refused] == [(0, "EVENT_TIME_IN_FUTURE")]
    assert "time" in answer.refused[0][2]
    backend.advance_to(ahead - 1)
    assert backend.members("buyers") == []
    backend.advance_to(ahead)
    assert backend.members("buyers") == ["u1"]


def test_an_old_event_counts_where_it_still_belongs(backend: Backend) -> None:
    """Years old is normal: all time sees it, the last 30 days do not."""
    backend.create("ever", "did purchase")
    backend.create("recent", "did purchase in the last 30 days")
    backend.create("before", "did purchase before 2020-01-01")
    backend.ingest([event("purchase", time=backend.now() - 3000 * DAY)])
    assert backend.segments_of(user("u1")) == {"ever", "before"}


# ---------------------------------------------------------------- time


def test_a_window_runs_out_at_its_millisecond_without_an_event(backend: Backend) -> None:
    """Inside from t on, outside from t + 1 hour on; who must not have done it enters at that instant."""
    backend.create("active", "did view in the last 1 hour")
    backend.create("quiet", "did not view in the last 1 hour")
    t = backend.now()
    backend.ingest([event("view", time=t)])
    backend.advance_to(t + HOUR - 1)
    assert backend.segments_of(user("u1")) == {"active"}
    since = backend.position()
    backend.advance_to(t + HOUR)
    assert backend.segments_of(user("u1")) == {"quiet"}
    assert sorted(backend.changes(since)) == [
        Moved("active", "u1", joined=False, cause="time"),
        Moved("quiet", "u1", joined=True, cause="time"),
    ]


def test_days_change_at_local_midnight(backend: Backend) -> None:
    """Noon in UTC is 13:00 in Paris; its day ends an hour earlier there, and is yesterday for a day."""
    backend.create("today-utc", "did view today")
    backend.create("today-paris", "did view today in 'Europe/Paris'")
    backend.create("yesterday-paris", "did view yesterday in 'Europe/Paris'")
    noon = backend.now()
    backend.ingest([event("view", time=noon)])
    backend.advance_to(noon + 11 * HOUR - 1)
    assert backend.segments_of(user("u1")) == {"today-utc", "today-paris"}
    backend.advance_to(noon + 11 * HOUR)
    assert backend.segments_of(user("u1")) == {"today-utc", "yesterday-paris"}
    backend.advance_to(noon + 12 * HOUR)
    assert backend.segments_of(user("u1")) == {"yesterday-paris"}
    backend.advance_to(noon + 35 * HOUR)
    assert backend.segments_of(user("u1")) == set()


def test_between_two_ages_members_come_and_go(backend: Backend) -> None:
    """`between 2 and 1 days ago` begins a day after the event and ends two days after it."""
    backend.create("lapsing", "did login between 2 and 1 days ago")
    t = backend.now()
    backend.ingest([event("login", time=t)])
    seen = []
    for instant in (t + DAY - 1, t + DAY, t + 2 * DAY - 1, t + 2 * DAY):
        backend.advance_to(instant)
        seen.append(backend.check(user("u1"), "lapsing"))
    assert seen == [False, True, True, False]


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("last(cart.value) < 100", ["u1"]),
        ("sum(purchase.price) >= 30", ["u2"]),
        ("sum(purchase.price where category = 'shoes') = 10", ["u2"]),
        ("avg(purchase.price) > 12 and count(purchase) = 2", ["u2"]),
        ("sum(purchase.price) / count(view) > 5", ["u2"]),
        ("distinct(purchase.category) >= 2", ["u2"]),
        ("max(purchase.price) >= 20", ["u2"]),
        ("did purchase exactly 1 time", ["u3"]),
        ("did purchase at most 1 time", ["u1", "u3"]),
        ("did first purchase where category = 'hats'", ["u3"]),
        ("did purchase where category = 'hats' for the first time in the last 1 day", ["u2", "u3"]),
        ("user.plan = 'pro' or did purchase 2 to 3 times", ["u1", "u2"]),
        ("user.plan is not set", ["u2", "u3"]),
        ("current.os = 'iOS'", ["u1"]),
        ("at least 2 of (did view, did purchase, user.plan = 'pro')", ["u1", "u2"]),
        ("in split 'spring' 0% to 100%", ["u1", "u2", "u3"]),
        ("did any event where hour between 11 and 12", ["u1", "u2", "u3"]),
        ("last(view) within the last 1 day", ["u1", "u2"]),
    ],
)
def test_rules_find_whom_they_describe(backend: Backend, rule: str, expected: list[str]) -> None:
    """Whether the events come before the segment or after it."""
    backend.create("made-before", rule)
    now = backend.now()
    backend.set_attributes((user("u1"),), {"plan": "pro"})
    backend.ingest(
        [
            event("cart", "u1", now - 2, value=250.0),
            event("cart", "u1", now - 1, value=80.0),
            event("view", "u1", now, context={"os": "iOS"}),
            event("cart", "u2", now, value=100.0, context={"os": "Android"}),
            event("view", "u2", now),
            event("purchase", "u2", now - 5, price=10.0, category="shoes"),
            event("purchase", "u2", now - 4, price=20.0, category="hats"),
            event("purchase", "u3", now - 4, price=5.0, category="hats"),
        ]
    )
    backend.create("made-after", rule)
    assert sorted(backend.members("made-before")) == expected
    assert sorted(backend.members("made-after")) == expected


def test_segments_nest_and_combine(backend: Backend) -> None:
    """A member of the inner one is one of the outer one, at once; sets combine in questions too."""
    backend.create("buyers", "did purchase")
    backend.create("vip", "in buyers and did view at least 2 times")
    backend.create("others", "not in vip and did view")
    backend.ingest([event("view"), event("view"), event("purchase"), event("view", "u2")])
    assert backend.members("vip") == ["u1"]
    assert backend.members("others") == ["u2"]
    assert backend.count("vip or others") == 2
    assert backend.members("buyers and not vip") == []
    since = backend.position()
    backend.ingest([event("purchase", "u2"), event("view", "u2")])
    assert sorted(moved.segment for moved in backend.changes(since)) == ["buyers", "others", "vip"]


def test_lists_are_what_people_put_into_them(backend: Backend) -> None:
    """Adding makes unknown subjects; rules can ask for lists."""
    backend.create_list("newsletter")
    backend.create("reached", "in list newsletter and did not purchase")
    backend.add("newsletter", [user("u1"), user("u2")])
    backend.ingest([event("purchase", "u2")])
    assert backend.members("newsletter") == ["u1", "u2"]
    assert backend.members("reached") == ["u1"]
    backend.remove("newsletter", [user("u1"), user("nobody")])
    assert (backend.members("newsletter"), backend.members("reached")) == (["u2"], [])


def test_universes_are_known_or_anonymous_subjects(backend: Backend) -> None:
    """Who gets a user_id leaves the anonymous and joins the known, by that event."""
    backend.create("strangers", "did not purchase", universe=Universe.ANONYMOUS)
    backend.create("acquainted", "did not purchase", universe=Universe.KNOWN)
    backend.ingest([event("view", (device("a1"),))])
    assert (backend.count("strangers"), backend.count("acquainted")) == (1, 0)
    backend.ingest([event("view", (user("u1"), device("a1")))])
    assert (backend.count("strangers"), backend.count("acquainted")) == (0, 1)


def test_accounts_have_segments_of_their_own(backend: Backend) -> None:
    """An event with a user and an account counts for both."""
    backend.create("busy", "did login at least 2 times", ACCOUNT)
    backend.create("busy-users", "did login at least 2 times")
    backend.ingest(
        [event("login", "u1", account="c1"), event("login", "u2", account="c1"), event("login", "u1", account="c2")]
    )
    assert backend.members("busy", ACCOUNT) == ["c1"]
    assert backend.members("busy-users") == ["u1"]
