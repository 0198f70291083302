"""Stories of a rule, told over gRPC: steps that somebody takes, and whether that makes them a member.

Owns the steps and how a story is played on a server of its own. After each step membership is asked for at the step's
own revision; a watch must tell of just those steps that changed it, with revision, cause and instant. One millisecond
before time changes anything, the dataset is made to look at the clock, and nothing has changed yet.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from coterie.index.rules import parse, print_rule
from coterie.index.settings import Settings
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as members
from coterie.v1 import profile_service_pb2 as profiles
from coterie.v1 import segment_service_pb2 as segments
from tests.serving import DAY, ManualClock, Served, event, fill, serving, user_named


@dataclass(frozen=True)
class Does:
    """An event of somebody, now or so long ago; and whether the subject of the story is a member then."""

    type: str
    member: bool
    who: str = "u1"
    ago: int = 0
    of: str = ""  # the account
    properties: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Has:
    """Attributes of the subject of the story, or of an account; a datetime is an instant."""

    member: bool
    attributes: dict[str, Any]
    of: str = ""


@dataclass(frozen=True)
class Until:
    """Time alone, to an instant or for so many milliseconds since the last step that was no such wait."""

    instant: str | int
    member: bool


@dataclass(frozen=True)
class Listed:
    """The subject of the story is put on a list, or taken from it."""

    name: str
    on: bool
    member: bool


Step: TypeAlias = Does | Has | Until | Listed


@dataclass(frozen=True)
class Sentence:
    """A rule and its story. `needs` are lists, or rules, that the rule names."""

    rule: str
    story: tuple[Step, ...]
    start: str = "2026-01-01T12:00"
    needs: dict[str, str] = field(default_factory=dict)
    account: str = ""  # the subject of the story, where the rule is about accounts
    begins: bool = False  # whether somebody of whom nothing else is known is a member
    for_ever: bool = False  # whether it can never be left again


def instant(text: str) -> int:
    """Returns an instant, written as in a rule and in UTC, in milliseconds since the epoch."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def does(type_: str, member: bool, who: str = "u1", ago: int = 0, of: str = "", **properties: Any) -> Does:
    """An event with properties."""
    return Does(type_, member, who, ago, of, properties)


def sees(member: bool, **context: Any) -> Does:
    """A view in some situation."""
    return Does("view", member, context=context)


def has(member: bool, of: str = "", **attributes: Any) -> Has:
    """Attributes."""
    return Has(member, attributes, of)


NAME, CLOCK = "s", "clock"  # the segment; a list nobody is on, whose renaming is a write that changes nothing else
USER, ACCOUNT = common_pb2.SUBJECT_KIND_USER, common_pb2.SUBJECT_KIND_ACCOUNT
FOLLOWED = Settings(change_retention_ms=1_000 * DAY)  # so that a watch can begin where the story began
CAUSES = {Does: "EVENT", Has: "ATTRIBUTE", Until: "TIME", Listed: "MANUAL"}


class Move(NamedTuple):
    """One change of the story's subject."""

    joined: bool
    cause: str
    at: int
    revision: str  # empty: that of a tick, which nobody was told


