"""Time as the engine knows it: local calendars, and the edges of windows as functions of now."""

from coterie.index.time.boundaries import (
    NOW,
    Beginning,
    Boundary,
    CalendarEdge,
    Fixed,
    Now,
    SlidingEdge,
    UpTo,
    window_bounds,
)
from coterie.index.time.calendar import (
    DAY_MS,
    HIGHEST,
    HOUR_MS,
    LOWEST,
    WEEKDAYS,
    local_days,
    local_hours,
    local_weekdays,
    next_start,
    period_start,
    resolve,
    zone_of,
)
from coterie.index.time.offsets import zone_names

__all__ = [
    "DAY_MS",
    "HIGHEST",
    "HOUR_MS",
    "LOWEST",
    "NOW",
    "WEEKDAYS",
    "Beginning",
    "Boundary",
    "CalendarEdge",
    "Fixed",
    "Now",
    "SlidingEdge",
    "UpTo",
    "local_days",
    "local_hours",
    "local_weekdays",
    "next_start",
    "period_start",
    "resolve",
    "window_bounds",
    "zone_names",
    "zone_of",
]
