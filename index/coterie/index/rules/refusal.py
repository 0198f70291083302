"""The one exception the language raises inside: a rule says something that cannot be meant.

Checks raise it without a place; whoever knows the place adds it, a token of the text or a field's path.
It never leaves this package: `language` turns it into the domain error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Place(Protocol):
    """Where in the text something stands; lines and columns count from 1. A lark token is one."""

    @property
    def line(self) -> int | None:
        """The line."""

    @property
    def column(self) -> int | None:
        """The column."""


class Spot(NamedTuple):
    """A place that is no token."""

    line: int
    column: int


class Refused(Exception):
    """What is wrong, what was expected instead, the likely fix, and the place as far as it is known."""

    def __init__(self, message: str, expected: str = "", fix: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message, self.expected, self.fix, self.place = message, expected, fix, place


def at(
    place: Place, call: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Calls, and gives a refusal that has no place yet this one."""
    try:
        return call(*arguments, **named)
    except Refused as refusal:
        if refusal.place is None:
            refusal.place = place
        raise
