"""Real event data: segments have exactly the members that plain Python over the file finds.

Two public data sets, read with the csv module; every rule stands beside the function of a customer's rows
that says the same. Sums are computed in decimals. The files go in as a user would load them, with `coterie
load` against a server. Skipped, with the reason, where the data is absent.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from coterie.index.model import Event, Value
from tests import oracle
from tests.backend import Backend, InMemory
from tests.grpc_backend import OverGrpc
from tests.loading import load, totals
from tests.serving import ManualClock
from tests.shop import user


class Row(NamedTuple):
    """One line of a file: when, what, and its columns as written."""

    at: datetime
    type: str
    columns: dict[str, str]

    def amount(self, name: str) -> Decimal:
        """Returns a column as a decimal number."""
        return Decimal(self.columns[name])


Rows = list[Row]
Wanted = tuple[str, str, Callable[[Rows], bool]]  # segment, rule, what it says of a customer's rows in order of time


def milliseconds(moment: datetime) -> int:
    """Returns an instant in milliseconds since the epoch."""
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def event_of(customer: str, row: Row, texts: tuple[str, ...], numbers: tuple[str, ...]) -> Event:
    """Returns a line as an event; blank columns are left out."""
    written = row.columns
    properties: dict[str, Value] = {name: written[name] for name in texts if written[name]}
    properties |= {name: float(written[name]) for name in numbers if written[name]}
    return Event("", row.type, (user(customer),), None, milliseconds(row.at), properties, {})


def read(path: Path, customer: str, time: str, form: str, type_column: str) -> Iterator[tuple[str, Row]]:
    """Yields (customer, line) of a file in its order; lines without a customer are left out."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for columns in csv.DictReader(file):
            if columns[customer]:
                at = datetime.strptime(columns[time], form)  # noqa: DTZ007 - UTC, or local and taken for it
                yield columns[customer], Row(at, columns.get(type_column) or type_column, columns)


def by_customer(lines: list[tuple[str, Row]]) -> dict[str, Rows]:
    """Returns each customer's lines in order of time, ties in the order of the file."""
    found: dict[str, Rows] = defaultdict(list)
    for customer, row in sorted(lines, key=lambda line: line[1].at):
        found[customer].append(row)
    return found


def total(rows: Rows, name: str) -> Decimal:
    """Returns the sum of a column."""
    return sum((row.amount(name) for row in rows), Decimal())


def check_members(backend: Backend, prefix: str, wanted: tuple[Wanted, ...], customers: dict[str, Rows]) -> None:
    """Compares every member list and count; each segment must say something (some members, not all)."""
    for name, rule, says in wanted:
        expected = sorted(customer for customer, rows in customers.items() if says(rows))
        assert 0 < len(expected) < len(customers), f"{rule}: {len(expected)} members prove nothing"
        assert sorted(backend.members(f"{prefix}{name}")) == expected, rule
        assert backend.count(f"{prefix}{name}") == len(expected), rule


def create(backend: Backend, prefix: str, wanted: tuple[Wanted, ...]) -> None:
    """Creates every segment."""
    for name, rule, _ in wanted:
        backend.create(prefix + name, rule)


@contextmanager
def server_at(now: datetime, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OverGrpc]:
    """Runs a server whose clock stands at `now`; commands find it by themselves."""
    monkeypatch.setattr("tests.threaded_server.ManualClock", lambda: ManualClock(milliseconds(now)))
    monkeypatch.chdir(folder)
    with closing(OverGrpc(folder / "data")) as backend:
        monkeypatch.setenv("COTERIE_TARGET", backend.target)
        yield backend


# ---------------------------------------------------------------- a web shop's clickstream

SHOP_FILE = "rees46_2019-10-01_first_hours.csv.gz"
SHOP_NOW = datetime(2019, 10, 1, 3, 0)


def of_type(rows: Rows, type_: str) -> Rows:
    """Returns the lines of one type."""
    return [row for row in rows if row.type == type_]


def views(rows: Rows, **columns: str) -> Rows:
    """Returns the views with these columns."""
    return [row for row in of_type(rows, "view") if all(row.columns[name] == text for name, text in columns.items())]


