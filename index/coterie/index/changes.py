"""The change log: who joined and left which segment, in which revision, why; and the trends drawn from it.

Entries are ordered by revision, then by segment and dense id. Owns entries and hourly buckets. Invariants:
replay appends the same entries; what is older than retention is dropped from the front, never from the middle.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgpack

from coterie.index.errors import RevisionCompacted
from coterie.index.model import Cause, Change, ChangeEntry, SubjectGone, SubjectKind
from coterie.index.settings import HOUR_MS, Settings

_PAGE_ENTRIES = 2_000
_NEVER = -(10**9)  # an hour before all others


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One bucket of a segment's trend: `size` at its end, joins and leaves inside it."""

    start: int
    size: int
    joins: int
    leaves: int
    reconstructed: bool = False  # worked out from history, for the time before the segment was created


class ChangeLog:
    """All retained changes of one dataset."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries: list[ChangeEntry] = []
        self._members = 0
        self.oldest = 0  # following is possible from this revision on: entries with a greater one are all here
        self._horizon = _NEVER  # the first hour of trends that is kept
        self._hours: dict[str, dict[int, list[int]]] = {}  # segment -> hour -> [joins, leaves, size after]
        self._saved = 0  # the last revision whose entries are durable
        self._saving = 0
        self._dropped = 0  # `oldest` as of the running snapshot
        self._fresh_pages: list[tuple[bytes, int]] = []
        self._pages: list[tuple[bytes, int]] = []  # durable pages and their last revision

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Iterable[ChangeEntry]) -> None:
        """Appends one revision's entries."""
        for entry in entries:
            self._entries.append(entry)
            if isinstance(entry, Change):
                self._count(entry, len(entry.joined), len(entry.left))

    def _count(self, change: Change, joins: int, leaves: int) -> None:
        self._members += joins + leaves
        hour, hours = change.at // HOUR_MS, self._hours.get(change.segment)
        if hours is None:
            hours = self._hours[change.segment] = {}
        bucket = hours.get(hour)
        if bucket is None:  # a segment begins empty, and every change of it comes by here: sizes add up
            size = next(reversed(hours.values()))[2] if hours else 0
            bucket = hours[hour] = [0, 0, size]
        bucket[0] += joins
        bucket[1] += leaves
        bucket[2] += joins - leaves

    def expire(self, now: int) -> list[SubjectGone]:
        """Drops what is older than retention; returns subjects whose names nobody can ask for any more."""
        gone, dropped = [], 0
        horizon = now - self._settings.change_retention_ms
        entries, members = self._entries, self._members
        while dropped < len(entries) and (
            entries[dropped].at < horizon
            or members > self._settings.change_retention_entries
            or entries[dropped].revision == self.oldest  # a revision goes as a whole
        ):
            entry = entries[dropped]
            self.oldest = entry.revision
            dropped += 1
            if isinstance(entry, SubjectGone):
                gone.append(entry)
            else:
                members -= len(entry.joined) + len(entry.left)
        self._members = members
        del entries[:dropped]
        return gone

    # ------------------------------------------------------------ following

    def since(self, revision: int, segments: frozenset[str] | None = None) -> Iterator[ChangeEntry]:
        """Yields entries of later revisions, those of chosen segments only (and every subject that is gone).

        RevisionCompacted where entries after `revision` have been dropped.
        """
        if revision < self.oldest:
            raise RevisionCompacted(str(self.oldest))
        start = bisect_right(self._entries, revision, key=lambda entry: entry.revision)
        for position in range(start, len(self._entries)):
            entry = self._entries[position]
            if segments is None or isinstance(entry, SubjectGone) or entry.segment in segments:
                yield entry

    def since_when(self, segment: str, dense: int) -> int | None:
        """Returns the instant a current member joined, None where that lies beyond the log."""
        for entry in reversed(self._entries):
            if isinstance(entry, Change) and entry.segment == segment:
                place = bisect_left(entry.joined, dense)
                if place < len(entry.joined) and entry.joined[place] == dense:
                    return entry.at
        return None

    # ------------------------------------------------------------ trends

    def trend(self, segment: str, bucket_ms: int, start: int, end: int, created_at: int) -> list[TrendPoint]:
        """Returns whole buckets (hours or days, UTC) from `start` to before `end`.

        None before the creation, and none that begins beyond retention.
        """
        hours = self._hours.get(segment, {})
        ordered = sorted(hours)
        points = []
        first = max(start, created_at) // bucket_ms * bucket_ms
        kept = -(-self._horizon * HOUR_MS // bucket_ms) * bucket_ms  # what begins earlier is no longer known
        first = max(first, kept)
        for begin in range(first, end, bucket_ms):
            low, high = bisect_left(ordered, begin // HOUR_MS), bisect_left(ordered, (begin + bucket_ms) // HOUR_MS)
            held = [hours[hour] for hour in ordered[low:high]]
            size = hours[ordered[high - 1]][2] if high else 0
            points.append(TrendPoint(begin, size, sum(h[0] for h in held), sum(h[1] for h in held)))
        return points

    def forget(self, segment: str) -> None:
        """Drops the trend of a deleted segment."""
        self._hours.pop(segment, None)

    def expire_trends(self, now: int) -> None:
        """Drops hours beyond retention, keeping each segment's newest of them: it knows the size since then."""
        self._horizon = (now - self._settings.trend_retention_ms) // HOUR_MS
        for hours in self._hours.values():
            expired = [hour for hour in hours if hour < self._horizon]
            for hour in expired[:-1]:
                del hours[hour]

    # ------------------------------------------------------------ snapshot part

    def begin(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Yields entries added since the last snapshot, drops pages all of whose entries have expired."""
        fresh = list(self._fresh())
        self._dropped = self.oldest
        self._saving = fresh[-1].revision if fresh else self._saved
        hours = {segment: list(held.items()) for segment, held in self._hours.items()}
        summary = msgpack.packb((self.oldest, [(s, [(h, *b) for h, b in held]) for s, held in hours.items()]))
        return self._yield_pages(fresh, summary)

    def _fresh(self) -> Iterator[ChangeEntry]:
        start = bisect_right(self._entries, self._saved, key=lambda entry: entry.revision)
        return (self._entries[position] for position in range(start, len(self._entries)))

    def _yield_pages(self, fresh: list[ChangeEntry], summary: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        yield b"summary", summary
        for key, last in self._pages:
            if last <= self._dropped:
                yield key, None
        for start in range(0, len(fresh), _PAGE_ENTRIES):
            held = fresh[start : start + _PAGE_ENTRIES]
            key = b"log" + held[0].revision.to_bytes(8, "big") + start.to_bytes(4, "big")
            self._fresh_pages.append((key, held[-1].revision))
            yield key, msgpack.packb([_packed(entry) for entry in held])

    def end(self, committed: bool) -> None:
        """Remembers what is durable."""
        if committed:
            self._saved = self._saving
            self._pages = [page for page in self._pages if page[1] > self._dropped] + self._fresh_pages
        self._fresh_pages = []

    def load(self, pages: Iterable[tuple[bytes, bytes]]) -> None:
        """Reads the log and the trends back."""
        for key, page in sorted(pages):
            if key == b"summary":
                self.oldest, hours = msgpack.unpackb(page)
                self._hours = {segment: {h: list(b) for h, *b in held} for segment, held in hours}
                continue
            entries = [_unpacked(row) for row in msgpack.unpackb(page)]
            self._pages.append((key, entries[-1].revision))
            self._entries += entries
        expired = bisect_right(self._entries, self.oldest, key=lambda entry: entry.revision)
        del self._entries[:expired]  # a page goes only when all of it has expired
        self._members = sum(len(e.joined) + len(e.left) for e in self._entries if isinstance(e, Change))
        self._saved = self._entries[-1].revision if self._entries else 0


def _packed(entry: ChangeEntry) -> tuple[object, ...]:
    if isinstance(entry, SubjectGone):
        return (entry.revision, entry.at, int(entry.subject_kind), entry.subject, entry.survivor)
    who = (entry.joined.tobytes(), entry.left.tobytes())
    return (entry.revision, entry.at, int(entry.subject_kind), entry.segment, entry.cause.value, *who)


def _unpacked(row: tuple[object, ...]) -> ChangeEntry:
    revision, at, kind, *rest = row
    if len(rest) == 2:
        return SubjectGone(revision, at, SubjectKind(kind), *rest)  # type: ignore[arg-type]
    segment, cause, joined, left = rest
    return Change(revision, at, segment, SubjectKind(kind), Cause(cause), array("I", joined), array("I", left))  # type: ignore[arg-type,call-overload]
