"""The sentences the rule language must be able to say, each with a story in which somebody enters and leaves.

Owns the table. Invariant: `Until` names the very instant at which time changes membership.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tests.serving import DAY, HOUR, MINUTE
from tests.stories import Listed, Sentence, Until, does, has, sees

IN, OUT = True, False
LAUNCHED, CHARGED = "App Launched", "Charged"

ATTRIBUTES = (
    Sentence(
        "user.country in ('US', 'CA') and user.age >= 18 and user.tags contains 'vip'",
        (
            has(OUT, country="CA", age=17.5, tags=["new", "vip"]),
            has(IN, age=18),
            has(OUT, tags=["new"]),
            has(IN, country="US", tags=["vip"]),
            has(OUT, country="us"),
        ),
    ),
    Sentence(
        "user.email ends with '@example.com' and user.phone is set",
        (has(OUT, email="ann@example.com"), has(IN, phone="1"), has(OUT, email="ann@example.com.org")),
    ),
    Sentence(
        "user.app_version >= version('4.2') and current.os = 'iOS'",
        (
            has(OUT, app_version="4.10"),
            sees(IN, os="iOS"),
            sees(OUT, os="Android"),
            sees(IN, os="iOS"),
            has(OUT, app_version="4.1.9"),
        ),
    ),
    Sentence(
        "current.location within 25 km of (48.85, 2.35)",
        (
            sees(IN, latitude=48.80, longitude=2.13),  # Versailles, 17 km away
            sees(OUT, latitude=49.19, longitude=2.46),  # Chantilly, 39 km
        ),
    ),
    Sentence("user.city = 'paris' ignoring case", (has(IN, city="PARIS"), has(OUT, city="Parys"))),
    Sentence(
        "user.signed_up more than 30 days ago and user.trial_ends within the next 7 days",
        (
            has(OUT, signed_up=datetime(2026, 1, 1, 12, tzinfo=UTC), trial_ends=datetime(2026, 2, 5, 12, tzinfo=UTC)),
            Until("2026-01-31T12:00", IN),
            Until("2026-02-05T12:00", OUT),
        ),
    ),
)

CARTS = (
    Sentence(
        "last(cart_updated.value) < 100",  # "less than $100 in their shopping cart"
        (
            does("cart_updated", OUT, value=100),
            does("cart_updated", IN, value=99.99),
            does("cart_updated", IN, ago=HOUR, value=500),
            does("cart_updated", OUT, value=120),
        ),
    ),
    Sentence(
        "sum(add_to_cart.price) - sum(remove_from_cart.price) < 100 in this visit",
        (
            does("view", IN),
            does("add_to_cart", IN, price=99.5),
            does("add_to_cart", OUT, price=0.5),
            does("remove_from_cart", IN, price=0.5),
            does("add_to_cart", OUT, price=1),
            Until(30 * MINUTE, IN),  # the visit is over: nothing is in the cart of this one
        ),
        begins=True,
    ),
    Sentence(
        "sum(purchase.price in the last 7 days) / sum(purchase.price in the last 30 days) > 0.5",
        (
            does("purchase", OUT, ago=8 * DAY, price=50),
            does("purchase", IN, price=51),
            Until(7 * DAY, OUT),
        ),
    ),
    Sentence(
        'did "Added To Cart" then not Purchased within 15 minutes',
        (
            does("Added To Cart", OUT),
            Until(15 * MINUTE, IN),
            does("Purchased", OUT),
            does("Added To Cart", OUT),
            Until(15 * MINUTE, IN),
            does("Added To Cart", IN),
            does("Purchased", OUT),
        ),
    ),
)

FIRST_TIMES = (
    Sentence(
        'did "App Launched" for the first time in the last 30 days',
        (does(LAUNCHED, IN), does(LAUNCHED, IN, ago=DAY), Until(29 * DAY, OUT), does(LAUNCHED, OUT)),
    ),
    Sentence(
        "did first purchase where category = 'shoes' in the last 30 days",
        (does("purchase", IN, category="shoes"), does("purchase", IN, category="hats"), Until(30 * DAY, OUT)),
    ),
    Sentence(
        'did "App Launched" at least 10 times and did Charged for the first time in this visit',
        (
            *(does(LAUNCHED, OUT, ago=9 - nth) for nth in range(9)),
            does(CHARGED, OUT),
            does(LAUNCHED, IN),
            Until(30 * MINUTE, OUT),  # the visit with the first charge is over
            does(CHARGED, OUT),
        ),
    ),
)

# "acquired via a Facebook campaign in April who made at least three transactions in May and June, and none lately"
APRIL = (
    Sentence(
        "did acquired where source = 'facebook' between 2026-04-01 and 2026-05-01\n"
        "  and did transaction at least 3 times between 2026-05-01 and 2026-07-01\n"
        "  and did not transaction in the last 2 weeks",
        (
            does("acquired", OUT, ago=24 * DAY, source="facebook"),
            does("transaction", OUT, ago=3 * DAY),
            does("transaction", OUT, ago=DAY),
            does("transaction", OUT),
            Until(14 * DAY, IN),
            does("transaction", OUT),
            Until(14 * DAY, IN),
            does("transaction", OUT),
        ),
        start="2026-05-10T10:00",
    ),
)

COUNTS = (
    Sentence(
        'did "Listened to Track" and did "Created Playlist" and did not "Shared Playlist"',
        (does("Listened to Track", OUT), does("Created Playlist", IN), does("Shared Playlist", OUT)),
    ),
    Sentence(
        'did "Read Article" exactly 5 times',
        (*(does("Read Article", nth == 5) for nth in range(1, 6)), does("Read Article", OUT)),
    ),
    Sentence(
        "distinct(view.category) >= 3 in the last 7 days",
        (
            does("view", OUT, ago=2 * DAY, category="a"),
            does("view", OUT, ago=DAY, category="b"),
            does("view", OUT, ago=DAY, category="b"),
            does("view", IN, category="c"),
            Until(5 * DAY, OUT),
        ),
    ),
    Sentence(
        "days(login) >= 5 in the last 7 days",
        (*(does("login", back == 0, ago=back * DAY) for back in (4, 3, 2, 1, 0)), Until(3 * DAY, OUT)),
    ),
    Sentence(
        "last(purchase) more than 30 days ago",
        (does("purchase", OUT), Until(30 * DAY, IN), does("purchase", OUT)),
    ),
    Sentence(
        "visits >= 3 in the last 30 days and avg(visits.duration_s) > 120",
        (
            *(does("view", OUT, ago=ago) for back in (20, 10) for ago in (back * DAY + 4 * MINUTE, back * DAY)),
            does("view", IN),
            Until(10 * DAY, OUT),
        ),
    ),
    Sentence(
        "did purchase at least 2 times where (hour between 18 and 23 and weekday in ('sat', 'sun'))"
        " in the last 90 days",
        (  # 2026-01-04 is a Sunday
            does("purchase", OUT, ago=HOUR),  # at 17:59
            does("purchase", OUT, ago=2 * DAY),  # on Friday
            does("purchase", OUT, ago=DAY),
            does("purchase", IN),
            Until(89 * DAY, OUT),
        ),
        start="2026-01-04T18:59",
    ),
)

WINDOWS = (
    Sentence(
        "did login this month in 'Europe/Paris'",
        (does("login", IN), Until("2026-01-31T23:00", OUT)),
    ),
    Sentence(
        "did login between 60 and 30 days ago",
        (does("login", OUT), Until(30 * DAY, IN), Until(60 * DAY, OUT)),
    ),
    Sentence(
        "did page_view at most 4 times where url matches '/products/*' today",
        (
            does("page_view", IN, url="/products/1"),
            does("page_view", IN, url="/about/products/1"),
            *(does("page_view", nth < 5, url=f"/products/{nth}") for nth in range(2, 6)),
            Until("2026-01-02T00:00", IN),
        ),
        begins=True,
    ),
)

SEQUENCES = (
    Sentence(
        "did view then add_to_cart where price > 10 then purchase within 1 day",
        (
            does("view", OUT, ago=DAY),
            does("add_to_cart", OUT, ago=HOUR, price=10),
            does("purchase", OUT, ago=2),
            does("add_to_cart", OUT, ago=1, price=11),
            does("purchase", IN),  # a day after the view, to the millisecond
            Until(400 * DAY, IN),
        ),
        for_ever=True,
    ),
    Sentence(
        "did (view then add_to_cart within 10 minutes) at least 2 times in the last 7 days",
        (
            does("view", OUT, ago=2 * DAY),
            does("add_to_cart", OUT, ago=2 * DAY - 10 * MINUTE),
            does("view", OUT, ago=10 * MINUTE + 1),
            does("add_to_cart", OUT),
            does("view", IN, ago=1),  # late: it makes a match of the event before
            Until(5 * DAY + 10 * MINUTE, OUT),
        ),
    ),
)

SEGMENTS = (
    Sentence(
        "in vip and not in churned",
        (
            Listed("vip", True, IN),
            does("view", IN),
            Until(30 * DAY, OUT),
            does("view", IN),
            Listed("vip", False, OUT),
        ),
        needs={"vip": "", "churned": "last(view) more than 30 days ago"},
    ),
    Sentence(
        "in list newsletter_2026 or in split 'spring' 0% to 10%",
        (Listed("newsletter_2026", True, IN), does("view", IN), Listed("newsletter_2026", False, OUT)),
        needs={"newsletter_2026": ""},
    ),
    Sentence(
        "at least 2 of (in vip, did purchase today, user.plan = 'pro')",
        (
            has(OUT, plan="pro"),
            does("purchase", IN),
            Until("2026-01-02T00:00", OUT),
            Listed("vip", True, IN),
            has(OUT, plan="free"),
        ),
        needs={"vip": ""},
    ),
)

ACCOUNTS = (
    Sentence(
        "account.industry = 'retail' and account (in enterprise)",
        (
            does("view", OUT, of="acme"),
            has(OUT, of="acme", industry="retail"),
            has(IN, of="acme", seats=500),
            does("view", OUT, of="other"),
            does("view", IN, of="acme"),
            has(OUT, of="acme", seats=499),
        ),
        needs={"enterprise": "account.seats >= 500"},
    ),
    Sentence(
        "any user (in power_users) and no user (in churned) and at least 10 users (did login in the last 7 days)",
        (
            *(does("login", OUT, f"u{nth}", of="acme") for nth in range(1, 11)),
            does("export", IN, "u1", of="acme"),
            Until(7 * DAY, OUT),
            *(does("login", nth == 10, f"u{nth}", of="acme") for nth in range(1, 11)),
            does("complain", OUT, "u5", of="acme"),
            does("forgive", IN, "u5", of="acme"),
            does("login", OUT, "u10", of="other"),
        ),
        needs={"power_users": "did export", "churned": "count(complain) > count(forgive)"},
        account="acme",
    ),
)

SENTENCES = (
    *ATTRIBUTES,
    *CARTS,
    *FIRST_TIMES,
    *APRIL,
    *COUNTS,
    *WINDOWS,
    *SEQUENCES,
    *SEGMENTS,
    *ACCOUNTS,
)
