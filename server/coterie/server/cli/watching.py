"""`coterie watch`: joins and leaves as they happen, one line each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, cast

import grpc
import typer
from rich.text import Text

from coterie.client import Change, SubjectGone
from coterie.client.errors import translate
from coterie.client.requests import revision
from coterie.server.cli.arguments import duration_of
from coterie.server.cli.session import Session, print_json, remote
from coterie.v1.membership_service_pb2 import WatchMembershipRequest


@remote
def watch(
    session: Session,
    segments: Annotated[list[str] | None, typer.Argument(metavar="[SEG]...", help="Default: all.")] = None,
    since: Annotated[str, typer.Option("--since", metavar="REVISION", help="Begin after it; default: now.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="End after so many changes; 0: never.")] = 0,
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="End after '30 seconds', say.")] = "",
) -> None:
    """Follow joins and leaves as they happen, until Ctrl-C."""
    length = duration_of(duration, "--for") if duration else None
    follow = _watch_messages if session.as_json else _watch_lines
    follow(session, tuple(segments or ()), since, limit, length)


def _watch_lines(session: Session, segments: tuple[str, ...], since: str, limit: int, length: timedelta | None) -> None:
    """Prints a line for each subject; goes on after a broken connection, without gap or repeat."""
    printed = 0
    with session.client.watch(*segments, since=since or None) as watching, _ending(watching.close, length):
        for seen in watching:
            session.console.print(change_line(seen) if isinstance(seen, Change) else gone_line(seen))
            printed += isinstance(seen, Change)
            if limit and printed >= limit:
                return


def _watch_messages(
    session: Session, segments: tuple[str, ...], since: str, limit: int, length: timedelta | None
) -> None:
    """Prints the server's messages as they come, those of progress too."""
    request = WatchMembershipRequest(
        dataset=session.dataset, segments=segments, after=revision(since) if since else None
    )
    call = session.client.services.memberships.WatchMembership(request)
    cancel = cast(grpc.Call, call).cancel
    printed = 0
    try:
        with _ending(cancel, length):
            for message in call:
                print_json(message)
                printed += len(message.change.joined) + len(message.change.left)
                if limit and printed >= limit:
                    return
    except grpc.RpcError as failure:
        error = translate(failure)
        if error.code is not grpc.StatusCode.CANCELLED:
            raise error from None
    finally:
        cancel()


@contextmanager
def _ending(end: Callable[[], object], after: timedelta | None) -> Iterator[None]:
    """Calls `end` once that long has passed."""
    if after is None:
        yield
        return
    timer = threading.Timer(after.total_seconds(), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def change_line(change: Change) -> Text:
    """One line: when, who, joined or left what, why."""
    sign, verb, style = ("+", "joined", "green") if change.joined else ("-", "left", "red")
    return Text.assemble(
        f"{change.at:%H:%M:%S} ",
        (f"{sign} {change.subject.value} {verb} {change.segment}", style),
        (f"  {change.cause}", "dim"),
    )


def gone_line(gone: SubjectGone) -> Text:
    """One line: who is no more, and why."""
    fate = f"became a part of {gone.survivor.value}" if gone.survivor else "was deleted"
    return Text(f"{gone.at:%H:%M:%S} . {gone.subject.value} {fate}", style="dim")
