"""Lines a type checker must refuse: an ignore that nothing needs is an error."""

from __future__ import annotations

import imagemill as im


def lines() -> None:
    """Never run: each raises."""
    im.Flip("q")  # type: ignore[arg-type]
    im.Rotate("ten")  # type: ignore[arg-type]
    im.Rotate((1, 2, 3))  # type: ignore[arg-type]
    im.Rotate(10, plane="yy")  # type: ignore[arg-type]
    im.Rotate(10, angle=3)  # type: ignore[call-arg]
    im.Zoom(("a", "b"))  # type: ignore[arg-type]
    im.Resize(32, order="linar")  # type: ignore[arg-type]
    im.Resize(32, order=2)  # type: ignore[arg-type]
    im.Resize("32")  # type: ignore[arg-type]
    im.Resize(32, fit="strech")  # type: ignore[arg-type]
    im.Shift(pixels=1, border="edge")  # type: ignore[arg-type]
    im.Crop(8, at="center")  # type: ignore[arg-type]
    im.Gamma(None)  # type: ignore[arg-type]
    im.Contrast(1, pivot="median")  # type: ignore[arg-type]
    im.Normalize("imagnet")  # type: ignore[arg-type]
    im.ToDtype("int7")  # type: ignore[arg-type]
    im.ToLayout("channel_first")  # type: ignore[arg-type]
    im.ToneGain([85], "much")  # type: ignore[arg-type]
    im.Gray("bt610")  # type: ignore[arg-type]
    im.prepare("in", "out", fit="crob")  # type: ignore[arg-type]
    im.prepare("in", "out", normalize="units")  # type: ignore[arg-type]
    im.prepare("in", "out", standardize="pixel")  # type: ignore[arg-type]
    im.prepare("in", "out", dtype="uint32")  # type: ignore[arg-type]
    im.prepare("in", "out", unlabeled="skip")  # type: ignore[arg-type]
    im.augment("in", "out", im.Pipeline([]), on_error="ignore")  # type: ignore[arg-type]
    im.augment("in", "out", im.Pipeline([]), channels="bgr")  # type: ignore[arg-type]
    im.export("in", "out", "coco", files="move")  # type: ignore[arg-type]
    im.Loader("in", on_error="skip")  # type: ignore[arg-type]
    im.Loader("in", decode="quick")  # type: ignore[arg-type]
