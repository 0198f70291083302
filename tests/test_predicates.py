"""Tests of values: columns say of each row what the plain reading of the test says of its value."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.errors import RuleUnsupported
from coterie.index.model import Value
from coterie.index.predicates import ColumnView, holds, judge, judge_days, near
from coterie.index.rules import ast
from coterie.index.texts import StoredWords, Words, version_key, wildcard_test
from coterie.index.time.calendar import local_days
from tests.event_rows import NUMBERS, TEXTS, TIMES, ZONES, time_tests, value_tests, values
from tests.oracle_time import local_date
from tests.oracle_values import haversine_km, satisfies

columns = st.lists(st.none() | values, max_size=25)


@given(value_tests, columns, st.sampled_from(ZONES))
def test_columns_are_tested_like_single_values(test: ast.Test, column: list[Value | None], zone: str) -> None:
    """Any test of any mix of kinds holds exactly where the oracle says so, missing values included."""
    assert holds(test, ColumnView.of(column), zone).tolist() == [satisfies(test, value, zone) for value in column]


@given(columns, st.lists(st.integers(0, 24), max_size=10))
def test_views_give_back_their_values(column: list[Value | None], rows: list[int]) -> None:
    """A view holds the values it was made of, in kind too, and so do chosen rows of it."""
    view = ColumnView.of(column)
    kept = [(type(value), value) for value in column]
    assert [(type(value), value) for value in view.values()] == kept
    assert view.present().tolist() == [value is not None for value in column]
    rows = [row for row in rows if row < len(column)]
    assert [(type(v), v) for v in view.take(np.array(rows, dtype=np.int64)).values()] == [kept[row] for row in rows]
    assert [(type(v), v) for v in view.take(slice(1, 7)).values()] == kept[1:7]


@given(st.lists(st.tuples(st.none() | values, st.none() | values), max_size=20))
def test_properties_go_before_context(pairs: list[tuple[Value | None, Value | None]]) -> None:
    """Where both have a value the first counts, whatever its kind."""
    over = ColumnView.of([one for one, _ in pairs]).over(ColumnView.of([other for _, other in pairs]))
    expected = [other if one is None else one for one, other in pairs]
    assert [(type(value), value) for value in over.values()] == [(type(value), value) for value in expected]
    for text in TEXTS:
        test = ast.Compare(ast.CompareOp.EQ, text)
        assert holds(test, over, "UTC").tolist() == [value == text for value in expected]


def test_true_is_not_one() -> None:
    """`= true` and `= 1` are different tests, though Python calls their literals equal."""
    view = ColumnView.of([True, 1.0, False, 0.0])
    for literal, expected in ((True, [True, False, False, False]), (1.0, [False, True, False, False])):
        assert holds(ast.Compare(ast.CompareOp.EQ, literal), view, "UTC").tolist() == expected
        assert holds(ast.OneOf((literal,)), view, "UTC").tolist() == expected
        assert holds(ast.Between(literal, literal), view, "UTC").tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((ast.Version("4.9"),), [False, True, False, False]),  # a text that is no version is of another type
        ((ast.Version("4.9"), "a"), [False, True, True, False]),
        ((ast.Version("x"),), [False, False, False, False]),  # equal to nothing, and of no type
        (("4.9",), [False, True, True, False]),
        ((4.9,), [False, False, False, True]),
    ],
)
def test_not_in_is_false_across_types(values: tuple[ast.Literal, ...], expected: list[bool]) -> None:
    """`not in` holds only for values of a type that is listed."""
    view = ColumnView.of(["4.9", "4.10", "b", 5.0])
    assert holds(ast.OneOf(values, negated=True), view, "UTC").tolist() == expected
    assert [satisfies(ast.OneOf(values, negated=True), value, "UTC") for value in ("4.9", "4.10", "b", 5.0)] == expected


@given(time_tests, st.lists(st.sampled_from(TIMES).flatmap(lambda at: st.integers(at - 10**8, at + 10**8))))
def test_dates_compare_with_dates(predicate: ast.EventTimeTest, times: list[int]) -> None:
    """A test of an event's local date reads its wall clock's date."""
    if predicate.part is ast.EventTimePart.DATE:
        days = local_days(np.array(times, dtype=np.int64), "Europe/Paris")
        expected = [satisfies(predicate.test, local_date(at, "Europe/Paris"), "Europe/Paris") for at in times]
        assert judge_days(predicate.test)(days).tolist() == expected


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180))), st.floats(1, 20_000))
def test_distances_are_great_circles(points: list[tuple[float, float]], km: float) -> None:
    """`within R km` agrees with the haversine formula, but for the last metre."""
    test = ast.Near(km, 48.85, 2.35)
    found = near(ColumnView.of([a for a, _ in points]), ColumnView.of([b for _, b in points]), test)
    for (latitude, longitude), is_near in zip(points, found.tolist(), strict=True):
        distance = haversine_km(latitude, longitude, 48.85, 2.35)
        assert abs(distance - km) < 0.001 or is_near == (distance <= km)


def test_distance_needs_both_numbers() -> None:
    """A point without latitude or longitude, or with text there, is near nothing."""
    latitudes, longitudes = ColumnView.of([1.0, None, 1.0, "1"]), ColumnView.of([2.0, 2.0, None, 2.0])
    assert near(latitudes, longitudes, ast.Near(1.0, 1.0, 2.0)).tolist() == [True, False, False, False]
    assert not near(latitudes, ColumnView(4), ast.Near(1.0, 1.0, 2.0)).any()


@pytest.mark.parametrize("test", [ast.Near(1.0, 0.0, 0.0), ast.Age(ast.AgeRelation.WITHIN_LAST, 5)])
def test_tests_of_more_than_a_value_are_refused(test: ast.Test) -> None:
    """Distance and age cannot be told from one value alone, and say so."""
    with pytest.raises(RuleUnsupported):
        judge(test, "UTC")


# ---------------------------------------------------------------- texts


def plain_wildcard(pattern: str, text: str) -> bool:
    """The definition: a star is any run, a question mark any one."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(plain_wildcard(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and plain_wildcard(pattern[1:], text[1:])


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab?", max_size=10))
def test_patterns_mean_what_they_say(pattern: str, text: str) -> None:
    """The linear matcher agrees with the definition."""
    assert wildcard_test(pattern)(text) == plain_wildcard(pattern, text)


