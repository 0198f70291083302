"""Filters: all of them matched at once select the events that each selects alone."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coterie.index.events.columns import Arrival, EventColumns, RowColumns
from coterie.index.events.filters import FilterSet
from coterie.index.events.runs import run_of
from coterie.index.events.sources import Cache, StoredColumns
from coterie.index.model import Event, SubjectKind
from coterie.index.rules import ast
from tests.event_rows import ZONES, records, selectors, selects

filters = st.lists(st.tuples(selectors, st.sampled_from(ZONES)), max_size=8)


def stored(arrivals: list[Arrival]) -> EventColumns:
    """The same arrivals as history has them."""
    return StoredColumns(run_of(Cache(10**6), arrivals), slice(0, len(arrivals)))


def matched(found: FilterSet, columns: EventColumns, wanted: set[int] | None = None) -> dict[int, list[int]]:
    """What a match says, checked for form: each filter once, rows ascending, none empty."""
    matches = found.match(columns, wanted)
    assert [filter_id for filter_id, _ in matches] == sorted({filter_id for filter_id, _ in matches})
    for _, rows in matches:
        assert len(rows)
        assert (np.diff(rows) > 0).all()
    return {filter_id: rows.tolist() for filter_id, rows in matches}


def expected(held: dict[int, tuple[ast.Events, str]], arrivals: list[Arrival]) -> dict[int, list[int]]:
    """The naive twin: every filter asked about every event."""
    selected = {
        filter_id: [row for row, arrival in enumerate(arrivals) if selects(selector, arrival, zone)]
        for filter_id, (selector, zone) in held.items()
    }
    return {filter_id: rows for filter_id, rows in selected.items() if rows}


@given(filters, records(1), st.data())
def test_a_match_is_what_each_filter_selects(
    chosen: list[tuple[ast.Events, str]], arrivals: list[Arrival], data: st.DataObject
) -> None:
    """Live rows and stored columns, all filters and some of them: always what the oracle selects."""
    found = FilterSet()
    held = {found.add(selector, zone): (selector, zone) for selector, zone in chosen}
    some = data.draw(st.sets(st.sampled_from(sorted(held)))) if held else set()
    forms: list[EventColumns] = [RowColumns(arrivals)] + ([stored(arrivals)] if arrivals else [])
    for columns in forms:
        assert matched(found, columns) == expected(held, arrivals)
        assert matched(found, columns, some) == expected({i: held[i] for i in some}, arrivals)


@given(filters, st.lists(st.integers(0, 7), max_size=8), records(1))
def test_removed_filters_are_gone_and_the_others_stay(
    chosen: list[tuple[ast.Events, str]], removed: list[int], arrivals: list[Arrival]
) -> None:
    """A filter counts its uses; with the last it goes, and leaves the others as they were."""
    found = FilterSet()
    ids = [found.add(selector, zone) for selector, zone in chosen]
    uses = {filter_id: ids.count(filter_id) for filter_id in ids}
    held = dict(zip(ids, chosen, strict=True))
    for index in removed:
        if index < len(ids) and uses[ids[index]]:
            found.remove(ids[index])
            uses[ids[index]] -= 1
    left = {filter_id: held[filter_id] for filter_id, count in uses.items() if count}
    assert len(found) == len(left)
    assert matched(found, RowColumns(arrivals)) == expected(left, arrivals)


def test_equal_filters_are_one() -> None:
    """Who asks for a filter that exists gets its id; other zones and other kinds of literal are other filters."""
    found = FilterSet()
    one, true = (
        ast.Events("view", ast.PropertyTest("p", ast.Compare(ast.CompareOp.EQ, literal))) for literal in (1.0, True)
    )
    assert found.add(one, "UTC") == found.add(one, "UTC")
    assert len({found.add(one, "UTC"), found.add(true, "UTC"), found.add(one, "Europe/Paris")}) == 3


def test_an_id_is_not_given_twice() -> None:
    """A filter added after another went does not get that one's id."""
    found = FilterSet()
    first = found.add(ast.Events("view"), "UTC")
    found.remove(first)
    assert found.add(ast.Events("buy"), "UTC") != first


