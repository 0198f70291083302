"""Typical mistakes in signs, numbers, values and the tests of values."""

from __future__ import annotations

from coterie.index.rules.mistake import NAME, mistake

SIGNS = (
    mistake(r"◆\s*[‘’“”«»„`]", "these are typographic quotes", "write ' or \" around text"),  # noqa: RUF001 - the mistake itself
    mistake(r"(?P<at>)=\s*◆\s*>", "`=>` is no comparison", "write >=", "a comparison"),
    mistake(r"(?P<at>)=\s*◆\s*<", "`=<` is no comparison", "write <=", "a comparison"),
    mistake(r"◆≥", "`≥` is written with two signs", "write >=", "a comparison"),
    mistake(r"◆≤", "`≤` is written with two signs", "write <=", "a comparison"),
    mistake(r"◆≠", "`≠` is written with two signs", "write !=", "a comparison"),
    mistake(
        r"(?P<at>)=◆~",
        "there are no regular expressions",
        "write matches, where * stands for any characters and ? for one",
    ),
    mistake(r"◆&&?", "`&` is written as a word", "write and"),
    mistake(r"◆\|\|?", "`|` is written as a word", "write or"),
    mistake(r"◆!(?!=)", "`!` is written as a word", "write not"),
    mistake(r"◆;", "values are separated by commas", "write ,", when="COMMA"),
    mistake(r"◆;", "a rule is one condition", "join conditions with and, or"),
    mistake(r"◆->", "steps are joined by a word", "write then"),
    mistake(r"◆\[", "lists stand in parentheses", "write ('a', 'b')"),
    mistake(r"◆[–—−]", "this is a typographic dash", "write -"),  # noqa: RUF001 - the mistake itself
)

NUMBERS = (
    mistake(r"(?P<at>)(?<![\d.])(\d{1,3})\s+◆(\d{3})(?!\d)", "a number is written without spaces", r"write \1\2"),
    mistake(
        r"(?P<at>)(?<![\d.,])(\d{1,3})◆,(\d{3})(?!\d)", r"a number is written without commas", r"write \1\2", "a number"
    ),
    mistake(r"◆0+(\d+)(?![\w/])", "a number does not begin with 0", r"write \1, or '0\1' for text"),
    mistake(r"◆(\d+(?:_\d+)+)\b", "a number is written without underscores", "write the digits alone"),
    mistake(r"◆[$€£]\s?(\d[\d.]*)", "a number is written without its currency", r"write \1"),
    mistake(r"(?P<at>)(\d[\d.]*)\s?◆[$€£]", "a number is written without its currency", r"write \1"),
    mistake(
        r"(?P<at>)(\d[\d.]*)\s*◆(?:usd|eur|gbp|dollars?|euros?)\b",
        "a number is written without its currency",
        r"write \1",
    ),
    mistake(r"◆-?\.(\d+)", "a number begins with a digit", r"write 0.\1"),
    mistake(r"◆\+(\d)", "a number needs no plus sign", r"write \1"),
    mistake(r"◆(\d+)\s?s(?:ecs?)?\b", "units are whole words", r"write \1 seconds"),
    mistake(r"◆(\d+)\s?m(?:ins?)?\b", "units are whole words", r"write \1 minutes, or \1 calendar months in a window"),
    mistake(r"◆(\d+)\s?h(?:rs?)?\b", "units are whole words", r"write \1 hours"),
    mistake(r"◆(\d+)\s?d\b", "units are whole words", r"write \1 days"),
    mistake(r"◆(\d+)\s?w(?:ks?)?\b", "units are whole words", r"write \1 weeks"),
    mistake(r"◆(\d+)\s?y(?:rs?)?\b", "units are whole words, and years are calendar years", r"write \1 calendar years"),
    mistake(r"◆(\d+)(seconds?|minutes?|hours?|days?|weeks?|times?|km)\b", "a space is missing", r"write \1 \2"),
    mistake(r"◆(\d+(?:\.\d+)?)k\b", "a number is written out", "write 1000 for 1k"),
    mistake(
        r"(?:least|most|exactly|than)\s+◆(one|two|three|four|five|six|seven|eight|nine|ten|a|an)\b",
        "a number is written in digits",
        "write 3 times for three times",
    ),
)