@pytest.mark.parametrize("pattern", ["*a" * 4000 + "b", "*a?" * 2700 + "b", "*" * 8000 + "b", "*" + "a?" * 3000 + "b*"])
def test_no_pattern_runs_away(pattern: str) -> None:
    """The worst patterns of the largest size are decided at once, where backtracking would take for ever."""
    begun = time.process_time()
    assert not wildcard_test(pattern)("a" * 8192)
    assert time.process_time() - begun < 5


@given(st.lists(st.integers(0, 20), min_size=1, max_size=4), st.lists(st.integers(0, 20), min_size=1, max_size=4))
def test_versions_are_ordered_part_by_part(one: list[int], other: list[int]) -> None:
    """Parts compare as numbers, leading zeros and zeros at the end do not count."""
    size = max(len(one), len(other))
    padded = [parts + [0] * (size - len(parts)) for parts in (one, other)]
    keys = [version_key(".".join(f"{part:03}" for part in parts)) for parts in (one, other)]
    assert None not in keys
    assert (keys[0] < keys[1]) == (padded[0] < padded[1])  # type: ignore[operator]
    assert (keys[0] == keys[1]) == (padded[0] == padded[1])


@pytest.mark.parametrize("text", ["", ".", "1.", "1..2", "1.x", "-1", "1.²", "٣", "v1", " 1"])
def test_other_texts_are_no_versions(text: str) -> None:
    """Only ASCII digits between dots make a version."""
    assert version_key(text) is None


def test_versions_may_have_any_number_of_digits() -> None:
    """A part of thousands of digits is compared without being turned into a number."""
    assert version_key("9" * 8000) < version_key("1" + "0" * 8000)  # type: ignore[operator]


@given(st.lists(st.sampled_from(TEXTS)), st.lists(st.sampled_from(TEXTS)))
def test_words_remember_verdicts_as_they_grow(first: list[str], later: list[str]) -> None:
    """A test asked before and after new words came is asked once of each word, and right about all."""
    asked: list[str] = []

    def is_short(text: str) -> bool:
        asked.append(text)
        return len(text) < 2

    words = Words()
    for texts in (first, later):
        codes = np.array([words.code(text) for text in texts] + [-1], dtype=np.int32)
        assert words.test(codes, is_short).tolist() == [len(text) < 2 for text in texts] + [False]
    assert len(asked) == len(set(asked)) == len(words)
    assert [words.find(text) for text in words] == list(range(len(words)))


def test_large_dictionaries_are_tested_as_codes_turn_up() -> None:
    """Words in an Arrow array answer like words in a list, and only those asked for are looked at."""
    texts = [f"word {number}" for number in range(10_000)]
    asked: list[str] = []

    def ends_with_seven(text: str) -> bool:
        asked.append(text)
        return text.endswith("7")

    for words in (Words(texts), StoredWords(pa.array(texts))):
        asked.clear()
        codes = np.array([7, 8, -1, 9_997, 7], dtype=np.int32)
        for _ in range(2):
            assert words.test(codes, ends_with_seven).tolist() == [True, False, False, True, True]
        assert sorted(asked) == ["word 7", "word 8", "word 9997"]
        assert (words.find("word 77"), words.find("no word"), words[5], words[2:4]) == (77, -1, "word 5", texts[2:4])
        assert len(words) == 10_000


def test_numbers_outside_the_mask_do_not_count() -> None:
    """What stands under a mask of missing values is never looked at."""
    numbers = np.array([*NUMBERS, 1.0])
    mask = np.zeros(len(numbers), dtype=np.bool_)
    assert not holds(
        ast.Compare(ast.CompareOp.GE, -9.0), ColumnView(len(numbers), numbers=(numbers, mask)), "UTC"
    ).any()