SHOP: tuple[Wanted, ...] = (
    ("buyers", "did purchase", lambda rows: bool(of_type(rows, "purchase"))),
    ("browsers", "did view at least 10 times", lambda rows: len(views(rows)) >= 10),
    ("once", "did view exactly 1 time", lambda rows: len(views(rows)) == 1),
    (
        "left-cart",
        "did cart and did not purchase",
        lambda rows: bool(of_type(rows, "cart")) and not of_type(rows, "purchase"),
    ),
    ("spenders", "sum(purchase.price) >= 500", lambda rows: total(of_type(rows, "purchase"), "price") >= 500),
    (
        "dear",
        "avg(view.price) > 300",
        lambda rows: bool(views(rows)) and total(views(rows), "price") > 300 * len(views(rows)),
    ),
    (
        "brands",
        "distinct(view.brand) >= 5",
        lambda rows: len({row.columns["brand"] for row in views(rows)} - {""}) >= 5,
    ),
    (
        "samsung",
        "did view where brand = 'samsung' at least 3 times",
        lambda rows: len(views(rows, brand="samsung")) >= 3,
    ),
    ("unbranded", "did view where brand is not set", lambda rows: bool(views(rows, brand=""))),
    (
        "phones",
        "did view where category_code starts with 'electronics' and price between 100 and 200",
        lambda rows: any(
            row.columns["category_code"].startswith("electronics") and 100 <= row.amount("price") <= 200
            for row in views(rows)
        ),
    ),
    ("last-cheap", "last(view.price) < 50", lambda rows: bool(views(rows)) and views(rows)[-1].amount("price") < 50),
    (
        "first-apple",
        "did first view where brand = 'apple'",
        lambda rows: bool(views(rows)) and views(rows)[0].columns["brand"] == "apple",
    ),
    (
        "new-to-apple",
        "did view where brand = 'apple' for the first time since 2019-10-01T02:00",
        lambda rows: bool(apple := views(rows, brand="apple")) and apple[0].at.hour >= 2,
    ),
    (
        "second-hour",
        "did any event between 2019-10-01T01:00 and 2019-10-01T02:00",
        lambda rows: any(row.at.hour == 1 for row in rows),
    ),
    (
        "at-two",
        "did view where hour = 2 at least 5 times",
        lambda rows: sum(row.at.hour == 2 for row in views(rows)) >= 5,
    ),
    (
        "last-half-hour",
        "did view at least 2 times in the last 30 minutes",
        lambda rows: sum(row.at > SHOP_NOW - timedelta(minutes=30) for row in views(rows)) >= 2,
    ),
    (
        "value-per-view",
        "sum(purchase.price) / count(view) > 20",
        lambda rows: bool(views(rows)) and total(of_type(rows, "purchase"), "price") > 20 * len(views(rows)),
    ),
    (
        "two-of-three",
        "at least 2 of (did cart, did purchase, did view at least 20 times)",
        lambda rows: bool(of_type(rows, "cart")) + bool(of_type(rows, "purchase")) + (len(views(rows)) >= 20) >= 2,
    ),
)


@pytest.fixture(scope="module")
def shop(real_data: Path) -> list[tuple[str, Row]]:
    """The lines of the clickstream."""
    return list(read(real_data / SHOP_FILE, "user_id", "event_time", "%Y-%m-%d %H:%M:%S UTC", "event_type"))


def test_a_clickstream_gives_the_members_plain_python_finds(shop: list[tuple[str, Row]]) -> None:
    """Live, built in the middle of loading, and after a restart."""
    backend = InMemory(start=milliseconds(SHOP_NOW))
    texts = ("product_id", "category_code", "brand", "user_session")
    events = [event_of(customer, row, texts, ("price",)) for customer, row in shop]
    create(backend, "live-", SHOP)
    backend.ingest(events[:9_000])
    create(backend, "built-", SHOP)
    backend.ingest(events[9_000:])
    backend.create("nested", "in live-buyers and not in built-browsers")
    backend.create("split", "in split 'spring' 0% to 10%")
    customers = by_customer(shop)
    assert backend.count("nested or not nested") == len(customers) == 4_504
    for _ in range(2):
        check_members(backend, "live-", SHOP, customers)
        check_members(backend, "built-", SHOP, customers)
        nested = {name for name, rows in customers.items() if of_type(rows, "purchase") and len(views(rows)) < 10}
        assert set(backend.members("nested")) == nested
        assert set(backend.members("split")) == {
            name for name in customers if oracle.bucket("spring", user(name)) < 1000
        }
        backend.reopen()


SHOP_MAPS = (
    "user_id=user_id",
    "type=event_type",
    "time=event_time:time:%Y-%m-%d %H:%M:%S UTC",
    "prop.product_id=product_id:string",
    "prop.category_code=category_code",
    "prop.brand=brand",
    "prop.price=price:number",
)


