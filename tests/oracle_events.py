"""The oracle's events: one that happened, and which selectors it satisfies.

Owns what `any event`, a type and a `where` mean in tests. Invariant: an event is looked at by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from coterie.index.model import Event, Value
from coterie.index.rules import ast
from tests.oracle_time import local_date, local_datetime
from tests.oracle_values import satisfies, satisfies_near


@dataclass(frozen=True)
class Happened:
    """One event that was taken: when, at which journal position, whose (dense ids, 0 for nobody)."""

    time: int
    position: tuple[int, int]  # (revision, index in the record); breaks ties of time
    user: int
    account: int
    event: Event

    @property
    def derived(self) -> bool:
        """Whether nobody sent it: a finished visit."""
        return self.event.type.startswith("$")

    def value(self, name: str) -> Value | None:
        """Returns the property of that name, or the context value where no property has it."""
        return self.event.properties.get(name, self.event.context.get(name))


def matches(events: ast.Events, happened: Happened, zone: str) -> bool:
    """Returns whether the event is of that type (None: any that is not derived) and satisfies the `where`."""
    if events.type is None and happened.derived:
        return False
    if events.type not in {None, happened.event.type}:
        return False
    return events.where is None or _where(events.where, happened, zone)


def _where(predicate: Any, happened: Happened, zone: str) -> bool:
    if isinstance(predicate, ast.And):
        return all(_where(child, happened, zone) for child in predicate.children)
    if isinstance(predicate, ast.Or):
        return any(_where(child, happened, zone) for child in predicate.children)
    if isinstance(predicate, ast.Not):
        return not _where(predicate.child, happened, zone)
    if isinstance(predicate, ast.EventTimeTest):
        return satisfies(predicate.test, _time_part(predicate.part, happened.time, zone), zone)
    if isinstance(predicate.test, ast.Near):
        return satisfies_near(predicate.test, predicate.name, happened.value)
    return satisfies(predicate.test, happened.value(predicate.name), zone)


def _time_part(part: ast.EventTimePart, time: int, zone: str) -> Value | date:
    if part is ast.EventTimePart.HOUR:
        return float(local_datetime(time, zone).hour)
    if part is ast.EventTimePart.WEEKDAY:
        return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local_date(time, zone).weekday()]
    return local_date(time, zone)
