"""An explanation as it is handed out: a tree of nodes, and what is true of the membership as a whole.

Owns the shape of the answer. Invariant: a field that is None says that there is nothing to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from coterie.index.model import Mode, Universe, Value


class NodeKind(IntEnum):
    """What a node of an explanation is; the numbers are those of the contract."""

    AND = 1
    OR = 2
    NOT = 3
    AT_LEAST = 4
    LEAF = 5
    SEGMENT = 6


@dataclass(frozen=True, slots=True)
class NewestEvent:
    """The newest event that counts for a leaf; the id "" where it has none, or history no longer holds it."""

    time: int
    type: str
    event_id: str


@dataclass(slots=True, eq=False)
class Explained:
    """One node of a rule. A segment's own rule is its only child, where it is shown."""

    kind: NodeKind
    text: str
    holds: bool = False
    value: Value | None = None
    condition: str = ""  # what the value is compared with, as text
    threshold: Value | None = None
    upper: Value | None = None  # the upper end, where it is compared with a range
    newest: NewestEvent | None = None
    next_flip: int | None = None  # when time alone turns it round
    segment: str = ""
    children: list[Explained] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Answer:
    """What is said of one membership, as of one revision."""

    revision: int
    now: int
    known: bool
    universe: Universe
    mode: Mode
    member: bool = False
    in_universe: bool = False
    segment: Explained | None = None  # the membership itself, the rule beneath it; None of a subject nobody knows
    looked_until: int | None = None  # flips were looked for up to here; None: as far as there are any
    agrees: bool = True  # the tree says of the membership what is served
