"""Conditions on a user's account, and on an account's users: kept up to date from both sides.

Journals made by hand. Users are called u1, u2, …, accounts c1, c2, …; both get their dense ids in that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError, RuleInvalid, SegmentCycle, SegmentInUse, WrongSegmentKind
from coterie.index.model import (
    ACCOUNT_ID,
    ANONYMOUS_ID,
    USER_ID,
    Cause,
    Change,
    Event,
    Identifier,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
    Value,
)
from coterie.index.rules import ast
from coterie.index.rules.ast import InSegment
from coterie.index.settings import Settings
from tests.on_disk import OnDisk

USER, ACCOUNT = SubjectKind.USER, SubjectKind.ACCOUNT
NOW = 1_700_000_000_000
DAY = 86_400_000

Moves = dict[str, tuple[list[str], list[str]]]


def names(*values: str, namespace: str = USER_ID) -> tuple[Identifier, ...]:
    """Identifiers of one namespace."""
    return tuple(Identifier(namespace, value) for value in values)


def account(*values: str) -> tuple[Identifier, ...]:
    """Identifiers of an account."""
    return names(*values, namespace=ACCOUNT_ID)


def event(kind: str, who: str | tuple[Identifier, ...] = (), of: str | None = None, time: int | None = None) -> Event:
    """An event of a user, of an account, or of both."""
    return Event("", kind, names(who) if isinstance(who, str) else who, of, time, {}, {})


class Journal:
    """Applies payloads one after the other, and looks up members by name."""

    def __init__(self, disk: OnDisk | None = None) -> None:
        self.disk = disk
        self.engine = Engine() if disk is None else disk.engine
        self.records: list[model.Record] = []
        self.outcomes: list[tuple[model.ChangeEntry, ...]] = []

    def apply(self, payload: model.Payload, at: int = 0) -> Moves:
        """One record; returns the names of who joined and left, by segment."""
        record = model.Record(self.engine.revision + 1, at or self.engine.now or NOW, payload)
        if self.disk is not None:
            self.disk.append(record)
        self.records.append(record)
        try:
            changes = self.engine.apply(record).changes
        finally:
            self.outcomes.append(tuple(self.engine.changes.since(record.revision - 1)))
        return {
            one.segment: (self._names(one.subject_kind, one.joined), self._names(one.subject_kind, one.left))
            for one in changes
            if isinstance(one, Change)
        }

    def _names(self, kind: SubjectKind, ids: object) -> list[str]:
        found = (self.engine.identifier(kind, dense) for dense in ids)  # type: ignore[attr-defined]
        return sorted(each.value for each in found if each is not None)

    def ingest(self, *events: Event, at: int = 0) -> Moves:
        """One record of events."""
        return self.apply(model.IngestEvents(events), at)

    def set_user(self, who: str, **values: Value | None) -> Moves:
        """Attributes of a user."""
        return self.apply(model.SetAttributes((model.AttributeUpdate(USER, names(who), values),)))

    def set_account(self, who: str, **values: Value | None) -> Moves:
        """Attributes of an account."""
        return self.apply(model.SetAttributes((model.AttributeUpdate(ACCOUNT, account(who), values),)))

    def create(self, segment: str, rule: str, kind: SubjectKind = USER) -> Moves:
        """A segment, activated at once."""
        return self._define(model.CreateSegment, segment, rule, kind)

    def edit(self, segment: str, rule: str) -> Moves:
        """Another rule, activated at once."""
        return self._define(model.UpdateSegment, segment, rule, self.engine.segment(segment).definition.subject_kind)

    def _define(self, record: type, segment: str, rule: str, kind: SubjectKind) -> Moves:
        moves = self.apply(record(SegmentDefinition(segment, SegmentKind.RULE, kind, rule)))
        return self.apply(model.ActivateBuild(segment)) if self.engine.segment(segment).pending else moves

    def members(self, segment: str) -> list[str]:
        """The names of a segment's members; list, count and check agree on them."""
        kind = self.engine.segment(segment).definition.subject_kind
        listed = self.engine.members(InSegment(segment), kind)
        assert self.engine.count(InSegment(segment), kind) == len(listed)
        for dense in self.engine.subjects(kind):
            assert self.engine.is_member(segment, dense) is (dense in listed)
        return self._names(kind, listed)

    def replayed(self) -> Engine:
        """A new engine that has applied the same records: with the same changes."""
        engine = Engine()
        for record, changes in zip(self.records, self.outcomes, strict=True):
            with suppress(CoterieError):
                engine.apply(record)
            assert tuple(engine.changes.since(record.revision - 1)) == changes
        return engine


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty dataset, whose journal must replay to the same changes and members."""
    held = Journal()
    yield held
    replayed = held.replayed()
    for segment in held.engine.segments():
        if segment.root is not None:
            asked = InSegment(segment.id), segment.definition.subject_kind
            assert list(replayed.members(*asked)) == list(held.engine.members(*asked))


# ---------------------------------------------------------------- a user's account


def test_an_account_attribute_reaches_all_its_users_at_once(journal: Journal) -> None:
    """The account changes: its users join and leave, those of other accounts do not."""
    journal.create("retail", "account.industry = 'retail'")
    journal.ingest(event("view", "u1", "c1"), event("view", "u2", "c1"), event("view", "u3", "c2"))
    assert journal.set_account("c1", industry="retail") == {"retail": (["u1", "u2"], [])}
    assert journal.members("retail") == ["u1", "u2"]
    assert journal.set_account("c1", industry="bank") == {"retail": ([], ["u1", "u2"])}


def test_a_user_moves_to_another_account(journal: Journal) -> None:
    """Whether by an attribute, or by the newest event that names an account; a late one moves nobody."""
    journal.create("retail", "account.industry = 'retail'")
    journal.set_account("c1", industry="retail")
    journal.set_account("c2", industry="bank")
    assert journal.set_user("u1", account_id="c1") == {"retail": (["u1"], [])}
    assert journal.set_user("u1", account_id="c2") == {"retail": ([], ["u1"])}
    journal.ingest(event("view", "u2", "c1", NOW))
    assert journal.members("retail") == ["u2"]
    assert journal.ingest(event("view", "u2", "c2", NOW - DAY)) == {}
    assert journal.ingest(event("view", "u2", "c2", NOW), at=NOW + 1) == {"retail": ([], ["u2"])}
    assert journal.set_user("u2", account_id=None) == {}


def test_no_account_satisfies_nothing_of_an_account(journal: Journal) -> None:
    """Neither a test that something is missing nor a `not` inside is true of a user without account; `not` outside is."""
    journal.create("unset", "account.industry is not set")
    journal.create("negative", "account (not did buy)")
    journal.create("outside", "not account (did buy)")
    assert journal.ingest(event("view", "u1")) == {"outside": (["u1"], [])}
    journal.set_user("u1", account_id="c1")
    assert journal.members("unset") == []
    assert journal.members("negative") == []


def test_an_account_is_born_after_its_users(journal: Journal) -> None:
    """From then on they have one: true of an empty account is true of them."""
    journal.create("quiet", "account (did not buy)")
    journal.create("buying", "account (did buy)")
    journal.set_user("u1", account_id="c1")
    journal.set_user("u2", account_id="c2")
    assert journal.ingest(event("view", (), "c1")) == {"quiet": (["u1"], [])}
    assert journal.ingest(event("buy", (), "c2")) == {"buying": (["u2"], [])}
    assert journal.ingest(event("buy", (), "c1")) == {"quiet": ([], ["u1"]), "buying": (["u1"], [])}


def test_user_account_and_affiliation_come_in_one_event(journal: Journal) -> None:
    """One event makes a user, an account and what is between them; an anonymous one is absorbed in the same record."""
    device = names("a1", namespace=ANONYMOUS_ID)
    journal.create("quiet", "account (did not buy)")
    journal.create("lively", "any user (did view)", ACCOUNT)
    journal.create("calm", "no user (did view)", ACCOUNT)
    moves = journal.ingest(event("view", device, "c1"), event("login", names("u1") + device, "c2"))
    assert moves == {"quiet": (["a1"], []), "calm": (["c1"], []), "lively": (["c2"], [])}
    both = names("a2", namespace=ANONYMOUS_ID)
    moves = journal.ingest(event("view", both, "c1"), event("login", names("u1") + both, "c3"))
    assert moves == {"lively": (["c3"], ["c2"]), "calm": (["c2"], [])}
    assert journal.members("quiet") == ["a1"]


def test_an_account_gets_its_identifier_later(journal: Journal) -> None:
    """An account known by another name becomes its users' the moment it has the account_id they name."""
    crm = names("x", namespace="crm_id")
    journal.create("large", "account.size > 10")
    journal.set_user("u1", account_id="c1")
    journal.set_user("u2", account_id="c2")
    journal.apply(model.SetAttributes((model.AttributeUpdate(ACCOUNT, crm, {"size": 50.0}),)))
    update = model.AttributeUpdate(ACCOUNT, account("c1") + crm, {})
    assert journal.apply(model.SetAttributes((update,))) == {"large": (["u1"], [])}
    update = model.AttributeUpdate(ACCOUNT, account("c1", "c2"), {})
    assert journal.apply(model.SetAttributes((update,))) == {"large": (["u2"], [])}


