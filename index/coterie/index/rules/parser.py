"""The LALR parser made of grammar.lark and the builder.

Owns how the grammar's words become regular expressions. Invariant: one parser per process, made when first
needed and never changed, so any number of threads may use it.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

from lark import Lark
from lark.lexer import PatternRE, TerminalDef

from coterie.index.rules import words
from coterie.index.rules.builder import Builder

STARTS = ("rule", "names")

_WORDS = re.compile(r"[a-z ]+")
_ALTERNATIVES = re.compile(r"\(\?:([a-z |\\]+)\)")
_SHAPE = re.compile(r"<([A-Z_]+)>")


@functools.cache
def parser() -> Lark:
    """Returns the parser; the first call takes some tenths of a second."""
    return make_parser()


def make_parser(*, strict: bool = False) -> Lark:
    """Makes a parser. `strict` refuses every conflict in the grammar, and is slow: for tests."""
    return Lark(
        resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=list(STARTS),
        transformer=Builder(),
        edit_terminals=_spell_out,
        maybe_placeholders=True,
        strict=strict,
    )


def _spell_out(terminal: TerminalDef) -> None:
    """Turns a terminal's words into an expression for whole words, and a <SHAPE> into that of words.py."""
    value = terminal.pattern.value
    if shape := _SHAPE.fullmatch(value):
        terminal.pattern = PatternRE(getattr(words, shape[1]))
    elif _WORDS.fullmatch(value):
        terminal.pattern = PatternRE(words.keyword(value))
    elif alternatives := _ALTERNATIVES.fullmatch(value):
        terminal.pattern = PatternRE(words.keyword(f"(?:{alternatives[1].replace(chr(92), '')})"))
