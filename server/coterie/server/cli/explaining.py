"""`coterie explain`: why a subject is in a segment, or is not, as a tree of its rule."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from coterie.client import requests
from coterie.client.answers import enum_name
from coterie.server.cli import render
from coterie.server.cli.arguments import Accounts, By, subject_of
from coterie.server.cli.session import UNKNOWN, Session, remote
from coterie.v1 import common_pb2, segment_service_pb2
from coterie.v1 import membership_service_pb2 as memberships


@remote
def explain(
    session: Session,
    user: Annotated[str, typer.Argument(metavar="USER", help="The subject's identifier; see --by.")],
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="The segment's id.")],
    by: By = "",
    accounts: Accounts = False,
) -> None:
    """Explain why a subject is in a segment, or is not, and when time alone will change that."""
    request = memberships.ExplainMembershipRequest(
        dataset=session.dataset,
        subject=requests.subject(subject_of(user, by, accounts=accounts)),
        segment=segment,
    )
    answer = session.client.call(session.client.services.memberships.ExplainMembership, request)
    if session.as_json:
        session.show(answer)
    elif not answer.known:
        session.console.print(UNKNOWN)
    else:
        session.console.print(Text(sentence(user, segment, answer)))
        session.console.print(tree(answer.explanation))


def sentence(user: str, segment: str, answer: memberships.ExplainMembershipResponse) -> str:
    """What is to be said of the membership as a whole."""
    said = f"{user} is {'in' if answer.member else 'not in'} {segment}"
    if answer.member and not answer.explanation.holds:
        mode = enum_name(segment_service_pb2.SegmentMode, answer.mode, "SEGMENT_MODE_")
        said = f"{said}, whose members stay ({mode})"
    elif not answer.in_universe:
        universe = enum_name(segment_service_pb2.Universe, answer.universe, "UNIVERSE_")
        return f"{said}, which only {universe} subjects can be in"
    if answer.HasField("next_flip"):
        verb = "leaves" if answer.member else "joins"
        return f"{said}; by time alone it {verb} at {render.instant(answer.next_flip)}"
    if answer.HasField("looked_until"):
        return f"{said}; time alone does not change that before {render.instant(answer.looked_until)}"
    return f"{said}; time alone does not change that"


def tree(of: memberships.Explanation) -> Tree:
    """A node and all below it."""
    made = Tree(_label(of), guide_style="dim")
    _add_parts(of, made)
    return made


def _add_parts(of: memberships.Explanation, target: Tree) -> None:
    for part in of.children:
        _add_parts(part, target.add(_label(part)))


def _label(of: memberships.Explanation) -> Text:
    label = Text("✓ " if of.holds else "✗ ", style="green" if of.holds else "red")
    label.append(_headline(of), style="default")
    if of.HasField("next_flip"):
        label.append(f"  flips {render.instant(of.next_flip)}", style="dim")
    facts = "  ".join(_facts(of))
    if facts:
        label.append(f"\n  {facts}", style="dim")
    return label


def _headline(of: memberships.Explanation) -> str:
    """The text of a leaf; of a node with parts, which show their own text, only how they are joined."""
    match of.kind:
        case memberships.EXPLANATION_KIND_AND:
            return "all of"
        case memberships.EXPLANATION_KIND_OR:
            return "any of"
        case memberships.EXPLANATION_KIND_NOT:
            return "not"
        case memberships.EXPLANATION_KIND_AT_LEAST:
            return of.text.partition(" of ")[0] + " of"
        case _:
            return of.text


def _facts(of: memberships.Explanation) -> list[str]:
    """Value, threshold and newest event, as far as there are any."""
    facts = []
    if of.condition:
        value = render.value(of.value) if of.HasField("value") else "missing"
        facts.append(f"value {value} ({of.condition}{_instants(of)})")
    if of.HasField("newest_event_time"):
        named = f" {of.newest_event_id}" if of.newest_event_id else ""
        facts.append(f"newest {of.newest_event_type}{named} {render.instant(of.newest_event_time)}")
    return facts


def _instants(of: memberships.Explanation) -> str:
    """The instants that a time is compared with, where the rule names only how far away they are."""
    ends: list[common_pb2.Value] = [of.threshold, of.upper_threshold]
    shown = [render.value(end) for end in ends if end.WhichOneof("kind") == "timestamp"]
    return f": {' to '.join(shown)}" if shown else ""
