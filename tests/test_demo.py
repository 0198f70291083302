"""The simulated shop and the demonstration that runs on it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from coterie.server.cli import app
from coterie.server.cli.demo.books import Books
from coterie.server.cli.demo.feed import Feed
from coterie.server.cli.demo.shop import ADD, CART, DAY_MS, PURCHASE, REMOVE, Shop, simulate
from coterie.server.cli.load.json_lines import JsonLines
from coterie.v1.common_pb2 import Event
from tests.serving import START

EVENTS, VISITORS = 5_000, 500


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A small shop."""
    return simulate(EVENTS, VISITORS, START, days=30, seed=3)


def test_the_same_seed_gives_the_same_shop(shop: Shop) -> None:
    """Another seed gives another one."""
    again, other = (simulate(EVENTS, VISITORS, START, days=30, seed=seed) for seed in (3, 4))
    assert np.array_equal(shop.events.time_ms, again.events.time_ms)
    assert np.array_equal(shop.events.product, again.events.product)
    assert not np.array_equal(shop.events.time_ms, other.events.time_ms)


def test_a_shop_is_as_large_as_was_asked_for(shop: Shop) -> None:
    """Exactly so many events, in the order of their times, within the days; every visitor comes."""
    assert len(shop.events) == EVENTS
    assert (np.diff(shop.events.time_ms) >= 0).all()
    assert START - 30 * DAY_MS <= shop.events.time_ms[0] <= shop.events.time_ms[-1] < START
    assert len(np.unique(shop.visits.visitor[shop.events.visit])) == VISITORS


def test_carts_add_up(shop: Shop) -> None:
    """Within a visit the cart's value is what was added less what was removed; buying empties it."""
    events = shop.events
    for visit in np.unique(events.visit[events.kind == PURCHASE]):
        value = 0.0
        # Times within a visit are distinct or in the order of its steps.
        for row in np.flatnonzero(events.visit == visit):
            if events.kind[row] in {ADD, REMOVE}:
                value += events.value[row] * (1 if events.kind[row] == ADD else -1)
            elif events.kind[row] == PURCHASE:
                assert events.value[row] == pytest.approx(value)
                value = 0.0
            elif events.kind[row] == CART:
                assert events.value[row] == pytest.approx(value)


@pytest.mark.parametrize("name", ["shop.jsonl", "shop.jsonl.gz", "shop.csv", "shop.csv.gz", "shop.parquet"])
def test_demo_data_writes_the_whole_shop(name: str, tmp_path: Path, shop: Shop) -> None:
    """In each form, with as many rows as were asked for."""
    file = tmp_path / name
    arguments = ["demo-data", str(file), "--events", str(EVENTS), "--visitors", str(VISITORS), "--seed", "3"]
    result = CliRunner().invoke(app, [*arguments, "--days", "30", "--end", "2026-01-01T12:00Z"])
    assert result.exit_code == 0, result.output
    if ".jsonl" in name:
        with gzip.open(file) if name.endswith(".gz") else file.open("rb") as lines:
            assert sum(1 for _ in lines) == EVENTS
    else:
        table = pyarrow.parquet.read_table(file) if name.endswith("parquet") else pyarrow.csv.read_csv(file)
        assert table.num_rows == EVENTS
        assert table.column("event_id")[EVENTS - 1].as_py() == f"e{EVENTS - 1}"


def test_the_feed_and_the_file_have_the_same_events(tmp_path: Path, shop: Shop) -> None:
    """What the demonstration sends is what `demo-data` writes."""
    from datetime import UTC

    from coterie.server.cli.demo.feed import tables
    from coterie.server.cli.demo.lines import json_lines

    feed, lines = Feed(shop), JsonLines((), UTC, "shop")
    written = [line for table in tables(shop, 1_000) for line in json_lines(table)]
    assert len(written) == EVENTS
    for row in range(0, EVENTS, 7):
        sent, loaded = Event(), Event()
        feed.fill(sent, row)
        lines.fill_event(json.loads(written[row]), loaded)
        assert sent == loaded


def test_the_books_count_what_a_loop_counts(shop: Shop) -> None:
    """The vectorised books against the plainest reading of three rules."""
    books = Books(shop)
    books.sent(EVENTS)
    books.register()
    visits, events = shop.visits, shop.events
    owner: dict[tuple[int, int], str] = {}
    for visit in events.visit:
        device = (int(visits.visitor[visit]), int(visits.device[visit]))
        owner.setdefault(device, f"d{device}")
        if visits.logged_in[visit]:
            owner[device] = f"u{device[0]}"
    bought: dict[str, list[float]] = {}
    carts: dict[str, float] = {}
    for row in range(EVENTS):
        visit = events.visit[row]
        who = owner[int(visits.visitor[visit]), int(visits.device[visit])]
        if events.kind[row] == PURCHASE:
            bought.setdefault(who, []).append(float(events.value[row]))
        elif events.kind[row] == CART:
            carts[who] = float(events.value[row])
    counts = books.counts(START)
    assert counts["buyers"] == len(bought)
    assert counts["loyal"] == sum(len(values) >= 3 for values in bought.values())
    assert counts["big-spenders"] == sum(sum(values) >= 500 for values in bought.values())
    assert counts["cart-under-100"] == sum(0 < value < 100 for value in carts.values())


def test_the_demonstration_ends_well() -> None:
    """Server, history, live events, kill -9, restart: all comparisons hold, and nothing is left running."""
    arguments = ["demo", "--events", "3000", "--visitors", "300", "--seconds", "2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "Everything that was shown was checked" in result.stdout
    assert "WRONG" not in result.stdout
