"""What Coterie promises its callers, continued: who is who, edits, errors, changes and restarts.

Runs against every backend, as `test_acceptance.py` does.
"""

from __future__ import annotations

from coterie.index.model import Identifier
from tests.backend import Backend, Moved, refuses
from tests.shop import device, event, shop_events, user

HOUR, DAY = 3_600_000, 86_400_000


# ---------------------------------------------------------------- subjects


def test_what_a_visitor_did_before_logging_in_is_the_users(backend: Backend) -> None:
    """The device's past counts; what another user does on it later does not."""
    backend.create("viewers", "did view at least 2 times")
    backend.ingest([event("view", (device("a1"),))])
    backend.ingest([event("view", (user("u1"), device("a1")))])
    assert backend.check(user("u1"), "viewers")
    backend.ingest([event("view", (user("u2"), device("a1")))])
    assert not backend.check(user("u2"), "viewers")
    backend.ingest([event("view", (device("a1"),))])
    assert backend.check(user("u2"), "viewers")


def test_a_merge_unites_two_users_once(backend: Backend) -> None:
    """The survivor has both pasts; one net change says so, with its cause."""
    backend.create("twice", "did purchase at least 2 times")
    backend.ingest([event("purchase", "u1"), event("purchase", "u2")])
    since = backend.position()
    backend.merge(user("u1"), user("u2"))
    assert backend.check(user("u1"), "twice")
    assert backend.members("twice") == ["u2"]
    assert backend.changes(since) == [Moved("twice", "u2", joined=True, cause="merge")]
    with refuses("MERGE_REFUSED"):
        backend.merge(user("u1"), user("u2"))


def test_a_deleted_user_is_gone_and_comes_back_as_somebody_new(backend: Backend) -> None:
    """Member of nothing, named once more in the change that says who left."""
    backend.create("buyers", "did purchase")
    backend.create("everybody", "not in buyers or in buyers")
    backend.ingest([event("purchase", "u1")])
    since = backend.position()
    backend.forget(user("u1"))
    assert backend.segments_of(user("u1")) == set()
    assert backend.count("everybody") == 0
    assert sorted(backend.changes(since)) == [
        Moved("buyers", "u1", joined=False, cause="delete"),
        Moved("everybody", "u1", joined=False, cause="delete"),
    ]
    backend.ingest([event("view", "u1")])
    assert backend.segments_of(user("u1")) == {"everybody"}
    backend.forget(user("nobody"))
    assert backend.count("everybody") == 1


def test_an_unknown_subject_is_a_member_of_nothing(backend: Backend) -> None:
    """Not even of `not x`, and asking does not create it."""
    backend.create("quiet", "did not view")
    assert not backend.check(user("nobody"), "quiet")
    assert backend.segments_of(user("nobody")) == set()
    assert backend.count("quiet") == 0


def test_attributes_have_the_type_of_their_first_use(backend: Backend) -> None:
    """Another type is refused and named; null removes."""
    backend.create("adults", "user.age >= 18")
    backend.set_attributes((user("u1"),), {"age": 18.0})
    assert backend.members("adults") == ["u1"]
    answer = backend.set_attributes((user("u2"),), {"age": "18"})
    assert [(index, reason) for index, reason, _ in answer.refused] == [(0, "TYPE_CONFLICT")]
    assert "age" in answer.refused[0][2]
    backend.set_attributes((user("u1"),), {"age": None})
    assert backend.members("adults") == []


def test_timestamps_flip_by_themselves(backend: Backend) -> None:
    """A trial that ends in 7 days is within the next 7 days from now on, and over at its end."""
    backend.create("ending", "user.trial_ends within the next 7 days")
    t = backend.now()
    backend.set_attributes((user("u1"),), {"trial_ends": t + 8 * DAY})
    seen = []
    for instant in (t + DAY - 1, t + DAY, t + 8 * DAY - 1, t + 8 * DAY):
        backend.advance_to(instant)
        seen.append(backend.check(user("u1"), "ending"))
    assert seen == [False, True, True, False]


