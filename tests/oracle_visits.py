"""The oracle's visits: runs of a subject's events less than a gap apart.

Owns what a visit is and the event a finished one leaves behind. Invariant: visits are found anew from all
events up to now, each time they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from coterie.index.model import Event, Value
from tests.oracle_events import Happened

VISIT = "$visit"
VISIT_GAP_MS = 30 * 60_000
PAGE_TYPES = ("page_view", "pageview", "view", "screen_view", "page")

Visit = Sequence[Happened]  # its events, oldest first


def visits_of(events: Sequence[Happened], gap_ms: int) -> list[list[Happened]]:
    """Returns the visits of a subject with these events, which come oldest first; the last may be running."""
    visits: list[list[Happened]] = []
    for happened in events:
        if happened.derived:
            continue
        if visits and happened.time - visits[-1][-1].time < gap_ms:
            visits[-1].append(happened)
        else:
            visits.append([happened])
    return visits


def is_running(visit: Visit, gap_ms: int, now: int) -> bool:
    """Returns whether an event at `now` would still belong to the visit."""
    return now < visit[-1].time + gap_ms


def visit_event(visit: Visit) -> Happened:
    """Returns the derived event of a finished visit."""
    first, last = visit[0], visit[-1]
    properties: dict[str, Value] = {
        "duration_s": (last.time - first.time) / 1000,
        "events": float(len(visit)),
        "pages": float(sum(happened.event.type in PAGE_TYPES for happened in visit)),
    }
    for name in ("referrer", "source"):
        value = first.value(name)
        if isinstance(value, str):
            properties[name] = value
    event = Event("", VISIT, last.event.identifiers, last.event.account_id, last.time, properties, {})
    return Happened(last.time, last.position, last.user, last.account, event)
