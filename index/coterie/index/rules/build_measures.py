"""The part of the builder that makes measures, arithmetic over them and tests of them.

Each method is named after a rule of grammar.lark and takes what that rule matched. A window after the comparison
reaches the measures before it, so until then a term is kept as a list in postfix order, cheap to extend and
to fill in; no recursion, however deep the parentheses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from lark import Token, Transformer, v_args

from coterie.index.rules import ast
from coterie.index.rules.build_logic import Part
from coterie.index.rules.build_options import Option, Options
from coterie.index.rules.build_values import COMPARISONS, Named, named, number_of, phrase
from coterie.index.rules.checks import check_measure, check_name
from coterie.index.rules.refusal import Refused, at
from coterie.index.rules.tested import check_measure_test
from coterie.index.rules.words import VISIT_EVENT


class Drafted(NamedTuple):
    """A measure; `settled` where a window or zone stands inside its parentheses."""

    measure: ast.Measure
    settled: bool
    token: Token


class Constant(NamedTuple):
    """A number in a term."""

    number: float
    token: Token


Postfix: TypeAlias = "list[Drafted | Constant | ast.ArithmeticOp]"


@v_args(inline=True)
class MeasureBuilder(Transformer[Token, Any]):
    """Terms and their tests."""

    def source(self, token: Token) -> Named:
        if token.type == "VISITS":
            return Named(VISIT_EVENT, token)
        return Named("", token) if token.type == "ANY_EVENT" else named(token)

    def measure(self, aggregate: Token, source: Named, property_name: Named | None, *options: Option) -> Postfix:
        found = Options(options)
        found.refuse(
            "frequency", "a number of times stands inside a measure", "a comparison after it, as in count(E) >= 3"
        )
        name = ast.Aggregate(phrase(aggregate))
        _check_source(name, source, property_name)
        measure = ast.Measure(
            name,
            ast.Events(None if source.token.type == "ANY_EVENT" else source.name, found.get("where")),
            property_name.name if property_name else None,
            found.window,
            found.zone,
        )
        at(aggregate, check_measure, measure)
        settled = found.get("window") is not None or found.zone is not None
        return [Drafted(measure, settled, aggregate)]

    def inside_visits(self, *options: Option) -> Options:
        return Options(options)

    def visits(self, token: Token, inside: Options | None) -> Postfix:
        found = inside or Options(())
        found.refuse("where", "visits takes no `where`", "a window or time zone")
        measure = ast.Measure(ast.Aggregate.VISITS, None, None, found.window, found.zone)
        return [Drafted(measure, inside is not None, token)]

    def constant(self, token: Token) -> Postfix:
        return [Constant(number_of(token), token)]

    def arithmetic(self, left: Postfix, op: Token, right: Postfix) -> Postfix:
        left += right
        left.append(ast.ArithmeticOp(str(op)))
        return left

    def measure_test(self, term: Postfix, test: ast.Test, *options: Option) -> Part:
        return _tested(term, test, Options(options))

    def measure_compare(
        self, left: Postfix, op: Token, right: Any, ignoring_case: Token | None, *options: Option
    ) -> Part:
        comparison = COMPARISONS[str(op)]
        if not isinstance(right, list):
            return _tested(left, ast.Compare(comparison, right, ignoring_case is not None), Options(options))
        if ignoring_case is not None:
            raise Refused("only text has upper and lower case", "a text before `ignoring case`", "", ignoring_case)
        if len(right) == 1 and isinstance(right[0], Constant):
            return _tested(left, ast.Compare(comparison, right[0].number), Options(options))
        return _compared(left, comparison, right, Options(options))


def _check_source(aggregate: ast.Aggregate, source: Named, property_name: Named | None) -> None:
    if source.token.type in {"NAME", "STRING"}:
        at(source.token, check_name, source.name, "event")
    if property_name is not None:
        at(property_name.token, check_name, property_name.name, "property")
    if source.token.type == "VISITS" and aggregate is ast.Aggregate.COUNT:
        raise Refused(
            "count(visits) could leave out the running visit or not",
            "visits, with the running one, or count($visit), of finished visits",
            "write visits",
            source.token,
        )


# ---------------------------------------------------------------- from postfix order to a tree


def _tested(postfix: Postfix, test: ast.Test, options: Options) -> Part:
    node = ast.MeasureTest(_finished(postfix, _reach(postfix, options)), test)
    token = _first_token(postfix)
    at(token, check_measure_test, node)
    return Part(node, (token,))


def _compared(left: Postfix, op: ast.CompareOp, right: Postfix, options: Options) -> Part:
    reach = _reach(left + right, options)
    node = ast.MeasureTest(_finished(left, reach), ast.TermCompare(op, _finished(right, reach)))
    token = _first_token(left)
    at(token, check_measure_test, node)
    return Part(node, (token,))


def _first_token(postfix: Postfix) -> Token:
    first = postfix[0]
    assert not isinstance(first, ast.ArithmeticOp)
    return first.token


def _reach(postfix: Postfix, options: Options) -> Options:
    """Returns the options that reach the measures; refuses a window that would reach none."""
    options.refuse("where", "`where` stands after the comparison", "`where` inside the measure's parentheses")
    token = options.get_token("window") or options.get_token("zone")
    if token and all(item.settled for item in postfix if isinstance(item, Drafted)):
        raise Refused(
            f"`{phrase(token)}` reaches no measure: each has a window or time zone of its own",
            "windows inside the parentheses, or one after the comparison",
            "",
            token,
        )
    return options


def _finished(postfix: Postfix, reach: Options) -> ast.Term:
    stack: list[ast.Term] = []
    for item in postfix:
        if isinstance(item, ast.ArithmeticOp):
            right, left = stack.pop(), stack.pop()
            stack.append(ast.Arithmetic(item, left, right))
        elif isinstance(item, Constant):
            stack.append(item.number)
        else:
            unsettled = not item.settled
            stack.append(replace(item.measure, window=reach.window, zone=reach.zone) if unsettled else item.measure)
    (term,) = stack
    return term
