"""`coterie status`, `snapshot`, `verify`, `dataset …`, `journal …`: looking after a server and its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from coterie.client import requests
from coterie.client.answers import enum_name
from coterie.client.synchronous.analytics import LONG
from coterie.server.cli import render
from coterie.server.cli.offline import verify_directory
from coterie.server.cli.session import REFUSED, Session, remote
from coterie.v1 import admin_service_pb2 as admin

datasets = typer.Typer(help="Create, list and delete datasets.", no_args_is_help=True)

DatasetId = Annotated[str, typer.Argument(metavar="ID", help="The dataset's id.")]


@remote
def status(session: Session) -> None:
    """Show how a dataset and its server are doing."""
    request = admin.GetStatusRequest(dataset=session.dataset)
    session.show(session.client.call(session.client.services.admin.GetStatus, request), status_facts)


def status_facts(answer: admin.GetStatusResponse) -> Table:
    """The most telling figures of a status."""
    counts, memory, storage = answer.counts, answer.memory, answer.storage
    state = enum_name(admin.ServingState, answer.state, "SERVING_STATE_")
    snapshot = render.optional_instant(storage, "snapshot_time", "never")
    pairs = [
        ("dataset", answer.description.id),
        ("state", f"{state}: {answer.message}" if answer.message else state),
        ("now", f"{render.instant(answer.now)}, {answer.lag.ToMilliseconds()} ms behind the clock"),
        ("up for", str(answer.uptime.ToTimedelta()).partition(".")[0]),
        ("users, accounts", f"{render.number(counts.users)}, {render.number(counts.accounts)}"),
        ("events", render.number(counts.events)),
        ("segments", f"{counts.segments} from {counts.conditions} conditions on {counts.measures} measures"),
        ("cells", render.number(counts.cells)),
        ("memory", f"{render.size(memory.resident_bytes)} resident"),
        ("queue", f"{render.number(answer.queue.records)} of {render.number(answer.queue.capacity)} records"),
        ("building", ", ".join(f"{one.segment} {one.progress:.0%}" for one in answer.builds) or "nothing"),
        ("journal", f"{render.size(storage.journal_bytes)}, {render.number(storage.replay_records)} records to replay"),
        ("snapshot", f"{render.size(storage.state_bytes)}, {snapshot}"),
        ("disk free", render.size(storage.free_bytes)),
        ("watchers", answer.watchers),
        ("revision", answer.revision.token),
        ("version", answer.server_version),
    ]
    return render.facts(pairs)


@remote
def snapshot(session: Session) -> None:
    """Write a snapshot and wait for it; a restart then replays only what comes after it."""
    request = admin.CreateSnapshotRequest(dataset=session.dataset)
    answer = session.client.call(session.client.services.admin.CreateSnapshot, request, LONG)
    session.show(
        answer,
        lambda done: f"{render.size(done.written_bytes)} written in {done.duration.ToMilliseconds()} ms",
    )


@remote
def verify(
    session: Session,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="A data directory no server runs on, instead.")
    ] = None,
) -> None:
    """Read everything on disk and compare checksums; exit status 1 where something is damaged."""
    if data is not None:
        verify_directory(data)
        return
    request = admin.VerifyDataRequest(dataset=session.dataset)
    answer = session.client.call(session.client.services.admin.VerifyData, request, LONG)
    session.show(
        answer,
        lambda done: f"{render.number(done.entries)} entries, {render.size(done.bytes)}: {_faults(done)}",
    )
    if answer.faults:
        raise typer.Exit(REFUSED)


def _faults(answer: admin.VerifyDataResponse) -> str:
    if not answer.faults:
        return "all checksums are right"
    return "damaged:\n" + "\n".join(f"  {fault.database} {fault.key}: {fault.message}" for fault in answer.faults)


@datasets.command("create")
@remote
def create_dataset(
    session: Session,
    dataset_id: DatasetId,
    time_zone: Annotated[str, typer.Option("--time-zone", help="The IANA zone of its days; default UTC.")] = "",
    display_name: Annotated[str, typer.Option("--display-name", help="A name for people.")] = "",
) -> None:
    """Create an empty, isolated dataset."""
    request = admin.CreateDatasetRequest(
        dataset=dataset_id, time_zone=time_zone, display_name=display_name, request_id=requests.new_request_id()
    )
    answer = session.client.call(session.client.services.admin.CreateDataset, request)
    session.show(answer, lambda done: f"created {done.created.id}, days in {done.created.time_zone}")


@datasets.command("list")
@remote
def list_datasets(session: Session) -> None:
    """List the datasets."""
    request = admin.ListDatasetsRequest(page_size=1_000)
    found: list[admin.Dataset] = []
    while True:
        answer = session.client.call(session.client.services.admin.ListDatasets, request)
        if session.as_json:
            session.show(answer)
        found.extend(answer.datasets)
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    if not session.as_json:
        session.console.print(
            render.rows(
                render.table("dataset", "name", "time zone", "created"),
                ((one.id, one.display_name, one.time_zone, render.instant(one.create_time)) for one in found),
            )
        )


@datasets.command("delete")
@remote
def delete_dataset(
    session: Session,
    dataset_id: DatasetId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a dataset with everything in it, at once and for good."""
    if not yes:
        typer.confirm(f"Delete {dataset_id} with everything in it?", abort=True)
    request = admin.DeleteDatasetRequest(dataset=dataset_id, request_id=requests.new_request_id())
    answer = session.client.call(session.client.services.admin.DeleteDataset, request)
    session.show(answer, lambda _answer: f"deleted {dataset_id}")
