"""What the demonstration shows: headings, tables, and the live picture of segments moving.

On a terminal the picture is redrawn in place; elsewhere a few lines a second are printed instead.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from coterie.client import Change
from coterie.server.cli import render
from coterie.server.cli.demo.follower import Follower
from coterie.server.cli.demo.segments import ALL
from coterie.server.cli.watching import change_line

_LINES = 10
_LINE_SECONDS = 0.25


class Screen:
    """The demonstration's output."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def heading(self, text: str) -> None:
        """Begins a part of the story."""
        self.console.print()
        self.console.print(Text(text, style="bold"))

    def say(self, text: str) -> None:
        """Tells a fact."""
        self.console.print(Text(f"  {text}"))

    def check(self, passed: bool, text: str) -> None:
        """Tells the outcome of a comparison."""
        self.console.print(Text.assemble("  ", ("ok  ", "green") if passed else ("WRONG  ", "bold red"), text))

    def segments(self, counts: Mapping[str, int], follower: Follower | None = None) -> None:
        """Shows all segments with their size."""
        self.console.print(segment_table(counts, follower))


def segment_table(counts: Mapping[str, int], follower: Follower | None) -> Table:
    """All segments with their size, and how many joined and left since the follower began."""
    moving = (">joined", ">left") if follower else ()
    return render.rows(
        render.table("segment", ">members", *moving, "rule"),
        (
            (
                wanted.id,
                render.number(counts[wanted.id]),
                *(
                    (render.number(follower.joined[wanted.id]), render.number(follower.left[wanted.id]))
                    if follower
                    else ()
                ),
                wanted.rule or "(a list)",
            )
            for wanted in ALL
            if wanted.id in counts
        ),
    )


class LivePicture:
    """Segments and the newest joins and leaves, while live events come in."""

    def __init__(self, console: Console, follower: Follower) -> None:
        self._console, self._follower = console, follower
        self._live = Live(console=console, refresh_per_second=8) if console.is_terminal else None
        self._printed_at = 0.0
        self._shown: Counter[str] = Counter()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def update(self, counts: Mapping[str, int], line: str) -> None:
        """Shows the state of things: counts, and one line of figures."""
        recent = self._follower.newest(_LINES)
        if self._live:
            self._live.update(
                Group(
                    segment_table(counts, self._follower),
                    *[change_line(change) for change in recent],
                    Text(line, "dim"),
                )
            )
        elif time.monotonic() - self._printed_at >= _LINE_SECONDS:
            self._print_one(recent)

    def _print_one(self, recent: Sequence[Change]) -> None:
        """Prints the newest change of the segment that was shown least."""
        if recent:
            change = min(reversed(recent), key=lambda one: self._shown[one.segment])
            self._shown[change.segment] += 1
            self._printed_at = time.monotonic()
            self._console.print("  ", change_line(change), sep="")
