"""The program `python -m bench`: which benchmarks, how large, and how the results are printed."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bench import benchmarks
from bench.measure import machine
from bench.registry import SIZES, Benchmark, Run
from bench.report import Report, show

INTERRUPTED = 130


class _Shown:
    """A progress bar as the watcher of a run."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name
        self._task: TaskID = progress.add_task(name, total=None)

    def phase(self, label: str, total: int | None = None) -> None:
        """Begins the bar anew."""
        self._progress.reset(self._task, total=total, description=f"{self._name} {label}")
        self._progress.refresh()

    def advance(self, steps: int = 1) -> None:
        """Moves the bar."""
        self._progress.advance(self._task, steps)

    def end(self) -> None:
        """Takes the bar away."""
        self._progress.remove_task(self._task)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmarks asked for; returns 0, or 130 where it was interrupted."""
    options = _options(arguments)
    known = benchmarks()
    asked = [name.upper() for name in options.names] or list(known)
    unknown = [name for name in asked if name not in known]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    console = Console(stderr=options.json)
    console.print(f"[dim]{machine()}; size {options.size}[/dim]")
    for name in asked:
        try:
            report = _run(known[name], options, console)
        except KeyboardInterrupt:
            console.print(f"[yellow]interrupted in {name}[/yellow]")
            return INTERRUPTED
        show(report, console)
        if options.json:
            print(json.dumps({"machine": machine(), "size": options.size, **report.to_json()}), flush=True)
    return 0


def _run(benchmark: Benchmark, options: argparse.Namespace, console: Console) -> Report:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        tempfile.TemporaryDirectory(prefix="coterie-bench-", dir=options.directory) as directory,
        Progress(*columns, console=console, transient=True) as progress,
    ):
        shown = _Shown(progress, benchmark.name)
        report = benchmark.run(Run(options.size, Path(directory), shown, peers=not options.no_peers))
        shown.end()
    return report


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Coterie beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks, such as P1 P3 (default: all)")
    parser.add_argument("--size", choices=SIZES, default="small", help="how much data (default: small)")
    parser.add_argument("--json", action="store_true", help="print each result as a line of JSON, too")
    parser.add_argument("--no-peers", action="store_true", help="measure Coterie alone")
    parser.add_argument("--directory", help="where data goes while it runs (default: the system's temporary directory)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
