"""A figure as an array that can be looked at: notebooks show it, and scripts open it in a viewer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from imagemill import Picture, write_picture
from imagemill.app.figures.draw_annotations import Rgb
from imagemill.core import has_screen, notebook_display

__all__ = ["Drawing", "drawing"]


class Drawing(np.ndarray[Any, np.dtype[np.uint8]]):
    """A figure, ``(H, W, 3)`` uint8: an array like any other that knows how to be seen.

    Examples
    --------
    >>> figure = drawing(np.zeros((20, 30, 3), np.uint8))
    >>> figure, figure.shape
    (Drawing of 30 x 20 pixels: show() or save(path), (20, 30, 3))
    """

    def save(self, path: str | Path) -> None:
        """Write it; the suffix says the format."""
        write_picture(path, Picture(np.asarray(self), "yxc"))

    def show(self) -> None:
        """Show it below the cell of a notebook, else in the system's viewer; where there is none, say where it is."""
        notebook = notebook_display()
        if notebook is not None:
            notebook(self)
            return
        if not (self._is_picture() and has_screen() and _opened(self)):
            folder = Path(tempfile.mkdtemp(prefix="imagemill-"))
            self.save(folder / "figure.png")
            sys.stderr.write(f"no viewer of pictures was found; the figure is {folder / 'figure.png'}\n")

    def _is_picture(self) -> bool:
        return self.ndim == 3 and self.shape[2] == 3 and self.dtype == np.uint8

    def _repr_png_(self) -> bytes | None:
        """The figure for notebooks; None for what is only a part of one."""
        if not self._is_picture():
            return None
        return cv2.imencode(".png", np.asarray(self)[..., ::-1])[1].tobytes()

    def __repr__(self) -> str:
        if not self._is_picture():
            return repr(np.asarray(self))
        return f"Drawing of {self.shape[1]} x {self.shape[0]} pixels: show() or save(path)"

    def __str__(self) -> str:
        return repr(self)


def _opened(figure: Drawing) -> bool:
    from PIL import Image, ImageShow

    return bool(ImageShow.show(Image.fromarray(np.asarray(figure))))


def drawing(rgb: Rgb) -> Drawing:
    """The same memory as a figure."""
    return rgb.view(Drawing)
