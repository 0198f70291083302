"""How far time may go in one step although every instant counts: as far as nobody is touched twice.

Joins and leaves are net within a step. A subject that at most one instant of a step touches cannot join and leave
within it, so a step of many instants counts what one step for each would. Owns nothing. Invariant: within each
stride, all that cursors and births do to one subject happens at one instant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coterie.index.cursors import matched
from coterie.index.events.history import History
from coterie.index.measures.matches import Ints
from coterie.index.measures.registry import Canonical, Measures
from coterie.index.subjects.identity import DenseIds
from coterie.index.time.boundaries import Boundary


class Touches(NamedTuple):
    """Who is touched when; rows in any order."""

    instants: Ints
    subjects: DenseIds


def touches_of(measures: Measures, history: History, canonical: Canonical, until: int) -> list[Touches]:
    """Returns whom the cursors touch on their way to `until`, one piece for each boundary and shape."""
    found = []
    for boundary, definition in enumerate(measures.boundaries):
        roles, cursor, target = measures.roles[boundary], int(measures.cursors[boundary]), definition.value(until)
        if roles and target > cursor:
            group = measures.group_of(roles.all())
            found += [
                Touches(_due(definition, matches.times), measures.subjects_now(matches, canonical))
                for matches in matched(history.scan(cursor, target), group, measures)
            ]
    return found


def _due(boundary: Boundary, times: Ints) -> Ints:
    different, rows = np.unique(times, return_inverse=True)
    instants = [boundary.due(time) for time in different.tolist()]
    assert None not in instants, "what a cursor passes is due at some instant"
    return np.array(instants, np.int64)[rows]


def strides(touches: list[Touches]) -> list[int]:
    """Returns the instants at which strides end, ascending; after the last one nobody is touched any more."""
    if not touches:
        return []
    instants = np.concatenate([part.instants for part in touches])
    subjects = np.concatenate([part.subjects for part in touches]).astype(np.int64)
    order = np.lexsort((subjects, instants))
    order = order[subjects[order] != 0]  # nobody is touched by the events of who is gone
    instants, subjects = instants[order], subjects[order]
    if not len(instants):
        return []
    fresh = np.ones(len(instants), np.bool_)
    fresh[1:] = (instants[1:] != instants[:-1]) | (subjects[1:] != subjects[:-1])
    instants, subjects = instants[fresh], subjects[fresh]
    return _cut(instants, _previous(subjects))


def _previous(subjects: NDArray[np.int64]) -> Ints:
    """Returns, for each row, the last row before it of the same subject, -1 where there is none."""
    previous = np.full(len(subjects), -1, np.int64)
    order = np.argsort(subjects, kind="stable")
    again = subjects[order[1:]] == subjects[order[:-1]]
    previous[order[1:][again]] = order[:-1][again]
    return previous


def _cut(instants: Ints, previous: Ints) -> list[int]:
    ends, begin = [], 0
    repeats = np.flatnonzero(previous >= 0)
    for row, before in zip(repeats.tolist(), previous[repeats].tolist(), strict=True):
        if before >= begin:
            begin = int(np.searchsorted(instants, instants[row]))
            ends.append(int(instants[begin - 1]))
    return [*ends, int(instants[-1])]
