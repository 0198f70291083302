"""What joins conditions: parts of a rule, flattened, each with the kind of subject it can only be about.

Invariant: parts that stand together are about one kind of subject, users or accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from lark import Token

from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from coterie.index.rules.refusal import Refused

Child: TypeAlias = "ast.Expression | ast.Predicate"


class Part(NamedTuple):
    """A condition; the first word of each leaf in it; the kind of subject it can only be about, the word that says so."""

    node: ast.Expression
    leaves: tuple[Token, ...]
    kind: SubjectKind | None = None
    token: Token | None = None


def flattened(kind: type[ast.And | ast.Or], parts: Sequence[Child]) -> tuple[Child, ...]:
    """Returns the parts, those of the same kind replaced by their children."""
    return tuple(child for part in parts for child in (part.children if isinstance(part, kind) else (part,)))


def joined(kind: type[ast.And | ast.Or], parts: tuple[Part, ...]) -> Part:
    """Returns the parts joined by and, or."""
    children = flattened(kind, [part.node for part in parts])
    return shared(parts)._replace(node=kind(children))


def shared(parts: tuple[Part, ...]) -> Part:
    """Returns a part with all leaves that says which kind of subject they are about; refuses those that differ."""
    decided = next((part for part in parts if part.kind is not None), parts[0])
    for part in parts:
        if part.kind not in {None, decided.kind}:
            check_kind(part, decided.kind, "beside " + about(decided.kind))
    return decided._replace(leaves=tuple(leaf for part in parts for leaf in part.leaves))


def about(kind: SubjectKind | None) -> str:
    """Returns how to speak of a condition that only subjects of this kind can satisfy."""
    return "a condition about accounts" if kind is SubjectKind.ACCOUNT else "a condition about users"


def check_kind(part: Part, kind: SubjectKind | None, where: str) -> None:
    """Refuses a part that can only be about the other kind of subject."""
    if part.kind not in {None, kind}:
        fix = "write any user (…) around it" if kind is SubjectKind.ACCOUNT else "write account (…) around it"
        raise Refused(f"{about(part.kind)} stands {where}", about(kind), fix, part.token)
