"""`coterie load`: the command around a load: its options, its progress bar, its summary."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from coterie.client import CoterieError
from coterie.server.cli import render
from coterie.server.cli.arguments import zone_of
from coterie.server.cli.load.inference import guess_csv, guess_rows
from coterie.server.cli.load.json_lines import JsonLines
from coterie.server.cli.load.loader import JsonMaker, Loader, Maker, TableMaker, Totals
from coterie.server.cli.load.mapping import (
    ROW_NUMBER,
    Kind,
    Mapping,
    MappingInvalid,
    check_columns,
    check_complete,
    parse_mappings,
)
from coterie.server.cli.load.readers import Broken, CsvRows, JsonRows, ParquetRows, Row
from coterie.server.cli.load.refusals import Refusals
from coterie.server.cli.load.source import STANDARD_INPUT, Format, Source, SourceInvalid, format_of
from coterie.server.cli.load.tables import TableRows
from coterie.server.cli.session import INTERRUPTED, Session, remote

_PEEKED_ROWS = 10_000
"""Rows of standard input, which can be read only once, that decide what kind its columns are."""
_MAP_HELP = (
    "KEY=COLUMN[:TYPE] or KEY==CONSTANT; repeatable. KEY: user_id, anonymous_id, account_id, id.NAMESPACE, event_id, "
    "type, time, prop.NAME, context.NAME, attr.NAME. TYPE: string, number, bool, time[:STRPTIME]; default: as it looks."
)


@remote
def load(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, JSON lines or Parquet, also .gz; - is stdin.")],
    file_format: Annotated[Format | None, typer.Option("--format", help="Default: by the file's name.")] = None,
    maps: Annotated[list[str] | None, typer.Option("--map", metavar="KEY=COLUMN[:TYPE]", help=_MAP_HELP)] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="The zone of times without an offset.")] = "UTC",
    refusals: Annotated[
        Path | None, typer.Option("--refusals", help="Where refused rows go; default FILE.refused.jsonl here.")
    ] = None,
    delimiter: Annotated[str, typer.Option("--delimiter", help="Between the fields of a CSV file.")] = ",",
) -> None:
    """Load events and attributes from a file. Loading it again changes nothing where event_id is mapped."""
    zone = zone_of(timezone, "--timezone")
    if len(delimiter) != 1:
        raise typer.BadParameter("a delimiter is one character", param_hint="--delimiter")
    try:
        mappings = parse_mappings(maps or [])
        with _opened(file) as source:
            how = file_format or (Format.JSONL if file == STANDARD_INPUT else format_of(file))
            if how is Format.JSONL:
                rows: Iterator[Row] = iter(JsonRows(source.stream))
                maker: Maker = JsonMaker(JsonLines(mappings, zone, source.name))
                columns: Sequence[str] = ()
            else:
                check_complete(mappings)
                table = CsvRows(source.stream, delimiter) if how is Format.CSV else ParquetRows(source)
                check_columns(mappings, table.columns)
                rows, kinds = _with_kinds(session, table, mappings, source, delimiter)
                columns = table.columns
                built = TableRows(
                    mappings,
                    {name: index for index, name in enumerate(columns)},
                    kinds,
                    native=table.native_columns,
                    zone=zone,
                    file_name=source.name,
                )
                maker = TableMaker(built, with_line=any(one.column == ROW_NUMBER for one in mappings))
            refused = Refusals(refusals or Path(f"{_plain_name(source)}.refused.jsonl"), columns)
            _run(session, source, rows, maker, refused)
    except MappingInvalid as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None
    except SourceInvalid as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from None


@contextmanager
def _opened(file: str) -> Iterator[Source]:
    try:
        source = Source(file)
    except OSError as error:
        raise SourceInvalid(f"{file}: {error.strerror}") from None
    with source:
        yield source


def _plain_name(source: Source) -> str:
    return source.name.replace(" ", "-")


def _with_kinds(
    session: Session, table: CsvRows | ParquetRows, mappings: Sequence[Mapping], source: Source, delimiter: str
) -> tuple[Iterator[Row], dict[str, Kind]]:
    """The rows, and the kinds of the columns no mapping gives a type; seen in the file, or in its first rows."""
    if isinstance(table, ParquetRows):
        table.choose([name for name in table.columns if any(one.column == name for one in mappings)])
        return iter(table), dict.fromkeys(table.columns, Kind.STRING)
    undecided = sorted({one.column or "" for one in mappings if one.undecided and one.column != ROW_NUMBER})
    rows = iter(table)
    if not undecided:
        return rows, {}
    if source.rereadable:
        with source.again() as stream:
            guesses = guess_csv(stream, undecided, delimiter)
    else:
        first = list(islice(rows, _PEEKED_ROWS))
        rows = chain(first, rows)
        readable = [row for _, row in first if not isinstance(row, Broken)]
        guesses = guess_rows(readable, {name: table.columns.index(name) for name in undecided})
    for name, guess in guesses.items():
        if guess.loses_digits:
            session.errors.print(
                f"note: {name} holds whole numbers too large for a number's 53 bits; map it as {name}:string to keep"
                " every digit"
            )
    return rows, {name: guess.kind for name, guess in guesses.items()}


def _run(session: Session, source: Source, rows: Iterator[Row], maker: Maker, refused: Refusals) -> None:
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=session.errors,
        transient=True,
        disable=not session.animated,
    )
    task = progress.add_task(source.name, total=source.size, figures="")

    def show(totals: Totals) -> None:
        seconds = progress.tasks[0].elapsed or 0.001
        figures = f"{render.number(totals.rows)} rows, {render.number(totals.rows / seconds)}/s"
        progress.update(task, completed=source.position, figures=figures)

    loader = Loader(session.client, maker, refused, show)
    with progress:
        try:
            loader.run(rows)
        except CoterieError:
            _summarise(session, loader.totals, refused)
            session.errors.print(f"the load ended after line {loader.totals.last_line}")
            raise
    totals = loader.totals
    _summarise(session, totals, refused)
    if totals.interrupted:
        session.errors.print(f"interrupted: rows up to line {totals.last_line} are in; later ones are not")
        raise typer.Exit(INTERRUPTED)


def _summarise(session: Session, totals: Totals, refused: Refusals) -> None:
    if session.as_json:
        answer = {
            "accepted": totals.accepted,
            "duplicates": totals.duplicates,
            "refused": totals.refused,
            "revision": totals.revision,
        }
        typer.echo(json.dumps(answer))
        return
    session.console.print(
        f"{render.number(totals.rows)} rows: {render.number(totals.accepted)} accepted, "
        f"{render.number(totals.duplicates)} duplicates, {render.number(totals.refused)} refused"
        + (f"; {render.number(totals.attributes_set)} attribute updates" if totals.attributes_set else "")
    )
    if not refused.rows:
        return
    session.console.print(
        render.rows(
            render.table("reason", "field", ">rows", ">first line", "as in"),
            (
                (reason, field, render.number(kindred.rows), kindred.first_line, kindred.first_message)
                for (reason, field), kindred in refused.by_reason.items()
            ),
        )
    )
    session.console.print(f"refused rows are in {refused.path}")
