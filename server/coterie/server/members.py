"""Lists of members: one page of a set expression, in the order of first sight or of an attribute."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyroaring import BitMap

from coterie.index.algebra import is_set
from coterie.index.errors import RuleUnsupported
from coterie.index.model import SubjectKind, Value
from coterie.index.rules import print_rule
from coterie.index.rules.ast import Expression
from coterie.server.convert.members import MembersQuestion, write_member
from coterie.server.dataset import Dataset
from coterie.server.rule_forms import subject_kind_of

Place = list[str | int]


def write_page(dataset: Dataset, question: MembersQuestion, expression: Expression, response: Any) -> None:
    """Writes one page, as of now; RuleUnsupported for conditions outside segments, which would be scanned for each page."""
    if not is_set(expression):
        raise RuleUnsupported(
            "expression", "a condition outside a segment, page by page,", "an export, or a segment with that rule"
        )
    kind = subject_kind_of(dataset, expression, question.subject_kind)
    query = repr((print_rule(expression), kind, question.order, question.descending))
    place: Place = dataset.tokens.read_page("members", query, question.place) if question.place else []
    members = dataset.engine.members(expression, kind)
    if question.order:
        chosen, place = _by_attribute(dataset, members, kind, question, place)
    else:
        chosen, place = _by_id(members, place, question.size, descending=question.descending)
    for dense in chosen:
        values = dataset.engine.attributes(kind, dense) if question.attributes else {}
        identifiers = dataset.engine.identifiers(kind, dense)
        write_member(identifiers, values, question.attributes, response.members.add())
    response.total_size = len(members)
    if place:
        response.next_page_token = dataset.tokens.page("members", query, place)


def _by_attribute(
    dataset: Dataset, members: BitMap, kind: SubjectKind, question: MembersQuestion, place: Place
) -> tuple[list[int], Place]:
    """Returns the members at `place`, and the next place: how many come before it (equal values by id)."""
    ids = np.array(members.to_array(), dtype=np.uint32)
    values: list[Value | None] = dataset.engine.attribute_values(kind, question.order, ids)
    held = [row for row in range(len(ids)) if values[row] is not None]
    held.sort(key=lambda row: values[row], reverse=question.descending)  # type: ignore[arg-type,return-value]
    order = held + [row for row in range(len(ids)) if values[row] is None]
    first = int(place[0]) if place else 0
    last = first + question.size
    return [int(ids[row]) for row in order[first:last]], [last] if last < len(order) else []


def _by_id(members: BitMap, place: Place, size: int, *, descending: bool) -> tuple[list[int], Place]:
    """Returns the members after the id at `place`, and the last id shown where more follow."""
    if descending:
        end = members.rank(int(place[0])) if place else len(members)
        if place and int(place[0]) in members:
            end -= 1
        first = max(0, end - size)
        chosen = list(members[first:end])[::-1]
        return chosen, [chosen[-1]] if first > 0 else []
    first = members.rank(int(place[0])) if place else 0
    chosen = list(members[first : first + size])
    return chosen, [chosen[-1]] if first + size < len(members) else []
