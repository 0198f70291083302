"""The naive twin of the identity map: a list of names per subject, searched from end to end.

Written from the meaning of identifiers alone. Invariant: slow, and obviously right.
"""

from __future__ import annotations

from collections.abc import Sequence

from coterie.index.model import Identifier


class NaiveIdentity:
    """Subjects as lists of identifiers; dense ids as positions."""

    def __init__(self, decisive: str) -> None:
        self.decisive = decisive
        self.names: dict[int, list[Identifier]] = {}  # of the living
        self.last_names: dict[int, Identifier] = {}  # of the others
        self.went: dict[int, int] = {}
        self.next_id = 1

    def owner(self, identifier: Identifier) -> int:
        """Returns whom an identifier names, 0 for nobody."""
        return next((subject for subject, names in self.names.items() if identifier in names), 0)

    def known(self, subject: int) -> bool:
        """Tells whether a subject has a decisive identifier."""
        return any(name.namespace == self.decisive for name in self.names.get(subject, []))

    def find(self, identifiers: Sequence[Identifier]) -> int:
        """Returns the subject an event would count for, 0 for one to be born."""
        owners = [self.owner(identifier) for identifier in identifiers]
        decisive = [i for i in identifiers if i.namespace == self.decisive]
        for identifier in decisive:
            if self.owner(identifier):
                return self.owner(identifier)
        if not decisive:
            for owner in owners:
                if self.known(owner):
                    return owner
        anonymous = [owner for owner in owners if owner and not self.known(owner)]
        return min(anonymous) if anonymous else 0

    def resolve(self, identifiers: Sequence[Identifier]) -> tuple[int, bool, set[int], set[int]]:
        """Returns (subject, born, absorbed, parted) and makes it so."""
        subject = self.find(identifiers)
        born = not subject
        if born:
            subject, self.next_id = self.next_id, self.next_id + 1
            self.names[subject] = []
        decided = any(identifier.namespace == self.decisive for identifier in identifiers)
        owners = {identifier: self.owner(identifier) for identifier in identifiers}
        absorbed = {o for o in owners.values() if o not in (0, subject) and not self.known(o)}
        parted = set()
        for identifier, owner in owners.items():
            movable = decided and identifier.namespace != self.decisive
            if owner not in (0, subject) and self.known(owner) and movable:
                self.names[owner].remove(identifier)
                self.names[subject].append(identifier)
                parted.add(owner)
            elif owner == 0:
                self.names[subject].append(identifier)
        for other in dict.fromkeys(owners[i] for i in identifiers):
            if other in absorbed:
                self.merge(other, subject)
        return subject, born, absorbed, parted

    def merge(self, absorbed: int, survivor: int) -> None:
        """Ends a subject in another."""
        names = self.names.pop(absorbed)
        self.last_names[absorbed] = names[0]
        self.names[survivor] += names
        self.went[absorbed] = survivor

    def delete(self, subject: int) -> list[Identifier]:
        """Ends a subject for good."""
        names = self.names.pop(subject)
        self.last_names[subject] = names[0]
        self.went[subject] = 0
        return names

    def canonical(self, subject: int) -> int:
        """Returns who stands for a subject now."""
        while subject in self.went:
            subject = self.went[subject]
        return subject
