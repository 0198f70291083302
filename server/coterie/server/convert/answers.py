"""The parts that many answers share: revision and time, refusals, identifiers, events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from coterie.index.errors import CoterieError, InputError
from coterie.index.model import ANONYMOUS_ID, USER_ID, Event, Identifier, Refusal
from coterie.server.convert.values import timestamp_of, write_values
from coterie.server.tokens import Tokens
from coterie.v1 import common_pb2, error_reason_pb2

_REASONS = {name.removeprefix("ERROR_REASON_"): number for name, number in error_reason_pb2.ErrorReason.items()}


class Applied(Protocol):
    """What became of a call."""

    @property
    def revision(self) -> int:
        """The revision at which everything of it is applied."""

    @property
    def now(self) -> int:
        """The dataset's own time then."""


def stamp_written(tokens: Tokens, written: Applied, response: Any) -> None:
    """Writes the revision and time at which a call was applied into its answer."""
    stamp(tokens, written.revision, written.now, response)


def stamp(tokens: Tokens, revision: int, now: int, response: Any) -> None:
    """Writes a revision and its time into an answer."""
    response.revision.token = tokens.revision(revision)
    response.now.seconds = now // 1000
    response.now.nanos = now % 1000 * 1_000_000


def write_progress(fraction: float, events: int, target: Any) -> None:
    """Writes how far a scan has come."""
    target.fraction = fraction
    target.scanned_events = events


def write_refusals(refused: Iterable[Refusal], target: Any) -> None:
    """Adds record errors."""
    for refusal in refused:
        target.add(
            index=refusal.index,
            reason=_REASONS[refusal.reason],
            field=refusal.field,
            message=refusal.message,
        )


class Refusals:
    """What a call could not take, by ascending index; at most so many are named."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._refused: list[Refusal] = []

    def add(self, index: int, error: InputError) -> None:
        """Notes a refusal."""
        if len(self._refused) < self._most:
            self._refused.append(Refusal(index, error.reason, error.field, error.message))

    def write(self, target: Any) -> None:
        """Writes them into an answer."""
        write_refusals(self._refused, target)


def write_error(error: CoterieError, index: int, target: Any) -> None:
    """Writes one record's error into an answer."""
    target.index = index
    target.reason = _REASONS[error.reason]
    target.field = error.field if isinstance(error, InputError) else ""
    target.message = error.message


def write_identifiers(identifiers: Iterable[Identifier], target: Any) -> None:
    """Adds identifiers."""
    for namespace, value in identifiers:
        target.add(namespace=namespace, value=value)


def write_event(event: Event, time: int, target: common_pb2.Event) -> None:
    """Writes an event of a timeline."""
    target.event_id = event.event_id
    target.type = event.type
    target.account_id = event.account_id or ""
    target.time.CopyFrom(timestamp_of(time))
    others: list[Identifier] = []
    for identifier in event.identifiers:
        if identifier.namespace == USER_ID:
            target.user_id = identifier.value
        elif identifier.namespace == ANONYMOUS_ID:
            target.anonymous_id = identifier.value
        else:
            others.append(identifier)
    write_identifiers(others, target.identifiers)
    write_values(event.properties, target.properties)
    write_values(event.context, target.context)


def pack_bits(bits: Sequence[bool] | Any) -> bytes:
    """Returns one bit for each truth value, the lowest bit of each byte first, padded with zeros."""
    return np.packbits(np.asarray(bits, dtype=bool), axis=None, bitorder="little").tobytes()
