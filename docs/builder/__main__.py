"""Build the site: ``python -m docs.builder`` writes ``build/site``, to be opened from disk or put on a server.

Needs the extra ``site`` (Sphinx, its theme and its reader of Markdown) besides ``all``. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import imagemill as im
from docs.builder import llms, tree
from docs.builder.check import checked
from docs.builder.gallery import Gallery, gallery, photos

CONF = Path(__file__).parent / "conf.py"
STYLE = Path(__file__).parent / "site.css"


def main(arguments: list[str] | None = None) -> int:
    """Build, check every link, and say what there is."""
    parser = argparse.ArgumentParser(prog="python -m docs.builder", description="Build the documentation site.")
    parser.add_argument("-o", "--out", type=Path, default=tree.ROOT / "build" / "site")
    out = parser.parse_args(arguments).out
    begun = time.monotonic()
    drawn = _drawn()
    source = out.with_name(f"{out.name}-source")
    write(source, drawn)
    if _sphinx(source, out):
        return 1
    for name, text in llms.files(source).items():
        (out / name).write_text(text, "utf-8")
    found = checked(out)
    for line in found.broken:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(
        f"{out / 'index.html'}: {found.pages} pages, {found.links:,} links within the site checked, "
        f"{len(found.broken)} broken, {len(drawn.files)} pictures drawn, {time.monotonic() - begun:.0f} s\n"
    )
    return 1 if found.broken else 0


def write(source: Path, drawn: Gallery) -> None:
    """Put together what Sphinx reads, in a folder that is made anew."""
    shutil.rmtree(source, ignore_errors=True)
    pictures = {f"_static/gallery/{name}": data for name, data in drawn.files.items()}
    texts = {name: text.encode() for name, text in tree.pages(drawn).items()}
    fixed = {"conf.py": CONF.read_bytes(), "_static/site.css": STYLE.read_bytes()}
    for name, data in {**texts, **tree.attachments(), **pictures, **fixed}.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    explorer(source / "_extra" / "explorer.html")


def explorer(path: Path) -> None:
    """The page on which transforms are tried in the browser, begun with the photo of the gallery."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cat = photos()[0]
    tried = [im.Flip("x", p=0.5), im.Rotate((-15, 15)), im.Zoom((0.9, 1.2)), im.ColorJitter((0.8, 1.2), (0.8, 1.2))]
    im.explore(cat["image"], im.Pipeline(tried, seed=7), to=path, boxes=cat["boxes"], key="cat")


def _drawn() -> Gallery:
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")  # of transforms that are shown at their strongest
        return gallery()


def _sphinx(source: Path, out: Path) -> int:
    """Run Sphinx as a process of its own: it imports what it documents anew, in parallel."""
    shutil.rmtree(out, ignore_errors=True)
    doctrees = source.with_name(f"{source.name}-read")
    shutil.rmtree(doctrees, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", str(min(os.cpu_count() or 1, 4))]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree.ROOT / "src"), str(tree.ROOT)])}
    return subprocess.run(
        [*command, "-b", "html", "-d", str(doctrees), str(source), str(out)], env=variables
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
