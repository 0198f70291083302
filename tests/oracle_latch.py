"""The oracle's memory of sticky and once segments: whom they keep although the rule no longer holds.

The one thing the oracle remembers, because it depends on what was true in the past. Owns who is kept. Invariant:
it is looked at and changed at the end of each record and nowhere else, merges excepted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coterie.index.model import Mode, SegmentDefinition


@dataclass
class Latch:
    """Whom one segment keeps since the definition it serves took over."""

    holding: set[int] = field(default_factory=set)  # the rule held at the end of the last record; ONCE: of any record
    until: dict[int, int] = field(default_factory=dict)  # sticky: the deadline of those for whom it stopped to hold

    def keeps(self, subject: int, now: int) -> bool:
        """Returns whether the subject is a member, whatever the rule says.

        Who was holding when the last record ended has no deadline yet: it would begin at the end of a record at `now`.
        """
        return subject in self.holding or now < self.until.get(subject, now)

    def end_record(self, definition: SegmentDefinition, true: set[int], live: set[int], at: int) -> None:
        """Notes for which of the live subjects the rule is true at the end of a record."""
        if definition.mode is Mode.ONCE:
            self.holding = (self.holding | true) & live
        elif definition.mode is Mode.STICKY:
            deadlines = dict.fromkeys(self.holding - true, at + definition.ttl_ms)
            self.until = {subject: end for subject, end in {**self.until, **deadlines}.items() if subject in live}
            self.holding = true

    def merge(self, absorbed: int, survivor: int) -> None:
        """The survivor is kept if either was, with the later deadline."""
        if absorbed in self.holding:
            self.holding.remove(absorbed)
            self.holding.add(survivor)
        if absorbed in self.until:
            end = self.until.pop(absorbed)
            self.until[survivor] = max(end, self.until.get(survivor, end))


def kept_alike(one: SegmentDefinition, other: SegmentDefinition) -> bool:
    """Returns whether an edit from one to the other leaves the latch as it is."""
    return (one.rule, one.universe, one.mode, one.ttl_ms) == (other.rule, other.universe, other.mode, other.ttl_ms)
