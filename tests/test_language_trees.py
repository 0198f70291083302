"""Rules as trees: what may not stand together, what is refused by its field, how large they may be, what they cost."""

from __future__ import annotations

import threading
import time

import pytest

from coterie.index.errors import LimitExceeded, RuleInvalid
from coterie.index.model import SubjectKind
from coterie.index.rules import ast, parse, print_rule, validate
from coterie.index.rules.parser import make_parser, parser
from tests.rule_assertions import refuse

DAY_MS = 86_400_000

# ---------------------------------------------------------------- users and accounts


def test_users_and_accounts_do_not_mix() -> None:
    """A rule about users may ask about their account, one about accounts about its users, and neither both."""
    parse("account (any user (account.x = 1 and current.os = 'iOS'))")
    for wrong in (
        "account (in a) and any user (in b)",
        "any user (in a) and user.x = 1",
        "account (user.x = 1)",
        "any user (any user (in a))",
        "at least 1 of (account (in a), no user (in b))",
    ):
        refuse(wrong)
        assert refuse(wrong).column > 1


def test_validate_knows_what_the_rule_is_about() -> None:
    """With the subject kind given, a rule about the other kind is refused by the path of the part that is."""
    validate(parse("user.x = 1"), subject_kind=SubjectKind.USER)
    with pytest.raises(RuleInvalid) as caught:
        validate(parse("in a and not (user.x = 1)"), subject_kind=SubjectKind.ACCOUNT)
    assert caught.value.field == "rule.children[1].child"


# ---------------------------------------------------------------- trees that did not come from text

_COUNT = ast.Measure(ast.Aggregate.COUNT, ast.Events("a"))
_IS_ONE = ast.Compare(ast.CompareOp.EQ, 1.0)


def _where(predicate: ast.Predicate) -> ast.Did:
    return ast.Did(ast.Events("a", predicate))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (ast.And((ast.InSegment("a"),)), "rule.children"),
        (ast.Or((ast.InSegment("a"), ast.Or((ast.InSegment("b"), ast.InSegment("c"))))), "rule.children[1]"),
        (ast.Not(ast.PropertyTest("x", _IS_ONE)), "rule.child"),
        (_where(ast.And((ast.PropertyTest("x", _IS_ONE), ast.InSegment("a")))), "rule.events.where.children[1]"),
        (_where(ast.PropertyTest("", _IS_ONE)), "rule.events.where.name"),
        (_where(ast.PropertyTest("x", ast.Age(ast.AgeRelation.WITHIN_LAST, 5))), "rule.events.where.test"),
        (
            _where(ast.EventTimeTest(ast.EventTimePart.HOUR, ast.Compare(ast.CompareOp.EQ, 25.0))),
            "rule.events.where.test",
        ),
        (ast.Did(ast.Events("")), "rule.events.type"),
        (ast.Did(ast.Events("a"), ast.Frequency(3, 2)), "rule.frequency"),
        (ast.Did(ast.Events("a"), ast.Frequency(-1)), "rule.frequency"),
        (ast.Did(ast.Events("a"), window=ast.Sliding(0)), "rule.window"),
        (ast.Did(ast.Events("a"), window=ast.AgoRange(1, 2)), "rule.window"),
        (ast.Did(ast.Events("a"), window=ast.AgoRange(DAY_MS + 1, 0, "days")), "rule.window"),
        (ast.Did(ast.Events("a"), window=ast.Calendar(ast.CalendarUnit.DAY, 0, 1)), "rule.window"),
        (ast.Did(ast.Events("a"), window=ast.Absolute(None, None)), "rule.window"),
        (ast.Did(ast.Events("a"), window=ast.Absolute(ast.Instant(2), ast.Instant(2))), "rule.window"),
        (ast.Did(ast.Events("a"), zone="Europe/Nowhere"), "rule.zone"),
        (ast.Sequence((ast.Events("a"),)), "rule.steps"),
        (ast.Inaction(ast.Events("a"), ast.Events("b"), 0), "rule.within"),
        (ast.AtLeast(3, (ast.InSegment("a"), ast.InSegment("b"))), "rule.k"),
        (ast.InSplit("s", 10, 10), "rule"),
        (ast.InSplit("", 0, 10), "rule"),
        (ast.MeasureTest(_COUNT, ast.Compare(ast.CompareOp.EQ, "x")), "rule.test"),
        (ast.MeasureTest(_COUNT, ast.Compare(ast.CompareOp.EQ, True)), "rule.test"),
        (ast.MeasureTest(_COUNT, ast.TermCompare(ast.CompareOp.EQ, 5.0)), "rule.test"),
        (ast.MeasureTest(5.0, _IS_ONE), "rule.test"),
        (ast.MeasureTest(ast.Measure(ast.Aggregate.SUM, ast.Events("a")), _IS_ONE), "rule.term"),
        (ast.MeasureTest(ast.Measure(ast.Aggregate.VISITS, ast.Events("a")), _IS_ONE), "rule.term"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.OneOf(())), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.Compare(ast.CompareOp.EQ, float("nan"))), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.Compare(ast.CompareOp.GT, True)), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.Compare(ast.CompareOp.EQ, 1.0, ignore_case=True)), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.Compare(ast.CompareOp.EQ, ast.Version("x"))), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.Between(2.0, 1.0)), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.Between(2.0, "a")), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "x", ast.Near(1.0, 91.0, 0.0)), "rule.test"),
        (ast.AttributeTest(ast.Owner.USER, "\ud800", ast.IsSet()), "rule.name"),
        (ast.Users(ast.Frequency(2, 1), ast.InSegment("a")), "rule.quantity"),
    ],
    ids=str,
)
def test_impossible_trees_are_refused_by_field(rule: ast.Expression, field: str) -> None:
    """A tree that no text could say, or nothing could satisfy, is refused with the path of its fault."""
    with pytest.raises(RuleInvalid) as caught:
        validate(rule)
    assert caught.value.field == field
    assert caught.value.line == 0