def test_time_moves_users_through_their_account(journal: Journal) -> None:
    """The account's window runs out, and its users leave at that millisecond, by time."""
    journal.create("active", "account (did login in the last 1 days)")
    journal.ingest(event("login", "u1", "c1", NOW))
    assert journal.engine.next_instant() == NOW + DAY
    assert journal.members("active") == ["u1"]
    journal.apply(model.Tick(), NOW + DAY - 1)
    assert journal.apply(model.Tick(), NOW + DAY) == {"active": ([], ["u1"])}
    (change,) = journal.outcomes[-1]
    assert isinstance(change, Change)
    assert change.cause is Cause.TIME


# ---------------------------------------------------------------- an account's users

QUANTITIES = {
    "some": "any user (user.plan = 'pro')",
    "all": "every user (user.plan = 'pro')",
    "none": "no user (user.plan = 'pro')",
    "two": "at least 2 users (user.plan = 'pro')",
    "few": "at most 1 users (user.plan = 'pro')",
    "one": "exactly 1 users (user.plan = 'pro')",
}


def test_quantities_from_no_user_on(journal: Journal) -> None:
    """Without users: `no` and `at most`, never `any` or `every`. Then one joins after the other."""
    for segment, rule in QUANTITIES.items():
        journal.create(segment, rule, ACCOUNT)

    def true_of(name: str) -> set[str]:
        return {segment for segment in QUANTITIES if name in journal.members(segment)}

    journal.set_account("c1")
    assert true_of("c1") == {"none", "few"}
    journal.set_user("u1", account_id="c1")
    assert true_of("c1") == {"none", "few"}
    journal.set_user("u1", plan="pro")
    assert true_of("c1") == {"some", "all", "few", "one"}
    journal.set_user("u2", account_id="c1")
    assert true_of("c1") == {"some", "few", "one"}
    joined, left = (["c1"], []), ([], ["c1"])
    assert journal.set_user("u2", plan="pro") == {"all": joined, "two": joined, "few": left, "one": left}
    journal.apply(model.DeleteSubject(USER, *names("u1")))
    assert true_of("c1") == {"some", "all", "few", "one"}
    journal.set_user("u2", account_id=None)
    assert true_of("c1") == {"none", "few"}


