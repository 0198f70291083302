"""Affiliation: which account each user belongs to, and which users each account has.

A user belongs to the live account that its attribute `account_id` names. Derived from attributes and identity, and
kept only while a rule asks. Owns both directions, and who was re-affiliated since the last `drain`. Invariant: at
the end of a phase it says what attributes and identity say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from pyroaring import BitMap

from coterie.index.conditions import Ids, bitmap, ids_of
from coterie.index.model import ACCOUNT_ID, Identifier, SubjectKind
from coterie.index.subjects.attributes import AttributeTable
from coterie.index.subjects.identity import NOBODY, IdentityMap

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
_NO_VALUE = 0
_USERS_PER_ACCOUNT = 200  # looking at one account costs about as much as so many users in a pass over all of them


class Affiliation:
    """Users and accounts, joined by codes for the values of `account_id`; code 0 stands for having none."""

    def __init__(self, attributes: AttributeTable, identity: dict[SubjectKind, IdentityMap]) -> None:
        self._attributes, self._identity = attributes, identity
        self._uses = 0
        self._touched: dict[SubjectKind, BitMap] = {}
        self._reset([])

    def _reset(self, values: Sequence[str]) -> None:
        self._values = ["", *values]  # by code
        self._codes = {value: code for code, value in enumerate(values, 1)}
        self._free: list[int] = []
        self._code_of = np.zeros(1024, np.uint32)  # by user
        self._account_of = np.zeros(max(1024, len(self._values)), np.uint32)  # by code: the live account it names
        self._codes_of: dict[int, list[int]] = {}  # by account: the codes that name it, which all have users
        self._users: dict[int, BitMap] = {}  # by code, of those that were asked for or changed
        self._derived: Ids = np.empty(0, np.uint32)  # the users of all codes as first derived, code after code …
        self._starts = np.zeros(1, np.int64)  # … and where each code's begin

    def __len__(self) -> int:
        return len(self._codes)

    # ------------------------------------------------------------ being used

    def use(self) -> None:
        """Counts one more use; the first derives everything, in passes over all users."""
        self._uses += 1
        if self._uses == 1:
            self._derive()

    def release(self) -> None:
        """Gives up one use; after the last, nothing is kept."""
        self._uses -= 1
        if not self._uses:
            self._reset([])
            self._touched = {}

    def _derive(self) -> None:
        users = ids_of(self._identity[USER].subjects)
        texts = self._attributes.view(ACCOUNT_ID, users).texts
        if texts is None:
            return
        present = texts[0] >= 0
        used, codes = np.unique(texts[0][present], return_inverse=True)
        self._reset([texts[1][code] for code in used.tolist()])
        users, codes = users[present], codes + 1
        self._reach(int(users.max(initial=0)))
        self._code_of[users] = codes
        self._derived = users[np.argsort(codes, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(self._values)))])
        for code in self._codes.values():
            self._name(code, self._named(code))

    # ------------------------------------------------------------ asking

    def account_of(self, user: int) -> int:
        """Returns a user's account, 0 where it has none."""
        return int(self._account_of[self._code_of[user]]) if user < len(self._code_of) else NOBODY

    def accounts_of(self, users: Ids) -> Ids:
        """Returns the account of each user (uint32[n]), 0 where it has none."""
        codes = self._code_of.take(users, mode="clip")
        codes[users >= len(self._code_of)] = _NO_VALUE
        return self._account_of[codes]

    def accounts(self) -> Ids:
        """Returns the account of every user by dense id, 0 where it has none; ids may lie beyond the end."""
        return self._account_of[self._code_of]

    def users_of(self, account: int) -> BitMap:
        """Returns an account's users; must not be changed."""
        codes = self._codes_of.get(account, ())
        if len(codes) == 1:
            return self._users_with(codes[0])
        return BitMap.union(*map(self._users_with, codes)) if codes else BitMap()

    def users_of_any(self, accounts: BitMap) -> BitMap:
        """Returns the users of several accounts; must not be changed."""
        if len(accounts) == 1:
            return self.users_of(accounts.min())
        if not self.are_many(accounts):
            return BitMap.union(*map(self.users_of, accounts)) if accounts else BitMap()
        chosen = np.zeros(max(accounts.max() + 1, self._identity[ACCOUNT].next_id), np.bool_)
        chosen[ids_of(accounts)] = True
        return bitmap(np.flatnonzero(chosen[self.accounts()]))

    def affiliated(self, kind: SubjectKind) -> BitMap:
        """Returns the users that have an account, or the accounts that have users."""
        return BitMap(self._codes_of) if kind is ACCOUNT else bitmap(np.flatnonzero(self.accounts()))

    def are_many(self, accounts: BitMap) -> bool:
        """Whether a pass over all users is cheaper than looking at these accounts one by one."""
        return len(accounts) * _USERS_PER_ACCOUNT > len(self._identity[USER].subjects)

    # ------------------------------------------------------------ following

    def users_changed(self, users: Ids) -> None:
        """The `account_id` of these users may have changed."""
        if self._uses:
            for user, value in zip(users.tolist(), self._attributes.view(ACCOUNT_ID, users).values(), strict=True):
                self._move(user, value if isinstance(value, str) else None)

    def accounts_changed(self, accounts: Iterable[int]) -> None:
        """These accounts may have come into being, or have further identifiers."""
        if not self._uses:
            return
        for account in accounts:
            for namespace, value in self._identity[ACCOUNT].identifiers_of(account):
                code = self._codes.get(value) if namespace == ACCOUNT_ID else None
                if code is not None:
                    self._look_up(code)

    def depart(self, kind: SubjectKind, subject: int) -> None:
        """A subject is no more; its identifiers and attributes are gone, or another's."""
        if not self._uses:
            return
        if kind is USER:
            self._move(subject, None)
        for code in tuple(self._codes_of.get(subject, ())) if kind is ACCOUNT else ():
            self._look_up(code)

    def drain(self) -> dict[SubjectKind, BitMap]:
        """Returns the users whose account, and the accounts whose users, have changed since the last drain."""
        touched, self._touched = self._touched, {}
        return touched

    def _touch(self, kind: SubjectKind, subject: int) -> None:
        if subject != NOBODY:
            self._touched.setdefault(kind, BitMap()).add(subject)

    def _move(self, user: int, value: str | None) -> None:
        self._reach(user)
        old, new = int(self._code_of[user]), _NO_VALUE if value is None else self._intern(value)
        if old == new:
            return
        self._code_of[user] = new
        self._touch(USER, user)
        for code in (old, new):
            self._touch(ACCOUNT, int(self._account_of[code]))
        if new != _NO_VALUE:
            self._users_with(new).add(user)
        if old != _NO_VALUE:
            left = self._users_with(old)
            left.discard(user)
            if not left:
                self._forget(old)

    def _look_up(self, code: int) -> None:
        """Finds anew whom a value names."""
        before, now = int(self._account_of[code]), self._named(code)
        if before != now:
            self._name(code, now)
            self._touch(ACCOUNT, before)
            self._touch(ACCOUNT, now)
            self._touched.setdefault(USER, BitMap()).update(self._users_with(code))

    # ------------------------------------------------------------ codes

    def _named(self, code: int) -> int:
        return self._identity[ACCOUNT].find((Identifier(ACCOUNT_ID, self._values[code]),)) or NOBODY

    def _name(self, code: int, account: int) -> None:
        before = int(self._account_of[code])
        if before != NOBODY:
            self._codes_of[before].remove(code)
            if not self._codes_of[before]:
                del self._codes_of[before]
        self._account_of[code] = account
        if account != NOBODY:
            self._codes_of.setdefault(account, []).append(code)

    def _users_with(self, code: int) -> BitMap:
        users = self._users.get(code)
        if users is None:
            users = self._users[code] = bitmap(self._derived[self._starts[code] : self._starts[code + 1]])
        return users

    def _intern(self, value: str) -> int:
        code = self._codes.get(value)
        if code is None:
            if self._free:
                code = self._free.pop()
                self._values[code] = value
            else:
                code = len(self._values)
                self._values.append(value)
                if code >= len(self._account_of):
                    self._account_of = np.concatenate([self._account_of, np.zeros_like(self._account_of)])
            self._codes[value] = code
            self._users[code] = BitMap()
            self._name(code, self._named(code))
        return code

    def _forget(self, code: int) -> None:
        self._name(code, NOBODY)
        del self._codes[self._values[code]], self._users[code]
        self._free.append(code)

    def _reach(self, user: int) -> None:
        missing = user + 1 - len(self._code_of)
        if missing > 0:
            grown = np.zeros(max(missing, len(self._code_of)), np.uint32)
            self._code_of = np.concatenate([self._code_of, grown])
