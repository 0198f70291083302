"""`coterie load` of JSON lines and Parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from coterie.v1 import common_pb2
from tests.fake_server import FakeServer
from tests.loading import (
    NOON_MS,
    TAKEN,
    load,
    refused_rows,
    taking_everything,
    totals,
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    """A server that takes everything."""
    with taking_everything(monkeypatch, tmp_path) as fake:
        yield fake


# ---------------------------------------------------------------- JSON lines


def test_json_lines_are_events_as_people_write_them(server: FakeServer) -> None:
    """Plain JSON values; text stays text; null is missing; attributes go to the user."""
    line = {
        "event_id": "e1", "type": "purchase", "user_id": 42, "time": "2026-05-01T12:00:00Z",
        "identifiers": {"email": "ann@example.com"},
        "properties": {"price": 30, "tags": ["a"], "gift": True, "day": "2026-05-01", "none": None},
        "context": {"os": "iOS"}, "attributes": {"plan": "pro", "old": None},
    }  # fmt: skip
    assert totals(load("-", stdin=json.dumps(line) + "\n\n", options=("--json",)))["accepted"] == 1
    event = TAKEN[0]
    assert (event.event_id, event.user_id, event.time.ToMilliseconds()) == ("e1", "42", NOON_MS)
    assert event.identifiers[0] == common_pb2.Identifier(namespace="email", value="ann@example.com")
    assert set(event.properties) == {"price", "tags", "gift", "day"}
    assert event.properties["day"].string == "2026-05-01"
    assert list(event.properties["tags"].list.values) == ["a"]
    update = server.asked("SetAttributes")[0].updates[0]
    assert update.subject.user_id == "42"
    assert update.attributes["plan"].string == "pro"
    assert update.attributes["old"].WhichOneof("kind") is None


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ("{", "", "not JSON"),
        ("[1]", "", "one JSON object"),
        ('{"type": "view", "usr_id": "u1"}', "usr_id", "unknown key"),
        ('{"type": "view"}', "user_id", "no identifier"),
        ('{"user_id": "u1"}', "type", "needs a type"),
        ('{"type": "view", "user_id": 1.5}', "user_id", "expected text"),
        ('{"type": "view", "user_id": "u1", "time": 1777636800}', "time", "ISO 8601 text"),
        ('{"type": "view", "user_id": "u1", "time": "soon"}', "time", "not an ISO 8601 time"),
        ('{"type": "view", "user_id": "u1", "properties": {"a": {"b": 1}}}', "properties.a", "nested objects"),
        ('{"type": "view", "user_id": "u1", "properties": {"a": [1]}}', "properties.a", "texts only"),
        ('{"type": "view", "user_id": "u1", "context": 3}', "context", "object of values"),
        ('{"type": "view", "user_id": "\\ud800"}', "", "not UTF-8"),
        (f'{{"type": "view", "user_id": "u1", "properties": {{"a": 1{"0" * 400}}}}}', "properties.a", "double"),
    ],
)
def test_a_json_line_that_cannot_be_taken_is_refused_by_name(
    line: str, field: str, message: str, server: FakeServer
) -> None:
    """The field is the JSON path; the next line is taken."""
    Path("x.jsonl").write_text(line + '\n{"type": "view", "user_id": "u2"}\n')
    assert totals(load("x.jsonl", options=("--json",))) == {"accepted": 1, "duplicates": 0, "refused": 1}
    refused = refused_rows("x.jsonl")[0]
    assert (refused["line"], refused["field"]) == (1, field)
    assert message in refused["message"]


def test_maps_reach_into_json_lines(server: FakeServer) -> None:
    """A dotted path, a type, a constant; other keys are then ignored, the standard ones still read."""
    line = '{"who": {"id": 7}, "kind": "view", "ts": 1777636800, "properties": {"until": "2026-05-01", "n": 1}}\n'
    load("-", "user_id=who.id", "type=kind", "time=ts:time:s", "prop.until=properties.until:time", stdin=line)
    event = TAKEN[0]
    assert (event.user_id, event.type, event.time.ToMilliseconds()) == ("7", "view", NOON_MS)
    assert event.properties["until"].timestamp.ToMilliseconds() == NOON_MS - 12 * 3_600_000
    assert event.properties["n"].number == 1.0


# ---------------------------------------------------------------- Parquet


def test_parquet_keeps_the_types_of_its_columns(server: FakeServer) -> None:
    """Numbers, booleans, lists and instants as they are; identifiers as text; local times in the zone; null is missing."""
    table = pa.table({
        "u": pa.array([1, None]), "at": pa.array([NOON_MS] * 2, pa.timestamp("ns")).cast(pa.timestamp("ns"), safe=False),
        "n": [1.5, 2.0], "whole": [3, None], "gift": [True, False], "tags": [["a", "b"], []], "text": ["x", None],
        "day": pa.array([20_574, 20_574], pa.date32()), "word": pa.array(["7", "8"]).dictionary_encode(), "unused": [{}, {}],
    })  # fmt: skip
    table = table.set_column(1, "at", pa.array([NOON_MS * 1_000_000 + 7] * 2, pa.timestamp("ns")))
    pyarrow.parquet.write_table(table.drop(["unused"]), "x.parquet")
    maps = ("user_id=u", "type==view", "time=at", "prop.n=n", "prop.whole=whole", "prop.gift=gift", "prop.tags=tags")
    more = ("prop.text=text", "prop.day=day", "prop.word=word:number")
    assert totals(load("x.parquet", *maps, *more, options=("--json",))) == {
        "accepted": 1,
        "duplicates": 0,
        "refused": 1,
    }
    event = TAKEN[0]
    assert (event.user_id, event.time.ToMilliseconds()) == ("1", NOON_MS)
    assert event.properties["whole"].number == 3.0
    assert list(event.properties["tags"].list.values) == ["a", "b"]
    assert event.properties["day"].timestamp.ToMilliseconds() == 20_574 * 86_400_000
    assert (event.properties["word"].number, event.properties["text"].string) == (7.0, "x")
    assert refused_rows("x.parquet")[0]["line"] == 2
