"""A real browser without a window, told what to do through two pipes (the Chrome DevTools Protocol)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.parts import browser_programs

_PROGRAM = "usr/lib/chromium/chromium-headless-shell"
_FONTS = """\
<?xml version="1.0"?>
<fontconfig><dir>/usr/share/fonts</dir><dir>{parts}/usr/share/fonts</dir><cachedir>{home}/fonts</cachedir></fontconfig>
"""
# It reads from 3 and writes to 4; its libraries are not those of the interpreter that starts it.
_BECOME = """
import os, sys
hears, says, libraries, program = sys.argv[1:5]
os.dup2(int(hears), 3)
os.dup2(int(says), 4)
os.execve(program, sys.argv[4:], {**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{libraries}/pulseaudio"})
"""
SECONDS = 60.0


class Browser:
    """One page. `events` are all that the browser has told of it since `open`."""

    def __init__(self, told: int, tells: int) -> None:
        self._told = told
        self._tells = tells
        self._left = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command with its answer."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._told, json.dumps(command).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message
                answer: dict[str, Any] = message["result"]
                return answer
            self.events.append(message)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            assert select.select([self._tells], [], [], SECONDS)[0], "the browser says nothing"
            octets = os.read(self._tells, 1 << 16)
            assert octets, "the browser has ended"
            self._left += octets
        message, _, self._left = self._left.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def open(self, page: Path) -> None:
        """Load a file, and wait until it is there with all that belongs to it."""
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not self.named("Page.loadEventFired"):
            self.events.append(self._next())

    def named(self, *methods: str) -> list[dict[str, Any]]:
        """What was told under these names."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def size(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme: str) -> None:
        """Light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own. Raises parts.Missing where there is none to be had."""
    parts = browser_programs() or Path("/")
    program = next(path for path in (parts / _PROGRAM, Path("/", _PROGRAM)) if path.exists())
    libraries = parts / "usr/lib" / f"{os.uname().machine}-linux-gnu"
    with tempfile.TemporaryDirectory(prefix="browser.", ignore_cleanup_errors=True) as home:
        Path(home, "fonts.conf").write_text(_FONTS.format(parts=parts, home=home))
        hears, tell = os.pipe()
        listen, says = os.pipe()
        # Above those that it shall get.
        theirs = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 20) for each in (hears, says)]
        with Path(home, "errors").open("wb") as errors:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-c", _BECOME, *map(str, theirs), str(libraries), str(program)),
                    *("--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                    *(f"--user-data-dir={home}/profile", "--no-first-run", "--disable-background-networking"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                pass_fds=theirs,
                env={
                    "HOME": home,
                    "PATH": os.environ["PATH"],
                    "FONTCONFIG_FILE": f"{home}/fonts.conf",
                },
            )
        for each in (hears, says, *theirs):
            os.close(each)
        try:
            yield Browser(tell, listen)
        finally:
            os.close(tell)
            os.close(listen)
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """It ends when nobody is at the pipe any more; its helpers end with it."""
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
