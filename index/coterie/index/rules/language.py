"""The text form of rules: reading, printing, and checking trees that did not come from text.

Owns the translation of everything that can go wrong into the domain errors RuleInvalid and LimitExceeded.
Invariant: `parse(print_rule(rule)) == rule` for every rule that `validate` accepts; input of any depth or
size ends in an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict, Unpack

from lark import UnexpectedInput

from coterie.index.errors import LimitExceeded, RuleInvalid
from coterie.index.rules import ast
from coterie.index.rules.build_logic import Part
from coterie.index.rules.limits import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_NAME_BYTES,
    MAX_NODES,
    MAX_TEXT_BYTES,
    check_limits,
)
from coterie.index.rules.mistakes import explain
from coterie.index.rules.parser import parser
from coterie.index.rules.printer import print_rule
from coterie.index.rules.refusal import Refused, Spot
from coterie.index.rules.source import prepare
from coterie.index.rules.validation import validate

__all__ = [
    "Reading",
    "parse",
    "parse_expression_of_names",
    "parse_stored",
    "print_rule",
    "read_names_or_rule",
    "read_rule",
    "validate",
]

_ANY = 1 << 30
_SHORT = 1_000  # characters of a set expression that is remembered


class Limits(TypedDict, total=False):
    """How large a rule may be."""

    max_nodes: int
    max_depth: int
    max_name_bytes: int
    max_text_bytes: int
    max_characters: int


class Reading(NamedTuple):
    """What a text says, and where in it each of its leaves begins, in the order of the text."""

    expression: ast.Expression
    places: tuple[Spot, ...]


def read_rule(
    text: str,
    *,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_DEPTH,
    max_name_bytes: int = MAX_NAME_BYTES,
    max_text_bytes: int = MAX_TEXT_BYTES,
    max_characters: int = MAX_CHARACTERS,
    field: str = "rule",
) -> Reading:
    """Reads a rule.

    Raises RuleInvalid, with line, column, what was expected and the likely fix, for text that is no rule, and
    LimitExceeded, with line and column, for one that is too large.
    """
    reading = _read(text, "rule", max_characters, max_nodes, field)
    with _placing(reading):
        check_limits(
            reading.expression,
            max_nodes=max_nodes,
            max_depth=max_depth,
            max_name_bytes=max_name_bytes,
            max_text_bytes=max_text_bytes,
            field=field,
        )
    return reading


def parse(text: str, **limits: Unpack[Limits]) -> ast.Expression:
    """Reads a rule as `read_rule` does, with the same limits, and returns only what it says."""
    return read_rule(text, **limits).expression


def parse_stored(text: str) -> ast.Expression:
    """Reads a rule that kept to the limits when it was saved, whatever they are now."""
    return parse(text, max_nodes=_ANY, max_depth=_ANY, max_name_bytes=_ANY, max_text_bytes=_ANY, max_characters=_ANY)


def parse_expression_of_names(
    text: str,
    *,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_DEPTH,
    max_name_bytes: int = MAX_NAME_BYTES,
    max_characters: int = MAX_CHARACTERS,
    field: str = "expression",
) -> ast.Expression:
    """Reads a set expression, such as ``vip and not churned``: names of segments, `in` leaves and logic.

    Raises as `read_rule` does. Dashboards ask the same few again and again, so short ones are remembered.
    """
    return _names(text, max_nodes, max_depth, max_name_bytes, max_characters, field).expression


def read_names_or_rule(
    text: str,
    *,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_DEPTH,
    max_name_bytes: int = MAX_NAME_BYTES,
    max_text_bytes: int = MAX_TEXT_BYTES,
    max_characters: int = MAX_CHARACTERS,
    field: str = "expression",
) -> Reading:
    """Reads a set expression or, where conditions of its own occur, a rule.

    Raises as `read_rule` does; of text that is neither, it tells what the reading says that understood more of it.
    """
    try:
        return _names(text, max_nodes, max_depth, max_name_bytes, max_characters, field)
    except RuleInvalid as no_names:
        try:
            return read_rule(
                text,
                max_nodes=max_nodes,
                max_depth=max_depth,
                max_name_bytes=max_name_bytes,
                max_text_bytes=max_text_bytes,
                max_characters=max_characters,
                field=field,
            )
        except RuleInvalid as no_rule:
            further = max((no_names, no_rule), key=lambda error: (error.line, error.column))
            raise further from None


def _names(text: str, max_nodes: int, max_depth: int, max_name_bytes: int, max_characters: int, field: str) -> Reading:
    read = _remembered_names if len(text) <= _SHORT else _read_names
    return read(text, max_nodes, max_depth, max_name_bytes, max_characters, field)


def _read_names(
    text: str, max_nodes: int, max_depth: int, max_name_bytes: int, max_characters: int, field: str
) -> Reading:
    reading = _read(text, "names", max_characters, max_nodes, field)
    with _placing(reading):
        check_limits(
            reading.expression, max_nodes=max_nodes, max_depth=max_depth, max_name_bytes=max_name_bytes, field=field
        )
    return reading


_remembered_names = lru_cache(maxsize=1024)(_read_names)


@contextmanager
def _placing(reading: Reading) -> Iterator[None]:
    """Has a limit that a leaf exceeds say where that leaf is."""
    try:
        yield
    except LimitExceeded as exceeded:
        exceeded.place_leaf(reading.places)
        raise


def _read(text: str, start: str, max_characters: int, max_nodes: int, field: str) -> Reading:
    try:
        prepared = prepare(text, max_characters, max_nodes, field)
        try:
            parsed: Any = parser().parse(prepared, start=start)
        except UnexpectedInput as unexpected:
            raise explain(prepared, unexpected) from None
    except Refused as refusal:
        place = refusal.place
        line, column = (place.line or 1, place.column or 1) if place else (1, 1)
        raise RuleInvalid(field, refusal.message, line, column, refusal.expected, refusal.fix) from None
    part: Part = parsed
    return Reading(part.node, tuple(Spot(leaf.line or 1, leaf.column or 1) for leaf in part.leaves))
