"""Identity: every identifier means one living subject, as the rules of attaching, merging and moving say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coterie.index.model import ACCOUNT_ID, ANONYMOUS_ID, USER_ID, Identifier, SubjectKind
from coterie.index.subjects import layers as layers_module
from coterie.index.subjects import names as names_module
from coterie.index.subjects.identity import IdentityMap, Resolution
from coterie.index.subjects.names import identifier_key
from tests.kept_pages import KeptPages
from tests.naive_identity import NaiveIdentity

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
POOL = [Identifier(space, f"{space[0]}{n}") for space in (USER_ID, ANONYMOUS_ID, "email") for n in range(5)]

one_identifier = st.sampled_from(POOL)
some_identifiers = st.lists(one_identifier, min_size=1, max_size=4).map(tuple)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a few subjects fill pages and caches."""
    monkeypatch.setattr(names_module, "_PAGE_ENTRIES", 3)
    monkeypatch.setattr(layers_module, "_CACHED", 3)


def user(value: str) -> Identifier:
    """Returns a user_id."""
    return Identifier(USER_ID, value)


def device(value: str) -> Identifier:
    """Returns an anonymous_id."""
    return Identifier(ANONYMOUS_ID, value)


def assert_equal(identity: IdentityMap, naive: NaiveIdentity) -> None:
    """Asserts that the map and its naive twin say the same of everything."""
    assert identity.next_id == naive.next_id
    assert list(identity.subjects) == sorted(naive.names)
    assert list(identity.known) == sorted(filter(naive.known, naive.names))
    for identifier in POOL:
        assert (identity.find([identifier]) or 0) == naive.owner(identifier)
        assert identity.find_many([identifier, identifier]).tolist() == [naive.owner(identifier)] * 2
    for subject, names in naive.names.items():
        assert identity.identifiers_of(subject) == tuple(names)
    ids = np.arange(naive.next_id, dtype=np.uint32)
    assert identity.canonical(ids).tolist() == [naive.canonical(subject) for subject in ids.tolist()]
    for subject, name in naive.last_names.items():
        assert identity.first_identifier(subject) == name
        assert identity.identifiers_of(subject) == ()


