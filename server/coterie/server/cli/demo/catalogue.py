"""What the simulated shop sells, where its visitors live, and how they find it.

Owns the names and their shares; draws nothing but the products' prices and popularity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

COUNTRIES = ("US", "DE", "FR", "GB", "CA", "BR", "JP", "AU")
COUNTRY_SHARES = (0.34, 0.16, 0.13, 0.12, 0.09, 0.07, 0.05, 0.04)

PLATFORMS = (("iOS", "phone"), ("Android", "phone"), ("Windows", "desktop"), ("macOS", "desktop"), ("iPadOS", "tablet"))
PLATFORM_SHARES = (0.29, 0.33, 0.21, 0.12, 0.05)

CAMPAIGNS = (
    ("facebook", "paid", "spring-sale"),
    ("google", "paid", "brand"),
    ("newsletter", "email", "weekly"),
    ("instagram", "paid", "lookbook"),
    ("affiliate", "referral", "blogs"),
)
"""(source, medium, campaign)"""

PLANS = ("free", "plus", "pro")

_CATEGORIES = {"shoes": 80, "shirts": 35, "coats": 140, "bags": 95, "watches": 180, "hats": 25, "socks": 9, "books": 18}
"""Category and its typical price."""
_BRANDS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir")
_PER_CATEGORY = 50


@dataclass(frozen=True, slots=True)
class Products:
    """The catalogue, one row per product."""

    names: tuple[str, ...]
    categories: tuple[str, ...]
    brands: tuple[str, ...]
    price: npt.NDArray[np.float64]
    popularity: npt.NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Products:
        """Draws prices and popularity; names, categories and brands are the same in every shop."""
        categories = tuple(category for category in _CATEGORIES for _ in range(_PER_CATEGORY))
        count = len(categories)
        typical = np.array([_CATEGORIES[category] for category in categories])
        popularity = rng.pareto(1.2, count) + 0.1
        return cls(
            names=tuple(f"p{index:03d}" for index in range(count)),
            categories=categories,
            brands=tuple(_BRANDS[index % len(_BRANDS)] for index in range(count)),
            price=np.round(typical * rng.lognormal(0.0, 0.45, count), 2),
            popularity=popularity / popularity.sum(),
        )

    def draw_popular(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
        """Indexes of `count` products, popular ones more often."""
        return rng.choice(len(self.names), count, p=self.popularity)
