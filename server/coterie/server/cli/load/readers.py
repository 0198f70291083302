"""Rows of CSV, JSON lines and Parquet files, each with the number of its line.

Owns how a file falls into rows, nothing of what they mean. Invariant: a row that cannot be read is yielded as a
`Broken` row with its line and does not end the reading of the others.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from coterie.server.cli.load.source import Source, SourceInvalid

_BATCH_ROWS = 8_192
_LONGEST_FIELD = 4 << 20
"""Bytes of one CSV field; a longer one is mostly a quote that was never closed."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be read."""

    message: str
    text: str


Row: TypeAlias = "tuple[int, Sequence[Any] | str | Broken]"
"""Line number (of Parquet: row number, from 1), and the row: the table's values, a JSON line, or what was wrong."""


class CsvRows:
    """A CSV file with a header line."""

    native_columns: frozenset[str] = frozenset()

    def __init__(self, stream: BinaryIO, delimiter: str) -> None:
        # Bytes that are no UTF-8 are carried along as surrogates, so that they spoil their own row only.
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        csv.field_size_limit(_LONGEST_FIELD)
        self._reader = csv.reader(text, delimiter=delimiter)
        try:
            self.columns = next(self._reader)
        except StopIteration:
            raise SourceInvalid("the file is empty: a CSV file begins with a line of column names") from None
        except csv.Error as error:
            raise SourceInvalid(f"the line of column names cannot be read: {error}") from None

    def __iter__(self) -> Iterator[Row]:
        """Yields each row with the number of the line it begins on; blank lines are skipped."""
        reader, width = self._reader, len(self.columns)
        line = reader.line_num + 1
        while True:
            try:
                for values in reader:
                    if len(values) == width:
                        yield line, values
                    elif values:
                        yield line, Broken(f"{len(values)} fields, the header has {width}", ",".join(values))
                    line = reader.line_num + 1
            except csv.Error as error:
                yield line, Broken(str(error), "")
                line = reader.line_num + 1
                continue
            return


class JsonRows:
    """JSON lines: one object a line."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Row]:
        """Yields each line's text; blank lines are skipped."""
        for number, line in enumerate(self._stream, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                yield (
                    number,
                    Broken(f"not UTF-8: {error.reason} at byte {error.start + 1}", line.decode(errors="replace")),
                )
                continue
            if text and not text.isspace():
                yield number, text


class ParquetRows:
    """A Parquet file; only the columns chosen are read."""

    def __init__(self, source: Source) -> None:
        if not source.rereadable:
            raise SourceInvalid("Parquet cannot be read from standard input")
        try:
            self._file = pyarrow.parquet.ParquetFile(source.stream)
        except pa.ArrowInvalid as error:
            raise SourceInvalid(f"{source.name} is not a Parquet file: {error}") from None
        self.columns: list[str] = self._file.schema_arrow.names
        self._schema = self._file.schema_arrow

    def choose(self, columns: Sequence[str]) -> None:
        """Reads only these columns from here on, in the order given."""
        self.columns = list(columns)

    @property
    def native_columns(self) -> frozenset[str]:
        """The columns whose cells are no text."""
        return frozenset(name for name in self.columns if not _is_text(self._schema.field(name).type))

    def __iter__(self) -> Iterator[Row]:
        """Yields each row's values in the order of `columns`: text ("" where there is none) or Python values."""
        number = 0
        for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, columns=self.columns):
            ordered = [_cells(batch.column(name)) for name in self.columns]
            for values in zip(*ordered, strict=True):
                number += 1
                yield number, values


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _cells(column: pa.Array) -> list[Any]:
    if _is_text(column.type):
        return list(pc.fill_null(column.cast(pa.string()), "").to_pylist())
    if pa.types.is_timestamp(column.type):
        # Coterie's clock has milliseconds; Python's datetime could not hold nanoseconds anyway.
        column = column.cast(pa.timestamp("ms", column.type.tz), safe=False)
    return list(column.to_pylist())
