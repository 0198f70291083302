"""`coterie segment …`: creating, editing, listing and trying out segments."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from coterie.client import requests
from coterie.client.types import Mode, Universe
from coterie.server.cli import render
from coterie.server.cli.arguments import Accounts, duration_of, kind_of, labels_of
from coterie.server.cli.scanning import scanned
from coterie.server.cli.session import Session, remote
from coterie.v1 import segment_service_pb2

app = typer.Typer(help="Create, edit, list and try out segments.", no_args_is_help=True)

_POLL_SECONDS = 0.05

Name = Annotated[str, typer.Argument(metavar="NAME", help="The segment's id.")]
ModeOption = Annotated[str, typer.Option("--mode", help="How long members stay: live, sticky or once.")]
TtlOption = Annotated[str, typer.Option("--ttl", help="Sticky: how long after the rule last held ('30 days').")]
UniverseOption = Annotated[str, typer.Option("--universe", help="Which subjects: all, known or anonymous.")]
DisplayName = Annotated[str | None, typer.Option("--display-name", help="A name for people.")]
Description = Annotated[str | None, typer.Option("--description", help="What it is for.")]
Labels = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label; repeatable.")]
Author = Annotated[str, typer.Option("--author", help="Who does this, as the version list shows.")]
Etag = Annotated[str, typer.Option("--etag", help="Refuse if the segment was changed since this was read.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the segment answers.")]


def _mode(text: str) -> Mode | None:
    modes: dict[str, Mode | None] = {"": None, "live": "live", "sticky": "sticky", "once": "once"}
    if text not in modes:
        raise typer.BadParameter(f"{text!r} is not live, sticky or once", param_hint="--mode")
    return modes[text]


def _universe(text: str) -> Universe | None:
    universes: dict[str, Universe | None] = {"": None, "all": "all", "known": "known", "anonymous": "anonymous"}
    if text not in universes:
        raise typer.BadParameter(f"{text!r} is not all, known or anonymous", param_hint="--universe")
    return universes[text]


@app.command("create")
@remote
def create(
    session: Session,
    name: Name,
    rule: Annotated[str, typer.Argument(metavar="'RULE'", help="The rule as text; none for a list.")] = "",
    is_list: Annotated[bool, typer.Option("--list", help="A list, whose members are changed by hand.")] = False,
    accounts: Accounts = False,
    mode: ModeOption = "",
    ttl: TtlOption = "",
    universe: UniverseOption = "",
    display_name: DisplayName = None,
    description: Description = None,
    label: Labels = None,
    author: Author = "",
    validate_only: Annotated[bool, typer.Option("--validate-only", help="Check it and create nothing.")] = False,
    wait: Wait = True,
) -> None:
    """Create a segment from a rule, or a list."""
    if bool(rule) == is_list:
        raise typer.BadParameter("give either a rule or --list", param_hint="'RULE'")
    segment = requests.segment(
        name, rule=rule, kind="list" if is_list else "rule", of=kind_of(accounts=accounts), mode=_mode(mode),
        ttl=duration_of(ttl, "--ttl") if ttl else None, universe=_universe(universe),
        display_name=display_name, description=description, labels=labels_of(label or []),
    )  # fmt: skip
    request = segment_service_pb2.CreateSegmentRequest(
        dataset=session.dataset, segment=segment, author=author, validate_only=validate_only,
        request_id=requests.new_request_id(),
    )  # fmt: skip
    answer = session.client.call(session.client.services.segments.CreateSegment, request)
    if wait and not validate_only:
        answer.segment.CopyFrom(wait_until_built(session, answer.segment))
    session.show(answer, lambda created: render.segment(created.segment))


@app.command("edit")
@remote
def edit(
    session: Session,
    name: Name,
    rule: Annotated[str | None, typer.Argument(metavar="'RULE'", help="The new rule as text.")] = None,
    mode: ModeOption = "",
    ttl: TtlOption = "",
    universe: UniverseOption = "",
    display_name: DisplayName = None,
    description: Description = None,
    label: Labels = None,
    etag: Etag = "",
    author: Author = "",
    validate_only: Annotated[bool, typer.Option("--validate-only", help="Check it and change nothing.")] = False,
    wait: Wait = True,
) -> None:
    """Change a segment; the old rule answers until the new one is built."""
    given = {
        "rule_text": rule,
        "mode": _mode(mode),
        "ttl": duration_of(ttl, "--ttl") if ttl else None,
        "universe": _universe(universe),
        "display_name": display_name,
        "description": description,
        "labels": None if label is None else labels_of(label),
    }
    fields = requests.changed_fields(**given)
    if not fields:
        raise typer.BadParameter("nothing to change: give a new rule or an option", param_hint="'RULE'")
    segment = requests.segment(
        name, rule=rule, mode=_mode(mode), ttl=duration_of(ttl, "--ttl") if ttl else None,
        universe=_universe(universe), display_name=display_name, description=description,
        labels=labels_of(label or []), etag=etag,
    )  # fmt: skip
    request = requests.update_segment(session.dataset, segment, fields, author)
    request.validate_only = validate_only
    answer = session.client.call(session.client.services.segments.UpdateSegment, request)
    if wait and not validate_only:
        answer.segment.CopyFrom(wait_until_built(session, answer.segment))
    session.show(answer, lambda edited: render.segment(edited.segment))


@app.command("list")
@remote
def list_segments(session: Session, label: Labels = None) -> None:
    """List the segments."""
    request = segment_service_pb2.ListSegmentsRequest(
        dataset=session.dataset, labels=labels_of(label or []), page_size=1_000
    )
    found: list[segment_service_pb2.Segment] = []
    while True:
        answer = session.client.call(session.client.services.segments.ListSegments, request)
        if session.as_json:
            session.show(answer)
        found.extend(answer.segments)
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    if not session.as_json:
        session.console.print(render.segment_list(found) if found else "no segments")


@app.command("show")
@remote
def show(session: Session, name: Name) -> None:
    """Show a segment, its versions, and the segments that use it."""
    services = session.client.services.segments
    view = segment_service_pb2.SEGMENT_VIEW_FULL if session.as_json else segment_service_pb2.SEGMENT_VIEW_BASIC
    request = segment_service_pb2.GetSegmentRequest(dataset=session.dataset, segment=name, view=view)
    session.show(session.client.call(services.GetSegment, request), lambda answer: render.segment(answer.segment))
    if session.as_json:
        return
    versions = segment_service_pb2.ListSegmentVersionsRequest(dataset=session.dataset, segment=name)
    edits = session.client.call(services.ListSegmentVersions, versions).versions
    session.console.print(
        render.rows(
            render.table(">version", "written", "by", "mode", "rule"),
            (
                (edit.version, render.instant(edit.create_time), edit.author, render.segment_mode(edit), edit.rule_text)
                for edit in edits
            ),
        )
    )
    users = segment_service_pb2.ListDependentsRequest(dataset=session.dataset, segment=name)
    dependents = session.client.call(services.ListDependents, users).dependents
    if dependents:
        session.console.print(f"used by {', '.join(dependents)}")


@app.command("clone")
@remote
def clone(
    session: Session,
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The id of the copy.")],
    display_name: Annotated[str, typer.Option("--display-name", help="A name for people.")] = "",
    author: Author = "",
    wait: Wait = True,
) -> None:
    """Copy a segment's rule and settings, or a list's members."""
    request = segment_service_pb2.CloneSegmentRequest(
        dataset=session.dataset, segment=name, new_segment=new, display_name=display_name, author=author,
        request_id=requests.new_request_id(),
    )  # fmt: skip
    answer = session.client.call(session.client.services.segments.CloneSegment, request)
    if wait:
        answer.segment.CopyFrom(wait_until_built(session, answer.segment))
    session.show(answer, lambda copied: render.segment(copied.segment))


@app.command("freeze")
@remote
def freeze(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The id of the new segment.")],
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="Whose members, as 'vip and not churned'.")],
    accounts: Accounts = False,
    display_name: Annotated[str, typer.Option("--display-name", help="A name for people.")] = "",
    author: Author = "",
) -> None:
    """Keep for ever who is in an expression now."""
    request = segment_service_pb2.FreezeSegmentRequest(
        dataset=session.dataset, expression=expression, new_segment=name, display_name=display_name, author=author,
        subject_kind=requests.subject_kind(kind_of(accounts=accounts)), request_id=requests.new_request_id(),
    )  # fmt: skip
    answer = session.client.call(session.client.services.segments.FreezeSegment, request)
    session.show(answer, lambda frozen: render.segment(frozen.segment))


@app.command("delete")
@remote
def delete(session: Session, name: Name, etag: Etag = "") -> None:
    """Delete a segment that no other uses."""
    request = segment_service_pb2.DeleteSegmentRequest(
        dataset=session.dataset, segment=name, etag=etag, request_id=requests.new_request_id()
    )
    answer = session.client.call(session.client.services.segments.DeleteSegment, request)
    session.show(answer, lambda _answer: f"deleted {name}")


@app.command("preview")
@remote
def preview(
    session: Session,
    rule: Annotated[str, typer.Argument(metavar="'RULE'", help="The rule as text.")],
    sample: Annotated[int, typer.Option("--sample", min=0, max=1_000, help="How many members to show.")] = 10,
    accounts: Accounts = False,
    universe: UniverseOption = "all",
) -> None:
    """Count whom a rule would match now, and show some; nothing is saved. Ctrl-C ends the scan."""
    kind = kind_of(accounts=accounts)
    request = requests.stream_preview(session.dataset, rule, sample, kind, _universe(universe) or "all")
    last = scanned(session, session.client.services.segments.StreamPreviewRule, request)
    matches = last.matches
    answer = segment_service_pb2.PreviewRuleResponse(
        revision=last.revision, now=last.now, count=matches.count, sample=matches.sample
    )
    session.show(answer, _preview)


def _preview(answer: segment_service_pb2.PreviewRuleResponse) -> str:
    lines = [f"{render.number(answer.count)} match"]
    lines += [f"  {one.namespace}={one.value}" for one in answer.sample]
    return "\n".join(lines)


@app.command("parse")
@remote
def parse(
    session: Session,
    rule: Annotated[str, typer.Argument(metavar="'RULE'", help="The rule as text.")],
    accounts: Accounts = False,
) -> None:
    """Read a rule and print it in its one form; with --json, its tree."""
    request = segment_service_pb2.ParseRuleRequest(
        dataset=session.dataset, text=rule, subject_kind=requests.subject_kind(kind_of(accounts=accounts))
    )
    answer = session.client.call(session.client.services.segments.ParseRule, request)
    session.show(answer, lambda parsed: Text(parsed.text))


def wait_until_built(session: Session, segment: segment_service_pb2.Segment) -> segment_service_pb2.Segment:
    """The segment once no build of it is running, with a progress bar where it takes a while."""
    request = segment_service_pb2.GetSegmentRequest(
        dataset=session.dataset, segment=segment.id, view=segment_service_pb2.SEGMENT_VIEW_BASIC
    )
    columns = (TextColumn("building {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=session.errors, transient=True, disable=not session.animated) as progress:
        task = progress.add_task(segment.id, total=1.0)
        while segment.state == segment_service_pb2.SEGMENT_STATE_BUILDING or segment.HasField("build_progress"):
            progress.update(task, completed=segment.build_progress)
            time.sleep(_POLL_SECONDS)
            segment = session.client.call(session.client.services.segments.GetSegment, request).segment
    return segment
