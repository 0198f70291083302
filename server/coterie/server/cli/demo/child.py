"""The demonstration's own server, as a child process that can be killed and started again.

Owns the process and its log. Invariant: only this child is ever signalled, and none is left behind.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from coterie.client import Client, CoterieError

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


class ChildFailed(RuntimeError):
    """The server did not start or stop as it should; the message has the end of its log."""


class Child:
    """A server on a directory of its own."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.directory = directory
        self.target = f"127.0.0.1:{port or _free_port()}"
        self._log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "the server has been started"
        return self._process.pid

    def start(self) -> float:
        """Starts the server and waits until it answers; returns the seconds that took."""
        began = time.monotonic()
        command = [sys.executable, "-m", "coterie.server", "serve"]
        arguments = ["--data", str(self.directory / "data"), "--listen", self.target]
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the demonstration, which then stops the server.
            self._process = subprocess.Popen(  # noqa: S603 - this very program, with arguments of ours
                [*command, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        with Client(self.target, timeout=1.0) as client:
            while not self._answers(client):
                if self._process.poll() is not None:
                    raise ChildFailed(f"the server ended with status {self._process.returncode}{self._log_end()}")
                if time.monotonic() - began > _START_SECONDS:
                    raise ChildFailed(f"the server did not answer within {_START_SECONDS:.0f} s{self._log_end()}")
                time.sleep(_POLL_SECONDS)
        return time.monotonic() - began

    @staticmethod
    def _answers(client: Client) -> bool:
        try:
            client.status()
        except CoterieError:
            return False
        return True

    def kill(self) -> None:
        """Kills the server as a power cut would (SIGKILL)."""
        assert self._process is not None, "the server has been started"
        self._process.kill()
        self._process.wait()

    def stop(self) -> float:
        """Asks the server to finish (SIGTERM) and waits; returns the seconds that took."""
        assert self._process is not None, "the server has been started"
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"the server did not stop within {_STOP_SECONDS:.0f} s{self._log_end()}") from None
        if status != 0:
            raise ChildFailed(f"the server stopped with status {status}{self._log_end()}")
        return time.monotonic() - began

    def abandon(self) -> None:
        """Makes sure that no process is left behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _log_end(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-15:] if self._log.exists() else []
        return "".join(f"\n  {line}" for line in lines)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
