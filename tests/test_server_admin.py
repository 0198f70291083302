"""AdminService, health and reflection: datasets apart from each other, honest status, snapshots beside live work."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from coterie.index.settings import Settings
from coterie.v1 import admin_service_pb2 as v1
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import segment_service_pb2 as segments
from tests.serving import Served, event, refused, served, serving


async def _size(server: Served, name: str, dataset: str = "") -> int:
    request = analytics.CountMembersRequest(expressions=[name], dataset=dataset)
    return (await server.analytics.CountMembers(request)).counts[0].count


async def _status(server: Served, dataset: str = "") -> v1.GetStatusResponse:
    return await server.admin.GetStatus(v1.GetStatusRequest(dataset=dataset))


@served()
async def test_datasets_are_apart(server: Served) -> None:
    """What one dataset is told, another knows nothing of; a deleted one leaves no file behind."""
    create = v1.CreateDatasetRequest(dataset="shop-2", time_zone="Europe/Paris", display_name="Second shop")
    create.visit_gap.FromMilliseconds(60_000)
    created = (await server.admin.CreateDataset(create)).created
    assert (created.id, created.time_zone, created.visit_gap.ToMilliseconds()) == ("shop-2", "Europe/Paris", 60_000)
    for dataset in ("default", "shop-2"):
        rule = segments.Segment(id="viewers", rule_text="did view")
        await server.segments.CreateSegment(segments.CreateSegmentRequest(dataset=dataset, segment=rule))
    await server.ingest(event("view", "u1"), dataset="shop-2")
    assert [await _size(server, "viewers"), await _size(server, "viewers", "shop-2")] == [0, 1]
    listed = await server.admin.ListDatasets(v1.ListDatasetsRequest(page_size=1))
    rest = await server.admin.ListDatasets(v1.ListDatasetsRequest(page_token=listed.next_page_token))
    assert [[each.id for each in page.datasets] for page in (listed, rest)] == [["default"], ["shop-2"]]
    folder = server.server.catalogue.get("shop-2").directory
    assert folder.exists()
    await server.admin.DeleteDataset(v1.DeleteDatasetRequest(dataset="shop-2"))
    assert not folder.exists()
    assert (await refused(_status(server, "shop-2"))).reason == "DATASET_NOT_FOUND"


def test_a_dataset_keeps_its_zone() -> None:
    """A dataset's time zone decides its calendar windows, also after a restart."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(folder) as server:
                await server.admin.CreateDataset(v1.CreateDatasetRequest(dataset="far", time_zone="Pacific/Auckland"))
            async with serving(folder) as server:
                dataset = server.server.catalogue.get("far")
                assert dataset.description.time_zone == "Pacific/Auckland"
                assert dataset.engine.settings.timezone == "Pacific/Auckland"

    asyncio.run(run())


@served()
async def test_status_tells_what_there_is(server: Served) -> None:
    """Counts, queue, builds and storage are those of the dataset."""
    await server.create("viewers", "did view in the last 7 days")
    await server.ingest(*(event("view", f"u{i}", account_id="firm", event_id=f"e{i}") for i in range(100)))
    status = await _status(server)
    assert status.state == v1.SERVING_STATE_READY
    assert (status.counts.users, status.counts.accounts, status.counts.events) == (100, 1, 100)
    assert (status.counts.segments, status.counts.measures >= 1) == (1, True)
    assert status.memory.resident_bytes > 10_000_000
    assert (status.queue.calls, status.queue.capacity) == (0, 100_000)
    assert status.storage.journal_bytes > 0
    assert status.storage.free_bytes > 0
    assert not status.storage.HasField("snapshot_time")
    assert status.storage.replay_records == server.dataset.engine.revision
    assert status.description.id == "default"
    taken = await server.admin.CreateSnapshot(v1.CreateSnapshotRequest())
    assert taken.written_bytes > 0
    status = await _status(server)
    assert status.storage.snapshot_revision == taken.revision
    assert status.storage.replay_records == 0


@served(snapshot_pause_ms=0)
async def test_snapshots_are_taken_beside_live_work(server: Served) -> None:
    """Events go on while snapshots are taken, and nothing is lost or counted twice after a kill."""
    await server.create("viewers", "did view")

    async def ingest(number: int) -> None:
        for i in range(20):
            await server.ingest(*(event("view", f"u{number}-{i}-{j}") for j in range(50)))

    async def snapshot() -> None:
        for _ in range(5):
            await server.admin.CreateSnapshot(v1.CreateSnapshotRequest())

    await asyncio.gather(ingest(1), ingest(2), snapshot())
    assert await _size(server, "viewers") == 2000
    report = await server.admin.VerifyData(v1.VerifyDataRequest())
    assert not report.faults
    assert report.entries > 0
    folder = server.server.settings.data
    await server.server.kill()
    async with serving(folder) as again:
        assert await _size(again, "viewers") == 2000
        assert again.dataset.engine.status().events == 2000


@served(snapshot_events=500)
async def test_a_snapshot_starts_by_itself(server: Served) -> None:
    """After so many events a snapshot is taken without being asked for."""
    for i in range(8):
        await server.ingest(*(event("view", f"u{i}-{j}") for j in range(100)))
    while server.dataset.snapshots.last is None:  # noqa: ASYNC110 - nothing tells of it but the status
        await asyncio.sleep(0.01)
    assert server.dataset.store.header.revision > 0


@served()
async def test_health_is_of_each_service(server: Served) -> None:
    """The server and each of its services say SERVING."""
    stub = health_pb2_grpc.HealthStub(server.channel)
    for name in ("", "coterie.v1.MembershipService", "coterie.v1.EventService"):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


@served()
async def test_reflection_shows_public_services_only(server: Served) -> None:
    """Reflection lists the six services, health and itself."""
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    answer = await call.read()
    names = {service.name for service in answer.list_services_response.service}
    ours = {"Admin", "Analytics", "Event", "Membership", "Profile", "Segment"}
    assert names == {f"coterie.v1.{name}Service" for name in ours} | {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


@served(reflection=False)
async def test_reflection_can_be_turned_off(server: Served) -> None:
    """Without reflection there is no such service."""
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@served(engine=Settings(max_rule_nodes=10), max_datasets=2)
async def test_settings_reach_what_they_limit(server: Served) -> None:
    """An engine's limit and a server's limit both hold."""
    rule = " or ".join(f"did e{i}" for i in range(20))
    create = segments.CreateSegmentRequest(segment=segments.Segment(id="s", rule_text=rule))
    problem = await refused(server.segments.CreateSegment(create))
    assert (problem.reason, problem.metadata["maximum"]) == ("LIMIT_EXCEEDED", "10")
    await server.admin.CreateDataset(v1.CreateDatasetRequest(dataset="two"))
    problem = await refused(server.admin.CreateDataset(v1.CreateDatasetRequest(dataset="three")))
    assert (problem.reason, problem.metadata["maximum"]) == ("LIMIT_EXCEEDED", "2")


def test_a_half_made_dataset_is_cleared_away() -> None:
    """A directory without a description is none of a dataset's: it is removed at the start."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            half = Path(folder) / "datasets" / "half"
            half.mkdir(parents=True)
            (half / "journal").write_text("x")
            async with serving(folder) as server:
                assert [each.description.id for each in server.server.catalogue.all()] == ["default"]
            assert not half.exists()

    asyncio.run(run())
