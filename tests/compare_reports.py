"""What engine and oracle say when asked at length: profiles, timelines, trends, names of who is gone.

Owns the comparisons that are too long for every step. Invariant: nothing here changes either side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from coterie.index.model import Change, SubjectGone, SubjectKind
from coterie.index.reports import LastVisit
from tests.compare_explanations import compare_explanations
from tests.oracle_dataset import Happened, Moment
from tests.oracle_visits import is_running, visits_of

if TYPE_CHECKING:
    from tests.side_by_side import SideBySide

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PAGE = 3


def compare_reports(pair: SideBySide) -> None:
    """Compares everything that can be asked about subjects and segments, besides membership."""
    all_members = pair.members()
    for kind in SubjectKind:
        moment = Moment(pair.dataset, kind, pair.now)
        members = {name: members for name, members in all_members.items() if _is(pair, name, kind)}
        for subject in moment.subjects():
            _compare_profile(pair, moment, subject, {name for name, those in members.items() if subject in those})
            _compare_timeline(pair, moment, subject)
    for name in pair.served():
        _compare_trend(pair, name)
    _compare_names_of_gone(pair)
    compare_explanations(pair)


def _compare_profile(pair: SideBySide, moment: Moment, subject: int, segments: set[str]) -> None:
    profile = pair.engine.profile(moment.kind, subject)
    events = moment.arrived(subject)
    assert set(profile.identifiers) == set(pair.dataset.of_kind[moment.kind].identifiers[subject])
    assert profile.event_totals == Counter(happened.event.type for happened in events)
    times = [happened.time for happened in events]
    assert (profile.first_seen, profile.last_seen) == (min(times, default=None), max(times, default=None))
    visits = visits_of(moment.events(subject), pair.dataset.visit_gap_ms)
    assert profile.last_visit == (_last_visit(pair, visits[-1]) if visits else None)
    assert profile.attributes == moment.attributes(subject)
    assert {membership.segment for membership in profile.segments} == segments
    for membership in profile.segments:
        assert membership.since == pair.since(membership.segment, subject)


def _last_visit(pair: SideBySide, visit: Sequence[Happened]) -> LastVisit:
    running = is_running(visit, pair.dataset.visit_gap_ms, pair.now)
    return LastVisit(visit[0].time, visit[-1].time, len(visit), running)


def _is(pair: SideBySide, name: str, kind: SubjectKind) -> bool:
    return pair.dataset.segments[name].definition.subject_kind is kind


def _compare_timeline(pair: SideBySide, moment: Moment, subject: int) -> None:
    """Compares the subject's events, read page by page, newest first."""
    read, before = [], None
    while page := pair.engine.events_of(moment.kind, subject, before, PAGE):
        assert len(page) <= PAGE
        read += page
        before = page[-1].time, page[-1].sequence
    seen = [(one.time, one.sequence, one.event.type, one.event.properties, one.event.context) for one in read]
    assert seen == [_as_read(happened) for happened in reversed(moment.arrived(subject))]


def _as_read(happened: Happened) -> tuple[object, ...]:
    revision, index = happened.position
    event = happened.event
    return happened.time, revision * 256 + index, event.type, event.properties, event.context


def _compare_trend(pair: SideBySide, name: str) -> None:
    """Compares size, joins and leaves by the hour of the last two days, and by the day of all time."""
    changes = [
        entry
        for entries in pair.changes[pair.created_in[name] :]
        for entry in entries
        if isinstance(entry, Change) and entry.segment == name
    ]
    created_at = pair.journal[pair.created_in[name]].at
    kept_from = pair.now - pair.settings.trend_retention_ms  # what begins earlier may be gone
    for bucket, width, start in (("hour", HOUR_MS, pair.now - 2 * DAY_MS), ("day", DAY_MS, 0)):
        expected = []
        first = max(start, created_at, kept_from + width - 1) // width * width
        for begin in range(first, pair.now + 1, width):
            inside = [entry for entry in changes if begin <= entry.at < begin + width]
            until = [entry for entry in changes if entry.at < begin + width]
            size = sum(len(entry.joined) - len(entry.left) for entry in until)
            joins, leaves = (sum(len(getattr(entry, side)) for entry in inside) for side in ("joined", "left"))
            expected.append((begin, size, joins, leaves))
        points = [point for point in pair.engine.trend(name, bucket, start, pair.now + 1) if point.start >= kept_from]
        assert [(point.start, point.size, point.joins, point.leaves) for point in points] == expected, (
            f"trend of {name}"
        )


def _compare_names_of_gone(pair: SideBySide) -> None:
    """Whoever is gone is still called by the first name it had, as long as the change log names it."""
    oldest = pair.engine.changes.oldest
    for entries in pair.changes[oldest:]:
        for entry in entries:
            if isinstance(entry, SubjectGone):
                name = pair.dataset.of_kind[entry.subject_kind].names_of_gone[entry.subject]
                assert pair.engine.identifier(entry.subject_kind, entry.subject) == name
