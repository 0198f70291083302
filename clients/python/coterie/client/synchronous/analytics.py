"""Calls that count, and calls that look after the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from coterie.client import answers, requests
from coterie.client.connection import Connection
from coterie.client.types import Bucket, Freshness, ScanProgress, SubjectKind, Trend
from coterie.v1 import admin_service_pb2

LONG = 3_600.0
"""Seconds that work over all data of a dataset may take."""


class AnalyticsCalls(Connection):
    """Counts and trends."""

    def count(
        self,
        expression: str,
        *,
        of: SubjectKind = "user",
        at_least: Freshness = None,
        progress: Callable[[ScanProgress], object] | None = None,
    ) -> int:
        """How many members an expression such as `buyers and not churned` or `did purchase and in vip` has.

        With `progress`, which is told how far a scan of history is, the call takes as long as it takes.
        """
        return self.count_many([expression], of=of, at_least=at_least, progress=progress)[0]

    def count_many(
        self,
        expressions: Sequence[str],
        *,
        of: SubjectKind = "user",
        at_least: Freshness = None,
        progress: Callable[[ScanProgress], object] | None = None,
    ) -> list[int]:
        """How many members up to 1 000 expressions have, all at one revision."""
        analytics = self.services.analytics
        if progress is None:
            request = requests.counts(self.dataset, expressions, of, at_least)
            return answers.counts(self.call(analytics.CountMembers, request))
        streamed = requests.stream_counts(self.dataset, expressions, of, at_least)
        last = self.scan(analytics.StreamCountMembers, streamed, progress)
        return answers.counts(last.answer)

    def trend(
        self,
        segment: str,
        *,
        bucket: Bucket = "day",
        start: datetime | None = None,
        end: datetime | None = None,
        zone: str = "",
        reconstruct: bool = False,
    ) -> Trend:
        """Size, joins and leaves of a segment over time; with `reconstruct` also before it was created."""
        request = requests.trend(self.dataset, [segment], bucket, start, end, zone, reconstruct=reconstruct)
        return answers.trend(self.call(self.services.analytics.GetTrend, request, LONG if reconstruct else None))[
            segment
        ]


class AdminCalls(Connection):
    """Datasets, status, snapshots."""

    def status(self, *, at_least: Freshness = None) -> admin_service_pb2.GetStatusResponse:
        """How the dataset and its server are doing."""
        request = admin_service_pb2.GetStatusRequest(dataset=self.dataset, consistency=requests.consistency(at_least))
        return self.call(self.services.admin.GetStatus, request)

    def snapshot(self) -> admin_service_pb2.CreateSnapshotResponse:
        """Writes a snapshot and waits for it; a restart then replays only what comes after it."""
        request = admin_service_pb2.CreateSnapshotRequest(dataset=self.dataset)
        return self.call(self.services.admin.CreateSnapshot, request, LONG)

    def verify(self) -> admin_service_pb2.VerifyDataResponse:
        """Reads everything on disk and compares checksums."""
        request = admin_service_pb2.VerifyDataRequest(dataset=self.dataset)
        return self.call(self.services.admin.VerifyData, request, LONG)

    def create_dataset(self, dataset: str, *, time_zone: str = "", display_name: str = "") -> admin_service_pb2.Dataset:
        """Creates an empty, isolated dataset."""
        request = admin_service_pb2.CreateDatasetRequest(
            dataset=dataset, time_zone=time_zone, display_name=display_name, request_id=requests.new_request_id()
        )
        return self.call(self.services.admin.CreateDataset, request).created

    def datasets(self) -> Iterator[admin_service_pb2.Dataset]:
        """All datasets, by id."""
        request = admin_service_pb2.ListDatasetsRequest(page_size=1_000)
        while True:
            answer = self.call(self.services.admin.ListDatasets, request)
            yield from answer.datasets
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    def delete_dataset(self, dataset: str) -> None:
        """Deletes a dataset with everything in it, at once and for good."""
        request = admin_service_pb2.DeleteDatasetRequest(dataset=dataset, request_id=requests.new_request_id())
        self.call(self.services.admin.DeleteDataset, request)
