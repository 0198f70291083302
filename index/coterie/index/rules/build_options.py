"""The part of the builder that makes frequencies, windows and zones: the options of a leaf.

Each method is named after a rule of grammar.lark and takes what that rule matched. The grammar takes options
in any order and number; `Options` sees to it that each stands at most once.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, TypeAlias

from lark import Token, Transformer, v_args

from coterie.index.rules import ast
from coterie.index.rules.build_values import count_of, phrase
from coterie.index.rules.checks import check_frequency, check_window, check_zone
from coterie.index.rules.literals import plural, read_duration, read_moment, read_quoted
from coterie.index.rules.refusal import Refused, at
from coterie.index.rules.words import UNIT_MS

OptionKind: TypeAlias = Literal["frequency", "where", "window", "zone"]

FIRST_TIME: Final = "for the first time"
ALL_TIME: Final = "over all time"


_PERIODS = {
    "today": ast.Calendar(ast.CalendarUnit.DAY, 0, 0),
    "yesterday": ast.Calendar(ast.CalendarUnit.DAY, 1, 1),
    "this week": ast.Calendar(ast.CalendarUnit.WEEK, 0, 0),
    "last week": ast.Calendar(ast.CalendarUnit.WEEK, 1, 1),
    "this month": ast.Calendar(ast.CalendarUnit.MONTH, 0, 0),
    "last month": ast.Calendar(ast.CalendarUnit.MONTH, 1, 1),
    "this year": ast.Calendar(ast.CalendarUnit.YEAR, 0, 0),
    "last year": ast.Calendar(ast.CalendarUnit.YEAR, 1, 1),
}


class Option(NamedTuple):
    """A frequency, where, window or zone, and the word it begins with."""

    kind: OptionKind
    value: Any
    token: Token


class Options:
    """The options of one leaf, each at most once."""

    def __init__(self, options: tuple[Option, ...]) -> None:
        self._options: dict[OptionKind, Option] = {}
        for option in options:
            if option.kind in self._options:
                first = f"`{phrase(self._options[option.kind].token)}`"
                raise Refused(
                    f"a second {option.kind} for one condition", "", f"the first begins with {first}", option.token
                )
            self._options[option.kind] = option

    def get(self, kind: OptionKind) -> Any:
        """Returns the option's value, None where there is none."""
        option = self._options.get(kind)
        return option.value if option else None

    def get_token(self, kind: OptionKind) -> Token | None:
        """Returns the option's first word."""
        option = self._options.get(kind)
        return option.token if option else None

    def refuse(self, kind: OptionKind, message: str, expected: str = "", fix: str = "") -> None:
        """Refuses the rule if it has such an option."""
        if option := self._options.get(kind):
            raise Refused(message, expected, fix, option.token)

    @property
    def window(self) -> ast.Window | None:
        """The window, None for all time."""
        window: ast.Window | Literal["over all time"] | None = self.get("window")
        return None if window == ALL_TIME else window

    @property
    def zone(self) -> str | None:
        """The time zone."""
        zone: str | None = self.get("zone")
        return zone


# ---------------------------------------------------------------- frequencies


def bounded(word: Token, number: Token) -> ast.Frequency:
    """Returns the frequency of `at least 3`, `fewer than 2`, `exactly once`."""
    count = {"ONCE": 1, "TWICE": 2}.get(number.type)
    if count is None:
        count = count_of(number, "number of times")
    match phrase(word):
        case "at least":
            return ast.Frequency(count, None)
        case "at most":
            return ast.Frequency(0, count)
        case "exactly":
            return ast.Frequency(count, count)
        case "more than":
            return _checked(word, ast.Frequency(count + 1, None))
        case _:  # fewer than, less than
            if count == 0:
                raise Refused("nothing happens fewer than 0 times", "1 or more", "write exactly 0 times", word)
            return ast.Frequency(0, count - 1)


def ranged(low: Token, high: Token) -> ast.Frequency:
    """Returns the frequency of `2 to 4`."""
    return _checked(low, ast.Frequency(count_of(low, "number of times"), count_of(high, "number of times")))


def _checked(token: Token, frequency: ast.Frequency) -> ast.Frequency:
    at(token, check_frequency, frequency)
    return frequency


# ---------------------------------------------------------------- the methods the grammar names


@v_args(inline=True)
class OptionBuilder(Transformer[Token, Any]):
    """Frequencies, windows and zones."""

    def times(self, token: Token) -> Token:
        return token

    def frequency_bound(self, word: Token, number: Token) -> Option:
        return Option("frequency", bounded(word, number), word)

    def frequency_range(self, low: Token, high: Token) -> Option:
        return Option("frequency", ranged(low, high), low)

    def first_time(self, token: Token) -> Option:
        return Option("frequency", FIRST_TIME, token)

    def zone(self, word: Token, token: Token) -> Option:
        zone = at(token, read_quoted, str(token))
        at(token, check_zone, zone)
        return Option("zone", zone, word)

    def sliding(self, word: Token, number: Token, unit: Token) -> Option:
        return Option("window", ast.Sliding(at(number, read_duration, str(number), str(unit))), word)

    def calendar_periods(self, word: Token, number: Token, unit: Token) -> Option:
        periods = count_of(number, "number of periods", 1)
        return _window(word, ast.Calendar(_calendar_unit(unit), periods - 1, 0))

    def calendar_range(self, word: Token, far: Token, near: Token, unit: Token) -> Option:
        first, last = sorted((count_of(far, "number of periods"), count_of(near, "number of periods")), reverse=True)
        return _window(word, ast.Calendar(_calendar_unit(unit), first, last))

    def ago_range(self, word: Token, far: Token, far_unit: Token | None, near: Token, near_unit: Token) -> Option:
        units = plural(str(far_unit or near_unit)), plural(str(near_unit))
        ages = sorted(
            at(number, read_duration, str(number), unit, low=0) for number, unit in zip((far, near), units, strict=True)
        )
        return _window(word, ast.AgoRange(ages[1], ages[0], min(units, key=lambda unit: UNIT_MS[unit])))

    def absolute(self, word: Token, start: Token, end: Token) -> Option:
        return _window(word, ast.Absolute(at(start, read_moment, str(start)), at(end, read_moment, str(end))))

    def half_open(self, word: Token, date: Token) -> Option:
        moment = at(date, read_moment, str(date))
        since = phrase(word) == "since"
        return _window(word, ast.Absolute(moment, None) if since else ast.Absolute(None, moment))

    def period(self, token: Token) -> Option:
        return Option("window", _PERIODS[phrase(token).removeprefix("in ")], token)

    def this_visit(self, token: Token) -> Option:
        return Option("window", ast.ThisVisit(), token)

    def all_time(self, token: Token) -> Option:
        return Option("window", ALL_TIME, token)


def _window(word: Token, window: ast.Window) -> Option:
    at(word, check_window, window)
    return Option("window", window, word)


def _calendar_unit(token: Token) -> ast.CalendarUnit:
    return ast.CalendarUnit(phrase(token).removeprefix("calendar ").removesuffix("s"))
