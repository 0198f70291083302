"""What a profile shows of a few subjects' events: the newest of them, and how many there are of each type.

Owns nothing. Invariant: events come newest first by (time, sequence), whichever part of history they lie in.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coterie.index.events.columns import Arrival
from coterie.index.events.sources import Source, StoredColumns
from coterie.index.model import SubjectKind
from coterie.index.views import Rows

_Found = tuple[int, int, int, int]  # time, sequence, index of the source, row


def newest_first(
    recent: Sequence[Arrival],
    sources: Sequence[Source],
    kind: SubjectKind,
    dense_ids: list[int],
    before: tuple[int, int] | None,
    limit: int | None,
) -> list[Arrival]:
    """Returns at most `limit` events of the subjects (None: all), those before a (time, sequence) where one is given."""
    limit = sys.maxsize if limit is None else limit
    found = _in_recent(recent, kind, dense_ids, before)[:limit]
    for index in sorted(range(len(sources)), key=lambda index: sources[index].last, reverse=True):
        source = sources[index]
        if len(found) >= limit and (limit <= 0 or source.last < found[-1][0]):
            break
        if (before is not None and source.first > before[0]) or not source.may_hold(kind, dense_ids):
            continue
        rows = _rows_of(source, kind, dense_ids, before)[-limit:]
        times, sequences = source.times[rows].tolist(), source.sequences[rows].tolist()
        found += [(t, s, index, row) for t, s, row in zip(times, sequences, rows.tolist(), strict=True)]
        found = sorted(found, reverse=True)[:limit]
    return _arrivals(recent, sources, found)


_NONE = np.empty(0, dtype=np.int64)


class Summary(NamedTuple):
    """How many events of each type subjects have (types sorted), and the times of the first and the last."""

    totals: dict[str, int]
    first: int | None
    last: int | None


def summary(recent: Sequence[Arrival], sources: Sequence[Source], kind: SubjectKind, dense_ids: list[int]) -> Summary:
    """Returns the totals of the subjects' events; properties and context are not read."""
    totals: Counter[str] = Counter()
    times: list[int] = []
    for time, _, _, row in _in_recent(recent, kind, dense_ids, None):
        totals[recent[row].event.type] += 1
        times.append(time)
    for source in sources:
        rows = _rows_of(source, kind, dense_ids, None) if source.may_hold(kind, dense_ids) else _NONE
        if len(rows):
            codes, names = source.types
            counts = np.bincount(codes[rows], minlength=len(names)).tolist()
            totals.update({name: count for name, count in zip(names, counts, strict=True) if count})
            times += [int(source.times[rows[0]]), int(source.times[rows[-1]])]
    return Summary(dict(sorted(totals.items())), min(times, default=None), max(times, default=None))


def _in_recent(
    recent: Sequence[Arrival], kind: SubjectKind, dense_ids: list[int], before: tuple[int, int] | None
) -> list[_Found]:
    wanted = set(dense_ids)
    return [
        (arrival.time, arrival.sequence, -1, row)
        for row, arrival in reversed(list(enumerate(recent)))
        if (arrival.user if kind is SubjectKind.USER else arrival.account) in wanted
        and (before is None or (arrival.time, arrival.sequence) < before)
    ]


def _rows_of(source: Source, kind: SubjectKind, dense_ids: list[int], before: tuple[int, int] | None) -> Rows:
    stop = source.rows if before is None else source.after(before[0])
    subjects = source.subjects(kind)[:stop]
    wanted: npt.NDArray[np.uint32] = np.array(dense_ids, dtype=np.uint32)
    rows: Rows = (subjects == wanted[0] if len(wanted) == 1 else np.isin(subjects, wanted)).nonzero()[0]
    if before is not None:
        begin = int(source.times.searchsorted(before[0], side="left"))
        rows = rows[(rows < begin) | (source.sequences[rows] < before[1])]
    return rows


def _arrivals(recent: Sequence[Arrival], sources: Sequence[Source], found: list[_Found]) -> list[Arrival]:
    """Reads the events found, each source once."""
    rows_of: dict[int, list[int]] = {}
    for _, _, index, row in found:
        rows_of.setdefault(index, []).append(row)
    read: dict[tuple[int, int], Arrival] = {}
    for index, rows in rows_of.items():
        events = (
            [recent[row] for row in rows] if index < 0 else StoredColumns(sources[index], np.array(rows)).all_events()
        )
        read.update(((index, row), event) for row, event in zip(rows, events, strict=True))
    return [read[index, row] for _, _, index, row in found]
