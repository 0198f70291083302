"""`coterie load` of CSV files: what of a row becomes which part of an event, and what becomes of rows refused."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from coterie.client import Client
from coterie.server.cli.load.loader import Loader
from coterie.server.cli.load.refusals import Refusals
from coterie.v1 import event_service_pb2 as events
from tests.fake_server import FakeServer, Refused
from tests.loading import (
    NOON_MS,
    SHOP,
    SHOP_MAPS,
    TAKEN,
    load,
    property_values,
    refused_rows,
    taking_everything,
    totals,
)
from tests.threaded_server import running


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    """A server that takes everything."""
    with taking_everything(monkeypatch, tmp_path) as fake:
        yield fake


def test_csv_rows_become_events(server: FakeServer) -> None:
    """Quoted commas and quotes, CRLF, negative numbers; identifiers as written; blanks are missing, not empty."""
    Path("shop.csv").write_bytes(SHOP.encode())
    assert totals(load("shop.csv", *SHOP_MAPS, options=("--json",))) == {"accepted": 3, "duplicates": 0, "refused": 1}
    first, second, third = TAKEN
    assert (first.event_id, first.type, first.user_id) == ("a1", "view", "17850.0")
    assert first.time.ToMilliseconds() == NOON_MS
    assert property_values(first) == {"price": 1.5, "note": 'big, "red" one', "vip": True, "batch": 7.0}
    assert property_values(second) == {"price": -2.0, "vip": False, "batch": 7.0}
    assert third.context["shop"].string == "online"


def test_refused_rows_are_counted_by_reason_and_written_with_their_line(server: FakeServer) -> None:
    """The line is the file's, behind quoted line breaks and blank lines too."""
    more = "a5,view,not a time,5,x,true,1\r\na6,view,2026-05-01 12:00:00,5,x,true,1,extra\r\na7,bad,2026-05-01 12:00:00,5,x,true,1\r\n"
    Path("shop.csv").write_bytes((SHOP + more).encode())
    result = load("shop.csv", *SHOP_MAPS)
    assert result.exit_code == 0
    assert "7 rows: 3 accepted, 0 duplicates, 4 refused" in result.stdout
    rows = refused_rows("shop.csv")
    assert [(row["line"], row["reason"], row["field"]) for row in rows] == [
        (4, "FIELD_INVALID", "user_id"),
        (8, "FIELD_INVALID", "time"),
        (9, "FIELD_INVALID", ""),
        (10, "EVENT_TIME_IN_FUTURE", "time"),
    ]
    assert rows[0]["row"]["note"] == "two\r\nlines"
    assert "8 fields" in rows[2]["message"]
    assert "EVENT_TIME_IN_FUTURE" in result.stdout


def test_bytes_that_are_no_utf8_refuse_their_row_only(server: FakeServer) -> None:
    """The rest of the file is taken."""
    Path("x.csv").write_bytes(b"u,n\nu1,caf\xe9\nu2,ok\n")
    result = load("x.csv", "user_id=u", "type==view", "prop.n=n", options=("--json",))
    assert totals(result) == {"accepted": 1, "duplicates": 0, "refused": 1}
    assert refused_rows("x.csv")[0]["line"] == 2


def test_gzip_is_read_by_suffix_and_standard_input_by_its_format(server: FakeServer) -> None:
    """The same rows either way."""
    with gzip.open("shop.csv.gz", "wb") as file:
        file.write(SHOP.encode())
    from_file = totals(load("shop.csv.gz", *SHOP_MAPS, options=("--json",)))
    sent = [event.SerializeToString(deterministic=True) for event in TAKEN]
    TAKEN.clear()
    from_stdin = totals(load("-", *SHOP_MAPS, stdin=SHOP.encode(), options=("--json", "--format", "csv")))
    assert from_stdin == from_file
    assert [event.SerializeToString(deterministic=True) for event in TAKEN] == sent


def test_a_type_that_is_given_overrides_what_a_column_looks_like(server: FakeServer) -> None:
    """`:string` keeps what looks like a number; a value of another kind refuses its row."""
    Path("x.csv").write_text("u,n\nu1,007\nu2,8\n")
    load("x.csv", "user_id=u", "type==view", "prop.text=n:string", "prop.number=n")
    assert [property_values(event) for event in TAKEN] == [{"text": "007", "number": 7.0}, {"text": "8", "number": 8.0}]
    Path("x.csv").write_text("u,n\nu1,many\nu2,8\n")
    assert totals(load("x.csv", "user_id=u", "type==view", "prop.n=n:number", options=("--json",)))["refused"] == 1
    assert refused_rows("x.csv")[0]["field"] == "prop.n"


def test_the_line_number_can_be_an_event_id(server: FakeServer) -> None:
    """For files without ids of their own: the file's name and the line."""
    Path("x.csv").write_text("u\nu1\nu2\n")
    load("x.csv", "user_id=u", "type==view", "event_id=#line")
    assert [event.event_id for event in TAKEN] == ["x.csv:2", "x.csv:3"]


