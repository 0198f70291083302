"""Typical mistakes in events, frequencies, sequences, measures, segments and accounts."""

from __future__ import annotations

from coterie.index.rules.mistake import COMPARISON, NAME, mistake

_EVENT_ENDS = (
    r"(?=\s*\Z|\s*[),]|\s+(?:and|or|in\s+the|in\s+this|at\s+(?:least|most)|exactly|for\s+the|today|yesterday|this|last|since"
    r"|before|then|where)\b)"
)

EVENTS = (
    mistake(
        r"\bdid\s+◆(?:and|or)\b",
        "the name of the event is missing",
        'write did EVENT, or did "and" if that is its name',
    ),
    mistake(r"\bthen\s*◆\s*(?:and\b|or\b|\Z)", "the name of the event is missing", "write then EVENT"),
    mistake(r"\bdid(?:\s+not)?(?:\s+first)?\s*◆\s*(?:\Z|\))", "the name of the event is missing", "write did EVENT"),
    mistake(r"\bdid\s+(?:not\s+)?◆visits?\b", "visits are a measure", "write visits >= 1"),
    mistake(
        r"\b(did(?:\s+not)?(?:\s+first)?|then(?:\s+not)?)\s+◆(all|at|before|between|every|exactly|fewer|for|in|is|last|less|more|no|over|since|the|this|today|where|within|yesterday|any)\b",
        r"`\2` is a word of the language, and the name of the event is missing",
        r'write \1 EVENT …, or "\2" if that is the event',
    ),
    mistake(
        rf"\b(?:did|then)\s+(?:not\s+|first\s+)?(?P<at>)({NAME})\s+◆({NAME}){_EVENT_ENDS}",
        "a name of several words stands in quotes",
        r'write "\1 \2"',
    ),
    mistake(
        rf"\b(?:did|then)\s+(?:not\s+|first\s+)?({NAME})\s+◆({NAME})\s+within\b",
        "a word is missing between two events",
        r"write \1 then \2 within …",
        "`then`",
    ),
    mistake(
        rf"\b(?:did|then)\s+(?:not\s+)?(?:first\s+)?(?:\"[^\"]*\"|[\w$.-]+)\s+◆(?:with|whose|having|that|if|when)\s+({NAME})",
        "a condition on the event begins with `where`",
        r"write where \1 …",
        when="WHERE",
    ),
    mistake(
        rf"\b(?:did|then)\s+(?:not\s+)?(?:first\s+)?(?:\"[^\"]*\"|[\w$.-]+)\s+◆({NAME}(?:\.{NAME})*)\s*{COMPARISON}",
        "a condition on the event begins with `where`",
        r"write where \1 …",
        when="WHERE",
    ),
    mistake(
        r"◆\(\s*\w+\s*[=<>!]",
        "a condition on the event begins with `where`",
        "write where before the parenthesis",
        when="WHERE",
    ),
    mistake(
        r"◆(?:and\s+then|followed\s+by|next|afterwards)\b", "steps are joined by one word", "write then", when="THEN"
    ),
    mistake(r"\band\s+◆then\b", "steps are joined by one word", "write then without and"),
)

