# SPDX-License-Identifier: Apache-2.0
"""A real browser without a screen: Debian's chromium, told what to do through a pipe by
its DevTools protocol."""

import base64
import contextlib
import itertools
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.lib import packages
from tests.lib.errors import ProgramError

UNPACKED = Path(__file__).parents[2] / ".packages" / "chromium"

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

_SECONDS = 60.0

TELEPHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESK = {"width": 1100, "height": 900, "deviceScaleFactor": 1, "mobile": False}


class Browser:
    """One page."""

    def __init__(self, folder: Path) -> None:
        libraries = UNPACKED / "usr/lib/x86_64-linux-gnu"
        path = f"{libraries}:{libraries}/pulseaudio"
        program = packages.find(
            "chromium", "chromium", str(UNPACKED / "usr/lib/chromium")
        )
        ours_in, their_out = os.pipe()
        their_in, self._to = os.pipe()
        self._from = os.fdopen(ours_in, "rb", buffering=0)
        self._numbers, self._rest = itertools.count(1), b""
        more = {"LD_LIBRARY_PATH": path, "HOME": str(folder), "TZ": "UTC"}
        if (fonts := UNPACKED / "etc/fonts").exists():  # this machine has none
            more |= {"FONTCONFIG_PATH": str(fonts)}
            more |= {"XDG_DATA_HOME": str(UNPACKED / "usr/share")}
        env = {**os.environ, **more}
        # It reads commands from descriptor 3, and answers at 4.
        shell = f'exec "$@" 3<&{their_in} 4>&{their_out}'
        self._log = (folder / "chromium.log").open("wb")
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                shell,
                "_",
                program,
                *_FLAGS,
                f"--user-data-dir={folder}/user",
            ],
            pass_fds=(their_in, their_out),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=env,
            start_new_session=True,
        )
        os.close(their_in)
        os.close(their_out)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        self._do("Page.enable")

    def _ask(self, method: str, session: str = "", **params: Any) -> Any:
        number = next(self._numbers)
        said: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            said["sessionId"] = session
        os.write(self._to, json.dumps(said).encode() + b"\0")
        while True:
            answer = self._hear()
            if answer.get("id") == number:
                if "error" in answer:
                    raise ProgramError(f"{method}: {answer['error']}")
                return answer["result"]

    def _hear(self) -> Any:
        while b"\0" not in self._rest:
            found = self._from.read(1 << 16)
            if not found:
                words = Path(self._log.name).read_text(errors="replace")[-2000:]
                raise ProgramError(f"chromium has ended: {words}")
            self._rest += found
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def _do(self, method: str, **params: Any) -> Any:
        return self._ask(method, self._session, **params)

    def look(self, device: Mapping[str, Any], dark: bool = False) -> None:
        """From now on as on that device."""
        self._do("Emulation.setDeviceMetricsOverride", **device)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._do("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        self._do("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self._do("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in found:
            raise ProgramError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = _SECONDS) -> Any:
        """The same, as soon as it is something."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(ProgramError):
                if found := self.run(script):
                    return found
            if time.monotonic() > end:
                text = self.run("document.body && document.body.innerText")
                raise ProgramError(f"{script}: not within {seconds} s: {text}")
            time.sleep(0.1)

    @property
    def text(self) -> str:
        """What is to be read."""
        return str(self.run("document.body.innerText"))

    def picture(self, path: Path, height: int) -> None:
        """The page from its top. :param height: pixels of CSS, at most."""
        size = self._do("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "scale": 1}
        clip |= {"width": size["width"], "height": min(height, size["height"])}
        found = self._do(
            "Page.captureScreenshot", captureBeyondViewport=True, clip=clip
        )
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        with contextlib.suppress(ProgramError, OSError):
            self._ask("Browser.close")
            self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        self._from.close()
        self._log.close()


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """One that is gone afterwards, with all that it has written."""
    with tempfile.TemporaryDirectory(
        prefix="chromium-", ignore_cleanup_errors=True
    ) as folder:
        found = Browser(Path(folder))
        try:
            yield found
        finally:
            found.close()
