"""`coterie export`: all members of an expression into a CSV or Parquet file, or as a Roaring bitmap.

Owns the files it writes. Invariant: a file appears under its name only when it is whole.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet
import typer

from coterie.client import requests
from coterie.client.values import from_message
from coterie.server.cli import render
from coterie.server.cli.arguments import Accounts, kind_of, name_of, names_of
from coterie.server.cli.members import Attributes, Expression
from coterie.server.cli.session import Session, remote
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as memberships

_IDS_SUFFIX = ".ids.csv"


class ExportFormat(StrEnum):
    """The forms of an export."""

    CSV = "csv"
    PARQUET = "parquet"
    ROARING = "roaring"


@remote
def export(
    session: Session,
    expression: Expression,
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="A file, a URL such as s3://bucket/key, or - for stdout.")
    ],
    export_format: Annotated[ExportFormat, typer.Option("--format", help="The form.")] = ExportFormat.CSV,
    attributes: Attributes = "",
    accounts: Accounts = False,
) -> None:
    """Write all members of an expression, as of one revision, to a file."""
    is_roaring = export_format is ExportFormat.ROARING
    names = names_of(attributes)
    if is_roaring and names:
        raise typer.BadParameter("a bitmap has no attributes", param_hint="--attributes")
    if to == "-" and export_format is not ExportFormat.CSV:
        raise typer.BadParameter("only csv can go to stdout", param_hint="--to")
    request = memberships.ExportMembersRequest(
        dataset=session.dataset,
        expression=expression,
        subject_kind=requests.subject_kind(kind_of(accounts=accounts)),
        format=memberships.EXPORT_FORMAT_ROARING if is_roaring else memberships.EXPORT_FORMAT_MEMBERS,
        attributes=names,
        batch_size=5_000,
    )
    last = memberships.ExportMembersResponse()
    messages = _keep_last(session.client.stream(session.client.services.memberships.ExportMembers, request), last)
    if export_format is ExportFormat.CSV:
        _write_csv(to, names, messages)
    elif export_format is ExportFormat.PARQUET:
        _write_parquet(to, names, messages)
    else:
        _write_roaring(to, messages)
    if to != "-":
        session.show(last, lambda done: f"{render.number(done.total_size)} members written to {to}")


def _keep_last(
    messages: Iterable[memberships.ExportMembersResponse], last: memberships.ExportMembersResponse
) -> Iterator[memberships.ExportMembersResponse]:
    """Passes messages on, and leaves in `last` what the newest says of the whole export."""
    for message in messages:
        last.revision.CopyFrom(message.revision)
        last.now.CopyFrom(message.now)
        last.total_size = message.total_size
        last.cursor = message.cursor
        yield message


def _write_csv(to: str, names: Sequence[str], messages: Iterable[memberships.ExportMembersResponse]) -> None:
    with _text(to) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "namespace", *names))
        for message in messages:
            for member in message.batch.members:
                identifier = name_of(member.identifiers)
                cells = [render.value(member.attributes[name]) if name in member.attributes else "" for name in names]
                writer.writerow((identifier.value, identifier.namespace, *cells))


def _write_parquet(to: str, names: Sequence[str], messages: Iterable[memberships.ExportMembersResponse]) -> None:
    """Columns get the type of the first batch's values; an attribute of the dataset has one type anyway."""
    writer: pyarrow.parquet.ParquetWriter | None = None
    with _binary(to) as file:
        try:
            for message in messages:
                batch = _arrow(message.batch.members, names, writer.schema if writer else None)
                writer = writer or pyarrow.parquet.ParquetWriter(file, batch.schema)
                writer.write_batch(batch)
        finally:
            (writer or pyarrow.parquet.ParquetWriter(file, _arrow([], names, None).schema)).close()


def _arrow(members: Sequence[memberships.Member], names: Sequence[str], schema: pa.Schema | None) -> pa.RecordBatch:
    identifiers = [name_of(member.identifiers) for member in members]
    columns: dict[str, list[Any]] = {
        "id": [identifier.value for identifier in identifiers],
        "namespace": [identifier.namespace for identifier in identifiers],
    }
    for name in names:
        columns[name] = [_python(member.attributes, name) for member in members]
    if schema is not None:
        return pa.record_batch([pa.array(columns[field.name], field.type) for field in schema], schema=schema)
    arrays = [
        pa.array(cells, pa.string()) if name in {"id", "namespace"} else _typed(cells)
        for name, cells in columns.items()
    ]
    return pa.record_batch(arrays, names=list(columns))


def _typed(cells: list[Any]) -> pa.Array:
    made = pa.array(cells)
    return made.cast(pa.string()) if pa.types.is_null(made.type) else made


def _python(attributes: Any, name: str) -> Any:
    """The Python value of an attribute; of one the member does not have, none."""
    return from_message(attributes[name]) if name in attributes else None


def _write_roaring(to: str, messages: Iterable[memberships.ExportMembersResponse]) -> None:
    """The bitmap as it comes; beside it, which of its ids is who."""
    with _binary(to) as file, _text(to + _IDS_SUFFIX) as ids:
        writer = csv.writer(ids, lineterminator="\n")
        writer.writerow(("dense_id", "id", "namespace"))
        for message in messages:
            part = message.WhichOneof("part")
            if part == "bitmap":
                file.write(message.bitmap.data)
            elif part == "dictionary":
                named: Iterable[tuple[int, common_pb2.Identifier]] = zip(
                    message.dictionary.ids, message.dictionary.identifiers, strict=True
                )
                writer.writerows((dense_id, one.value, one.namespace) for dense_id, one in named)


@contextmanager
def _binary(to: str) -> Iterator[IO[bytes]]:
    """A file to write; one on this machine is renamed into place when it is whole."""
    if "://" in to and not to.startswith("file://"):
        system, path = pyarrow.fs.FileSystem.from_uri(to)
        with system.open_output_stream(path) as file:
            yield file
        return
    path = Path(to.removeprefix("file://"))
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _text(to: str) -> Iterator[IO[str]]:
    if to == "-":
        yield sys.stdout
        return
    with _binary(to) as binary:
        text = _Utf8(binary)
        yield text  # type: ignore[misc]


class _Utf8:
    """The little of a text file that the CSV writer needs, over any binary file."""

    def __init__(self, binary: IO[bytes]) -> None:
        self._binary = binary

    def write(self, text: str) -> int:
        """Writes text as UTF-8."""
        self._binary.write(text.encode())
        return len(text)