def test_what_is_true_of_nobody_in_particular_is_counted(journal: Journal) -> None:
    """A user who never did anything satisfies `did not …`, and counts as soon as it belongs to the account."""
    journal.create("idle", "every user (did not buy)", ACCOUNT)
    journal.create("busy", "no user (did not buy)", ACCOUNT)
    assert journal.set_account("c1") == {"busy": (["c1"], [])}
    assert journal.set_user("u1", account_id="c1") == {"idle": (["c1"], []), "busy": ([], ["c1"])}
    assert journal.ingest(event("buy", "u1")) == {"idle": ([], ["c1"]), "busy": (["c1"], [])}
    assert journal.apply(model.DeleteSubject(USER, *names("u1"))) == {}
    assert journal.members("busy") == ["c1"]


def test_users_are_merged(journal: Journal) -> None:
    """Two users become one: the account has one fewer, and who goes to another account goes with all it did."""
    journal.create("two", "at least 2 users (did view)", ACCOUNT)
    journal.create("some", "any user (did view at least 2 times)", ACCOUNT)
    journal.ingest(event("view", "u1", "c1"), event("view", "u2", "c1"), event("view", "u3", "c2"))
    assert journal.members("two") == ["c1"]
    moves = journal.apply(model.MergeSubjects(USER, *names("u1", "u2")))
    assert moves == {"two": ([], ["c1"]), "some": (["c1"], [])}
    journal.apply(model.MergeSubjects(USER, *names("u2", "u3")), NOW + 1)
    assert journal.members("some") == ["c2"]


def test_accounts_are_merged_and_deleted(journal: Journal) -> None:
    """The survivor has all the users, under either name; after a deletion they have none until it is born anew."""
    journal.create("two", "at least 2 users (did view)", ACCOUNT)
    journal.create("large", "account.size > 10")
    journal.create("silent", "not account (did buy)")
    journal.ingest(event("view", "u1", "c1"), event("view", "u2", "c2"), event("buy", (), "c2"))
    journal.set_account("c2", size=50.0)
    assert journal.members("silent") == ["u1"]
    moves = journal.apply(model.MergeSubjects(ACCOUNT, *account("c2", "c1")))
    assert moves == {"two": (["c1"], []), "large": (["u1"], []), "silent": ([], ["u1"])}
    assert journal.set_user("u3", account_id="c2") == {"large": (["u3"], [])}
    moves = journal.apply(model.DeleteSubject(ACCOUNT, *account("c2")))
    assert moves == {"two": ([], ["c1"]), "large": ([], ["u1", "u2", "u3"]), "silent": (["u1", "u2", "u3"], [])}
    assert journal.set_account("c2", size=20.0) == {"large": (["u2", "u3"], [])}
    assert journal.members("two") == []
    journal.ingest(event("view", "u3"))
    assert journal.members("two") == ["c2"]


def test_an_attribute_of_another_type_names_no_account(journal: Journal) -> None:
    """Where `account_id` was first set to a number, nobody has an account."""
    journal.create("quiet", "account (did not buy)")
    journal.set_account("1")
    journal.set_user("u1", account_id=1.0)
    assert journal.members("quiet") == []


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
