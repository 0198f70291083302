"""Instants passed in parts while rules look from accounts at users and from users at accounts, beside the oracle.

Few instants, so that one window's end is another's beginning; every way of cutting them must come to the same.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.index import model
from coterie.index.model import Identifier, Mode, SegmentDefinition, SegmentKind, SubjectKind
from coterie.index.rules import parse
from tests.in_parts import Parts
from tests.side_by_side import Setting, SideBySide

NOW = 1_800_000_000_000 // 86_400_000 * 86_400_000
HOUR = 3_600_000
ACCOUNT, USER = SubjectKind.ACCOUNT, SubjectKind.USER

RULES = (
    (ACCOUNT, "exactly 1 user (did view between 1 and 2 hours ago)"),
    (ACCOUNT, "exactly 1 user (did view in the last 1 hour)"),
    (ACCOUNT, "every user (did view in the last 1 hour) and not did open in the last 2 hours"),
    (ACCOUNT, "did open in the last 1 hour or at least 2 users (did view between 1 and 3 hours ago)"),
    (USER, "account (did open between 1 and 2 hours ago) or did view in the last 1 hour"),
    (USER, "account (exactly 1 user (did view in the last 2 hours)) and not did view in the last 1 hour"),
    (USER, "did view in the last 2 hours"),
    (USER, "account (in s0) or in s6"),
)
MODES = st.sampled_from(((Mode.LIVE, 0), (Mode.STICKY, HOUR), (Mode.STICKY, HOUR // 2), (Mode.ONCE, 0)))
EVENTS = st.tuples(st.integers(0, 2), st.sampled_from(("u1", "u2", "u3", "")), st.sampled_from(("c1", "c2")))
PARTS = st.builds(
    Parts,
    ends=st.sets(st.integers(1, 6), min_size=1, max_size=4).map(lambda ends: tuple(sorted(ends))),
    prepared=st.integers(0, 9),
    rows=st.integers(1, 5),
    crash_after=st.none() | st.integers(0, 2),
)


@settings(max_examples=60, deadline=None)
@given(
    modes=st.lists(MODES, min_size=len(RULES), max_size=len(RULES)),
    events=st.lists(EVENTS, min_size=2, max_size=9),
    sweeps=st.lists(PARTS, min_size=7, max_size=7),
)
def test_what_looks_across_waits_for_the_last_part(modes: Any, events: Any, sweeps: list[Parts]) -> None:
    """Nobody blinks, and nobody is latched, for what one side was before the other has followed."""
    pair = SideBySide(Setting("UTC"))
    pair.apply(model.Tick(), NOW)
    for number, ((kind, text), mode) in enumerate(zip(RULES, modes, strict=True)):
        pair.rules[text] = parse(text)
        segment = SegmentDefinition(f"s{number}", SegmentKind.RULE, kind, text, *mode, model.Universe.ALL)
        pair.apply(model.CreateSegment(segment))
    for hour in range(3):
        sent = tuple(_event(who, account, NOW + hour * HOUR) for when, who, account in events if when == hour)
        pair.apply(model.IngestEvents(sent), NOW + hour * HOUR)
    for number, parts in enumerate(sweeps, 5):  # in half hours
        pair.sweep(NOW + number * HOUR // 2, parts)
    pair.replay()


def _event(who: str, account: str, at: int) -> model.Event:
    if not who:
        return model.Event("", "open", (), account, at, {}, {})
    return model.Event("", "view", (Identifier(model.USER_ID, who),), account, at, {}, {})