def test_rows_without_a_type_only_set_attributes(server: FakeServer) -> None:
    """A value that repeats the subject's last one is not sent again; a change back is."""
    Path("x.csv").write_text("u,c,n\nu1,FR,1\nu1,FR,1\nu1,DE,2\nu1,FR,1\nu2,,\n")
    result = load("x.csv", "user_id=u", "attr.country=c", "attr.n=n", options=("--json",))
    assert totals(result) == {"accepted": 5, "duplicates": 0, "refused": 0}
    sent = [update for request in server.asked("SetAttributes") for update in request.updates]
    assert [(one.subject.user_id, one.attributes["country"].string, one.attributes["n"].number) for one in sent] == [
        ("u1", "FR", 1.0), ("u1", "DE", 2.0), ("u1", "FR", 1.0),
    ]  # fmt: skip
    assert server.asked("StreamEvents") == []


def test_a_batch_that_is_too_large_is_sent_in_halves(server: FakeServer) -> None:
    """Rows are taken whatever their size, up to what a message may hold."""
    rows = "".join(f'u{number},"{"x" * 20_000}"\n' for number in range(400))
    Path("x.csv").write_text("u,n\n" + rows)
    assert totals(load("x.csv", "user_id=u", "type==view", "prop.n=n", options=("--json",)))["accepted"] == 400
    assert [event.user_id for event in TAKEN] == [f"u{number}" for number in range(400)]


def test_a_wrong_map_ends_with_status_2(server: FakeServer) -> None:
    """It is a usage error; nothing is sent."""
    Path("x.csv").write_text("u\n1\n")
    result = load("x.csv", "user_id=v", "type==view")
    assert (result.exit_code, server.requests) == (2, [])
    assert "no such column" in result.stderr


# ---------------------------------------------------------------- ends


def test_an_interrupted_load_counts_what_was_acknowledged(server: FakeServer, tmp_path: Path) -> None:
    """Ctrl-C stops it between two rows; what was sent before is waited for and counted."""
    with Client(server.target) as client:

        class Interrupted:
            made = 0

            def make(self, line: int, row: Any, sender: Any, updates: Any) -> None:
                self.made += 1
                if self.made == 2_500:
                    raise KeyboardInterrupt
                sender.batch.events.add(type="view", user_id="u1")
                sender.origins.add(line, row)

        loader = Loader(client, Interrupted(), Refusals(tmp_path / "r", ()), lambda _totals: None)
        done = loader.run((line, []) for line in range(1, 10_000))
    assert done.interrupted
    assert (done.accepted, done.last_line) == (2_000, 2_000)
    assert len(TAKEN) == 2_000


def test_a_broken_stream_ends_with_status_1_and_says_how_far_it_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was acknowledged is counted; the server's reason is on stderr."""
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_text("u\n" + "u1\n" * 5_000)

    def full_after_one(batches: Iterator[events.StreamEventsRequest]) -> Iterator[Any]:
        batch = next(batches)
        yield events.StreamEventsResponse(accepted=len(batch.events))
        yield Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL", "no room")

    with FakeServer(StreamEvents=full_after_one) as fake:
        result = load("x.csv", "user_id=u", "type==view", options=("--target", fake.target))
    assert result.exit_code == 1
    assert "1 000 accepted" in result.stdout
    assert "STORAGE_FULL: no room" in result.stderr
    assert "after line 1001" in result.stderr


def test_a_load_leaves_no_thread_behind(server: FakeServer) -> None:
    """The stream's threads end with it."""
    Path("x.csv").write_text("u\nu1\n")
    load("x.csv", "user_id=u", "type==view")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("event ack", "attribute"))]


# ---------------------------------------------------------------- with the real server


def test_a_second_load_of_the_same_file_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an event id is mapped, loading again counts duplicates only."""
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_bytes(SHOP.encode())
    with running(tmp_path / "data") as server:
        server.set_clock(NOON_MS)
        options = ("--json", "--target", server.target)
        assert totals(load("shop.csv", *SHOP_MAPS, options=options)) == {"accepted": 3, "duplicates": 0, "refused": 1}
        assert totals(load("shop.csv", *SHOP_MAPS, options=options)) == {"accepted": 0, "duplicates": 3, "refused": 1}


def test_real_files_load_as_they_are(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """REES46: CRLF, ` UTC`, blank brands; every row is an event of one of 4 504 users."""
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "data") as server, Client(server.target) as client:
        server.set_clock(1_795_000_000_000)
        result = load(
            real_data / "rees46_2019-10-01_first_hours.csv.gz",
            "user_id=user_id", "type=event_type", "time=event_time:time:%Y-%m-%d %H:%M:%S UTC", "prop.price=price",
            "prop.product_id=product_id:string", "prop.brand=brand", "prop.category=category_code",
            options=("--json", "--target", server.target),
        )  # fmt: skip
        assert totals(result) == {"accepted": 17_434, "duplicates": 0, "refused": 0}
        client.create_segment("everybody", "did any event")
        assert client.count("everybody") == 4_504
