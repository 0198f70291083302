"""The oracle's subjects: who is who, kept as plain dicts.

Owns identifiers, merges and attributes of one subject kind. Invariant: an identifier belongs to one live
subject; dense ids count from 1 and are never given twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coterie.index.model import ACCOUNT_ID, USER_ID, Identifier, SubjectKind, Value, ValueKind, kind_of

NEVER: tuple[int, Value | None] = (-(2**63), None)  # no event brought a value


DECISIVE = {SubjectKind.USER: USER_ID, SubjectKind.ACCOUNT: ACCOUNT_ID}


@dataclass
class Subjects:
    """Who is who among the subjects of one kind."""

    kind: SubjectKind
    identifiers: dict[int, list[Identifier]] = field(default_factory=dict)  # of live subjects, oldest first
    absorbed_by: dict[int, int] = field(default_factory=dict)
    values: dict[int, dict[str, tuple[int, Value | None]]] = field(default_factory=dict)  # name: (event time, value)
    types: dict[str, ValueKind] = field(default_factory=dict)  # of attributes, `current.NAME` among them
    born: int = 0
    names_of_gone: dict[int, Identifier] = field(default_factory=dict)

    def owner(self, identifier: Identifier) -> int | None:
        """Returns the live subject that has the identifier."""
        return next((subject for subject, names in self.identifiers.items() if identifier in names), None)

    def known(self, subject: int) -> bool:
        """Returns whether the subject has a user_id (an account: an account_id)."""
        return any(identifier.namespace == DECISIVE[self.kind] for identifier in self.identifiers[subject])

    def canonical(self, subject: int) -> int:
        """Returns who the subject is now, 0 for nobody."""
        while subject in self.absorbed_by:
            subject = self.absorbed_by[subject]
        return subject if subject in self.identifiers else 0

    def find(self, identifiers: Sequence[Identifier]) -> int | None:
        """Returns the subject an event with these identifiers would be of, None where that would be a new one."""
        owners = [owner for identifier in identifiers if (owner := self.owner(identifier)) is not None]
        anonymous = sorted(owner for owner in owners if not self.known(owner))
        decisive = [each for each in identifiers if each.namespace == DECISIVE[self.kind]]
        if decisive:
            decided = next((owner for each in decisive if (owner := self.owner(each)) is not None), None)
        else:
            decided = next((owner for owner in owners if self.known(owner)), None)
        return decided or next(iter(anonymous), None)

    def resolve(self, identifiers: Sequence[Identifier], merge: Callable[[int, int], None]) -> int:
        """Returns the subject an event with these identifiers is of, making, attaching and absorbing."""
        if not identifiers:
            return 0
        subject = self.find(identifiers)
        owners = {owner for identifier in identifiers if (owner := self.owner(identifier)) is not None}
        anonymous = [owner for owner in sorted(owners) if not self.known(owner)]
        if subject is None:
            self.born += 1
            subject = self.born
            self.identifiers[subject] = []
        for other in anonymous:
            if other != subject:
                merge(other, subject)
        decisive = any(identifier.namespace == DECISIVE[self.kind] for identifier in identifiers)
        for identifier in identifiers:
            owner = self.owner(identifier)
            if owner is None:
                self.identifiers[subject].append(identifier)
            elif owner != subject and decisive and identifier.namespace != DECISIVE[self.kind]:
                self.identifiers[owner].remove(identifier)  # a device moves to the user who was seen with it last
                self.identifiers[subject].append(identifier)
        return subject

    def attributes(self, subject: int) -> dict[str, Value]:
        """Returns the current values, `current.NAME` among them."""
        held = self.values.get(subject, {})
        return {name: value for name, (_, value) in held.items() if value is not None}

    def set(self, subject: int, name: str, value: Value | None) -> None:
        """Notes a value somebody set (None removes it): it stays until an event newer than those seen brings another."""
        if value is not None:
            self.types.setdefault(name, kind_of(value))
        time, _ = self.values.setdefault(subject, {}).get(name, NEVER)
        self.values[subject][name] = (time, value)

    def see(self, subject: int, name: str, time: int, value: Value) -> None:
        """Notes a value an event brought: the newest by event time counts, of its type, the later arrival of equals."""
        if self.types.setdefault(name, kind_of(value)) is kind_of(value):
            held = self.values.setdefault(subject, {})
            if time >= held.get(name, NEVER)[0]:
                held[name] = (time, value)

    def merge(self, absorbed: int, survivor: int) -> None:
        """Moves identifiers and attributes; where both have one, the survivor's stays, or the newer by event time."""
        self.absorbed_by[absorbed] = survivor
        self.names_of_gone[absorbed] = self.identifiers[absorbed][0]
        self.identifiers[survivor] += self.identifiers.pop(absorbed)
        held = self.values.setdefault(survivor, {})
        for name, (time, value) in self.values.pop(absorbed, {}).items():
            kept_time, kept = held.get(name, NEVER)
            if value is not None and (kept is None or time > kept_time):
                held[name] = (time, value)

    def delete(self, subject: int) -> None:
        """Forgets a subject, but for its first name."""
        self.names_of_gone[subject] = self.identifiers.pop(subject)[0]
        self.values.pop(subject, None)
