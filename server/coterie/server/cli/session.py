"""What every command that talks to a server shares: the connection, the form of the output, the exit status.

Owns the options `--target`, `--dataset` and `--json`, which stand before or after the command's name. Invariant: a
refused request prints the server's own message with its field and ends with status 1; a misused command with 2.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec, Self

import grpc
import typer
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from rich.console import Console

from coterie.client import Client, CoterieError, Unavailable
from coterie.client.connection import DEFAULT_DATASET, DEFAULT_TARGET

_PLAIN_WIDTH = 160
"""Columns of tables that go to a file or another program; terminals have a width of their own."""

UNKNOWN = "nobody has that identifier"

REFUSED = 1
INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

_PANEL = "Connection and output"
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="HOST:PORT",
        help=f"The server; default COTERIE_TARGET or {DEFAULT_TARGET}.",
        rich_help_panel=_PANEL,
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="ID",
        help=f"The dataset; default COTERIE_DATASET or {DEFAULT_DATASET}.",
        rich_help_panel=_PANEL,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the server's answers as protobuf JSON, one object a line.",
        rich_help_panel=_PANEL,
    ),
]
_SHARED = {"target": (Target, None), "dataset": (Dataset, None), "as_json": (Json, False)}

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared options as given before the command's name."""

    target: str | None
    dataset: str | None
    as_json: bool


def remote(command: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """Makes a command of a function that takes a session first: adds the shared options, opens and closes it."""
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())[1:]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _SHARED.items()
    ]

    @functools.wraps(command)
    def run(context: typer.Context, target: str | None, dataset: str | None, as_json: bool, **own: Any) -> None:
        before = context.obj if isinstance(context.obj, Shared) else Shared(None, None, as_json=False)
        with Session(
            target or before.target or os.environ.get("COTERIE_TARGET") or DEFAULT_TARGET,
            dataset or before.dataset or os.environ.get("COTERIE_DATASET") or DEFAULT_DATASET,
            as_json=as_json or before.as_json,
        ) as session:
            answering(command, session, **own)

    # What typer reads: the function's own parameters with the shared ones after them.
    parameters = [context, *own, *shared]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": None}
    return run


def answering(command: Callable[..., None], *arguments: Any, **keywords: Any) -> None:
    """Runs a command; a refused request becomes a message and exit status 1."""
    try:
        command(*arguments, **keywords)
    except CoterieError as error:
        complain(error)
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read the output has seen enough; what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def complain(error: CoterieError) -> None:
    """Prints a refused request's message, reason and field on stderr."""
    typer.echo(f"{error.reason or error.code.name}: {error.message}", err=True)
    if isinstance(error, Unavailable) and not error.reason and error.code is grpc.StatusCode.UNAVAILABLE:
        typer.echo("  `coterie serve` starts a server, --target says where it is", err=True)
    if error.field:
        typer.echo(f"  field: {error.field}", err=True)


class Session:
    """The connection of one command, and how it prints."""

    def __init__(self, target: str, dataset: str, *, as_json: bool) -> None:
        self.client = Client(target, dataset=dataset)
        self.dataset = dataset
        self.as_json = as_json
        self.console = console()
        self.errors = console(stderr=True)
        self.animated = not as_json and self.errors.is_terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.client.close()

    def show(self, message: Message, render: Callable[[Any], Any] | None = None) -> None:
        """Prints an answer: as JSON where that is asked for or nothing renders it, else what `render` makes of it."""
        if self.as_json or render is None:
            print_json(message)
        else:
            shown = render(message)
            if shown is not None:
                self.console.print(shown)


def console(*, stderr: bool = False) -> Console:
    """A console; where it is no terminal, wide enough that nothing is cut."""
    width = None if "COLUMNS" in os.environ or (sys.stderr if stderr else sys.stdout).isatty() else _PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False)


def print_json(message: Message) -> None:
    """Prints a message in protobuf's JSON mapping, on one line; fields at their default are there as well."""
    typer.echo(MessageToJson(message, indent=None, ensure_ascii=False, always_print_fields_with_no_presence=True))
