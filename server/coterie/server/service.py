"""What the services share: finding the dataset, freshness, idempotence, limits, pages.

Owns the few lines every handler begins with. Handlers raise domain errors and know no status codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sized
from typing import Any, TypeVar

from coterie.index.errors import FieldInvalid, LimitExceeded
from coterie.server.binding import Context
from coterie.server.catalogue import Catalogue
from coterie.server.config import ServerSettings
from coterie.server.consistency import settle
from coterie.server.convert.wire import canonical_bytes
from coterie.server.dataset import Dataset

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class Service:
    """A service over the catalogue of datasets."""

    def __init__(self, catalogue: Catalogue, settings: ServerSettings) -> None:
        self._catalogue = catalogue
        self._settings = settings

    def dataset(self, name: str) -> Dataset:
        """Returns an open dataset; DatasetNotFound."""
        return self._catalogue.get(name)

    async def _reading(self, request: Any, context: Context) -> Dataset:
        """Returns the dataset of a read, as fresh as the request asks."""
        dataset = self._catalogue.get(request.dataset)
        if dataset.writer.condition.failed:
            dataset.check_serving()
        if request.HasField("consistency"):
            await settle(dataset, request.consistency, context)
        return dataset

    async def _once(self, dataset: Dataset, request: Any, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Does the work of a mutating call, once for each request id."""
        if not request.request_id:
            return await work()
        name = request.DESCRIPTOR.name
        body = canonical_bytes(request)
        return await dataset.requests.once(request.request_id, name, body, work)

    def _page_size(self, given: int, default: int, most: int | None = None) -> int:
        """Returns how many entries go on a page."""
        if given < 0:
            raise FieldInvalid("page_size", "must not be negative")
        return min(given or default, most or self._settings.max_page_size)


def check_count(items: Sized, field: str, what: str, most: int, least: int = 0) -> None:
    """Raises where there are too few or too many."""
    if len(items) > most:
        raise LimitExceeded(field, what, len(items), most)
    if len(items) < least:
        raise FieldInvalid(field, f"needs at least {least}" if least > 1 else "must not be empty")
