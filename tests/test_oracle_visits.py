"""The oracle itself, held against examples computed by hand: visits, sequences and inaction."""

from __future__ import annotations

import pytest

from coterie.index.model import SubjectKind
from coterie.index.rules import ast
from tests import oracle
from tests.oracle_dataset import Dataset, Moment
from tests.oracle_examples import DAY, HOUR, NOON, dataset, did, holds, measure, where, worth
from tests.shop import event, user

MINUTE = 60_000
GAP = 30 * MINUTE
VISITS = ast.Measure(ast.Aggregate.VISITS, None)


def visits(data: Dataset, now: int) -> list[list[int]]:
    """Returns the times, since noon, of the events of each of u1's visits."""
    moment = Moment(data, SubjectKind.USER, now)
    return [[happened.time - NOON for happened in visit] for visit in moment.visits(1)]


# ---------------------------------------------------------------- visits


def test_a_gap_of_thirty_minutes_starts_a_new_visit() -> None:
    """A millisecond less does not."""
    data = dataset(*(event("view", time=NOON + at) for at in (0, GAP - 1, 2 * GAP - 1)))
    assert visits(data, NOON + DAY) == [[0, GAP - 1], [2 * GAP - 1]]
    data.visit_gap_ms = GAP + 1
    assert visits(data, NOON + DAY) == [[0, GAP - 1, 2 * GAP - 1]]


def test_a_late_event_joins_visits_and_one_ahead_of_now_belongs_to_none_yet() -> None:
    """Visits are those of all events up to now, in order of their times."""
    data = dataset(event("view", time=NOON), event("view", time=NOON + 40 * MINUTE))
    assert visits(data, NOON + 40 * MINUTE - 1) == [[0]]
    assert visits(data, NOON + 40 * MINUTE) == [[0], [40 * MINUTE]]
    late = dataset(*(event("view", time=NOON + at * MINUTE) for at in (0, 40, 20)))
    assert visits(late, NOON + HOUR) == [[0, 20 * MINUTE, 40 * MINUTE]]


def test_a_visit_leaves_an_event_behind_exactly_when_it_is_finished() -> None:
    """`$visit` comes 30 minutes after the last event and has that event's time."""
    data = dataset(event("view", time=NOON), event("buy", time=NOON + 10))
    assert not holds(did("$visit"), data, NOON + 10 + GAP - 1)
    assert holds(did("$visit"), data, NOON + 10 + GAP)
    assert holds(did("$visit", window=ast.Sliding(HOUR)), data, NOON + 10 + HOUR - 1)
    assert not holds(did("$visit", window=ast.Sliding(HOUR)), data, NOON + 10 + HOUR)
    assert holds(did(None, low=2, high=2), data, NOON + DAY)  # any event matches no derived one


def test_what_a_visit_event_says() -> None:
    """Seconds, events, pages, and the referrer and source its first event has, if they are text."""
    data = dataset(
        event("view", time=NOON, source="mail", context={"referrer": "a.example", "source": "web", "os": "iOS"}),
        event("page_view", time=NOON + 1_500, referrer="b.example"),
        event("buy", time=NOON + 2_500),
    )
    for name, value in (("duration_s", 2.5), ("events", 3.0), ("pages", 2.0), ("referrer", "a.example")):
        assert worth(measure("last", name, "$visit"), data, NOON + DAY) == value
    assert worth(measure("last", "source", "$visit"), data, NOON + DAY) == "mail"
    assert worth(measure("last", "os", "$visit"), data, NOON + DAY) is None
    number = dataset(event("view", time=NOON, source=7.0), event("view", time=NOON + 1, source="mail"))
    assert worth(measure("last", "source", "$visit"), number, NOON + DAY) is None
    long = ast.Events("$visit", ast.PropertyTest("events", ast.Compare(ast.CompareOp.GE, 3.0)))
    assert holds(ast.Did(long), data, NOON + DAY)
    assert not holds(ast.Did(long), number, NOON + DAY)


