"""The builder: turns what the parser matches into the rule tree, bottom up, while it parses.

Here are the leaves and the logic; values, options, events and measures have modules of their own. Invariant:
no state between calls, no recursion, and every node it returns has passed its checks.
"""

# ruff: noqa: D102 - what a method does is said by the rule of grammar.lark that it is named after
from __future__ import annotations

from typing import Any

from lark import Token, Transformer, v_args

from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from coterie.index.rules.build_events import Event, EventBuilder, Step, build_did, build_first
from coterie.index.rules.build_logic import Part, check_kind, joined, shared
from coterie.index.rules.build_measures import MeasureBuilder
from coterie.index.rules.build_options import Option, OptionBuilder, Options, bounded, ranged
from coterie.index.rules.build_values import Named, ValueBuilder, count_of, phrase
from coterie.index.rules.checks import check_at_least, check_name, check_split
from coterie.index.rules.literals import read_percent, read_quoted
from coterie.index.rules.refusal import Refused, at
from coterie.index.rules.tested import ATTRIBUTE, check_test


@v_args(inline=True)
class LogicBuilder(Transformer[Token, Any]):
    """Leaves and what joins them."""

    # ------------------------------------------------------------ logic

    def conjunction(self, *parts: Part) -> Part:
        return joined(ast.And, parts)

    def disjunction(self, *parts: Part) -> Part:
        return joined(ast.Or, parts)

    def all_of(self, *parts: Part) -> Part:
        return joined(ast.And, parts) if len(parts) > 1 else parts[0]

    def any_of(self, *parts: Part) -> Part:
        return joined(ast.Or, parts) if len(parts) > 1 else parts[0]

    def negation(self, _not: Token, part: Part) -> Part:
        return part._replace(node=ast.Not(part.node))

    def at_least(self, bound: Token, number: Token, *parts: Part) -> Part:
        if bound.type != "AT_LEAST":
            raise Refused(
                f"`{phrase(bound)} … of` is not offered", "at least N of (…)", "combine `at least` with `not`", bound
            )
        k = count_of(number, "number of conditions")
        at(number, check_at_least, k, len(parts))
        return shared(parts)._replace(node=ast.AtLeast(k, tuple(part.node for part in parts)))

    # ------------------------------------------------------------ accounts

    def of_account(self, token: Token, part: Part) -> Part:
        check_kind(part, SubjectKind.ACCOUNT, "inside account (…)")
        return Part(ast.OfAccount(part.node), (token, *part.leaves), SubjectKind.USER, token)

    def users(self, quantity: tuple[ast.Frequency | ast.Quantifier, Token], part: Part) -> Part:
        counted, token = quantity
        check_kind(part, SubjectKind.USER, "inside users (…)")
        return Part(ast.Users(counted, part.node), (token, *part.leaves), SubjectKind.ACCOUNT, token)

    def quantity(self, token: Token) -> tuple[ast.Frequency | ast.Quantifier, Token]:
        match token.type:
            case "ANY_USER":
                return ast.Frequency(1, None), token
            case "NO_USER":
                return ast.Frequency(0, 0), token
            case _:
                return ast.Quantifier.EVERY, token

    def quantity_bound(self, word: Token, number: Token) -> tuple[ast.Frequency, Token]:
        return bounded(word, number), word

    def quantity_range(self, low: Token, high: Token) -> tuple[ast.Frequency, Token]:
        return ranged(low, high), low

    # ------------------------------------------------------------ segments, lists, splits

    def in_segment(self, token: Token, name: Named) -> Part:
        return Part(ast.InSegment(_segment(name)), (token,))

    def in_segment_name(self, name: Named) -> Part:
        return Part(ast.InSegment(_segment(name)), (name.token,))

    def in_list(self, token: Token, name: Named) -> Part:
        return Part(ast.InList(_segment(name)), (token,))

    def in_split(self, token: Token, word: Token, salt: Token, low: Token, high: Token) -> Part:
        text = at(salt, read_quoted, str(salt))
        shares = at(low, read_percent, str(low)), at(high, read_percent, str(high))
        at(word, check_split, text, *shares)
        return Part(ast.InSplit(text, *shares), (token,))

    # ------------------------------------------------------------ attributes

    def attribute(self, token: Token, test: ast.Test, *options: Option) -> Part:
        spelled_owner, _, spelled_name = str(token).partition(".")
        name = at(token, read_quoted, spelled_name) if spelled_name[0] in "'\"" else spelled_name
        at(token, check_name, name, "attribute")
        at(token, check_test, test, ATTRIBUTE)
        found = Options(options)
        found.refuse(
            "window", "an attribute has no window: it is what is known now", "a comparison, or `did` with a window"
        )
        found.refuse(
            "where", "an attribute has no `where`", "`and` with a further condition", "write `and` for `where`"
        )
        owner = ast.Owner(spelled_owner.lower())
        node = ast.AttributeTest(owner, name, test, found.zone)
        return Part(node, (token,), SubjectKind.USER, token) if owner is ast.Owner.USER else Part(node, (token,))

    # ------------------------------------------------------------ events and measures

    def did(self, token: Token, steps: tuple[Step, ...]) -> Part:
        return Part(build_did(steps, None), (token,))

    def did_group(self, token: Token, steps: tuple[Step, ...], *options: Option) -> Part:
        return Part(build_did(steps, options), (token,))

    def did_first(self, token: Token, _first: Token, event: Event, *options: Option) -> Part:
        return Part(build_first(event, Options(options)), (token,))

    def did_not(self, token: Token, negation: Token, steps: tuple[Step, ...]) -> Part:
        if len(steps) > 1:
            raise Refused(
                "`did not A then B` can be read in two ways",
                "`did A then not B within D`, or `not (did A then B)`",
                "",
                negation,
            )
        return Part(ast.Not(build_did(steps, None)), (token,))

    def did_not_group(self, token: Token, _not: Token, steps: tuple[Step, ...], *options: Option) -> Part:
        return Part(ast.Not(build_did(steps, options)), (token,))

    def did_not_first(self, token: Token, _not: Token, _first: Token, event: Event, *options: Option) -> Part:
        return Part(ast.Not(build_first(event, Options(options))), (token,))


class Builder(LogicBuilder, ValueBuilder, OptionBuilder, EventBuilder, MeasureBuilder):
    """All methods the grammar names."""


def _segment(name: Named) -> str:
    at(name.token, check_name, name.name, "segment")
    return name.name
