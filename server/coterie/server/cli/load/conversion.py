"""Text of a file into values: numbers, booleans, and instants in milliseconds since the epoch.

Owns what spells a missing value and how local times are placed. Invariant: a converter returns a value, None
for a missing one, or raises `BadValue` with a sentence about that text; it never guesses between two readings.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias

from coterie.server.cli.load.mapping import Kind

Scalar: TypeAlias = str | float | bool
Converter: TypeAlias = Callable[[str], "Scalar | int | None"]

NULL_SPELLINGS = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"}
)
"""What pyarrow's CSV reader takes for a missing number, boolean or time; in text, only "" is missing."""

_TRUE = frozenset(("true", "True", "TRUE", "1"))
_FALSE = frozenset(("false", "False", "FALSE", "0"))
_ISO_SECONDS = "%Y-%m-%d %H:%M:%S"
_ISO_SECONDS_LENGTH = 19
_UTC_ENDINGS = ("Z", "UTC", "GMT")
_EPOCH = datetime(1970, 1, 1)
_UTC_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAN = float("nan")
_REMEMBERED = 100_000
"""Times repeat in files; so many are remembered with their instant."""


class BadValue(ValueError):
    """A text that is not a value of the wanted kind."""


def converter(kind: Kind, layout: str | None, zone: tzinfo) -> Converter:
    """The function that reads text of that kind."""
    if kind is Kind.NUMBER:
        return read_number
    if kind is Kind.BOOLEAN:
        return read_boolean
    if kind is Kind.TIME:
        return time_reader(layout, zone)
    return read_text


def read_text(text: str) -> str | None:
    """Text as written; "" is missing."""
    return text or None


def read_number(text: str) -> float | None:
    """A decimal number; Python's digit separators are not taken for one."""
    try:
        number = float(text)
    except ValueError:
        number = _NAN
    # NaN is the one number that differs from itself.
    if number == number and "_" not in text:  # noqa: PLR0124
        return number
    if text.strip() in NULL_SPELLINGS:
        return None
    raise BadValue(f"{_shortened(text)} is not a number")


def read_boolean(text: str) -> bool | None:
    """`true`, `false`, `1`, `0`."""
    trimmed = text.strip()
    if trimmed in _TRUE:
        return True
    if trimmed in _FALSE:
        return False
    if trimmed in NULL_SPELLINGS:
        return None
    raise BadValue(f"{_shortened(text)} is neither true nor false")


def time_reader(layout: str | None, zone: tzinfo) -> Callable[[str], int | None]:
    """Reads times of one layout (None: ISO 8601), local ones in `zone`, as milliseconds since the epoch."""
    read = _plain_time_reader(layout, zone)
    if layout is None and zone is UTC:
        return _instant_or_none  # as fast as remembering
    known: dict[str, int | None] = {}

    def remembered(text: str) -> int | None:
        try:
            return known[text]
        except KeyError:
            instant = None if text.strip() in NULL_SPELLINGS else read(text)
            if len(known) >= _REMEMBERED:
                known.clear()
            known[text] = instant
            return instant

    return remembered


def _instant_or_none(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None if text.strip() in NULL_SPELLINGS else instant_of(_read_iso(text), UTC)
    return instant_of(moment, UTC)


def _plain_time_reader(layout: str | None, zone: tzinfo) -> Callable[[str], int]:
    if layout is None:
        return lambda text: instant_of(_read_iso(text), zone)
    if layout in {"s", "ms"}:
        return lambda text: _read_epoch(text, 1000 if layout == "s" else 1)
    # A layout that ends in the name of UTC says where its times are, whatever `zone` is.
    named = UTC if layout.endswith(_UTC_ENDINGS) and not layout.endswith("%Z") else zone
    ending = layout.removeprefix(_ISO_SECONDS)
    if ending != layout and "%" not in ending:
        return lambda text: instant_of(_read_iso_seconds(text, ending, layout), named)
    return lambda text: instant_of(_read_layout(text, layout), named)


def _read_iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadValue(
            f"{_shortened(text)} is not an ISO 8601 time; name the layout, as in COLUMN:time:%d/%m/%Y"
        ) from None


def _read_iso_seconds(text: str, ending: str, layout: str) -> datetime:
    """The common layout `%Y-%m-%d %H:%M:%S` with a fixed ending: far faster than strptime."""
    if len(text) == _ISO_SECONDS_LENGTH + len(ending) and text.endswith(ending) and text[10] == " ":
        try:
            return datetime.fromisoformat(text[:_ISO_SECONDS_LENGTH])
        except ValueError:
            pass
    return _read_layout(text, layout)


def _read_layout(text: str, layout: str) -> datetime:
    try:
        return datetime.strptime(text, layout)  # noqa: DTZ007 - its zone, where it has none, is given apart
    except ValueError:
        raise BadValue(f"{_shortened(text)} is not a time of the layout {layout}") from None


def _read_epoch(text: str, scale: int) -> int:
    try:
        return round(float(text) * scale) if "." in text else int(text) * scale
    except (ValueError, OverflowError):
        raise BadValue(f"{_shortened(text)} is not a time since the epoch") from None


def instant_of(moment: datetime, zone: tzinfo) -> int:
    """Milliseconds since the epoch; a moment without an offset is local to `zone`.

    Of two instants with one local time it is the first; a local time that clocks skip means the first instant
    after the gap.
    """
    if moment.tzinfo is not None:
        return _in_milliseconds(moment - _UTC_EPOCH)
    if zone is UTC:
        return _milliseconds(moment)
    local = moment.replace(tzinfo=zone, fold=0)
    before, after = _offset_ms(local), _offset_ms(local.replace(fold=1))
    if before < after:
        return _gap_end(_milliseconds(moment) - after, _milliseconds(moment) - before, before, zone)
    return _milliseconds(moment) - before


def _gap_end(low: int, high: int, offset_before: int, zone: tzinfo) -> int:
    """The instant in (low, high] at which the zone's offset stops being `offset_before`, by bisection."""
    while high - low > 1:
        middle = (low + high) // 2
        at = datetime.fromtimestamp(middle / 1000, zone)
        low, high = (middle, high) if _offset_ms(at) == offset_before else (low, middle)
    return high


def _milliseconds(moment: datetime) -> int:
    return _in_milliseconds(moment - _EPOCH)


def _in_milliseconds(elapsed: timedelta) -> int:
    return elapsed.days * 86_400_000 + elapsed.seconds * 1000 + elapsed.microseconds // 1000


def _offset_ms(moment: datetime) -> int:
    return (moment.utcoffset() or timedelta()) // timedelta(milliseconds=1)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
