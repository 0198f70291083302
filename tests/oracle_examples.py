"""What the oracle's own tests are written with: a dataset of one user's events, short rules about them, a journal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from coterie.index.model import (
    ActivateBuild,
    AttributeUpdate,
    CreateSegment,
    Event,
    Identifier,
    IngestEvents,
    Payload,
    Record,
    SegmentDefinition,
    SegmentKind,
    SetAttributes,
    SubjectKind,
    UpdateSegment,
    Value,
)
from coterie.index.rules import ast, parse
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


class Journal:
    """A dataset, and records for it one after the other."""

    def __init__(self) -> None:
        self.data = Dataset("UTC", parse)
        self.revision = 0

    def apply(self, payload: Payload, at: int = 0) -> str:
        """Applies a record, `at` milliseconds after noon; returns the error it must have ended with."""
        self.revision += 1
        expected = self.data.apply(Record(self.revision, NOON + at, payload))
        self.data.end_record()
        return expected.error

    def ingest(self, *events: Any, at: int = 0) -> None:
        """Applies a record of events."""
        self.apply(IngestEvents(events), at)

    def set(self, kind: SubjectKind, who: Identifier, **values: Value | None) -> None:
        """Applies a record of attributes."""
        self.apply(SetAttributes((AttributeUpdate(kind, (who,), values),)))

    def create(self, name: str, rule: str, kind: SubjectKind = SubjectKind.USER, **rest: Any) -> str:
        """Creates and activates a rule segment."""
        error = self.apply(CreateSegment(SegmentDefinition(name, SegmentKind.RULE, kind, rule, **rest)))
        return error or self.apply(ActivateBuild(name))

    def edit(self, name: str, rule: str, at: int, **rest: Any) -> None:
        """Edits a segment and activates the edit, if there is anything to be built."""
        self.apply(UpdateSegment(SegmentDefinition(name, SegmentKind.RULE, SubjectKind.USER, rule, **rest)), at)
        if self.data.segments[name].pending is not None:
            self.apply(ActivateBuild(name), at)

    def satisfying(self, rule: str, kind: SubjectKind = SubjectKind.USER) -> set[str]:
        """Returns the first identifiers of those who satisfy a rule now."""
        subjects = self.data.of_kind[kind]
        moment = Moment(self.data, kind, self.data.now)
        return {subjects.identifiers[subject][0].value for subject in oracle.members(parse(rule), moment)}
