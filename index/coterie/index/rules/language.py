"""The text form of rules: reading, printing, and checking trees that did not come from text.

Owns the translation of everything that can go wrong into the domain errors RuleInvalid and LimitExceeded.
Invariant: `parse(print_rule(rule)) == rule` for every rule that `validate` accepts; input of any depth or
size ends in an answer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lark import UnexpectedInput

from coterie.index.errors import RuleInvalid
from coterie.index.rules import ast
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
from coterie.index.rules.refusal import Refused
from coterie.index.rules.source import prepare
from coterie.index.rules.validation import validate

__all__ = ["parse", "parse_expression_of_names", "parse_names_or_rule", "parse_stored", "print_rule", "validate"]

_ANY = 1 << 30
_SHORT = 1_000  # characters of a set expression that is remembered


def parse(
    text: str,
    *,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_DEPTH,
    max_name_bytes: int = MAX_NAME_BYTES,
    max_text_bytes: int = MAX_TEXT_BYTES,
    max_characters: int = MAX_CHARACTERS,
    field: str = "rule",
) -> ast.Expression:
    """Reads a rule.

    Raises RuleInvalid, with line, column, what was expected and the likely fix, for text that is no rule, and
    LimitExceeded for one that is too large.
    """
    expression = _read(text, "rule", max_characters, max_nodes, field)
    check_limits(
        expression,
        max_nodes=max_nodes,
        max_depth=max_depth,
        max_name_bytes=max_name_bytes,
        max_text_bytes=max_text_bytes,
        field=field,
    )
    return expression


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

    Raises as `parse` does. Dashboards ask the same few again and again, so short ones are remembered.
    """
    read = _remembered if len(text) <= _SHORT else _read
    expression = read(text, "names", max_characters, max_nodes, field)
    check_limits(expression, max_nodes=max_nodes, max_depth=max_depth, max_name_bytes=max_name_bytes, field=field)
    return expression


def parse_names_or_rule(
    text: str,
    *,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_DEPTH,
    max_name_bytes: int = MAX_NAME_BYTES,
    max_text_bytes: int = MAX_TEXT_BYTES,
    max_characters: int = MAX_CHARACTERS,
    field: str = "expression",
) -> ast.Expression:
    """Reads a set expression or, where conditions of its own occur, a rule.

    Raises as `parse` does; of text that is neither, it tells what the reading says that understood more of it.
    """
    limits = {
        "max_nodes": max_nodes,
        "max_depth": max_depth,
        "max_name_bytes": max_name_bytes,
        "max_characters": max_characters,
    }
    try:
        return parse_expression_of_names(text, **limits, field=field)
    except RuleInvalid as no_names:
        try:
            return parse(text, **limits, max_text_bytes=max_text_bytes, field=field)
        except RuleInvalid as no_rule:
            further = max((no_names, no_rule), key=lambda error: (error.line, error.column))
            raise further from None


@lru_cache(maxsize=1024)
def _remembered(text: str, start: str, max_characters: int, max_nodes: int, field: str) -> ast.Expression:
    return _read(text, start, max_characters, max_nodes, field)


def _read(text: str, start: str, max_characters: int, max_nodes: int, field: str) -> ast.Expression:
    try:
        prepared = prepare(text, max_characters, max_nodes, field)
        try:
            part: Any = parser().parse(prepared, start=start)
        except UnexpectedInput as unexpected:
            raise explain(prepared, unexpected) from None
    except Refused as refusal:
        place = refusal.place
        line, column = (place.line or 1, place.column or 1) if place else (1, 1)
        raise RuleInvalid(field, refusal.message, line, column, refusal.expected, refusal.fix) from None
    expression: ast.Expression = part.node
    return expression
