"""`coterie verify --data` and `coterie journal skip`: looking after data while no server runs on it.

Opens a dataset's files itself, under the lock a server would hold. Invariant: nothing is opened that is not there,
and a file's structure is checked in a process of its own first, since a torn one can kill who opens it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from coterie.index.errors import CoterieError
from coterie.index.storage.journal import Journal
from coterie.index.storage.recovery import JOURNAL_DIRECTORY, STATE_DIRECTORY, DirectoryLock
from coterie.index.storage.store import StateStore
from coterie.server.cli import render
from coterie.server.cli.arguments import instant_of
from coterie.server.cli.session import REFUSED

journal = typer.Typer(help="Mend a dataset's journal while no server runs on it.", no_args_is_help=True)

_DATASETS = "datasets"

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="The server's data directory.")]


@journal.command("skip")
def skip(
    revision: Annotated[int, typer.Argument(metavar="REVISION", min=1, help="The number of the record.")],
    data: Data,
    dataset: Annotated[str, typer.Option("--dataset", metavar="ID", help="The dataset.")] = "default",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When, where the record itself cannot be read.")] = "",
) -> None:
    """Leave out a record that cannot be applied, so that the dataset can be opened again; its frame is kept aside."""
    moment = round(instant_of(at, UTC, "--at").timestamp() * 1000) if at else None
    with _failing(), _locked(data, dataset) as directory:
        opened = Journal(directory / JOURNAL_DIRECTORY)
        try:
            opened.skip(revision, moment)
        finally:
            opened.close()
    typer.echo(f"record {revision} of {dataset} will be left out")


def verify_directory(data: Path) -> None:
    """Checks every dataset of a data directory; ends with status 1 where something is damaged."""
    found = sorted(path.name for path in (data / _DATASETS).iterdir()) if (data / _DATASETS).is_dir() else []
    if not found:
        raise typer.BadParameter(f"{data} holds no datasets", param_hint="--data")
    damaged = False
    for dataset in found:
        with _failing(), _locked(data, dataset) as directory:
            entries, faults = _verify(directory)
        typer.echo(f"{dataset}: {render.number(entries)} entries, {_told(faults)}")
        damaged = damaged or bool(faults)
    if damaged:
        raise typer.Exit(REFUSED)


def _verify(directory: Path) -> tuple[int, list[str]]:
    """How many entries there are, and what is wrong with them; structure first, then the values."""
    paths = [directory / name for name in (JOURNAL_DIRECTORY, STATE_DIRECTORY)]
    torn = [fault for path in paths for fault in _torn(path)]
    if torn:
        return 0, torn
    entries, faults = 0, []
    for opened in (Journal(paths[0]), StateStore(paths[1])):
        try:
            for damage in opened.verify():
                entries += 1
                if damage is not None:
                    faults.append(damage.message)
        finally:
            opened.close()
    return entries, faults


def _torn(path: Path) -> list[str]:
    command = [sys.executable, "-m", "lmdb", "-e", str(path), "verify"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    if checked.returncode == 0:
        return []
    said = (checked.stderr or checked.stdout).strip().splitlines()
    return [f"{path.name}: the file's structure is damaged ({said[-1] if said else f'status {checked.returncode}'})"]


def _told(faults: list[str]) -> str:
    return "damaged:\n" + "\n".join(f"  {fault}" for fault in faults) if faults else "all checksums are right"


@contextmanager
def _locked(data: Path, dataset: str) -> Iterator[Path]:
    directory = data / _DATASETS / dataset
    if not (directory / JOURNAL_DIRECTORY).is_dir():
        raise typer.BadParameter(f"{data} holds no dataset {dataset!r}", param_hint="--data")
    lock = DirectoryLock(directory)
    try:
        yield directory
    finally:
        lock.release()


@contextmanager
def _failing() -> Iterator[None]:
    """Turns the storage's own errors into a message and exit status 1."""
    try:
        yield
    except CoterieError as error:
        typer.echo(f"{error.reason}: {error.message}", err=True)
        raise typer.Exit(REFUSED) from None
