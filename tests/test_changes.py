"""The change log: following, retention, trends, and coming back from a snapshot."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.changes import ChangeLog
from coterie.index.errors import RevisionCompacted
from coterie.index.model import Cause, Change, ChangeEntry, SubjectGone, SubjectKind
from coterie.index.settings import HOUR_MS, Settings

USER = SubjectKind.USER


def change(revision: int, at: int, segment: str, joined: list[int], left: list[int]) -> Change:
    """One change by an event."""
    return Change(revision, at, segment, USER, Cause.EVENT, array("I", joined), array("I", left))


def filled(entries: list[ChangeEntry], settings: Settings | None = None) -> ChangeLog:
    """A log with these entries."""
    log = ChangeLog(settings or Settings())
    for entry in entries:
        log.add([entry])
    return log


ENTRIES: list[ChangeEntry] = [
    change(1, 1_000, "a", [1], []),
    SubjectGone(3, 2_000, USER, 4, 1),
    change(3, 2_000, "a", [2], [4]),
    change(3, 2_000, "b", [], [1]),
    change(7, 9_000, "a", [4], [1]),
]


@given(st.integers(0, 8), st.sets(st.sampled_from(["a", "b", "c"])))
def test_following_gives_later_entries_of_the_chosen_segments(revision: int, segments: set[str]) -> None:
    """Nothing before, nothing skipped; subjects that are gone are told to everybody."""
    expected = [
        entry
        for entry in ENTRIES
        if entry.revision > revision and (isinstance(entry, SubjectGone) or entry.segment in segments)
    ]
    assert list(filled(ENTRIES).since(revision, frozenset(segments))) == expected


def test_retention_drops_whole_revisions_and_says_so() -> None:
    """Following from a dropped revision is refused with the oldest; from that one on it works."""
    log = filled(ENTRIES, Settings(change_retention_ms=5_000))
    gone = log.expire(8_000)
    assert gone == [ENTRIES[1]]
    with pytest.raises(RevisionCompacted) as refused:
        next(log.since(2))
    assert refused.value.facts["oldest"] == "3"
    assert list(log.since(3)) == [ENTRIES[4]]


def test_retention_counts_members_too() -> None:
    """The number of members kept is bounded, whatever their age."""
    log = filled(ENTRIES, Settings(change_retention_entries=2))
    log.expire(9_000)
    assert list(log.since(log.oldest)) == [ENTRIES[4]]


def test_since_when_is_the_last_join() -> None:
    """A member is one since it last joined; beyond the log nobody knows."""
    log = filled(ENTRIES)
    assert log.since_when("a", 4) == 9_000
    assert log.since_when("a", 2) == 2_000
    assert log.since_when("b", 2) is None


def test_a_trend_counts_joins_and_leaves_per_bucket() -> None:
    """Sizes are those at the end of a bucket and carry over quiet hours; a day is 24 of them."""
    log = ChangeLog(Settings())
    log.add([change(1, 0, "a", [1, 2], [])])
    log.add([change(2, 10, "a", [3], [1])])
    log.add([change(3, 2 * HOUR_MS, "a", [], [2])])
    hourly = log.trend("a", HOUR_MS, 0, 4 * HOUR_MS, created_at=0)
    assert [(point.size, point.joins, point.leaves) for point in hourly] == [(2, 3, 1), (2, 0, 0), (1, 0, 1), (1, 0, 0)]
    daily = log.trend("a", 24 * HOUR_MS, 0, 4 * HOUR_MS, created_at=0)
    assert [(point.size, point.joins, point.leaves) for point in daily] == [(1, 3, 2)]
    assert log.trend("a", HOUR_MS, 0, 4 * HOUR_MS, created_at=2 * HOUR_MS) == hourly[2:]


def test_trends_beyond_retention_are_unknown_not_zero() -> None:
    """The size carries over from what was dropped; buckets that begin before the horizon are left out."""
    log = ChangeLog(Settings(trend_retention_ms=10 * HOUR_MS))
    log.add([change(1, 0, "a", [1], [])])
    log.add([change(2, HOUR_MS, "a", [2], [])])
    log.add([change(3, 18 * HOUR_MS, "a", [3], [])])
    log.expire_trends(20 * HOUR_MS)
    points = log.trend("a", HOUR_MS, 0, 20 * HOUR_MS, created_at=0)
    assert [point.start // HOUR_MS for point in points] == list(range(10, 20))
    assert [point.size for point in points] == [2] * 8 + [3] * 2


def test_snapshots_carry_the_log_over() -> None:
    """Pages of several snapshots together are the log; expired pages are removed."""
    settings = Settings(change_retention_ms=5_000)
    log = filled(ENTRIES[:4], settings)
    pages: dict[bytes, bytes] = {}

    def snapshot() -> None:
        for key, page in log.begin():
            if page is None:
                del pages[key]
            else:
                pages[key] = page
        log.end(committed=True)

    snapshot()
    for entry in ENTRIES[4:]:
        log.add([entry])
    snapshot()
    restored = ChangeLog(settings)
    restored.load(sorted(pages.items()))
    assert list(restored.since(0)) == ENTRIES
    log.expire(8_000)
    snapshot()
    restored = ChangeLog(settings)
    restored.load(sorted(pages.items()))
    assert list(restored.since(3)) == [ENTRIES[4]]
    assert restored.trend("a", HOUR_MS, 0, HOUR_MS, 0) == log.trend("a", HOUR_MS, 0, HOUR_MS, 0)


def test_a_snapshot_that_failed_is_made_up_for() -> None:
    """Entries of a snapshot that was given up are in the next one."""
    log = filled(ENTRIES)
    list(log.begin())
    log.end(committed=False)
    restored = ChangeLog(Settings())
    restored.load([(key, page) for key, page in log.begin() if page is not None])
    assert list(restored.since(0)) == ENTRIES