class Story:
    """A server, a sentence, and how far its story has come."""

    def __init__(self, server: Served, sentence: Sentence) -> None:
        self.server, self.sentence = server, sentence
        self.subject = account_named(sentence.account) if sentence.account else user_named("u1")
        self.name = sentence.account or "u1"
        self.last = server.clock.now()  # when something but time last happened
        self.member = False
        self.moves: list[Move] = []

    async def begin(self) -> common_pb2.Revision:
        """Creates what the sentence names, and its segment; returns the revision at which the story begins."""
        await self.server.create(CLOCK)
        for name, rule in self.sentence.needs.items():
            kind = USER if not rule or (parse(rule) and "account." not in rule) else ACCOUNT
            await self.server.create(name, rule, subject_kind=kind)
        kind = ACCOUNT if self.sentence.account else USER
        made = await self.server.create(NAME, self.sentence.rule, subject_kind=kind)
        assert made.segment.rule_text == print_rule(parse(self.sentence.rule))
        return made.revision

    async def take(self, step: Step) -> None:
        """Takes a step, and looks."""
        cause = CAUSES[type(step)]
        revision = None
        if isinstance(step, Until):
            when = instant(step.instant) if isinstance(step.instant, str) else self.last + step.instant
            await self.pass_time(when)
        else:
            self.last = self.server.clock.now()
            revision = await self.write(step)
        if step.member != self.member:
            self.member = step.member
            at = self.server.clock.now()
            self.moves.append(Move(step.member, cause, at, "" if revision is None else revision.token))
        assert await self.is_member(revision) == step.member, step

    async def pass_time(self, when: int) -> None:
        """Looks at the last millisecond before, then lets the very instant come by itself."""
        await self.server.move(when - 1)
        request = segments.UpdateSegmentRequest(
            segment=segments.Segment(id=CLOCK, display_name=f"{when}"), update_mask=FieldMask(paths=["display_name"])
        )
        written = await self.server.segments.UpdateSegment(request)
        assert written.now.ToMilliseconds() == when - 1
        assert await self.is_member(written.revision) == self.member, "one millisecond before"
        await self.server.move(when)

    async def write(self, step: Does | Has | Listed) -> common_pb2.Revision:
        """Sends what a step says."""
        server = self.server
        if isinstance(step, Does):
            sent = event(
                step.type, step.who, self.last - step.ago, properties=step.properties, context=step.context,
                account_id=step.of,
            )  # fmt: skip
            answer = await server.ingest(sent)
            assert answer.accepted == 1
            return answer.revision
        if isinstance(step, Has):
            update = profiles.AttributeUpdate(subject=account_named(step.of) if step.of else self.subject)
            for name, value in step.attributes.items():
                if isinstance(value, datetime):
                    update.attributes[name].timestamp.FromDatetime(value)
                else:
                    fill(update.attributes[name], value)
            set_ = await server.profiles.SetAttributes(profiles.SetAttributesRequest(updates=[update]))
            assert not set_.refused
            return set_.revision
        request = segments.AddMembersRequest if step.on else segments.RemoveMembersRequest
        call = server.segments.AddMembers if step.on else server.segments.RemoveMembers
        changed = await call(request(segment=step.name, members=[self.subject]))
        return changed.revision

    async def is_member(self, revision: common_pb2.Revision | None) -> bool:
        """Asks for the subject's membership, at that revision where there is one."""
        request = members.CheckMembershipRequest(subject=self.subject, segments=[NAME])
        if revision is not None:
            request.consistency.at_exact_revision.CopyFrom(revision)
        answer = await self.server.members.CheckMembership(request)
        return answer.memberships[0].member


def account_named(name: str) -> common_pb2.Subject:
    """An account by its account_id."""
    return common_pb2.Subject(kind=ACCOUNT, identifiers=[common_pb2.Identifier(namespace="account_id", value=name)])


async def watched(server: Served, name: str, after: common_pb2.Revision, until: common_pb2.Revision) -> list[Move]:
    """Follows a segment from one revision to another; returns what it told of one subject."""
    watch = server.members.WatchMembership(members.WatchMembershipRequest(segments=[NAME], after=after))
    told = []
    while (message := await watch.read()) is not grpc.aio.EOF:
        change = message.change
        for joined, names in ((True, change.joined), (False, change.left)):
            if name in (each.value for each in names):
                cause = members.ChangeCause.Name(change.cause).removeprefix("CHANGE_CAUSE_")
                told.append(Move(joined, cause, change.at.ToMilliseconds(), change.revision.token))
        if message.progress.revision.token == until.token:
            break
    watch.cancel()
    return told


async def play(sentence: Sentence) -> None:
    """Plays a sentence's story on a server of its own."""
    clock = ManualClock(instant(sentence.start))
    with tempfile.TemporaryDirectory() as folder:
        async with serving(folder, clock, tick_spacing_ms=1, engine=FOLLOWED) as server, asyncio.timeout(30):
            story = Story(server, sentence)
            begin = await story.begin()
            for step in sentence.story:
                await story.take(step)
            end = await server.ingest(event("bystander", "nobody"))
            told = await watched(server, story.name, begin, end.revision)
            assert [move[:3] for move in told] == [move[:3] for move in story.moves]
            assert all(move.revision in ("", of.revision) for move, of in zip(story.moves, told, strict=True))
            others = members.CheckMembershipRequest(subject=user_named("nobody"), segments=[NAME])
            bystander = (await server.members.CheckMembership(others)).memberships[0].member
            assert bystander == (sentence.begins and not sentence.account)
