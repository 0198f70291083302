"""The part of the builder that makes what people did: events, their `where`, steps and sequences.

Each method is named after a rule of grammar.lark and takes what that rule matched. The grammar takes options
after any step; here they are put in their places, and those that have none are refused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lark import Token, Transformer, v_args

from coterie.index.rules import ast
from coterie.index.rules.build_logic import flattened
from coterie.index.rules.build_options import FIRST_TIME, Option, OptionKind, Options
from coterie.index.rules.build_values import Named, named, phrase
from coterie.index.rules.checks import check_name, check_steps
from coterie.index.rules.refusal import Refused, at
from coterie.index.rules.tested import PROPERTY, check_event_time_test, check_test
from coterie.index.rules.words import EVENT_TIME_WORDS, is_word_of


class Event(NamedTuple):
    """An event type (None: any event) and where it was written."""

    type: str | None
    token: Token


class Span(NamedTuple):
    """``within D``."""

    duration_ms: int
    token: Token


class Step(NamedTuple):
    """An event with what follows it; `negated` is the `not` before it."""

    event: Event
    options: tuple[Option, ...]
    span: Span | None
    negated: Token | None = None


# ---------------------------------------------------------------- leaves


def build_did(steps: tuple[Step, ...], outer: tuple[Option, ...] | None) -> ast.Expression:
    """Returns the leaf that the steps say; `outer` are the options after a closing parenthesis, None without."""
    if len(steps) == 1:
        return _build_single(steps[0], outer or ())
    for step in steps:
        _check_step(step, grouped=outer is not None)
    *before, last = steps
    for step in before:
        if step.span:
            raise Refused("`within` stands before a further step", "`within` after the last step", "", step.span.token)
        if step.negated:
            raise Refused("`then not` ends a chain", "nothing after it but `within`", "", step.negated)
    if last.negated:
        return _build_inaction(steps, Options(outer or ()))
    at(steps[0].event.token, check_steps, len(steps))
    options = Options(outer or ())
    options.refuse("where", "`where` stands after the sequence", "`where` directly after the step it belongs to")
    frequency = options.get("frequency")
    if frequency == FIRST_TIME:
        options.refuse(
            "frequency", "the first time of a sequence cannot be asked for", "at least, at most, exactly … times"
        )
    return ast.Sequence(
        tuple(_events(step.event, Options(step.options)) for step in steps),
        last.span.duration_ms if last.span else None,
        frequency or ast.Frequency(),
        options.window,
        options.zone,
    )


def _build_single(step: Step, outer: tuple[Option, ...]) -> ast.Expression:
    if step.span:
        raise Refused(
            "`within` needs a further step",
            "`A then B within D`, or `A then not B within D`",
            "for a window write `in the last`",
            step.span.token,
        )
    options = Options(step.options + outer)
    events = _events(step.event, options)
    frequency = options.get("frequency")
    if frequency == FIRST_TIME:
        return ast.DidFirst(events, False, options.window, options.zone)
    return ast.Did(events, frequency or ast.Frequency(), options.window, options.zone)


def _check_step(step: Step, *, grouped: bool) -> None:
    where = "after the closing parenthesis" if grouped else "after parentheses around the sequence"
    for option in step.options:
        if option.kind != "where":
            raise Refused(
                f"a {option.kind} stands inside a sequence",
                f"the {option.kind} {where}",
                f"write did (A then B) {phrase(option.token)} …",
                option.token,
            )


def _build_inaction(steps: tuple[Step, ...], outer: Options) -> ast.Inaction:
    first, *_, last = steps
    assert last.negated is not None
    if len(steps) != 2:
        raise Refused("`then not` follows more than one step", "`A then not B within D`", "", last.negated)
    if last.span is None:
        raise Refused(
            "how long the event stayed away is missing", "`within` and a duration after `then not B`", "", last.negated
        )
    kinds: tuple[OptionKind, ...] = ("frequency", "where", "window", "zone")
    for kind in kinds:
        outer.refuse(kind, f"`A then not B within D` takes no {kind}", "nothing after the duration")
    return ast.Inaction(
        _events(first.event, Options(first.options)), _events(last.event, Options(last.options)), last.span.duration_ms
    )


def build_first(event: Event, options: Options) -> ast.DidFirst:
    """Returns `did first E where F`."""
    options.refuse("frequency", "the very first event happens once", "`did first E` without a number of times")
    return ast.DidFirst(_events(event, options), True, options.window, options.zone)


def _events(event: Event, options: Options) -> ast.Events:
    return ast.Events(event.type, options.get("where"))


# ---------------------------------------------------------------- the methods the grammar names


@v_args(inline=True)
class EventBuilder(Transformer[Token, Any]):
    """Events, steps and their options."""

    def event(self, token: Token) -> Event:
        if token.type == "ANY_EVENT":
            return Event(None, token)
        name = named(token).name
        at(token, check_name, name, "event")
        return Event(name, token)

    def span(self, token: Token, duration_ms: int) -> Span:
        return Span(duration_ms, token)

    def step(self, event: Event, *rest: Any) -> Step:
        *options, span = rest
        return Step(event, tuple(options), span)

    def link(self, _then: Token, negated: Token | None, step: Step) -> Step:
        return step._replace(negated=negated)

    def chain(self, *steps: Step) -> tuple[Step, ...]:
        return steps

    # ------------------------------------------------------------ where

    def where(self, token: Token, predicate: ast.Predicate) -> Option:
        return Option("where", predicate, token)

    def property_test(self, name: Named, test: ast.Test) -> ast.Predicate:
        if name.token.type == "PROPERTY" and is_word_of(name.name, EVENT_TIME_WORDS):
            time_test = ast.EventTimeTest(ast.EventTimePart(name.name.lower()), test)
            at(name.token, check_event_time_test, time_test)
            return time_test
        at(name.token, check_name, name.name, "property")
        at(name.token, check_test, test, PROPERTY)
        return ast.PropertyTest(name.name, test)

    def predicate_and(self, *parts: ast.Predicate) -> ast.Predicate:
        return ast.And(flattened(ast.And, parts)) if len(parts) > 1 else parts[0]

    def predicate_or(self, *parts: ast.Predicate) -> ast.Predicate:
        return ast.Or(flattened(ast.Or, parts)) if len(parts) > 1 else parts[0]

    def predicate_not(self, _not: Token, part: ast.Predicate) -> ast.Predicate:
        return ast.Not(part)
