"""The measures that leaves over derived events rest on: what follows visits, and the steps of a sequence.

Here is also what is refused because no window could keep it. Pure functions from leaves to specs. Owns nothing.
Invariant: a leaf that speaks of finished visits reads their rows the visit gap behind, so that a running one is never
among them.
"""

from __future__ import annotations

from coterie.index.errors import RuleInvalid, RuleUnsupported
from coterie.index.measures.spec import VISIT_TYPES, Chain, MeasureSpec, Ranking, Shape, Step, needs_zone
from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from coterie.index.rules.words import VISIT_EVENT
from coterie.index.time.boundaries import NOW, Beginning, Boundary, SlidingEdge, behind

_RANKING_NAMES = {Ranking.EARLIEST: "first", Ranking.SMALLEST: "min", Ranking.LARGEST: "max"}


def speaks_of_visits(events: ast.Events) -> bool:
    """Whether events are finished visits; RuleInvalid where they are of a derived type that does not exist."""
    if events.type is None or not events.type.startswith("$"):
        return False
    if events.type != VISIT_EVENT:
        raise RuleInvalid("rule", f"there is no event {events.type}", expected=f"{VISIT_EVENT}, a finished visit")
    return True


def own_events(kind: SubjectKind, events: ast.Events) -> ast.Events:
    """Returns events as they are kept: an account's visits have a type of their own."""
    return ast.Events(VISIT_TYPES[kind], events.where) if speaks_of_visits(events) else events


def visible(events: ast.Events, upper: Boundary, visit_gap_ms: int) -> Boundary:
    """Returns the upper edge of a window over events: visits are let in once they have finished."""
    return behind(upper, visit_gap_ms) if speaks_of_visits(events) else upper


def check_visit_window(events: ast.Events | None, window: ast.Window | None) -> None:
    """Refuses visits counted inside a visit."""
    if isinstance(window, ast.ThisVisit) and (events is None or speaks_of_visits(events)):
        raise RuleUnsupported(
            "rule", "visits in this visit", "count(any event in this visit) > 0, while one is running"
        )


def check_ranked_window(spec: MeasureSpec) -> None:
    """Refuses the first, smallest or largest in a window that moves: when it leaves, the next one is nowhere kept."""
    if spec.shape is Shape.EXTREME and spec.ranking in _RANKING_NAMES and not spec.fixed_lower:
        raise RuleUnsupported(
            "rule",
            f"{_RANKING_NAMES[spec.ranking]} inside a window that moves",
            "last(…) in the same window, or the same without a window",
        )


def visit_specs(kind: SubjectKind, visit_gap_ms: int) -> tuple[MeasureSpec, MeasureSpec]:
    """Returns what follows the visits of a kind, and what is told when one has ended."""
    visits = MeasureSpec(kind, ast.Events(None), Beginning(), NOW, Shape.VISITS)
    finished = ast.Events(VISIT_TYPES[kind])
    return visits, MeasureSpec(kind, finished, Beginning(), SlidingEdge(visit_gap_ms), Shape.ENDINGS)


def chain_of(kind: SubjectKind, rule: ast.Sequence, zone: str) -> Chain:
    """Returns the sequence a leaf counts the matches of."""
    local = any(needs_zone(step.where) for step in rule.steps)
    return Chain(tuple(own_events(kind, step) for step in rule.steps), rule.within_ms, zone if local else "UTC")


def step_specs(kind: SubjectKind, rule: ast.Sequence, chain: Chain, visit_gap_ms: int) -> list[MeasureSpec]:
    """Returns the measures of a sequence's steps, from first to last."""
    return [
        MeasureSpec(
            kind,
            own,
            Beginning(),
            visible(said, NOW, visit_gap_ms),
            Shape.STEPS,
            zone=chain.zone,
            step=Step(chain, number),
        )
        for number, (said, own) in enumerate(zip(rule.steps, chain.steps, strict=True))
    ]