def test_visits_counts_the_running_one_too_by_its_last_event() -> None:
    """Finished or not, a visit is inside a window with its last event."""
    data = dataset(*(event("view", time=NOON + at) for at in (0, 1, HOUR)))
    assert worth(VISITS, data, NOON - 1) == 0.0
    assert worth(VISITS, data, NOON) == 1.0
    assert worth(VISITS, data, NOON + HOUR) == 2.0
    sliding = ast.Measure(ast.Aggregate.VISITS, None, None, ast.Sliding(HOUR))
    assert worth(sliding, data, NOON + HOUR) == 2.0
    assert worth(sliding, data, NOON + HOUR + 1) == 1.0


def test_in_this_visit_is_since_its_first_event_and_empty_once_it_is_over() -> None:
    """What came before the visit is outside; so is everything 30 minutes after its last event."""
    data = dataset(*(event(type_, time=NOON + at) for type_, at in (("buy", 0), ("view", GAP), ("buy", GAP + 5))))
    count = measure("count", window=ast.ThisVisit())
    assert [worth(count, data, NOON + at) for at in (-1, 0, GAP - 1, GAP, GAP + 5)] == [0.0, 1.0, 1.0, 0.0, 1.0]
    assert worth(count, data, NOON + 2 * GAP + 4) == 1.0
    assert worth(count, data, NOON + 2 * GAP + 5) == 0.0
    first = ast.DidFirst(ast.Events("buy"), very_first=False, window=ast.ThisVisit())
    assert [holds(first, data, NOON + at) for at in (0, GAP - 1, GAP, GAP + 5)] == [True, True, False, False]


def test_an_account_has_visits_of_its_own() -> None:
    """They are made of the events that carry the account, whoever their user is."""
    data = dataset(
        event("view", "u1", NOON, account="c1"),
        event("view", "u2", NOON + 20 * MINUTE, account="c1"),
        event("view", "u1", NOON + 40 * MINUTE),
    )
    accounts, users = (Moment(data, kind, NOON + DAY) for kind in (SubjectKind.ACCOUNT, SubjectKind.USER))
    assert oracle.term_value(VISITS, 1, accounts) == 1.0
    assert oracle.term_value(measure("last", "events", "$visit"), 1, accounts) == 2.0
    assert oracle.term_value(VISITS, 1, users) == 2.0


# ---------------------------------------------------------------- sequences


def steps(*names: str) -> tuple[ast.Events, ...]:
    """Returns steps of these types."""
    return tuple(map(ast.Events, names))


def test_steps_happen_strictly_later_than_each_other() -> None:
    """Two events at one time are no sequence, in either order."""
    sequence = ast.Sequence(steps("view", "buy"))
    assert holds(sequence, dataset(event("view", time=NOON), event("buy", time=NOON + 1)), NOON + 1)
    assert not holds(sequence, dataset(event("view", time=NOON), event("buy", time=NOON + 1)), NOON)
    assert not holds(sequence, dataset(event("view", time=NOON), event("buy", time=NOON)), NOON)
    assert not holds(sequence, dataset(event("view", time=NOON + 1), event("buy", time=NOON)), NOON + 1)


@pytest.mark.parametrize(("within", "found"), [(None, True), (HOUR, True), (HOUR - 1, False)])
def test_within_spans_first_to_last_step_and_includes_its_end(within: int | None, found: bool) -> None:
    """A, B and C an hour apart from first to last are a match within an hour, not within less."""
    data = dataset(*(event(name, time=NOON + at) for name, at in (("a", 0), ("b", 10), ("c", HOUR))))
    assert holds(ast.Sequence(steps("a", "b", "c"), within), data, NOON + HOUR) is found


