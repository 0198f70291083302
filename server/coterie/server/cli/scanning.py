"""Calls that scan history: a progress bar while they take, and a clean end on Ctrl-C."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from coterie.client.types import ScanProgress
from coterie.server.cli import render
from coterie.server.cli.session import Session


def scanned(session: Session, method: Any, request: Message) -> Any:
    """Makes a streaming call and returns its answer; leaving early, by Ctrl-C for one, ends the scan on the server."""
    columns = (
        TextColumn("scanning history"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]} events"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=session.errors, transient=True, disable=not session.animated) as bar:
        task = bar.add_task("", total=1.0, events="0")

        def show(progress: ScanProgress) -> None:
            bar.update(task, completed=progress.fraction, events=render.number(progress.scanned_events))

        return session.client.scan(method, request, show)
