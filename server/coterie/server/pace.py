"""How exactly time is followed: to the millisecond while there is room, in steps under load.

Owns the choice of when a tick is written. A few moves of time may be exact one after the other; when they come
thicker than that, or when calls keep the writer busy anyway, ticks stay `spacing_ms` apart.
"""

from __future__ import annotations

from coterie.server.clock import Clock


class Pace:
    """Decides when time is moved, and whether to the very instant."""

    def __init__(self, clock: Clock, spacing_ms: int, burst: int) -> None:
        self._clock = clock
        self._spacing_ms = spacing_ms
        self._burst = burst
        self._credit = float(burst)
        self._refilled_at = clock.now()
        self._last_at = 0
        self._loaded_at = 0

    def next_tick(self, due: int | None) -> int | None:
        """Returns when to wake up for an instant at which time changes something (None: there is none)."""
        if due is None:
            return None
        return due if self._room() else max(due, self._last_at + self._spacing_ms)

    def exact(self) -> bool:
        """Says whether a tick is written for the very instant that is due, although the clock is past it."""
        return self._room()

    def moved(self, at: int, *, tick: bool) -> None:
        """Notes that time was moved."""
        self._last_at = at
        if tick:
            self._refill()
            self._credit = max(0.0, self._credit - 1)

    def loaded(self) -> None:
        """Notes that calls are being written."""
        self._loaded_at = self._clock.now()

    def _room(self) -> bool:
        self._refill()
        return self._credit >= 1 and self._clock.now() - self._loaded_at >= self._spacing_ms

    def _refill(self) -> None:
        now = self._clock.now()
        self._credit = min(float(self._burst), self._credit + (now - self._refilled_at) / self._spacing_ms)
        self._refilled_at = now
