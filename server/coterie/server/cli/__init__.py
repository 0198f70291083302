"""The command line: `coterie`. Talks to servers only through the client; `main` is its entry."""

from coterie.server.cli.app import app, main

__all__ = ["app", "main"]
