"""A server in a process of its own, and what the benchmarks add to it: a call that does nothing.

Run as a program it is `coterie serve` with four calls besides: `Nothing` takes a request and answers with bytes prepared
before, `Prepare` prepares them, `Cpu` and `Memory` tell what the process has used. Invariant: they are added through
grpc's own interface and asked first, so that the call that does nothing is never slower for where it stands.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Self

import grpc

from coterie.server import app
from coterie.server.config import ServerSettings

NOTHING, PREPARE = "/bench.Bench/Nothing", "/bench.Bench/Prepare"
CPU, MEMORY = "/bench.Bench/Cpu", "/bench.Bench/Memory"
ROOT = Path(__file__).resolve().parent.parent
_START_TIMEOUT_S = 600.0
_STOP_TIMEOUT_S = 300.0


class BenchCalls(grpc.GenericRpcHandler):
    """The calls of the benchmarks' own."""

    def __init__(self) -> None:
        self._answer = b""
        behaviors = {NOTHING: self._nothing, PREPARE: self._prepare, CPU: self._cpu, MEMORY: self._memory}
        self._handlers: dict[str, Any] = {
            name: grpc.unary_unary_rpc_method_handler(behavior) for name, behavior in behaviors.items()
        }

    def service(self, handler_call_details: Any) -> Any:
        """Returns the handler of a call, None for all that are not of the benchmarks."""
        return self._handlers.get(handler_call_details.method)

    async def _nothing(self, _request: bytes, _context: Any) -> bytes:
        return self._answer

    async def _prepare(self, request: bytes, _context: Any) -> bytes:
        self._answer = request
        return b""

    async def _cpu(self, _request: bytes, _context: Any) -> bytes:
        return repr(time.process_time()).encode()

    async def _memory(self, _request: bytes, _context: Any) -> bytes:
        return str(peak_bytes()).encode()


def peak_bytes() -> int:
    """Returns the most memory this process has had resident."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    except (
        OSError,
        StopIteration,
    ):  # elsewhere than on Linux; there it would count what ran before in the same process
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(data: str, listen: str) -> None:
    """Serves a data directory until SIGTERM."""
    make_server = grpc.aio.server

    def make_with_ours(*arguments: Any, **options: Any) -> Any:
        server = make_server(*arguments, **options)
        server.add_generic_rpc_handlers((BenchCalls(),))
        return server

    grpc.aio.server = make_with_ours
    app.run(ServerSettings(listen=listen, data=data, accept_clock=True))


class Server:
    """A server process on a data directory; a context manager."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.target = ""
        self.ready_seconds = 0.0  # from starting the program to its answering a connection
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.target = f"127.0.0.1:{free_port()}"
        self.data.mkdir(parents=True, exist_ok=True)
        self._log = (self.data / "server.log").open("ab")
        begin = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.serving", str(self.data), self.target],
            env=environment(),
            stdout=self._log,
            stderr=self._log,
        )
        self._wait_until_ready()
        self.ready_seconds = time.perf_counter() - begin
        return self

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        host, _, port = self.target.rpartition(":")
        end = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection((host, int(port)), 1.0).close()
            except OSError:
                time.sleep(0.005)
            else:
                return
        self.kill()
        raise RuntimeError("the server did not start:\n" + (self.data / "server.log").read_text()[-4000:])

    def stop(self) -> None:
        """Stops it cleanly: it takes a last snapshot."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_STOP_TIMEOUT_S)
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()


def environment() -> dict[str, str]:
    """Returns the environment of a program of this project."""
    roots = [str(ROOT), *(str(ROOT / root) for root in ("index", "server", "clients/python"))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}


def free_port() -> int:
    """Returns a port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
