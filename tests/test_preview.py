"""Previews: the members a segment with the rule would have, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import RuleUnsupported
from coterie.index.model import Event, Identifier, SegmentDefinition, SegmentKind, SubjectKind
from coterie.index.rules.ast import InSegment
from coterie.index.settings import Settings
from tests.on_disk import OnDisk

NOW = 1_700_000_000_000
RULES = [
    "did view at least 2 times",
    "not did view",
    "sum(view.price in the last 1 hours) > 3",
    "did view or in split 's' 0% to 50%",
]


def definition(segment: str, rule: str) -> SegmentDefinition:
    """A segment of users."""
    return SegmentDefinition(segment, SegmentKind.RULE, SubjectKind.USER, rule)


def loaded() -> Engine:
    """Twenty users; user n viewed n times."""
    engine = Engine()
    views = [
        Event("", "view", (Identifier("user_id", f"u{user}"),), None, NOW - 1000 * user, {"price": 1.0}, {})
        for user in range(1, 21)
        for _ in range(user - 1)
    ]
    logins = [Event("", "login", (Identifier("user_id", f"u{user}"),), None, NOW, {}, {}) for user in range(1, 21)]
    engine.apply(
        model.Record(1, NOW, model.IngestEvents(tuple(sorted(views + logins, key=lambda event: event.time or 0))))
    )
    return engine


def previewed(engine: Engine, rule: str) -> list[int]:
    """The members by a preview, scanned in small steps."""
    with engine.preview(definition("preview", rule)) as preview:
        while preview.step(rows=7):
            assert 0 <= preview.progress <= 1
        assert preview.progress == 1
        return list(preview.members())


@pytest.mark.parametrize("rule", RULES)
def test_a_preview_is_the_segment_it_would_be(rule: str) -> None:
    """A segment made afterwards has exactly the members, and the preview left no measure or condition."""
    engine = loaded()
    members = previewed(engine, rule)
    status = engine.status()
    assert (status.measures, status.conditions) == (0, 0)
    engine.apply(model.Record(2, NOW, model.CreateSegment(definition("s", rule))))
    if engine.segment("s").pending:
        engine.apply(model.Record(3, NOW, model.ActivateBuild("s")))
    assert list(engine.members(InSegment("s"))) == members


def test_a_preview_beside_a_build_of_the_same_rule_disturbs_it_not() -> None:
    """Both scan for one measure; events of it are counted once."""
    engine = loaded()
    rule = RULES[0]
    engine.apply(model.Record(2, NOW, model.CreateSegment(definition("s", rule))))
    engine.step_builds(rows=50)
    members = previewed(engine, rule)
    engine.apply(model.Record(3, NOW, model.CreateSegment(definition("t", rule))))
    for revision, name in ((4, "s"), (5, "t")):
        engine.apply(model.Record(revision, NOW, model.ActivateBuild(name)))
    assert [list(engine.members(InSegment(name))) for name in "st"] == [members, members]


def test_a_refused_rule_leaves_nothing() -> None:
    """What this version cannot evaluate is named, and half of a rule is not kept."""
    engine = loaded()
    with pytest.raises(RuleUnsupported):
        engine.preview(definition("preview", "did view and first(view.price in the last 7 days) > 10"))
    assert engine.status().measures == 0


@pytest.mark.parametrize("steps", [0, 2, 1_000])
def test_a_snapshot_during_a_preview_keeps_nothing_of_it(steps: int, tmp_path: Path) -> None:
    """After a restart the same rule counts all events, those included that came when nobody asked it any more."""
    disk = OnDisk(tmp_path, Settings())

    def apply(payload: model.Payload) -> None:
        record = model.Record(disk.engine.revision + 1, NOW, payload)
        disk.append(record)
        disk.engine.apply(record)

    def views(user: str, count: int) -> model.IngestEvents:
        names = (Identifier("user_id", user),)
        return model.IngestEvents(tuple(Event("", "view", names, None, NOW - i, {}, {}) for i in range(count)))

    apply(views("u1", 3))
    apply(views("u2", 1))
    preview = disk.engine.preview(definition("preview", RULES[0]))
    for _ in range(steps):
        preview.step(rows=1)
    disk.step_snapshot(None)
    disk.reopen()
    apply(views("u2", 1))
    for name, rule in (("other", "did login"), ("s", RULES[0])):
        apply(model.CreateSegment(definition(name, rule)))
        apply(model.ActivateBuild(name))
    assert [disk.engine.count(InSegment(name)) for name in ("other", "s")] == [0, 2]
    disk.step_snapshot(None)
    disk.reopen()
    assert [disk.engine.count(InSegment(name)) for name in ("other", "s")] == [0, 2]
    disk.close()


def test_cells_of_a_preview_never_become_those_of_another_measure(tmp_path: Path) -> None:
    """An id that a preview had is given again after restarts: what is new under it is empty."""
    disk = OnDisk(tmp_path, Settings())

    def apply(payload: model.Payload) -> None:
        record = model.Record(disk.engine.revision + 1, NOW, payload)
        disk.append(record)
        disk.engine.apply(record)

    apply(model.IngestEvents((Event("", "view", (Identifier("user_id", "u1"),), None, NOW, {}, {}),)))
    preview = disk.engine.preview(definition("preview", "did view"))
    while preview.step():
        pass
    for _ in range(2):
        disk.step_snapshot(None)
        disk.reopen()
    apply(model.CreateSegment(definition("s", "did login")))
    apply(model.ActivateBuild("s"))
    assert disk.engine.count(InSegment("s")) == 0
    apply(model.IngestEvents((Event("", "login", (Identifier("user_id", "u1"),), None, NOW, {}, {}),)))
    assert disk.engine.count(InSegment("s")) == 1
    disk.close()
