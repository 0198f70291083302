"""The part of the builder that makes values and tests of one value.

Each method is named after a rule of grammar.lark and takes what that rule matched.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lark import Token, Transformer, v_args

from coterie.index.rules import ast
from coterie.index.rules.checks import check_version
from coterie.index.rules.literals import print_number, read_count, read_duration, read_moment, read_number, read_quoted
from coterie.index.rules.refusal import Refused, at
from coterie.index.rules.tested import check_form

COMPARISONS = {op.value: op for op in ast.CompareOp} | {
    "==": ast.CompareOp.EQ,
    "<>": ast.CompareOp.NE,
    "~=": ast.CompareOp.NE,
}
_TEXT_OPS = {
    "contains": (ast.TextOp.CONTAINS, False),
    "starts with": (ast.TextOp.STARTS_WITH, False),
    "ends with": (ast.TextOp.ENDS_WITH, False),
    "matches": (ast.TextOp.MATCHES, False),
    "does not contain": (ast.TextOp.CONTAINS, True),
    "does not start with": (ast.TextOp.STARTS_WITH, True),
    "does not end with": (ast.TextOp.ENDS_WITH, True),
    "does not match": (ast.TextOp.MATCHES, True),
}


class Named(NamedTuple):
    """A name as it was meant, and where it was written."""

    name: str
    token: Token


def phrase(token: Token) -> str:
    """Returns a keyword's words in lower case with single spaces."""
    return " ".join(str(token).lower().split())


def named(token: Token) -> Named:
    """Returns the name that a bare or quoted token gives."""
    if token.type == "STRING":
        return Named(at(token, read_quoted, str(token)), token)
    return Named(str(token), token)


def number_of(token: Token) -> float:
    """Returns the number that a token gives."""
    return at(token, read_number, str(token))


def count_of(token: Token, what: str, low: int = 0) -> int:
    """Returns the whole number that a token gives."""
    return at(token, read_count, str(token), what, low)


def formed(token: Token, test: ast.Test) -> ast.Test:
    """Returns the test, if it makes sense."""
    at(token, check_form, test)
    return test


@v_args(inline=True)
class ValueBuilder(Transformer[Token, Any]):
    """Names, literals, durations and tests."""

    def name(self, token: Token) -> Named:
        return named(token)

    def property(self, token: Token) -> Named:
        return named(token)

    def number(self, token: Token) -> float:
        return number_of(token)

    def text(self, token: Token) -> str:
        return at(token, read_quoted, str(token))

    def moment(self, token: Token) -> ast.Moment:
        return at(token, read_moment, str(token))

    def truth(self, token: Token) -> bool:
        return phrase(token) == "true"

    def version(self, _version: Token, token: Token) -> ast.Version:
        text = at(token, read_quoted, str(token))
        at(token, check_version, text)
        return ast.Version(text)

    def duration(self, number: Token, unit: Token) -> int:
        return at(number, read_duration, str(number), str(unit))

    # ------------------------------------------------------------ tests

    def compare(self, op: Token, value: ast.Literal, ignoring_case: Token | None) -> ast.Test:
        return formed(op, ast.Compare(COMPARISONS[str(op)], value, ignoring_case is not None))

    def one_of(self, word: Token, *values: Any) -> ast.Test:
        *literals, ignoring_case = values
        return formed(word, ast.OneOf(tuple(literals), phrase(word) == "not in", ignoring_case is not None))

    def between(self, _word: Token, low: ast.Literal, high: ast.Literal) -> ast.Test:
        return ast.Between(low, high)  # judged where the tested value is known: hours may want to run over midnight

    def text_match(self, word: Token, text: ast.Literal, ignoring_case: Token | None) -> ast.Test:
        if not isinstance(text, str):
            fix = f"write '{print_number(text)}'" if isinstance(text, float) else ""
            raise Refused(f"`{phrase(word)}` looks for text", "a text in quotes", fix, word)
        op, negated = _TEXT_OPS[phrase(word)]
        return formed(word, ast.TextMatch(op, text, negated, ignoring_case is not None))

    def is_set(self, word: Token) -> ast.Test:
        return ast.IsSet(phrase(word) == "is not set")

    def near(self, word: Token, km: Token, latitude: Token, longitude: Token) -> ast.Test:
        return formed(word, ast.Near(number_of(km), number_of(latitude), number_of(longitude)))

    def age_more_than(self, _word: Token, duration_ms: int, from_now: Token | None = None) -> ast.Test:
        relation = ast.AgeRelation.MORE_THAN_FROM_NOW if from_now else ast.AgeRelation.MORE_THAN_AGO
        return ast.Age(relation, duration_ms)

    def age_less_than(self, _word: Token, duration_ms: int, from_now: Token | None = None) -> ast.Test:
        relation = ast.AgeRelation.WITHIN_NEXT if from_now else ast.AgeRelation.WITHIN_LAST
        return ast.Age(relation, duration_ms)

    def age_within(self, word: Token, duration_ms: int) -> ast.Test:
        last = phrase(word) == "within the last"
        return ast.Age(ast.AgeRelation.WITHIN_LAST if last else ast.AgeRelation.WITHIN_NEXT, duration_ms)
