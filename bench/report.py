"""What a benchmark found out: figures, goals met or missed, a checksum; as a table for people or as JSON.

Owns the form of results only. Invariant: a goal whose peer could not be measured is neither met nor missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number: the median of its rounds, between the smallest and the largest of them."""

    who: str
    what: str
    median: float
    unit: str
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Goal:
    """One target: the ratio (or figure) that was wanted and the one measured; None where a peer is missing."""

    text: str
    measured: float | None
    wanted: float
    at_most: bool = False  # the measured number must not exceed the wanted one; otherwise not fall short of it
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where it could not be measured."""
        if self.measured is None:
            return None
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted


@dataclass(slots=True)
class Report:
    """What one benchmark found out."""

    name: str
    title: str
    setup: str
    figures: list[Figure] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checksum: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        plain = asdict(self)
        for shown, goal in zip(plain["goals"], self.goals, strict=True):
            shown["met"] = goal.met
        return plain


def show(report: Report, console: Console) -> None:
    """Prints a report as tables."""
    console.print(f"\n[bold]{report.name}[/bold] {report.title}\n[dim]{report.setup}[/dim]")
    figures = Table(box=None, pad_edge=False)
    for heading in ("who", "what", "median", "", "least … most"):
        figures.add_column(heading, justify="right" if heading == "median" else "left")
    for figure in report.figures:
        spread = f"{number(figure.least)} … {number(figure.most)}"
        figures.add_row(figure.who, figure.what, number(figure.median), figure.unit, spread)
    console.print(figures)
    for goal in report.goals:
        console.print(_line(goal))
    for note in report.notes:
        console.print(f"[dim]note: {note}[/dim]")
    console.print(f"[dim]checksum {report.checksum}[/dim]")


def _line(goal: Goal) -> str:
    wanted = f"{'≤' if goal.at_most else '≥'} {number(goal.wanted)} {goal.unit}"
    if goal.measured is None:
        return f"[yellow]not measured[/yellow]  {goal.text}: wanted {wanted}"
    verdict = "[green]met[/green]   " if goal.met else "[red]missed[/red]"
    return f"{verdict}  {goal.text}: {number(goal.measured)} {goal.unit}, wanted {wanted}"


def number(value: float) -> str:
    """Returns a number with three significant digits, or as a whole number where it is large."""
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def all_met(reports: Iterable[Report]) -> bool:
    """Says whether every goal that could be measured is met."""
    return all(goal.met is not False for report in reports for goal in report.goals)
