"""The documentation: what the READMEs name exists, what exists is named, and every rule they quote means something."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from google.protobuf.descriptor import ServiceDescriptor
from google.rpc import code_pb2

from coterie.index import changes, model, table
from coterie.index.engine import Engine
from coterie.index.errors import CoterieError, RuleUnsupported
from coterie.index.events import dedup, sealing
from coterie.index.measures import codes
from coterie.index.measures.cells import Cells
from coterie.index.rules import ast, parse, print_rule
from coterie.index.settings import Settings
from coterie.index.storage import frames
from coterie.index.subjects import columns, names
from coterie.server.app import _SERVICES
from coterie.server.binding import snake_case
from coterie.server.cli import app
from coterie.server.config import ServerSettings
from coterie.server.errors import CallUnimplemented, code_of
from coterie.v1.error_reason_pb2 import ErrorReason
from tests.test_architecture import _graph

ROOT = Path(__file__).parents[1]
FOLDERS = ("", "index", "server", "clients", "clients/python", "protos", "tests", "bench")
READMES = [path for folder in FOLDERS if (path := ROOT / folder / "README.md").exists()]
IDS = [path.relative_to(ROOT).as_posix() for path in READMES]
MAIN, SERVER, PROTOS = ROOT / "README.md", ROOT / "server/README.md", ROOT / "protos/README.md"
NOW = 1_800_000_000_000


def read(path: Path) -> str:
    """Returns a file's text."""
    return path.read_text(encoding="utf-8")


def blocks(text: str, language: str) -> Iterator[str]:
    """Yields the code blocks of a language."""
    yield from re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


# ---------------------------------------------------------------- settings and limits

_UNITS = {
    "ms": ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")),
    "bytes": ((1 << 40, "TiB"), (1 << 20, "MiB"), (1 << 10, "KiB")),
}


def shown(name: str, value: object) -> str:
    """Returns a setting's value as the table shows it: as it is written in a file, with its size in words."""
    if isinstance(value, bool) or not isinstance(value, int):
        return f"`{str(value).lower() if isinstance(value, bool) else value}`"
    for size, unit in _UNITS.get(name.rpartition("_")[2], ()):
        if value and value % size == 0:
            return f"`{value}` ({value // size} {unit})"
    return f"`{value}`"


def row_of(setting: dataclasses.Field[Any]) -> str:
    """Returns the line of the table that describes a setting."""
    low, high = setting.metadata["low"], setting.metadata["high"]
    span = " to ".join(str(end) for end in (low, high) if end is not None)
    span = span if high is not None else f"{span} or more" if span else "any"
    return f"| `{setting.name}` | {shown(setting.name, setting.default)} | {span} | {setting.metadata['doc']} |"


ROWS = [
    row_of(each) for table in (ServerSettings, Settings) for each in dataclasses.fields(table) if each.name != "engine"
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("`")[1])
def test_every_setting_is_documented(row: str) -> None:
    """A setting's name, default, range and meaning stand in server/README.md as they stand in the code."""
    assert row in read(SERVER).splitlines(), "this line is missing from server/README.md, or another stands there"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    """Whoever copies a setting from the tables finds that the server knows it."""
    tables = read(SERVER).partition("## Settings")[2].partition("\n## ")[0]
    assert [line for line in tables.splitlines() if line.startswith("| `") and line not in ROWS] == []


# ---------------------------------------------------------------- rules


def rules(language: str) -> list[str]:
    """Returns the rules quoted in blocks of a language, one a line, `#` begins a comment."""
    lines = [line for path in READMES for block in blocks(read(path), language) for line in block.splitlines()]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def nested(node: object, of: model.SubjectKind) -> Iterator[tuple[str, model.SubjectKind]]:
    """Yields the segments a rule about subjects of a kind names, each with its own kind."""
    if isinstance(node, ast.OfAccount | ast.Users):
        yield from nested(
            node.rule, model.SubjectKind.ACCOUNT if isinstance(node, ast.OfAccount) else model.SubjectKind.USER
        )
    elif isinstance(node, ast.InSegment | ast.InList):
        yield node.segment, of
    elif dataclasses.is_dataclass(node):
        for each in dataclasses.fields(node):
            yield from nested(getattr(node, each.name), of)
    elif isinstance(node, tuple):
        for child in node:
            yield from nested(child, of)


