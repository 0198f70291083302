"""Typical mistakes in how conditions are joined, begun and named."""

from __future__ import annotations

from coterie.index.rules.mistake import ATTRIBUTE, COMPARISON, NAME, mistake

WHO = (
    mistake(
        r"\A\s*◆(?:users?|people|visitors?|customers?|everyone|those)\s+(?:who|that|with|in)\b",
        "a rule begins with the condition itself",
        "write for example did purchase",
    ),
)

LOGIC = (
    mistake(
        r"◆(?:usr|usre|uesr|users|visitor|customer|person|profile|attributes?)\.([\w$.-]+)",
        "whose value this is has another name",
        r"write user.\1",
        when="ATTRIBUTE",
    ),
    mistake(r"\A\s*◆\s*\Z", "the rule is empty", "write for example did purchase in the last 30 days"),
    mistake(r"◆(\d+)\s+of\s*\(", "a word is missing", r"write at least \1 of (…)"),
    mistake(r"(?P<at>)\b(\d+)\s+◆of\s*\(", "words are missing", r"write at least \1 of (…)", "a condition"),
    mistake(r"\bof\s+◆(?!\()", "the conditions stand in parentheses", "write of (A, B)", "`(`", when="LPAR"),
    mistake(r"\b(?:and|or)\s+◆(?:and|or)\b", "one of two joining words is too many", "leave one out"),
    mistake(
        r"\b(and|or)\s*◆\s*\Z",
        r"nothing follows `\1`",
        r"write a further condition, or leave `\1` out",
        when="DID PROPERTY",
    ),
    mistake(r"\A\s*◆(and|or)\b", r"nothing stands before `\1`", r"leave `\1` out"),
    mistake(
        r"◆and\b",
        "`and` and `or` never mix without parentheses",
        "write a or (b and c), or (a or b) and c",
        "parentheses",
        when="_OR _CONTINUING_OR",
    ),
    mistake(
        r"◆or\b",
        "`and` and `or` never mix without parentheses",
        "write a and (b or c), or (a and b) or c",
        "parentheses",
        when="_AND _CONTINUING_AND",
    ),
    mistake(r"◆but\b(\s+not)?", "conditions are joined by `and`", r"write and\1"),
    mistake(r"◆(?:unless|except)\b", "conditions are joined by `and`", "write and not (…)"),
    mistake(r"◆xor\b", "there is no `xor`", "write (a and not b) or (b and not a)"),
    mistake(r"◆,", "conditions are joined by words", "write and, or", "`and` or `or`", when="_AND _OR _CONTINUING_AND"),
    mistake(r"◆\)", "the parenthesis was never opened", "leave it out", when="$END"),
    mistake(r"\A(?=.*\().*◆\s*\Z", "a parenthesis is never closed", "write )", when="RPAR"),
    mistake(
        r"◆(?:who|that|if|when|where)\b",
        "a rule begins with the condition itself",
        "write for example did purchase",
        when="DID",
    ),
    mistake(
        r"◆(?:i have|have|has|had|do|does)\s+(?:not\s+)?(\w+)",
        "what people did begins with `did`",
        r"write did \1",
        when="DID",
    ),
    mistake(
        r"[=<>]\s*-?[\d.]+\s+or\s+(?P<at>)-?[\d.]+\s*◆",
        "each side of `or` is a whole condition",
        "write in (…) for several values",
        "a condition",
        when="NOT_IN",
    ),
    mistake(
        r"[=<>]\s*(?:'[^']*'|-?[\d.]+)\s+or\s+◆('[^']*'|\"[^\"]*\"|-?[\d.]+)",
        "each side of `or` is a whole condition",
        "write in (…) for several values",
        when="DID",
    ),
    mistake(
        r"\b(?:and|or)\s+◆(today|yesterday|this|last|since|before|between|in\s+the\s+last)\b",
        "each condition has its own event",
        r"write did EVENT \1 …",
        when="DID",
    ),
    mistake(
        r"\bdid\b[^()]*\b(?:and|or)\s+(?:not\s+)?◆(\"[^\"]*\"|'[^']*')",
        "each event has a `did` of its own",
        r"write did \1",
        when="DID",
    ),
    mistake(
        r"◆['\"]([\w-]+)['\"]\s*\Z",
        "a name alone is no condition",
        r"write in \1 for a segment, did \1 for an event",
        when="DID",
    ),
    mistake(
        rf"\bwhere\s+(?:not\s+|\()*◆{ATTRIBUTE}",
        "an attribute stands in a `where`, which sees the event alone",
        "write and before it instead, or quote the name if it is a property",
    ),
    mistake(
        rf"\bwhere\b.*\(.*◆(?:and|or)\s+(?:not\s+|\()*{ATTRIBUTE}",
        "an attribute stands in a `where`, which sees the event alone",
        "close the parenthesis before it",
        "`)`",
        when="RPAR",
    ),
    mistake(
        r"\bwhere\b.*\(.*◆(?:and|or)\s+(?:not\s+|\()*(?:did|in|visits|any|every|no|at)\b",
        "a condition stands in a `where`, which sees the event alone",
        "close the parenthesis before it",
        "`)`",
        when="RPAR",
    ),
    mistake(
        r"\bwhere\s*◆\s*(?:\Z|and\b|or\b)", "the test of a property is missing", "write for example where price > 10"
    ),
    mistake(
        rf"({NAME})\s*◆\s*(?:\Z|and\b|or\b|\))",
        "the comparison is missing",
        r"write for example \1 = 'text'",
        when="NOT_IN",
    ),
    mistake(
        rf"\bwhere\b.*◆,\s*({NAME})", "tests of properties are joined by words", r"write and \1 …", "`and` or `or`"
    ),
    mistake(
        rf"◆(user|account|current)\s+({NAME})\s*{COMPARISON}", "a dot is missing", r"write \1.\2", when="ATTRIBUTE"
    ),
    mistake(
        r"◆(user|account|current)\.\s*(?:[=<>!]|$|in\b|is\b)",
        "the name of the attribute is missing",
        r"write \1.NAME",
        when="ATTRIBUTE",
    ),
    mistake(r"◆(user|account|current)\.([\d_][\w]*)", "the name stands in quotes", r'write \1."\2"', when="ATTRIBUTE"),
    mistake(
        rf"(?P<at>)\b(user|account|current)\.([\w$.-]+)\s+◆({NAME})\s*[=<>!]",
        "a name of several words stands in quotes",
        r'write \1."\2 \3"',
    ),
    mistake(
        rf"◆({NAME}(?:\.{NAME})*)\s*{COMPARISON}",
        "it is not said whose value this is",
        r"write user.\1 for an attribute, did EVENT where \1 … for a property",
        when="DID",
    ),
    mistake(
        rf"◆(?:\"[^\"]*\"|'[^']*')\s*{COMPARISON}",
        "it is not said whose value this is",
        "write user.NAME for an attribute, did EVENT where NAME … for a property",
        when="DID",
    ),
    mistake(
        rf"◆({NAME})\s+(?:at\s+least|at\s+most|exactly|today|yesterday|in\s+the\s+last|then|where|for\s+the)\b",
        "what people did begins with `did`",
        r"write did \1",
        when="DID",
    ),
    mistake(
        r"(?:\bdid\b|\bin\b|=|<|>).*\s◆(did|in|user\.|account\.|visits|any\s+user|every\s+user)\b",
        "conditions are joined by words",
        r"write and \1",
        when="_AND",
    ),
    mistake(
        r"◆([A-Za-z][\w-]*)\s*(?=\Z|\)|,|\band\b|\bor\b)",
        "a name alone is no condition",
        r"write in \1 for a segment, did \1 for an event",
        when="DID",
    ),
)
