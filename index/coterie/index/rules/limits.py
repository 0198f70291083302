"""How large a rule may be: how many leaves, how deeply nested, how long its names and texts.

Invariant: works without recursion, so that any tree, however deep, ends in an answer; everything after it may
rely on the depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from coterie.index.errors import LimitExceeded
from coterie.index.rules import ast

MAX_NODES = 10_000
MAX_DEPTH = 32
MAX_NAME_BYTES = 256
MAX_TEXT_BYTES = 8_192
MAX_CHARACTERS = 1_000_000

Node: TypeAlias = "ast.Expression | ast.Predicate | ast.Term"
_Excess: TypeAlias = "tuple[str, int, int]"  # what there is too much of, how much, and how much may be

_LOGIC = (ast.And, ast.Or, ast.Not, ast.AtLeast)
_ACROSS = (ast.OfAccount, ast.Users)  # leaves that hold leaves
# What nests: only these count towards the depth.
_NESTING = (*_LOGIC, *_ACROSS, ast.Arithmetic)


def check_limits(
    expression: ast.Expression,
    *,
    max_nodes: int = MAX_NODES,
    max_depth: int = MAX_DEPTH,
    max_name_bytes: int = MAX_NAME_BYTES,
    max_text_bytes: int = MAX_TEXT_BYTES,
    field: str = "rule",
) -> None:
    """Raises LimitExceeded for a rule that is too large in any way; it says at which leaf, the first there is.

    Nodes are what a rule asks about: conditions, tests in a `where`, measures, steps, and every value of a list.
    """
    nodes = 0
    walk = _walk(expression)
    for node, depth, leaf in walk:
        nodes += _weight(node)
        if depth > max_depth:
            excess: _Excess | None = ("nesting of the rule", depth, max_depth)
        elif nodes > max_nodes:
            given = nodes + sum(_weight(further) for further, _, _ in walk)
            excess = ("leaves of the rule", given, max_nodes)
        else:
            excess = _too_long(node, max_name_bytes, max_text_bytes)
        if excess is not None:
            exceeded = LimitExceeded(field, *excess)
            exceeded.leaf = leaf
            raise exceeded


def _walk(expression: ast.Expression) -> Iterator[tuple[Node, int, int]]:
    """Yields each node, how deep it is, and which leaf it is part of (logic: of the first in it), in the order of the text."""
    leaves = 0  # that have begun
    stack: list[tuple[Node, int, int | None]] = [(expression, 0, None)]  # with the leaf that a node is inside
    while stack:
        node, outer, leaf = stack.pop()
        depth = outer + isinstance(node, _NESTING)
        yield node, depth, leaves if leaf is None else leaf
        begins = leaf is None and not isinstance(node, _LOGIC)
        inside = leaves if begins and not isinstance(node, _ACROSS) else leaf
        leaves += begins
        stack += [(child, depth, inside) for child in reversed(tuple(_children(node)))]


def _too_long(node: Node, max_name_bytes: int, max_text_bytes: int) -> _Excess | None:
    for name in _names(node):
        if (size := _size(name, max_name_bytes)) > max_name_bytes:
            return "UTF-8 bytes of a name", size, max_name_bytes
    for text in _texts(node):
        if (size := _size(text, max_text_bytes)) > max_text_bytes:
            return "UTF-8 bytes of a text", size, max_text_bytes
    return None


def _size(text: str, maximum: int) -> int:
    # A character takes four bytes at most, so most texts need no encoding.
    return len(text) if len(text) * 4 <= maximum else len(text.encode("utf-8", "surrogatepass"))


def _children(node: Node) -> Iterator[Node]:
    match node:
        case ast.And(children) | ast.Or(children) | ast.AtLeast(_, children):
            yield from children
        case ast.Not(child) | ast.OfAccount(child) | ast.Users(_, child):
            yield child
        case ast.Did(events) | ast.DidFirst(events):
            yield from _where(events)
        case ast.Sequence(steps):
            for step in steps:
                yield from _where(step)
        case ast.Inaction(first, then_not):
            yield from _where(first)
            yield from _where(then_not)
        case ast.MeasureTest(term, test):
            yield term
            if isinstance(test, ast.TermCompare):
                yield test.term
        case ast.Arithmetic(_, left, right):
            yield left
            yield right
        case ast.Measure(_, ast.Events() as events):
            yield from _where(events)
        case _:
            pass


def _where(events: ast.Events) -> Iterator[ast.Predicate]:
    if events.where is not None:
        yield events.where


def _test(node: Node) -> ast.Test | None:
    match node:
        case ast.AttributeTest(test=test) | ast.PropertyTest(test=test) | ast.EventTimeTest(test=test):
            return test
        case ast.MeasureTest(test=test) if not isinstance(test, ast.TermCompare):
            return test
        case _:
            return None


def _weight(node: Node) -> int:
    match node:
        case ast.MeasureTest():  # its measures count, and the values beyond the one it is compared with
            return len(node.test.values) - 1 if isinstance(node.test, ast.OneOf) else 0
        case ast.Sequence(steps):
            return len(steps)
        case ast.Inaction():
            return 2
        case _ if isinstance(node, _NESTING):
            return 0
    test = _test(node)
    return len(test.values) if isinstance(test, ast.OneOf) else 1


def _names(node: Node) -> Iterator[str]:
    match node:
        case ast.AttributeTest(_, name) | ast.PropertyTest(name):
            yield name
        case ast.Did(events) | ast.DidFirst(events) | ast.Measure(_, ast.Events() as events):
            yield events.type or ""
        case ast.Sequence(steps):
            yield from (step.type or "" for step in steps)
        case ast.Inaction(first, then_not):
            yield from (first.type or "", then_not.type or "")
        case ast.InSegment(name) | ast.InList(name) | ast.InSplit(name):
            yield name
        case _:
            pass
    if isinstance(node, ast.Measure):
        yield node.property or ""


def _texts(node: Node) -> Iterator[str]:
    match _test(node):
        case ast.Compare(_, str() as text) | ast.TextMatch(_, text):
            yield text
        case ast.OneOf(values):
            yield from (value for value in values if isinstance(value, str))
        case ast.Between(low, high):
            yield from (value for value in (low, high) if isinstance(value, str))
        case _:
            pass
