"""Command-line texts into what requests need: subjects, durations, instants, labels.

Durations and dates are spelled as in rules. Invariant: a text that cannot be read ends the command with exit status
2 and names the option.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from coterie.client import Subject, identified
from coterie.client.types import SubjectKind
from coterie.v1 import common_pb2

By = Annotated[
    str, typer.Option("--by", metavar="NAMESPACE", help="The kind of identifier; default user_id (or account_id).")
]
Accounts = Annotated[bool, typer.Option("--accounts", help="About accounts, not users.")]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|millisecond|second|minute|hour|day|week)s?", re.IGNORECASE)
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}


def kind_of(*, accounts: bool) -> SubjectKind:
    """The kind of subject a flag asks for."""
    return "account" if accounts else "user"


def subject_of(value: str, by: str, *, accounts: bool) -> Subject:
    """The subject with an identifier; the namespace is user_id or account_id where none is given."""
    return identified(by or ("account_id" if accounts else "user_id"), value, kind_of(accounts=accounts))


def name_of(identifiers: Sequence[common_pb2.Identifier]) -> common_pb2.Identifier:
    """The identifier to show of a subject: its user_id or account_id, otherwise the first it had."""
    for identifier in identifiers:
        if identifier.namespace in {"user_id", "account_id"}:
            return identifier
    return identifiers[0]


def duration_of(text: str, option: str) -> timedelta:
    """A duration such as `30 days` or `15 minutes`."""
    matched = _DURATION.fullmatch(text.strip())
    if matched is None:
        raise typer.BadParameter(f"{text!r} is not a duration such as '30 days' or '15 minutes'", param_hint=option)
    return float(matched[1]) * _UNITS[matched[2].lower()]


def zone_of(name: str, option: str) -> tzinfo:
    """A time zone by its IANA name."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f"there is no time zone {name!r}", param_hint=option) from None


def instant_of(text: str, zone: tzinfo, option: str) -> datetime:
    """An instant: `2026-05-01` (its first instant), `2026-05-01T18:30`, both in `zone`, or with an offset."""
    try:
        moment = (
            datetime.combine(date.fromisoformat(text), time.min) if len(text) == 10 else datetime.fromisoformat(text)
        )
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time such as 2026-05-01 or 2026-05-01T18:30Z", param_hint=option
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def labels_of(options: Sequence[str]) -> dict[str, str]:
    """Labels given as KEY=VALUE."""
    labels = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"{option!r} is not KEY=VALUE", param_hint="--label")
        labels[key] = value
    return labels


def names_of(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
