"""A seeded shop: events of many users, and segments over them whose cost is known.

Owns what the ingest benchmarks send and what is asked of it. Invariants: 100 segments rest on exactly 40 measures
in 5 windows; equal seeds give equal events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from coterie.index.model import USER_ID, Event, Identifier, Value

CATEGORIES = ("shoes", "coats", "shirts", "hats", "toys", "books", "games", "garden")
WORDS = ("gift", "sale", "red", "warm", "small")
TYPES = ("view", "add_to_cart", "purchase", "search", "login")
SHARES = (0.70, 0.12, 0.05, 0.10, 0.03)
ITEMS = 10_000


# The eight things that are counted or summed; each in five windows makes 40 measures.
_MEASURES = (
    ("count(view {})", (2, 4, 8)),
    ("count(view where category = 'shoes' {})", (1, 2, 4)),
    ("count(view where price > 500 {})", (1, 2, 4)),
    ("count(add_to_cart {})", (1, 2, 3)),
    ("sum(purchase.price {})", (100, 500, 1000)),
    ("count(purchase {})", (1, 2, 3)),
    ("count(search where query contains 'gift' {})", (1, 2, 3)),
    ("count(login {})", (1, 2, 3)),
)
SEGMENTS = 100
MEASURES = 40


@dataclass(frozen=True, slots=True)
class Happening:
    """An event before it has a time and an id: who, what, about what."""

    user: str
    type: str
    properties: dict[str, Value]


class Shop:
    """An endless line of happenings."""

    def __init__(self, users: int, seed: int = 20_260_501) -> None:
        self._users = users
        self._random = np.random.default_rng(seed)

    def happenings(self, count: int) -> list[Happening]:
        """Returns the next ones. Some users come often, most seldom."""
        draw = self._random
        users = (self._users * draw.random(count) ** 1.5).astype(np.int64).tolist()
        types = draw.choice(len(TYPES), count, p=SHARES).tolist()
        categories = draw.integers(len(CATEGORIES), size=count).tolist()
        items = draw.integers(ITEMS, size=count).tolist()
        prices = np.round(draw.gamma(2.0, 120.0, count), 2).tolist()
        return [
            Happening(user_name(user), TYPES[kind], _properties(TYPES[kind], category, item, price))
            for user, kind, category, item, price in zip(users, types, categories, items, prices, strict=True)
        ]


def user_name(number: int) -> str:
    """Returns the user id of a user by number."""
    return f"user-{number:08d}"


def _properties(kind: str, category: int, item: int, price: float) -> dict[str, Value]:
    if kind == "search":
        return {
            "query": f"{WORDS[item % len(WORDS)]} {CATEGORIES[category]}",
            "results": float(item % 100),
            "page": 1.0,
        }
    if kind == "login":
        return {"method": "password" if item % 3 else "link", "failures": float(item % 2), "remembered": item % 2 == 0}
    return {"category": CATEGORIES[category], "item": f"item-{item:05d}", "price": price}


def events_of(happenings: Sequence[Happening], first: int, last: int, name: str) -> tuple[Event, ...]:
    """Returns happenings as events at times spread over (first, last], with ids of their own."""
    step = (last - first) / len(happenings)
    return tuple(
        Event(
            f"{name}-{index}",
            one.type,
            (Identifier(USER_ID, one.user),),
            None,
            first + round(step * (index + 1)),
            one.properties,
            {},
        )
        for index, one in enumerate(happenings)
    )


# ---------------------------------------------------------------- segments


def rules(windows: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields 100 segments, (id, rule), over 40 measures: 56 single conditions, the others combine and nest."""
    names: list[str] = []
    for which, (measure, thresholds) in enumerate(_MEASURES):
        for number, window in enumerate(windows):
            thresholds_used = thresholds[:2] if number in {1, 3} else thresholds[:1]
            for threshold in thresholds_used:
                names.append(f"m{which}-w{number}-{threshold}")
                yield names[-1], f"{measure.format(f'in the last {window}')} >= {threshold}"
    for number in range(SEGMENTS - len(names)):
        yield f"c{number:02d}", _combination(number, names)


def _combination(number: int, names: Sequence[str]) -> str:
    one, two, three = (names[(number * step + step) % len(names)] for step in (5, 11, 17))
    forms = (
        f"in {one} and in {two}",
        f"in {one} and not in {two}",
        f"in {one} or in {two} or in {three}",
        f"at least 2 of (in {one}, in {two}, in {three})",
    )
    return forms[number % len(forms)]


def micro_rules(count: int, windows: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields segments of one property value each."""
    for number in range(count):
        window = windows[number % len(windows)]
        yield f"item-{number:05d}", f"did view where item = 'item-{number:05d}' in the last {window}"
