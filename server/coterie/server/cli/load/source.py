"""The file a load reads: standard input or a path, unpacked by suffix, with how much of it has been read.

Owns the open handles. Invariant: `position` counts bytes as they lie on disk, so that a progress bar over a
compressed file ends where the file ends.
"""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

STANDARD_INPUT = "-"


class Format(Enum):
    """How the rows are written; the value is how the command line spells it."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_SUFFIXES = {
    ".csv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
    ".parquet": Format.PARQUET,
}


class SourceInvalid(ValueError):
    """The file cannot be read as what it is said to be; the message says why."""


def format_of(file: str) -> Format:
    """The format a file's name tells (`x.csv.gz` is CSV)."""
    suffixes = [suffix.lower() for suffix in Path(file).suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    try:
        return _SUFFIXES[suffixes[-1]]
    except (IndexError, KeyError):
        raise SourceInvalid(f"{file}: the name does not tell the format; give --format csv, jsonl or parquet") from None


class Source:
    """An open file of rows."""

    def __init__(self, file: str) -> None:
        self.name = "standard input" if file == STANDARD_INPUT else Path(file).name
        self.rereadable = file != STANDARD_INPUT
        self._file = file
        self._raw = sys.stdin.buffer if file == STANDARD_INPUT else Path(file).open("rb")  # noqa: SIM115 - closed on exit
        self.size = Path(file).stat().st_size if self.rereadable and Path(file).is_file() else None
        self.stream = _unpacked(self._raw, file)

    @contextmanager
    def again(self) -> Iterator[BinaryIO]:
        """A second, independent stream of the same bytes (only of what is `rereadable`)."""
        with Path(self._file).open("rb") as raw, _unpacked(raw, self._file) as stream:
            yield stream

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()
        if self.rereadable:
            self._raw.close()


def _unpacked(raw: BinaryIO, file: str) -> BinaryIO:
    if file.lower().endswith(".gz"):
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=raw)), 1 << 18))
    return raw
