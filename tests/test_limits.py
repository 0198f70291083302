"""Every documented limit of rules and segments over gRPC: what is just allowed works, one more is refused by name.

What is counted (bytes, leaves, members) is refused as LIMIT_EXCEEDED with what was given and what is allowed; what a
rule may not say (a duration, a number of steps) as RULE_INVALID, with line, column and what was expected.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import grpc
import pytest

from coterie.index.settings import Settings
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import segment_service_pb2 as v1
from tests.serving import Served, event, expect, refused, served, serving, user_named
from tests.test_language_errors import CASES, rule_of

INVALID = grpc.StatusCode.INVALID_ARGUMENT
DAYS = 36_525  # a hundred years


def _created(rule: str = "did view", name: str = "s", **fields: Any) -> v1.CreateSegmentRequest:
    return v1.CreateSegmentRequest(segment=v1.Segment(id=name, rule_text=rule, **fields))


def _nested(levels: int) -> str:
    """A rule whose `and` and `or` nest so deep."""
    rule = "did e0"
    for level in range(levels):
        rule = f"did e{level + 1} {('and', 'or')[level % 2]} ({rule})"
    return rule


def _arithmetic(levels: int) -> str:
    return "count(a) + (" * levels + "count(b)" + ")" * levels + " > 1"


def _long(size: int) -> str:
    """A rule of so many characters, no comment among them, that is longer still when it is printed."""
    number, rest = divmod(size + 4, 135)
    leaves = [f"did {'e' * (107 + rest * (index == 0))}{index:05} at least twice" for index in range(number)]
    return " or ".join(leaves)


class Limit(NamedTuple):
    """How much of something a rule may have, and a rule that has so much of it."""

    name: str
    maximum: int
    rule: Callable[[int], str]


COUNTED = (
    Limit("conditions", 10_000, lambda n: " or ".join(f"did e{i}" for i in range(n))),
    Limit("listed values", 10_000, lambda n: f"user.x in ({', '.join(map(str, range(n)))})"),
    Limit("values in a where", 9_999, lambda n: f"did e where p in ({', '.join(map(str, range(n)))})"),
    Limit("steps and tests", 9_998, lambda n: f"did a then b where p in ({', '.join(map(str, range(n)))})"),
    Limit("logic", 32, _nested),
    Limit("nots", 32, lambda n: "not (" * n + "did a" + ")" * n),
    Limit("at least", 32, lambda n: "at least 1 of (" * n + "did a" + ", did b)" * n),
    Limit("where", 31, lambda n: "not (did a where " + "not (" * n + "p = 1" + ")" * n + ")"),
    Limit("arithmetic", 32, _arithmetic),
    Limit("event", 256, lambda n: f'did "{"é" * (n // 2)}{"e" * (n % 2)}"'),
    Limit("property", 256, lambda n: f"did e where {'p' * n} = 1"),
    Limit("property of a measure", 256, lambda n: f"sum(e.{'p' * n}) > 1"),
    Limit("attribute", 256, lambda n: f"user.{'a' * n} = 1"),
    Limit("step", 256, lambda n: f"did a then {'e' * n}"),
    Limit("inaction", 256, lambda n: f"did a then not {'e' * n} within 1 day"),
    Limit("split", 256, lambda n: f"in split '{'s' * n}' 0% to 10%"),
    Limit("text", 8_192, lambda n: f"user.a = '{'x' * n}'"),
    Limit("text in a list", 8_192, lambda n: f"user.a in ('a', '{'x' * n}')"),
    Limit("pattern", 8_192, lambda n: f"did e where p matches '{'x' * n}'"),
    Limit("rule", 1 << 20, lambda n: "did view #" + "x" * (n - 10)),
    Limit("rule of long names", 1 << 20, _long),
)

SAID = (
    Limit("steps", 32, lambda n: "did " + " then ".join(f"e{i}" for i in range(n))),
    Limit("window", DAYS, lambda n: f"did e in the last {n} days"),
    Limit("window in seconds", DAYS * 86_400, lambda n: f"did e in the last {n} seconds"),
    Limit("ago", DAYS, lambda n: f"did e between {n} and 1 days ago"),
    Limit("within", DAYS, lambda n: f"did a then b within {n} days"),
    Limit("inaction", DAYS, lambda n: f"did a then not b within {n} days"),
    Limit("attribute's age", DAYS, lambda n: f"user.at more than {n} days ago"),
    Limit("calendar", 10_001, lambda n: f"did e in the last {n} calendar days"),
    Limit("frequency", 2**31 - 1, lambda n: f"did e at least {n} times"),
    Limit("at least k", 3, lambda n: f"at least {n} of (did a, did b, did c)"),
    Limit("split", 100, lambda n: f"in split 's' 0% to {n}%"),
    Limit("year", 9_999, lambda n: f"did e before {n:04d}-12-31"),
)

LARGE = {"max_message_bytes": 1 << 23}


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One loop for one server: it takes every rule in turn."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture(scope="module")
def server(loop: asyncio.AbstractEventLoop) -> Iterator[Served]:
    """One server for all cases; each segment is deleted again."""
    with tempfile.TemporaryDirectory() as folder:
        context = serving(folder, **LARGE)
        yield loop.run_until_complete(context.__aenter__())
        loop.run_until_complete(context.__aexit__(None, None, None))


async def _works(server: Served, rule: str) -> None:
    """Creates the segment, lets one user pass by, and deletes it."""
    made = await server.create("s", rule)
    try:
        await server.ingest(event("e0", "u1", properties={"p": 1}))
        await server.check("u1", "s")
        shown = (await server.segments.GetSegment(v1.GetSegmentRequest(segment="s"))).segment
        assert shown.rule_text == made.segment.rule_text
        assert shown.HasField("rule")
    finally:
        await server.segments.DeleteSegment(v1.DeleteSegmentRequest(segment="s"))


@pytest.mark.parametrize("limit", COUNTED, ids=lambda limit: limit.name)
def test_a_rule_may_be_so_large(loop: asyncio.AbstractEventLoop, server: Served, limit: Limit) -> None:
    """At the limit it is created and evaluated; one beyond names the field, what was given and the limit."""

    async def run() -> None:
        await _works(server, limit.rule(limit.maximum))
        problem = await refused(server.segments.CreateSegment(_created(limit.rule(limit.maximum + 1))))
        assert (problem.code, problem.reason, problem.field) == (INVALID, "LIMIT_EXCEEDED", "segment.rule_text")
        given, maximum = int(problem.metadata["given"]), int(problem.metadata["maximum"])
        assert given == maximum + 1, problem

    loop.run_until_complete(run())


@pytest.mark.parametrize("limit", SAID, ids=lambda limit: limit.name)
def test_a_rule_may_say_so_much(loop: asyncio.AbstractEventLoop, server: Served, limit: Limit) -> None:
    """At the limit it is created and evaluated; one beyond is told with its place and what is expected there."""

    async def run() -> None:
        await _works(server, limit.rule(limit.maximum))
        problem = await refused(server.segments.CreateSegment(_created(limit.rule(limit.maximum + 1))))
        assert (problem.code, problem.reason, problem.field) == (INVALID, "RULE_INVALID", "segment.rule_text")
        assert int(problem.metadata["line"]) == 1
        assert 1 < int(problem.metadata["column"]) <= len(limit.rule(limit.maximum + 1))

    loop.run_until_complete(run())


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "did a" + ")" * 5_000,
        "(" * 5_000,
        "not " * 10_000 + "did a",
        "not " * 10_000,
        "not (" * 5_000 + "did a" + ")" * 5_000,
        "did a where " + "not (" * 5_000 + "p = 1" + ")" * 5_000,
        "(" * 5_000 + "count(a)" + ")" * 5_000 + " > 1",
        "account (" * 5_000 + "did a" + ")" * 5_000,
        "any user (" * 5_000 + "did a" + ")" * 5_000,
        "at least 1 of (" * 5_000 + "did a" + ", did b)" * 5_000,
    ],
    ids=lambda text: f"{text[:24]}…{text[-4:]}",
)
def test_deep_text_ends_in_an_answer(loop: asyncio.AbstractEventLoop, server: Served, text: str) -> None:
    """Created, or refused as what it is; the server is none the worse for it."""

    async def run() -> None:
        for call in (
            server.segments.CreateSegment(_created(text)),
            server.segments.ParseRule(v1.ParseRuleRequest(text=text)),
            server.analytics.CountMembers(analytics.CountMembersRequest(expressions=[text])),
        ):
            outcome = (await asyncio.gather(call, return_exceptions=True))[0]
            assert not isinstance(outcome, BaseException) or outcome.code() is INVALID, outcome
        assert await server.check("u1") == []

    loop.run_until_complete(run())


def test_typical_mistakes_are_told_with_their_place(loop: asyncio.AbstractEventLoop, server: Served) -> None:
    """All of the golden file, over gRPC: the same line and column, and what was expected or how to mend it."""

    async def run() -> None:
        for block in filter(rule_of, CASES):
            problem = await refused(server.segments.CreateSegment(_created(rule_of(block))))
            assert (problem.code, problem.reason, problem.field) == (INVALID, "RULE_INVALID", "segment.rule_text")
            place = f"^ line {problem.metadata['line']}, column {problem.metadata['column']}"
            assert place in block
            assert problem.metadata.get("expected") or problem.metadata.get("fix"), block

    loop.run_until_complete(run())


# ---------------------------------------------------------------- segments


@served()
async def test_what_is_said_of_a_segment_has_limits(server: Served) -> None:
    """Names, description, labels and ids: at the limit taken and shown, one byte more refused by the path of the field."""
    for number, (fields, field) in enumerate(
        (
            (lambda n: {"display_name": "é" * (128 + n)}, "segment.display_name"),
            (lambda n: {"description": "x" * (8_192 + n)}, "segment.description"),
            (lambda n: {"labels": {f"k{i}": "v" for i in range(64 + n)}}, "segment.labels"),
            (lambda n: {"labels": {"k" * (63 + n): "v"}}, f'segment.labels["{"k" * 63}"]'),
            (lambda n: {"labels": {"k": "v" * (256 + n)}}, 'segment.labels["k"]'),
        )
    ):
        made = await server.segments.CreateSegment(_created(name=f"s{number}", **fields(0)))
        assert v1.Segment(**fields(0), id=f"s{number}").display_name in made.segment.display_name
        problem = await expect(
            server.segments.CreateSegment(_created(name="t", **fields(1))), INVALID, "LIMIT_EXCEEDED", field
        )
        assert int(problem.metadata["given"]) > int(problem.metadata["maximum"])
    await server.segments.CreateSegment(_created(name="a" * 63))
    await expect(server.segments.CreateSegment(_created(name="a" * 64)), INVALID, "FIELD_INVALID", "segment.id")
    author = v1.CreateSegmentRequest(segment=v1.Segment(id="u", rule_text="did a"), author="x" * 257)
    await expect(server.segments.CreateSegment(author), INVALID, "LIMIT_EXCEEDED", "author", given="257", maximum="256")


@served()
async def test_a_ttl_has_limits(server: Served) -> None:
    """A second at least, ten years of 365 days at most; over the wire in `segment.ttl`."""
    ten_years = 3_650 * 86_400
    for number, seconds in enumerate((1, ten_years)):
        segment = v1.Segment(id=f"s{number}", rule_text="did a", mode=v1.SEGMENT_MODE_STICKY)
        segment.ttl.FromSeconds(seconds)
        await server.segments.CreateSegment(v1.CreateSegmentRequest(segment=segment))
    segment.id = "t"
    segment.ttl.FromMilliseconds(ten_years * 1_000 + 1)
    call = server.segments.CreateSegment(v1.CreateSegmentRequest(segment=segment))
    facts = {"given": str(ten_years * 1_000 + 1), "maximum": str(ten_years * 1_000)}
    await expect(call, INVALID, "LIMIT_EXCEEDED", "segment.ttl", **facts)
    segment.ttl.FromMilliseconds(999)
    call = server.segments.CreateSegment(v1.CreateSegmentRequest(segment=segment))
    await expect(call, INVALID, "FIELD_INVALID", "segment.ttl")


@served(engine=Settings(max_segments=3, max_list_members=4), max_members_per_call=3)
async def test_segments_and_members_have_limits(server: Served) -> None:
    """One segment too many, one member of a list too many, one too many in a call: refused, and nothing is lost."""
    for name in ("a", "b", "c"):
        await server.create(name)
    full = server.segments.CreateSegment(_created(name="d"))
    await expect(full, INVALID, "LIMIT_EXCEEDED", "segment.id", given="4", maximum="3")
    people = [user_named(f"u{number}") for number in range(5)]
    await server.segments.AddMembers(v1.AddMembersRequest(segment="a", members=people[:3]))
    call = server.segments.AddMembers(v1.AddMembersRequest(segment="a", members=people[:4]))
    await expect(call, INVALID, "LIMIT_EXCEEDED", "members", given="4", maximum="3")
    await server.segments.AddMembers(v1.AddMembersRequest(segment="a", members=people[3:4]))
    call = server.segments.AddMembers(v1.AddMembersRequest(segment="a", members=people[4:]))
    await expect(call, INVALID, "LIMIT_EXCEEDED", "members", given="5", maximum="4")
    assert await server.check("u3", "a") == [True]
    assert server.dataset.engine.size("a") == 4


@served()
async def test_previews_and_expressions_have_limits(server: Served) -> None:
    """A thousand sampled, 65 536 bytes of an expression."""
    await server.ingest(*(event("view", f"u{number}") for number in range(1_001)))
    answer = await server.segments.PreviewRule(v1.PreviewRuleRequest(text="did view", sample_size=1_000))
    assert len(answer.sample) == 1_000
    call = server.segments.PreviewRule(v1.PreviewRuleRequest(text="did view", sample_size=1_001))
    await expect(call, INVALID, "FIELD_INVALID", "sample_size")
    text = "did view" + " " * (65_536 - 8)
    counted = await server.analytics.CountMembers(analytics.CountMembersRequest(expressions=[text]))
    assert counted.counts[0].count == 1_001
    call = server.analytics.CountMembers(analytics.CountMembersRequest(expressions=[f"{text} "]))
    await expect(call, INVALID, "LIMIT_EXCEEDED", "expressions[0]", given="65537", maximum="65536")
