"""Makes a failing journal short: fewer records, fewer events, simpler rules, the same kind of failure.

Hypothesis shrinks what was drawn, which for journals takes many minutes; this works on the records
themselves and takes seconds. Owns nothing. Invariant: what it returns fails when run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coterie.index import model
from coterie.index.rules import ast, parse, print_rule
from tests.oracle_dataset import named_in
from tests.side_by_side import Setting, SideBySide, Step

BUDGET_S = 60


def shorten(setting: Setting, steps: list[Step]) -> str:
    """Returns a short failing journal as text, one step a line, and how it fails."""
    failure = _run(setting, steps)
    if failure is None:
        return "the journal does not fail when it is run again"
    deadline, before = time.monotonic() + BUDGET_S, None
    while steps != before and time.monotonic() < deadline:
        before = steps
        steps = _with_fewer(setting, steps, type(failure), deadline)
        steps = _with_simpler(setting, steps, type(failure), deadline)
    lines = "\n".join(f"    {name}({', '.join(map(repr, arguments))})" for name, *arguments in steps)
    return f"{setting}\n{lines}\n    {_run(setting, steps)!r}"


def _with_fewer(setting: Setting, steps: list[Step], failure: type, deadline: float) -> list[Step]:
    """Leaves out halves, quarters, … single steps."""
    size = max(1, len(steps) // 2)
    while size:
        start = 0
        while start < len(steps) and time.monotonic() < deadline:
            fewer = steps[:start] + steps[start + size :]
            if isinstance(_run(setting, fewer), failure):
                steps = fewer
            else:
                start += size
        size //= 2
    return steps


def _with_simpler(setting: Setting, steps: list[Step], failure: type, deadline: float) -> list[Step]:
    """Puts simpler steps in the place of steps, one at a time."""
    for index in range(len(steps)):
        candidates = _simpler_steps(steps[index])
        while (simpler := next(candidates, None)) is not None and time.monotonic() < deadline:
            changed = [*steps[:index], simpler, *steps[index + 1 :]]
            if isinstance(_run(setting, changed), failure):
                steps, candidates = changed, _simpler_steps(simpler)
    return steps


# ---------------------------------------------------------------- running a journal


class _Rules(dict[str, ast.Expression]):
    def __missing__(self, text: str) -> ast.Expression:
        return parse(text)


def _run(setting: Setting, steps: list[Step]) -> Exception | None:
    """Returns how the journal fails; steps that have no meaning any more are left out."""
    with TemporaryDirectory() as folder:
        pair = SideBySide(setting._replace(folder=setting.folder and Path(folder)))
        pair.rules = _Rules()
        pair.dataset.rule_of = pair.rules.__getitem__
        try:
            for name, *arguments in steps:
                if name != "apply" or _has_meaning(pair, arguments[0]):
                    getattr(pair, name)(*arguments)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is what is looked for
            return failure
        finally:
            pair.close()
    return None


def _has_meaning(pair: SideBySide, payload: model.Payload) -> bool:
    segments = pair.dataset.segments
    match payload:
        case model.CreateSegment(definition=definition) | model.UpdateSegment(definition=definition):
            text = definition.rule or getattr(payload, "source", "")
            named = named_in(parse(text)) if text else set()
            exists = isinstance(payload, model.CreateSegment) or definition.id in segments
            return exists and all(name in segments for name in named)
        case model.ActivateBuild(segment=name):
            return name in segments and segments[name].pending is not None
        case model.ChangeList(segment=name) | model.DeleteSegment(id=name):
            return name in segments
    return True


# ---------------------------------------------------------------- simpler steps


def _simpler_steps(step: Step) -> Iterator[Step]:
    if step[0] == "apply":
        for payload in _simpler_payloads(step[1]):
            yield ("apply", payload, *step[2:])


def _simpler_payloads(payload: Any) -> Iterator[Any]:
    match payload:
        case model.IngestEvents(events=events):
            yield from (model.IngestEvents(rest) for rest in _without_one(events) if rest)
            yield from (model.IngestEvents(other) for other in _with_one_changed(events, _simpler_events))
        case model.ChangeList(members=members):
            yield from (replace(payload, members=rest) for rest in _without_one(members))
        case model.SetAttributes(updates=(update,)):
            for name in update.values:
                kept = {other: value for other, value in update.values.items() if other != name}
                yield model.SetAttributes((update._replace(values=kept),))
        case model.CreateSegment(definition=definition) | model.UpdateSegment(definition=definition):
            if definition.universe is not model.Universe.ALL:
                yield replace(payload, definition=replace(definition, universe=model.Universe.ALL))
            if definition.mode is not model.Mode.LIVE:
                yield replace(payload, definition=replace(definition, mode=model.Mode.LIVE, ttl_ms=0))
            for rule in _simpler_rules(parse(definition.rule)) if definition.rule else ():
                yield replace(payload, definition=replace(definition, rule=print_rule(rule)))


def _simpler_events(event: model.Event) -> Iterator[model.Event]:
    for part in ("properties", "context"):
        values = getattr(event, part)
        for name in values:
            kept = {other: value for other, value in values.items() if other != name}
            yield event._replace(**{part: kept})
    if len(event.identifiers) > 1:
        yield from (event._replace(identifiers=rest) for rest in _without_one(event.identifiers))
    for part, plain in (("account_id", None), ("event_id", ""), ("time", None)):
        repeatable = part == "time" and event.event_id  # without its time a retry may be another event
        if getattr(event, part) != plain and not repeatable:
            yield event._replace(**{part: plain})


def _simpler_rules(rule: Any) -> Iterator[Any]:
    """Parts of the rule, and the rule with a part left out or made plain."""
    if isinstance(rule, ast.Not):
        yield rule.child
        yield from map(ast.Not, _simpler_rules(rule.child))
    elif isinstance(rule, ast.And | ast.Or | ast.AtLeast):
        yield from rule.children
        for children in _with_one_changed(rule.children, _simpler_rules):
            if not any(isinstance(child, type(rule)) for child in children):
                yield replace(rule, children=children)
    elif isinstance(rule, ast.OfAccount | ast.Users):  # what is inside is about the other kind and stays there
        yield from (replace(rule, rule=simpler) for simpler in _simpler_rules(rule.rule))
    elif is_dataclass(rule):
        yield from _simpler_leaves(rule)


def _simpler_leaves(rule: Any) -> Iterator[Any]:
    """The leaf, or the part of one, with less said in it."""
    if isinstance(rule, ast.Sequence):
        if rule.within_ms is not None:
            yield replace(rule, within_ms=None)
        if len(rule.steps) > 2:
            yield from (replace(rule, steps=steps) for steps in _without_one(rule.steps))
        yield from (replace(rule, steps=steps) for steps in _with_one_changed(rule.steps, _simpler_rules))
    for field in fields(rule):
        value = getattr(rule, field.name)
        if field.name in {"window", "zone", "where"} and value is not None:
            yield replace(rule, **{field.name: None})
        elif isinstance(value, ast.Events | ast.Measure | ast.TermCompare):
            yield from (replace(rule, **{field.name: simpler}) for simpler in _simpler_rules(value))


def _without_one(items: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    return (items[:index] + items[index + 1 :] for index in range(len(items)))


def _with_one_changed(items: tuple[Any, ...], change: Callable[[Any], Iterator[Any]]) -> Iterator[tuple[Any, ...]]:
    return (
        (*items[:index], changed, *items[index + 1 :]) for index, item in enumerate(items) for changed in change(item)
    )


_SHORT: dict[str, str] = {}  # by journal: hypothesis runs a failing example more than once


def shortened(pair: SideBySide) -> str:
    """Returns the shortest journal found in which this pair's difference shows, as text."""
    whole = repr(pair.steps)
    if whole not in _SHORT:
        _SHORT[whole] = shorten(pair.setting, pair.steps)
    return _SHORT[whole]
