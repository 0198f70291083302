"""Membership changes from the engine's log to the messages of a watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coterie.index.model import Change, ChangeEntry, Identifier, SubjectGone, SubjectKind
from coterie.server.convert.answers import stamp
from coterie.server.convert.subjects import write_identifier
from coterie.server.convert.values import enum_number, timestamp_of
from coterie.server.tokens import Tokens
from coterie.v1 import membership_service_pb2 as v1

NameOf = Callable[[SubjectKind, int], Identifier]


def messages_of(entry: ChangeEntry, name_of: NameOf, tokens: Tokens, most: int) -> Iterator[v1.WatchMembershipResponse]:
    """Yields the messages of one entry; a long change comes in several, joins before leaves."""
    if isinstance(entry, SubjectGone):
        yield _gone(entry, name_of, tokens)
        return
    members = [(True, dense) for dense in entry.joined] + [(False, dense) for dense in entry.left]
    for first in range(0, len(members), most):
        yield _change(entry, members[first : first + most], name_of, tokens)


def progress_message(tokens: Tokens, revision: int, now: int) -> v1.WatchMembershipResponse:
    """Returns the message that says how far the stream has come."""
    message = v1.WatchMembershipResponse()
    stamp(tokens, revision, now, message.progress)
    return message


def _change(
    entry: Change, members: list[tuple[bool, int]], name_of: NameOf, tokens: Tokens
) -> v1.WatchMembershipResponse:
    message = v1.WatchMembershipResponse()
    change = message.change
    change.revision.token = tokens.revision(entry.revision)
    change.at.CopyFrom(timestamp_of(entry.at))
    change.segment = entry.segment
    change.subject_kind = enum_number(entry.subject_kind)
    change.cause = enum_number(entry.cause)
    for joined, dense in members:
        namespace, value = name_of(entry.subject_kind, dense)
        (change.joined if joined else change.left).add(namespace=namespace, value=value)
    return message


def _gone(entry: SubjectGone, name_of: NameOf, tokens: Tokens) -> v1.WatchMembershipResponse:
    message = v1.WatchMembershipResponse()
    gone = message.subject_gone
    gone.revision.token = tokens.revision(entry.revision)
    gone.at.CopyFrom(timestamp_of(entry.at))
    gone.subject_kind = enum_number(entry.subject_kind)
    write_identifier(name_of(entry.subject_kind, entry.subject), gone.subject)
    if entry.survivor:
        write_identifier(name_of(entry.subject_kind, entry.survivor), gone.survivor)
    return message
