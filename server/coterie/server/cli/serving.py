"""`coterie serve`: the server, with settings from a file, the environment and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coterie.server.config import ConfigurationError, load_settings


def serve(
    data: Annotated[str | None, typer.Option("--data", metavar="DIR", help="Where the datasets are kept.")] = None,
    listen: Annotated[
        str | None, typer.Option("--listen", metavar="HOST:PORT", help="Port 0 picks a free one.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file of settings.")] = None,
    accept_clock: Annotated[
        bool, typer.Option("--accept-clock", help="Start although the clock is far past the last record.")
    ] = False,
) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    # Imported here, so that commands that only talk to a server start fast.
    from coterie.server.app import run  # noqa: PLC0415

    try:
        settings = load_settings(config, data=data, listen=listen, accept_clock=accept_clock or None)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    run(settings)