FREQUENCIES = (
    mistake(
        r"(?P<at>)\b(\d+)\s+◆(seconds?|minutes?|hours?|days?|weeks?)\s+ago",
        "a moment is no window",
        r"write in the last \1 \2, or between two ages",
        "a window (`in the last 7 days`)",
        when="_TO",
    ),
    mistake(
        r"◆at\s?-?le?a?st\b(?!\s+\d+\s+(?:of|users?))", "the words are written apart", "write at least", when="AT_LEAST"
    ),
    mistake(r"◆at\s?-?mo?st\b", "the words are written apart", "write at most", when="AT_MOST"),
    mistake(r"◆(more|less|fewer)\s+then\b", "the word differs", r"write \1 than"),
    mistake(
        r"◆(?:minimum|min|no\s+less\s+than|not\s+less\s+than)\s+(\d+)",
        "the words differ",
        r"write at least \1 times",
        when="AT_LEAST",
    ),
    mistake(
        r"◆(?:maximum|max|up\s+to|no\s+more\s+than|not\s+more\s+than)\s+(\d+)",
        "the words differ",
        r"write at most \1 times",
        when="AT_LEAST",
    ),
    mistake(r"◆(?:only|just)\s+(once|twice|\d+\s+times)", "the words differ", r"write exactly \1", when="EXACTLY"),
    mistake(
        r"◆(once|twice|thrice)\b",
        r"`\1` could be at least or exactly",
        r"write at least \1, or exactly \1",
        when="EXACTLY",
    ),
    mistake(
        r"(?P<at>)\b(\d+)\s+◆times?\b",
        r"`\1 times` could be at least or exactly",
        r"write at least \1 times, or exactly \1 times",
        "a number of times (`at least 3 times`)",
    ),
    mistake(r"◆(\d+)x\b", "a number of times is written in words", r"write at least \1 times, or exactly \1 times"),
    mistake(r"◆>=\s*(\d+)", "a number of times is written in words", r"write at least \1 times", when="EXACTLY"),
    mistake(r"◆>\s*(\d+)", "a number of times is written in words", r"write more than \1 times", when="EXACTLY"),
    mistake(r"◆<=\s*(\d+)", "a number of times is written in words", r"write at most \1 times", when="EXACTLY"),
    mistake(r"◆<\s*(\d+)", "a number of times is written in words", r"write fewer than \1 times", when="EXACTLY"),
    mistake(r"◆==?\s*(\d+)", "a number of times is written in words", r"write exactly \1 times", when="EXACTLY"),
    mistake(
        r"(?P<at>)\b(at\s+least|at\s+most|exactly|more\s+than|fewer\s+than|less\s+than)\s+(\d+)\s*◆(?!of|user|,)",
        "the word `times` is missing",
        r"write \1 \2 times",
        "`times`",
        when="_TIMES",
    ),
    mistake(
        r"(?P<at>)\bbetween\s+(\d+)\s+and\s+(\d+)\s+◆times",
        "the words differ",
        r"write \1 to \2 times",
        "a number of times (`2 to 4 times`)",
    ),
    mistake(r"◆never\b", "`never` is a negation", "write did not EVENT"),
    mistake(r"◆for\s+(?:the\s+)?1st\s+time", "the number is a word", "write for the first time"),
    mistake(r"◆(?:the\s+)?first\s+time\b", "words are missing", "write for the first time", when="FOR_THE_FIRST_TIME"),
)

MEASURES = (
    mistake(
        r"\b(?:count|sum|avg|min|max|distinct|days|first|last)\s*\([^()]*◆\s*[<>=!]",
        "the parenthesis of the measure is not closed",
        "write ) before the comparison",
        "`)`",
    ),
    mistake(r"◆(?:average|mean)\s*\(", "the measure is named differently", "write avg(EVENT.PROPERTY)"),
    mistake(r"◆total\s*\(", "the measure is named differently", "write sum(EVENT.PROPERTY)"),
    mistake(
        r"◆(?:unique|uniq|count_distinct|nunique)\s*\(",
        "the measure is named differently",
        "write distinct(EVENT.PROPERTY)",
    ),
    mistake(
        r"◆(?:minimum|maximum)\s*\(",
        "the measure is named differently",
        "write min(EVENT.PROPERTY) or max(EVENT.PROPERTY)",
    ),
    mistake(r"\(\s*◆\*", "`*` names no event", "write count(any event)"),
    mistake(r"\(\s*◆\)", "the event is missing", "write for example count(EVENT)", when="ANY_EVENT"),
    mistake(
        r"(?P<at>)([\w$]+)\.([\w$]+)◆\.([\w$]+)",
        "one dot separates event and property",
        r'write "\1.\2".\3, or \1."\2.\3"',
    ),
    mistake(
        rf"◆({NAME}\.{NAME})\s*(?:[<>=]|$)",
        "a measure says what is kept of the events",
        r"write for example sum(\1), or user.NAME for an attribute",
        when="DID",
    ),
    mistake(
        rf"(?<![\w$.])(?P<at>)(count|sum|avg|min|max|distinct|days)\s+◆({NAME}(?:\.{NAME})?)",
        "what is measured stands in parentheses",
        r"write \1(\2)",
    ),
    mistake(
        rf"(?<![\w$.])(?<!did\s)(?<!the\s)(?P<at>)(first|last)\s+◆({NAME})",
        "what is measured stands in parentheses",
        r"write \1(\2), or did first EVENT",
    ),
    mistake(r"[<>]=?\s*\d+\s+◆times?\b", "a measure is compared with a plain number", "leave out times"),
    mistake(
        r"◆(?:in\s+the\s+last|today|this|last|since|before|between\s+\d+\s+and\s+\d+)\b",
        "a window follows the comparison",
        "write the comparison first, as in count(EVENT) >= 3 in the last 7 days",
        when="ADD",
    ),
    mistake(r"\)\s*◆(?:$|and\b|or\b|\))", "the comparison is missing", "write for example >= 3", when="ADD"),
    mistake(
        r"(?<![\w.$'\"])-?\d[\d.]*\s*◆(?:$|and\b|or\b|\))",
        "a number alone is no condition",
        "compare it with a measure, or write in (1, 2) for several values",
        when="ADD",
    ),
)

