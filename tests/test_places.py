"""Where in its text a rule is wrong: line and column of the leaf at fault, whoever finds the fault."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import suppress
from typing import Any

import grpc
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coterie.index.engine import Engine
from coterie.index.errors import InputError, LimitExceeded, Origin, RuleUnsupported
from coterie.index.model import AttributeUpdate, CreateSegment, Record, SetAttributes, SubjectKind
from coterie.index.rules import ast, parse, print_rule, read_names_or_rule, read_rule
from coterie.index.settings import Settings
from coterie.v1 import analytics_service_pb2 as analytics
from coterie.v1 import common_pb2
from coterie.v1 import membership_service_pb2 as members
from coterie.v1 import profile_service_pb2 as profiles
from coterie.v1 import segment_service_pb2 as segments
from tests import vocabulary as words
from tests.account_journal import account
from tests.rule_strategies import expressions
from tests.serving import Refusal, Served, refused, served, user_named
from tests.vocabulary_rules import placed
from tests.vocabulary_rules import rules as drawn_rules
from tests.ways import of_users

TEXT = """\
# who is worth a letter
did purchase at least 3 times and not (user.plan = 'free' or in staff)
  and at least 2 of (visits > 3, (count(view) + 1) * 2 > 9, did not login today, in list 'vip')
  and account (account.seats > 5 and at least 2 users (did first view then purchase)) and in split 's' 0%..5%
