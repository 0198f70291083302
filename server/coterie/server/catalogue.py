"""The datasets of a server: which there are, and opening, creating and deleting them.

Owns the data directory, one sub-directory for each dataset, and the lock that keeps a second server out of it.
Invariant: a dataset is listed exactly while it is open; one that is half created or half deleted is never opened.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import re
import shutil
from copy import copy
from pathlib import Path
from typing import IO

from coterie.index.errors import (
    CoterieError,
    DatasetExists,
    DatasetNotFound,
    FieldInvalid,
    LimitExceeded,
    Unavailable,
)
from coterie.server.clock import Clock
from coterie.server.config import ConfigurationError, ServerSettings
from coterie.server.dataset import DESCRIPTION_FILE, Dataset, Description
from coterie.server.requests import RequestMemory
from coterie.server.tokens import Tokens
from coterie.server.way import Way

_log = logging.getLogger("coterie.server")
DEFAULT_DATASET = "default"
DATASETS_DIRECTORY = "datasets"
LOCK_FILE = "LOCK"
_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)


def check_dataset_id(name: str, field: str) -> str:
    """Returns the id of a dataset to be."""
    if _ID.fullmatch(name) is None:
        raise FieldInvalid(field, f"{name[:80]!r} is no dataset id; it must match [a-z][a-z0-9_-]{{0,62}}")
    return name


class Catalogue:
    """The open datasets by id."""

    def __init__(self, settings: ServerSettings, clock: Clock) -> None:
        self._settings, self.clock = settings, clock
        self.way = Way()
        self.started_at = clock.now()
        self.tokens = Tokens("", "catalogue")
        self.requests = RequestMemory(settings.request_ids, settings.request_id_ms, clock.now)
        self._datasets: dict[str, Dataset] = {}
        self._failed: dict[str, CoterieError] = {}  # what could not be opened, and why
        self._changing = asyncio.Lock()
        self._lock: IO[str] | None = None
        self._closing = False

    def get(self, name: str) -> Dataset:
        """Returns an open dataset; empty means the default one."""
        dataset = self._datasets.get(name or DEFAULT_DATASET)
        if dataset is None:
            raise self._absence(name or DEFAULT_DATASET)
        return dataset

    def _absence(self, name: str) -> CoterieError:
        if self._closing:
            return Unavailable("the server is stopping")
        failed = self._failed.get(name)
        return DatasetNotFound(name[:80]) if failed is None else copy(failed)

    def all(self) -> list[Dataset]:
        """Returns the open datasets, by id."""
        return [self._datasets[name] for name in sorted(self._datasets)]

    async def open(self) -> None:
        """Locks the data directory and opens every dataset in it, creating the default one where it is missing."""
        root = self._settings.data_directory / DATASETS_DIRECTORY
        root.mkdir(parents=True, exist_ok=True)
        self._lock = lock_directory(self._settings.data_directory)
        for directory in sorted(root.iterdir()):
            if (directory / DESCRIPTION_FILE).exists():
                await self._try_open(directory)
            elif directory.is_dir():
                shutil.rmtree(directory)  # half created or half deleted
        if DEFAULT_DATASET not in self._datasets and DEFAULT_DATASET not in self._failed:
            zone, gap = self._settings.engine.timezone, self._settings.engine.visit_gap_ms
            await self.create(Description(DEFAULT_DATASET, DEFAULT_DATASET, zone, gap, self.clock.now()))

    async def create(self, description: Description) -> Dataset:
        """Creates a dataset and opens it."""
        async with self._changing:
            if description.id in self._datasets or description.id in self._failed:
                raise DatasetExists(description.id)
            if len(self._datasets) >= self._settings.max_datasets:
                raise LimitExceeded("dataset", "datasets", len(self._datasets) + 1, self._settings.max_datasets)
            directory = self._settings.data_directory / DATASETS_DIRECTORY / description.id
            directory.mkdir(parents=True)
            try:
                description.save(directory)
                return await self._open(directory)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise

    async def delete(self, name: str) -> None:
        """Closes a dataset and removes its directory."""
        async with self._changing:
            dataset = self.get(name)
            del self._datasets[name]
            await dataset.close(snapshot=False)
            # Without its description a directory is none of a dataset's, should the removal break off.
            (dataset.directory / DESCRIPTION_FILE).unlink()
            await asyncio.to_thread(shutil.rmtree, dataset.directory)

    async def _try_open(self, directory: Path) -> None:
        """Opens a dataset; one that cannot be opened answers with the reason, and the others are served."""
        try:
            await self._open(directory)
        except CoterieError as error:
            _log.error("dataset %r cannot be opened: %s", directory.name, error.message)
            self._failed[directory.name] = error

    async def _open(self, directory: Path) -> Dataset:
        dataset = await Dataset.open(directory, self.clock, self._settings, self.way)
        self._datasets[dataset.description.id] = dataset
        return dataset

    def end_streams(self) -> None:
        """Ends the calls that would go on for ever."""
        for dataset in self._datasets.values():
            dataset.end_streams()

    async def close(self, *, snapshot: bool = True) -> None:
        """Closes every dataset, with a last snapshot or without, and unlocks the directory."""
        self._closing = True
        async with self._changing:
            for name in sorted(self._datasets):
                await self._datasets.pop(name).close(snapshot=snapshot)
        if self._lock is not None:
            self._lock.close()


def lock_directory(directory: Path) -> IO[str]:
    """Returns the open lock file; ConfigurationError where another process holds it."""
    file = (directory / LOCK_FILE).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ConfigurationError(f"data directory {directory}: another server is using it") from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
