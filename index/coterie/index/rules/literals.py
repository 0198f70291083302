"""Values as text and back: names, texts, numbers, dates, durations, percentages.

Owns the spelling of every value. Invariant: reading what was printed gives the value that was printed.
Raises `Refused`, without a place, for what cannot be read.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from coterie.index.rules.ast import Instant, LocalTime, Moment
from coterie.index.rules.refusal import Refused
from coterie.index.rules.words import UNIT_MS

MAX_COUNT = 2**31 - 1
MAX_DURATION_MS = 36_525 * UNIT_MS["days"]  # a hundred years
FULL_SPLIT = 10_000  # all of a split, in hundredths of a percent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_INSTANT_MS = -62_135_596_800_000  # 0001-01-01T00:00Z
MAX_INSTANT_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

# ---------------------------------------------------------------- quoted text

_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")
_NEEDS_ESCAPE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\\]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}


def read_quoted(spelled: str) -> str:
    """Returns the text between the quotes, escapes resolved."""
    text = _ESCAPE.sub(_unescape, spelled[1:-1]) if "\\" in spelled else spelled[1:-1]
    if "\\u" in spelled:  # two halves of one character may be written as two escapes
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    check_encodable(text)
    return text


def _unescape(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2] not in _ESCAPES:
        raise Refused(
            f"\\{match[2]} is no escape",
            r"\\ \' \" \n \r \t or \u and four hexadecimal digits",
            r"write \\ for a backslash",
        )
    return _ESCAPES[match[2]]


def check_encodable(text: str) -> None:
    """Refuses halves of characters, which no message can carry."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused("the text holds half of a character", r"whole characters, \uXXXX pairs included") from error


def quote(text: str, mark: str) -> str:
    """Returns the text in quotes, on one line."""
    return mark + _NEEDS_ESCAPE.sub(_escape, text).replace(mark, "\\" + mark) + mark


def _escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}"


# ---------------------------------------------------------------- numbers


def read_number(spelled: str) -> float:
    """Returns the number, which must be finite."""
    number = float(spelled)
    if not math.isfinite(number):
        raise Refused("the number is too large", "a number up to about 1.8e308")
    return number


def print_number(number: float) -> str:
    """Returns the shortest spelling that reads as the same number."""
    if number.is_integer() and abs(number) < 1e16:
        return str(int(number))
    return repr(number)


def read_count(spelled: str, what: str, low: int = 0, high: int = MAX_COUNT) -> int:
    """Returns a whole number between low and high."""
    number = read_number(spelled)
    if not (number.is_integer() and low <= number <= high):
        raise Refused(f"{spelled} is no {what}", f"a whole number from {low} to {high}")
    return int(number)


_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2})0*)?\s*%")


def read_percent(spelled: str) -> int:
    """Returns hundredths of a percent."""
    match = _PERCENT.fullmatch(spelled)
    hundredths = int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else -1
    if not 0 <= hundredths <= FULL_SPLIT:
        raise Refused(f"{spelled} is no share", "0% to 100%, with at most two decimals")
    return hundredths


def print_percent(hundredths: int) -> str:
    """Returns the share with as many decimals as it needs."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%" if rest else f"{whole}%"


# ---------------------------------------------------------------- dates and times


def read_moment(spelled: str) -> Moment:
    """Returns the date, time or instant; the shape has been matched, the calendar has not."""
    try:
        value = datetime.fromisoformat(spelled.upper())
    except ValueError as error:
        raise Refused(f"{spelled} is no date: {error}", "a date such as 2026-05-01 or 2026-05-01T18:30") from error
    if "T" not in spelled.upper():
        return LocalTime(value, date_only=True)
    if value.tzinfo is None:
        return LocalTime(value)
    instant_ms = (value - _EPOCH) // timedelta(milliseconds=1)
    if not MIN_INSTANT_MS <= instant_ms <= MAX_INSTANT_MS:
        raise Refused(f"{spelled} lies outside the years 1 to 9999 of UTC")
    return Instant(instant_ms)


def print_moment(moment: Moment) -> str:
    """Returns a date, a time, or an instant with `Z`; seconds only where there are any."""
    if isinstance(moment, Instant):
        return _print_time((_EPOCH + timedelta(milliseconds=moment.ms)).replace(tzinfo=None)) + "Z"
    if moment.date_only:
        return moment.value.date().isoformat()
    return _print_time(moment.value)


def _print_time(value: datetime) -> str:
    if value.microsecond:
        return value.isoformat(timespec="milliseconds")
    return value.isoformat(timespec="seconds" if value.second else "minutes")


# ---------------------------------------------------------------- durations


def plural(unit: str) -> str:
    """Returns the unit in lower case, with its s."""
    return unit.lower().rstrip("s") + "s"


def read_duration(number: str, unit: str, low: int = 1) -> int:
    """Returns milliseconds, at least `low`."""
    size = UNIT_MS[plural(unit)]
    value = read_number(number)
    if not value.is_integer():
        raise Refused(f"{number} {unit} is no whole number of {plural(unit)}", *_whole(value * size))
    duration_ms = int(value) * size
    check_duration(duration_ms, low)
    return duration_ms


def _whole(duration_ms: float) -> tuple[str, str]:
    smaller = print_duration(round(duration_ms)) if 1 <= duration_ms <= MAX_DURATION_MS else ""
    return "a whole number and a unit", f"write {smaller}" if smaller else ""


def check_duration(duration_ms: int, low: int = 1) -> None:
    """Refuses durations that are not positive or longer than a hundred years."""
    if not low <= duration_ms <= MAX_DURATION_MS:
        raise Refused("the duration is out of range", "more than nothing and at most 36525 days")


def print_duration(duration_ms: int) -> str:
    """Returns the duration in the largest exact unit up to days."""
    return print_count(duration_ms // UNIT_MS[(unit := exact_unit(duration_ms))], unit)


def exact_unit(*durations_ms: int) -> str:
    """Returns the largest unit up to days that all the durations are whole numbers of."""
    units = (unit for unit in UNIT_MS if unit != "weeks")
    return next(unit for unit in units if all(duration % UNIT_MS[unit] == 0 for duration in durations_ms))


def print_count(count: int, plural_unit: str) -> str:
    """Returns `1 day`, `2 days`."""
    return f"{count} {plural_unit.removesuffix('s') if count == 1 else plural_unit}"
