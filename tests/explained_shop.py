"""An engine with one subject who did a little of everything, whose memberships are explained.

Owns the shop that tests of explanations share. Invariant: everything in it happened before NOW.
"""

from __future__ import annotations

from typing import Any

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.explained import Answer, Explained
from coterie.index.model import Event, Identifier, SegmentDefinition, SegmentKind, SubjectKind
from coterie.index.settings import Settings
from tests.compare_explanations import explained

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOW = 1_777_636_800_000  # 2026-05-01T12:00Z, a Friday
USER = (Identifier("user_id", "u1"),)
OTHER = (Identifier("user_id", "u2"),)


class Shop:
    """An engine, and short ways to feed it."""

    def __init__(self, **settings: Any) -> None:
        self.engine = Engine(Settings(**settings))
        self.apply(model.Tick(), NOW - 400 * DAY)

    def apply(self, payload: model.Payload, at: int | None = None) -> model.Outcome:
        """Applies one record."""
        return self.engine.apply(model.Record(self.engine.revision + 1, max(self.engine.now, at or 0), payload))

    def happen(self, kind: str, ago: int, who: tuple[Identifier, ...] = USER, **fields: Any) -> None:
        """Something happened so long before NOW."""
        context = fields.pop("context", {})
        account = fields.pop("account", None)
        event = Event(f"{kind}{ago}", kind, who, account, NOW - ago, fields, context)
        self.apply(model.IngestEvents((event,)), NOW)

    def know(self, who: tuple[Identifier, ...] = USER, kind: SubjectKind = SubjectKind.USER, **values: Any) -> None:
        """Attributes of a subject."""
        self.apply(model.SetAttributes((model.AttributeUpdate(kind, who, values),)), NOW)

    def segment(self, name: str, rule: str, **fields: Any) -> None:
        """A rule that is ready."""
        kind = fields.pop("subject_kind", SubjectKind.USER)
        self.apply(model.CreateSegment(SegmentDefinition(name, SegmentKind.RULE, kind, rule, **fields)), NOW)
        if self.engine.segment(name).pending:
            self.apply(model.ActivateBuild(name))

    def explain(self, name: str = "s", who: tuple[Identifier, ...] = USER, kind: Any = SubjectKind.USER) -> Answer:
        """The answer, whose tree must say what is served."""
        answer = explained(self.engine, kind, who, name)
        assert answer.agrees
        assert (answer.revision, answer.now) == (self.engine.revision, self.engine.now)
        return answer

    def rule(self, rule: str) -> Explained:
        """The tree of a segment made for it."""
        self.segment("s", rule)
        answer = self.explain()
        assert answer.segment is not None
        return answer.segment.children[0]


def shop() -> Shop:
    """One subject who viewed and bought, and somebody else."""
    made = Shop()
    made.happen("view", 40 * DAY, category="hats")
    made.happen("purchase", 20 * DAY, price=120.0, category="shoes", renews=NOW - 10 * DAY)
    made.happen("view", 3 * DAY, category="shoes", context={"os": "iOS"})
    made.happen("purchase", 2 * HOUR, price=30.0, category="hats", renews=NOW + 9 * DAY)
    made.happen("view", MINUTE, category="shoes")
    made.happen("view", 30, OTHER)
    made.know(
        age=30.0,
        tags=("vip", "new"),
        trial_ends=NOW + 10 * DAY,
        joined=NOW - 5 * DAY,
        home_latitude=48.85,
        home_longitude=2.35,
    )
    return made
