"""A simulated web shop: seeded visits of many visitors, flattened to one time-sorted table of events.

Owns the story only (who visits when, sees, carts, buys, through which campaign, on which device); it knows
neither the service nor its rules. Invariant: the same arguments give the same table on every machine, and
the table has exactly as many rows as were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from coterie.server.cli.demo.catalogue import CAMPAIGNS, COUNTRIES, COUNTRY_SHARES, PLATFORM_SHARES, Products

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

DAY_MS = 86_400_000
EVENT_TYPES = ("campaign_click", "view", "add_to_cart", "remove_from_cart", "cart_updated", "purchase")
CLICK, VIEW, ADD, REMOVE, CART, PURCHASE = range(6)
NOTHING = -1
"""Stands for "no product" and "no campaign" in the integer columns."""

_EVENTS_PER_VISIT = 4.4
"""What the probabilities below amount to; a little low, so that enough visits are drawn."""
_LAST_STEPS = 1 << 20
"""Steps of a visit are ordered by a number; those of its end lie behind any view."""


@dataclass(frozen=True, slots=True)
class Visits:
    """One row per visit."""

    visitor: Ints
    start_ms: Ints
    device: Ints
    logged_in: Bools
    campaign: Ints


@dataclass(frozen=True, slots=True)
class Visitors:
    """One row per visitor: what does not change between visits."""

    country: Ints
    platform: Ints
    registered: Bools
    plan: Ints


@dataclass(frozen=True, slots=True)
class ShopEvents:
    """One row per event, sorted by time: `kind` indexes EVENT_TYPES, `product` the catalogue (or NOTHING)."""

    time_ms: Ints
    kind: Ints
    visit: Ints
    product: Ints
    value: Floats
    items: Ints

    def take(self, rows: Any) -> ShopEvents:
        """The rows chosen by an index, a mask or a slice."""
        return ShopEvents(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})

    def __len__(self) -> int:
        return len(self.time_ms)


@dataclass(frozen=True, slots=True)
class Shop:
    """A whole simulation: its visitors, their visits, and the events of those visits."""

    products: Products
    visitors: Visitors
    visits: Visits
    events: ShopEvents


def simulate(events: int, visitors: int, end_ms: int, days: int = 60, seed: int = 7) -> Shop:
    """Simulates `events` events of at most `visitors` visitors over the `days` days that end at `end_ms`."""
    rng = np.random.default_rng(seed)
    products = Products.draw(rng)
    people = _draw_visitors(rng, visitors)
    visits = _draw_visits(rng, people, max(int(events / _EVENTS_PER_VISIT * 1.4), 1), end_ms, days)
    return Shop(products, people, visits, _draw_events(rng, products, visits, events, end_ms))


def _draw_visitors(rng: np.random.Generator, visitors: int) -> Visitors:
    return Visitors(
        country=rng.choice(len(COUNTRIES), visitors, p=COUNTRY_SHARES),
        platform=rng.choice(len(PLATFORM_SHARES), visitors, p=PLATFORM_SHARES),
        registered=rng.random(visitors) < 0.6,
        plan=rng.choice(3, visitors, p=(0.8, 0.15, 0.05)),
    )


def _draw_visits(rng: np.random.Generator, people: Visitors, visits: int, end_ms: int, days: int) -> Visits:
    """Everyone comes at least once (those visits are first in the table); some come back again and again."""
    visitors = len(people.country)
    eagerness = rng.pareto(1.6, visitors) + 0.05
    first = rng.permutation(visitors)[:visits]
    again = rng.choice(visitors, visits - len(first), p=eagerness / eagerness.sum())
    visitor = np.concatenate([first, again])
    day = rng.integers(1, days + 1, visits)
    time_of_day = (rng.normal(15.5, 4.5, visits) % 24) * 3_600_000
    return Visits(
        visitor=visitor,
        start_ms=end_ms - day * DAY_MS + time_of_day.astype(np.int64),
        device=((visitor % 4 == 0) & (rng.random(visits) < 0.3)).astype(np.int64),
        logged_in=people.registered[visitor] & (rng.random(visits) < 0.7),
        campaign=np.where(rng.random(visits) < 0.22, rng.integers(0, len(CAMPAIGNS), visits), NOTHING),
    )


def _draw_events(rng: np.random.Generator, products: Products, visits: Visits, wanted: int, end_ms: int) -> ShopEvents:
    steps = _steps_of_visits(rng, products, visits)
    in_order = np.lexsort((steps["step"], steps["visit"]))[:wanted]
    columns = {name: column[in_order] for name, column in steps.items() if name != "step"}
    pause_ms = rng.integers(2_000, 90_000, len(in_order))
    elapsed_ms = np.cumsum(pause_ms)
    # The pauses of one visit only: what had elapsed when the visit began is taken off again.
    first_of_visit = np.searchsorted(columns["visit"], columns["visit"], side="left")
    elapsed_ms -= elapsed_ms[first_of_visit]
    time_ms = np.minimum(visits.start_ms[columns["visit"]] + elapsed_ms, end_ms - 1)
    return ShopEvents(time_ms=time_ms, **columns).take(np.argsort(time_ms, kind="stable"))


def _steps_of_visits(rng: np.random.Generator, products: Products, visits: Visits) -> dict[str, npt.NDArray[Any]]:
    """All steps of all visits in no particular order; (visit, step) orders them."""
    every_visit = np.arange(len(visits.visitor))
    view_counts = rng.geometric(0.36, len(every_visit))
    visit = np.repeat(every_visit, view_counts)
    product = products.draw_popular(rng, len(visit))
    carted = rng.random(len(visit)) < 0.17
    price = products.price[product]
    first_view = np.cumsum(view_counts) - view_counts
    step = 4 * (np.arange(len(visit)) - first_view[visit])
    cart_value, cart_items = (
        _running(np.where(carted, price, 0.0), first_view, visit),
        _running(carted, first_view, visit),
    )
    clicked = visits.campaign != NOTHING
    added = {"product": product[carted], "value": price[carted], "items": np.ones(int(carted.sum()), np.int64)}
    return _joined(
        _block(CLICK, every_visit[clicked], -1),
        _block(VIEW, visit, step, product=product, value=price),
        _block(ADD, visit[carted], step[carted] + 1, **added),
        _block(CART, visit[carted], step[carted] + 2, value=cart_value[carted], items=cart_items[carted]),
        *_checkout(rng, visit[carted], product[carted], price[carted], cart_value[carted], cart_items[carted]),
    )


def _checkout(
    rng: np.random.Generator, visit: Ints, product: Ints, price: Floats, value: Floats, items: Ints
) -> list[dict[str, npt.NDArray[Any]]]:
    """How visits with something in the cart end: the last item may go back, the rest may be bought."""
    last = np.flatnonzero(np.append(visit[1:] != visit[:-1], True))
    regretted = last[rng.random(len(last)) < 0.12]
    removed = np.isin(last, regretted)
    final_value = np.round(value[last] - np.where(removed, price[last], 0.0), 2)
    final_items = items[last] - removed
    bought = (final_items > 0) & (rng.random(len(last)) < 0.5)
    return [
        _block(REMOVE, visit[regretted], _LAST_STEPS, product=product[regretted], value=price[regretted]),
        _block(CART, visit[last[removed]], _LAST_STEPS + 1, value=final_value[removed], items=final_items[removed]),
        _block(PURCHASE, visit[last[bought]], _LAST_STEPS + 2, value=final_value[bought], items=final_items[bought]),
        _block(CART, visit[last[bought]], _LAST_STEPS + 3),
    ]


def _running(amounts: npt.NDArray[Any], first_view: Ints, visit: Ints) -> npt.NDArray[Any]:
    """The running total of `amounts` within each visit, rounded to cents."""
    total = np.cumsum(amounts)
    before_visit = (total - amounts)[first_view]
    running: npt.NDArray[Any] = total - before_visit[visit]
    return np.round(running, 2) if running.dtype == np.float64 else running


def _block(kind: int, visit: Ints, step: Ints | int, **columns: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    rows = len(visit)
    return {
        "kind": np.full(rows, kind, np.int64),
        "visit": visit,
        "step": np.broadcast_to(np.asarray(step, np.int64), rows),
        "product": columns.get("product", np.full(rows, NOTHING, np.int64)),
        "value": columns.get("value", np.zeros(rows)),
        "items": columns.get("items", np.zeros(rows, np.int64)),
    }


def _joined(*blocks: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
