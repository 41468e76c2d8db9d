"""From an image to a page about it, and to the browser."""

from __future__ import annotations

import tempfile
import warnings
import webbrowser
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from imagemill import Boxes, Image, InputError, Keypoints, Pipeline, read_picture
from imagemill.app.explorer.explorer_page import Opened, explorer_page
from imagemill.app.figures.display import window_of
from imagemill.app.figures.figure import Shown, shown
from imagemill.data import atomic_path
from imagemill.pipeline import PipelineGiven, as_pipeline

__all__ = ["explore", "opened_of"]

_KINDS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
}
"""Files that browsers read as they are."""
_LARGEST = 32_000


def explore(
    image: Any,
    pipeline: PipelineGiven = "photo",
    *,
    to: str | PathLike[str] | None = None,
    mask: Any = None,
    boxes: Boxes | None = None,
    keypoints: Keypoints | None = None,
    axes: str | None = None,
    key: str | int | None = None,
) -> Path:
    """Open a page in the browser that draws a pipeline live: sliders, many copies at once, the pipeline file to copy.

    The page is one file and needs no server and no network; photos that are opened in it stay in the browser. It draws
    geometry by matrices and colour by matrices and curves, within 2 of 255 levels of what the engine makes of the same
    seed, key and epoch. Filters, noise, bent maps, what hides parts and what mixes samples are named as not drawn, and
    stay in the file.

    Parameters
    ----------
    image : path, array or Image
        Of a scan the slice with most foreground of ``mask`` is shown, or the middle one.
    pipeline : Pipeline, or the name of a preset or of a file
        What the page begins with.
    to : path, optional
        Where to write the page; then it is not opened.
    mask, boxes, keypoints, optional
        Boxes and keypoints move along; they can be added in the page too.
    axes : str, optional
        Of a plain array, such as ``"zyx"``.
    key : str or int, optional
        What draws belong to: copies are those of ``pipeline(image, key=key, epoch=0)``, 1, 2... Left out, the file's
        name.

    Returns
    -------
    Path
        The page.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import imagemill as im
    >>> page = im.explore(np.zeros((8, 8, 3), np.uint8), to=tempfile.mkdtemp() + "/page.html")
    >>> page.name
    'page.html'
    """
    file = Path(image) if isinstance(image, str | PathLike) else None
    seen = shown(image if file is None else _read(file, axes), mask, boxes, keypoints, axes=axes)
    called = "image.png" if file is None else file.name
    opened = opened_of(seen, called, called if key is None else key, file)
    return written(opened, as_pipeline(pipeline), None if to is None else Path(to))


def written(opened: Opened, pipeline: Pipeline, to: Path | None) -> Path:
    """Write the page; without a place of its own it goes to a new folder for passing files, and is opened."""
    page = Path(tempfile.mkdtemp(prefix="imagemill-")) / "explorer.html" if to is None else to
    with atomic_path(page) as part:
        part.write_text(explorer_page(opened, pipeline), encoding="utf-8")
    if to is None and not webbrowser.open(page.resolve().as_uri()):
        warnings.warn(f"no browser could be opened here; open {page} in one", UserWarning, stacklevel=3)
    return page


def _read(file: Path, axes: str | None) -> Image:
    picture = read_picture(file, axes=axes)
    return Image(picture.array, picture.axes, picture.spacing, picture.affine)


def opened_of(seen: Shown, name: str, key: str | int, file: Path | None) -> Opened:
    """What a page opens with: a file's own bytes where browsers read it alike, else what is shown as PNG."""
    plane = seen.plane
    data, kind = _as_it_is(seen.image, file)
    if data is None:
        rgb = window_of([plane.pixels], scan=plane.slice is not None).apply(plane.pixels)
        data, kind = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes(), "image/png"
    height, width = plane.pixels.shape[:2]
    if max(height, width) > _LARGEST:
        said = f"expected a picture of at most {_LARGEST:,} pixels a side for a browser, got {height} x {width}"
        raise InputError(f"{said}; resize it first")
    boxes, points = _marks(seen, (height, width)) if plane.slice is None else ((), ())
    return Opened(name, key, data, kind, boxes, points)


def _as_it_is(image: Image, file: Path | None) -> tuple[bytes | None, str]:
    """The bytes of a file that browsers show as it was read: eight bits, gray or three colours."""
    kind = "" if file is None else _KINDS.get(file.suffix.lower(), "")
    array = image.canonical()
    plain = array.dtype == np.uint8 and array.ndim == 3 and array.shape[-1] in (1, 3)
    return (file.read_bytes(), kind) if file is not None and kind and plain else (None, "")


def _marks(seen: Shown, shape: tuple[int, int]) -> tuple[list[list[float]], list[list[float]]]:
    """Boxes and visible points by the outer edges of pixels."""
    boxes = [] if seen.boxes is None else (seen.boxes.edges(shape) + 0.5).tolist()
    if seen.keypoints is None:
        return boxes, []
    places = np.asarray(seen.keypoints.array, dtype=np.float64)
    places = places[:, ::-1] if seen.keypoints.format == "xy" else places
    there = np.isfinite(places).all(axis=1)
    if seen.keypoints.visible is not None:
        there &= np.asarray(seen.keypoints.visible, dtype=bool)
    return boxes, (places[there] + 0.5).tolist()
