"""Typical mistakes in dates, windows, durations and time zones."""

from __future__ import annotations

from coterie.index.rules.mistake import TESTED, UNITS, mistake

A_WINDOW = "a window (`in the last 7 days`)"

DATES = (
    mistake(
        r"(?P<at>)\b\d{1,2}\s*◆/\s*\d{1,2}/(\d{4})",
        "a date begins with its year",
        r"write \1-MM-DD, the month before the day",
    ),
    mistake(r"◆\d{1,2}/\d{1,2}/(\d{4})", "a date begins with its year", r"write \1-MM-DD, the month before the day"),
    mistake(r"◆\d{1,2}\.\d{1,2}\.(\d{4})", "a date begins with its year", r"write \1-MM-DD, the month before the day"),
    mistake(r"(?P<at>)\b(\d{4})\s*◆/\s*(\d{1,2})/(\d{1,2})", "a date is written with hyphens", r"write \1-\2-\3"),
    mistake(r"◆(\d{4})/(\d{1,2})/(\d{1,2})", "a date is written with hyphens", r"write \1-\2-\3"),
    mistake(
        r"(?P<at>)\b(\d{4})◆-(\d{1,2})-(\d{1,2})\b",
        "month and day of a date have two digits",
        "write 2026-05-01 for 2026-5-1",
    ),
    mistake(
        r"◆(\d{4})-(\d{1,2})-(\d{1,2})\b", "month and day of a date have two digits", "write 2026-05-01 for 2026-5-1"
    ),
    mistake(
        r"(?P<at>)(\d{4}-\d\d-\d\d)\s+(\d\d)◆(:\d\d)",
        "date and time are joined by T",
        r"write \1T\2\3",
        "a date, or a date and time",
    ),
    mistake(r"◆['\"](\d{4}-\d\d-\d\d)['\"]", "a date stands without quotes", r"write \1", when="DATE"),
    mistake(
        r"◆(?:\d{1,2}(?:st|nd|rd|th)?\s+)?(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\b",
        "a date is written in digits",
        "write 2026-05-01",
    ),
    mistake(r"(?P<at>)\b(\d{4})◆-(\d\d)(?!-)\b", "the day of the date is missing", r"write \1-\2-01"),
)

