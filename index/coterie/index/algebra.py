"""Set expressions over segments, lists and splits, answered from bitmaps at one revision.

A partial result is a bitmap and whether it stands for its opposite, so `not` costs nothing and a universe is
read only at the end. Owns nothing. Invariant: the number counted is the number of members listed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from coterie.index.conditions import bitmap, ids_of
from coterie.index.errors import RuleUnsupported, WrongSegmentKind
from coterie.index.model import SegmentKind, SubjectKind
from coterie.index.questions import bucket_of
from coterie.index.rules import ast
from coterie.index.state import State


class Part(NamedTuple):
    """A set: `bits`, or everyone but them. The bitmap may be a segment's own: never changed."""

    bits: BitMap
    opposite: bool = False


def is_set(expression: ast.Expression) -> bool:
    """Returns whether an expression is about segments, lists and splits only, so that bitmaps at hand answer it."""
    match expression:
        case ast.And(children=children) | ast.Or(children=children) | ast.AtLeast(children=children):
            return all(is_set(child) for child in children)  # type: ignore[arg-type]  # no predicates in rules
        case ast.Not(child=child):
            return is_set(child)  # type: ignore[arg-type]
        case _:
            return isinstance(expression, ast.InSegment | ast.InList | ast.InSplit)


def members_of(state: State, expression: ast.Expression, kind: SubjectKind) -> BitMap:
    """Returns the members of a set expression; the caller must not change the bitmap."""
    part = _part(state, expression, kind)
    return state.identity[kind].subjects - part.bits if part.opposite else part.bits


def count_of(state: State, expression: ast.Expression, kind: SubjectKind) -> int:
    """Returns how many members a set expression has, without listing them where it is an `and`."""
    everyone = len(state.identity[kind].subjects)
    if isinstance(expression, ast.And):
        parts = _ordered(state, expression.children, kind)  # type: ignore[arg-type]  # no predicates in rules
        return _intersection_count(parts, everyone)
    part = _part(state, expression, kind)
    return everyone - len(part.bits) if part.opposite else len(part.bits)


def _intersection_count(parts: list[Part], everyone: int) -> int:
    plain = sorted((part.bits for part in parts if not part.opposite), key=len)
    taken = [part.bits for part in parts if part.opposite]
    if not plain:
        return everyone - len(BitMap.union(*taken))
    if len(plain) > 1 and len(plain[0]) * _SPARSE > everyone:
        return _dense_count(plain, taken, everyone)
    *first, last = [*plain, *taken]
    if not first:
        return len(last)
    left = _intersection(
        [Part(bits) for bits in first[: len(plain)]] + [Part(bits, True) for bits in first[len(plain) :]]
    )
    return left.bits.difference_cardinality(last) if taken else left.bits.intersection_cardinality(last)


def _dense_count(plain: list[BitMap], taken: list[BitMap], everyone: int) -> int:
    """Counts an intersection of dense sets as two halves of about equal density.

    A set that falls under 1/16 of the universe is turned from bitsets into arrays, container by container, which
    costs more than the intersection itself; so nothing but the counted step is allowed to get thin.
    """
    halves: list[list[BitMap]] = [[plain[0]], [plain[1]]]
    densities = [len(plain[0]) / everyone, len(plain[1]) / everyone]
    for bits in plain[2:]:
        denser = 0 if densities[0] >= densities[1] else 1
        halves[denser].append(bits)
        densities[denser] *= len(bits) / everyone
    denser = 0 if densities[0] >= densities[1] else 1
    made = [_intersection([Part(bits) for bits in half]).bits for half in halves]
    for other in taken:
        made[denser] = made[denser] - other
    return made[0].intersection_cardinality(made[1])


_SPARSE = 16


def _part(state: State, expression: ast.Expression, kind: SubjectKind) -> Part:
    match expression:
        case ast.InSegment(segment=segment):
            return _segment(state, segment, kind)
        case ast.InList(segment=segment):
            held = state.catalog.get(segment).definition.kind
            if held is not SegmentKind.LIST:
                raise WrongSegmentKind(segment, f"{held.name.lower()} segment", "list")
            return _segment(state, segment, kind)
        case ast.InSplit(salt=salt, low=low, high=high):
            return _split(state, kind, salt, low, high)
        case ast.Not(child=child):
            part = _part(state, child, kind)  # type: ignore[arg-type]
            return Part(part.bits, not part.opposite)
        case ast.And(children=children):
            return _intersection(_ordered(state, children, kind))  # type: ignore[arg-type]
        case ast.Or(children=children):
            opposites = [Part(part.bits, not part.opposite) for part in _ordered(state, children, kind)]  # type: ignore[arg-type]
            joined = _intersection(opposites)
            return Part(joined.bits, not joined.opposite)
        case ast.AtLeast(k=k, children=children):
            return _at_least(state, k, children, kind)
        case _:
            raise RuleUnsupported("expression", "a condition outside a segment", "a segment with that rule")


def _segment(state: State, segment: str, kind: SubjectKind) -> Part:
    root = state.catalog.ready(segment)
    held = root.kind
    if held is not kind:
        raise WrongSegmentKind(segment, f"segment of {held.name.lower()}s", f"segment of {kind.name.lower()}s")
    return Part(root.bits, root.empty)


def _split(state: State, kind: SubjectKind, salt: str, low: int, high: int) -> Part:
    ids = ids_of(state.identity[kind].subjects)
    buckets = np.array([bucket_of(salt, state.first_value(kind, dense)) for dense in ids.tolist()], np.int64)
    return Part(bitmap(ids[(buckets >= low) & (buckets < high)]))


def _ordered(state: State, children: tuple[ast.Expression, ...], kind: SubjectKind) -> list[Part]:
    return [_part(state, child, kind) for child in children]


def _intersection(parts: list[Part]) -> Part:
    """Plain sets first, the smallest of them foremost, then what is taken away."""
    plain = sorted((part.bits for part in parts if not part.opposite), key=len)
    taken = [part.bits for part in parts if part.opposite]
    if not plain:
        return Part(BitMap.union(*taken) if len(taken) > 1 else taken[0], opposite=True)
    bits = plain[0]
    for other in plain[1:]:
        bits = bits & other
    for other in taken:
        bits = bits - other
    return Part(bits)


def _at_least(state: State, k: int, children: tuple[ast.Expression, ...], kind: SubjectKind) -> Part:
    everyone = state.identity[kind].subjects
    reached = [BitMap() for _ in range(k)]  # reached[i]: in at least i + 1 of the children so far
    for part in _ordered(state, children, kind):
        carry = everyone - part.bits if part.opposite else part.bits
        for i, held in enumerate(reached):
            reached[i], carry = held | carry, held & carry
    return Part(reached[-1])
