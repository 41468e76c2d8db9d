"""Pictures and words on one sheet, placed to the pixel.

OpenCV writes the letters, in a face it brings along; pictures are pasted unscaled, so what was drawn on them stays
crisp. Texts are measured before they are placed: none is cut or overlaps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from imagemill.app.figures.draw_annotations import FACE, Colour, Rgb

INK, QUIET = (26, 26, 26), (90, 90, 90)
_LINE = 1.35  # height of a line of text over its letters' size


@dataclass(frozen=True, slots=True)
class Text:
    """Words with a size in pixels."""

    words: str
    pixels: int = 12
    colour: Colour = INK
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
        self._face = cv2.FontFace(FACE)

    def measure(self, text: Text) -> int:
        """Width of a text on one line, pixels."""
        return int(cv2.getTextSize((0, 0), text.words, (0, 0), self._face, text.pixels, _weight(text))[2])

    def wrap(self, text: Text, width: int) -> list[Text]:
        """Break a text into lines of up to ``width`` pixels: at spaces, long words behind / _ - or else anywhere."""
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
        for part in re.findall(r"[^/_-]*[/_-]|[^/_-]+", word):
            for unit in [part] if self._fits(text, part, width) else part:
                if pieces[-1] and not self._fits(text, pieces[-1] + unit, width):
                    pieces.append("")
                pieces[-1] += unit
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
        sheet = np.full((height, self.width, 3), 255, np.uint8)
        for placed in self._placed:
            if isinstance(placed.what, np.ndarray):
                rows, columns = placed.what.shape[:2]
                sheet[placed.top : placed.top + rows, placed.left : placed.left + columns] = placed.what
            elif isinstance(placed.what, tuple):
                sheet[placed.top : placed.top + 11, placed.left : placed.left + 11] = placed.what
            else:
                # The baseline is given, not the top: letters without ascenders would otherwise sit higher.
                text, at = placed.what, (placed.left, placed.top + round(1.1 * placed.what.pixels))
                cv2.putText(sheet, text.words, at, text.colour, self._face, text.pixels, _weight(text))
        return sheet


def _weight(text: Text) -> int:
    return 700 if text.bold else 400