def test_a_clickstream_loaded_by_command_gives_the_same(
    shop: list[tuple[str, Row]], real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments made before and after loading, over gRPC, and once more after a restart."""
    with server_at(SHOP_NOW, tmp_path, monkeypatch) as backend:
        create(backend, "live-", SHOP)
        result = load(real_data / SHOP_FILE, *SHOP_MAPS, options=("--json",))
        assert totals(result) == {"accepted": len(shop), "duplicates": 0, "refused": 0}
        create(backend, "built-", SHOP)
        customers = by_customer(shop)
        check_members(backend, "live-", SHOP, customers)
        check_members(backend, "built-", SHOP, customers)
        backend.reopen()
        check_members(backend, "live-", SHOP, customers)


# ---------------------------------------------------------------- a wholesaler's invoices

TRADE_FILE = "uci_online_retail.csv.gz"
TRADE_NOW = datetime(2011, 12, 9, 13, 0)


def since(rows: Rows, begin: datetime, end: datetime = TRADE_NOW) -> Rows:
    """Returns the lines after `begin` and up to `end`."""
    return [row for row in rows if begin < row.at <= end]


def day(month: int, number: int = 1, year: int = 2011) -> datetime:
    """Returns a day's last millisecond outside."""
    return datetime(year, month, number) - timedelta(milliseconds=1)


def ago(days: int) -> datetime:
    """Returns now less so many days."""
    return TRADE_NOW - timedelta(days=days)


TRADE: tuple[Wanted, ...] = (
    ("busy", "did line at least 100 times", lambda rows: len(rows) >= 100),
    ("bulk", "sum(line.Quantity) >= 1000", lambda rows: total(rows, "Quantity") >= 1000),
    ("penny", "sum(line.UnitPrice) < 10.05", lambda rows: total(rows, "UnitPrice") < Decimal("10.05")),
    ("wide", "distinct(line.StockCode) >= 50", lambda rows: len({row.columns["StockCode"] for row in rows}) >= 50),
    ("regular", "days(line) >= 10", lambda rows: len({row.at.date() for row in rows}) >= 10),
    ("france", "did line where Country = 'France'", lambda rows: any(r.columns["Country"] == "France" for r in rows)),
    ("german-now", "current.Country = 'Germany'", lambda rows: rows[-1].columns["Country"] == "Germany"),
    (
        "summer-only",
        "did line between 2011-06-01 and 2011-09-01 and did not line since 2011-09-01",
        lambda rows: bool(since(rows, day(6), day(9))) and not since(rows, day(9)),
    ),
    (
        "new-in-january",
        "did line for the first time between 2011-01-01 and 2011-02-01",
        lambda rows: day(1) < rows[0].at <= day(2),
    ),
    ("gone", "last(line) < 2011-03-01", lambda rows: rows[-1].at <= day(3)),
    (
        "cancelling",
        "did line where InvoiceNo starts with 'C' at least 5 times",
        lambda rows: sum(row.columns["InvoiceNo"].startswith("C") for row in rows) >= 5,
    ),
    ("dear", "max(line.UnitPrice) >= 100", lambda rows: max(row.amount("UnitPrice") for row in rows) >= 100),
    ("cheap", "avg(line.UnitPrice) < 1.5", lambda rows: total(rows, "UnitPrice") < Decimal("1.5") * len(rows)),
    (
        "sunday-mornings",
        "did line where weekday = 'sun' and hour < 11",
        lambda rows: any(row.at.weekday() == 6 and row.at.hour < 11 for row in rows),
    ),
    ("lately", "did line at least 50 times in the last 30 days", lambda rows: len(since(rows, ago(30))) >= 50),
    ("lapsing", "did line between 60 and 30 days ago", lambda rows: bool(since(rows, ago(60), ago(30)))),
    ("this-week", "did line this week", lambda rows: bool(since(rows, day(12, 5)))),
    ("last-month", "did not line last month", lambda rows: not since(rows, day(11), day(12))),
    ("last-bulk", "last(line.Quantity) > 50", lambda rows: rows[-1].amount("Quantity") > 50),
    (
        "growing",
        "sum(line.Quantity in the last 90 days) > sum(line.Quantity between 180 and 90 days ago)",
        lambda rows: total(since(rows, ago(90)), "Quantity") > total(since(rows, ago(180), ago(90)), "Quantity"),
    ),
)


TRADE_MAPS = (
    "user_id=CustomerID",
    "type==line",
    "time=InvoiceDate:time",
    "prop.InvoiceNo=InvoiceNo:string",
    "prop.StockCode=StockCode:string",
    "prop.Quantity=Quantity:number",
    "prop.UnitPrice=UnitPrice:number",
    "context.Country=Country",
)


def test_invoices_loaded_by_command_give_the_members_plain_python_finds(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400,000 lines with negative quantities, cancellations and moved customers; 135,080 without one are refused."""
    path = real_data / TRADE_FILE
    lines = list(read(path, "CustomerID", "InvoiceDate", "%Y-%m-%d %H:%M:%S", "line"))
    customers = by_customer(lines)
    with server_at(TRADE_NOW, tmp_path, monkeypatch) as backend:
        create(backend, "live-", TRADE)
        result = load(path, *TRADE_MAPS, options=("--json",))
        assert totals(result) == {"accepted": len(lines), "duplicates": 0, "refused": 135_080}
        create(backend, "built-", TRADE)
        check_members(backend, "live-", TRADE, customers)
        check_members(backend, "built-", TRADE, customers)
