"""One page that holds everything: words, tables and pictures in a single file that needs no network."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import cv2

from imagemill import __version__
from imagemill.app.figures.draw_annotations import Rgb
from imagemill.core import require


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A picture with its caption, which is also what a screen reader says."""

    rgb: Rgb
    caption: str

    @property
    def width(self) -> int:
        """Columns, pixels."""
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        """Rows, pixels."""
        return int(self.rgb.shape[0])

    @property
    def uri(self) -> str:
        """The picture itself as a ``data:`` address, PNG."""
        _, data = cv2.imencode(".png", self.rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of a table; ``good`` colours it when it is a check that passed or failed."""

    name: str
    value: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed pitch, shown as it is."""

    text: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page.

    Parameters
    ----------
    title : str
    text : sequence of str
        Paragraphs.
    facts : sequence of Fact
    figures : sequence of Figure
    codes : sequence of Code
    """

    title: str
    text: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    figures: Sequence[Figure] = ()
    codes: Sequence[Code] = ()


def page(title: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """Make a self-contained HTML page, for light and dark screens; all text is escaped.

    Parameters
    ----------
    title : str
    lead : sequence of str
        Paragraphs below the title.
    sections : sequence of Section

    Returns
    -------
    str

    Raises
    ------
    MissingExtra
        Without jinja2.

    Examples
    --------
    >>> "<h2>a &lt;b&gt;</h2>" in page("t", [], [Section("a <b>")])
    True
    """
    jinja = require("jinja2", extra="report")
    template = files("imagemill.app.figures").joinpath("page.html.j2").read_text("utf-8")
    environment = jinja.Environment(autoescape=True, trim_blocks=False, undefined=jinja.StrictUndefined)
    text: str = environment.from_string(template).render(
        title=title, lead=lead, sections=sections, footer=f"made by imagemill {__version__}"
    )
    return text
