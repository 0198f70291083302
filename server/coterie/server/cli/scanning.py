"""Calls that scan history: a progress bar while they take, and a clean end on Ctrl-C.

The call runs in a thread of its own, so that Ctrl-C never strikes inside of gRPC, whose locks do not survive that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
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

        return _beside(lambda: session.client.scan(method, request, show), session.client.close)


_LOOK_SECONDS, _END_SECONDS = 0.1, 2.0


def _beside(call: Callable[[], Any], give_up: Callable[[], None]) -> Any:
    """Returns what a call made in another thread returns, or raises what it raises; gives up on Ctrl-C."""
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["answer"] = call()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            outcome["error"] = error

    # A handler that only notes it: a KeyboardInterrupt could strike in a finalizer, where it would be lost.
    pressed = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: pressed.set())
    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
        while thread.is_alive() and not pressed.is_set():
            thread.join(_LOOK_SECONDS)
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed.is_set():
        give_up()
        thread.join(_END_SECONDS)
        raise KeyboardInterrupt
    if "error" in outcome:
        raise outcome["error"]
    return outcome["answer"]
