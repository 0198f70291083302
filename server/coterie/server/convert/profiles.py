"""Profiles from the engine to protobuf, and which part of a timeline is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coterie.index.errors import FieldInvalid
from coterie.index.events.columns import Arrival
from coterie.index.model import SubjectKind
from coterie.index.reports import Profile
from coterie.server.convert.answers import write_identifiers
from coterie.server.convert.values import enum_number, instant_of, timestamp_of, write_values
from coterie.v1 import profile_service_pb2 as v1


@dataclass(slots=True)
class Total:
    """A subject's events of one type."""

    count: int
    first: int
    last: int


def totals_of(arrivals: Iterable[Arrival]) -> dict[str, Total]:
    """Returns the totals by event type."""
    totals: dict[str, Total] = {}
    for arrival in arrivals:
        total = totals.setdefault(arrival.event.type, Total(0, arrival.time, arrival.time))
        total.count += 1
        total.first = min(total.first, arrival.time)
        total.last = max(total.last, arrival.time)
    return totals


_CURRENT = "current."


def write_profile(profile: Profile, kind: SubjectKind, totals: Mapping[str, Total], target: v1.Profile) -> None:
    """Writes what is known of a subject."""
    target.kind = enum_number(kind)
    write_identifiers(profile.identifiers, target.identifiers)
    own = {name: value for name, value in profile.attributes.items() if not name.startswith(_CURRENT)}
    newest = {
        name.removeprefix(_CURRENT): value for name, value in profile.attributes.items() if name.startswith(_CURRENT)
    }
    write_values(own, target.attributes)
    write_values(newest, target.current)
    for membership in sorted(profile.segments, key=lambda membership: membership.segment):
        entry = target.segments.add(segment=membership.segment)
        if membership.since is not None:
            entry.since.CopyFrom(timestamp_of(membership.since))
    for name, total in sorted(totals.items()):
        held = target.totals.add(type=name, count=total.count)
        held.first_time.CopyFrom(timestamp_of(total.first))
        held.last_time.CopyFrom(timestamp_of(total.last))
    if profile.first_seen is not None:
        target.first_seen.CopyFrom(timestamp_of(profile.first_seen))
    if profile.last_seen is not None:
        target.last_seen.CopyFrom(timestamp_of(profile.last_seen))
    visit = profile.last_visit
    if visit is not None:
        target.last_visit.start_time.CopyFrom(timestamp_of(visit.start))
        target.last_visit.end_time.CopyFrom(timestamp_of(visit.end))
        target.last_visit.events, target.last_visit.running = visit.events, visit.running


@dataclass(frozen=True, slots=True)
class Range:
    """Which events are listed: start <= time < end, of certain types (empty: all)."""

    types: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None


def range_of(request: v1.ListEventsRequest) -> Range:
    """Returns what a request asks for."""
    start = instant_of(request.start_time, "start_time") if request.HasField("start_time") else None
    end = instant_of(request.end_time, "end_time") if request.HasField("end_time") else None
    if start is not None and end is not None and end <= start:
        raise FieldInvalid("end_time", "must be after start_time")
    for index, name in enumerate(request.types):
        if not name:
            raise FieldInvalid(f"types[{index}]", "must not be empty")
    return Range(tuple(sorted(set(request.types))), start, end)
