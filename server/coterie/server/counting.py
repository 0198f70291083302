"""Counts of expressions at one revision: set expressions from bitmaps, others by scanning history.

Functions over a dataset. Owns nothing. Invariant: all counts of an answer are read without giving way in between, after
the last scan is done, so they are of the revision the answer names.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple

from pyroaring import BitMap

from coterie.index.algebra import is_set
from coterie.index.errors import LimitExceeded, Origin
from coterie.index.model import SubjectKind, Universe
from coterie.index.preview import Preview
from coterie.index.rules import ast, print_rule
from coterie.server.convert.segments import previewed_definition
from coterie.server.dataset import Dataset
from coterie.server.rule_forms import subject_kind_of
from coterie.server.scans import Scanned


class Asked(NamedTuple):
    """An expression, where it was said, and whom it is about where it names no segment."""

    origin: Origin
    text: str
    expression: ast.Expression
    otherwise: SubjectKind


async def count_into(
    dataset: Dataset, asked: Sequence[Asked], counts: Any, stamped: Any, check: Callable[[], None]
) -> AsyncGenerator[Scanned, None]:
    """Adds a count for each expression to `counts` and stamps the answer; yields how far the scan is, where one is needed."""
    scanned = [one for one in asked if not is_set(one.expression)]
    if not scanned:
        _write(dataset, asked, None, counts, stamped)
        return
    most = dataset.settings.max_scanned_expressions
    if len(scanned) > most:
        raise LimitExceeded("expressions", "expressions with conditions of their own", len(scanned), most)
    await dataset.steady()
    with dataset.scans.place(), preview_of(dataset, scanned) as preview:
        async for progress in dataset.scans.steps(preview):
            yield progress
        check()
        _write(dataset, asked, preview, counts, stamped)


async def members_by_scan(dataset: Dataset, asked: Asked) -> BitMap:
    """Returns the members of an expression with conditions of its own; whoever calls must not give way before using them."""
    await dataset.steady()
    with dataset.scans.place(), preview_of(dataset, [asked]) as preview:
        async for _ in dataset.scans.steps(preview):
            pass
        return preview.members()


def preview_of(dataset: Dataset, asked: Sequence[Asked]) -> Preview:
    """Begins to scan for expressions, all in one pass."""
    definitions = [
        previewed_definition(
            print_rule(one.expression), subject_kind_of(dataset, one.expression, one.otherwise), Universe.ALL
        )
        for one in asked
    ]
    return dataset.engine.preview(*definitions, origins=[one.origin for one in asked])


def _write(dataset: Dataset, asked: Sequence[Asked], preview: Preview | None, counts: Any, stamped: Any) -> None:
    scanned = 0
    for one in asked:
        if preview is not None and not is_set(one.expression):
            count = len(preview.members(scanned))
            scanned += 1
        else:
            kind = subject_kind_of(dataset, one.expression, one.otherwise)
            count = dataset.engine.count(one.expression, kind)
        counts.add(expression=one.text, count=count)
    dataset.stamp(stamped)