SEGMENTS = (
    mistake(
        r"\bsplit\s+◆(\d+(?:\.\d+)?\s*%)",
        "the name of the split is missing",
        r"write in split 'NAME' \1 …",
        "a name in quotes",
    ),
    mistake(rf"\bsplit\s+◆({NAME}(?:-\w+)*)", "the name of the split is text", r"write in split '\1'"),
    mistake(r"split\s+\S+\s+◆(\d+)\s*(?:\.\.|to|-)\s*(\d+)%?", "shares are percentages", r"write \1% to \2%"),
    mistake(r"(\d+%)\s*(?:\.\.|to)\s*◆(\d+)\b", "shares are percentages", r"write \2%", when="PERCENT"),
    mistake(r"(\d+%)\s*◆-\s*(\d+%)", "the two shares are joined by a word", r"write \1 to \2"),
    mistake(
        r"\bin\s+(?P<at>)segment\s+◆([\w-]+)", "segments are named directly", r"write in \1", "the name of a segment"
    ),
    mistake(r"\bin\s+◆the\s+([\w-]+)", "segments are named directly", r"write in \1", "the name of a segment"),
    mistake(
        r"\bin\s+◆(all|any|before|between|first|last|today|visits|yesterday|this)\b",
        r"`\1` is a word of the language",
        r'write in "\1" if that is the segment',
    ),
    mistake(r"\bin\s+◆(?:$|and\b|or\b|\))", "the name of the segment is missing", "write in NAME"),
    mistake(
        r"\bdid\b.*\sin\s+◆([A-Za-z][\w-]*)",
        "after an event `in` names a time zone, in quotes",
        r"write and in \1 for a segment",
    ),
    mistake(
        r"\bin\s+[\w-]+\s*◆,\s*(?:in\s+)?([\w-]+)",
        "each segment has an `in` of its own",
        r"write and in \1",
        "`and` or `or`",
    ),
)

ACCOUNTS = (
    mistake(r"◆(?:all|each)\s+(?:of\s+the\s+)?users?\b", "the words differ", "write every user (…)"),
    mistake(r"◆(?:some|a|one)\s+users?\b", "the words differ", "write any user (…)"),
    mistake(r"◆none\s+of\b", "the words differ", "write not any of (…), or no user (…)"),
    mistake(
        r"(?P<at>)\b(any|every|no)\s+users?\s+◆(?!\()",
        "what holds for the users stands in parentheses",
        r"write \1 user (…)",
        "`(`",
    ),
    mistake(
        r"(?P<at>)\baccount\s+◆(?![(.])",
        "what holds for the account stands in parentheses",
        "write account (…), or account.NAME for an attribute",
        "`(`",
    ),
)
