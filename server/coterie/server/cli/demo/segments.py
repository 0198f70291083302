"""The segments the demonstration keeps, in the text language, and why a shop would want them."""

from __future__ import annotations

from typing import NamedTuple


class Wanted(NamedTuple):
    """A segment: its id, its rule ("" for a list), and what it is for."""

    id: str
    rule: str
    purpose: str


BEFORE_HISTORY = (
    Wanted("buyers", "did purchase", "whoever bought at all"),
    Wanted("loyal", "did purchase at least 3 times in the last 30 days", "three purchases in 30 days"),
    Wanted(
        "cart-under-100",
        "last(cart_updated.value) > 0 and last(cart_updated.value) < 100",
        "less than $100 in the shopping cart",
    ),
    Wanted("new-faces", "did view for the first time in the last 7 days", "first-time visitors"),
    Wanted(
        "from-facebook",
        "did campaign_click where source = 'facebook' in the last 30 days",
        "came through a campaign",
    ),
    Wanted("on-a-phone", "current.device = 'phone'", "the device last seen"),
    Wanted("browsing-now", "did view at least 3 times in the last 8 seconds", "leave by time alone"),
    Wanted("newsletter", "", "a list, changed by hand"),
)
"""Created in an empty dataset: every event of history moves their members."""

AFTER_HISTORY = (
    Wanted("big-spenders", "sum(purchase.value) >= 500 in the last 30 days", "a sum in a sliding window"),
    Wanted("vip", "in loyal and in big-spenders", "nested"),
    Wanted("gone-quiet", "did purchase and did not view in the last 14 days", "bought, then stayed away"),
    Wanted("plus-or-pro", "user.plan in ('plus', 'pro')", "an attribute"),
    Wanted("checkout-test", "in split 'checkout' 0% to 50%", "half of everybody, drawn by hash"),
    Wanted(
        "keen",
        "at least 2 of (distinct(view.category) >= 4 in the last 7 days, did add_to_cart today, in plus-or-pro)",
        "any two of three",
    ),
    Wanted(
        "mail-tonight",
        "in list newsletter and in cart-under-100 and not in vip",
        "list, cart and nested, together",
    ),
    Wanted("left-the-cart", "did add_to_cart then not purchase within 10 seconds", "join by time, as nothing comes"),
    Wanted("quick-buyers", "did view then add_to_cart then purchase within 1 day", "a sequence"),
    Wanted("regulars", "visits >= 3 in the last 30 days", "visits"),
)
"""Created when history is there: built from it while live events go on."""

ALL = BEFORE_HISTORY + AFTER_HISTORY
