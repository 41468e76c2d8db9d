"""The system's Chromium, without a window, for tests of pages; tests are skipped where there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="needs a Chromium on the PATH: apt-get install chromium, for example"
)

_RESULT = "result-of-the-test"


def run_in_page(page: str, script: str, folder: Path, *, size: tuple[int, int] = (1200, 900)) -> Any:
    """What an async function body returns in a page, as plain values.

    Parameters
    ----------
    page : str
        HTML. Its rule of which scripts may run is put aside, so that the test's own may.
    script : str
        Ends in ``return ...``.
    folder : Path
        An empty one.
    """
    assert CHROMIUM is not None
    start, end = page.index('<meta http-equiv="Content-Security-Policy"'), page.index("<title>")
    body = f"(async () => {{ {script} }})()"
    said = f'document.body.innerHTML = ""; document.body.append(out);'
    runner = (
        f'<script>addEventListener("load", () => {body}.then((value) => ({{ value }}), '
        f"(error) => ({{ error: String(error.stack) }})).then((found) => {{"
        f'const out = document.createElement("pre"); out.id = "{_RESULT}"; out.textContent = JSON.stringify(found);'
        f"{said} }}));</script>"
    )
    path = folder / "page.html"
    path.write_text(page[:start] + page[end:].replace("</body>", runner + "</body>"), encoding="utf-8")
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}",
        f"--window-size={size[0]},{size[1]}", "--timeout=60000", "--virtual-time-budget=60000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    _, mark, rest = found.stdout.partition(f'<pre id="{_RESULT}">')
    assert mark, found.stderr[-2000:]
    result = json.loads(_unescaped(rest.partition("</pre>")[0]))
    assert "error" not in result, result["error"]
    return result["value"]


def _unescaped(text: str) -> str:
    import html

    return html.unescape(text)
