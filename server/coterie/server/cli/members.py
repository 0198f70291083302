"""`coterie check`, `segments`, `members`, `import`, `profile`: who is in what, and what is known of one subject."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from coterie.client import NotFound, requests
from coterie.server.cli import render
from coterie.server.cli.arguments import Accounts, By, kind_of, name_of, names_of, subject_of
from coterie.server.cli.session import UNKNOWN, Session, remote
from coterie.v1 import common_pb2, membership_service_pb2, profile_service_pb2, segment_service_pb2

SubjectArgument = Annotated[str, typer.Argument(metavar="USER", help="The subject's identifier; see --by.")]
Expression = Annotated[
    str, typer.Argument(metavar="EXPR", help="A segment, or an expression such as 'vip and not churned'.")
]
Attributes = Annotated[str, typer.Option("--attributes", metavar="A,B", help="Attributes to show, comma-separated.")]


@remote
def check(
    session: Session,
    user: SubjectArgument,
    segments: Annotated[list[str] | None, typer.Argument(metavar="SEGMENT...", help="Default: all.")] = None,
    by: By = "",
    accounts: Accounts = False,
) -> None:
    """Say in which of these segments a subject is."""
    request = membership_service_pb2.CheckMembershipRequest(
        dataset=session.dataset,
        subject=requests.subject(subject_of(user, by, accounts=accounts)),
        segments=segments or [],
    )
    answer = session.client.call(session.client.services.memberships.CheckMembership, request)
    if not session.as_json and not answer.known:
        session.errors.print(UNKNOWN)
    session.show(
        answer,
        lambda checked: render.rows(
            render.table("segment", "member"),
            ((one.segment, "yes" if one.member else "no") for one in checked.memberships),
        ),
    )


@remote
def segments(session: Session, user: SubjectArgument, by: By = "", accounts: Accounts = False) -> None:
    """List the segments a subject is in, with since when."""
    request = membership_service_pb2.ListSubjectSegmentsRequest(
        dataset=session.dataset, subject=requests.subject(subject_of(user, by, accounts=accounts))
    )
    found: list[common_pb2.CurrentSegment] = []
    while True:
        answer = session.client.call(session.client.services.memberships.ListSubjectSegments, request)
        if session.as_json:
            session.show(answer)
        found.extend(answer.segments)
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    if not session.as_json:
        session.console.print(_segments(found) if answer.known else UNKNOWN)


def _segments(found: list[common_pb2.CurrentSegment]) -> Table:
    return render.rows(
        render.table("segment", "since"),
        ((one.segment, render.optional_instant(one, "since", "longer than changes are kept")) for one in found),
    )


@remote
def members(
    session: Session,
    expression: Expression,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many to show; 0 for all.")] = 100,
    attributes: Attributes = "",
    order_by: Annotated[str, typer.Option("--order-by", metavar="ATTRIBUTE", help="Default: as first seen.")] = "",
    descending: Annotated[bool, typer.Option("--descending", help="From the greatest to the smallest.")] = False,
    accounts: Accounts = False,
) -> None:
    """List the members of an expression."""
    shown_attributes = names_of(attributes)
    request = membership_service_pb2.ListMembersRequest(
        dataset=session.dataset,
        expression=expression,
        subject_kind=requests.subject_kind(kind_of(accounts=accounts)),
        order=membership_service_pb2.MemberOrder(attribute=order_by, descending=descending),
        attributes=shown_attributes,
    )
    found: list[membership_service_pb2.Member] = []
    while True:
        request.page_size = min(limit - len(found), 10_000) if limit else 10_000
        answer = session.client.call(session.client.services.memberships.ListMembers, request)
        if session.as_json:
            session.show(answer)
        found.extend(answer.members)
        if not answer.next_page_token or (limit and len(found) >= limit):
            break
        request.page_token = answer.next_page_token
    if not session.as_json:
        session.console.print(_members(found, shown_attributes))
        if len(found) < answer.total_size:
            session.console.print(f"{render.number(len(found))} of {render.number(answer.total_size)}; see --limit")


def _members(found: list[membership_service_pb2.Member], attributes: list[str]) -> Table:
    return render.rows(
        render.table("subject", *attributes, "identifiers"),
        (
            (
                name_of(one.identifiers).value,
                *[render.value(one.attributes[name]) if name in one.attributes else "" for name in attributes],
                render.identifiers(one.identifiers),
            )
            for one in found
        ),
    )


@remote
def import_list(
    session: Session,
    list_id: Annotated[str, typer.Argument(metavar="LIST", help="The list's segment id.")],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="One identifier a line, or CSV with --column; - is stdin.")
    ],
    operation: Annotated[str, typer.Option("--operation", help="add, remove, or set (replace all).")] = "add",
    column: Annotated[str, typer.Option("--column", help="The column of a CSV file with a header.")] = "",
    create: Annotated[bool, typer.Option("--create", help="Create the list if there is none.")] = False,
    accounts: Accounts = False,
) -> None:
    """Change a list's members by a file of user ids (account ids for a list of accounts)."""
    if operation not in {"add", "remove", "set"}:
        raise typer.BadParameter(f"{operation!r} is not add, remove or set", param_hint="--operation")
    with _ids(file, column) as ids:
        if create:
            _create_list(session, list_id, accounts=accounts)
        messages = requests.import_members(session.dataset, list_id, ids, operation)
        answer = session.client.send_stream(session.client.services.segments.ImportMembers, messages)
    for refused in [] if session.as_json else answer.refused:
        session.errors.print(f"{refused.field}: {refused.message}")
    session.show(answer, lambda changed: _list_changed(list_id, changed))


