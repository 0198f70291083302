"""Trends as messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coterie.index.changes import TrendPoint
from coterie.index.reconstruction import Reconstruction
from coterie.server.convert.values import timestamp_of


def write_trend(segment: str, past: Reconstruction | None, recorded: Sequence[TrendPoint], target: Any) -> None:
    """Writes a segment's trend: what was reconstructed of the time before its creation, then what was recorded."""
    target.segment = segment
    reconstructed = past.points if past is not None else ()
    for point in (*reconstructed, *recorded):
        entry = target.points.add(
            size=point.size, joined=point.joins, left=point.leaves, reconstructed=point.reconstructed
        )
        entry.start_time.CopyFrom(timestamp_of(point.start))
    if reconstructed:
        target.reconstructed_from.CopyFrom(timestamp_of(reconstructed[0].start))
    if past is not None:
        target.not_reconstructed = past.reason
