"""Pictures and words on one sheet, placed to the pixel.

matplotlib writes the letters (its Agg canvas, no window, no global state); pictures are pasted unscaled, so
what was drawn on them stays crisp. Texts are measured before they are placed: none is cut or overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.app.figures.draw_annotations import Colour, Rgb
from imagemill.core import require

INK, QUIET = "#1a1a1a", "#5a5a5a"
_DPI = 100
_LINE = 1.35  # height of a line of text over its letters' size


@dataclass(frozen=True, slots=True)
class Text:
    """Words with a size in pixels."""

    words: str
    pixels: int = 12
    colour: str = INK
    bold: bool = False

    @property
    def line(self) -> int:
        """Height of one line, pixels."""
        return round(self.pixels * _LINE)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Something at a place: its left and top edge in pixels from the sheet's upper left corner."""

    left: int
    top: int
    what: Rgb | Text | Colour


class Sheet:
    """A white sheet; things are put on it, and then it is drawn once at the size that holds them.

    Parameters
    ----------
    width : int
        Of the whole sheet, pixels.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._placed: list[Placed] = []
        self._font = require("matplotlib.font_manager", extra="report").FontProperties
        agg = require("matplotlib.backends.backend_agg", extra="report")
        self._canvas_of = agg.FigureCanvasAgg
        self._figure_of = require("matplotlib.figure", extra="report").Figure
        self._renderer = agg.RendererAgg(8, 8, _DPI)

    def _face(self, text: Text) -> Any:
        weight = "bold" if text.bold else "normal"
        return self._font(family="DejaVu Sans", size=text.pixels * 72 / _DPI, weight=weight)

    def measure(self, text: Text) -> int:
        """Width of a text on one line, pixels."""
        return int(np.ceil(self._renderer.get_text_width_height_descent(text.words, self._face(text), ismath=False)[0]))

    def wrap(self, text: Text, width: int) -> list[Text]:
        """Break a text into lines no wider than ``width`` pixels: at spaces, and inside words too long for a line."""
        lines: list[str] = []
        for paragraph in text.words.split("\n"):
            line = ""
            for word in paragraph.split(" "):
                joined = f"{line} {word}" if line else word
                if self._fits(text, joined, width):
                    line = joined
                    continue
                if line:
                    lines.append(line)
                *full, line = self._pieces(text, word, width)
                lines.extend(full)
            lines.append(line)
        return [Text(line, text.pixels, text.colour, text.bold) for line in lines]

    def _fits(self, text: Text, words: str, width: int) -> bool:
        return self.measure(Text(words, text.pixels, bold=text.bold)) <= width

    def _pieces(self, text: Text, word: str, width: int) -> list[str]:
        pieces = [""]
        for letter in word:
            if pieces[-1] and not self._fits(text, pieces[-1] + letter, width):
                pieces.append("")
            pieces[-1] += letter
        return pieces

    def picture(self, rgb: Rgb, left: int, top: int) -> None:
        """Put a picture, one of its pixels on one of the sheet's."""
        self._placed.append(Placed(left, top, rgb))

    def text(self, text: Text, left: int, top: int, width: int | None = None) -> int:
        """Put a text, wrapped to ``width``; returns the first free row below it."""
        for line in self.wrap(text, self.width - left if width is None else width):
            self._placed.append(Placed(left, top, line))
            top += line.line
        return top

    def swatches(self, named: Sequence[tuple[str, Colour]], left: int, top: int, width: int) -> int:
        """Put a legend, a coloured square before each name, in as many lines as it takes."""
        text, side, x = Text("", 12), 11, left
        for name, colour in named:
            entry = self.wrap(Text(name, text.pixels), width - side - 6)[0]
            needed = side + 6 + self.measure(entry) + 16
            if x > left and x + needed - 16 > left + width:
                x, top = left, top + text.line + 4
            self._placed.append(Placed(x, top + 4, colour))
            self._placed.append(Placed(x + side + 6, top, entry))
            x += needed
        return top + text.line + 4 if named else top

    def draw(self, height: int) -> Rgb:
        """The sheet as a picture of ``height`` rows."""
        figure = self._figure_of(figsize=(self.width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
        canvas = self._canvas_of(figure)
        for placed in self._placed:
            if isinstance(placed.what, Text):
                self._write(figure, placed.what, placed.left, height - placed.top)
        canvas.draw()
        sheet = np.array(canvas.buffer_rgba())[..., :3]
        for placed in self._placed:
            if isinstance(placed.what, np.ndarray):
                rows, columns = placed.what.shape[:2]
                sheet[placed.top : placed.top + rows, placed.left : placed.left + columns] = placed.what
            elif isinstance(placed.what, tuple):
                sheet[placed.top : placed.top + 11, placed.left : placed.left + 11] = placed.what
        return sheet

    def _write(self, figure: Any, text: Text, left: int, below: int) -> None:
        # The baseline is given, not the top: letters without ascenders would otherwise sit higher.
        figure.text(
            left / self.width,
            (below - round(1.1 * text.pixels)) / figure.bbox.height,
            text.words,
            font=self._face(text),
            color=text.colour,
            va="baseline",
            parse_math=False,
        )
