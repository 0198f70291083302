"""What the tests of `coterie load` share: a server that takes everything, and short ways to run the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from coterie.server.cli import app
from coterie.v1 import admin_service_pb2 as admin
from coterie.v1 import common_pb2, error_reason_pb2
from coterie.v1 import event_service_pb2 as events
from coterie.v1 import profile_service_pb2 as profiles
from tests.fake_server import FakeServer

NOON_MS = 1_777_636_800_000  # 2026-05-01T12:00Z


def acknowledge(batches: Iterator[events.StreamEventsRequest]) -> Iterator[Any]:
    """Takes every event, but those of the type `bad`."""
    for number, batch in enumerate(batches):
        refused = [
            error_reason_pb2.RecordError(
                index=index, reason=error_reason_pb2.ERROR_REASON_EVENT_TIME_IN_FUTURE,
                field=f"events[{index}].time", message="is tomorrow",
            )
            for index, event in enumerate(batch.events) if event.type == "bad"
        ]  # fmt: skip
        TAKEN.extend(event for event in batch.events if event.type != "bad")
        yield events.StreamEventsResponse(
            batch=number, accepted=len(batch.events) - len(refused), refused=refused,
            revision=common_pb2.Revision(token=f"r{number}"),
        )  # fmt: skip


TAKEN: list[common_pb2.Event] = []


@contextmanager
def taking_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    """A server that takes everything; the working directory is an empty one."""
    monkeypatch.chdir(tmp_path)
    TAKEN.clear()

    def set_attributes(request: profiles.SetAttributesRequest) -> profiles.SetAttributesResponse:
        return profiles.SetAttributesResponse(accepted=len(request.updates), revision=common_pb2.Revision(token="a"))

    status = admin.GetStatusResponse(revision=common_pb2.Revision(token="s"))
    with FakeServer(StreamEvents=acknowledge, SetAttributes=set_attributes, GetStatus=status) as fake:
        monkeypatch.setenv("COTERIE_TARGET", fake.target)
        yield fake


def load(file: str | Path, *maps: str, stdin: str | bytes | None = None, options: tuple[str, ...] = ()) -> Result:
    """Runs the command."""
    arguments = ["load", str(file), *options, *(word for one in maps for word in ("--map", one))]
    return CliRunner().invoke(app, arguments, input=stdin)


def totals(result: Result) -> dict[str, int]:
    """The figures of a load that went well."""
    assert result.exit_code == 0, result.output
    found: dict[str, int] = json.loads(result.stdout)
    return {name: found[name] for name in ("accepted", "duplicates", "refused")}


def refused_rows(file: str) -> list[dict[str, Any]]:
    """What was written of refused rows."""
    return [json.loads(line) for line in Path(f"{file}.refused.jsonl").read_text().splitlines()]


def property_values(event: common_pb2.Event) -> dict[str, Any]:
    """The plain values of an event's properties."""
    return {name: getattr(value, value.WhichOneof("kind") or "") for name, value in event.properties.items()}


SHOP = (
    "id,kind,at,price,note,vip,customer\r\n"
    'a1,view,2026-05-01 12:00:00,1.5,"big, ""red"" one",true,17850.0\r\n'
    "a2,cart,2026-05-01 12:00:01,-2,,false,17851.0\r\n"
    'a3,view,2026-05-01 12:00:02,3,"two\r\nlines",true,\r\n'
    "\r\n"
    "a4,view,2026-05-01 12:00:03,4,tail,true,17850.0\r\n"
)
SHOP_MAPS = (
    "event_id=id", "type=kind", "time=at", "prop.price=price", "prop.note=note", "prop.vip=vip", "user_id=customer",
    "context.shop==online", "prop.batch==7",
)  # fmt: skip
