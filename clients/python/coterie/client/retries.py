"""When a failed call is sent again, and after how long.

Only what is safe: every write carries a request id (or event ids), so the server applies it once however often it
arrives. Invariant: an answer about the request itself is never retried, and a call never outlives its timeout.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import grpc

from coterie.client.errors import CoterieError, Exhausted, Unavailable


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a call is repeated."""

    attempts: int = 4
    first_delay: float = 0.1
    longest_delay: float = 2.0

    def delay(self, error: CoterieError, attempt: int, remaining: float) -> float | None:
        """Seconds to wait after the `attempt`-th try (from 1) failed like that; None: give up."""
        if attempt >= self.attempts or not _passes(error):
            return None
        backoff = min(self.first_delay * 2 ** (attempt - 1), self.longest_delay)
        wait = max(error.retry_after or 0.0, backoff * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries
        return wait if wait < remaining else None


def _passes(error: CoterieError) -> bool:
    """Whether the failure is one that time heals."""
    if isinstance(error, Unavailable):
        return error.code is grpc.StatusCode.UNAVAILABLE
    return isinstance(error, Exhausted) and error.retry_after is not None
