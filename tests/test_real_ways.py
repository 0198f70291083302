"""Real event data, whatever way members come about: live = backfill = restart = replay = the oracle.

The leaves with memory (sequences, inaction, visits, first times, days) and those across accounts, over two public data
sets, of which every so many a customer is taken with all they did. Skipped, with the reason, where the data is absent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from coterie.index.model import Event, IngestEvents, Mode, Record, SegmentDefinition, SubjectKind
from coterie.index.rules import parse
from tests.test_real_data import (
    SHOP_FILE,
    SHOP_NOW,
    TRADE_FILE,
    TRADE_NOW,
    Row,
    event_of,
    milliseconds,
    read,
)
from tests.ways import BUILT, HALF, LIVE, Ways, members, of_accounts, of_users

MINUTE, DAY = 60_000, 86_400_000

SHOP_RULES = (
    "did view then cart then purchase within 30 minutes",
    "did view then purchase",
    "did (view then cart within 5 minutes) at least 2 times in the last 2 hours",
    "did (view where price > 500 then view where price < 50) exactly 1 time",
    "did cart then not purchase within 15 minutes",
    "did view where price > 500 then not cart within 30 minutes",
    "visits >= 2",
    "visits >= 1 in the last 30 minutes",
    "avg(visits.duration_s) > 300",
    "did $visit where pages >= 5 at least 1 time",
    "last($visit.duration_s) > 600",
    "did view at least 3 times in this visit",
    "sum(view.price) > 1000 in this visit",
    "did cart for the first time in the last 1 hours",
    "did first view where brand = 'apple' in the last 90 minutes",
    "did purchase for the first time in this visit",
    "distinct(view.category_code) >= 3 in the last 1 hours",
    "days(view) >= 1 today and not (did cart)",
    "last(view) more than 2 hours ago",
    "max(view.price) >= 1000 in the last 1 hours",
    "count(purchase) / count(view) > 0.2",
    "did cart and did not purchase in this visit",
)

TRADE_RULES = (
    "did line then cancel within 30 days",
    "did line where Quantity >= 50 then cancel",
    "did (line then cancel within 7 days) at least 2 times in the last 180 days",
    "did cancel then not line within 30 days",
    "did line then not line within 60 days",
    "visits >= 10",
    "visits >= 2 in the last 60 days",
    "avg(visits.events) > 20",
    "did $visit where duration_s > 60",
    "sum($visit.events in the last 90 days) > 50",
    "days(line) >= 5 in the last 180 days in 'Europe/London'",
    "distinct(line.StockCode) >= 20 in the last 90 days",
    "did line where Quantity >= 100 for the first time in the last 180 days",
    "did first line where Country = 'France'",
    "did line for the first time between 2011-01-01 and 2011-04-01",
    "did line between 90 and 30 days ago in 'Europe/London'",
    "last(line) more than 90 days ago",
    "account (in SET-big) and did cancel",
    "account (in SET-loyal)",
    "not (account (did cancel)) and did line at least 20 times",
)
TRADE_ACCOUNTS = (
    of_accounts("big", "did line at least 300 times in the last 90 days"),
    of_accounts("loyal", "at least 2 users (did line in the last 60 days)"),
    of_accounts("every", "every user (visits >= 2)"),
    of_accounts("uncancelled", "no user (did cancel)"),
    of_accounts("any", "any user (sum(line.Quantity) > 1000) and did line then cancel within 1 day"),
)


class Told(NamedTuple):
    """A data set, told in every way."""

    ways: Ways
    live: dict[str, list[int]]


def numbered(rules: Sequence[str]) -> tuple[SegmentDefinition, ...]:
    """Definitions named by their number."""
    return tuple(of_users(f"r{number}", rule) for number, rule in enumerate(rules))


def shop_events(folder: Path) -> list[Event]:
    """The clickstream of every third customer."""
    lines = read(folder / SHOP_FILE, "user_id", "event_time", "%Y-%m-%d %H:%M:%S UTC", "event_type")
    texts = ("product_id", "category_code", "brand")
    return [event_of(customer, row, texts, ("price",)) for customer, row in lines if int(customer) % 3 == 0]


def trade_events(folder: Path) -> list[Event]:
    """The invoices of every twentieth customer, who belongs to their country; a cancellation has a type of its own."""
    lines = read(folder / TRADE_FILE, "CustomerID", "InvoiceDate", "%Y-%m-%d %H:%M:%S", "line")
    return [_invoice(customer, row) for customer, row in lines if float(customer) % 20 == 0]


def _invoice(customer: str, row: Row) -> Event:
    event = event_of(customer, row, ("StockCode", "Country"), ("Quantity", "UnitPrice"))
    kind = "cancel" if row.columns["InvoiceNo"].startswith("C") else "line"
    return event._replace(type=kind, account_id=row.columns["Country"])


def check_every_way(ways: Ways, events: list[Event], now: int) -> None:
    """Compares the members of each segment, come about in every way, with the oracle's."""
    definitions = ways.definitions
    ways.tell(events, now)
    live = members(ways.engine, definitions, LIVE)
    for prefix in (HALF, BUILT):
        assert members(ways.engine, definitions, prefix) == live, prefix
    for engine in (ways.restarted(), ways.replayed()):
        for prefix in (LIVE, HALF, BUILT):
            assert members(engine, definitions, prefix) == live, prefix
    texts = (record.payload.definition.rule for record in ways.records if hasattr(record.payload, "definition"))
    dataset = ways.oracle({text: parse(text) for text in texts})
    for definition in definitions:
        expected = sorted(dataset.members(f"{LIVE}-{definition.id}"))
        everyone = dataset.of_kind[definition.subject_kind].identifiers
        assert live[definition.id] == expected, definition.rule
        assert 0 < len(expected) < len(everyone), f"{definition.rule}: {len(expected)} members prove nothing"


