"""Segments of users and of accounts nested in each other; builds, previews and restarts with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.index import model
from coterie.index.errors import RuleInvalid, SegmentCycle, SegmentInUse, WrongSegmentKind
from coterie.index.model import Cause, Change, SegmentDefinition, SegmentKind
from coterie.index.rules import ast
from coterie.index.rules.ast import InSegment
from coterie.index.settings import Settings
from tests.account_journal import ACCOUNT, DAY, NOW, USER, Journal, account, event, names
from tests.on_disk import OnDisk


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty dataset, whose journal must replay to the same changes and members."""
    held = Journal()
    yield held
    held.compare_replay()


# ---------------------------------------------------------------- nesting


def test_segments_nest_across_kinds_in_one_record(journal: Journal) -> None:
    """A user's event changes its account's segment, and through it the other users', in one revision and cause."""
    journal.create("buyers", "did buy")
    journal.create("alive", "any user (in buyers)", ACCOUNT)
    journal.create("colleagues", "account (in alive) and not in buyers")
    journal.create("watched", "account (any user (account (in alive) and in colleagues))")
    journal.ingest(*(event("view", who, "c1") for who in ("u1", "u2", "u3")), event("view", "u4", "c2"))
    moves = journal.ingest(event("buy", "u1"))
    assert moves == {
        "buyers": (["u1"], []),
        "alive": (["c1"], []),
        "colleagues": (["u2", "u3"], []),
        "watched": (["u1", "u2", "u3"], []),
    }
    assert {one.cause for one in journal.outcomes[-1] if isinstance(one, Change)} == {Cause.EVENT}
    moves = journal.set_user("u4", account_id="c1")
    assert moves == {"colleagues": (["u4"], []), "watched": (["u4"], [])}


def test_an_edit_below_reaches_across(journal: Journal) -> None:
    """A segment of accounts gets another rule: users in segments that nest it join and leave with it."""
    journal.create("large", "account.size > 10", ACCOUNT)
    journal.create("reps", "account (in large)")
    journal.create("dull", "not account (in large)")
    journal.create("quiet", "no user (in reps)", ACCOUNT)
    journal.ingest(event("view", "u1", "c1"), event("view", "u2", "c2"))
    journal.set_account("c1", size=20.0)
    assert journal.members("quiet") == ["c2"]
    moves = journal.edit("large", "account.size is not set")
    assert moves == {
        "large": (["c2"], ["c1"]),
        "reps": (["u2"], ["u1"]),
        "dull": (["u1"], ["u2"]),
        "quiet": (["c1"], ["c2"]),
    }
    assert journal.edit("large", "not account.size is not set")["reps"] == (["u1"], ["u2"])


def test_refusals_name_the_leaf(journal: Journal) -> None:
    """Leaves of the other kind, segments of the other kind, and cycles across kinds."""
    journal.create("users", "did view")
    journal.create("accounts", "any user (in users)", ACCOUNT)
    with pytest.raises(WrongSegmentKind):
        journal.create("a", "account (in users)")
    with pytest.raises(WrongSegmentKind):
        journal.create("a", "any user (in accounts)", ACCOUNT)
    with pytest.raises(SegmentCycle):
        journal.edit("users", "account (in accounts)")
    with pytest.raises(RuleInvalid, match=r"user\.plan"):
        journal.create("a", "user.plan = 'pro'", ACCOUNT)
    with pytest.raises(RuleInvalid, match="count of users"):
        journal.create("a", "any user (did view)", USER)
    with pytest.raises(RuleInvalid, match=r"account \(…\)"):
        journal.create("a", "account (did view)", ACCOUNT)
    with pytest.raises(SegmentInUse):
        journal.apply(model.DeleteSegment("users"))
    journal.apply(model.DeleteSegment("accounts"))
    journal.apply(model.DeleteSegment("users"))
    assert journal.engine.status().conditions == 0


# ---------------------------------------------------------------- builds, previews, restarts

RULES = {
    "retail": ("account.industry = 'retail' and did view", USER),
    "quiet": ("account (did not buy in the last 2 days)", USER),
    "pairs": ("at least 2 users (did view in the last 2 days)", ACCOUNT),
    "all": ("every user (did view)", ACCOUNT),
    "none": ("no user (account (did buy) and did view at least 2 times)", ACCOUNT),
}


