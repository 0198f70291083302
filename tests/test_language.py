"""What rules can say: every sentence reads, prints in one form, and means one tree."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.index.errors import RuleInvalid
from coterie.index.model import SubjectKind
from coterie.index.rules import ast, parse, parse_expression_of_names, print_rule, validate
from tests.rule_assertions import refuse, same
from tests.rule_strategies import expressions, set_expressions

# ---------------------------------------------------------------- the sentences the language is made for

SENTENCES = """\
user.country in ('US', 'CA') and user.age >= 18 and user.tags contains 'vip'
user.email ends with '@example.com' and user.phone is set
user.app_version >= version('4.2') and current.os = 'iOS'
current.location within 25 km of (48.85, 2.35)
user.city = 'paris' ignoring case
user.signed_up more than 30 days ago and user.trial_ends within the next 7 days
last(cart_updated.value) < 100
sum(add_to_cart.price) - sum(remove_from_cart.price) < 100 in this visit
sum(purchase.price in the last 7 days) / sum(purchase.price in the last 30 days) > 0.5
did "App Launched" for the first time in the last 30 days
did first purchase where category = 'shoes' in the last 30 days
did acquired where source = 'facebook' between 2026-04-01 and 2026-05-01 and did transaction at least 3 times \
between 2026-05-01 and 2026-07-01 and did not transaction in the last 14 days
did "App Launched" at least 10 times and did Charged for the first time in this visit
did "Listened to Track" and did "Created Playlist" and did not "Shared Playlist"
did "Read Article" exactly 5 times
did "Added To Cart" then not Purchased within 15 minutes
did view then add_to_cart where price > 10 then purchase within 1 day
did (view then add_to_cart within 10 minutes) at least 2 times in the last 7 days
distinct(view.category) >= 3 in the last 7 days
days(login) >= 5 in the last 7 days
last(purchase) more than 30 days ago
visits >= 3 in the last 30 days and avg(visits.duration_s) > 120
did login this month in 'Europe/Paris'
did login between 60 and 30 days ago
did purchase at least 2 times where (hour between 18 and 23 and weekday in ('sat', 'sun')) in the last 90 days
did page_view at most 4 times where url matches '/products/*' today
in vip and not in churned
in list newsletter_2026 or in split 'spring' 0% to 10%
at least 2 of (in vip, did purchase today, user.plan = 'pro')
account.industry = 'retail' and account (in enterprise)
any user (in power_users) and no user (in churned) and at least 10 users (did login in the last 7 days)
""".splitlines()


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence[:50])
def test_sentence_reads_prints_and_reads_again(sentence: str) -> None:
    """Every sentence is a rule whose canonical text is the sentence itself."""
    rule = parse(sentence)
    validate(rule)
    assert print_rule(rule) == sentence
    assert parse(print_rule(rule)) == rule


# ---------------------------------------------------------------- trees print and read back


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(expressions(), expressions(kind=SubjectKind.ACCOUNT)))
def test_every_valid_tree_prints_and_reads_back(rule: ast.Expression) -> None:
    """parse(print(rule)) is the rule, whatever its names and values; printing again changes nothing."""
    validate(rule)
    text = print_rule(rule)
    assert "\n" not in text
    assert repr(parse(text)) == repr(rule)
    assert print_rule(parse(text)) == text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(set_expressions(st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True)))
def test_set_expressions_read_as_rules_do(rule: ast.Expression) -> None:
    """What counts take reads every set expression as rules do, and with `in` dropped before plain names."""
    assert parse_expression_of_names(print_rule(rule)) == rule


def test_in_may_be_dropped_where_only_names_occur() -> None:
    """`vip and not churned` is `in vip and not in churned` in a set expression, and no rule."""
    assert parse_expression_of_names("vip and not churned") == parse("in vip and not in churned")
    assert parse_expression_of_names('at least 2 of (a, in list b, any of (c, "today"))') == parse(
        'at least 2 of (in a, in list b, any of (in c, in "today"))'
    )
    with pytest.raises(RuleInvalid):
        parse("vip and not churned")
    with pytest.raises(RuleInvalid):
        parse_expression_of_names("vip and did purchase")


# ---------------------------------------------------------------- names and values


def test_either_quote_serves_names_and_texts() -> None:
    """Names and texts take either quote mark; names print with the double one, texts with the single one."""
    same('did \'App Launched\' where "a b" = "x"', "did \"App Launched\" where 'a b' = 'x'")
    assert print_rule(parse("did 'a b' where c = \"d\"")) == "did \"a b\" where c = 'd'"


def test_reserved_words_are_quoted_as_names() -> None:
    """A reserved word, and list, split, hour, weekday, date where they have a meaning, is a name when quoted."""
    assert parse('did "today"') == ast.Did(ast.Events("today"))
    assert parse('in "list" and in "split"') == ast.And((ast.InSegment("list"), ast.InSegment("split")))
    assert parse("in list list") == ast.InList("list")
    quoted, bare = parse('did a where "hour" = 5'), parse("did a where Hour = 5")
    assert isinstance(quoted, ast.Did)
    assert isinstance(bare, ast.Did)
    assert quoted.events.where == ast.PropertyTest("hour", ast.Compare(ast.CompareOp.EQ, 5.0))
    assert bare.events.where == ast.EventTimeTest(ast.EventTimePart.HOUR, ast.Compare(ast.CompareOp.EQ, 5.0))


def test_names_may_begin_with_words_of_the_language() -> None:
    """Words are whole words: in-app, at_least and today2 are names."""
    for name in ("in-app", "at_least", "today2", "not$", "first-visit", "did_it", "Été", "$visit"):
        assert parse(f"did {name} and in {name}") == ast.And((ast.Did(ast.Events(name)), ast.InSegment(name)))


def test_keywords_ignore_case_and_spacing_names_do_not() -> None:
    """Keywords are read in any case and spacing; names, texts and attributes keep theirs."""
    same("DID Purchase AT  LEAST\t3 TIMES In The\n Last 7 Days", "did Purchase at least 3 times in the last 7 days")
    assert parse("did purchase") != parse("did Purchase")
    assert parse("USER.Age > 1") == parse("user.Age > 1") != parse("user.age > 1")
    assert isinstance(refuse("d\u0131d purchase"), RuleInvalid)  # a dotless i is no i


def test_comments_are_read_over() -> None:
    """`#` begins a comment, except inside quotes."""
    same("# who\ndid a # why\n  and in b#", "did a and in b")
    assert parse("user.x = '#1'  # one") == parse("user.x = '#1'")


def test_escapes() -> None:
    """The escapes of quoted text, both ways; no raw line break."""
    rule = parse(r"""user.x = 'a\\b\'c\"d\n\r\te\u00e9\ud83d\ude00'""")
    assert rule == ast.AttributeTest(ast.Owner.USER, "x", ast.Compare(ast.CompareOp.EQ, "a\\b'c\"d\n\r\teé\U0001f600"))
    assert print_rule(rule) == r"""user.x = 'a\\b\'c"d\n\r\teé😀'"""
    refuse("user.x = 'a\nb'")
    refuse(r"user.x = '\q'")
    refuse(r"user.x = '\ud800'")


def test_numbers_and_texts_differ() -> None:
    """'367' is text, 367 a number; numbers print as they are written."""
    assert parse("user.x = '367'") != parse("user.x = 367")
    for spelled in ("1000", "-2.5", "0", "0.1", "1e+300", "1e-07"):
        assert print_rule(parse(f"user.x = {spelled}")) == f"user.x = {spelled}"


def test_dates() -> None:
    """Dates are days, times are local without an offset, and instants with one print in UTC with Z."""
    assert parse("user.x > 2026-05-01") == ast.AttributeTest(
        ast.Owner.USER, "x", ast.Compare(ast.CompareOp.GT, ast.LocalTime(datetime(2026, 5, 1), date_only=True))
    )
    assert parse("user.x > 2026-05-01T00:00") != parse("user.x > 2026-05-01")
    same("user.x > 2026-05-01T18:30+02:00", "user.x > 2026-05-01T16:30Z")
    assert print_rule(parse("user.x > 2026-05-01T18:30:15.250+02:00")) == "user.x > 2026-05-01T16:30:15.250Z"
    assert (
        print_rule(parse("user.x > 2026-05-01T18:30:00 in 'Europe/Paris'"))
        == "user.x > 2026-05-01T18:30 in 'Europe/Paris'"
    )


def test_dots() -> None:
    """After an owner all is the attribute's name; in a measure the dot separates event and property."""
    assert parse("user.address.last is set") == ast.AttributeTest(ast.Owner.USER, "address.last", ast.IsSet())
    same('user."address.last" is set', "user.address.last is set")
    assert parse("did checkout.completed where cart.total > 3") == ast.Did(
        ast.Events("checkout.completed", ast.PropertyTest("cart.total", ast.Compare(ast.CompareOp.GT, 3.0)))
    )
    dotted = parse('sum("checkout.completed".price) > 3')
    assert isinstance(dotted, ast.MeasureTest)
    assert dotted.term == ast.Measure(ast.Aggregate.SUM, ast.Events("checkout.completed"), "price")
    anything = parse("sum(any event.price) > 3")
    assert isinstance(anything, ast.MeasureTest)
    assert anything.term == ast.Measure(ast.Aggregate.SUM, ast.Events(None), "price")
    refuse("sum(checkout.completed.price) > 3")