WINDOWS = (
    mistake(
        r"(?P<at>)\bin\s+◆the\s+(?!last|past|next|previous)[a-z]+\s+(\d+)\s+([a-z]+)",
        "this is no window",
        r"write in the last \1 \2",
        A_WINDOW,
    ),
    mistake(
        rf"{TESTED}\s+(?P<at>)in\s+◆the\s+(?:last|past|next)\s+(\d+)\s+([a-z]+)",
        "a time is compared with now by `within`",
        r"write within the last \1 \2, or within the next \1 \2",
        "a comparison",
    ),
    mistake(
        rf"{TESTED}\s+◆in\s+the\s+last\s+(\d+)\s+([a-z]+)",
        "a window follows the comparison",
        r"write for example >= 1 in the last \1 \2",
        when="OP",
    ),
    mistake(
        r"(?P<at>)in\s+the\s+last\s+(\d+)\s+◆months?\b",
        "months and years are no fixed durations",
        r"write in the last \1 calendar months, or a number of days",
    ),
    mistake(
        r"(?P<at>)in\s+the\s+last\s+(\d+)\s+◆years?\b",
        "months and years are no fixed durations",
        r"write in the last \1 calendar years, or a number of days",
    ),
    mistake(r"\d\s+◆(months?|years?|quarters?)\b", "months and years are no fixed durations", "write a number of days"),
    mistake(
        r"(?P<at>)in\s+the\s+last\s+◆(day|week|month|year)\b",
        r"`in the last \1` could be whole or counted from now",
        r"write last \1, or in the last 7 days",
        A_WINDOW,
    ),
    mistake(r"in\s+the\s+last\s+◆(hour|minute|second)\b", "the number is missing", r"write in the last 1 \1"),
    mistake(
        r"◆(?:in\s+|over\s+|for\s+|during\s+)?(?:the\s+)?(?:last|past|previous)\s+(\d+)\s+(months?|years?)\b",
        "this is no window",
        r"write in the last \1 calendar \2",
        A_WINDOW,
    ),
    mistake(
        r"◆(?:over\s+|for\s+|during\s+)?(?:the\s+)?(?:last|past|previous)\s+(\d+)\s+([a-z]+)\b",
        "this is no window",
        r"write in the last \1 \2",
        A_WINDOW,
    ),
    mistake(
        r"(?P<at>)\b(?:within|in)\s+◆(?:the\s+)?(?:last|past|previous)\s+(\d+)\s+(months?|years?)\b",
        "this is no window",
        r"write in the last \1 calendar \2",
        A_WINDOW,
    ),
    mistake(
        r"(?P<at>)\b(?:within|in)\s+◆(?:the\s+)?(?:last|past|previous)\s+(\d+)\s+([a-z]+)\b",
        "this is no window",
        r"write in the last \1 \2",
        A_WINDOW,
    ),
    mistake(
        r"(?P<at>)\bin\s+◆last\s+(week|month|year)\b",
        r"`in last \1` could be whole or counted from now",
        r"write last \1, or in the last 7 days",
        A_WINDOW,
    ),
    mistake(
        r"◆(?:this|last)\s+(hour|minute|day|quarter|visit|session)\b",
        r"there is no window for this \1",
        "write today, this week, this month, this year, in this visit or in the last 90 days",
        A_WINDOW,
    ),
    mistake(
        r"(?P<at>)(?:in\s+)?(?:this|last)\s+◆(hour|minute|day|quarter|session)\b",
        r"there is no window for this \1",
        "write today, this week, this month, this year, in this visit or in the last 90 days",
        A_WINDOW,
    ),
    mistake(
        r"between\s+\S+\s+◆(?:to|-|\u2013|until|\.\.)\s*(\S+)", "`between` joins its two ends by `and`", r"write and \1"
    ),
    mistake(r"between\s+\S+◆,\s*(\S+)", "`between` joins its two ends by `and`", r"write and \1"),
    mistake(
        r"between\s+(\d+)\s+and\s+(\d+)\s+(days?|weeks?|hours?|minutes?)\s*◆",
        "the word `ago` is missing",
        r"write between \1 and \2 \3 ago",
        when="_AGO",
    ),
    mistake(
        r"between\s+\d+\s+and\s+\d+\s+◆(?:months?|years?)\s+ago",
        "months and years are no fixed durations",
        "write a number of days",
    ),
    mistake(
        r"◆(?:from|on|after|until|till|by)\s+\d{4}-",
        "this is no window",
        "write since DATE, before DATE or between DATE and DATE",
        A_WINDOW,
        when="SINCE",
    ),
    mistake(r"◆(?:after|since|from)\s+\d{4}-", "a time is compared by signs", "write > or >=", when="OP"),
    mistake(r"◆(?:before|until|till)\s+\d{4}-", "a time is compared by signs", "write < or <=", when="OP"),
    mistake(
        rf"(?P<at>)[<>]=?\s*\d+\s+◆{UNITS}\s+ago",
        "an age is compared in words",
        "write more than 30 days ago, or within the last 30 days",
    ),
    mistake(
        rf"(?P<at>)[<>]=?\s*\d+\s+◆{UNITS}\b",
        "a duration is compared in words",
        "write more than 30 days ago, or within the last 30 days",
    ),
    mistake(r"(?:in|ago)\s+◆Europe/(\w+)", "a time zone stands in quotes", r"write 'Europe/\1'"),
    mistake(r"\bin\s+◆([A-Z]\w+/\w+)", "a time zone stands in quotes", r"write '\1'"),
    mistake(
        r"◆(?:utc|cet|gmt|local time)\b",
        "a time zone is named in quotes after `in`",
        "write in 'Europe/Paris'",
        when="IN_THE_LAST",
    ),
)
