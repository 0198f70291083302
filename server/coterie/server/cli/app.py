"""The command line as a whole: which command is called what, and the options before all of them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from coterie.server.cli import admin, counting, explaining, exports, members, offline, segments, serving, watching
from coterie.server.cli.demo import command as demo
from coterie.server.cli.load import command as load
from coterie.server.cli.session import Dataset, Json, Shared, Target

app = typer.Typer(
    name="coterie",
    help="Coterie: real-time audience segmentation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_RUN = "Server"
_WRITE = "Data in"
_READ = "Who and how many"
_ADMIN = "Looking after it"

app.command(rich_help_panel=_RUN)(serving.serve)
app.command(rich_help_panel=_RUN)(demo.demo)
app.command("demo-data", rich_help_panel=_RUN)(demo.demo_data)
app.command(rich_help_panel=_WRITE)(load.load)
app.command("import", rich_help_panel=_WRITE)(members.import_list)
app.add_typer(segments.app, name="segment", rich_help_panel=_WRITE)
app.command(rich_help_panel=_READ)(members.check)
app.command("segments", rich_help_panel=_READ)(members.segments)
app.command("members", rich_help_panel=_READ)(members.members)
app.command(rich_help_panel=_READ)(exports.export)
app.command(rich_help_panel=_READ)(counting.count)
app.command(rich_help_panel=_READ)(counting.trend)
app.command(rich_help_panel=_READ)(members.profile)
app.command(rich_help_panel=_READ)(explaining.explain)
app.command(rich_help_panel=_READ)(watching.watch)
app.command(rich_help_panel=_READ)(counting.overlap)
app.command(rich_help_panel=_READ)(counting.compare)
app.command(rich_help_panel=_READ)(counting.funnel)
app.command(rich_help_panel=_READ)(counting.retention)
app.command(rich_help_panel=_ADMIN)(admin.status)
app.command(rich_help_panel=_ADMIN)(admin.snapshot)
app.command(rich_help_panel=_ADMIN)(admin.verify)
app.add_typer(admin.datasets, name="dataset", rich_help_panel=_ADMIN)
app.add_typer(offline.journal, name="journal", rich_help_panel=_ADMIN)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(version("coterie"))
        except PackageNotFoundError:
            typer.echo("unpackaged")
        raise typer.Exit


@app.callback()
def shared(
    context: typer.Context,
    target: Target = None,
    dataset: Dataset = None,
    as_json: Json = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the shared options where they stand before the command."""
    context.obj = Shared(target, dataset, as_json)


def main() -> None:
    """Runs the command line."""
    app(prog_name="coterie")