def test_timestamps_that_events_carry_flip_by_themselves(backend: Backend) -> None:
    """A subscription that renews in 7 days is about to from now on; a newer order that renews later begins anew."""
    backend.create("renewing", "last(order.renews) within the next 7 days")
    t = backend.now()
    backend.ingest([event("order", "u1", renews=t + 8 * DAY)])
    seen = []
    for instant in (t + DAY - 1, t + DAY, t + 8 * DAY - 1, t + 8 * DAY):
        backend.advance_to(instant)
        seen.append(backend.check(user("u1"), "renewing"))
    backend.ingest([event("order", "u1", t + HOUR, renews=t + 30 * DAY)])
    for instant in (t + 23 * DAY - 1, t + 23 * DAY):
        backend.advance_to(instant)
        seen.append(backend.check(user("u1"), "renewing"))
    backend.ingest([event("order", "u1", renews="never")])
    seen.append(backend.check(user("u1"), "renewing"))
    assert seen == [False, True, True, False, False, True, False]


# ---------------------------------------------------------------- segments


def test_an_edit_is_one_net_change(backend: Backend) -> None:
    """Who stays is not named; who joins or leaves is, with cause EDIT, in dependents too."""
    backend.create("active", "did view or did login")
    backend.create("nested", "in active")
    backend.ingest([event("view", "u1"), event("login", "u2"), event("purchase", "u3")])
    since = backend.position()
    backend.edit("active", "did view or did purchase")
    assert backend.members("active") == ["u1", "u3"]
    assert sorted(backend.changes(since)) == [
        Moved(segment, who, joined, cause="edit")
        for segment in ("active", "nested")
        for who, joined in (("u2", False), ("u3", True))
    ]


def test_a_segment_in_use_stays_and_names_its_users(backend: Backend) -> None:
    """When nothing uses it any more it can go, and its name is free."""
    backend.create("inner", "did view")
    backend.create("outer", "in inner")
    with refuses("SEGMENT_IN_USE", dependents="outer"):
        backend.delete("inner")
    backend.delete("outer")
    backend.delete("inner")
    with refuses("SEGMENT_NOT_FOUND"):
        backend.check(user("u1"), "inner")
    backend.create("inner", "did login")


def test_cycles_bad_rules_and_taken_names_are_refused(backend: Backend) -> None:
    """Each with its own reason, and nothing is left behind."""
    backend.create("one", "did view")
    backend.create("two", "in one")
    with refuses("SEGMENT_CYCLE"):
        backend.edit("one", "in two")
    with refuses("SEGMENT_EXISTS", segment="one"):
        backend.create("one", "did view")
    with refuses("RULE_INVALID", line="1"):
        backend.create("three", "did purchase atleast 2 times")
    with refuses("SEGMENT_NOT_FOUND", segment="four"):
        backend.create("three", "in four")
    with refuses("SEGMENT_NOT_FOUND"):
        backend.check(user("u1"), "three")


# ---------------------------------------------------------------- changes and restarts


def test_changes_resumed_after_a_restart_have_neither_gap_nor_repeat(backend: Backend) -> None:
    """Applied to the members at any position, the changes after it give the members now."""
    backend.create("active", "did view at least 2 times in the last 1 hour")
    backend.create("buyers", "did purchase where price > 100 in the last 1 hour")
    start = backend.now()
    stream = list(shop_events(7, 40, 300, start, start + 2 * HOUR))
    positions = []
    for index in range(0, len(stream), 60):
        positions.append((backend.position(), {name: set(backend.members(name)) for name in ("active", "buyers")}))
        backend.advance_to(max(backend.now(), stream[index].time or 0))
        backend.ingest(stream[index : index + 60])
        backend.reopen()
    backend.advance_to(start + 3 * HOUR)
    for position, members in positions:
        for moved in backend.changes(position):
            assert (moved.who in members[moved.segment]) != moved.joined
            members[moved.segment] ^= {moved.who}
        assert members == {name: set(backend.members(name)) for name in members}


def test_a_restart_changes_nothing(backend: Backend) -> None:
    """Members, counts and what happens later are the same."""
    start = backend.now()
    backend.create("active", "did view in the last 1 day")
    backend.create("spenders", "sum(purchase.price) > 300 and in active")
    backend.ingest(list(shop_events(3, 50, 400, start - 2 * DAY, start)))
    before = {name: backend.members(name) for name in ("active", "spenders")}
    assert all(before.values())
    backend.reopen()
    assert {name: backend.members(name) for name in before} == before
    backend.create("active-again", "did view in the last 1 day")
    backend.advance_to(start + 12 * HOUR)
    assert backend.members("active-again") == backend.members("active") != before["active"]


def test_identifiers_of_the_senders_own_namespaces_find_the_subject(backend: Backend) -> None:
    """An e-mail address or a device id names a user as well as a user_id."""
    email = Identifier("email", "a@example.com")
    backend.create("viewers", "did view")
    backend.ingest([event("view", (user("u1"), email))])
    assert backend.check(email, "viewers")
