"""What segments are made of: operations over conditions, segments and sets of members, as references to each other.

Owns what a truth is: a source's bitmap holds the subjects whose truth differs from the empty profile's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

from pyroaring import BitMap

from coterie.index.bridges import Bridge
from coterie.index.conditions import Condition
from coterie.index.model import SubjectKind


class Operation(Enum):
    """What a node does with its children."""

    AND = "and"
    OR = "or"
    AT_LEAST = "at least"


@dataclass(slots=True, eq=False)
class Node:
    """An operation over references; `rank` is greater than that of every node below."""

    operation: Operation | Bridge
    children: tuple[Ref, ...]
    k: int
    rank: int
    empty: bool
    bits: BitMap = field(default_factory=BitMap)
    uses: int = 0


@dataclass(slots=True, eq=False)
class Root:
    """What a segment currently means, as others see it: its expression can be swapped under those that nest it."""

    name: str
    ref: Ref
    rank: int
    kind: SubjectKind = SubjectKind.USER

    @property
    def bits(self) -> BitMap:
        """The bitmap of the expression."""
        return self.ref.source.bits

    @property
    def empty(self) -> bool:
        """The truth for the empty profile."""
        return self.ref.source.empty != self.ref.negated


@dataclass(slots=True, eq=False)
class Members:
    """A bitmap that is set from outside: a list's or frozen segment's members, or a universe."""

    name: str
    bits: BitMap = field(default_factory=BitMap)
    empty: bool = False
    rank: int = 0

    @property
    def page_key(self) -> bytes:
        """Under which key the bitmap is stored."""
        return b"members/" + self.name.encode()


Source: TypeAlias = Condition | Node | Root | Members


class Ref(NamedTuple):
    """A source, or its opposite."""

    source: Source
    negated: bool = False

    @property
    def empty(self) -> bool:
        """The truth for the empty profile."""
        return self.source.empty != self.negated

    def opposite(self) -> Ref:
        """`not` this."""
        return Ref(self.source, not self.negated)

    def of(self, candidates: BitMap) -> BitMap:
        """Returns those candidates for whom it is true."""
        return candidates - self.source.bits if self.empty else candidates & self.source.bits


def rank_of(source: Source) -> int:
    """How deep a source is: conditions and members are 0."""
    return 0 if isinstance(source, Condition) else source.rank
