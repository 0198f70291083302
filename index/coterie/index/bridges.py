"""Bridges: conditions on a user's account, and on how many of an account's users satisfy something.

A bridge turns a set of subjects of one kind into a set of the other. Owns nothing; the affiliations are the engine's.
Invariant: whoever has no account, or no users, is what the empty profile is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from coterie.index.affiliation import Affiliation
from coterie.index.conditions import Ids, bitmap, ids_of
from coterie.index.errors import RuleInvalid
from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from coterie.index.subjects.identity import NOBODY
from coterie.index.thresholds import Truths

_FEW = 32  # so many subjects are faster looked at one by one than through numpy
_FEW_SATISFY = 32  # the users of so many accounts are faster cut than every user's account is looked up


@dataclass(frozen=True, slots=True)
class Bridge(ABC):
    """What is asked of the subjects of the other kind. Equal bridges ask the same."""

    asks_one: ClassVar[bool]  # it is true of nobody but across from those who satisfy
    affiliation: Affiliation = field(compare=False, hash=False, repr=False, kw_only=True)

    @property
    @abstractmethod
    def kind(self) -> SubjectKind:
        """The subjects it is true or false of."""

    @property
    def others(self) -> SubjectKind:
        """The subjects that what it asks is about."""
        return SubjectKind.ACCOUNT if self.kind is SubjectKind.USER else SubjectKind.USER

    @property
    @abstractmethod
    def empty(self) -> bool:
        """Its truth for the empty profile."""

    def everyone(self) -> BitMap:
        """Returns everyone whose truth may differ from the empty profile's."""
        return self.affiliation.affiliated(self.kind)

    @abstractmethod
    def across(self, others: BitMap) -> BitMap:
        """Returns those whose truth may hang on these subjects of the other kind; must not be changed."""

    @abstractmethod
    def truths(self, candidates: BitMap, bits: BitMap, *, opposite: bool) -> BitMap:
        """Returns those candidates of whom it is true, where `bits` of the other kind (or all but they) satisfy."""


@dataclass(frozen=True, slots=True)
class OfAccount(Bridge):
    """The user's account satisfies."""

    asks_one = True

    @property
    def kind(self) -> SubjectKind:
        """The subjects it is true or false of."""
        return SubjectKind.USER

    @property
    def empty(self) -> bool:
        """Whoever has no account satisfies nothing about it."""
        return False

    def across(self, others: BitMap) -> BitMap:
        """Returns the users of accounts."""
        return self.affiliation.users_of_any(others)

    def truths(self, candidates: BitMap, bits: BitMap, *, opposite: bool) -> BitMap:
        """Returns the candidates whose account satisfies."""
        if len(candidates) <= _FEW:
            account_of = self.affiliation.account_of
            return BitMap([user for user in candidates if (a := account_of(user)) and (a in bits) is not opposite])
        if not opposite and len(bits) <= _FEW_SATISFY:
            return BitMap().union(*(candidates & self.affiliation.users_of(account) for account in bits))
        users = ids_of(candidates)
        accounts, position = np.unique(self.affiliation.accounts_of(users), return_inverse=True)
        satisfy = np.isin(accounts, ids_of(bits & bitmap(accounts)), invert=opposite) & (accounts != NOBODY)
        return bitmap(users[satisfy[position]])


@dataclass(frozen=True, slots=True)
class CountOfUsers(Bridge):
    """From `low` to `high` of the account's users satisfy (`high` None: or more); if `every`, all of them, too."""

    asks_one = False
    low: int
    high: int | None
    every: bool = False

    @property
    def kind(self) -> SubjectKind:
        """The subjects it is true or false of."""
        return SubjectKind.ACCOUNT

    @property
    def empty(self) -> bool:
        """Its truth for an account without users."""
        return self.low == 0

    def across(self, others: BitMap) -> BitMap:
        """Returns the accounts of users."""
        if len(others) <= _FEW:
            return BitMap([account for account in map(self.affiliation.account_of, others) if account != NOBODY])
        accounts = np.unique(self.affiliation.accounts_of(ids_of(others)))
        return bitmap(accounts[accounts != NOBODY])

    def truths(self, candidates: BitMap, bits: BitMap, *, opposite: bool) -> BitMap:
        """Returns the candidates of whose users enough, and not too many, satisfy."""
        if len(candidates) <= _FEW:
            return BitMap([account for account in candidates if self._is_true(account, bits, opposite=opposite)])
        many = self.affiliation.are_many(candidates)
        users, inside = (self._counted if many else self._looked_at)(candidates, bits)
        return bitmap(ids_of(candidates)[self._holds(users, users - inside if opposite else inside)])

    def _is_true(self, account: int, bits: BitMap, *, opposite: bool) -> bool:
        users = self.affiliation.users_of(account)
        number = users.difference_cardinality(bits) if opposite else users.intersection_cardinality(bits)
        return (
            self.low <= number
            and (self.high is None or number <= self.high)
            and not (self.every and number < len(users))
        )

    def _holds(self, users: NDArray[np.int64], satisfying: NDArray[np.int64]) -> Truths:
        holds = satisfying >= self.low
        if self.high is not None:
            holds &= satisfying <= self.high
        return holds & (satisfying == users) if self.every else holds

    def _looked_at(self, candidates: BitMap, bits: BitMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        users = [self.affiliation.users_of(account) for account in candidates]
        inside = [held.intersection_cardinality(bits) for held in users]
        return np.array([len(held) for held in users], np.int64), np.array(inside, np.int64)

    def _counted(self, candidates: BitMap, bits: BitMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        accounts, chosen = ids_of(candidates), ids_of(bits)
        size = int(accounts.max(initial=0)) + 1
        return self._by_account(self.affiliation.accounts(), size)[accounts], self._by_account(
            self.affiliation.accounts_of(chosen), size
        )[accounts]

    @staticmethod
    def _by_account(accounts: Ids, size: int) -> NDArray[np.int64]:
        return np.bincount(accounts, minlength=size)


def bridge_of(leaf: ast.OfAccount | ast.Users, kind: SubjectKind, affiliation: Affiliation) -> Bridge:
    """Returns what a leaf asks; RuleInvalid in a rule about subjects of the other kind."""
    bridge = OfAccount(affiliation=affiliation) if isinstance(leaf, ast.OfAccount) else _count(leaf, affiliation)
    if bridge.kind is not kind:
        told = {SubjectKind.USER: "account (…)", SubjectKind.ACCOUNT: "a count of users"}[bridge.kind]
        raise misplaced(told, kind)
    return bridge


def misplaced(leaf: str, kind: SubjectKind) -> RuleInvalid:
    """What is said of a leaf that stands in a rule about subjects of the other kind than its own."""
    across = {SubjectKind.USER: "account (…)", SubjectKind.ACCOUNT: "any user (…)"}[kind]
    fix = f"put it into {across}, or make a segment of the other kind"
    return RuleInvalid("rule", f"{leaf} has no meaning in a rule about {kind.name.lower()}s", fix=fix)


def _count(leaf: ast.Users, affiliation: Affiliation) -> CountOfUsers:
    quantity = leaf.quantity
    if isinstance(quantity, ast.Quantifier):
        return CountOfUsers(1, None, every=True, affiliation=affiliation)
    return CountOfUsers(quantity.low, quantity.high, affiliation=affiliation)
