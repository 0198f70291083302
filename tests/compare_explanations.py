"""What the engine explains of memberships, compared with the oracle: truth now, and the instant it is promised to flip.

Owns the comparisons that need no more than a dataset. Invariant: nothing here changes either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coterie.index.engine import Engine
from coterie.index.explained import Answer, Explained
from coterie.index.model import Identifier, Mode, SubjectKind
from tests.oracle_moment import Moment
from tests.oracle_rules import named_in

if TYPE_CHECKING:
    from tests.side_by_side import SideBySide


def explained(engine: Engine, kind: SubjectKind, identifiers: Sequence[Identifier], segment: str) -> Answer:
    """Returns the answer, once all steps are done."""
    explanation = engine.explain(kind, identifiers, segment)
    while explanation.step():
        pass
    return explanation.answer


def compare_explanations(pair: SideBySide) -> None:
    """Compares explanations, of every other membership at one step and of the others at the next.

    What is explained holds now, and until the flip that is promised.
    """
    for name in pair.served():
        kind = pair.dataset.segments[name].definition.subject_kind
        for subject, names in pair.dataset.of_kind[kind].identifiers.items():
            if (subject + len(pair.steps)) % 2:
                continue
            answer = explained(pair.engine, kind, names[-1:], name)
            assert answer.known
            assert answer.agrees
            assert answer.segment is not None
            _compare_membership(pair, kind, subject, answer.segment)


def _compare_membership(pair: SideBySide, kind: SubjectKind, subject: int, membership: Explained) -> None:
    def is_member(at: int) -> bool:
        return Moment(pair.dataset, kind, at).in_segment(subject, membership.segment)

    assert membership.holds == is_member(pair.now), membership.text
    flip = membership.next_flip
    if flip is not None and not _latches(pair, membership.segment):
        assert pair.now < flip
        assert is_member(flip) != membership.holds, f"{membership.text} does not flip at {flip}"
        assert is_member(flip - 1) == is_member((pair.now + flip) // 2) == membership.holds, membership.text


def _latches(pair: SideBySide, name: str) -> bool:
    """Whether anybody's stay hangs on a record at the instant its rule stops to hold: the oracle notes it only then."""
    serving = pair.dataset.segments[name].serving
    assert serving is not None
    nested = named_in(pair.dataset.rule_of(serving.rule)) if serving.rule else ()
    return serving.mode is not Mode.LIVE or any(_latches(pair, each) for each in nested)
