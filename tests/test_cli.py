"""The command line: what people read, what programs read, and how it ends.

Transcripts of commands against canned answers are in `golden/cli_*.txt`; COTERIE_UPDATE_GOLDEN=1 writes them anew.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.v1 import (
    admin_service_pb2 as admin,
)
from coterie.v1 import (
    common_pb2,
)
from coterie.v1 import (
    segment_service_pb2 as segments,
)
from tests.canned_answers import canned_server, identifier, run, segment, stamped
from tests.fake_server import FakeServer

GOLDEN = Path(__file__).parent / "golden"

TRANSCRIPTS = {
    "segments": [
        "segment create buyers 'did purchase'",
        "segment create buyers 'did purchase in the last 30 dyas'",
        "segment list",
        "segment edit vip 'in loyal' --no-wait",
        "segment clone vip copy",
        "segment freeze may 'vip and not churned'",
        "segment preview 'did purchase'",
        "segment parse 'did purchase at least thrice'",
        "segment delete vip",
    ],
    "members": [
        "check u1 vip buyers",
        "check nobody vip",
        "segments u1",
        "members vip --attributes age",
        "profile u1",
        "count vip 'vip and not churned' 'did purchase and in vip'",
        "trend vip",
        "watch vip --limit 2",
    ],
    "admin": [
        "status",
        "snapshot",
        "verify",
        "dataset create eu --time-zone Europe/Paris",
        "dataset list",
        "dataset delete eu --yes",
    ],
    "json": [
        "count vip buyers --json",
        "segment preview 'did purchase' --json",
        "check u1 vip buyers --json",
        "watch vip --limit 2 --json",
        "segment delete vip --json",
    ],
    "later": [
        "overlap vip buyers",
        "compare vip --goal purchase --revenue purchase.value --from 2026-05-01 --to 2026-06-01",
        "funnel view purchase --from 2026-05-01 --to 2026-06-01",
        "retention view --from 2026-05-01 --to 2026-06-01",
    ],
    "explain": [
        "explain u1 vip",
        "explain u1 newsletter",
        "explain u1 may",
        "explain u1 stays",
        "explain u1 strangers",
        "explain nobody vip",
        "explain u1 newsletter --json",
    ],
    "refusals": ["segment show vpi", "--json segment show vpi", "count 'did purchase in the last 30 dyas'"],
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A server with canned answers."""
    with canned_server(monkeypatch) as fake:
        yield fake


def transcript(commands: list[str]) -> str:
    """What a terminal would show of some commands, one after the other."""
    shown = []
    for command in commands:
        result = run(*shlex.split(command))
        lines = [f"$ coterie {command}"]
        lines += [line.rstrip() for line in result.stdout.splitlines()]
        lines += [f"stderr: {line}".rstrip() for line in result.stderr.splitlines()]
        shown.append("\n".join([*lines, f"status {result.exit_code}"]))
    return "\n\n".join(shown) + "\n"


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_people_read_what_the_golden_files_show(name: str, server: FakeServer) -> None:
    """The output of every command, and its exit status."""
    golden, shown = GOLDEN / f"cli_{name}.txt", transcript(TRANSCRIPTS[name])
    if "COTERIE_UPDATE_GOLDEN" in os.environ:
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


# ---------------------------------------------------------------- exit status


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("count",),
        ("segment", "create", "vip"),
        ("segment", "create", "vip", "did purchase", "--list"),
        ("segment", "create", "vip", "did purchase", "--ttl", "30 dyas"),
        ("segment", "create", "vip", "did purchase", "--mode", "forever"),
        ("segment", "edit", "vip"),
        ("trend", "vip", "--bucket", "minute"),
        ("trend", "vip", "--zone", "Mars/Base"),
        ("trend", "vip", "--from", "yesterday"),
        ("compare", "vip", "--from", "a", "--to", "b", "--revenue", "purchase"),
        ("import", "newsletter", "absent.txt"),
        ("export", "vip", "--to", "-", "--format", "parquet"),
        ("verify", "--data", "absent"),
        ("serve", "--listen", "nowhere"),
        ("serve", "--config", "absent.toml"),
        ("load", "absent.csv"),
        ("load", "unknown.suffix"),
        ("demo-data", "x.txt"),
    ],
    ids=" ".join,
)
def test_misuse_ends_with_status_2(arguments: tuple[str, ...], server: FakeServer, tmp_path: Path) -> None:
    """A usage error says what is wrong on stderr, and nothing is asked of the server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        result = run(*arguments)
    assert (result.exit_code, server.requests) == (2, []), result.output
    assert result.stderr


def test_no_server_is_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to do."""
    result = run("count", "vip", "--target", "127.0.0.1:1")
    assert result.exit_code == 1
    assert "coterie serve" in result.stderr