class IdentityMachine(RuleBasedStateMachine):
    """Random events, merges, deletions, snapshots and restarts; the naive twin beside it."""

    @initialize()
    def begin(self) -> None:
        """Starts empty."""
        self.kept = KeptPages()
        self.identity = IdentityMap(USER, self.kept)
        self.naive = NaiveIdentity(USER_ID)

    @rule(identifiers=some_identifiers)
    def resolve(self, identifiers: tuple[Identifier, ...]) -> None:
        """An event arrives."""
        assert (self.identity.find(identifiers) or 0) == self.naive.find(identifiers)
        subject, born, absorbed, parted = self.identity.resolve(identifiers)
        assert (subject, born, set(absorbed), set(parted)) == self.naive.resolve(identifiers)

    @precondition(lambda self: len(self.naive.names) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        """Two subjects are merged by name."""
        pair = st.lists(st.sampled_from(sorted(self.naive.names)), min_size=2, max_size=2, unique=True)
        absorbed, survivor = data.draw(pair)
        self.identity.merge(absorbed, survivor)
        self.naive.merge(absorbed, survivor)

    @precondition(lambda self: self.naive.names)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A subject is deleted."""
        subject = data.draw(st.sampled_from(sorted(self.naive.names)))
        assert self.identity.delete(subject) == tuple(self.naive.delete(subject))

    @precondition(lambda self: self.naive.last_names)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """The log no longer names a subject."""
        subject = data.draw(st.sampled_from(sorted(self.naive.last_names)))
        self.identity.forget(subject)
        del self.naive.last_names[subject]
        assert self.identity.first_identifier(subject) is None

    @rule(events=st.lists(some_identifiers, max_size=6))
    def snapshot(self, events: list[tuple[Identifier, ...]]) -> None:
        """A snapshot is taken while events arrive between its pages; what it shows is the state before them."""
        before = [(identifier, self.naive.owner(identifier)) for identifier in POOL]
        size, waiting = self.naive.next_id, iter(events)

        def arrive() -> None:
            for identifiers in waiting:
                self.resolve(identifiers)
                return

        self.kept.take(self.identity, between=arrive)
        loaded = IdentityMap(USER, self.kept)
        loaded.load(self.kept.committed())
        assert loaded.next_id == size
        assert loaded.find_many(POOL).tolist() == [subject for _, subject in before]
        assert [(identifier, loaded.find([identifier]) or 0) for identifier in POOL] == before

    @rule(after=st.integers(0, 8))
    def abandon(self, after: int) -> None:
        """A snapshot fails."""
        self.kept.abandon(self.identity, after)

    @rule(folded=st.integers(0, 3))
    def restart(self, folded: int) -> None:
        """The process ends after a commit, with only some of the entries folded, and starts again."""
        self.kept.take(self.identity, fold=False)
        self.kept.fold(folded)
        self.identity = IdentityMap(USER, self.kept)
        self.identity.load(self.kept.committed())

    @invariant()
    def equal_to_the_naive_twin(self) -> None:
        """Both say the same of every identifier and every subject."""
        assert_equal(self.identity, self.naive)


TestIdentityMachine = IdentityMachine.TestCase


def test_an_unseen_user_id_is_attached_to_an_anonymous_subject() -> None:
    """Signing up keeps the visitor's past: no new subject, the same dense id."""
    identity = IdentityMap(USER)
    visitor = identity.resolve([device("d")]).subject
    assert identity.resolve([user("u"), device("d")]) == Resolution(visitor)
    assert identity.is_known(visitor)
    assert identity.first_identifier(visitor) == device("d")


def test_a_seen_user_id_absorbs_an_anonymous_subject() -> None:
    """Signing in on a new device brings what the device did before along."""
    identity = IdentityMap(USER)
    customer = identity.resolve([user("u")]).subject
    visitor = identity.resolve([device("d")]).subject
    assert identity.resolve([device("d"), user("u")]) == Resolution(customer, absorbed=(visitor,))
    assert identity.find([device("d")]) == customer


def test_a_shared_device_moves_but_never_merges_customers() -> None:
    """A device signed in by another customer is that customer's from then on; both live on."""
    identity = IdentityMap(USER)
    first = identity.resolve([user("a"), device("d")]).subject
    second = identity.resolve([user("b"), device("d")])
    assert second == Resolution(first + 1, born=True, parted=(first,))
    assert identity.find([device("d")]) == second.subject
    assert len(identity.subjects) == 2
    assert identity.find([user("c"), device("d")]) is None


def test_the_lowest_of_several_anonymous_subjects_survives() -> None:
    """Whatever the order of the identifiers, the oldest subject is kept."""
    identity = IdentityMap(USER)
    for value in ("x", "y", "z"):
        identity.resolve([device(value)])
    assert identity.resolve([device("z"), device("y"), device("x")]) == Resolution(1, absorbed=(3, 2))


def test_dense_ids_are_never_reused() -> None:
    """A deleted subject's identifier begins a new subject with a new id."""
    identity = IdentityMap(USER)
    old = identity.resolve([user("u")]).subject
    assert identity.delete(old) == (user("u"),)
    assert identity.resolve([user("u")]) == Resolution(old + 1, born=True)
    assert identity.canonical(np.array([old, old + 1], dtype=np.uint32)).tolist() == [0, old + 1]


def test_accounts_are_decided_by_their_account_id() -> None:
    """What `user_id` is to users, `account_id` is to accounts."""
    identity = IdentityMap(ACCOUNT)
    account = identity.resolve([Identifier("domain", "example.org")]).subject
    identity.resolve([Identifier(ACCOUNT_ID, "1"), Identifier("domain", "example.org")])
    assert identity.is_known(account)


def test_long_chains_of_merges_are_walked_once() -> None:
    """A thousand subjects absorbed one by the next all stand for the last, at the second look in one step."""
    identity = IdentityMap(USER)
    for number in range(1, 2_001):
        identity.resolve([device(str(number))])
    for number in range(1, 2_000):
        identity.merge(number, number + 1)
    ids = np.arange(2_001, dtype=np.uint32)
    assert identity.canonical(ids).tolist() == [0] + [2_000] * 2_000
    assert identity._canonical[1] == 2_000


def test_shortening_a_chain_of_merges_is_no_part_of_a_running_snapshot() -> None:
    """What the snapshot shows is who stood for whom when it began, also where later merges shortened the way."""
    kept = KeptPages()
    identity = IdentityMap(USER, kept)
    for number in range(1, 70_001):
        identity.resolve([device(str(number))])
    identity.merge(1, 66_000)
    kept.take(identity)
    identity.merge(3, 4)
    one = np.array([1], dtype=np.uint32)
    pages = identity.begin()
    identity.merge(66_000, 66_001)
    assert identity.canonical(one).tolist() == [66_001]
    kept.keep(list(pages))
    identity.end(committed=True)
    loaded = IdentityMap(USER, kept)
    loaded.load(kept.committed())
    assert loaded.canonical(one).tolist() == [66_000]


def test_many_subjects_come_back() -> None:
    """More subjects than one page of ids holds, some of them merged: all the same after a restart."""
    kept = KeptPages()
    identity = IdentityMap(USER, kept)
    for number in range(1, 70_001):
        identity.resolve([device(str(number))])
    identity.merge(69_999, 5)
    kept.take(identity)
    loaded = IdentityMap(USER, kept)
    loaded.load(kept.committed())
    assert loaded.find([device("70000")]) == 70_000
    assert loaded.canonical(np.array([69_999, 69_998], dtype=np.uint32)).tolist() == [5, 69_998]
    assert loaded.resolve([device("new")]) == Resolution(70_001, born=True)
    assert loaded._names.changed == 2, "memory holds what is new, not what there is"


def test_memory_follows_what_is_new() -> None:
    """What a snapshot has moved to the store is let go of, a few entries with each change: no pause, no growth."""
    kept = KeptPages()
    identity = IdentityMap(USER, kept)
    for number in range(500):
        identity.resolve([device(str(number))])
    kept.take(identity)
    for number in range(500, 1_000):
        identity.resolve([device(str(number))])
    layers = identity._names._subjects
    assert (len(layers.live), layers.frozen, layers._waste) == (500, {}, [])


@pytest.mark.parametrize("length", [1, 470, 480, 600])
def test_keys_of_long_identifiers_differ(length: int) -> None:
    """Identifiers longer than a key of the store can be have keys of their own all the same."""
    keys = {identifier_key(USER, Identifier("email", "x" * length + end)) for end in ("", "a", "b")}
    assert len(keys) == 3
    assert max(map(len, keys)) <= 480
