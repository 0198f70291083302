"""The server's clock: the only place that reads the time of day.

Owns the reading of the system clock. It is read once, at the start; from then on time follows the monotonic
clock, so it never steps, neither back nor forth. Tests put a clock of their own in its place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that was asked for and can be called off."""

    def cancel(self) -> None:
        """Calls it off; harmless when it is over."""


class Clock(Protocol):
    """What the server asks of a clock."""

    def now(self) -> int:
        """Returns the time in whole milliseconds since the Unix epoch, UTC; never smaller than before."""

    def call_at(self, instant: int, callback: Callable[[], None]) -> Timer:
        """Calls back once `now()` has reached the instant."""


class SystemClock:
    """The time of day at the start, then the monotonic clock."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Returns whole milliseconds since the Unix epoch, UTC."""
        return (time.monotonic_ns() + self._offset_ns) // 1_000_000

    def call_at(self, instant: int, callback: Callable[[], None]) -> Timer:
        """Calls back on the running event loop, at the instant or a little later, never earlier."""
        return _LoopTimer(self, instant, callback)


class _LoopTimer:
    """A timer of the running event loop."""

    def __init__(self, clock: SystemClock, instant: int, callback: Callable[[], None]) -> None:
        self._clock, self._instant, self._callback = clock, instant, callback
        self._loop = asyncio.get_running_loop()
        self._wait()

    def cancel(self) -> None:
        """Calls it off."""
        self._handle.cancel()

    def _wait(self) -> None:
        self._handle = self._loop.call_later(max(0, self._instant - self._clock.now()) / 1000, self._check)

    def _check(self) -> None:
        # A loop's timer may fire a fraction of a millisecond early; then it waits for the rest.
        if self._clock.now() >= self._instant:
            self._callback()
        else:
            self._wait()


class ClockRefused(Exception):
    """The clock is so far past a dataset's last record that starting could empty every window by mistake."""

    def __init__(self, dataset: str, last: int, now: int) -> None:
        days = (now - last) / 86_400_000
        super().__init__(
            f"dataset {dataset!r}: the clock is {days:.1f} days past the last record; if the clock is right, "
            f"start with --accept-clock (setting accept_clock), otherwise set the clock"
        )
        self.dataset = dataset
        self.last = last
        self.now = now


def check_start(dataset: str, last: int, now: int, max_gap_ms: int, *, accept: bool) -> None:
    """Raises ClockRefused where `now` lies more than the gap past the last record (0: there is none)."""
    if last and now - last > max_gap_ms and not accept:
        raise ClockRefused(dataset, last, now)
