"""Engine and oracle side by side: both are fed the same records, and everything that can be asked is compared.

Owns what "no difference" means. Invariant: after every `apply`, every membership, count, list, change and
promise about time of the engine equals what the oracle works out from scratch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np

from coterie.index import model
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError
from coterie.index.model import Cause, Change, Record, SegmentState, SubjectGone, SubjectKind
from coterie.index.rules import ast
from coterie.index.settings import Settings
from tests import oracle
from tests.compare_reports import compare_reports
from tests.in_parts import Parts, pass_in_parts
from tests.on_disk import OnDisk
from tests.oracle_dataset import Dataset, Expected, Moment

Members = dict[str, set[int]]
FAR_MS = 3 * 366 * 86_400_000

CAUSES: dict[type, set[Cause]] = {
    model.IngestEvents: {Cause.EVENT},
    model.Tick: set(),
    model.SetAttributes: {Cause.ATTRIBUTE},
    model.MergeSubjects: {Cause.MERGE},
    model.DeleteSubject: {Cause.DELETE},
    model.CreateSegment: {Cause.BACKFILL, Cause.MANUAL},
    model.UpdateSegment: {Cause.EDIT, Cause.BACKFILL},
    model.DeleteSegment: set(),
    model.ChangeList: {Cause.MANUAL},
    model.ActivateBuild: {Cause.EDIT, Cause.BACKFILL},
}


class Setting(NamedTuple):
    """What engine and oracle are told before the first record."""

    zone: str
    retention_ms: int = FAR_MS
    folder: Path | None = None  # where the engine keeps its files; None: it has none


Step = tuple[Any, ...]  # (method of SideBySide, *arguments)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _step(
    method: Callable[Concatenate[SideBySide, Arguments], Result],
) -> Callable[Concatenate[SideBySide, Arguments], Result]:
    """Notes that the method was called and whether a difference was found."""

    @wraps(method)
    def stepped(self: SideBySide, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        assert not named, "steps are noted by position"
        self.steps.append((method.__name__, *arguments))
        self.failed = True
        result = method(self, *arguments, **named)
        self.failed = False
        return result

    return stepped


class SideBySide:
    """One engine and one oracle dataset, and the journal both have seen."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.rules: dict[str, ast.Expression] = {}
        self.settings = Settings(timezone=setting.zone, change_retention_ms=setting.retention_ms)
        self.disk = None if setting.folder is None else OnDisk(setting.folder, self.settings)
        self.engine = Engine(self.settings) if self.disk is None else self.disk.engine
        self.dataset = Dataset(setting.zone, self.rules.__getitem__)
        self.steps: list[Step] = []  # everything that was done, to do it again
        self.failed = False
        self.journal: list[Record] = []
        self.changes: list[tuple[model.ChangeEntry, ...]] = []  # by record
        self.joined_at: dict[tuple[str, int], int] = {}
        self.created_in: dict[str, int] = {}  # segment -> position of its record in the journal
        self._members: dict[int, Members] = {}  # the oracle's, by instant, until its dataset changes

    @property
    def now(self) -> int:
        """Engine time."""
        return self.engine.now

    # ------------------------------------------------------------ records

    @_step
    def apply(self, payload: model.Payload, at: int | None = None) -> Expected:
        """Applies one record to both and compares everything; returns what it must have done."""
        record = Record(self.engine.revision + 1, max(self.now, at or 0), payload)
        before, between = self.members(), self.members(record.at)
        if self.disk is not None:
            self.disk.append(record)
        try:
            outcome, error = self.engine.apply(record), ""
        except CoterieError as refused:
            outcome, error = None, refused.reason
        self.journal.append(record)
        if isinstance(payload, model.CreateSegment) and not error:
            self.created_in[payload.definition.id] = len(self.journal) - 1
        unsupported = error == "RULE_UNSUPPORTED"
        expected = self.dataset.apply(Record(record.revision, record.at, model.Tick()) if unsupported else record)
        assert unsupported or error == expected.error, f"engine says {error!r}, oracle {expected.error!r}"
        assert (self.engine.revision, self.engine.now) == (record.revision, record.at)
        if outcome is not None and isinstance(record.payload, model.IngestEvents | model.SetAttributes):
            taken = (outcome.accepted, outcome.duplicates, [(one.index, one.reason) for one in outcome.refused])
            assert taken == (expected.accepted, expected.duplicates, expected.refused)
        self._adopt_builds()
        self.end_record()
        changes = tuple(self.engine.changes.since(record.revision - 1))
        assert outcome is None or outcome.changes == changes
        self.changes.append(changes)
        self._compare_changes(record, changes, expected, before, between)
        self.compare_state()
        return expected

    @_step
    def sweep(self, at: int, parts: Parts) -> None:
        """Moves time alone, one instant in parts; compares on the way and at the end."""
        pass_in_parts(self, at, parts)
        self._adopt_builds()
        self.compare_state()

    @_step
    def replay(self) -> None:
        """Feeds the whole journal to a new engine: it must do the same all over again."""
        running, self.engine = self.engine, Engine(self.settings)
        for record, changes in zip(self.journal, self.changes, strict=True):
            with suppress(CoterieError):
                assert self.engine.apply(record).changes == changes
            assert tuple(self.engine.changes.since(record.revision - 1)) == changes
        self.compare_state()
        compare_reports(self)
        if self.disk is not None:
            self.engine = running

    @_step
    def snapshot(self, jobs: int | None) -> None:
        """Goes on with a snapshot; nothing anyone can see changes."""
        if self.disk is not None:
            self.disk.step_snapshot(jobs)
            self.compare_state()

    @_step
    def reopen(self) -> None:
        """Crashes and recovers: everything is as it was, and changes can be followed from as far back."""
        if self.disk is not None:
            oldest = self.engine.changes.oldest
            self.disk.reopen()
            self.engine = self.disk.engine
            assert self.engine.revision == len(self.journal)
            assert self.engine.changes.oldest == oldest
            kept = [entry for entries in self.changes[oldest:] for entry in entries]
            assert list(self.engine.changes.since(oldest)) == kept
            self.compare_state()
            compare_reports(self)

    @_step
    def build(self, rows: int) -> None:
        """Does some of the builds' work; nothing anyone can see changes."""
        self.engine.step_builds(rows)
        self.compare_state()

    def since(self, name: str, member: int) -> int | None:
        """Returns since when a member is one, None where that lies beyond the change log."""
        since = self.joined_at[name, member]
        return None if since < self.now - self.settings.change_retention_ms else since

    def close(self) -> None:
        """Closes the files."""
        if self.disk is not None:
            self.disk.close()

    def end_record(self) -> None:
        """The oracle has applied a record."""
        self.dataset.end_record()
        self._members = {}

    def _adopt_builds(self) -> None:
        """What needed no build is served at once; the oracle takes the engine's word for when, not for what."""
        for name, segment in self.dataset.segments.items():
            held = self.engine.segment(name)
            if segment.pending is not None and held.state is SegmentState.READY and held.pending is None:
                self.dataset.promote(name)
                self._members = {}
            assert (segment.pending is None) == (held.state is SegmentState.READY and held.pending is None)

    def members(self, now: int | None = None) -> Members:
        """Returns the oracle's members of every segment that answers, at `now` (default: now); must not be changed."""
        at = self.dataset.now if now is None else now
        known = self._members.get(at)
        if known is None:
            known = self._members[at] = self._work_out(at)
        return known

    def _work_out(self, at: int) -> Members:
        moment = Moment(self.dataset, SubjectKind.USER, at)
        moments = {each.kind: each for each in (moment, moment.other)}
        result: Members = {}
        for name in self.served():
            moment = moments[self.dataset.segments[name].definition.subject_kind]
            result[name] = {subject for subject in moment.subjects() if moment.in_segment(subject, name)}
        return result

    def served(self) -> Iterator[str]:
        """Yields the segments that answer."""
        return (name for name, segment in self.dataset.segments.items() if segment.serving is not None)

    # ------------------------------------------------------------ comparing changes

    def _compare_changes(
        self,
        record: Record,
        changes: tuple[model.ChangeEntry, ...],
        expected: Expected,
        before: Members,
        between: Members,
    ) -> None:
        """Compares who moved by time, and who by the record's own work, net of each other.

        `midway` is membership after time has moved and before the work. Sticky and once segments keep whom their rule
        held at the end of a record: a subject for whom it holds midway alone is a member midway, is not kept, and so
        is no member now; `midway & now` leaves it out. One whose deadline passes at this instant has left midway, and
        stays all the same if the work lets the rule hold again: `(was - midway) - now` leaves it out.
        """
        assert all((entry.revision, entry.at) == (record.revision, record.at) for entry in changes)
        gone = [(one.subject_kind, one.subject, one.survivor) for one in changes if isinstance(one, SubjectGone)]
        assert gone == expected.gone, "subjects merged and deleted"
        own = CAUSES[type(record.payload)] | (
            {Cause.MERGE} if gone and Cause.DELETE not in CAUSES[type(record.payload)] else set()
        )
        memberships = [entry for entry in changes if isinstance(entry, Change)]
        assert len({(entry.segment, entry.cause) for entry in memberships}) == len(memberships)
        after = self.members()
        for name in before.keys() | after.keys():
            if name not in after:
                continue  # deleted, or made anew
            was, midway, now = before.get(name, set()), between.get(name, set()), after[name]
            entries = [entry for entry in memberships if entry.segment == name]
            assert all(entry.cause is Cause.TIME or entry.cause in own for entry in entries), (entries, own)
            assert all((entry.cause is Cause.BACKFILL) <= (name not in before) for entry in entries), (
                "built once, then edited"
            )
            assert all((entry.cause is Cause.EDIT) <= (name in before) for entry in entries), "edited once built"
            by_time = [entry for entry in entries if entry.cause is Cause.TIME]
            others = [entry for entry in entries if entry.cause is not Cause.TIME]
            assert _moves(by_time) == ((midway & now) - was, (was - midway) - now), f"{name}: moved by time"
            assert _moves(others) == (now - was - midway, (was & midway) - now), f"{name}: moved by {own}"
            for subject in now - was:
                self.joined_at[name, subject] = record.at
        assert {entry.segment for entry in memberships} <= after.keys() | before.keys()

    # ------------------------------------------------------------ comparing state

    def compare_state(self) -> None:
        """Compares every membership, count, list and promise about time."""
        members = self.members()
        for kind in SubjectKind:
            of_kind = [name for name in members if self.dataset.segments[name].definition.subject_kind is kind]
            self._compare_kind(kind, of_kind, members)
        self._compare_identities()
        self._compare_next_instant(members)

    def _compare_kind(self, kind: SubjectKind, names: list[str], members: Members) -> None:
        dense_ids = sorted(self.dataset.of_kind[kind].identifiers)  # live ones; ended ones are found by nobody
        assert list(self.engine.subjects(kind)) == dense_ids
        expected = {subject: [subject in members[name] for name in names] for subject in [0, *dense_ids]}
        for name in names:
            listed = list(self.engine.members(ast.InSegment(name), kind))
            assert listed == sorted(members[name]), f"{name} lists {listed}, must be {sorted(members[name])}"
            assert self.engine.count(ast.InSegment(name), kind) == len(members[name]), name
            self._compare_subject(name, dense_ids, members[name])
        if dense_ids and names:
            checked = self.engine.check_many(kind, np.array(list(expected), np.uint32), names)
            assert checked.tolist() == list(expected.values())
        for subject in dense_ids:
            assert self.engine.check(kind, subject, names) == expected[subject]
            assert sorted(self.engine.segments_of(kind, subject)) == sorted(
                name for name, member in zip(names, expected[subject], strict=True) if member
            )
        assert self.engine.check(kind, None, names) == [False] * len(names)
        self._compare_algebra(kind, names, members)

    def _compare_subject(self, name: str, dense_ids: list[int], members: set[int]) -> None:
        for subject in dense_ids:
            assert self.engine.is_member(name, subject) == (subject in members), f"{name}: {subject}"
            if subject in members:
                assert self.engine.since(name, subject) == self.since(name, subject), f"{name}: since when {subject}"

    def _compare_algebra(self, kind: SubjectKind, names: list[str], members: Members) -> None:
        """Compares set expressions over a split and two neighbouring segments, at each step another two."""
        if not names:
            return
        moment = Moment(self.dataset, kind, self.now)
        split = ast.InSplit("spring", 0, 5_000)
        first = len(self.steps) % len(names)
        one, other = ast.InSegment(names[first]), ast.InSegment(names[first - 1])
        for expression in (
            ast.And((one, ast.Not(other))),
            ast.Not(ast.Or((one, split))),
            ast.AtLeast(2, (one, other, split)),
        ):
            wanted = sorted(oracle.members(expression, moment))
            assert list(self.engine.members(expression, kind)) == wanted, expression
            assert self.engine.count(expression, kind) == len(wanted)

    def _compare_identities(self) -> None:
        for kind, subjects in self.dataset.of_kind.items():
            for subject, names in subjects.identifiers.items():
                for name in names:
                    assert self.engine.find(kind, (name,)) == subject, f"{name} is {subject}"
                assert sorted(self.engine.identifiers(kind, subject)) == sorted(names)
                assert self.engine.identifier(kind, subject) == names[0]

    def _compare_next_instant(self, members: Members) -> None:
        """Until the next instant the engine names, nothing changes by itself."""
        upcoming = self.engine.next_instant()
        if upcoming is None:
            upcoming = self.now + FAR_MS
        assert upcoming > self.now, "the next instant lies ahead"
        for instant in {upcoming - 1, (self.now + upcoming) // 2}:
            assert self.members(instant) == members, f"something changes by {instant}, before {upcoming}"


def _moves(entries: list[Change]) -> tuple[set[int], set[int]]:
    """Returns who joined and who left, after checking that each is named once and in order."""
    for entry in entries:
        assert entry.joined or entry.left
        assert list(entry.joined) == sorted(set(entry.joined))
        assert list(entry.left) == sorted(set(entry.left))
    joined = [subject for entry in entries for subject in entry.joined]
    left = [subject for entry in entries for subject in entry.left]
    assert len(set(joined + left)) == len(joined + left), "net changes name a subject once"
    return set(joined), set(left)
