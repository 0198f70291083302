"""Compiles the contract: descriptors for checks, Python stubs for the server and the clients.

Run as a program it writes the committed stubs (`python protos/generate.py clients/python`). The tests call the same
functions, so what is checked is what is made. Invariant: equal protos and tools give equal files.
"""

from __future__ import annotations

import importlib.resources
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
STUB_ENDINGS = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def proto_files() -> list[str]:
    """Returns the files of the contract, as paths below `protos/`, sorted."""
    return sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))


def write_stubs(root: Path) -> None:
    """Writes the stubs below `root`, replacing those that are there; raises RuntimeError where a proto is wrong."""
    for old in (root / "coterie" / "v1").glob("*_pb2*"):
        old.unlink()
    plugin = Path(sys.executable).with_name("protoc-gen-mypy_grpc")
    _compile(
        f"--python_out={root}",
        f"--pyi_out={root}",
        f"--grpc_python_out={root}",
        f"--plugin=protoc-gen-mypy_grpc={plugin}",
        f"--mypy_grpc_out=quiet:{root}",
    )
    for path in (root / "coterie" / "v1").glob("*_pb2_grpc.py*"):
        if path.name.split("_pb2_grpc.py")[0] not in _files_with_services():
            path.unlink()  # the plugins write an empty module for a file without services


def descriptors(target: Path) -> dict[str, descriptor_pb2.FileDescriptorProto]:
    """Compiles the contract with its comments and returns the descriptor of each file; `target` is scratch space."""
    _compile("--include_source_info", f"--descriptor_set_out={target}")
    files = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes()).file
    return {file.name: file for file in files}


def _files_with_services() -> set[str]:
    return {Path(name).stem for name in proto_files() if name.endswith("_service.proto")}


def _compile(*arguments: str) -> None:
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    status = protoc.main(["protoc", f"--proto_path={PROTOS}", f"--proto_path={well_known}", *arguments, *proto_files()])
    if status != 0:
        raise RuntimeError(f"protoc ended with status {status}")


if __name__ == "__main__":
    write_stubs(Path(sys.argv[1]))
