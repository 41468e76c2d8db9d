"""Draw the rooms of the package from its code: ``python docs/draw_rooms.py`` writes ``docs/design/rooms.svg``.

Rows are the layers of pyproject.toml, boxes the rooms with the first sentence of their docstring and the names of what
is in them, arrows the imports between rooms. An import that a longer way already implies is left out, so that the
picture shows what rests on what. Needs grimp, which comes with import-linter.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "imagemill"
PICTURE = ROOT / "docs" / "design" / "rooms.svg"

WIDTH, MARGIN, GAP, ROW_GAP, LINE = 1000, 20, 28, 44, 17
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .name { font-weight: 600; font-size: 15px }
  .inside { font-size: 12px; fill: #59636e }
  .room { fill: #f6f8fa; stroke: #8c959f }
  .arrow { fill: none; stroke: #57606a; stroke-width: 1.3 }
  .head { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .inside { fill: #9198a1 } .room { fill: #161b22; stroke: #484f58 }
    .arrow { stroke: #9198a1 } .head { fill: #9198a1 }
  }
"""


@dataclass(slots=True)
class Box:
    """A room on the sheet: its words, wrapped, and where it stands."""

    name: str
    said: list[str]
    inside: list[str]
    x: float
    y: float
    width: float
    height: float


def layers() -> list[list[str]]:
    """Rooms that are there, highest layer first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    lines = next(c["layers"] for c in contracts if c["id"] == "rooms")
    found = [[name for name in re.findall(r"\w+", line) if (PACKAGE / name).is_dir()] for line in lines]
    return [row for row in found if row]


def sentence(folder: Path) -> str:
    """The first sentence of a room's docstring, without marks of reStructuredText."""
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    return re.sub(r"``?|:mod:", "", said.partition("\n")[0])


def rests_on(rooms: list[str]) -> dict[str, set[str]]:
    """For each room those that it imports, less those that one of these imports in turn."""
    graph = grimp.build_graph("imagemill", cache_dir=None, exclude_type_checking_imports=True)
    direct: dict[str, set[str]] = {}
    for room in rooms:
        mine = [m for m in graph.modules if m == f"imagemill.{room}" or m.startswith(f"imagemill.{room}.")]
        names = {n.split(".")[1] for m in mine for n in graph.find_modules_directly_imported_by(m) if "." in n}
        direct[room] = (names & set(rooms)) - {room}

    def below(room: str) -> set[str]:
        return direct[room].union(*(below(other) for other in direct[room]))

    return {room: {o for o in seen if not any(o in below(p) for p in seen - {o})} for room, seen in direct.items()}


def boxes(rows: list[list[str]]) -> dict[str, Box]:
    """Every room at its place."""
    placed: dict[str, Box] = {}
    y = float(MARGIN)
    for row in rows:
        width = (WIDTH - 2 * MARGIN - GAP * (len(row) - 1)) / len(row)
        letters = int((width - 24) / 6.6)
        made = []
        for number, room in enumerate(row):
            folders = sorted(p.parent.name for p in (PACKAGE / room).glob("*/__init__.py"))
            said = textwrap.wrap(sentence(PACKAGE / room), letters)
            inside = textwrap.wrap(", ".join(folders), int(letters * 1.08))
            height = 22 + LINE * (1 + len(said) + len(inside))
            made.append(Box(room, said, inside, MARGIN + number * (width + GAP), y, width, height))
        for box in made:
            box.height = max(b.height for b in made)
            placed[box.name] = box
        y += made[0].height + ROW_GAP
    return placed


def drawn(box: Box) -> str:
    """One box with its words."""
    x, y = box.x + 12, box.y + 22
    lines = [("name", box.name), *(("said", s) for s in box.said), *(("inside", s) for s in box.inside)]
    words = "".join(
        f'<text class="{k}" x="{x:.0f}" y="{y + i * LINE:.0f}">{escape(s)}</text>\n' for i, (k, s) in enumerate(lines)
    )
    place = f'x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}"'
    return f'<rect class="room" rx="6" {place}/>\n{words}'


def arrows(placed: dict[str, Box], edges: dict[str, set[str]]) -> str:
    """An arrow for each import, from the lower edge of one box to the upper edge of another."""
    out = [(a, b) for a in placed for b in sorted(edges[a], key=lambda n: (placed[n].x, n))]
    leaving = {a: [pair for pair in out if pair[0] == a] for a in placed}
    coming = {b: sorted((p for p in out if p[1] == b), key=lambda p: (placed[p[0]].x, p[0])) for b in placed}
    lines = []
    for a, b in out:
        start, end = placed[a], placed[b]
        x1 = start.x + start.width * (leaving[a].index((a, b)) + 1) / (len(leaving[a]) + 1)
        x2 = end.x + end.width * (coming[b].index((a, b)) + 1) / (len(coming[b]) + 1)
        y1, y2 = start.y + start.height, end.y - 7
        bend = min(40.0, (y2 - y1) / 2)
        curve = f"M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"
        lines.append(f'<path class="arrow" d="{curve}"/>\n<path class="head" d="M{x2 - 4:.0f} {y2:.0f}h8l-4 7z"/>')
    return "\n".join(lines) + "\n"


def picture() -> str:
    """The whole picture as SVG."""
    rows = layers()
    placed = boxes(rows)
    last = placed[rows[-1][0]]
    height = last.y + last.height + MARGIN
    edges = rests_on([room for row in rows for room in row])
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    title = "<title>The rooms of imagemill: each rests on those its arrows lead to</title>"
    body = arrows(placed, edges) + "".join(drawn(box) for box in placed.values())
    return f"{head}\n{title}\n<style>{STYLE}</style>\n{body}</svg>\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
    sys.stdout.write(f"{PICTURE}\n")
