"""What can be looked at: pictures of a batch, a sample or a dataset, in a notebook and outside.

How they are drawn is the business of a room above, `imagemill.app.figures`, which is not loaded before somebody looks:
drawing needs OpenCV, and this room nothing but numpy.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any

__all__ = ["Said", "Seeable", "has_screen", "looked", "notebook_display"]


def looked(what: Any, how: str, **given: Any) -> Any:
    """Ask the figures for something about a value: ``"sheet"``, ``"html"``, ..."""
    return getattr(importlib.import_module("imagemill.app.figures.contact_sheets"), how)(what, **given)


def notebook_display() -> Any:
    """What shows a value below the cell that runs; None outside notebooks."""
    shell = sys.modules.get("IPython")
    with contextlib.suppress(AttributeError):  # no shell runs, or one in a terminal, which has no kernel
        if shell is not None and shell.get_ipython().kernel is not None:
            return importlib.import_module("IPython.display").display
    return None


def has_screen() -> bool:
    """Whether a viewer could open a window: on Linux not without a display, whatever is installed."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Seeable:
    """Has pictures: `plot` draws them, `show` puts them where they are seen, and notebooks show them by themselves."""

    __slots__ = ()

    def plot(self, n: int = 12, *, columns: int | None = None, title: str | None = None) -> Any:
        """Draw the first ``n`` pictures with their captions (of a dataset: ``n`` spread over its rows).

        Label maps, boxes, points and polygons are drawn on them. Of a scan one slice is shown.

        Parameters
        ----------
        n : int
            How many, at least 1.
        columns : int, optional
            Pictures in a row; as many rows as columns when left out.
        title : str, optional
            A line above; what it is when left out.

        Returns
        -------
        Drawing, ``(H, W, 3)`` uint8
            An array that notebooks show, with ``save(path)`` and ``show()``.
        """
        return looked(self, "sheet", n=n, columns=columns, title=title)

    def show(self, n: int = 12, *, columns: int | None = None, title: str | None = None) -> None:
        """As `plot`, shown at once: below the cell of a notebook, else in the system's viewer of pictures."""
        self.plot(n, columns=columns, title=title).show()

    def _repr_html_(self) -> str:
        """Small pictures with their captions."""
        return str(looked(self, "html"))


class Said(str):
    r"""Text that is printed as it is where its value is shown, and not as Python would write it.

    Examples
    --------
    >>> Said("two\nlines")
    two
    lines
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """The same in letters of one width."""
        import html

        return f"<pre>{html.escape(str(self))}</pre>"