# ---------------------------------------------------------------- logic


def test_and_or_never_mix_and_not_takes_one_condition() -> None:
    """Mixing needs parentheses; `not` reaches the next condition only."""
    refuse("in a or in b and in c")
    refuse("did e where a = 1 or b = 2 and c = 3")
    assert print_rule(parse("(in a or in b) and in c")) == "(in a or in b) and in c"
    assert parse("not in a and in b") == ast.And((ast.Not(ast.InSegment("a")), ast.InSegment("b")))


def test_nested_chains_are_flat() -> None:
    """Parentheses, `all of` and `any of` that only group make no other tree."""
    same("(in a and in b) and in c", "in a and (in b and in c)")
    same("all of (in a, any of (in b, in c), in d)", "in a and (in b or in c) and in d")
    same("any of (in a)", "in a")
    same("did e where any of (a = 1, all of (b = 2, c = 3))", "did e where (a = 1 or (b = 2 and c = 3))")


def test_negations_print_shortest() -> None:
    """`did not E` and `not in x`; everything else in parentheses."""
    for text in (
        "did not a today",
        "not in a",
        "not in list a",
        "not in split 'a' 0% to 1%",
        "not (user.x = 1)",
        "not (not in a)",
    ):
        assert print_rule(parse(text)) == text
    same("did not (a then b)", "not (did a then b)")
    same("did not first a where b = 1", "not (did first a where b = 1)")
    same("not did a", "did not a")
