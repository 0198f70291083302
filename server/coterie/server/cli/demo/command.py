"""`coterie demo` and `coterie demo-data`: the simulated shop, running or as a file."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import IO, Annotated, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import typer

from coterie.client import CoterieError
from coterie.server.cli import render
from coterie.server.cli.arguments import instant_of
from coterie.server.cli.demo.child import Child, ChildFailed
from coterie.server.cli.demo.feed import tables
from coterie.server.cli.demo.lines import json_lines
from coterie.server.cli.demo.screen import Screen
from coterie.server.cli.demo.shop import Shop, simulate
from coterie.server.cli.demo.story import Story
from coterie.server.cli.demo.truth import DemoFailed
from coterie.server.cli.session import INTERRUPTED, REFUSED, complain, console

Events = Annotated[int, typer.Option("--events", min=1_000, help="How many events.")]
Visitors = Annotated[int, typer.Option("--visitors", min=100, help="Of how many visitors.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same shop.")]
Days = Annotated[int, typer.Option("--days", min=1, max=3_650, help="Over how many days.")]

_LIVE_SHARE = 0.04
_LIVE_EVENTS = 10_000
_LIVE_SECONDS = 20.0


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server running to play with.")] = False,
    events: Events = 200_000,
    visitors: Visitors = 20_000,
    seed: Seed = 7,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Default: a free one.")] = 0,
    seconds: Annotated[
        float, typer.Option("--seconds", min=2.0, help="How long live events are sent.")
    ] = _LIVE_SECONDS,
) -> None:
    """Show a simulated shop: server, live events, segments, joins and leaves, a crash; and check all of it."""
    screen = Screen(console())
    live_events = min(int(events * _LIVE_SHARE), _LIVE_EVENTS)
    directory = Path(tempfile.mkdtemp(prefix="coterie-demo-"))
    child = Child(directory, port)
    finished = False
    began = time.monotonic()
    try:
        shop = _ending_now(simulate(events, visitors, time.time_ns() // 1_000_000, seed=seed), events - live_events)
        screen.heading(
            f"A simulated shop: {render.number(events)} events of {render.number(visitors)} visitors, seed {seed}"
        )
        child.start()
        story = Story(shop, live_events, seconds, child, screen)
        story.tell()
        story.close()
        if not keep:
            screen.heading("SIGTERM: finish, snapshot, exit 0")
            screen.say(f"stopped in {child.stop():.1f} s")
        finished = True
        screen.heading(f"Everything that was shown was checked, in {time.monotonic() - began:.0f} s")
    except (DemoFailed, ChildFailed) as failure:
        typer.echo(f"The demonstration failed: {failure}", err=True)
        raise typer.Exit(REFUSED) from None
    except CoterieError as error:
        complain(error)
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        _leave(screen, child, keep=keep and finished)


def _ending_now(shop: Shop, history: int) -> Shop:
    """The shop moved in time so that its history ends now; what follows is sent live."""
    ahead_ms = time.time_ns() // 1_000_000 - int(shop.events.time_ms[history - 1])
    events = replace(shop.events, time_ms=shop.events.time_ms + ahead_ms)
    return replace(shop, events=events)


def _leave(screen: Screen, child: Child, *, keep: bool) -> None:
    if not keep:
        child.abandon()
        shutil.rmtree(child.directory, ignore_errors=True)
        return
    screen.say(f"the server is still running on {child.target}, process {child.pid}; try")
    screen.say(f"  export COTERIE_TARGET={child.target}")
    screen.say("  coterie segment list")
    screen.say("  coterie watch")
    screen.say(f"stop it with: kill {child.pid}   (its data is in {child.directory})")


def demo_data(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .csv, .jsonl or .parquet file; the first two also .gz.")
    ],
    events: Events = 200_000,
    visitors: Visitors = 20_000,
    seed: Seed = 7,
    days: Days = 60,
    end: Annotated[str, typer.Option("--end", metavar="DATE", help="The day after the last; default: now.")] = "",
) -> None:
    """Write the simulated shop's events to a file, for trials of `coterie load`."""
    end_ms = round(instant_of(end, UTC, "--end").timestamp() * 1000) if end else time.time_ns() // 1_000_000
    shop = simulate(events, visitors, end_ms, days, seed)
    suffixes = [suffix for suffix in file.suffixes if suffix != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind not in {".csv", ".jsonl", ".parquet"} or (kind == ".parquet" and file.suffix == ".gz"):
        raise typer.BadParameter("the name must end in .csv, .jsonl (also .gz) or .parquet", param_hint="FILE")
    if kind == ".parquet":
        _write_parquet(file, tables(shop))
    else:
        opened = gzip.open(file, "wb", 5) if file.suffix == ".gz" else file.open("wb")  # noqa: SIM115 - closed below
        with cast(IO[bytes], opened) as out:
            write = _write_csv if kind == ".csv" else _write_lines
            write(out, tables(shop))
    typer.echo(f"{render.number(len(shop.events))} events written to {file}")


def _write_parquet(file: Path, parts: Iterable[pa.Table]) -> None:
    writer: pyarrow.parquet.ParquetWriter | None = None
    for part in parts:
        writer = writer or pyarrow.parquet.ParquetWriter(file, part.schema)
        writer.write_table(part)
    if writer:
        writer.close()


def _write_csv(out: IO[bytes], parts: Iterable[pa.Table]) -> None:
    for number, part in enumerate(parts):
        options = pyarrow.csv.WriteOptions(include_header=number == 0, quoting_style="needed")
        pyarrow.csv.write_csv(part, out, options)


def _write_lines(out: IO[bytes], parts: Iterable[pa.Table]) -> None:
    for part in parts:
        out.writelines(json_lines(part))
