"""What several tests of the language ask of a text."""

from __future__ import annotations

import pytest

from coterie.index.errors import RuleInvalid
from coterie.index.rules import parse


def same(first: str, second: str) -> None:
    """Asserts that two spellings are one rule."""
    assert repr(parse(first)) == repr(parse(second))


def refuse(text: str) -> RuleInvalid:
    """Returns the refusal of a text."""
    with pytest.raises(RuleInvalid) as caught:
        parse(text)
    return caught.value