VALUES = (
    mistake(r"(?P<at>)!=\s*◆(?:null|none|nil)\b", "a missing value is asked for in words", "write is set"),
    mistake(r"(?P<at>)=\s*◆(?:null|none|nil)\b", "a missing value is asked for in words", "write is not set"),
    mistake(r"◆is\s+not\s+(?:null|none|empty|missing)\b", "a missing value is asked for in words", "write is set"),
    mistake(r"◆is\s+(?:null|none|empty|missing|unset)\b", "a missing value is asked for in words", "write is not set"),
    mistake(r"◆(?:exists|is\s+present|is\s+known)\b", "a value is asked for in words", "write is set", when="IS_SET"),
    mistake(
        r"◆(?:isn't|is\s+not|not\s+equals?|≠)\s+(?!set)",
        "`is not` asks only whether there is a value",
        "write !=",
        when="OP",
    ),
    mistake(r"◆(?:is|are|equals?(?:\s+to)?|was)\b", "equality is written as a sign", "write =", when="OP"),
    mistake(r"[=<>]\s*◆(yes|no|on|off)\b", "the values are true and false", "write true or false"),
    mistake(
        rf"(?:[=<>]|contains|with|matches|contain|start|end|match|between|\(|,)\s*◆({NAME})\s*\.",
        "only fixed values can be compared with",
        "write text in quotes",
        when="TRUE",
    ),
    mistake(
        rf"◆({NAME}(?:[ -]{NAME})*?)(?=\s*(?:$|[,)]|\b(?:and|or|ignoring|in)\b))",
        r"`\1` is text without quotes",
        r"write '\1'",
        when="TRUE",
    ),
    mistake(rf"◆({NAME})", r"`\1` is text without quotes", r"write '\1'", when="TRUE"),
    mistake(
        r"\bin\s+◆('[^']*'|\"[^\"]*\"|-?\d[\d.]*)",
        "the values of `in` stand in parentheses",
        r"write in (\1)",
        "`(`",
        when="LPAR",
    ),
    mistake(
        r"[\w$.]+\s+(?:not\s+)?in\s+◆([A-Za-z]\w*)",
        "the values of `in` stand in parentheses",
        r"write in ('\1')",
        "`(`",
        when="LPAR",
    ),
    mistake(r"\bin\s+\(\s*◆\)", "the list of values is empty", "write the values: in ('a', 'b')"),
    mistake(
        r"('[^']*'|\"[^\"]*\"|[\d.]+)\s+◆('[^']*'|\"[^\"]*\"|[\d.]+)",
        "a comma is missing between the values",
        r"write \1, \2",
        when="COMMA",
    ),
    mistake(r"(?P<at>),\s*◆\)", "the list ends with a comma", "leave the comma out"),
    mistake(r"version\s*\(\s*◆([\d.]+)", "a version is text", r"write version('\1')"),
    mistake(r"version\s+◆(['\"]?)([\d.]+)\1", "a version stands in parentheses and quotes", r"write version('\2')"),
    mistake(r"\(\s*-?[\d.]+\s*◆\)", "the longitude is missing", "write (LATITUDE, LONGITUDE)", when="COMMA"),
    mistake(r"◆(\d+(?:\.\d+)?)km\s+of", "a space is missing", r"write \1 km of"),
    mistake(
        r"within\s+[\d.]+\s+◆(?:miles?|mi|m|meters?|metres?|kilomet(?:er|re)s?)\b",
        "distances are in km",
        "write within 25 km of (LATITUDE, LONGITUDE)",
    ),
    mistake(r"within\s+[\d.]+\s+km\s+◆from", "a word differs", "write km of"),
    mistake(r"km\s+of\s+◆", "the place is missing", "write (LATITUDE, LONGITUDE), as in (48.85, 2.35)", when="LPAR"),
)

TEXT_TESTS = (
    mistake(
        r"◆(?:doesn't|do not|don't|not)\s+(contain|start|end|match)\w*",
        "the word differs",
        r"write does not \1",
        when="TEXT_OP",
    ),
    mistake(
        r"◆does\s+not\s+(?:starts|ends|contains|matches)\b",
        "the word differs",
        "write does not contain, start with, end with or match",
        when="TEXT_OP",
    ),
    mistake(
        r"◆does\s+not\s+(start|end)\s+(?!with)", "the word `with` is missing", r"write does not \1 with", when="TEXT_OP"
    ),
    mistake(r"◆(start|end)s?\s?-?with\b", "the word differs", r"write \1s with", when="TEXT_OP"),
    mistake(r"◆begins?(?:\s?with)?\b", "the word differs", "write starts with", when="TEXT_OP"),
    mistake(r"◆(start|end)s?\s+(?:in|on)?", "the word `with` is missing", r"write \1s with", when="TEXT_OP"),
    mistake(r"◆(?:contain|includes?|has|having)\b", "the word differs", "write contains", when="TEXT_OP"),
    mistake(
        r"◆(?:not\s+)?i?like\b",
        "`like` is SQL",
        "write matches, where * stands for any characters and ? for one",
        when="TEXT_OP",
    ),
    mistake(r"◆not\s+between\b", "`between` is negated as a whole", "write not (… between X and Y)"),
    mistake(
        r"◆(?:ignore|ignores|ignorecase|ignoring|case\W?insensitive)\b",
        "the words differ",
        "write ignoring case",
        when="IGNORING_CASE",
    ),
    mistake(
        r"◆(?:greater|bigger|higher|larger|older|more)\s+than\s+(-?[\d.]+)(?=\s*(?:$|[),]|and|or))",
        "numbers are compared by signs",
        r"write > \1",
        when="OP",
    ),
    mistake(
        r"◆(?:less|fewer|lower|smaller|younger)\s+than\s+(-?[\d.]+)(?=\s*(?:$|[),]|and|or))",
        "numbers are compared by signs",
        r"write < \1",
        when="OP",
    ),
    mistake(
        r"(?P<at>)(?:more)\s+than\s+(-?[\d.]+)\s*◆(?=$|[),]|and|or)",
        "numbers are compared by signs",
        r"write > \1",
        when="UNIT",
    ),
    mistake(
        r"(?P<at>)(?:less)\s+than\s+(-?[\d.]+)\s*◆(?=$|[),]|and|or)",
        "numbers are compared by signs",
        r"write < \1",
        when="UNIT",
    ),
    mistake(r"◆(?:at\s+least|minimum)\s+(-?[\d.]+)", "numbers are compared by signs", r"write >= \1", when="OP"),
    mistake(r"◆(?:at\s+most|up\s+to|maximum)\s+(-?[\d.]+)", "numbers are compared by signs", r"write <= \1", when="OP"),
)
