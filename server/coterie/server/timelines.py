"""Pages of a subject's events, newest first."""

from __future__ import annotations

from coterie.index.model import Event, SubjectKind
from coterie.server.convert.profiles import Range
from coterie.server.dataset import Dataset

_GULP = 1_000  # events looked at in one go
_MOST_LOOKED_AT = 20_000  # on one page; what is left over comes on the next one


class Timeline:
    """The events of one subject; `query` tells page tokens of different questions apart."""

    def __init__(self, dataset: Dataset, kind: SubjectKind, dense: int, query: str) -> None:
        self._dataset, self._kind, self._dense, self._query = dataset, kind, dense, query

    def page(self, token: str, size: int, limits: Range) -> tuple[list[tuple[Event, int]], str]:
        """Returns events with their times, and the token of the next page (empty: there is none)."""
        before: tuple[int, int] | None = None
        if token:
            time, sequence = self._dataset.tokens.read_page("timeline", self._query, token)
            before = (int(time), int(sequence))
        elif limits.end is not None:
            before = (limits.end, -1)
        found: list[tuple[Event, int]] = []
        looked_at = 0
        while looked_at < _MOST_LOOKED_AT:
            arrivals = self._dataset.engine.events_of(self._kind, self._dense, before, min(_GULP, size + 1))
            for arrival in arrivals:
                if limits.start is not None and arrival.time < limits.start:
                    return found, ""
                if len(found) == size:
                    return found, self._token(before)
                before = (arrival.time, arrival.sequence)
                if not limits.types or arrival.event.type in limits.types:
                    found.append((arrival.event, arrival.time))
            if len(arrivals) < min(_GULP, size + 1):
                return found, ""
            looked_at += len(arrivals)
        return found, self._token(before)

    def _token(self, before: tuple[int, int] | None) -> str:
        return self._dataset.tokens.page("timeline", self._query, list(before)) if before is not None else ""
