"""Whether a rule's tests fit the types that attributes are known to have.

Invariant: what is refused could be satisfied by no value of the attribute's type; an attribute nobody has used yet
fits everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from coterie.index.errors import RuleInvalid
from coterie.index.model import SubjectKind, ValueKind
from coterie.index.rules import ast
from coterie.index.rules.print_values import print_literal

KindOf = Callable[[SubjectKind, str], "ValueKind | None"]

_NOUNS = {
    ValueKind.TEXT: "a text",
    ValueKind.NUMBER: "a number",
    ValueKind.BOOLEAN: "true or false",
    ValueKind.INSTANT: "a time",
    ValueKind.LIST: "a list of texts",
}
_WAYS = {
    ValueKind.TEXT: "a comparison with a text in quotes",
    ValueKind.NUMBER: "a comparison with a number",
    ValueKind.BOOLEAN: "= true or = false",
    ValueKind.INSTANT: "a date, or an age such as `more than 30 days ago`",
    ValueKind.LIST: "contains 'TEXT' or in ('TEXT', …)",
}


def check_types(rule: ast.Expression, kind: SubjectKind, kind_of: KindOf) -> None:
    """Refuses tests of attributes that no value of their type satisfies; `kind_of` knows the types in use."""
    for number, (leaf, asked) in enumerate(_leaves(rule, kind)):
        if isinstance(leaf, ast.AttributeTest) and leaf.owner is not ast.Owner.CURRENT:
            owner = SubjectKind.ACCOUNT if leaf.owner is ast.Owner.ACCOUNT else asked
            try:
                _check_attribute(leaf, owner, kind_of)
            except RuleInvalid as refused:
                refused.leaf = number
                raise


def _check_attribute(leaf: ast.AttributeTest, owner: SubjectKind, kind_of: KindOf) -> None:
    for name in place_names(leaf.name) if isinstance(leaf.test, ast.Near) else (leaf.name,):
        held = kind_of(owner, name)
        if held is not None and not _fits(leaf.test, held):
            spelled = f"{owner.name.lower()}.{name}"
            raise RuleInvalid(
                "rule", f"{spelled} is {_NOUNS[held]}, {_said(leaf.test)} cannot be true of it", expected=_WAYS[held]
            )


def place_names(name: str) -> tuple[str, str]:
    """Returns the two attributes of a place: `location` is plain latitude and longitude, x is x_latitude …"""
    scope, _, bare = name.rpartition(".")
    stem = "" if bare == "location" else f"{bare}_"
    prefix = f"{scope}." if scope else ""
    return f"{prefix}{stem}latitude", f"{prefix}{stem}longitude"


def _leaves(rule: ast.Expression, kind: SubjectKind) -> Iterator[tuple[ast.Expression, SubjectKind]]:
    """Yields the leaves, and which kind of subject each is about, in the order of the text."""
    stack: list[tuple[ast.Expression, SubjectKind]] = [(rule, kind)]
    while stack:
        node, asked = stack.pop()
        if not isinstance(node, ast.And | ast.Or | ast.AtLeast | ast.Not):
            yield node, asked
        match node:
            case ast.And(children=children) | ast.Or(children=children) | ast.AtLeast(children=children):
                stack += [(child, asked) for child in reversed(children)]  # type: ignore[misc]  # no predicates in rules
            case ast.Not(child=child):
                stack.append((child, asked))  # type: ignore[arg-type]
            case ast.OfAccount(rule=inner):
                stack.append((inner, SubjectKind.ACCOUNT))
            case ast.Users(rule=inner):
                stack.append((inner, SubjectKind.USER))


def _fits(test: ast.Test, kind: ValueKind) -> bool:
    match test:
        case ast.IsSet():
            return True
        case ast.Near():
            return kind is ValueKind.NUMBER
        case ast.Age():
            return kind is ValueKind.INSTANT
        case ast.TextMatch(op=op):
            return kind is ValueKind.TEXT or (kind is ValueKind.LIST and op is ast.TextOp.CONTAINS)
        case ast.OneOf(values=values):
            element = ValueKind.TEXT if kind is ValueKind.LIST else kind
            return any(
                _kind_of(value) is element and not (kind is ValueKind.LIST and isinstance(value, ast.Version))
                for value in values
            )
        case ast.Between(low=low, high=high):
            return _kind_of(low) is kind and _kind_of(high) is kind
        case ast.Compare(value=value):
            return _kind_of(value) is kind
        case _:
            assert_never(test)


def _kind_of(value: ast.Literal) -> ValueKind:
    match value:
        case bool():
            return ValueKind.BOOLEAN
        case str() | ast.Version():
            return ValueKind.TEXT
        case float() | int():
            return ValueKind.NUMBER
        case _:
            return ValueKind.INSTANT


def _said(test: ast.Test) -> str:
    match test:
        case ast.Compare(value=value) | ast.Between(low=value):
            return f"a comparison with {print_literal(value)}"
        case ast.OneOf(values=values):
            return f"a comparison with {print_literal(values[0])}"
        case ast.TextMatch(text=text):
            return f"a test for the text {text[:40]!r}"
        case ast.Near():
            return "a distance"
        case _:
            return "an age"