def history(journal: Journal) -> None:
    """Users who come to accounts, change them, are merged and deleted."""
    for number in range(60):
        who, of = f"u{number * 7 % 13}", f"c{number * 5 % 6}" if number % 3 else None
        journal.ingest(event("buy" if number % 11 == 0 else "view", who, of), at=NOW + number * DAY // 10)
        if number == 30:
            journal.apply(model.MergeSubjects(USER, *names("u3", "u5")))
            journal.apply(model.MergeSubjects(ACCOUNT, *account("c1", "c2")))
        if number == 45:
            journal.apply(model.DeleteSubject(USER, *names("u8")))
            journal.apply(model.DeleteSubject(ACCOUNT, *account("c4")))
    journal.set_account("c2", industry="retail")
    journal.set_user("u2", account_id="nowhere")


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_a_build_at_any_pace_gives_what_live_gives(rows: int) -> None:
    """Segments that were there from the start, segments built afterwards, and previews have the same members."""
    live, late = Journal(), Journal()
    for segment, (rule, kind) in RULES.items():
        live.create(segment, rule, kind)
    history(live)
    history(late)
    for segment, (rule, kind) in RULES.items():
        with late.engine.preview(SegmentDefinition("p", SegmentKind.RULE, kind, rule)) as preview:
            while preview.step(rows):
                pass
            previewed = list(preview.members())
        late.apply(model.CreateSegment(SegmentDefinition(segment, SegmentKind.RULE, kind, rule)))
        for _ in range(3):
            late.engine.step_builds(rows)
        if late.engine.segment(segment).pending:  # not where all its measures are another's
            late.apply(model.ActivateBuild(segment))
        assert late.members(segment) == live.members(segment)
        assert list(late.engine.members(InSegment(segment), kind)) == previewed
    assert any(live.members(segment) for segment in RULES)
    late.apply(model.Tick(), NOW + 8 * DAY)
    live.apply(model.Tick(), NOW + 8 * DAY)
    assert [late.members(segment) for segment in RULES] == [live.members(segment) for segment in RULES]


def test_a_restart_in_the_middle(tmp_path: Path) -> None:
    """From snapshot and journal, everything is as it was and goes on exactly as without the restart."""
    disk = OnDisk(tmp_path, Settings())
    stopped, running = Journal(disk), Journal()
    for journal in (stopped, running):
        for segment, (rule, kind) in RULES.items():
            journal.create(segment, rule, kind)
        history(journal)
    disk.step_snapshot(None)
    for which in range(3):
        for journal in (stopped, running):
            journal.ingest(event("view", f"u{which}", "c4"), event("buy", (), "c3"))
        disk.reopen()
        stopped.engine = disk.engine
        assert [stopped.members(name) for name in RULES] == [running.members(name) for name in RULES]
    moves = [each.apply(model.MergeSubjects(ACCOUNT, *account("c4", "c2"))) for each in (stopped, running)]
    assert moves[0] == moves[1]
    moves = [each.apply(model.Tick(), NOW + 9 * DAY) for each in (stopped, running)]
    assert moves[0] == moves[1]
    disk.close()


def test_a_list_of_accounts(journal: Journal) -> None:
    """Lists nest across kinds, too, and algebra over segments of accounts goes on as before."""
    journal.apply(model.CreateSegment(SegmentDefinition("chosen", SegmentKind.LIST, ACCOUNT)))
    journal.create("reps", "account (in list chosen)")
    journal.create("alive", "any user (did view)", ACCOUNT)
    journal.ingest(event("view", "u1", "c1"), event("login", "u2", "c2"))
    add = model.ChangeList("chosen", model.ListOperation.ADD, (account("c2"), account("c3")))
    assert journal.apply(add) == {"chosen": (["c2", "c3"], []), "reps": (["u2"], [])}
    both = ast.Or((InSegment("chosen"), InSegment("alive")))
    assert journal.engine.count(both, ACCOUNT) == 3
    assert journal.engine.count(ast.Not(InSegment("alive")), ACCOUNT) == 2


def test_one_scan_for_measures_of_both_kinds() -> None:
    """Users' numbers may lie beyond all there are of accounts, some of which have ended: each kind has its own map."""
    journal = Journal()
    for first in range(0, 2_000, 250):
        journal.ingest(*(event("view", f"u{i}", f"c{i % 3}", NOW) for i in range(first, first + 250)))
    journal.apply(model.MergeSubjects(ACCOUNT, *account("c0", "c1")))
    journal.create("busy", "did view and account (did view at least 1000 times)")
    assert len(journal.members("busy")) == 1_333 + 1
