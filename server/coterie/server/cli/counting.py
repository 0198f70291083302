"""`coterie count` and `trend`; and the analyses whose servers are still to come.

Those call the server all the same and print what it answers, so that this command line works with any of them.
"""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from coterie.client import requests
from coterie.client.synchronous.analytics import LONG
from coterie.client.types import Bucket
from coterie.server.cli import render
from coterie.server.cli.arguments import Accounts, instant_of, kind_of, zone_of
from coterie.server.cli.scanning import scanned
from coterie.server.cli.session import Session, print_json, remote
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import rule_pb2

Segments = Annotated[list[str], typer.Argument(metavar="SEG...", help="Segments or expressions.")]
From = Annotated[str, typer.Option("--from", metavar="DATE", help="The first day.")]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="The day after the last.")]
Zone = Annotated[str, typer.Option("--zone", metavar="ZONE", help="The time zone of days; default: the dataset's.")]

_BUCKETS: dict[str, Bucket] = {"hour": "hour", "day": "day", "week": "week", "month": "month"}


@remote
def count(
    session: Session,
    expressions: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPR...", help="Segments, 'vip and not churned', or any rule: 'did purchase and in vip'."
        ),
    ],
    accounts: Accounts = False,
) -> None:
    """Count the members of expressions, all at one revision. Ctrl-C ends a scan of history."""
    request = requests.stream_counts(session.dataset, expressions, kind_of(accounts=accounts))
    last = scanned(session, session.client.services.analytics.StreamCountMembers, request)
    answer = analytics.CountMembersResponse(revision=last.revision, now=last.now, counts=last.answer.counts)
    session.show(
        answer,
        lambda counted: render.rows(
            render.table("expression", ">members"),
            ((one.expression, render.number(one.count)) for one in counted.counts),
        ),
    )


@remote
def trend(
    session: Session,
    segment: Annotated[str, typer.Argument(metavar="SEG", help="The segment.")],
    bucket: Annotated[str, typer.Option("--bucket", help="hour, day, week or month.")] = "day",
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Default: 30 buckets before the end.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Default: now.")] = "",
    zone: Zone = "",
    reconstruct: Annotated[
        bool,
        typer.Option(help="Work out the time before the segment was created from history, where it can be."),
    ] = True,
) -> None:
    """Show a segment's size, joins and leaves over time, also before it was created."""
    if bucket not in _BUCKETS:
        raise typer.BadParameter(f"{bucket!r} is not hour, day, week or month", param_hint="--bucket")
    local = zone_of(zone, "--zone") if zone else UTC
    request = requests.trend(
        session.dataset,
        [segment],
        _BUCKETS[bucket],
        instant_of(start, local, "--from") if start else None,
        instant_of(end, local, "--to") if end else None,
        zone,
        reconstruct=reconstruct,
    )
    session.show(session.client.call(session.client.services.analytics.GetTrend, request, LONG), _trend)


def _trend(answer: analytics.GetTrendResponse) -> Group:
    points = [point for one in answer.trends for point in one.points]
    largest = max((point.size for point in points), default=0)
    zone = zone_of(answer.zone, "--zone") if answer.zone else UTC
    shown = render.rows(
        render.table("from", ">size", "", ">joined", ">left", ""),
        (
            (
                render.instant(point.start_time, zone),
                render.number(point.size),
                render.bar(point.size, largest),
                render.number(point.joined),
                render.number(point.left),
                Text("reconstructed" if point.reconstructed else "", style="dim"),
            )
            for point in points
        ),
    )
    missing = [one.not_reconstructed for one in answer.trends if one.not_reconstructed]
    return Group(shown, *(Text(f"not all reconstructed: {reason}", style="dim") for reason in missing))


# ---------------------------------------------------------------- analyses a server may not have yet


@remote
def overlap(session: Session, segments: Segments) -> None:
    """Compare segments with each other: pairs, and who is in exactly which."""
    request = analytics.GetOverlapRequest(dataset=session.dataset, expressions=segments)
    print_json(session.client.call(session.client.services.analytics.GetOverlap, request))


@remote
def compare(
    session: Session,
    segments: Segments,
    start: From,
    end: To,
    goal: Annotated[str, typer.Option("--goal", metavar="EVENT", help="The event that counts as conversion.")] = "",
    revenue: Annotated[str, typer.Option("--revenue", metavar="EVENT.PROPERTY", help="What is summed up.")] = "",
    zone: Zone = "",
) -> None:
    """Compare what the members of segments did, with a baseline."""
    event, dot, revenue_property = revenue.rpartition(".")
    if revenue and not dot:
        raise typer.BadParameter(f"{revenue!r} is not EVENT.PROPERTY", param_hint="--revenue")
    request = analytics.CompareEngagementRequest(
        dataset=session.dataset,
        expressions=segments,
        days=_days(start, end, zone),
        goal=_events(goal) if goal else None,
        revenue=_events(event) if revenue else None,
        revenue_property=revenue_property,
    )
    print_json(session.client.call(session.client.services.analytics.CompareEngagement, request))


@remote
def funnel(
    session: Session,
    steps: Annotated[list[str], typer.Argument(metavar="EVENT...", help="The events, in their order.")],
    start: From,
    end: To,
    expression: Annotated[str, typer.Option("--in", metavar="EXPR", help="Only members of this expression.")] = "",
    zone: Zone = "",
) -> None:
    """Count how many subjects come how far through steps."""
    request = analytics.RunFunnelRequest(
        dataset=session.dataset,
        steps=[_events(step) for step in steps],
        days=_days(start, end, zone),
        expression=expression,
    )
    print_json(session.client.call(session.client.services.analytics.RunFunnel, request))


@remote
def retention(
    session: Session,
    first: Annotated[str, typer.Argument(metavar="EVENT", help="What subjects do first.")],
    start: From,
    end: To,
    back: Annotated[str, typer.Option("--back", metavar="EVENT", help="What counts as coming back; default any.")] = "",
    zone: Zone = "",
) -> None:
    """Count who comes back, by when they first did something."""
    request = analytics.GetRetentionRequest(
        dataset=session.dataset,
        first=_events(first),
        back=_events(back) if back else None,
        days=_days(start, end, zone),
    )
    print_json(session.client.call(session.client.services.analytics.GetRetention, request))


def _days(start: str, end: str, zone: str) -> analytics.DayRange:
    return analytics.DayRange(**{"from": start, "to": end, "zone": zone})


def _events(event_type: str) -> rule_pb2.Events:
    return rule_pb2.Events(type=event_type)
