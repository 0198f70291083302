"""The UTC offsets of a zone as one table, read from the files of the `tzdata` package.

The host's own zone files are never asked, so that every machine and every replay agrees. Invariant: a table
is complete up to a point from which it repeats every 400 years, as the Gregorian calendar does.
"""

from __future__ import annotations

import re
import struct
from calendar import monthrange
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Final, NamedTuple

CYCLE_YEARS: Final = 400
CYCLE_S: Final = 146_097 * 86_400  # 400 years: whole weeks, so weekday rules repeat too

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_CLOCK = r"([+-]?\d+(?::\d+)*)"
_CHANGE = rf",M(\d+)\.(\d)\.(\d)(?:/{_CLOCK})?"
_RULE = re.compile(rf"{_NAME}{_CLOCK}{_NAME}{_CLOCK}?{_CHANGE}{_CHANGE}")


class OffsetTable(NamedTuple):
    """From `starts_s[i]` on, wall clocks show UTC + `offsets_s[i + 1]`; `offsets_s[0]` holds before.

    Where `cyclic`, the table goes on for 400 years after the rule that ends the zone's file came into force,
    and repeats; elsewhere the last offset stays.
    """

    starts_s: tuple[int, ...]
    offsets_s: tuple[int, ...]
    cyclic: bool


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Returns every zone name there is, `Europe/Paris` and `UTC` among them."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


def read_offsets(name: str) -> OffsetTable:
    """Returns the offsets of a zone (KeyError where there is no such zone)."""
    if name not in zone_names():
        raise KeyError(name)
    starts, offsets, rule = _parse(resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes())
    if "," not in rule:
        return OffsetTable(tuple(starts), tuple(offsets), cyclic=False)
    for start, offset in _rule_changes(rule, starts[-1]):
        if offset != offsets[-1]:
            starts.append(start)
            offsets.append(offset)
    return OffsetTable(tuple(starts), tuple(offsets), cyclic=True)


def _parse(data: bytes) -> tuple[list[int], list[int], str]:
    """Reads the 64-bit block of a TZif file (RFC 9636): transition times, offsets (one more), and the rule after."""
    header = struct.Struct(">4s1s15x6I")
    magic, version, is_utc, is_standard, leaps, times, types, letters = header.unpack_from(data)
    assert magic == b"TZif", "not a zone file"
    assert version >= b"2", "a zone file without 64-bit times"
    second = header.size + times * 5 + types * 6 + letters + leaps * 8 + is_standard + is_utc
    is_utc, is_standard, leaps, times, types, letters = header.unpack_from(data, second)[2:]
    at = second + header.size
    starts = list(struct.unpack_from(f">{times}q", data, at))
    indexes = data[at + times * 8 : at + times * 9]
    at += times * 9
    type_offsets = [struct.unpack_from(">i", data, at + 6 * kind)[0] for kind in range(types)]
    at += types * 6 + letters + leaps * 12 + is_standard + is_utc
    return starts, [type_offsets[0], *(type_offsets[kind] for kind in indexes)], data[at:].decode("ascii").strip("\n")


def _rule_changes(rule: str, after_s: int) -> list[tuple[int, int]]:
    """Returns (instant, new offset) of the changes a POSIX rule makes after an instant, for a cycle and a year."""
    match = _RULE.fullmatch(rule)
    assert match is not None, f"a zone rule of an unknown form: {rule}"
    parts = match.groups()
    standard = -_seconds(parts[0])  # POSIX counts west of Greenwich as positive
    summer = standard + 3600 if parts[1] is None else -_seconds(parts[1])
    first_year = 1970 + after_s // 31_556_952
    changes = []
    for year in range(first_year, first_year + CYCLE_YEARS + 2):
        # Each change is told in the wall time that ends with it.
        changes.append((_change_s(year, *parts[2:6]) - standard, summer))
        changes.append((_change_s(year, *parts[6:10]) - summer, standard))
    return sorted(change for change in changes if change[0] > after_s)


def _change_s(year: int, month: str, week: str, weekday: str, clock: str | None) -> int:
    """The local second of a change such as `M10.5.0/3`: the week-th such weekday (0: Sunday) of the month; 5: the last."""
    first = date(year, int(month), 1)
    day = 1 + (int(weekday) - first.isoweekday()) % 7 + 7 * (int(week) - 1)
    if day > monthrange(year, int(month))[1]:
        day -= 7
    return (first.toordinal() + day - 1 - _EPOCH_ORDINAL) * 86_400 + (7200 if clock is None else _seconds(clock))


def _seconds(clock: str) -> int:
    hours, minutes, seconds = [*(int(part) for part in clock.lstrip("+-").split(":")), 0, 0][:3]
    total = (hours * 60 + minutes) * 60 + seconds
    return -total if clock.startswith("-") else total