def shop(seed: int, size: int) -> list[Arrival]:
    """Arrivals with one of many products each, some with lists of them."""
    draw = random.Random(seed)
    products = [f"p{draw.randrange(600)}" for _ in range(size)]
    return [
        Arrival(row, row, 1, 0, Event("", draw.choice(("view", "buy")), (), None, None, {"product": value}, {}))
        for row, product in enumerate(products)
        for value in [product if row % 5 else (product, f"p{draw.randrange(600)}", product)]
    ]


def test_thousands_of_single_values_are_told_apart() -> None:
    """With a filter for each of thousands of values, each batch finds exactly its own, in any form."""
    found = FilterSet()
    held = {}
    for number in range(600):
        product = ast.PropertyTest("product", ast.OneOf((f"p{number}", f"p{number // 2}")))
        equal = ast.PropertyTest("product", ast.Compare(ast.CompareOp.EQ, f"p{number}"))
        for selector in (ast.Events("view", product), ast.Events("buy", equal)):
            held[found.add(selector, "UTC")] = (selector, "UTC")
    for size in (1, 40, 200):
        arrivals = shop(size, size)
        rows: dict[int, list[int]] = {}
        by_key = {(key[0].type, values): filter_id for filter_id, key in held.items() for values in [_values(key[0])]}
        for row, arrival in enumerate(arrivals):
            product_value = arrival.event.properties["product"]
            for (kind, values), filter_id in by_key.items():
                elements = product_value if isinstance(product_value, tuple) and kind == "view" else (product_value,)
                if kind == arrival.event.type and any(element in values for element in elements):
                    rows.setdefault(filter_id, []).append(row)
        some = set(sorted(held)[::3])
        for columns in (RowColumns(arrivals), stored(arrivals)):
            assert matched(found, columns) == rows
            assert matched(found, columns, some) == {key: kept for key, kept in rows.items() if key in some}


def _values(selector: ast.Events) -> tuple[str, ...]:
    assert isinstance(selector.where, ast.PropertyTest)
    test = selector.where.test
    return test.values if isinstance(test, ast.OneOf) else (test.value,)  # type: ignore[union-attr,return-value]


@given(records(1, max_size=20), st.data())
def test_stored_columns_read_like_rows(arrivals: list[Arrival], data: st.DataObject) -> None:
    """Everything that can be asked of columns has one answer in both forms, for chosen rows too."""
    if not arrivals:
        return
    rows = np.array(data.draw(st.lists(st.integers(0, len(arrivals) - 1), max_size=8)), dtype=np.int64)
    pairs = [(RowColumns(arrivals), stored(arrivals))]
    pairs.append((pairs[0][0].take(rows), pairs[0][1].take(rows)))  # type: ignore[arg-type]
    for mine, other in pairs:
        assert mine.rows == other.rows
        assert mine.times.tolist() == other.times.tolist()
        assert mine.sequences.tolist() == other.sequences.tolist()
        for kind in SubjectKind:
            assert mine.subjects(kind).tolist() == other.subjects(kind).tolist()
        assert [mine.type_names[c] for c in mine.type_codes] == [other.type_names[c] for c in other.type_codes]
        for name in ("p", "q", "os", "nothing"):
            for view in ("view", "context_view"):
                values = [getattr(columns, view)(name).values() for columns in (mine, other)]
                assert [(type(v), v) for v in values[0]] == [(type(v), v) for v in values[1]]
            every = np.arange(mine.rows)
            assert mine.values(name, every) == other.values(name, every)
        for row in range(mine.rows):
            one, same = mine.event(row), other.event(row)
            assert one[:4] == same[:4]
            assert (one.event.type, one.event.properties, one.event.context) == (
                same.event.type,
                same.event.properties,
                same.event.context,
            )
    assert set(pairs[0][0].context_names()) == set(pairs[0][1].context_names())
