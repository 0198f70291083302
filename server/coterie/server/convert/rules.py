"""The rule tree, as protobuf and as the engine's syntax tree, both ways from one table.

Owns the correspondence of `coterie.v1.Expression` and `coterie.index.rules.ast`. Invariant:
`expression_of(message_of(e)) == e` for every expression that has a text form.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from coterie.index.errors import FieldInvalid
from coterie.index.rules import ast
from coterie.index.rules.words import UNIT_MS
from coterie.server.convert.codecs import (
    Beside,
    Boolean,
    Choice,
    Choices,
    Integer,
    Many,
    Milliseconds,
    Number,
    One,
    Shape,
    Text,
)
from coterie.server.convert.values import instant_of, timestamp_of
from coterie.v1 import rule_pb2 as v1

NAME_BYTES = 256
TEXT_BYTES = 8_192
MOST_CHILDREN = 10_000
MOST_STEPS = 32
MOST_PERIODS = 10_000
LONGEST_RADIUS_KM = 20_038.0

EXPRESSION = Choice()
_PREDICATE = Choice()
_TERM = Choice()
_TEST = Choice()
_LITERAL = Choice()
_MOMENT = Choice()
_WINDOW = Choice()
_MEASURED = Choice("right")
_QUANTITY = Choice("quantity")


class _InstantField:
    """A timestamp field as an `ast.Instant`."""

    def read(self, message: Any, name: str, path: str) -> ast.Instant:
        return ast.Instant(instant_of(getattr(message, name), path))

    def write(self, message: Any, name: str, value: ast.Instant) -> None:
        getattr(message, name).CopyFrom(timestamp_of(value.ms))


class _LocalTimeBody:
    """A LocalTime message: ISO 8601 without an offset."""

    _FORM = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{3})?)?)?", re.ASCII)

    def read(self, message: v1.LocalTime, path: str) -> ast.LocalTime:
        text = message.value
        try:
            # fromisoformat alone would also read week dates and offsets.
            value = datetime.fromisoformat(text if self._FORM.fullmatch(text) else "")
            return ast.LocalTime(value, date_only=len(text) == len("2026-05-01"))
        except ValueError as error:
            raise FieldInvalid(
                f"{path}.value", f"{text[:40]!r} is no date or time such as 2026-05-01 or 2026-05-01T18:30"
            ) from error

    def write(self, message: v1.LocalTime, value: ast.LocalTime) -> None:
        if value.date_only:
            message.value = value.value.date().isoformat()
        elif value.value.microsecond:
            message.value = value.value.isoformat(timespec="milliseconds")
        else:
            message.value = value.value.isoformat(timespec="seconds" if value.value.second else "minutes")


class _FlatShape(Shape):
    """An And or Or: none of its children is of the same type."""

    def read(self, message: Any, path: str) -> Any:
        node = super().read(message, path)
        for index, child in enumerate(node.children):
            if type(child) is self.node:
                raise FieldInvalid(
                    f"{path}.children[{index}]", f"an {self.node.__name__} directly inside another; join them"
                )
        return node


def _check_order(low: str, high: str, *, strictly: bool = False) -> Any:
    def check(node: Any, path: str) -> None:
        first, second = getattr(node, low), getattr(node, high)
        if second is not None and (second < first or (strictly and second == first)):
            raise FieldInvalid(
                f"{path}.{high}", f"must be {'greater than' if strictly else 'at least'} {low} ({first})"
            )

    return check


def _check_edges(node: ast.Absolute, path: str) -> None:
    if node.start is None and node.end is None:
        raise FieldInvalid(path, "needs a start or an end")


def _check_at_least(node: ast.AtLeast, path: str) -> None:
    if node.k > len(node.children):
        raise FieldInvalid(f"{path}.k", f"must lie between 1 and the number of children ({len(node.children)})")


def _check_number_of_events(node: ast.Measure, path: str) -> None:
    if (node.events is None) != (node.aggregate is ast.Aggregate.VISITS):
        raise FieldInvalid(f"{path}.events", "is required, except for visits, which take none")


_NAME = Text(NAME_BYTES)
_TEXT = Text(TEXT_BYTES, least=0)
_ZONE = Text(NAME_BYTES, optional=True)
_COMPARE_OP = Choices(ast.CompareOp, v1.CompareOp, "COMPARE_OP")

_LOCAL_TIME = _LocalTimeBody()
_VERSION = Shape(ast.Version, text=_NAME)
_LITERAL.of(
    text=(str, _TEXT),
    number=(float, Number()),
    boolean=(bool, Boolean()),
    version=(ast.Version, One(_VERSION)),
    local_time=(ast.LocalTime, One(_LOCAL_TIME)),
    instant=(ast.Instant, _InstantField()),
)
_MOMENT.of(local_time=(ast.LocalTime, One(_LOCAL_TIME)), instant=(ast.Instant, _InstantField()))

_COMPARE = Shape(ast.Compare, op=_COMPARE_OP, value=One(_LITERAL), ignore_case=Boolean())
_ONE_OF = Shape(ast.OneOf, values=Many(_LITERAL, 1, MOST_CHILDREN), negated=Boolean(), ignore_case=Boolean())
_BETWEEN = Shape(ast.Between, low=One(_LITERAL), high=One(_LITERAL))
_TEXT_MATCH = Shape(
    ast.TextMatch,
    op=Choices(ast.TextOp, v1.TextOp, "TEXT_OP"),
    text=_TEXT,
    negated=Boolean(),
    ignore_case=Boolean(),
)
_NEAR = Shape(ast.Near, km=Number(5e-324, LONGEST_RADIUS_KM), latitude=Number(-90, 90), longitude=Number(-180, 180))
_AGE = Shape(
    ast.Age,
    relation=Choices(ast.AgeRelation, v1.AgeRelation, "AGE_RELATION"),
    duration_ms=("duration", Milliseconds()),
)
_TEST.of(
    compare=(ast.Compare, One(_COMPARE)),
    one_of=(ast.OneOf, One(_ONE_OF)),
    between=(ast.Between, One(_BETWEEN)),
    text_match=(ast.TextMatch, One(_TEXT_MATCH)),
    is_set=(ast.IsSet, One(Shape(ast.IsSet, negated=Boolean()))),
    near=(ast.Near, One(_NEAR)),
    age=(ast.Age, One(_AGE)),
)

_CALENDAR = Shape(
    ast.Calendar,
    _check_order("last_back", "first_back"),
    unit=Choices(ast.CalendarUnit, v1.CalendarUnit, "CALENDAR_UNIT"),
    first_back=Integer(0, MOST_PERIODS),
    last_back=Integer(0, MOST_PERIODS),
)


class _AgoRangeShape(Shape):
    """An AgoRange: the unit has a default."""

    def read(self, message: Any, path: str) -> ast.AgoRange:
        node: ast.AgoRange = super().read(message, path)
        if node.unit not in ("", *UNIT_MS):
            raise FieldInvalid(f"{path}.unit", f"must be one of {', '.join(UNIT_MS)}")
        return ast.AgoRange(node.far_ms, node.near_ms, node.unit or "days")


_AGO_RANGE = _AgoRangeShape(
    ast.AgoRange,
    _check_order("near_ms", "far_ms", strictly=True),
    far_ms=("far", Milliseconds()),
    near_ms=("near", Milliseconds(least=0)),
    unit=_TEXT,
)
_ABSOLUTE = Shape(ast.Absolute, _check_edges, start=One(_MOMENT, None), end=One(_MOMENT, None))
_WINDOW.of(
    sliding=(ast.Sliding, One(Shape(ast.Sliding, duration_ms=("duration", Milliseconds())))),
    ago_range=(ast.AgoRange, One(_AGO_RANGE)),
    absolute=(ast.Absolute, One(_ABSOLUTE)),
    calendar=(ast.Calendar, One(_CALENDAR)),
    this_visit=(ast.ThisVisit, One(Shape(ast.ThisVisit))),
)
_OPTIONAL_WINDOW = One(_WINDOW, None)

_PREDICATE.of(
    property_test=(ast.PropertyTest, One(Shape(ast.PropertyTest, name=_NAME, test=One(_TEST)))),
    event_time_test=(
        ast.EventTimeTest,
        One(
            Shape(
                ast.EventTimeTest,
                part=Choices(ast.EventTimePart, v1.EventTimePart, "EVENT_TIME_PART"),
                test=One(_TEST),
            )
        ),
    ),
    all_of=(ast.And, One(_FlatShape(ast.And, children=Many(_PREDICATE, 2, MOST_CHILDREN)))),
    any_of=(ast.Or, One(_FlatShape(ast.Or, children=Many(_PREDICATE, 2, MOST_CHILDREN)))),
    negation=(ast.Not, One(Shape(ast.Not, child=One(_PREDICATE)))),
)
_EVENTS = Shape(ast.Events, type=Text(NAME_BYTES, optional=True), where=One(_PREDICATE, None))

_MEASURE = Shape(
    ast.Measure,
    _check_number_of_events,
    aggregate=Choices(ast.Aggregate, v1.Aggregate, "AGGREGATE"),
    events=One(_EVENTS, None),
    property=Text(NAME_BYTES, optional=True),
    window=_OPTIONAL_WINDOW,
    zone=_ZONE,
)
_ARITHMETIC = Shape(
    ast.Arithmetic,
    op=Choices(ast.ArithmeticOp, v1.ArithmeticOp, "ARITHMETIC_OP"),
    left=One(_TERM),
    right=One(_TERM),
)
_TERM.of(number=(float, Number()), measure=(ast.Measure, One(_MEASURE)), arithmetic=(ast.Arithmetic, One(_ARITHMETIC)))
_MEASURED.of(
    test=(
        (ast.Compare, ast.OneOf, ast.Between, ast.TextMatch, ast.IsSet, ast.Near, ast.Age),
        One(_TEST),
    ),
    term_compare=(ast.TermCompare, One(Shape(ast.TermCompare, op=_COMPARE_OP, term=One(_TERM)))),
)

_FREQUENCY = Shape(ast.Frequency, _check_order("low", "high"), low=Integer(0), high=Integer(0, optional=True))
_COUNTED = One(_FREQUENCY, ast.Frequency())
_QUANTITY.of(
    frequency=(ast.Frequency, One(_FREQUENCY)),
    quantifier=(ast.Quantifier, Choices(ast.Quantifier, v1.Quantifier, "QUANTIFIER")),
)

_ATTRIBUTE_TEST = Shape(
    ast.AttributeTest,
    owner=Choices(ast.Owner, v1.Owner, "OWNER"),
    name=_NAME,
    test=One(_TEST),
    zone=_ZONE,
)
_DID = Shape(ast.Did, events=One(_EVENTS), frequency=_COUNTED, window=_OPTIONAL_WINDOW, zone=_ZONE)
_DID_FIRST = Shape(ast.DidFirst, events=One(_EVENTS), very_first=Boolean(), window=_OPTIONAL_WINDOW, zone=_ZONE)
_SEQUENCE = Shape(
    ast.Sequence,
    steps=Many(_EVENTS, 2, MOST_STEPS),
    within_ms=("within", Milliseconds(optional=True)),
    frequency=_COUNTED,
    window=_OPTIONAL_WINDOW,
    zone=_ZONE,
)
_INACTION = Shape(ast.Inaction, first=One(_EVENTS), then_not=One(_EVENTS), within_ms=("within", Milliseconds()))
_SPLIT = Shape(
    ast.InSplit,
    _check_order("low", "high", strictly=True),
    salt=_NAME,
    low=Integer(0, 9_999),
    high=Integer(1, 10_000),
)
_AT_LEAST = Shape(
    ast.AtLeast, _check_at_least, k=Integer(1, MOST_CHILDREN), children=Many(EXPRESSION, 1, MOST_CHILDREN)
)
EXPRESSION.of(
    attribute_test=(ast.AttributeTest, One(_ATTRIBUTE_TEST)),
    did=(ast.Did, One(_DID)),
    did_first=(ast.DidFirst, One(_DID_FIRST)),
    measure_test=(ast.MeasureTest, One(Shape(ast.MeasureTest, term=One(_TERM), test=Beside(_MEASURED)))),
    sequence=(ast.Sequence, One(_SEQUENCE)),
    inaction=(ast.Inaction, One(_INACTION)),
    in_segment=(ast.InSegment, One(Shape(ast.InSegment, segment=_NAME))),
    in_list=(ast.InList, One(Shape(ast.InList, segment=_NAME))),
    in_split=(ast.InSplit, One(_SPLIT)),
    at_least=(ast.AtLeast, One(_AT_LEAST)),
    of_account=(ast.OfAccount, One(Shape(ast.OfAccount, rule=One(EXPRESSION)))),
    users=(ast.Users, One(Shape(ast.Users, quantity=Beside(_QUANTITY), rule=One(EXPRESSION)))),
    all_of=(ast.And, One(_FlatShape(ast.And, children=Many(EXPRESSION, 2, MOST_CHILDREN)))),
    any_of=(ast.Or, One(_FlatShape(ast.Or, children=Many(EXPRESSION, 2, MOST_CHILDREN)))),
    negation=(ast.Not, One(Shape(ast.Not, child=One(EXPRESSION)))),
)


def expression_of(message: Any, field: str) -> ast.Expression:
    """Returns the syntax tree of a message; FieldInvalid names the part at fault below `field`."""
    expression: ast.Expression = EXPRESSION.read(message, field)
    return expression


def message_of(expression: ast.Expression) -> v1.Expression:
    """Returns the message of a syntax tree."""
    message = v1.Expression()
    EXPRESSION.write(message, expression)
    return message