"""


def test_each_leaf_begins_somewhere() -> None:
    """Leaves are told in the order of the text, those that hold leaves before them, each with its first word."""
    text = TEXT.replace("did first view then purchase", "did view then purchase")
    lines = text.split("\n")
    assert [lines[line - 1][column - 1 :][:14] for line, column in read_rule(text).places] == [
        "did purchase a",
        "user.plan = 'f",
        "in staff)",
        "visits > 3, (c",
        "count(view) + ",
        "did not login ",
        "in list 'vip')",
        "account (accou",
        "account.seats ",
        "at least 2 use",
        "did view then ",
        "in split 's' 0",
    ]
    assert read_names_or_rule("any of (a, not b) and in c").places == ((1, 9), (1, 16), (1, 23))


def with_one_more(leaf: str, others: list[ast.Expression], at: int) -> str:
    """Returns the conjunction of all, each on a line of its own, the leaf on line `at`, from 0."""
    lines = [f"({print_rule(other)})" for other in others]
    return " and # and so on\n".join([*lines[:at], f"  {leaf}", *lines[at:]])


@settings(deadline=None)
@given(others=st.lists(expressions(), min_size=1, max_size=4), data=st.data())
def test_what_exceeds_a_limit_is_found(others: list[ast.Expression], data: st.DataObject) -> None:
    """Whatever stands around it, a name that is too long is told with its line and column."""
    at = data.draw(st.integers(0, len(others)))
    text = with_one_more(f"did {'n' * 1_000}", others, at)
    with pytest.raises(LimitExceeded) as caught:
        parse(text, max_name_bytes=999)
    assert (caught.value.line, caught.value.column) == (at + 1, 3)
    assert caught.value.message.startswith(f"line {at + 1}, column 3: UTF-8 bytes of a name: 1000 given, at most 999")


@pytest.mark.parametrize(
    ("text", "limit", "place"),
    [
        ("in a or\nin b or in c", {"max_nodes": 2}, (2, 9)),
        ("did a or\nuser.x in (1, 2, 3)", {"max_nodes": 3}, (2, 1)),
        ("in a and\nnot (in b or (in c and did d))", {"max_depth": 3}, (2, 15)),
        ("in a and did b where not (x = 1 or y = 2)", {"max_depth": 2}, (1, 10)),
        ("did a and\naccount (did b and\n did c)", {"max_depth": 1}, (2, 1)),
        ("did a and account (did b and\n  did c where not d = 1)", {"max_depth": 3}, (2, 3)),
        ("did a where b = 'x' and\n user.c = 'long text'", {"max_text_bytes": 8}, (2, 2)),
        ("did a\nor did b", {"max_characters": 8}, (2, 3)),
        ("in a or # so\n" + "(" * 1_001 + "in b" + ")" * 1_001, {}, (2, 1_001)),
        ("in a\n" + "or in b " * 20_000, {"max_nodes": 10}, (2, 8 * 55 + 1)),
    ],
)
def test_limits_say_where(text: str, limit: dict[str, int], place: tuple[int, int]) -> None:
    """Each limit of a rule names the first leaf, or the character, that is beyond it."""
    with pytest.raises(LimitExceeded) as caught:
        parse(text, **limit)  # type: ignore[arg-type]
    assert (caught.value.line, caught.value.column) == place
    assert (caught.value.metadata["line"], caught.value.metadata["column"]) == tuple(map(str, place))


FAULTS = (
    "first(view.category in the last 7 days) = 'x'",
    "did $visits",
    "visits > 1 in this visit",
    "account.rank = 'ten'",
)


@pytest.mark.parametrize("fault", FAULTS)
@given(
    drawn=st.lists(drawn_rules(), min_size=1, max_size=4),
    kind=words.KINDS,
    data=st.data(),
)
def test_what_the_engine_refuses_is_found(
    drawn: list[ast.Expression], kind: SubjectKind, fault: str, data: st.DataObject
) -> None:
    """Whatever stands around it, a leaf the engine refuses is told with its line and column in the text as it was sent."""
    engine = Engine(Settings())
    ranked = AttributeUpdate(SubjectKind.ACCOUNT, account("acme"), {"rank": 10.0})
    engine.apply(Record(1, 1, SetAttributes((ranked,))))
    looks_across = parse("account (did view)" if kind is SubjectKind.USER else "at least 2 users (did view)")
    others = [looks_across, *(placed(rule, kind) for rule in drawn)]
    with suppress(RuleUnsupported):
        for other in others:
            engine.validate(CreateSegment(of_users("s", print_rule(other), kind)))
        at = data.draw(st.integers(0, len(others)))
        text = with_one_more(fault, others, at)
        reading = read_rule(text)
        with pytest.raises(InputError) as caught:
            engine.validate(CreateSegment(of_users("s", print_rule(reading.expression), kind)))
        Origin("segment.rule_text", reading.places).tell(caught.value)
        assert (caught.value.line, caught.value.column) == (at + 1, 3)
        assert caught.value.field == "segment.rule_text"
        return
    assume(False)  # one of the others was refused itself


# ---------------------------------------------------------------- over gRPC

BEFORE = "# letters\ndid view and # and so on\n  "


async def furnished(server: Served) -> None:
    """Has attributes with types, and segments to name."""
    update = profiles.AttributeUpdate(subject=user_named("u1"))
    update.attributes["age"].CopyFrom(common_pb2.Value(number=30))
    await server.profiles.SetAttributes(profiles.SetAttributesRequest(updates=[update]))
    await server.create("outer", "did view")


REFUSED = {
    "user.age = 'ten'": ("RULE_INVALID", "user.age is a number"),
    "first(view.p) = 1 in the last 7 days": ("RULE_UNSUPPORTED", "first"),
    "visits >= 1 in this visit": ("RULE_UNSUPPORTED", "visits in this visit"),
    "did $visits": ("RULE_INVALID", "there is no event $visits"),
    "sum(view.p) - last(view) > 1": ("RULE_INVALID", "last of an event is a time"),
    f"did {'n' * 300}": ("LIMIT_EXCEEDED", "at most 256"),
}


@served()
async def test_every_call_says_where(server: Served) -> None:
    """A leaf that is refused when a rule is used has line and column in the text of the request, whatever the call."""
    await furnished(server)
    for leaf, (reason, told) in REFUSED.items():
        for field, call in calls_with(server, BEFORE + leaf):
            problem = await refused(call)
            assert (problem.reason, problem.field) == (reason, field), problem
            assert_stands_at(problem, 3, 3)
            assert told in problem.message


def calls_with(server: Served, text: str) -> Iterator[tuple[str, Awaitable[Any]]]:
    """Yields every call that uses a rule, with the field that says it."""
    for validate_only in (False, True):
        segment = segments.Segment(id="s", rule_text=text)
        create = segments.CreateSegmentRequest(segment=segment, validate_only=validate_only)
        yield "segment.rule_text", server.segments.CreateSegment(create)
        segment = segments.Segment(id="outer", rule_text=text)
        update = segments.UpdateSegmentRequest(segment=segment, validate_only=validate_only)
        yield "segment.rule_text", server.segments.UpdateSegment(update)
    yield "text", server.segments.PreviewRule(segments.PreviewRuleRequest(text=text))
    yield "text", server.segments.StreamPreviewRule(segments.StreamPreviewRuleRequest(text=text)).read()
    expressions = ["outer", text]
    yield "expressions[1]", server.analytics.CountMembers(analytics.CountMembersRequest(expressions=expressions))
    stream = server.analytics.StreamCountMembers(analytics.StreamCountMembersRequest(expressions=expressions))
    yield "expressions[1]", stream.read()
    yield "expression", server.members.ExportMembers(members.ExportMembersRequest(expression=text)).read()


@served()
async def test_what_is_about_other_segments_says_where(server: Served) -> None:
    """So have a leaf about the other kind of subject, and one that closes a cycle."""
    await furnished(server)
    segment = segments.Segment(
        id="a", rule_text="did view and\n account (did view)", subject_kind=common_pb2.SUBJECT_KIND_ACCOUNT
    )
    problem = await refused(server.segments.CreateSegment(segments.CreateSegmentRequest(segment=segment)))
    assert problem.reason == "RULE_INVALID"
    assert_stands_at(problem, 2, 2)
    await server.create("b", "in outer")
    segment = segments.Segment(id="outer", rule_text="did view\nor did login or in b")
    problem = await refused(server.segments.UpdateSegment(segments.UpdateSegmentRequest(segment=segment)))
    assert problem.reason == "SEGMENT_CYCLE"
    assert_stands_at(problem, 2, 17)


@served(engine=Settings(max_segment_depth=1))
async def test_segments_nested_too_deep_say_where(server: Served) -> None:
    """The leaf that nests one segment too many is told."""
    await furnished(server)
    await server.create("b", "in outer")
    segment = segments.Segment(id="c", rule_text="did view\nor in b")
    problem = await refused(server.segments.CreateSegment(segments.CreateSegmentRequest(segment=segment)))
    assert problem.reason == "LIMIT_EXCEEDED"
    assert_stands_at(problem, 2, 4)


@served()
async def test_a_tree_has_no_lines(server: Served) -> None:
    """What came as a tree alone is refused by its field, without line and column; text beside it has them."""
    tree = (await server.segments.ParseRule(segments.ParseRuleRequest(text="visits >= 1 in this visit"))).rule
    segment = segments.Segment(id="s", rule=tree)
    problem = await refused(server.segments.CreateSegment(segments.CreateSegmentRequest(segment=segment)))
    assert (problem.code, problem.field) == (grpc.StatusCode.UNIMPLEMENTED, "segment.rule")
    assert "line" not in problem.metadata
    segment.rule_text = "\nvisits >= 1 in this visit"
    problem = await refused(server.segments.CreateSegment(segments.CreateSegmentRequest(segment=segment)))
    assert problem.field == "segment.rule_text"
    assert_stands_at(problem, 2, 1)


def assert_stands_at(problem: Refusal, line: int, column: int) -> None:
    """The place is in the message and in the details."""
    assert problem.message.startswith(f"line {line}, column {column}: "), problem
    assert (problem.metadata["line"], problem.metadata["column"]) == (str(line), str(column))
