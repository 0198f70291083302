"""Explanations from the engine to protobuf.

Invariant: an instant that no timestamp can hold (beyond the year 9999, or before the year 1) is left out.
"""

from __future__ import annotations

from typing import TypeGuard

from coterie.index.explained import Answer, Explained
from coterie.index.model import Value
from coterie.server.convert.values import MAX_SECONDS, MIN_SECONDS, enum_number, timestamp_of, write_value
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as v1


def write_explanation(answer: Answer, target: v1.ExplainMembershipResponse) -> None:
    """Writes an explanation, without its revision."""
    target.known, target.member = answer.known, answer.member
    target.mode = enum_number(answer.mode)
    target.universe, target.in_universe = enum_number(answer.universe), answer.in_universe
    membership = answer.segment
    if membership is None:
        return
    _write_node(membership.children[0] if membership.children else membership, target.explanation)
    if _fits(membership.next_flip):
        target.next_flip.CopyFrom(timestamp_of(membership.next_flip))
    if _fits(answer.looked_until):
        target.looked_until.CopyFrom(timestamp_of(answer.looked_until))


def _write_node(node: Explained, target: v1.Explanation) -> None:
    target.kind = enum_number(node.kind)
    target.text, target.holds, target.segment = node.text, node.holds, node.segment
    target.condition = node.condition
    _write(node.value, target, "value")
    _write(node.threshold, target, "threshold")
    _write(node.upper, target, "upper_threshold")
    if node.newest is not None:
        target.newest_event_time.CopyFrom(timestamp_of(node.newest.time))
        target.newest_event_type, target.newest_event_id = node.newest.type, node.newest.event_id
    if _fits(node.next_flip):
        target.next_flip.CopyFrom(timestamp_of(node.next_flip))
    for child in node.children:
        _write_node(child, target.children.add())


def _write(value: Value | None, target: v1.Explanation, field: str) -> None:
    is_instant = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and (not is_instant or _fits(value)):
        held: common_pb2.Value = getattr(target, field)
        write_value(value, held)


def _fits(instant: object) -> TypeGuard[int]:
    return isinstance(instant, int) and MIN_SECONDS <= instant // 1000 <= MAX_SECONDS
