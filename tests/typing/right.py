"""Lines a type checker must let pass."""

from __future__ import annotations

from typing import assert_type

import numpy as np

import imagemill as im
from imagemill.core.ranges import Distribution

im.Rotate(10)
im.Rotate((-10, 10), plane="yx", order=3, border="reflect", p=0.5)
im.Rotate(im.Choice((0, 90)))
im.Rotate(np.float32(10))
im.Zoom({"y": 1, "x": (0.9, 1.1)})
im.Resize(32, fit="pad")
im.Resize((32, 48), order=1)
im.Flip("x")
im.Shift(pixels=(-3, 3))
im.Crop(box=(0, 0, 4, 4))
im.Pad(multiple_of=32, at="random")
im.Affine(matrix=np.eye(3))
im.Normalize("imagenet")
im.Normalize([0.5], [0.2])
im.ToDtype(np.float32)
im.ToDtype("uint8", scale=True)
im.ToneGain([85, 170], [2, (0.9, 1.1), im.Normal(1, 0.1)])
im.Lighting(basis=((1.0,), ((1.0,),)))
assert_type(im.Rotate(10).degrees, Distribution)
assert_type(im.Resize(32).size, tuple[int, ...])
