"""Users and their accounts against plain dicts, and bridges against plain counting, one by one and in passes over all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from coterie.index import affiliation as affiliations
from coterie.index import bridges
from coterie.index.affiliation import Affiliation
from coterie.index.bridges import Bridge, CountOfUsers, OfAccount
from coterie.index.expressions import Graph
from coterie.index.model import ACCOUNT_ID, USER_ID, Identifier, SubjectKind
from coterie.index.nodes import Members, Ref, Root
from coterie.index.subjects.attributes import AttributeTable
from coterie.index.subjects.identity import IdentityMap

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
USERS = range(1, 7)
VALUES = ("a", "b", "c", "d")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from(USERS), st.none() | st.sampled_from(VALUES)),
        st.tuples(st.just("name"), st.lists(st.sampled_from(VALUES), min_size=1, max_size=2).map(tuple), st.none()),
        st.tuples(st.just("merge"), st.sampled_from(VALUES), st.sampled_from(VALUES)),
        st.tuples(st.just("delete"), st.sampled_from(VALUES), st.none()),
        st.tuples(st.just("end user"), st.sampled_from(USERS), st.none()),
        st.tuples(st.just("rest"), st.booleans(), st.none()),
    ),
    min_size=1,
    max_size=25,
)
BEGUN = (
    ("name", ("a",), None),
    ("name", ("b",), None),
    *(("move", user, value) for user, value in zip(USERS, "aaabc", strict=False)),
)
SETS = st.frozensets(st.integers(1, 6), max_size=6).map(BitMap)
COUNTS = ((1, None), (0, 0), (0, 1), (2, None), (2, 3))


class Both:
    """An affiliation, and what it must say."""

    def __init__(self) -> None:
        self.attributes = AttributeTable(USER)
        self.identity = {kind: IdentityMap(kind) for kind in SubjectKind}
        for user in USERS:
            assert self.identity[USER].resolve((Identifier(USER_ID, str(user)),)).subject == user
        self.values: dict[int, str] = {}
        self.names: dict[str, int] = {}
        self.affiliation = Affiliation(self.attributes, self.identity)
        self.before: dict[int, int] = {}
        self.affiliation.use()
        for step in BEGUN:
            self.step(step)
        self.before = self.accounts()
        self.affiliation.drain()

    def step(self, step: tuple[str, object, object]) -> None:
        """Does one thing to both."""
        what, first, second = step
        match what, first, second:
            case "move", int(user), value if user in self.identity[USER].subjects:
                self.attributes.set(user, ACCOUNT_ID, value, "")  # type: ignore[arg-type]
                self.values.pop(user, None)
                self.values |= {user: value} if value is not None else {}  # type: ignore[dict-item]
                self.affiliation.users_changed(np.array([user], np.uint32))
            case "name", tuple(values), _:
                named = [Identifier(ACCOUNT_ID, value) for value in values]
                account = self.identity[ACCOUNT].resolve(named).subject
                self.names |= {value: self.names.get(value, account) for value in values}
                self.affiliation.accounts_changed([account])
            case "merge", str(absorbed), str(survivor):
                self._merge(self.names.get(absorbed, 0), self.names.get(survivor, 0))
            case "delete", str(value), _ if value in self.names:
                account = self.names[value]
                self.names = {each: named for each, named in self.names.items() if named != account}
                self.identity[ACCOUNT].delete(account)
                self.affiliation.depart(ACCOUNT, account)
            case "end user", int(user), _ if user in self.identity[USER].subjects:
                self.identity[USER].delete(user)
                self.attributes.delete(user)
                self.values.pop(user, None)
                self.affiliation.depart(USER, user)
            case "rest", bool(), _:
                self.affiliation.release()
                self.affiliation.use()

    def _merge(self, absorbed: int, survivor: int) -> None:
        if absorbed and survivor and absorbed != survivor:
            self.identity[ACCOUNT].merge(absorbed, survivor)
            self.names = {each: survivor if named == absorbed else named for each, named in self.names.items()}
            self.affiliation.depart(ACCOUNT, absorbed)

    def accounts(self) -> dict[int, int]:
        """The account of each user that has one."""
        return {user: self.names[value] for user, value in self.values.items() if value in self.names}

    def compare(self) -> None:
        """Both directions, one by one and all at once."""
        accounts, held = self.accounts(), self.affiliation
        for user in (*USERS, 5_000):
            assert held.account_of(user) == accounts.get(user, 0)
        assert held.accounts_of(np.array([*USERS, 5_000], np.uint32)).tolist() == [
            accounts.get(user, 0) for user in (*USERS, 5_000)
        ]
        assert len(held) == len(set(self.values.values())), "a value nobody has any more takes no room"
        assert set(held.affiliated(USER)) == set(accounts)
        assert set(held.affiliated(ACCOUNT)) == set(accounts.values())
        for account in range(1, self.identity[ACCOUNT].next_id):
            assert set(held.users_of(account)) == {user for user, named in accounts.items() if named == account}

    def compare_touched(self) -> None:
        """Whoever was affiliated otherwise before is named."""
        accounts, touched = self.accounts(), self.affiliation.drain()
        for user in USERS:
            was, now = self.before.get(user, 0), accounts.get(user, 0)
            if was != now:
                assert user in touched[USER]
                assert {was, now} - {0} <= set(touched[ACCOUNT])
        self.before = accounts

    def truths(self, bridge: Bridge, candidates: BitMap, satisfy: set[int]) -> set[int]:
        """Plain counting."""
        accounts = self.accounts()
        if not isinstance(bridge, CountOfUsers):
            return {user for user in candidates if accounts.get(user, 0) in satisfy}
        found = set()
        for account in candidates:
            users = {user for user, named in accounts.items() if named == account}
            number = len(users & satisfy)
            if bridge.low <= number and (bridge.high is None or number <= bridge.high):
                found |= {account} if not bridge.every or users <= satisfy else set()
        return found


WAYS = {"one by one": (1_000, -1, 0), "all at once": (-1, -1, 1_000), "by who satisfies": (-1, 1_000, 0)}


@pytest.fixture(autouse=True, params=WAYS.values(), ids=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How subjects are looked at depends on how many there are; all ways must agree. Here each is taken by itself."""
    few, few_satisfy, users_per_account = request.param
    monkeypatch.setattr(bridges, "_FEW", few)
    monkeypatch.setattr(bridges, "_FEW_SATISFY", few_satisfy)
    monkeypatch.setattr(affiliations, "_USERS_PER_ACCOUNT", users_per_account)


