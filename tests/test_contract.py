"""The contract and the engine say the same: reasons, numbers and the shape of the rule tree."""

from __future__ import annotations

import dataclasses
import enum
import re
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.descriptor import EnumDescriptor

from coterie.index import errors, model
from coterie.index.rules import ast
from coterie.v1 import error_reason_pb2, membership_service_pb2, rule_pb2, segment_service_pb2
from coterie.v1.common_pb2 import SubjectKind

# A call that this version does not answer is the server's matter, not the engine's.
REASONS_OF_THE_SERVER = {"CALL_UNIMPLEMENTED"}

# Values that have no message of their own: instants are timestamps, and a predicate's logic is typed apart.
UNMIRRORED_CLASSES = {"Instant"}
UNMIRRORED_MESSAGES = {
    *("Expression", "Literal", "Moment", "Test", "Predicate", "Window", "Term"),
    *("PredicateAnd", "PredicateOr", "PredicateNot"),
}
# Python's `value` and `date_only` are one ISO text; a test may be a comparison with a term.
RESHAPED_FIELDS = {"LocalTime": {"value"}, "MeasureTest": {"term", "test", "term_compare"}}
RESHAPED_FIELDS["Users"] = {"frequency", "quantifier", "rule"}


def _names(descriptor: EnumDescriptor) -> dict[str, int]:
    """Returns the numbers of an enum by name without its prefix, number 0 left out."""
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", descriptor.name).upper() + "_"
    return {value.name.removeprefix(prefix): value.number for value in descriptor.values if value.number}


def _reasons(base: type[errors.CoterieError]) -> set[str]:
    own = {base.reason} if "reason" in base.__dict__ else set()
    return own.union(*(_reasons(child) for child in base.__subclasses__()))


def test_every_domain_error_has_its_reason_in_the_contract() -> None:
    """What the engine can refuse is a documented reason, and no reason is documented in vain."""
    documented = set(_names(error_reason_pb2.ErrorReason.DESCRIPTOR))
    assert documented == _reasons(errors.CoterieError) | REASONS_OF_THE_SERVER


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (model.SubjectKind, SubjectKind.DESCRIPTOR),
        (model.SegmentKind, segment_service_pb2.SegmentKind.DESCRIPTOR),
        (model.Universe, segment_service_pb2.Universe.DESCRIPTOR),
        (model.Mode, segment_service_pb2.SegmentMode.DESCRIPTOR),
        (model.SegmentState, segment_service_pb2.SegmentState.DESCRIPTOR),
        (model.ListOperation, segment_service_pb2.MemberOperation.DESCRIPTOR),
        (model.Cause, membership_service_pb2.ChangeCause.DESCRIPTOR),
    ],
)
def test_enums_have_equal_numbers(ours: type[enum.Enum], theirs: EnumDescriptor) -> None:
    """An enum of the engine and its twin in the contract have the same names and numbers, so none is ever mapped."""
    assert {member.name: member.value for member in ours} == _names(theirs)


def _classes(module: ModuleType, kind: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and issubclass(value, kind)
    }


def test_rule_enums_have_equal_names() -> None:
    """Each enum of the rule tree has a twin with the same names."""
    for name, ours in _classes(ast, enum.Enum).items():
        assert list(_names(rule_pb2.DESCRIPTOR.enum_types_by_name[name])) == [member.name for member in ours], name


def test_rule_messages_have_equal_fields() -> None:
    """Each node of the rule tree has a message with the same fields, times given as durations without their unit."""
    messages = rule_pb2.DESCRIPTOR.message_types_by_name
    nodes = {name: node for name, node in _classes(ast, object).items() if dataclasses.is_dataclass(node)}
    assert set(nodes) - UNMIRRORED_CLASSES == set(messages) - UNMIRRORED_MESSAGES
    for name in sorted(set(nodes) - UNMIRRORED_CLASSES):
        ours = {field.name.removesuffix("_ms") for field in dataclasses.fields(nodes[name])}
        assert set(messages[name].fields_by_name) == RESHAPED_FIELDS.get(name, ours), name
