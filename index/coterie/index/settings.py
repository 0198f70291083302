"""Every limit and default of the engine, in one table, each with its documentation.

The server reads them from its configuration file; tests construct `Settings` directly. Invariant: a
number that bounds an input or changes a meaning is here, never in the code that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

# Events of these types are the pages of a visit. Fixed: what finished visits say must not depend on a setting.
PAGE_TYPES = ("page", "page_view", "pageview", "screen_view", "view")


def _setting(default: Any, doc: str, low: int | None = None, high: int | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and defaults of one dataset."""

    timezone: str = _setting("UTC", "IANA zone of calendar windows and dates whose leaf names none")
    visit_gap_ms: int = _setting(
        30 * MINUTE_MS, "the pause that ends a visit; of datasets that are created from then on", 1_000, DAY_MS
    )
    max_future_ms: int = _setting(5 * MINUTE_MS, "how far ahead of now an event's time may lie", 0, DAY_MS)
    record_events: int = _setting(250, "events (or updates) in one journal record at most", 1, 256)
    dedup_ms: int = _setting(DAY_MS, "how long event ids of arrivals are remembered in memory", 0)
    dedup_ids: int = _setting(10_000_000, "how many event ids are remembered in memory at most", 1_000)
    max_rule_nodes: int = _setting(
        10_000, "conditions, where tests, measures, steps and listed values in one rule", 1, 100_000
    )
    max_rule_depth: int = _setting(32, "how deep logic, where and arithmetic of one rule may nest", 1, 64)
    max_segment_depth: int = _setting(32, "how deep segments may nest in segments", 1, 64)
    max_segments: int = _setting(20_000, "segments in one dataset", 1)
    min_ttl_ms: int = _setting(SECOND_MS, "how long a member of a sticky segment may stay, at least", 1)
    max_ttl_ms: int = _setting(
        3_650 * DAY_MS, "how long a member of a sticky segment may stay, at most", 1, 36_500 * DAY_MS
    )
    max_list_members: int = _setting(10_000_000, "members of one list", 1)
    max_identifier_bytes: int = _setting(256, "UTF-8 bytes of an identifier's value", 1, 400)
    max_identifiers: int = _setting(32, "identifiers on one event or update", 1, 1_000)
    max_name_bytes: int = _setting(256, "UTF-8 bytes of an event type, property or attribute name", 1, 4_096)
    max_text_bytes: int = _setting(8_192, "UTF-8 bytes of one text value", 1)
    max_list_items: int = _setting(1_000, "elements of one list value", 1)
    max_properties: int = _setting(256, "properties (and, apart from them, context values) of one event", 1)
    max_attributes: int = _setting(2_000, "different attribute names of one subject kind", 1)
    max_explain_events: int = _setting(50_000, "events of a subject whose membership can be explained", 1)
    max_explain_users: int = _setting(500, "users of an account whose membership, or one of whom, can be explained", 1)
    max_explain_steps: int = _setting(
        10_000, "instants at which an explanation looks ahead for the next flip at most", 1, 1_000_000
    )
    max_explain_nodes: int = _setting(
        20_000, "nodes of one explanation; segments nested beyond them are shown without their own rule", 1
    )
    max_explain_depth: int = _setting(64, "levels of one explanation; beyond them likewise", 1, 90)
    change_retention_ms: int = _setting(7 * DAY_MS, "how long membership changes can be followed", 0)
    change_retention_entries: int = _setting(5_000_000, "membership changes kept at most (members, not entries)", 1)
    trend_retention_ms: int = _setting(400 * DAY_MS, "how long hourly sizes, joins and leaves are kept", HOUR_MS)

    def __post_init__(self) -> None:
        for setting in fields(self):
            value, low, high = getattr(self, setting.name), setting.metadata["low"], setting.metadata["high"]
            if (low is not None and value < low) or (high is not None and value > high):
                raise ValueError(f"setting {setting.name} = {value} must lie between {low} and {high}")
