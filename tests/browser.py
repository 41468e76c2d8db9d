"""The system's Chromium, without a window, for tests of pages; tests are skipped where there is none.

It is spoken to through a pair of pipes (the DevTools protocol), so that nothing has to be installed beside it.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_PATIENCE = 300
"""Seconds; far more than an answer takes, also on a busy machine."""

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or os.name != "posix", reason="needs a Chromium on the PATH: apt-get install chromium, for example"
)


class Page:
    """One page in one browser."""

    def __init__(self, into: int, out: int) -> None:
        self._into = os.fdopen(into, "wb")
        self._out = os.fdopen(out, "rb")
        self._number = 0
        self._session: str | None = None
        self._rest = b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method: str, **params: Any) -> Any:
        """Ask the browser for something of its protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._into.write(json.dumps(message).encode() + b"\0")
        self._into.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _read(self) -> Any:
        while b"\0" not in self._rest:
            # A browser that stands still must end a test, not the run of all.
            ready, _, _ = select.select([self._out], [], [], _PATIENCE)
            assert ready, f"the browser said nothing for {_PATIENCE} s"
            part = os.read(self._out.fileno(), 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def run(self, script: str) -> Any:
        """What an async function body returns in the page, as plain values."""
        asked = {"expression": f"(async () => {{ {script} }})()", "awaitPromise": True, "returnByValue": True}
        found = self.call("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in found, found["exceptionDetails"]["exception"].get("description")
        return found["result"].get("value")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key and let it go."""
        text = {"Enter": "\r", " ": " "}.get(key)
        down = {"text": text} if text else {}
        for kind, more in (("keyDown", down), ("keyUp", {})):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, modifiers=8 if shift else 0, **more)


@contextmanager
def page_of(html: str, folder: Path, *, size: tuple[int, int] = (1200, 900), dark: bool = False) -> Iterator[Page]:
    """A page, as it is, in a browser of its own, with its scripts begun.

    Parameters
    ----------
    html : str
    folder : Path
        Where it is written.
    size : (int, int)
        Width and height of the window.
    """
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, _browser(profile) as page:
        page.call(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call("Page.navigate", url=path.as_uri())
        page.run(
            "for (let i = 0; i < 600 && document.readyState !== 'complete'; i++)"
            " await new Promise((done) => setTimeout(done, 50));"
        )
        yield page


@contextmanager
def _browser(profile: str) -> Iterator[Page]:
    assert CHROMIUM is not None
    into, out, read, write = _pipes()
    words = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader", "--hide-scrollbars", f"--user-data-dir={profile}", "--remote-debugging-pipe",
    ]  # fmt: skip
    # The browser reads from its file 3 and writes to its file 4. Neither pipe may have these numbers to begin with.
    nothing = [(os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_RDWR, 0) for one in (0, 1, 2)]
    moved = [(os.POSIX_SPAWN_DUP2, read, 3), (os.POSIX_SPAWN_DUP2, write, 4)]
    process = os.posix_spawn(CHROMIUM, words, os.environ, file_actions=[*nothing, *moved], setpgroup=0)
    os.close(read)
    os.close(write)
    page = None
    try:
        page = Page(into, out)
        yield page
    finally:
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        if page is not None:
            page._into.close()
            page._out.close()


def _pipes() -> tuple[int, int, int, int]:
    """Two pipes: the ends kept here (to write, to read), and those of the browser, numbered above 4."""
    import fcntl  # here, since not every system has it

    (read, into), (out, write) = os.pipe(), os.pipe()
    ends = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (read, write)]
    os.close(read)
    os.close(write)
    return into, out, ends[0], ends[1]
