"""Rules: the tree, its text form, and how both are checked.

    from coterie.index.rules import ast, parse, print_rule

`ast` is the tree, `language` reads and prints it; nothing here knows how a rule is evaluated.
"""

from __future__ import annotations

from coterie.index.rules import ast
from coterie.index.rules.language import (
    Reading,
    parse,
    parse_expression_of_names,
    parse_stored,
    print_rule,
    read_names_or_rule,
    read_rule,
    validate,
)

__all__ = [
    "Reading",
    "ast",
    "parse",
    "parse_expression_of_names",
    "parse_stored",
    "print_rule",
    "read_names_or_rule",
    "read_rule",
    "validate",
]
