"""Rules as they come in: text, tree, or both; and set expressions.

Owns where they are read: short ones at once, long ones in a worker thread, so that ten thousand leaves hold
nobody up. What is returned is checked and has one printed form.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

from google.protobuf.message import Message

from coterie.index.errors import FieldInvalid, Origin
from coterie.index.model import SubjectKind
from coterie.index.rules import (
    Reading,
    ast,
    parse_expression_of_names,
    parse_stored,
    print_rule,
    read_names_or_rule,
    read_rule,
    validate,
)
from coterie.server.config import ServerSettings
from coterie.server.convert.rules import expression_of, message_of
from coterie.server.convert.values import check_text
from coterie.server.dataset import Dataset

Result = TypeVar("Result")
_SHORT = 2_000  # characters of text, or bytes of a tree, that are read at once: about a millisecond


class Rule(NamedTuple):
    """A rule in both forms, and where it was said."""

    expression: ast.Expression
    text: str
    origin: Origin


class RuleSource(NamedTuple):
    """What a request says of a rule: text (empty: not given), tree (None: not given), and the fields' paths."""

    text: str
    tree: Message | None
    text_field: str
    tree_field: str


async def rule_of(source: RuleSource, kind: SubjectKind, settings: ServerSettings) -> Rule:
    """Returns the rule that text, tree or both say."""
    if not source.text and source.tree is None:
        raise FieldInvalid(source.text_field, "a rule is needed, as text or as tree")
    check_text(source.text, source.text_field, "a rule", settings.max_rule_bytes)
    size = max(len(source.text), source.tree.ByteSize() if source.tree is not None else 0)
    return await read_beside(partial(_rule_of, source, kind, settings), size)


def _rule_of(source: RuleSource, kind: SubjectKind, settings: ServerSettings) -> Rule:
    engine = settings.engine
    limits = {
        "max_nodes": engine.max_rule_nodes,
        "max_depth": engine.max_rule_depth,
        "max_name_bytes": engine.max_name_bytes,
        "max_text_bytes": engine.max_text_bytes,
    }
    said = None
    if source.text:
        reading = read_rule(source.text, max_characters=settings.max_rule_bytes, field=source.text_field, **limits)
        said = Rule(reading.expression, print_rule(reading.expression), Origin(source.text_field, reading.places))
    if source.tree is None:
        assert said is not None, "one of the two is given"
        return said
    expression = expression_of(source.tree, source.tree_field)
    validate(expression, subject_kind=kind, field=source.tree_field, **limits)
    if said is None:
        return Rule(expression, print_rule(expression), Origin(source.tree_field))
    if said.expression != expression:
        raise FieldInvalid(source.tree_field, "tree and text are both given and do not mean the same")
    return said


async def set_expression_of(text: str, field: str, settings: ServerSettings) -> ast.Expression:
    """Returns a set expression, such as `vip and not churned`."""
    if not text:
        raise FieldInvalid(field, "must not be empty")
    check_text(text, field, "a set expression", settings.max_expression_bytes)
    engine = settings.engine
    return await read_beside(
        partial(
            parse_expression_of_names,
            text,
            max_nodes=engine.max_rule_nodes,
            max_depth=engine.max_rule_depth,
            max_name_bytes=engine.max_name_bytes,
            max_characters=settings.max_expression_bytes,
            field=field,
        ),
        len(text),
    )


async def any_expression_of(text: str, field: str, settings: ServerSettings) -> Reading:
    """Returns a set expression, or one with conditions of its own, such as `did purchase and not in churned`."""
    if not text:
        raise FieldInvalid(field, "must not be empty")
    check_text(text, field, "an expression", settings.max_expression_bytes)
    engine = settings.engine
    return await read_beside(
        partial(
            read_names_or_rule,
            text,
            max_nodes=engine.max_rule_nodes,
            max_depth=engine.max_rule_depth,
            max_name_bytes=engine.max_name_bytes,
            max_text_bytes=engine.max_text_bytes,
            max_characters=settings.max_expression_bytes,
            field=field,
        ),
        len(text),
    )


async def tree_message(text: str) -> Any:
    """Returns the tree of a stored rule; None where there is none (lists, frozen segments)."""
    if not text:
        return None
    return await read_beside(lambda: message_of(parse_stored(text)), len(text))


async def read_beside(work: Callable[[], Result], size: int) -> Result:
    """Does the reading of so many characters or bytes: at once, or in a worker thread where that would take long."""
    return work() if size <= _SHORT else await asyncio.to_thread(work)


def segments_in(expression: ast.Expression) -> list[str]:
    """Returns the segments and lists a rule names, sorted."""
    return sorted({node.segment for node in _nodes(expression) if isinstance(node, ast.InSegment | ast.InList)})


def _nodes(root: Any) -> Iterator[Any]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        for part in fields(node) if is_dataclass(node) else ():
            value = getattr(node, part.name)
            waiting.extend(value if isinstance(value, tuple) else (value,))


def subject_kind_of(dataset: Dataset, expression: ast.Expression, otherwise: SubjectKind) -> SubjectKind:
    """Returns whom a set expression is about: the kind of the segments it names; SegmentNotFound."""
    kinds = {dataset.engine.segment(name).definition.subject_kind for name in segments_in(expression)}
    return kinds.pop() if len(kinds) == 1 else otherwise
