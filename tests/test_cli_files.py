"""The command line: exports, and whole sessions with the real server."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pyarrow.parquet
import pytest
from pyroaring import BitMap

from coterie.v1 import (
    membership_service_pb2 as memberships,
)
from tests.canned_answers import MEMBERS, canned_server, run, stamped
from tests.fake_server import FakeServer, Refused
from tests.threaded_server import running


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A server with canned answers."""
    with canned_server(monkeypatch) as fake:
        yield fake


# ---------------------------------------------------------------- exports


def exported(request: memberships.ExportMembersRequest) -> list[memberships.ExportMembersResponse]:
    """The three members, in two messages of the form asked for."""
    if request.format == memberships.EXPORT_FORMAT_ROARING:
        data = BitMap([1, 2, 70_000]).serialize()
        names = memberships.IdDictionary(ids=[1, 2, 70_000], identifiers=[one.identifiers[-1] for one in MEMBERS])
        parts: list[dict[str, Any]] = [
            {"bitmap": memberships.BitmapPart(data=data[:7], more=True)},
            {"bitmap": memberships.BitmapPart(data=data[7:])},
            {"dictionary": names},
        ]
    else:
        parts = [{"batch": memberships.MemberBatch(members=some)} for some in (MEMBERS[:2], MEMBERS[2:])]
    return [stamped(memberships.ExportMembersResponse(total_size=3, **part)) for part in parts]


def test_an_export_is_a_whole_file_in_the_form_asked_for(server: FakeServer, tmp_path: Path) -> None:
    """CSV and Parquet with attributes, user_ids first; Roaring with its dictionary beside it."""
    server.answers["ExportMembers"] = exported
    for name in ("csv", "parquet", "roaring"):
        attributes = () if name == "roaring" else ("--attributes", "age")
        result = run("export", "vip", "--to", str(tmp_path / f"vip.{name}"), "--format", name, *attributes)
        assert result.exit_code == 0, result.output
    rows = list(csv.reader((tmp_path / "vip.csv").read_text().splitlines()))
    assert rows == [
        ["id", "namespace", "age"],
        ["u1", "user_id", "41"],
        ["d8", "anonymous_id", ""],
        ["u3", "user_id", "7.25"],
    ]
    assert pyarrow.parquet.read_table(tmp_path / "vip.parquet").to_pydict() == {
        "id": ["u1", "d8", "u3"], "namespace": ["user_id", "anonymous_id", "user_id"], "age": [41.0, None, 7.25],
    }  # fmt: skip
    assert list(BitMap.deserialize((tmp_path / "vip.roaring").read_bytes())) == [1, 2, 70_000]
    assert (tmp_path / "vip.roaring.ids.csv").read_text().splitlines()[1] == "1,u1,user_id"
    assert not list(tmp_path.glob("*.partial"))


def test_a_broken_export_leaves_no_file(server: FakeServer, tmp_path: Path) -> None:
    """Half a file never has the whole one's name."""
    broken = Refused(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", "stopping")
    server.answers["ExportMembers"] = lambda request: [*exported(request)[:1], broken]
    for name in ("csv", "parquet", "roaring"):
        assert run("export", "vip", "--to", str(tmp_path / "vip"), "--format", name).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_an_empty_export_has_its_columns(server: FakeServer, tmp_path: Path) -> None:
    """Nobody is an answer."""
    server.answers["ExportMembers"] = [[stamped(memberships.ExportMembersResponse())]]
    run("export", "vip", "--to", str(tmp_path / "x.parquet"), "--format", "parquet", "--attributes", "age")
    assert pyarrow.parquet.read_table(tmp_path / "x.parquet").column_names == ["id", "namespace", "age"]
    assert run("export", "vip", "--to", "-").stdout == "id,namespace\n"


# ---------------------------------------------------------------- with the real server


def test_a_session_with_the_real_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load, create, count, check, list, export, freeze, delete: the counts agree."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    events = [
        {"type": "purchase", "user_id": f"u{number % 10}", "properties": {"price": number}} for number in range(30)
    ]
    with running(tmp_path / "data") as server:
        monkeypatch.setenv("COTERIE_TARGET", server.target)
        lines = "".join(json.dumps(event) + "\n" for event in events)
        assert json.loads(run("load", "-", "--json", stdin=lines).stdout)["accepted"] == 30
        assert run("segment", "create", "buyers", "did purchase").exit_code == 0
        assert run("segment", "create", "spenders", "sum(purchase.price) >= 48").exit_code == 0
        counts = json.loads(run("count", "buyers", "buyers and not spenders", "--json").stdout)["counts"]
        assert [count["count"] for count in counts] == [10, 6]
        assert json.loads(run("check", "u9", "spenders", "buyers", "--json").stdout)["memberships"] == [
            {"segment": "spenders", "member": True}, {"segment": "buyers", "member": True},
        ]  # fmt: skip
        exported_ids = list(csv.reader(run("export", "spenders", "--to", "-").stdout.splitlines()))[1:]
        assert [row[0] for row in exported_ids] == ["u6", "u7", "u8", "u9"]
        assert run("segment", "freeze", "then", "buyers and not spenders").exit_code == 0
        refused = run("segment", "delete", "nope")
        assert (refused.exit_code, "SEGMENT_NOT_FOUND" in refused.stderr) == (1, True)
        explained = run("explain", "u9", "spenders")
        assert (explained.exit_code, "value 57 (>= 48)" in explained.stdout) == (0, True)
        assert run("segment", "delete", "then").exit_code == 0
        assert run("status").exit_code == 0
        assert run("snapshot").exit_code == 0
        assert run("verify").exit_code == 0
    offline = run("verify", "--data", str(tmp_path / "data"))
    assert (offline.exit_code, "all checksums are right" in offline.stdout) == (0, True)


def test_a_record_can_be_left_out_offline(tmp_path: Path) -> None:
    """`journal skip` works on the files of a stopped server, and only there."""
    with running(tmp_path / "data", snapshot_events=10_000) as server:
        locked = run("journal", "skip", "1", "--data", str(tmp_path / "data"))
        assert (locked.exit_code, "in use" in locked.stderr) == (1, True)
        run("load", "-", "--target", server.target, stdin='{"type": "view", "user_id": "u1"}\n')
    missing = run("journal", "skip", "999", "--data", str(tmp_path / "data"))
    assert (missing.exit_code, "no such record" in missing.stderr) == (1, True)
