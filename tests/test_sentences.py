"""Every sentence of the rule language, alive: created over gRPC, entered and left, to the millisecond."""

from __future__ import annotations

import asyncio

import pytest

from tests.sentences import SENTENCES
from tests.stories import Sentence, play


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.rule.partition("\n")[0])
def test_a_sentence_is_entered_and_left(sentence: Sentence) -> None:
    """At its revision and, where time does it, at its millisecond; the watch tells of the same, and of nothing else."""
    asyncio.run(play(sentence))


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.rule.partition("\n")[0])
def test_a_story_enters_and_leaves(sentence: Sentence) -> None:
    """So that the test above proves something: only what can never be left ends otherwise."""
    said = [step.member for step in sentence.story]
    assert True in said
    assert (False in said[said.index(True) :]) is not sentence.for_ever
