"""A rule and the tree it was compiled to, walked side by side; and rules as text that people are shown.

Pure functions. Owns nothing. Invariant: the parts of a tree come in the order of the rule's children.
"""

from __future__ import annotations

from collections.abc import Iterator

from coterie.index.bridges import Bridge
from coterie.index.model import SubjectKind
from coterie.index.plan import Across, Combined, Negated, Plan, Tree
from coterie.index.rules import ast, print_rule

_PRINTED_NODES = 100  # of a larger rule only its leaves are printed
_PRINTED_CHARACTERS = 1_000


def children_of(rule: ast.Expression) -> tuple[ast.Expression, ...]:
    """Returns the children of a node of logic; () for a leaf."""
    match rule:
        case ast.And(children=children) | ast.Or(children=children) | ast.AtLeast(children=children):
            return children  # type: ignore[return-value]  # a rule's child is a rule
        case ast.Not(child=child):
            return (child,)  # type: ignore[return-value]
        case _:
            return ()


def parts_of(tree: Tree) -> tuple[Tree, ...]:
    """Returns what the children were compiled to."""
    match tree:
        case Combined(children=children):
            return children
        case Negated(child=child) | Across(child=child):
            return (child,)
        case _:
            return ()


def bridges_of(plan: Plan | None) -> list[Bridge]:
    """Returns what a rule asks of the other kind of subjects."""
    found: list[Bridge] = []
    waiting = [] if plan is None or plan.tree is None else [plan.tree]
    while waiting:
        tree = waiting.pop()
        if isinstance(tree, Across):
            found.append(tree.bridge)
        waiting += parts_of(tree)
    return found


def leaves_of(rule: ast.Expression, kind: SubjectKind) -> Iterator[tuple[ast.Expression, SubjectKind]]:
    """Yields the leaves that are not about other segments, and of which kind of subject each speaks."""
    children = children_of(rule)
    for child in children:
        yield from leaves_of(child, kind)
    if isinstance(rule, ast.OfAccount):
        yield from leaves_of(rule.rule, SubjectKind.ACCOUNT)
    elif not children and not isinstance(rule, ast.InSegment | ast.InList):
        yield rule, kind


def size_of(rule: ast.Expression) -> tuple[int, int]:
    """Returns how many nodes and levels a rule has."""
    below = [
        size_of(child) for child in (children_of(rule) or ((rule.rule,) if isinstance(rule, ast.OfAccount) else ()))
    ]
    return 1 + sum(nodes for nodes, _ in below), 1 + max((levels for _, levels in below), default=0)


def printed(rule: ast.Expression) -> str:
    """Returns a rule's text; of a large one only how many parts it has."""
    if size_of(rule)[0] <= _PRINTED_NODES:
        return cut(print_rule(rule))
    count = f"{len(children_of(rule))} conditions"
    match rule:
        case ast.And():
            return f"all of {count}"
        case ast.Or():
            return f"any of {count}"
        case ast.AtLeast(k=k):
            return f"at least {k} of {count}"
        case _:
            return "not (…)"


def cut(text: str) -> str:
    """Returns a text, cut where it is long."""
    return text if len(text) <= _PRINTED_CHARACTERS else text[: _PRINTED_CHARACTERS - 1] + "…"