def create(rule: ast.Expression, of: model.SubjectKind = model.SubjectKind.USER) -> None:
    """Creates a segment with a rule in an empty dataset that has every segment it names, as a list."""
    engine = Engine()
    lists = [(name, model.SegmentKind.LIST, kind, "") for name, kind in dict.fromkeys(nested(rule, of))]
    for revision, definition in enumerate([*lists, ("it", model.SegmentKind.RULE, of, print_rule(rule))], 1):
        payload = model.CreateSegment(model.SegmentDefinition(*definition))
        engine.apply(model.Record(revision, NOW, payload))


def test_rules_are_quoted() -> None:
    """The tests below look at something."""
    assert len(rules("rule")) >= 20
    assert len(rules("rule refused")) >= 3


@pytest.mark.parametrize("text", rules("rule"))
def test_every_quoted_rule_works(text: str) -> None:
    """A rule shown in a README can be created as a segment by this version."""
    create(parse(text))


@pytest.mark.parametrize("text", rules("rule of accounts"))
def test_every_quoted_rule_about_accounts_works(text: str) -> None:
    """So can one that is shown for a segment of accounts."""
    create(parse(text), model.SubjectKind.ACCOUNT)


@pytest.mark.parametrize("text", rules("rule refused"))
def test_every_rule_said_to_be_refused_is_refused(text: str) -> None:
    """A rule shown as not yet evaluated can be read, and is refused by name."""
    rule = parse(text)
    with pytest.raises(RuleUnsupported):
        create(rule)


# ---------------------------------------------------------------- commands


def commands() -> list[str]:
    """Returns every line of a code block that begins with `coterie` (after a prompt, where there is one)."""
    text = "\n".join(
        block for path in READMES for language in ("", "console", "sh") for block in blocks(read(path), language)
    )
    return sorted(set(re.findall(r"^(?:\$ )?(?:.*\| )?(coterie [a-z].*)$", text, re.MULTILINE)))


