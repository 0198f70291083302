"""How fresh a read must be: now, at least some revision, or exactly one.

Owns the waiting. A wait is bounded by the call's deadline, or by `max_wait_ms` where there is none.
"""

from __future__ import annotations

from typing import cast

from coterie.index.errors import FieldInvalid, RevisionCompacted, RevisionUnavailable
from coterie.server.binding import Context
from coterie.server.dataset import Dataset
from coterie.v1 import common_pb2 as v1

_MARGIN_S = 0.05  # left of the deadline to say that the wait was in vain


async def settle(dataset: Dataset, consistency: v1.Consistency, context: Context) -> None:
    """Returns once the dataset may answer; raises where it cannot."""
    kind = consistency.WhichOneof("requirement")
    if kind not in ("at_least_as_fresh", "at_exact_revision"):
        return
    field = f"consistency.{kind}.token"
    token = getattr(consistency, kind).token
    if not token:
        raise FieldInvalid(field, "must not be empty")
    revision = dataset.tokens.read_revision(token, field)
    if kind == "at_least_as_fresh":
        await _wait_for(dataset, revision, context)
    else:
        _check_exact(dataset, revision)


def check_unmoved(dataset: Dataset, consistency: v1.Consistency) -> None:
    """Raises where an exact revision was asked for and the dataset has moved on while the answer was worked out."""
    if consistency.WhichOneof("requirement") == "at_exact_revision":
        token = consistency.at_exact_revision.token
        _check_exact(dataset, dataset.tokens.read_revision(token, "consistency.at_exact_revision.token"))


async def _wait_for(dataset: Dataset, revision: int, context: Context) -> None:
    if dataset.progress.revision >= revision:
        return
    remaining: float | None = cast("float | None", context.time_remaining())  # None where there is no deadline
    limit = dataset.settings.max_wait_ms / 1000 if remaining is None else max(0.0, remaining - _MARGIN_S)
    if not await dataset.progress.past(revision - 1, limit):
        raise RevisionUnavailable("the revision asked for was not reached in time")


def _check_exact(dataset: Dataset, revision: int) -> None:
    current = dataset.progress.revision
    if revision == current:
        return
    oldest = dataset.engine.changes.oldest
    if revision < oldest:
        raise RevisionCompacted(dataset.tokens.revision(oldest))
    raise RevisionUnavailable(
        "the dataset has moved on from that revision; only the newest one can be answered exactly"
        if revision < current
        else "that revision has not been reached yet; ask for at_least_as_fresh to wait for it"
    )
