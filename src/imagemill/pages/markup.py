"""Elements of HTML and SVG as a tree, written out with everything escaped; nothing is ever pasted into markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

__all__ = ["Element", "Inside", "markup_of", "tag"]

Element = ElementTree.Element
Inside = Element | str | Iterable["Element | str"] | None

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What no HTML file may hold: controls, and the halves of pairs that names of files in no encoding are read as."""


def tag(name: str, /, *inside: Inside, **attributes: str | float | None) -> Element:
    """Make an element.

    Parameters
    ----------
    name : str
    *inside : Element, str, iterable of both, or None
        In order; None is left out.
    **attributes : str, number or None
        ``class_`` is ``class``, other underscores are hyphens; None is left out.

    Returns
    -------
    Element

    Examples
    --------
    >>> markup_of(tag("p", "1 < 2, ", tag("b", "surely"), class_="lead"))
    '<p class="lead">1 &lt; 2, <b>surely</b></p>'
    """
    plain = {key.rstrip("_").replace("_", "-"): _said(value) for key, value in attributes.items() if value is not None}
    made = Element(name, plain)
    for part in inside:
        for one in [part] if isinstance(part, str | Element) else (part or ()):
            _append(made, one)
    return made


def markup_of(element: Element) -> str:
    """An element as text of an HTML file.

    Examples
    --------
    >>> markup_of(tag("img", alt='a "b"'))
    '<img alt="a &quot;b&quot;">'
    """
    return ElementTree.tostring(element, encoding="unicode", method="html")


def _append(made: Element, one: Element | str) -> None:
    if not isinstance(one, str):
        made.append(one)
        return
    text = _clean(one)
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def _said(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return _clean(str(value))


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
