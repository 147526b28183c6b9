# SPDX-License-Identifier: Apache-2.0
"""Running other programs, which end: in time, and at a size."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence

OUTPUT_BYTES = 256 * 1024
"""Of a program's output; one that says more is stopped."""

_CHUNK = 16 * 1024

_AFTER_KILL = 2.0
"""Seconds for which a killed program is waited for. The kernel keeps one that hangs in
a device's driver, whatever is done to it; nobody waits for that."""


class TooMuchOutput(Exception):
    """A program was stopped, as it said more than is kept of it."""


def run(
    command: Sequence[str],
    seconds: float,
    text: str = "",
    limit: int = OUTPUT_BYTES,
) -> tuple[int, str]:
    """Run a program with a standard input: its exit code and all its output.

    It ends with its own process: what it has started is killed then, and whoever holds
    its output open is not waited for. It runs in /, where nobody else puts code.

    :param seconds: after them, it and its children are killed.
    :param limit: bytes of output after which they are, too.
    :raises subprocess.TimeoutExpired: they were.
    :raises TooMuchOutput: they were.
    :raises OSError: it cannot be run.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={**os.environ, "LC_ALL": "C", "PYTHONWARNINGS": "ignore"},
        start_new_session=True,  # a group of its own, to be killed as one
    )
    try:
        output = _Talk(process, text.encode(), limit).until(time.monotonic() + seconds)
    finally:
        _end(process)
    if output is None:
        raise subprocess.TimeoutExpired(command, seconds)
    return process.returncode, output.decode(errors="replace")


class _Talk:
    """What is said to a program and what it says, without waiting for either alone."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", said: bytes, limit: int
    ) -> None:
        assert process.stdin
        assert process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout
        self._pid, self._rest, self._limit = process.pid, said, limit
        self._found = bytearray()
        for pipe in self._stdin, self._stdout:
            os.set_blocking(pipe.fileno(), False)

    def until(self, end: float) -> bytes | None:
        """All its output, once it has ended; None: it has not, by then."""
        ended = os.pidfd_open(self._pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(ended, selectors.EVENT_READ)
                selector.register(self._stdout, selectors.EVENT_READ)
                selector.register(self._stdin, selectors.EVENT_WRITE)
                while (left := end - time.monotonic()) > 0:
                    ready = {key.fileobj for key, _ in selector.select(left)}
                    if self._stdin in ready and self._write():
                        selector.unregister(self._stdin)
                        self._stdin.close()
                    if self._stdout in ready and self._read():
                        selector.unregister(self._stdout)
                    if ended in ready:
                        self._drain()
                        return bytes(self._found)
        finally:
            os.close(ended)
        return None

    def _write(self) -> bool:
        """Whether there is nothing more to say, or nobody who hears it."""
        try:
            self._rest = self._rest[os.write(self._stdin.fileno(), self._rest) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True
        return not self._rest

    def _read(self) -> bool:
        """Whether nothing more can come."""
        try:
            found = os.read(self._stdout.fileno(), _CHUNK)
        except BlockingIOError:
            return False
        self._found += found
        if len(self._found) > self._limit:
            raise TooMuchOutput(f"it said more than {self._limit // 1024} KiB")
        return not found

    def _drain(self) -> None:
        """What it said last, and not what those say who have inherited its output."""
        before = -1
        while len(self._found) > before:
            before = len(self._found)
            self._read()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of its group. Until it is waited for, its number is its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in process.stdin, process.stdout:
        if pipe is not None:
            pipe.close()
    # subprocess remembers one that does not end, and waits for it later.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_AFTER_KILL)
