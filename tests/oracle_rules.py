"""What the oracle says of a rule before anything is known of anybody: whom it names, whether its types fit.

Invariant: both walk the whole rule, also into `account (…)` and `any user (…)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coterie.index.model import SubjectKind, ValueKind
from coterie.index.rules import ast

Types = Mapping[SubjectKind, Mapping[str, ValueKind]]  # of attributes, by the kind of their owner


def named_in(rule: object) -> set[str]:
    """Returns the segments and lists a rule names."""
    if isinstance(rule, ast.InSegment | ast.InList):
        return {rule.segment}
    return set().union(*map(named_in, _children(rule)))


def type_error(rule: object, kind: SubjectKind, types: Types) -> bool:
    """Returns whether the rule compares an attribute of a known type with what no value of it can satisfy."""
    if isinstance(rule, ast.AttributeTest):
        owner = SubjectKind.ACCOUNT if rule.owner is ast.Owner.ACCOUNT else kind
        return rule.owner is not ast.Owner.CURRENT and not _attribute_fits(rule.name, rule.test, types[owner])
    if isinstance(rule, ast.OfAccount):
        kind = SubjectKind.ACCOUNT
    if isinstance(rule, ast.Users):
        kind = SubjectKind.USER
    return any(type_error(child, kind, types) for child in _children(rule))


def _children(rule: Any) -> tuple[Any, ...]:
    if isinstance(rule, ast.And | ast.Or | ast.AtLeast):
        return rule.children
    if isinstance(rule, ast.Not):
        return (rule.child,)
    if isinstance(rule, ast.OfAccount | ast.Users):
        return (rule.rule,)
    return ()


def _attribute_fits(name: str, test: ast.Test, types: Mapping[str, ValueKind]) -> bool:
    if isinstance(test, ast.Near):
        prefix = "" if name == "location" else f"{name}_"
        pair = (types.get(f"{prefix}latitude"), types.get(f"{prefix}longitude"))
        return all(kind in {None, ValueKind.NUMBER} for kind in pair)
    kind = types.get(name)
    return kind is None or _fits(test, kind)


def _fits(test: ast.Test, kind: ValueKind) -> bool:
    if isinstance(test, ast.IsSet):
        return True
    if isinstance(test, ast.Age):
        return kind is ValueKind.INSTANT
    if isinstance(test, ast.TextMatch):
        return kind is ValueKind.TEXT or (kind is ValueKind.LIST and test.op is ast.TextOp.CONTAINS)
    if isinstance(test, ast.OneOf):
        of_elements = kind is ValueKind.LIST and any(isinstance(value, str) for value in test.values)
        return of_elements or any(_kind_of_literal(value) is kind for value in test.values)
    if isinstance(test, ast.Between):
        return _kind_of_literal(test.low) is kind and _kind_of_literal(test.high) is kind
    assert isinstance(test, ast.Compare)
    return _kind_of_literal(test.value) is kind


def _kind_of_literal(value: ast.Literal) -> ValueKind:
    """Returns the kind of the values that can be compared with the literal."""
    if isinstance(value, str | ast.Version):
        return ValueKind.TEXT
    if isinstance(value, bool):
        return ValueKind.BOOLEAN
    if isinstance(value, float):
        return ValueKind.NUMBER
    return ValueKind.INSTANT
