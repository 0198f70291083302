"""What a compiled rule is: a tree over conditions and other segments, and everything it uses.

Owns nothing but the uses a `Plan` lists. Invariant: a tree says what its rule says; segments in it are resolved
when it is put to work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from coterie.index.bridges import Bridge
from coterie.index.conditions import Condition
from coterie.index.nodes import Operation


@dataclass(frozen=True, slots=True)
class Nested:
    """Membership of another segment, resolved when the plan is put to work."""

    segment: str


@dataclass(frozen=True, slots=True)
class Combined:
    """An operation over trees."""

    operation: Operation
    children: tuple[Tree, ...]
    k: int = 0


@dataclass(frozen=True, slots=True)
class Negated:
    """The opposite of a tree."""

    child: Tree


@dataclass(frozen=True, slots=True)
class Across:
    """What a bridge makes of a tree about the other subject kind."""

    bridge: Bridge
    child: Tree


Tree: TypeAlias = Condition | Nested | Combined | Negated | Across


@dataclass(slots=True)
class Plan:
    """A compiled rule and everything it uses, once per use."""

    tree: Tree | None = None
    leaves: int = 0  # that were begun, in the order of the text
    measures: list[int] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    segments: dict[str, int] = field(default_factory=dict)  # with the first leaf that names each
