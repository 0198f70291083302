"""Idempotence of mutating calls: one answer per request id, however often the call is repeated.

Owns a bounded memory of answers, oldest forgotten first. Invariant: while a call with a request id is under
way, or remembered, a repeat gets that call's answer and changes nothing; a failed call may be tried again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from coterie.index.errors import FieldInvalid, LimitExceeded

Answer = TypeVar("Answer")
MAX_REQUEST_ID_BYTES = 128


class RequestMemory:
    """The answers of one dataset's mutating calls, by request id."""

    def __init__(self, capacity: int, keep_ms: int, now: Callable[[], int]) -> None:
        self._capacity = capacity
        self._keep_ms = keep_ms
        self._now = now
        self._answers: OrderedDict[str, tuple[int, bytes, asyncio.Future[Any]]] = OrderedDict()

    async def once(self, request_id: str, call: str, body: bytes, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Does the work, or returns what it returned the first time; `body` tells a repeat from a mix-up."""
        if not request_id or not self._capacity:
            return await work()
        if len(request_id.encode()) > MAX_REQUEST_ID_BYTES:
            raise LimitExceeded("request_id", "bytes of a request id", len(request_id.encode()), MAX_REQUEST_ID_BYTES)
        fingerprint = hashlib.blake2b(call.encode() + b"\0" + body, digest_size=16).digest()
        self._forget_old()
        known = self._answers.get(request_id)
        if known is not None:
            if known[1] != fingerprint:
                raise FieldInvalid("request_id", "this request id was used for another request")
            # Shielded: one caller giving up must not take the answer from the others.
            return await asyncio.shield(known[2])
        task = asyncio.ensure_future(work())
        task.add_done_callback(lambda done: self._drop_failed(request_id, done))
        self._answers[request_id] = (self._now(), fingerprint, task)
        return await asyncio.shield(task)

    def _forget_old(self) -> None:
        horizon = self._now() - self._keep_ms
        while self._answers:
            at, _, future = next(iter(self._answers.values()))
            if not future.done() or (at >= horizon and len(self._answers) < self._capacity):
                return
            self._answers.popitem(last=False)

    def _drop_failed(self, request_id: str, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._answers.pop(request_id, None)