def _create_list(session: Session, list_id: str, *, accounts: bool) -> None:
    services = session.client.services.segments
    request = segment_service_pb2.GetSegmentRequest(dataset=session.dataset, segment=list_id)
    try:
        session.client.call(services.GetSegment, request)
    except NotFound:
        segment = requests.segment(list_id, kind="list", of=kind_of(accounts=accounts))
        new = segment_service_pb2.CreateSegmentRequest(
            dataset=session.dataset, segment=segment, request_id=requests.new_request_id()
        )
        session.client.call(services.CreateSegment, new)


@contextmanager
def _ids(file: str, column: str) -> Iterator[Iterator[str]]:
    """The identifiers of a file, which is checked before the first is read."""
    if file != "-" and not Path(file).is_file():
        raise typer.BadParameter(f"there is no file {file}", param_hint="FILE")
    with sys.stdin if file == "-" else Path(file).open(encoding="utf-8-sig", newline="") as lines:
        if not column:
            yield (line.strip() for line in lines if line.strip())
            return
        table = csv.DictReader(lines)
        if column not in (table.fieldnames or []):
            raise typer.BadParameter(f"the file has no column {column!r}", param_hint="--column")
        yield (row[column] for row in table if row[column])


def _list_changed(list_id: str, changed: segment_service_pb2.ImportMembersResponse) -> str:
    return (
        f"{render.number(changed.read)} read: {render.number(changed.added)} joined {list_id}, "
        f"{render.number(changed.removed)} left, {render.number(changed.member_count)} are on it now"
    )


@remote
def profile(
    session: Session,
    user: SubjectArgument,
    events: Annotated[int, typer.Option("--events", min=1, max=1_000, help="How many of the newest events.")] = 20,
    by: By = "",
    accounts: Accounts = False,
) -> None:
    """Show what is known of a subject: identifiers, attributes, segments, totals, newest events."""
    request = profile_service_pb2.GetProfileRequest(
        dataset=session.dataset,
        subject=requests.subject(subject_of(user, by, accounts=accounts)),
        page_size=events,
    )
    answer = session.client.call(session.client.services.profiles.GetProfile, request)
    if session.as_json:
        session.show(answer)
    elif not answer.known:
        session.console.print(UNKNOWN)
    else:
        for part in profile_parts(answer):
            session.console.print(part)


def _visit(visit: profile_service_pb2.Visit) -> str:
    events = f"{render.number(visit.events)} event{'s' if visit.events != 1 else ''}"
    since = f"since {render.instant(visit.start_time)}, {events}"
    return f"{since}, still running" if visit.running else f"{since}, until {render.instant(visit.end_time)}"


def profile_parts(answer: profile_service_pb2.GetProfileResponse) -> Iterator[Table]:
    """The tables of a profile: facts, segments, totals, timeline."""
    known = answer.profile
    yield render.facts(
        (name, shown)
        for name, shown in (
            ("identifiers", render.identifiers(known.identifiers)),
            ("attributes", render.values(known.attributes)),
            ("current", render.values(known.current)),
            ("first seen", render.optional_instant(known, "first_seen")),
            ("last seen", render.optional_instant(known, "last_seen")),
            ("last visit", _visit(known.last_visit) if known.HasField("last_visit") else ""),
        )
        if shown
    )
    yield _segments(list(known.segments))
    yield render.rows(
        render.table("event", ">count", "first", "last"),
        (
            (one.type, render.number(one.count), render.instant(one.first_time), render.instant(one.last_time))
            for one in known.totals
        ),
    )
    yield render.rows(
        render.table("time", "event", "properties"),
        ((render.instant(one.time), one.type, render.values(one.properties)) for one in answer.timeline),
    )
