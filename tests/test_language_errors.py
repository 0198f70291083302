"""What people are told when a rule is wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.index.errors import InputError, LimitExceeded, RuleInvalid
from coterie.index.rules import expectations, parse, parse_expression_of_names
from coterie.index.rules.parser import parser

GOLDEN = Path(__file__).parent / "golden" / "rule_errors.txt"


def blocks() -> list[str]:
    """Returns the blocks of the golden file, in their order."""
    return [block for block in re.split(r"\n\n+", GOLDEN.read_text(encoding="utf-8").strip()) if block]


def rule_of(block: str) -> str:
    """Returns the rule of a block: its lines that begin with a bar."""
    return "\n".join(line[2:] for line in block.split("\n") if line.startswith("|"))


def told(rule: str) -> str:
    """Returns the block as it should be: the rule, the place and all that is said."""
    with pytest.raises(InputError) as caught:
        parse(rule)
    error = caught.value
    assert isinstance(error, RuleInvalid)
    lines = [f"| {line}".rstrip(" ") if not line else f"| {line}" for line in rule.split("\n")]
    caret = " " * (error.column + 1) + "^"
    lines.insert(error.line, f"{caret} line {error.line}, column {error.column}")
    what = error.message.removeprefix(f"line {error.line}, column {error.column}: ").split("; expected ")[0]
    lines.append(f"  {what}" if error.expected else f"  {what.removesuffix(f'; {error.fix}')}")
    lines += [f"  expected: {error.expected}"] if error.expected else []
    lines += [f"  fix: {error.fix}"] if error.fix else []
    return "\n".join(lines)


CASES = [block for block in blocks() if block.startswith("|")]


def test_golden_file_is_as_told() -> None:
    """Every typical mistake is answered as the golden file says, word for word."""
    if os.environ.get("COTERIE_GOLDEN") == "update":
        fresh = [told(rule_of(block)) if block.startswith("|") else block for block in blocks()]
        GOLDEN.write_text("\n\n".join(fresh) + "\n", encoding="utf-8")
    wrong = [(block, told(rule_of(block))) for block in blocks() if block.startswith("|")]
    assert [was for was, _ in wrong] == [now for _, now in wrong]


def test_golden_file_holds_enough_mistakes() -> None:
    """There are at least eighty different mistakes, and most come with a fix."""
    assert len({rule_of(block) for block in CASES}) >= 80
    assert sum("\n  fix: " in block for block in CASES) >= 0.7 * len(CASES)


@pytest.mark.parametrize("block", CASES, ids=lambda block: rule_of(block)[:50])
def test_answers_are_for_readers(block: str) -> None:
    """Each answer has a place inside the text, and says what was expected or how to fix it, without terminals' names."""
    rule = rule_of(block)
    with pytest.raises(RuleInvalid) as caught:
        parse(rule)
    error = caught.value
    lines = rule.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert error.expected or error.fix
    assert error.metadata["line"] == str(error.line)
    assert not re.search(r"\b_[A-Z]|\b[A-Z]+_[A-Z]+|__ANON|LPAR|RPAR|COMMA|\$END|Token\(", error.message)


def test_every_terminal_has_words() -> None:
    """No terminal of the grammar is without a phrase: whatever could stand at a place can be said."""
    for terminal in parser().terminals:
        if terminal.name.startswith("__IGNORE"):
            continue
        in_place = expectations.in_words(frozenset({terminal.name, "FOR_THE_FIRST_TIME"}))
        alone = expectations.in_words(frozenset({terminal.name}))
        assert alone or in_place, terminal.name
        assert terminal.name not in alone.split()


def test_misspelled_words_are_recognised() -> None:
    """A misspelled word of the language brings the word that was meant."""
    for rule, meant in {
        "did purchase yesteday": "yesterday",
        "did purchase in the last 3 wekes": "weeks",
        "did purchase atleast 3 times": "at least",
        "did purchase exacly 3 times": "exactly",
        "user.email contians 'x'": "contains",
    }.items():
        with pytest.raises(RuleInvalid) as caught:
            parse(rule)
        assert meant in f"{caught.value.fix} {caught.value.expected}", rule


def test_names_expressions_are_explained_too() -> None:
    """Set expressions answer mistakes with a place as rules do."""
    with pytest.raises(RuleInvalid) as caught:
        parse_expression_of_names("vip and did purchase")
    assert (caught.value.line, caught.value.column) == (1, 9)
    assert caught.value.field == "expression"


def test_field_is_named() -> None:
    """The error names the request field that the text came in."""
    with pytest.raises(RuleInvalid) as caught:
        parse("did", field="segment.rule")
    assert caught.value.field == "segment.rule"


# ---------------------------------------------------------------- whatever the input


def refusal_of(text: str) -> InputError | None:
    """Returns the refusal of a text, None if it is a rule."""
    try:
        parse(text)
    except InputError as error:
        return error
    return None


_PIECES: list[str] = (  # noqa: SIM905 - words are easier to read than a list of them
    "did did not in and or not ( ) , . then within where at least 3 times last first count( sum( = != > < 'x' \"y z\" 5"
    " -2.5 2026-05-01 user.a account.b current.c today between ago days in the last 7 days 10% to split list visits any"
    " all of users user account # \n + - * / is set contains price vip ' \" \\ ; @ \u2028 \x00 é for the first time"
).split(" ")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=14).map(" ".join))
def test_any_words_end_in_a_rule_or_an_answer(text: str) -> None:
    """Whatever words are put together, the outcome is a rule or a refusal with a place and a way on."""
    error = refusal_of(text)
    if isinstance(error, RuleInvalid):
        assert error.line >= 1
        assert error.column >= 1
        assert error.expected or error.fix


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_ends_in_a_rule_or_an_answer(text: str) -> None:
    """Whatever characters come in, the outcome is a rule or a refusal that names its field."""
    error = refusal_of(text)
    assert error is None or error.field == "rule"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000,
        "(" * 5_000 + "in vip",
        "not " * 5_000 + "in vip",
        "(in vip and " * 5_000 + "in vip" + ")" * 5_000,
        "count(a) " + "+ count(a) " * 5_000 + "> 3",
        "(count(a) + " * 5_000 + "1" + ")" * 5_000 + " > 3",
        "did a where " + "not " * 5_000 + "x = 1",
        "did a where x = 1 " + "and (x = 1 or (" * 2_500,
        "account (any user (" * 2_500,
        "any of (" * 5_000,
    ],
    ids=lambda text: text[:24],
)
def test_deep_input_is_refused(text: str) -> None:
    """Five thousand levels of any kind of nesting end in a clear refusal, never in a RecursionError."""
    with pytest.raises((RuleInvalid, LimitExceeded)):
        parse(text)


def test_deep_parentheses_alone_are_a_rule() -> None:
    """Parentheses that group nothing do not nest anything."""
    assert parse("(" * 500 + "in vip" + ")" * 500) == parse("in vip")
