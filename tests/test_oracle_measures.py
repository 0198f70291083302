"""The oracle itself, held against examples computed by hand: measures, logic, lists and splits."""

from __future__ import annotations

from coterie.index.model import (
    ChangeList,
    CreateSegment,
    Identifier,
    IngestEvents,
    ListOperation,
    Record,
    SegmentDefinition,
    SegmentKind,
    SubjectKind,
    Value,
)
from coterie.index.rules import ast
from tests import oracle
from tests.oracle_examples import DAY, NOON, dataset, did, holds, measure, ms, worth
from tests.shop import event, user

# ---------------------------------------------------------------- measures


def test_over_no_events_counts_are_zero_and_the_others_missing() -> None:
    """Count, sum, distinct and days are 0; average, extremes, first and last are missing, so tests are false."""
    data = dataset(event("view", time=NOON))
    for kept, name in (("count", None), ("sum", "price"), ("distinct", "price"), ("days", None)):
        assert worth(measure(kept, name), data, NOON) == 0.0
    for kept, name in (("avg", "price"), ("min", "price"), ("max", "price"), ("first", None), ("last", "price")):
        assert worth(measure(kept, name), data, NOON) is None
        for op in ast.CompareOp:
            assert not holds(ast.MeasureTest(measure(kept, name), ast.Compare(op, 0.0)), data, NOON)


def test_aggregates_over_numbers_leave_out_what_is_no_number() -> None:
    """A missing price and a price written as text add nothing."""
    prices: tuple[dict[str, Value], ...] = ({"price": 10.0}, {"price": 2.5}, {}, {"price": "100"}, {"price": 2.5})
    data = dataset(*(event("buy", time=NOON + index, **price) for index, price in enumerate(prices)))
    expected = {"sum": 15.0, "avg": 5.0, "min": 2.5, "max": 10.0}
    assert {kept: worth(measure(kept, "price"), data, NOON + 9) for kept in expected} == expected
    assert worth(measure("count"), data, NOON + 9) == 5.0
    assert worth(measure("distinct", "price"), data, NOON + 9) == 3.0  # 10, 2.5 and '100'


def test_sums_are_exact_in_millionths() -> None:
    """Ten times 0.1 is 1, and what entered leaves without a trace."""
    assert oracle.exact_sum([0.1] * 10) == 1.0
    assert oracle.exact_sum([1e9, 0.1, -1e9]) == 0.1
    assert oracle.exact_sum([1.14]) == 1.14
    assert oracle.exact_sum([-2.5, 0.0000004]) == -2.5


def test_first_and_last_are_by_time_then_journal_position() -> None:
    """Ties of time are broken by position; arrival order does not matter otherwise."""
    data = dataset(event("buy", time=NOON, price=2.0), event("buy", time=NOON, price=3.0))
    data.now = NOON + 10
    data.apply(Record(3, 0, IngestEvents((event("buy", time=NOON, price=4.0), event("buy", time=NOON - 1, price=1.0)))))
    assert worth(measure("first", "price"), data, NOON) == 1.0
    assert worth(measure("last", "price"), data, NOON) == 4.0
    assert worth(measure("first"), data, NOON) == NOON - 1
    assert worth(measure("last"), data, NOON) == NOON


def test_days_are_local_dates() -> None:
    """23:30 and 00:30 in UTC are two days there and one in Paris in winter."""
    data = dataset(
        *(event("buy", time=ms(text)) for text in ("2026-01-01T23:30", "2026-01-02T00:30", "2026-01-02T01:00"))
    )
    assert worth(measure("days"), data, ms("2026-02-01")) == 2.0
    assert worth(measure("days", zone="Europe/Paris"), data, ms("2026-02-01")) == 1.0


def test_arithmetic_with_a_missing_operand_or_by_zero_is_missing() -> None:
    """2 purchases of 10 in all: 20 / 2 is 10; ÷ 0 is missing, and so is the average of nothing."""
    data = dataset(event("buy", time=NOON, price=15.0), event("buy", time=NOON, price=5.0))

    def arithmetic(op: str, right: ast.Term) -> Value | None:
        return worth(ast.Arithmetic(ast.ArithmeticOp(op), measure("sum", "price"), right), data, NOON)

    assert [arithmetic(op, measure("count")) for op in "+-*/"] == [22.0, 18.0, 40.0, 10.0]
    assert arithmetic("/", 0.0) is None
    assert arithmetic("/", measure("count", type_="view")) is None
    assert arithmetic("+", measure("avg", "price", type_="view")) is None
    compared = ast.TermCompare(ast.CompareOp.GT, measure("count"))
    assert holds(ast.MeasureTest(measure("sum", "price"), compared), data, NOON)
    missing = ast.TermCompare(ast.CompareOp.NE, measure("avg", "price", type_="view"))
    assert not holds(ast.MeasureTest(measure("sum", "price"), missing), data, NOON)


def test_the_time_of_the_last_event_compares_with_now() -> None:
    """`last(buy) more than 1 day ago` begins exactly a day after it, and is false of who never bought."""
    rule = ast.MeasureTest(measure("last"), ast.Age(ast.AgeRelation.MORE_THAN_AGO, DAY))
    data = dataset(event("buy", time=NOON), event("view", "u2", time=NOON))
    assert not holds(rule, data, NOON + DAY - 1)
    assert holds(rule, data, NOON + DAY)
    assert not holds(rule, data, NOON + DAY, "u2")


# ---------------------------------------------------------------- logic, segments, lists, splits


def test_at_least_k_counts_children_and_not_is_against_all_live_subjects() -> None:
    """Two of three hold; someone without any event satisfies `not`."""
    data = dataset(event("buy", time=NOON), event("view", time=NOON), event("login", "u2", time=NOON), plan="pro")
    children = (did("buy"), did("view"), did("login"))
    assert holds(ast.AtLeast(2, children), data, NOON)
    assert not holds(ast.AtLeast(3, children), data, NOON)
    assert holds(ast.Not(ast.Or(children[:2])), data, NOON, "u2")


def test_in_list_and_in_segment_are_current_membership() -> None:
    """A list is who was put into it."""
    data = dataset(event("buy", time=NOON), event("view", "u2", time=NOON))
    data.apply(Record(3, 0, CreateSegment(SegmentDefinition("vip", SegmentKind.LIST, SubjectKind.USER))))
    data.apply(Record(4, 0, ChangeList("vip", ListOperation.ADD, ((user("u2"),),))))
    assert not holds(ast.InList("vip"), data, NOON)
    assert holds(ast.InSegment("vip"), data, NOON, "u2")


def test_splits_are_half_open_and_never_overlap() -> None:
    """0-50 and 50-100 share nobody, and together hold everybody, about half each."""
    names = [Identifier("user_id", f"u{number}") for number in range(1000)]
    lower = sum(oracle.bucket("spring", name) < 5000 for name in names)
    assert 400 < lower < 600
    assert oracle.bucket("spring", Identifier("user_id", "u1")) != oracle.bucket("autumn", Identifier("user_id", "u1"))
    edge = oracle.bucket("spring", user("u1"))
    data = dataset(event("buy", time=NOON))
    assert holds(ast.InSplit("spring", edge, edge + 1), data, NOON)
    assert not holds(ast.InSplit("spring", 0, edge), data, NOON)
    assert not holds(ast.InSplit("spring", edge + 1, 10_000), data, NOON)
