"""Who may know whom, and how large a file may grow: the shape of the project, as a test.

Everything is read from the syntax trees; no module of the project is imported here.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMESPACES = {"index": ROOT / "index", "server": ROOT / "server", "client": ROOT / "clients" / "python"}
GENERATED = ROOT / "clients" / "python" / "coterie" / "v1"
TREES = (*NAMESPACES.values(), ROOT / "protos", ROOT / "tests", ROOT / "bench")

MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60
# One vocabulary, declarations only: in two files it would be harder to read, not easier.
LONGER_FILES = {"index/coterie/index/rules/ast.py": 500}

# What each package may import, besides the standard library.
MAY_IMPORT = {
    "coterie.index": {
        *("numpy", "pyroaring", "lmdb", "pyarrow", "lark", "xxhash", "msgpack", "tzdata"),
        "coterie.index",
    },
    "coterie.client": {"grpc", "grpc_status", "google", "coterie.v1", "coterie.client"},
    "coterie.server": {
        *("grpc", "grpc_health", "grpc_reflection", "grpc_status", "grpc_channelz", "google", "uvloop"),
        *("numpy", "pyroaring", "pyarrow", "typer", "click", "rich"),
        *("coterie.index", "coterie.v1", "coterie.client", "coterie.server"),
    },
}
# Within the server only the command line is a client of the service.
COMMAND_LINE = "coterie.server.cli"
# The one place that turns messages of the contract into values of the engine and back.
CONVERT = "coterie.server.convert"
ENGINE_VALUES = ("coterie.index.model", "coterie.index.rules.ast")
# Time, chance and the machine are arguments of the engine, never its own finding.
IMPURE_MODULES = {"time", "random", "secrets", "uuid", "socket", "asyncio"}
IMPURE_CALLS = {"now", "utcnow", "today", "urandom", "getrandom", "getpid"}


def _python_files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*.py") if GENERATED not in path.parents)


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def _modules() -> dict[str, Path]:
    """Returns every hand-written module of the three namespace roots by its full name."""
    return {_module_name(path, root): path for root in NAMESPACES.values() for path in _python_files(root)}


def _imports(module: str) -> Iterator[tuple[str, int]]:
    """Yields what a module imports, as full dotted names, and where; `from a import b` yields `a.b`."""
    path = _modules()[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(_syntax(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            source = ".".join(filter(None, (above, node.module)))
            yield from ((f"{source}.{alias.name}", node.lineno) for alias in node.names)


def _under(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _of_package(package: str) -> list[str]:
    return sorted(module for module in _modules() if _under(module, package))


def test_coterie_is_a_namespace() -> None:
    """No root has a coterie/__init__.py, so that index, server and clients share the name `coterie`."""
    assert [str(path) for root in NAMESPACES.values() for path in root.glob("coterie/__init__.py")] == []


def test_every_package_is_typed() -> None:
    """Each installed package carries the marker that lets its users' type checkers read it."""
    packages = [path for root in NAMESPACES.values() for path in (root / "coterie").iterdir() if path.is_dir()]
    assert [str(path) for path in packages if path.name != "__pycache__" and not (path / "py.typed").exists()] == []


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_follow_the_arrows(package: str) -> None:
    """A package imports the standard library and what its line in MAY_IMPORT names, nothing else."""
    wrong = [
        f"{module}:{line} imports {name}"
        for module in _of_package(package)
        for name, line in _imports(module)
        if not _under(name, *MAY_IMPORT[package]) and name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert wrong == []


def test_only_the_command_line_uses_the_client() -> None:
    """The service itself never depends on the client library."""
    wrong = [
        f"{module}:{line} imports {name}"
        for module in _of_package("coterie.server")
        for name, line in _imports(module)
        if _under(name, "coterie.client") and not _under(module, COMMAND_LINE)
    ]
    assert wrong == []


def test_only_convert_sees_both_worlds() -> None:
    """No module but the conversion reads messages of the contract and values of the engine."""
    wrong = []
    for module in _of_package("coterie.server"):
        names = {name for name, _ in _imports(module)}
        messages = {name for name in names if _under(name, "coterie.v1") and name.endswith("_pb2")}
        values = {name for name in names if _under(name, *ENGINE_VALUES)}
        if messages and values and not _under(module, CONVERT):
            wrong.append(f"{module} imports {sorted(messages)} and {sorted(values)}")
    assert wrong == []


def test_index_never_finds_out_time_or_chance_by_itself() -> None:
    """Time and chance come into the engine as arguments, so that a replay gives the same state."""
    wrong = []
    for module in _of_package("coterie.index"):
        wrong += [f"{module}:{line} imports {name}" for name, line in _imports(module) if _under(name, *IMPURE_MODULES)]
        for node in ast.walk(_syntax(_modules()[module])):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in IMPURE_CALLS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in {"datetime", "date", "os", "np"}
            ):
                wrong.append(f"{module}:{node.lineno} calls {node.func.value.id}.{node.func.attr}")
    assert wrong == []


def _target(name: str) -> str | None:
    """Returns the project's module that an import names: itself, or the one it is a name of."""
    while name and name not in _modules():
        name = name.rpartition(".")[0]
    return name or None


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Returns one circle of a graph, or an empty list."""
    done: set[str] = set()
    for start in sorted(graph):
        trail: list[str] = []
        stack = [(start, False)]
        while stack:
            node, finished = stack.pop()
            if finished:
                done.add(trail.pop())
            elif node in trail:
                return [*trail[trail.index(node) :], node]
            elif node not in done:
                trail.append(node)
                stack.append((node, True))
                stack.extend((target, False) for target in sorted(graph.get(node, ())))
    return []


def _graph(package: str) -> dict[str, set[str]]:
    """Returns which module of a package imports which other one of it."""
    return {
        module: {target for name, _ in _imports(module) if (target := _target(name)) and _under(target, package)}
        - {module}
        for module in _of_package(package)
    }


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_run_one_way(package: str) -> None:
    """The modules of a package can be put in an order in which each imports only earlier ones."""
    assert _circle(_graph(package)) == []


def test_parts_of_the_index_run_one_way() -> None:
    """The same holds of the engine's top-level parts: a folder such as rules/ counts as one."""
    parts: dict[str, set[str]] = {}
    for module, targets in _graph("coterie.index").items():
        here = ".".join(module.split(".")[:3])
        parts.setdefault(here, set()).update({".".join(target.split(".")[:3]) for target in targets} - {here})
    assert _circle(parts) == []


def test_a_circle_would_be_found() -> None:
    """The search for circles finds one that goes over several nodes, and none in a graph that only meets again."""
    assert _circle({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


FILES = [path.relative_to(ROOT).as_posix() for tree in TREES for path in _python_files(tree)]


@pytest.mark.parametrize("name", FILES)
def test_files_and_functions_stay_readable(name: str) -> None:
    """A file has at most 350 lines and a function at most 60."""
    source = (ROOT / name).read_text(encoding="utf-8")
    assert source.count("\n") <= LONGER_FILES.get(name, MAX_FILE_LINES)
    long = [
        f"{node.name}: {length} lines"
        for node in ast.walk(_syntax(ROOT / name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_left_for_later(name: str) -> None:
    """Code carries no notes to self and no empty shells: what is there works."""
    if name == Path(__file__).relative_to(ROOT).as_posix():
        return
    source = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b", source) == []