# ---------------------------------------------------------------- limits and cost


def test_nesting_is_limited() -> None:
    """Rule, where and arithmetic together nest 32 deep and no deeper, in text and in trees."""
    deep = "not (" * 31 + "did a where not (x = 1)" + ")" * 31
    rule = parse(deep)
    with pytest.raises(LimitExceeded) as caught:
        parse(f"not ({deep})")
    assert (caught.value.facts["given"], caught.value.facts["maximum"]) == (33, 32)
    with pytest.raises(LimitExceeded):
        validate(ast.Not(rule))
    with pytest.raises(LimitExceeded):
        parse("count(a)" + " + count(a)" * 33 + " > 1")
    parse("count(a)" + " + count(a)" * 32 + " > 1")


def test_very_deep_trees_are_refused_without_recursion() -> None:
    """A tree of a hundred thousand levels ends in LimitExceeded."""
    rule: ast.Expression = ast.InSegment("a")
    for _ in range(100_000):
        rule = ast.Not(rule)
    with pytest.raises(LimitExceeded):
        validate(rule)


def test_sizes_are_limited() -> None:
    """Leaves, listed values, names, texts and characters have their limits."""
    for text, limit in {
        " or ".join(["in a"] * 11): {"max_nodes": 10},
        "user.x in (1, 2, 3)": {"max_nodes": 2},
        "did a where (b = 1 and c = 2)": {"max_nodes": 2},
        f"in {'a' * 257}": {"max_name_bytes": 256},
        f'did "{"é" * 129}"': {"max_name_bytes": 256},
        f"user.x = '{'a' * 11}'": {"max_text_bytes": 10},
        "in a" + " " * 100: {"max_characters": 100},
    }.items():
        with pytest.raises(LimitExceeded):
            parse(text, **limit)
        parse(text, **{name: 2 * maximum for name, maximum in limit.items()})


def test_a_rule_of_ten_thousand_leaves_is_read() -> None:
    """Ten thousand leaves read within seconds and print and read back as one flat node."""
    text = " or ".join(f"did e{number} at least 3 times in the last 7 days" for number in range(10_000))
    started = time.perf_counter()
    rule = parse(text)
    assert time.perf_counter() - started < 15
    assert isinstance(rule, ast.Or)
    assert len(rule.children) == 10_000
    assert print_rule(rule) == text


def test_grammar_has_no_conflict() -> None:
    """The grammar is LALR without a conflict that is settled silently, and no two words of one place collide."""
    make_parser(strict=True)


def test_parser_is_made_once_and_shared_by_threads() -> None:
    """One parser serves all threads at once."""
    assert parser() is parser()
    failures: list[str] = []

    def read(number: int) -> None:
        for step in range(50):
            text = f"did e{number} where x = {step} and in s{step}"
            if print_rule(parse(text)) != text:
                failures.append(text)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_trees_hold_plain_values() -> None:
    """Names and texts in a tree are plain strings, never the parser's tokens, so they pack and pickle."""
    rule = parse("did a where b = 'c' then d.e within 1 day")
    assert isinstance(rule, ast.Sequence)
    assert [type(step.type) for step in rule.steps] == [str, str]
    attribute = parse("user.a.b = 'x'")
    assert isinstance(attribute, ast.AttributeTest)
    assert type(attribute.name) is str
    named = parse("in vip")
    assert isinstance(named, ast.InSegment)
    assert type(named.segment) is str
