"""The contract and what is generated from it: stubs never drift from the protos, and nothing in the protos is unsaid."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protos import generate

ROOT = Path(__file__).resolve().parent.parent
STUBS = ROOT / "clients" / "python" / "coterie" / "v1"
FILES = generate.proto_files()

# Field numbers within descriptor.proto; a source location's path is a chain of them and of indexes.
MESSAGES, ENUMS, SERVICES, SYNTAX = 4, 5, 6, 12
FIELDS, NESTED_MESSAGES, NESTED_ENUMS, ONEOFS = 2, 3, 4, 8
ENUM_VALUES, METHODS = 2, 2


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FileDescriptorProto]:
    """The descriptors of the protos as they are now, with their comments."""
    return generate.descriptors(tmp_path_factory.mktemp("descriptors") / "set.binpb")


def _bare(file: FileDescriptorProto) -> FileDescriptorProto:
    """Returns the descriptor without comments and without JSON names, which not every compiler spells out."""
    copy = FileDescriptorProto()
    copy.CopyFrom(file)
    copy.ClearField("source_code_info")
    stack: list[Any] = list(copy.message_type)
    while stack:
        message = stack.pop()
        stack.extend(message.nested_type)
        for field in message.field:
            field.ClearField("json_name")
    return copy


@pytest.mark.parametrize("name", FILES)
def test_stub_describes_its_proto(name: str, compiled: dict[str, FileDescriptorProto]) -> None:
    """A committed stub describes exactly the messages, enums and services of its proto file."""
    module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    committed = FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(committed)
    assert _bare(committed) == _bare(compiled[name])


def test_stubs_are_what_the_generator_writes(tmp_path: Path) -> None:
    """The committed stubs are the generator's output, file for file and byte for byte (else: `make proto`)."""
    generate.write_stubs(tmp_path)
    fresh = {path.name: path.read_text() for path in (tmp_path / "coterie" / "v1").iterdir()}
    committed = {path.name: path.read_text() for path in STUBS.iterdir() if path.name.endswith(generate.STUB_ENDINGS)}
    assert sorted(fresh) == sorted(committed)
    assert [name for name in sorted(fresh) if fresh[name] != committed[name]] == []


def _elements(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yields the path and the name of everything that a comment is due for."""
    yield (SYNTAX,), "the file itself"
    for number, enum in enumerate(file.enum_type):
        yield from _enum_elements(enum, (ENUMS, number))
    for number, message in enumerate(file.message_type):
        yield from _message_elements(message, (MESSAGES, number))
    for number, service in enumerate(file.service):
        yield (SERVICES, number), service.name
        for index, method in enumerate(service.method):
            yield (SERVICES, number, METHODS, index), f"{service.name}.{method.name}"


def _enum_elements(enum: Any, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, enum.name
    for index, value in enumerate(enum.value):
        yield (*path, ENUM_VALUES, index), value.name


def _message_elements(message: Any, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], str]]:
    if message.options.map_entry:
        return
    yield path, message.name
    for index, field in enumerate(message.field):
        yield (*path, FIELDS, index), f"{message.name}.{field.name}"
    synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
    for index, oneof in enumerate(message.oneof_decl):
        if index not in synthetic:
            yield (*path, ONEOFS, index), f"{message.name}.{oneof.name}"
    for index, enum in enumerate(message.enum_type):
        yield from _enum_elements(enum, (*path, NESTED_ENUMS, index))
    for index, nested in enumerate(message.nested_type):
        yield from _message_elements(nested, (*path, NESTED_MESSAGES, index))


@pytest.mark.parametrize("name", FILES)
def test_every_element_is_commented(name: str, compiled: dict[str, FileDescriptorProto]) -> None:
    """Every file, service, call, message, field, oneof, enum and enum value says what it is, in a whole sentence."""
    file = compiled[name]
    comments = {tuple(where.path): where.leading_comments.strip() for where in file.source_code_info.location}
    unsaid = [what for path, what in _elements(file) if not comments.get(path, "").endswith((".", ":", "?"))]
    # An example at the end of a comment may close with a token instead of a full stop.
    unsaid = [what for what in unsaid if not what.startswith("ERROR_REASON_")]
    assert unsaid == []


@pytest.mark.parametrize("name", FILES)
def test_every_enum_begins_unspecified(name: str, compiled: dict[str, FileDescriptorProto]) -> None:
    """Number 0 of an enum always means that nothing was said, so that a sender's silence is never a choice."""
    for enum in compiled[name].enum_type:
        assert enum.value[0].number == 0
        assert enum.value[0].name.endswith("_UNSPECIFIED")


def test_every_error_reason_has_an_example(compiled: dict[str, FileDescriptorProto]) -> None:
    """A caller who meets a reason finds what it looks like in its comment."""
    file = compiled["coterie/v1/error_reason.proto"]
    comments = {tuple(where.path): where.leading_comments for where in file.source_code_info.location}
    reasons = file.enum_type[0].value
    missing = [
        value.name for index, value in enumerate(reasons) if index and "Example: " not in comments[ENUMS, 0, 2, index]
    ]
    assert missing == []


@pytest.mark.parametrize("name", FILES)
def test_requests_name_a_dataset_and_answers_a_revision(name: str, compiled: dict[str, FileDescriptorProto]) -> None:
    """Every call names its dataset, and every answer says which revision it was given at."""
    messages = {message.name: {field.name for field in message.field} for message in compiled[name].message_type}
    # A list of datasets belongs to none of them, and a deleted one has no revision.
    of_no_dataset = {"ListDatasetsRequest", "ListDatasetsResponse", "DeleteDatasetResponse"}
    # Each alternative of these carries a revision of its own.
    streams = {"WatchMembershipResponse", "ReplicateSegmentsResponse"}
    for service in compiled[name].service:
        for method in service.method:
            request, response = method.input_type.split(".")[-1], method.output_type.split(".")[-1]
            assert "dataset" in messages[request] or request in of_no_dataset
            assert "revision" in messages[response] or response in of_no_dataset | streams