@pytest.mark.parametrize("line", commands())
def test_every_command_exists(line: str) -> None:
    """A command line shown in a README names a command there is, and only options it has."""
    command: Any = typer.main.get_command(app)
    known = {name for parameter in command.params for name in parameter.opts}
    words = re.sub(r"'[^']*'|\"[^\"]*\"", "TEXT", line).split()[1:]
    while hasattr(command, "commands"):
        plain = [word for word in words if not word.startswith("-")]
        assert plain, f"{line}: no command"
        assert plain[0] in command.commands, f"there is no command {plain[0]!r}"
        words.remove(plain[0])
        command = command.commands[plain[0]]
    known |= {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= known


def test_every_command_is_shown_or_listed() -> None:
    """The main README leaves no command of the command line unmentioned."""
    group: Any = typer.main.get_command(app)
    text = read(MAIN)
    assert [name for name in group.commands if not re.search(rf"`{name}`|coterie {name}\b", text)] == []


def test_every_target_exists() -> None:
    """`make …` in a README is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    named = {name for path in READMES for name in re.findall(r"(?:^|`)make ([a-z]+)", read(path), re.MULTILINE)}
    assert named <= targets


def test_python_is_python() -> None:
    """Python shown in a README compiles."""
    for path in READMES:
        for block in blocks(read(path), "python"):
            compile(block, str(path), "exec")


# ---------------------------------------------------------------- the contract


def unanswered(service: ServiceDescriptor, make: type) -> set[str]:
    """Returns the calls of a service that its class does not answer."""
    return {method.name for method in service.methods if not hasattr(make, snake_case(method.name))}


def test_unanswered_calls_are_listed() -> None:
    """The list of calls that answer UNIMPLEMENTED is the list of calls the server has no method for."""
    table = read(PROTOS).partition("## Not answered yet")[2].partition("\n## ")[0]
    listed = {
        name: set(re.findall(r"`(\w+)`", calls))
        for name, calls in re.findall(r"^\| (\w+) \| (`.*) \|$", table, re.MULTILINE)
    }
    actual = {
        name: calls
        for name, (make, module) in _SERVICES.items()
        if (calls := unanswered(module.DESCRIPTOR.services_by_name[name], make))
    }
    assert listed == actual


def _reasons(base: type[CoterieError]) -> Iterator[type[CoterieError]]:
    if "reason" in base.__dict__:
        yield base
    for child in base.__subclasses__():
        yield from _reasons(child)


def test_every_reason_is_in_the_error_table() -> None:
    """server/README.md gives each reason the status code that the server gives it."""
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| `([A-Z_]+)` \|", read(SERVER), re.MULTILINE))
    codes = {}
    for kind in (*_reasons(CoterieError), CallUnimplemented):
        error = kind.__new__(kind)
        codes[kind.reason] = code_pb2.Code.Name(code_of(error))
    documented = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.DESCRIPTOR.values_by_name} - {
        "UNSPECIFIED"
    }
    assert set(codes) == documented
    assert {reason: code for reason, code in table.items() if reason in documented} == codes


# ---------------------------------------------------------------- links and lists


def anchors(text: str) -> set[str]:
    """Returns the anchors of a file's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", READMES, ids=IDS)
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a file of the project, or to a heading, finds it."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", read(path)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        if not file.exists() or (anchor and anchor not in anchors(read(file))):
            broken.append(target)
    assert broken == []


def modules(package: str) -> list[str]:
    """Returns the modules of a package as paths without suffix, its faces left out."""
    root = ROOT / package / "coterie" / package
    return sorted(
        path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.py") if path.stem[:2] != "__"
    )


@pytest.mark.parametrize(
    ("readme", "names"),
    [
        ("index/README.md", modules("index")),
        ("server/README.md", modules("server")),
        ("tests/README.md", sorted(path.stem for path in (ROOT / "tests").glob("*.py"))),
    ],
    ids=["index", "server", "tests"],
)
def test_every_module_is_named(readme: str, names: list[str]) -> None:
    """The list of modules in a folder's README has all of them, and none that is gone."""
    text = read(ROOT / readme).partition("## Modules")[2].partition("\n## ")[0]
    listed = set(
        re.findall(r"`([a-z0-9_/]+)`", "\n".join(line.split("|")[1] for line in text.splitlines() if "|" in line))
    )
    assert sorted(set(names) - listed) == [], "missing"
    assert sorted(name for name in listed - set(names)) == [], "gone"


@pytest.mark.parametrize(
    ("number", "phrase"),
    [
        (names._PAGE_ENTRIES, "array of up to {} `[database, key, value or nil]`"),
        (dedup._PAGE_IDS, "| about {} "),
        (changes._PAGE_ENTRIES, "array of up to {} entries"),
        (codes._PAGE_VALUES, "array of up to {} kept values"),
        (table._PAGE_ROWS, "for the used rows of {} slots"),
        (columns._CHUNK_ROWS, "up to {} rows: text"),
        (sealing.Sizes().block_rows, "A block has about {} rows"),
        (frames.FRAME_VERSION, "frame version, u8, now {} |"),
        (len(frames.encode_frame(model.Record(1, NOW, model.Tick()))), "A tick is {} bytes."),
    ],
)
def test_layouts_are_as_documented(number: int, phrase: str) -> None:
    """Sizes in the byte layouts of index/README.md are those of the code."""
    assert phrase.format(f"{number:,}".replace(",", " ")) in read(ROOT / "index/README.md")


@pytest.mark.parametrize("name", sorted(Cells().tables))
def test_row_sizes_are_as_documented(name: str) -> None:
    """A row of each cell table takes the bytes that index/README.md says."""
    held = Cells().tables[name]
    size = sum(array.itemsize for array in (held.keys, *held.columns.values())) + (8 if len(held.seconds) else 0)
    assert re.search(rf"`{name}` {size}\b", read(ROOT / "index/README.md"))


def test_the_index_is_listed_in_import_order() -> None:
    """In index/README.md a module stands below everything it imports, or in one line with it."""
    text = read(ROOT / "index/README.md").partition("## Modules")[2].partition("\n## ")[0]
    lines = [re.findall(r"`([a-z0-9_/]+)`", line.split("|")[1]) for line in text.splitlines() if line.startswith("| `")]
    line_of = {
        f"coterie.index.{name.replace('/', '.')}": number for number, names in enumerate(lines) for name in names
    }
    wrong = [
        f"{module} stands above {target}, which it imports"
        for module, targets in _graph("coterie.index").items()
        for target in targets
        if module in line_of and line_of[module] < line_of.get(target, 0)
    ]
    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    """Documentation carries no notes to self."""
    found = [path for path in READMES if re.search(r"\b(TO[D]O|FIX[M]E|X[X]X|TB[D])\b", read(path))]
    assert found == []