def test_a_clickstream_has_one_answer(real_data: Path, tmp_path: Path) -> None:
    """22 rules over three hours of a web shop."""
    ways = Ways(tmp_path, numbered(SHOP_RULES))
    check_every_way(ways, shop_events(real_data), milliseconds(SHOP_NOW))
    ways.close()


def test_invoices_have_one_answer(real_data: Path, tmp_path: Path) -> None:
    """20 rules about customers and 5 about the countries they belong to, over a year of a wholesaler."""
    ways = Ways(tmp_path, (*TRADE_ACCOUNTS, *numbered(TRADE_RULES)))
    check_every_way(ways, trade_events(real_data), milliseconds(TRADE_NOW))
    ways.close()


# ---------------------------------------------------------------- members that stay

STAYING = tuple(
    replace(of_users(name, rule), mode=mode, ttl_ms=ttl)
    for name, rule, mode, ttl in (
        ("once", "did cart at least 2 times in the last 10 minutes", Mode.ONCE, 0),
        ("sticky", "did cart in the last 10 minutes", Mode.STICKY, 30 * MINUTE),
    )
)


def test_who_stays_over_a_clickstream(real_data: Path, tmp_path: Path) -> None:
    """Sticky and once, live, restarted and replayed, are what a loop over each customer's carts and the records says."""
    ways = Ways(tmp_path, STAYING)
    events, now = shop_events(real_data), milliseconds(SHOP_NOW)
    ways.tell(events, now)
    expected = {"once": kept_once(ways.records), "sticky": kept_sticky(ways.records)}
    for engine in (ways.engine, ways.restarted(), ways.replayed()):
        found = members(engine, STAYING, LIVE)
        names = {name: {engine.identifier(SubjectKind.USER, one).value for one in ids} for name, ids in found.items()}
        assert names == expected
    assert all(expected.values())
    assert expected["once"] != expected["sticky"]
    ways.close()


def carts(records: list[Record]) -> dict[str, list[tuple[int, int]]]:
    """Returns (arrived at, time) of each customer's carts."""
    found = defaultdict(list)
    for record in records:
        for event in record.payload.events if isinstance(record.payload, IngestEvents) else ():
            if event.type == "cart":
                found[event.identifiers[0].value].append((record.at, event.time))
    return found


def held(times: list[tuple[int, int]], at: int) -> int:
    """Returns how many carts of the last 10 minutes there are at the end of a record."""
    return sum(arrived <= at and at - 10 * MINUTE < time for arrived, time in times)


def kept_once(records: list[Record]) -> set[str]:
    """Who had two carts within 10 minutes at the end of any record."""
    ends = sorted({record.at for record in records})
    return {name for name, times in carts(records).items() if any(held(times, at) >= 2 for at in ends)}


def kept_sticky(records: list[Record]) -> set[str]:
    """Who has a cart of the last 10 minutes, or had one until half an hour ago by the ends of records."""
    ends = sorted({record.at for record in records})
    found = set()
    for name, times in carts(records).items():
        truths = [held(times, at) > 0 for at in ends]
        since = max(index for index, true in enumerate(truths) if true) + 1
        if since == len(ends) or ends[since] + 30 * MINUTE > ends[-1]:
            found.add(name)
    return found
