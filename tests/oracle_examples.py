"""What the oracle's own tests are written with: a dataset of one user's events, and short rules about them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coterie.index.model import AttributeUpdate, Event, IngestEvents, Record, SetAttributes, SubjectKind, Value
from coterie.index.rules import ast
from tests import oracle
from tests.oracle_dataset import Dataset, Moment
from tests.shop import user

HOUR, DAY = 3_600_000, 86_400_000
NOON = 1_767_268_800_000  # 2026-01-01T12:00Z, a Thursday


def ms(text: str) -> int:
    """Returns the instant of an ISO time; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def dataset(*events: Event, zone: str = "UTC", **attributes: Value) -> Dataset:
    """Returns a dataset with these events, and these attributes of u1, written long ago."""
    made = Dataset(zone, lambda text: pytest.fail(f"no rule {text!r}"))
    made.now = ms("2030-01-01")
    made.apply(Record(1, 0, IngestEvents(tuple(sorted(events, key=lambda one: one.time or 0)))))
    values: dict[str, Value | None] = dict(attributes)
    made.apply(Record(2, 0, SetAttributes((AttributeUpdate(SubjectKind.USER, (user("u1"),), values),))))
    return made


def holds(rule: ast.Expression, data: Dataset, now: int, who: str = "u1") -> bool:
    """Returns whether the rule is true of the user at `now`."""
    subject = data.of_kind[SubjectKind.USER].owner(user(who))
    assert subject is not None
    return subject in oracle.members(rule, Moment(data, SubjectKind.USER, now))


def did(type_: str | None = "buy", low: int = 1, high: int | None = None, **rest: object) -> ast.Did:
    """Returns a `did` leaf."""
    return ast.Did(ast.Events(type_), ast.Frequency(low, high), **rest)  # type: ignore[arg-type]


def measure(kept: str, name: str | None = None, type_: str = "buy", **rest: object) -> ast.Measure:
    """Returns a measure over events of one type."""
    return ast.Measure(ast.Aggregate(kept), ast.Events(type_), name, **rest)  # type: ignore[arg-type]


def worth(term: ast.Term, data: Dataset, now: int) -> Value | None:
    """Returns what the term is worth for u1 at `now`."""
    return oracle.term_value(term, 1, Moment(data, SubjectKind.USER, now))


def where(*children: tuple[str, ast.Test]) -> ast.Events:
    """Returns `buy where` all of the tests."""
    tests = tuple(ast.PropertyTest(name, test) for name, test in children)
    return ast.Events("buy", tests[0] if len(tests) == 1 else ast.And(tests))
