"""Answers of CheckMembership, put together from pieces that are serialized already.

A protobuf message may be cut anywhere between two fields: the pieces, one after the other, mean the whole. Between two
revisions the head of every answer is the same, and a membership has only two forms, so an answer costs one join.
Invariant: what is packed here parses to the message that would have been built field by field.
"""

from __future__ import annotations

from collections.abc import Sequence

from coterie.server.convert.answers import stamp
from coterie.server.tokens import Tokens
from coterie.v1 import membership_service_pb2 as v1

_KEPT_PIECES = 100_000


class CheckAnswers:
    """Packs the answers of one dataset."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._revision = -1
        self._heads: dict[bool, bytes] = {}
        self._members: dict[str, bytes] = {}
        self._others: dict[str, bytes] = {}

    def pack(self, revision: int, now: int, segments: Sequence[str], members: Sequence[bool], *, known: bool) -> bytes:
        """Returns a serialized CheckMembershipResponse."""
        if revision != self._revision:
            self._heads = {each: self._head(revision, now, known=each) for each in (True, False)}
            self._revision = revision
        pieces = [self._heads[known]]
        for segment, member in zip(segments, members, strict=True):
            kept = self._members if member else self._others
            pieces.append(kept.get(segment) or _keep(kept, segment, member=member))
        return b"".join(pieces)

    def _head(self, revision: int, now: int, *, known: bool) -> bytes:
        head = v1.CheckMembershipResponse(known=known)
        stamp(self._tokens, revision, now, head)
        return head.SerializeToString()


def _keep(kept: dict[str, bytes], segment: str, *, member: bool) -> bytes:
    if len(kept) >= _KEPT_PIECES:
        kept.clear()
    piece = v1.CheckMembershipResponse(memberships=[v1.Membership(segment=segment, member=member)])
    return kept.setdefault(segment, piece.SerializeToString())
