"""AdminService: datasets, status, snapshots, verification."""

from __future__ import annotations

import asyncio

from coterie.index.errors import FieldInvalid
from coterie.server.binding import Context
from coterie.server.catalogue import check_dataset_id
from coterie.server.convert.status import write_status
from coterie.server.convert.values import check_text, duration_of, milliseconds_of, timestamp_of
from coterie.server.dataset import Description
from coterie.server.service import Service
from coterie.server.trends import check_zone
from coterie.v1 import admin_service_pb2 as v1

_DEFAULT_PAGE = 100
_NAMED_FAULTS = 1_000
_MIN_VISIT_GAP_MS, _MAX_VISIT_GAP_MS = 1_000, 24 * 3_600_000


class AdminService(Service):
    """Looks after a server and its datasets."""

    async def create_dataset(self, request: v1.CreateDatasetRequest, _context: Context) -> v1.CreateDatasetResponse:
        """Creates a dataset."""
        description = self._description(request)

        async def work() -> v1.CreateDatasetResponse:
            dataset = await self._catalogue.create(description)
            response = v1.CreateDatasetResponse()
            write_description(dataset.description, response.created)
            dataset.stamp(response)
            return response

        body = request.SerializeToString(deterministic=True)
        return await self._catalogue.requests.once(request.request_id, "CreateDataset", body, work)

    def _description(self, request: v1.CreateDatasetRequest) -> Description:
        name = check_dataset_id(request.dataset, "dataset")
        check_text(request.display_name, "display_name", "a display name", self._settings.max_short_text_bytes)
        default = self._settings.engine.visit_gap_ms
        gap = milliseconds_of(request.visit_gap, "visit_gap") if request.HasField("visit_gap") else default
        if not _MIN_VISIT_GAP_MS <= gap <= _MAX_VISIT_GAP_MS:
            raise FieldInvalid("visit_gap", "must lie between 1 s and 24 h")
        zone = request.time_zone or self._settings.engine.timezone
        check_zone(zone, "time_zone")
        return Description(name, request.display_name or name, zone, gap, self._catalogue.clock.now())

    async def list_datasets(self, request: v1.ListDatasetsRequest, _context: Context) -> v1.ListDatasetsResponse:
        """Lists the datasets, by id."""
        size = self._page_size(request.page_size, _DEFAULT_PAGE)
        tokens = self._catalogue.tokens
        after = str(tokens.read_page("datasets", "", request.page_token)[0]) if request.page_token else ""
        rest = [dataset.description for dataset in self._catalogue.all() if dataset.description.id > after]
        response = v1.ListDatasetsResponse()
        for description in rest[:size]:
            write_description(description, response.datasets.add())
        if len(rest) > size:
            response.next_page_token = tokens.page("datasets", "", [rest[size - 1].id])
        return response

    async def delete_dataset(self, request: v1.DeleteDatasetRequest, _context: Context) -> v1.DeleteDatasetResponse:
        """Deletes a dataset with everything in it."""
        if not request.dataset:
            raise FieldInvalid("dataset", "must be named")

        async def work() -> v1.DeleteDatasetResponse:
            await self._catalogue.delete(request.dataset)
            return v1.DeleteDatasetResponse()

        body = request.SerializeToString(deterministic=True)
        return await self._catalogue.requests.once(request.request_id, "DeleteDataset", body, work)

    async def get_status(self, request: v1.GetStatusRequest, context: Context) -> v1.GetStatusResponse:
        """Shows how a dataset and its server are doing; also of one that has failed."""
        dataset = self._catalogue.get(request.dataset)
        if not dataset.writer.condition.failed:
            dataset = await self._reading(request, context)
        response = v1.GetStatusResponse()
        write_status(dataset, response)
        write_description(dataset.description, response.description)
        response.uptime.CopyFrom(duration_of(self._catalogue.clock.now() - self._catalogue.started_at))
        dataset.stamp(response)
        return response

    async def create_snapshot(self, request: v1.CreateSnapshotRequest, _context: Context) -> v1.CreateSnapshotResponse:
        """Writes a snapshot and waits for it."""
        dataset = self._catalogue.get(request.dataset)
        dataset.check_serving()
        taken = await dataset.snapshots.take()
        response = v1.CreateSnapshotResponse(written_bytes=taken.written_bytes)
        response.revision.token = dataset.tokens.revision(taken.revision)
        response.now.CopyFrom(timestamp_of(taken.now))
        response.duration.CopyFrom(duration_of(taken.duration_ms))
        return response

    async def verify_data(self, request: v1.VerifyDataRequest, _context: Context) -> v1.VerifyDataResponse:
        """Reads everything on disk and compares checksums."""
        dataset = self._catalogue.get(request.dataset)
        report = await asyncio.to_thread(dataset.verify)
        response = v1.VerifyDataResponse(entries=report.entries, bytes=report.bytes)
        for fault in report.faults[:_NAMED_FAULTS]:
            facts = fault.metadata
            response.faults.add(database=facts["database"], key=facts["key"], message=fault.message)
        dataset.stamp(response)
        return response


def write_description(description: Description, target: v1.Dataset) -> None:
    """Writes what was said of a dataset."""
    target.id = description.id
    target.display_name = description.display_name
    target.time_zone = description.time_zone
    target.visit_gap.CopyFrom(duration_of(description.visit_gap_ms))
    target.create_time.CopyFrom(timestamp_of(description.create_time))
