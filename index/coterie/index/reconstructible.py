"""What of a rule can be worked out for the past, and what keeps no history.

Functions over rules and the catalogue. Owns the list of leaves without a past. Invariant: a rule for which
`why_not` answers nothing reads events, splits and other such rules only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache

from coterie.index.model import Mode, SegmentDefinition, SegmentKind
from coterie.index.rules import ast, parse_stored, print_rule
from coterie.index.rules.checks import is_open_valued
from coterie.index.segments import Catalog


def why_not(catalog: Catalog, definition: SegmentDefinition) -> str:
    """Returns what in a segment has no past, as a clause; empty where everything has."""
    if definition.kind is not SegmentKind.RULE:
        return f"{definition.id} is a {definition.kind.name.lower()} segment, which keeps no history of its members"
    if definition.mode is not Mode.LIVE:
        return f"{definition.id} keeps its members in mode {definition.mode.name.lower()}, by what was true while it existed"
    for node in nodes_of(_rule(definition)):
        match node:
            case ast.AttributeTest():
                return f"attributes keep no history, and {definition.id} asks for `{print_rule(node)}`"
            case ast.OfAccount() | ast.Users():
                return f"which users an account has keeps no history, and {definition.id} asks for `{print_rule(node)}`"
            case ast.InSegment(segment=segment) | ast.InList(segment=segment):
                reason = why_not(catalog, catalog.get(segment).definition)
                if reason:
                    return reason
            case _:
                pass
    return ""


def with_nested(catalog: Catalog, definition: SegmentDefinition) -> list[SegmentDefinition]:
    """Returns a definition after all that it nests, each once and after what it nests itself."""
    found: dict[str, SegmentDefinition] = {}

    def visit(held: SegmentDefinition) -> None:
        for node in nodes_of(_rule(held)):
            if isinstance(node, ast.InSegment) and node.segment not in found:
                visit(catalog.get(node.segment).definition)
        found[held.id] = held

    visit(definition)
    return list(found.values())


def has_split(definition: SegmentDefinition) -> bool:
    """Whether some are in it, or not, from the first moment on."""
    return any(isinstance(node, ast.InSplit) for node in nodes_of(_rule(definition)))


def moves_by_events_alone(definition: SegmentDefinition) -> bool:
    """Whether windows that pass a subject's own events are all that moves it: no visits, no sequences, no timestamps."""
    return not any(
        isinstance(node, (ast.Sequence, ast.Inaction, ast.ThisVisit, ast.OfAccount, ast.Users))
        or (isinstance(node, ast.Measure) and node.aggregate is ast.Aggregate.VISITS)
        or (isinstance(node, ast.MeasureTest) and isinstance(node.test, ast.Age) and is_open_valued(node.term))
        or (isinstance(node, ast.Events) and (node.type or "").startswith("$"))
        for node in nodes_of(_rule(definition))
    )


def nodes_of(root: object) -> Iterator[object]:
    """Yields every part of a rule, in the order in which they stand."""
    if isinstance(root, tuple):
        for child in root:
            yield from nodes_of(child)
    elif is_dataclass(root):
        yield root
        for part in fields(root):
            yield from nodes_of(getattr(root, part.name))


def _rule(definition: SegmentDefinition) -> ast.Expression:
    return _read(definition.rule)


@lru_cache(maxsize=256)
def _read(text: str) -> ast.Expression:
    return parse_stored(text)
