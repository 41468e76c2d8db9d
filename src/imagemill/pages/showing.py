"""Results that can be looked at: below the cell of a notebook, else as a page in the browser."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from pathlib import Path

from imagemill.core.looking import has_screen, notebook_display

__all__ = ["Showable"]

_PAGE = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{}</title></head>'
    "<body>{}</body></html>\n"
)


class Showable:
    """Shows itself in notebooks, and by `show` outside of them too.

    Examples
    --------
    >>> class Answer(Showable):
    ...     def _repr_html_(self):
    ...         return "<p>42</p>"
    >>> "<p>42</p>" in Answer()._as_page()
    True
    """

    __slots__ = ()

    def show(self) -> None:
        """Show it: below the cell of a notebook, else as a page in the browser; without one, say where the page is."""
        if (display := notebook_display()) is not None:
            display(self)
            return
        path = Path(tempfile.mkdtemp(prefix="imagemill-")) / "page.html"
        path.write_text(self._as_page(), "utf-8")
        if not (has_screen() and webbrowser.open(path.as_uri())):
            sys.stderr.write(f"no browser was found; the page is {path}\n")

    def _repr_html_(self) -> str:
        raise NotImplementedError(f"expected {type(self).__name__} to say how it looks; define _repr_html_")

    def _as_page(self) -> str:
        """All of it as one page; what notebooks show, where there is no other."""
        return _PAGE.format(type(self).__name__, self._repr_html_())