@given(STEPS)
def test_both_directions_follow_users_and_accounts(steps: list[tuple[str, object, object]]) -> None:
    """After every move, birth, merge and deletion, also when it was not in use before, and it tells who was touched."""
    both = Both()
    for step in steps:
        both.step(step)
        both.compare()
        if step[0] == "rest":
            both.before = both.accounts()
        both.compare_touched()


@given(STEPS, SETS, SETS, st.booleans())
def test_bridges_are_plain_counting(
    steps: list[tuple[str, object, object]], bits: BitMap, others: BitMap, opposite: bool
) -> None:
    """Whoever is asked about, and whether the child's bits are those who satisfy or those who do not."""
    both = Both()
    for step in steps:
        both.step(step)
    satisfy = set(range(1, 10)) - set(bits) if opposite else set(bits)
    accounts = both.accounts()
    held: list[Bridge] = [OfAccount(affiliation=both.affiliation)]
    held += [CountOfUsers(*count, affiliation=both.affiliation) for count in COUNTS]
    held += [CountOfUsers(1, None, every=True, affiliation=both.affiliation)]
    for bridge in held:
        for candidates in (bridge.everyone(), BitMap(range(1, 10)), BitMap()):
            assert set(bridge.truths(candidates, bits, opposite=opposite)) == both.truths(bridge, candidates, satisfy)
        across = {user for user, account in accounts.items() if account in others}
        if bridge.kind is ACCOUNT:
            across = {account for user, account in accounts.items() if user in others}
        assert set(bridge.across(others)) == across


def test_nothing_is_kept_that_no_rule_asks_for() -> None:
    """The first bridge in the graph derives the affiliations, the last to go takes them along."""
    both, graph = Both(), Graph()
    both.affiliation.release()
    assert len(both.affiliation) == 0
    pro = Members("pro", BitMap([1, 2, 4]))
    every = graph.bridge(CountOfUsers(1, None, every=True, affiliation=both.affiliation), Ref(pro))
    colleagues = graph.bridge(OfAccount(affiliation=both.affiliation), every.opposite())
    graph.use(colleagues)
    both.compare()
    assert (set(every.source.bits), set(colleagues.source.bits)) == ({2}, {1, 2, 3})
    both.step(("move", 3, "b"))
    root = Root("colleagues", colleagues, 9)
    graph.attach(root)
    assert set(graph.propagate([], both.affiliation.drain())[root]) == {1, 2, 4}, "3 goes on, now in b"
    graph.detach(root)
    graph.release(colleagues)
    assert (len(graph), len(both.affiliation)) == (0, 0)


def test_ids_beyond_the_newest_user_have_no_account() -> None:
    """Also where the newest is the last there is room for."""
    both = Both()
    both.attributes.set(1023, ACCOUNT_ID, "a", "")
    both.affiliation.users_changed(np.array([1023], np.uint32))
    assert both.affiliation.accounts_of(np.array([1023, 1024, 9_999], np.uint32)).tolist() == [both.names["a"], 0, 0]
