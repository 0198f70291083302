"""How LMDB is opened and how its failures are told: one place for both environments of a dataset.

Invariant: the format is LMDB 0.9's, every commit is synced, and the map is opened at its limit and never
resized, since growing it under open readers would pull their memory away. Open after any fork.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import lmdb

from coterie.index.errors import CoterieError, DataLoss, StorageFull, Unavailable

MAP_SIZE: Final = 1 << 40  # of address space, not of disk
LMDB_FORMAT: Final = 0  # 0.9; what the library calls 1 cannot be read by it, nor the other way round
MAX_KEY_BYTES: Final = 511

_RESERVE: Final = 256 << 10
_ENTRY_OVERHEAD: Final = 64  # bytes of a node and its share of a page, roughly

T = TypeVar("T")


def open_environment(path: Path, databases: int, map_size: int = MAP_SIZE) -> lmdb.Environment:
    """Opens (or creates) an environment; raises DataLoss for damaged files, Unavailable for unreadable ones."""
    path.mkdir(parents=True, exist_ok=True)
    return guarded(
        path.name,
        lambda: lmdb.open(
            str(path),
            map_size=map_size,
            max_dbs=databases,
            max_readers=126,
            readahead=False,  # lookups are random; scans are sequential in the page cache anyway
            writemap=False,
            sync=True,
            metasync=True,
            lib_version=LMDB_FORMAT,
        ),
    )


def check_room(
    name: str,
    transaction: lmdb.Transaction,
    databases: Iterable[Any],
    map_size: int,
    entries: Iterable[tuple[bytes, bytes]],
) -> None:
    """Raises StorageFull where entries would use up the map but for a reserve: to delete takes a few pages, too."""
    stats = [transaction.stat(database) for database in databases]
    used = sum(stat["psize"] * (stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]) for stat in stats)
    coming = sum(len(key) + len(value) + _ENTRY_OVERHEAD for key, value in entries)
    if used + coming > map_size - max(map_size // 64, _RESERVE):
        raise StorageFull(f"no room left for {name}: {used} of {map_size} bytes are in use", database=name)


def guarded(name: str, work: Callable[[], T]) -> T:
    """Does storage work, with LMDB's errors told as domain errors; `name` says whose files they are."""
    try:
        return work()
    except (lmdb.Error, OSError) as error:
        raise domain_error(name, error) from error


def domain_error(name: str, error: Exception) -> CoterieError:
    """Returns the domain error that tells of a storage failure."""
    if isinstance(error, lmdb.MapFullError) or _code(error) in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull(f"no room left for {name}: {error}", database=name)
    if isinstance(error, lmdb.CorruptedError | lmdb.PageNotFoundError | lmdb.InvalidError | lmdb.VersionMismatchError):
        return DataLoss(name, f"its files ({error})")
    return Unavailable(f"{name} cannot be read or written: {error}", database=name)


def _code(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    # LMDB puts the system's text into the message of its generic error.
    return errno.ENOSPC if "No space left on device" in str(error) else getattr(error, "code", None)