def test_each_last_step_is_one_match_and_nothing_is_consumed() -> None:
    """Two views and three purchases after them are three matches, at the purchases' times."""
    times = (("buy", 0), ("view", 1), ("view", 2), ("buy", 3), ("buy", 4), ("buy", HOUR))
    data = dataset(*(event(name, time=NOON + at) for name, at in times))
    for number in range(5):
        exactly = ast.Sequence(steps("view", "buy"), None, ast.Frequency(number, number))
        assert holds(exactly, data, NOON + HOUR) is (number == 3)
    inside = ast.Sequence(steps("view", "buy"), None, ast.Frequency(2, 2), ast.Sliding(HOUR))
    assert not holds(inside, data, NOON + HOUR)  # all three
    assert holds(inside, data, NOON + HOUR + 3)  # the view may lie outside the window
    assert holds(ast.Sequence(steps("view", "buy"), 2, ast.Frequency(2, 2)), data, NOON + HOUR)


def test_a_step_has_a_where_of_its_own_and_may_repeat_a_type() -> None:
    """Hats, then shoes; shoes twice takes two events."""
    shoes = where(("category", ast.Compare(ast.CompareOp.EQ, "shoes")))
    data = dataset(event("buy", time=NOON, category="hats"), event("buy", time=NOON + 1, category="shoes"))
    assert holds(ast.Sequence((ast.Events("buy"), shoes)), data, NOON + 1)
    assert not holds(ast.Sequence((shoes, ast.Events("buy"))), data, NOON + DAY)
    assert not holds(ast.Sequence((shoes, shoes)), data, NOON + DAY)
    assert holds(ast.Sequence((ast.Events(None), ast.Events("$visit"))), data, NOON + 1 + GAP)


def test_in_this_visit_a_match_counts_whose_last_step_is_in_the_visit() -> None:
    """The first step may have happened long before."""
    data = dataset(event("view", time=NOON), event("buy", time=NOON + DAY))
    sequence = ast.Sequence(steps("view", "buy"), window=ast.ThisVisit())
    assert holds(sequence, data, NOON + DAY + GAP - 1)
    assert not holds(sequence, data, NOON + DAY + GAP)


# ---------------------------------------------------------------- inaction


def inactive(data: Dataset, now: int) -> bool:
    """Returns whether u1 viewed and did not buy within an hour."""
    return holds(ast.Inaction(ast.Events("view"), ast.Events("buy"), HOUR), data, now)


def test_inaction_begins_exactly_when_the_time_is_over() -> None:
    """And never where nothing was begun."""
    data = dataset(event("view", time=NOON))
    assert not inactive(data, NOON + HOUR - 1)
    assert inactive(data, NOON + HOUR)
    assert not inactive(dataset(event("login", time=NOON)), NOON + DAY)


@pytest.mark.parametrize(("bought_at", "entered"), [(-1, True), (0, True), (1, False), (HOUR, False)])
def test_what_prevents_inaction(bought_at: int, entered: bool) -> None:
    """A purchase later than the view, up to the very end of the hour."""
    data = dataset(event("view", time=NOON), event("buy", time=NOON + bought_at))
    assert inactive(data, NOON + HOUR) is entered


def test_a_later_purchase_ends_it_and_a_newer_view_alone_does_not_start_it_again() -> None:
    """The newest view an hour old counts; after a purchase another view starts anew."""
    times = (("view", 0), ("view", HOUR), ("buy", 90 * MINUTE), ("view", 91 * MINUTE))
    data = dataset(*(event(name, time=NOON + at) for name, at in times))
    assert inactive(data, NOON + HOUR)
    assert inactive(data, NOON + 90 * MINUTE - 1)
    assert not inactive(data, NOON + 90 * MINUTE)
    assert not inactive(data, NOON + 151 * MINUTE - 1)
    assert inactive(data, NOON + 151 * MINUTE)


def test_inaction_may_be_about_visits() -> None:
    """A visit, then no login for an hour after its last event."""
    rule = ast.Inaction(ast.Events("$visit"), ast.Events("login"), HOUR)
    data = dataset(event("view", time=NOON))
    assert not holds(rule, data, NOON + HOUR - 1)
    assert holds(rule, data, NOON + HOUR)
    assert data.of_kind[SubjectKind.USER].owner(user("u1")) == 1