def test_damage_is_status_1(server: FakeServer) -> None:
    """`verify` names what is damaged."""
    fault = admin.DataFault(database="pages", key="cells/7", message="checksum mismatch")
    server.answers["VerifyData"] = stamped(admin.VerifyDataResponse(faults=[fault]))
    result = run("verify")
    assert result.exit_code == 1
    assert "cells/7" in result.stdout


# ---------------------------------------------------------------- what is asked


def test_shared_options_stand_before_or_after_the_command(server: FakeServer) -> None:
    """--dataset either way, or from the environment."""
    for arguments in (["--dataset", "eu", "count", "vip"], ["count", "vip", "--dataset", "eu"]):
        assert run(*arguments).exit_code == 0
    assert [request.dataset for request in server.asked("StreamCountMembers")] == ["eu", "eu"]


def test_options_become_fields(server: FakeServer) -> None:
    """Mode, time to live, universe, labels, author, accounts."""
    run(
        "segment", "create", "vip", "did purchase", "--mode", "sticky", "--ttl", "30 days", "--universe", "known",
        "--label", "team=crm", "--author", "ann", "--display-name", "VIP", "--description", "who matters", "--accounts",
    )  # fmt: skip
    request = server.asked("CreateSegment")[0]
    expected = segments.Segment(
        id="vip", rule_text="did purchase", kind="SEGMENT_KIND_RULE", subject_kind="SUBJECT_KIND_ACCOUNT",
        mode="SEGMENT_MODE_STICKY", universe="UNIVERSE_KNOWN", labels={"team": "crm"}, display_name="VIP",
        description="who matters",
    )  # fmt: skip
    expected.ttl.seconds = 30 * 86_400
    assert request.segment == expected
    assert request.author == "ann"
    assert request.request_id


def test_an_edit_changes_only_what_is_given(server: FakeServer) -> None:
    """The mask has the fields of the options; the etag guards."""
    run("segment", "edit", "vip", "--description", "", "--etag", "v1", "--no-wait")
    request = server.asked("UpdateSegment")[0]
    assert list(request.update_mask.paths) == ["description"]
    assert request.segment.etag == "v1"


def test_subjects_can_be_named_by_any_identifier(server: FakeServer) -> None:
    """--by a namespace; --accounts means account_id."""
    run("check", "d7", "vip", "--by", "anonymous_id")
    run("check", "acme", "vip", "--accounts")
    subjects = [request.subject for request in server.asked("CheckMembership")]
    assert subjects[0] == common_pb2.Subject(kind="SUBJECT_KIND_USER", identifiers=[identifier("d7", "anonymous_id")])
    assert subjects[1] == common_pb2.Subject(
        kind="SUBJECT_KIND_ACCOUNT", identifiers=[identifier("acme", "account_id")]
    )


def test_creating_waits_until_the_segment_answers(server: FakeServer) -> None:
    """What is printed is the segment once it is READY."""
    building = segment("buyers", state="SEGMENT_STATE_BUILDING", build_progress=0.1)
    ready = segments.GetSegmentResponse(segment=segment("buyers"))
    server.answers["CreateSegment"] = segments.CreateSegmentResponse(segment=building)
    server.answers["GetSegment"] = [segments.GetSegmentResponse(segment=building), ready]
    result = run("segment", "create", "buyers", "did purchase", "--json")
    assert json.loads(result.stdout)["segment"]["state"] == "SEGMENT_STATE_READY"


def test_a_list_is_imported_from_lines_or_from_a_column(server: FakeServer, tmp_path: Path) -> None:
    """Blank lines are skipped; the list can be created on the way."""
    lines, table = tmp_path / "ids.txt", tmp_path / "ids.csv"
    lines.write_text("u1\n\n u2 \n")
    table.write_text("name,id\nAnn,u1\nBob,\n")
    assert run("import", "newsletter", str(lines), "--create").exit_code == 0
    assert run("import", "newsletter", str(table), "--column", "id", "--operation", "set").exit_code == 0
    first, second = server.asked("ImportMembers")
    assert (first[0].segment, first[0].operation, list(first[1].ids)) == (
        "newsletter",
        segments.MEMBER_OPERATION_ADD,
        ["u1", "u2"],
    )
    assert (second[0].operation, list(second[1].ids)) == (segments.MEMBER_OPERATION_SET, ["u1"])
    assert server.asked("CreateSegment")[0].segment.kind == segments.SEGMENT_KIND_LIST
