"""The peers: Redis, ClickHouse and DuckDB, each started by the benchmark, warmed, and asked over a lasting connection.

Owns their processes and connections; every peer is a context manager. Invariant: a peer that is not installed is
skipped by name, never replaced by a number from elsewhere.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bench.serving import free_port

Ids = NDArray[np.uint32]


def missing(*modules: str, programs: Sequence[str] = ()) -> str:
    """Returns what is not installed of a peer's needs, empty where all is there."""
    absent = [program for program in programs if shutil.which(program) is None]
    absent += [module for module in modules if importlib.util.find_spec(module) is None]
    return ", ".join(absent)


def packed_bits(ids: Ids, universe: int) -> bytes:
    """Returns a set of ids as Redis stores bits: id 0 is the highest bit of the first byte."""
    bits = np.zeros(universe, np.bool_)
    bits[ids] = True
    return np.packbits(bits).tobytes()


class Redis:
    """A redis-server of our own on loopback, without persistence, as a cache would run it."""

    NEEDS = missing("redis", programs=("redis-server", "redis-benchmark"))

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        options = f"--port {self.port} --bind 127.0.0.1 --save --appendonly no --dir {self._directory}".split()
        options[options.index("--save") + 1 : options.index("--save") + 1] = [""]
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        self.client: Any = import_module("redis").Redis(port=self.port)
        for _ in range(200):
            with suppress(Exception):
                self.client.ping()
                break
            time.sleep(0.05)
        self.version = str(self.client.info("server")["redis_version"])
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait()

    def store(self, key: str, ids: Ids, universe: int) -> None:
        """Stores a set of ids as a bitmap."""
        self.client.set(key, packed_bits(ids, universe))

    def own_benchmark(self, command: Sequence[str], requests: int, pipeline: int) -> float:
        """Returns the requests a second that Redis's own benchmark, a C program, gets for a command."""
        options = f"-p {self.port} -n {requests} -P {pipeline} -c 4 --csv".split()
        done = subprocess.run(
            ["redis-benchmark", *options, *command], check=True, capture_output=True, text=True, timeout=300
        )
        last = done.stdout.strip().splitlines()[-1]
        return float(re.findall(r'"([\d.]+)"', last)[0])


class ClickHouse:
    """ClickHouse embedded in this process, with one row of groupBitmap state for each set."""

    NEEDS = missing("chdb")

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __enter__(self) -> Self:
        self._session = import_module("chdb.session").Session()
        self.version = self._ask("SELECT version()").strip('"')
        self._session.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def _ask(self, query: str) -> str:
        return str(self._session.query(query, "CSV")).strip()

    def store(self, name: str, ids: Ids, universe: int) -> None:
        """Stores a set of ids as a bitmap in memory."""
        del universe
        path = self._directory / f"{name}.u32"
        path.write_bytes(ids.astype("<u4").tobytes())
        self._session.query(
            f"CREATE TABLE bench.{name} ENGINE = Memory AS SELECT groupBitmapState(id) AS bits "
            f"FROM file('{path}', 'RowBinary', 'id UInt32')"
        )
        path.unlink()

    def count(self, query: str) -> int:
        """Returns the number a query answers with."""
        return int(self._ask(query))


class DuckDB:
    """DuckDB in this process, in memory, with one table of ids for each set; it may use every core."""

    NEEDS = missing("duckdb")

    def __enter__(self) -> Self:
        duckdb = import_module("duckdb")
        self.version = str(duckdb.__version__)
        self._connection: Any = duckdb.connect(":memory:")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def store(self, name: str, ids: Ids, universe: int) -> None:
        """Stores a set of ids as a sorted table."""
        del universe
        self._connection.register("given", {"id": ids})
        self._connection.execute(f"CREATE TABLE {name} AS SELECT id FROM given ORDER BY id")
        self._connection.unregister("given")

    def count(self, query: str) -> int:
        """Returns the number a query answers with."""
        return int(self._connection.execute(query).fetchone()[0])
