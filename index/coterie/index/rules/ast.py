"""The rule tree: what a rule says, independent of how it is spelled or evaluated.

Frozen dataclasses and plain Python values only. A rule is an `Expression`; the `where` of an
event selector is a `Predicate`; both share `And`, `Or` and `Not`. Text is `coterie.index.rules.language`,
evaluation is `coterie.index.rules.plan`. Invariant: a tree holds no derived state, so two rules that
mean the same spelled words compare equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias

# ---------------------------------------------------------------- literals


@dataclass(frozen=True, slots=True)
class Version:
    """A dotted version such as ``4.10``, compared part by part as numbers."""

    text: str


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A date or date and time without an offset: read in the leaf's zone, or the dataset's."""

    value: datetime  # naive
    date_only: bool = False  # written as `2026-05-01`


@dataclass(frozen=True, slots=True)
class Instant:
    """A date and time with an offset, as milliseconds since the epoch, UTC; printed with `Z`."""

    ms: int


Literal: TypeAlias = str | float | bool | Version | LocalTime | Instant
Moment: TypeAlias = LocalTime | Instant

# ---------------------------------------------------------------- tests of one value


class CompareOp(Enum):
    """The six orderings, by their spelling in the language."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class TextOp(Enum):
    """Tests of text (and, for CONTAINS, of the elements of a list)."""

    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    ENDS_WITH = "ends with"
    MATCHES = "matches"  # * any run of characters, ? any one; nothing else is special


class AgeRelation(Enum):
    """How an instant lies relative to now."""

    MORE_THAN_AGO = "more than ago"  # t <= now - D
    WITHIN_LAST = "within the last"  # now - D < t <= now
    WITHIN_NEXT = "within the next"  # now < t <= now + D
    MORE_THAN_FROM_NOW = "more than from now"  # t > now + D


@dataclass(frozen=True, slots=True)
class Compare:
    """``x op value``; false for a missing or differently typed x, whatever op is."""

    op: CompareOp
    value: Literal
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """``x in (…)``; a list satisfies it when any element is one of the values."""

    values: tuple[Literal, ...]
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """``x between low and high``: both numbers included; for dates the second is excluded."""

    low: Literal
    high: Literal


@dataclass(frozen=True, slots=True)
class TextMatch:
    """``x contains 'a'`` and its relatives; negated (`does not contain`) is still false when x is missing."""

    op: TextOp
    text: str
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class IsSet:
    """``x is set`` / ``x is not set``: the only test a missing value can satisfy."""

    negated: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """``X within R km of (lat, lon)`` over the pair X_latitude, X_longitude (`location`: latitude, longitude)."""

    km: float
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Age:
    """``t more than 30 days ago`` and its relatives: compares an instant with now."""

    relation: AgeRelation
    duration_ms: int


Test: TypeAlias = Compare | OneOf | Between | TextMatch | IsSet | Near | Age

# ---------------------------------------------------------------- logic, shared by rules and `where`


@dataclass(frozen=True, slots=True)
class And:
    """All children hold; at least two children, none of them itself an And (the parser flattens)."""

    children: tuple[Expression | Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any child holds; at least two children, none of them itself an Or (the parser flattens)."""

    children: tuple[Expression | Predicate, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The child does not hold. ``did not E`` is ``Not(Did(E))``, ``not in x`` is ``Not(InSegment(x))``."""

    child: Expression | Predicate


# ---------------------------------------------------------------- events


class EventTimePart(Enum):
    """Bare `hour`, `weekday`, `date` in a `where`: parts of the event's own local time."""

    HOUR = "hour"  # number 0-23
    WEEKDAY = "weekday"  # text mon … sun
    DATE = "date"  # the local date, compared with dates


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """A test of an event's property, or of its context where no property has that name."""

    name: str
    test: Test


@dataclass(frozen=True, slots=True)
class EventTimeTest:
    """A test of the event's local hour, weekday or date, in the leaf's zone."""

    part: EventTimePart
    test: Test


Predicate: TypeAlias = "PropertyTest | EventTimeTest | And | Or | Not"


@dataclass(frozen=True, slots=True)
class Events:
    """Which events: a type (None: any event that is not derived) and an optional predicate."""

    type: str | None
    where: Predicate | None = None


# ---------------------------------------------------------------- windows


@dataclass(frozen=True, slots=True)
class Sliding:
    """``in the last D``: now - D < t <= now."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class AgoRange:
    """``between N and M ago`` with far > near >= 0: now - far < t <= now - near."""

    far_ms: int
    near_ms: int
    unit: str = "days"  # the unit it was written in, for printing


@dataclass(frozen=True, slots=True)
class Absolute:
    """``between DATE and DATE`` (half-open), ``since DATE`` (end None), ``before DATE`` (start None)."""

    start: Moment | None
    end: Moment | None


class CalendarUnit(Enum):
    """Units whose edges are local midnights; weeks begin on Monday (ISO)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whole local periods, counted back from the current one (0).

    today = (DAY, 0, 0); yesterday = (DAY, 1, 1); last month = (MONTH, 1, 1);
    in the last N calendar weeks = (WEEK, N - 1, 0).
    """

    unit: CalendarUnit
    first_back: int
    last_back: int


@dataclass(frozen=True, slots=True)
class ThisVisit:
    """``in this visit``: from the running visit's first event; empty once the visit ended."""


Window: TypeAlias = Sliding | AgoRange | Absolute | Calendar | ThisVisit  # None: all time

# ---------------------------------------------------------------- measures


class Aggregate(Enum):
    """What a measure keeps of the matching events."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"  # number of different values of the property
    DAYS = "days"  # number of different local dates with a match
    FIRST = "first"  # time of the first match, or its property value where one is named
    LAST = "last"
    VISITS = "visits"  # finished visits and the running one; has no events


@dataclass(frozen=True, slots=True)
class Measure:
    """``agg(E.p where F window zone)``; property None where the aggregate needs none."""

    aggregate: Aggregate
    events: Events | None  # None only for VISITS; Events("$visit") is `avg(visits.duration_s)`
    property: str | None = None
    window: Window | None = None
    zone: str | None = None


class ArithmeticOp(Enum):
    """Arithmetic of measures; ÷ 0 or a missing operand is missing."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left op right``, left-associative, * and / before + and -."""

    op: ArithmeticOp
    left: Term
    right: Term


Term: TypeAlias = float | Measure | Arithmetic


@dataclass(frozen=True, slots=True)
class TermCompare:
    """``… op term`` where the right side is itself a measure or arithmetic."""

    op: CompareOp
    term: Term


# ---------------------------------------------------------------- leaves


class Owner(Enum):
    """Whose attribute: the subject's own (`user.` in user rules), its account's, or the newest context."""

    USER = "user"
    ACCOUNT = "account"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class AttributeTest:
    """``user.country = 'US'``: a test of the current value of an attribute."""

    owner: Owner
    name: str
    test: Test
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Frequency:
    """low <= n <= high (high None: no upper bound). The default of `did` is (1, None)."""

    low: int = 1
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Did:
    """``did E``: the number of matching events inside the window satisfies the frequency."""

    events: Events
    frequency: Frequency = Frequency()
    window: Window | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class DidFirst:
    """First-time leaves.

    very_first False: ``did E for the first time …``: the first event matching type and where lies in the window.
    very_first True: ``did first E where F …``: the very first event of that type lies in it and matches F.
    """

    events: Events
    very_first: bool
    window: Window | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class MeasureTest:
    """``sum(purchase.price in the last 7 days) >= 100``: a test of a term over measures."""

    term: Term
    test: Test | TermCompare


@dataclass(frozen=True, slots=True)
class Sequence:
    """``did (A then B then C within T)``, at least two steps; frequency and window count last-step events."""

    steps: tuple[Events, ...]
    within_ms: int | None = None
    frequency: Frequency = Frequency()
    window: Window | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Inaction:
    """``did A then not B within T``."""

    first: Events
    then_not: Events
    within_ms: int


@dataclass(frozen=True, slots=True)
class InSegment:
    """``in NAME``: current membership of another segment."""

    segment: str


@dataclass(frozen=True, slots=True)
class InList:
    """``in list NAME``: manual membership."""

    segment: str


@dataclass(frozen=True, slots=True)
class InSplit:
    """``in split 'salt' a% to b%``, in hundredths of a percent: low <= bucket < high, 0 <= low < high <= 10000."""

    salt: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """``at least k of (…)``: k or more of the children hold, 1 <= k <= len(children)."""

    k: int
    children: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class OfAccount:
    """``account (R)``, in a user rule: the user's account satisfies the account rule R."""

    rule: Expression


class Quantifier(Enum):
    """EVERY is separate from frequencies: it depends on how many users the account has."""

    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Users:
    """``any|every|no user (R)``, ``at least N users (R)``, in an account rule.

    any = Frequency(1, None), no = Frequency(0, 0), every = Quantifier.EVERY.
    """

    quantity: Frequency | Quantifier
    rule: Expression


Expression: TypeAlias = (
    "AttributeTest | Did | DidFirst | MeasureTest | Sequence | Inaction | InSegment | InList | InSplit"
    " | AtLeast | OfAccount | Users | And | Or | Not"
)
