"""When the disk or a record misbehaves: errors are told by name, reads go on, and other datasets are served."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import lmdb
import pytest

from coterie.index.storage import header, store
from coterie.v1 import admin_service_pb2 as admin
from coterie.v1 import membership_service_pb2 as members
from tests.serving import Served, event, expect, refused, served, serving, user_named

Code = grpc.StatusCode


def _check(*names: str, user: str = "u1", **fields: Any) -> members.CheckMembershipRequest:
    return members.CheckMembershipRequest(subject=user_named(user), segments=names, **fields)


@served(map_bytes=16 * 1024 * 1024, storage_retry_ms=50)
async def test_storage_full(server: Served) -> None:
    """A full map refuses writes and says so in the status, while reads go on."""
    await server.create("viewers", "did view")
    await server.ingest(event("view", "u1"))
    large = [event("view", f"u{i}", properties={"text": "x" * 2000}) for i in range(1000)]
    problem = None
    for _ in range(20):
        try:
            await server.ingest(*large)
        except grpc.aio.AioRpcError as error:
            problem = error
            break
    assert problem is not None
    refusal = await refused(server.ingest(*large))
    assert (refusal.code, refusal.reason) == (Code.RESOURCE_EXHAUSTED, "STORAGE_FULL")
    assert refusal.retry_after_ms
    assert await server.check("u1", "viewers") == [True]
    status = await server.admin.GetStatus(admin.GetStatusRequest())
    assert status.state == admin.SERVING_STATE_STALLED
    assert status.message


@served()
async def test_a_record_that_cannot_be_applied(server: Served) -> None:
    """A defect stops the dataset, not the server: UNAVAILABLE names the revision and the way out."""

    def broken(record: Any) -> Any:
        raise ZeroDivisionError

    server.dataset.engine.apply = broken
    revision = server.dataset.engine.revision + 1
    problem = await expect(server.ingest(event("view", "u1")), Code.UNAVAILABLE, "UNAVAILABLE")
    assert f"journal skip {revision}" in problem.message
    await expect(server.members.CheckMembership(_check()), Code.UNAVAILABLE, "UNAVAILABLE")
    status = await server.admin.GetStatus(admin.GetStatusRequest())
    assert status.state == admin.SERVING_STATE_FAILED
    await server.admin.CreateDataset(admin.CreateDatasetRequest(dataset="other"))
    await server.ingest(event("view", "u1"), dataset="other")


@pytest.mark.parametrize("piece", ["step_builds", "settle_builds"])
def test_a_build_that_fails(piece: str) -> None:
    """A defect in a build stops the dataset: whoever writes is told, and waits for nothing."""

    @served()
    async def run(server: Served) -> None:
        def broken(*_: Any) -> Any:
            raise ZeroDivisionError

        setattr(server.dataset.engine, piece, broken)
        server.dataset.writer._builder.wake()
        with suppress(grpc.aio.AioRpcError):  # may be the one that finds out
            await server.ingest(event("view", "u1"))
        async with asyncio.timeout(30):  # the builder looks some milliseconds after it was woken
            while (await server.admin.GetStatus(admin.GetStatusRequest())).state != admin.SERVING_STATE_FAILED:
                pass
        problem = await expect(server.ingest(event("view", "u1")), Code.UNAVAILABLE, "UNAVAILABLE")
        assert "build of a segment failed (ZeroDivisionError" in problem.message

    run()


def test_data_loss() -> None:
    """A damaged value is named, and never answered from; VerifyData finds it."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder) as server:
                await server.ingest(*(event("view", f"u{i}") for i in range(10)))
            _damage(Path(folder) / "datasets" / "default" / "state")
            async with serving(folder) as server:
                call = server.members.CheckMembership(_check(user="u3"))
                problem = await expect(call, Code.DATA_LOSS, "DATA_LOSS")
                assert problem.metadata["database"] == "identifiers"
                report = await server.admin.VerifyData(admin.VerifyDataRequest())
                assert len(report.faults) == 10
                assert {fault.database for fault in report.faults} == {"identifiers"}
                assert report.entries > 10

    asyncio.run(run())


def _damage(state: Path) -> None:
    """Flips one bit in every identifier's value."""
    environment = lmdb.open(str(state), max_dbs=8, map_size=1 << 30, lib_version=0)
    with environment.begin(write=True) as transaction:
        database = environment.open_db(b"identifiers", txn=transaction)
        for key, value in list(transaction.cursor(db=database)):
            transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]), db=database)
    environment.close()


def test_format_too_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dataset written by a newer version is refused by name, while others are served."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder) as server:
                await server.admin.CreateDataset(admin.CreateDatasetRequest(dataset="other"))
                await server.ingest(event("view", "u1"))
                newer = replace(server.dataset.store.header, format=header.STATE_FORMAT + 1)
                monkeypatch.setattr(store, "pack_header", lambda _: header.pack_header(newer))
                await server.admin.CreateSnapshot(admin.CreateSnapshotRequest())
                monkeypatch.undo()
                await server.server.kill()
            async with serving(folder) as server:
                call = server.members.CheckMembership(_check())
                await expect(call, Code.FAILED_PRECONDITION, "FORMAT_TOO_NEW")
                await server.ingest(event("view", "u1"), dataset="other")

    asyncio.run(run())
