"""Real pictures that installed packages bring along, written as files the way a user would have them.

Nothing is downloaded. The photos are from scikit-image (a cat by Stéfan van der Walt, a cup of coffee, a
rocket, coins from Pompeii), the head scan is a sample of nibabel, the digits are from scikit-learn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from imagemill import Boxes, Keypoints, Picture, read_picture, write_picture
from imagemill.core import require

Bytes = npt.NDArray[np.uint8]

# Read off the photo by eye: edges of the boxes (left, top, right, bottom) and centres of the pupils and nose.
_CAT_BOXES = (("eye", (134, 84, 208, 146)), ("eye", (295, 108, 342, 163)), ("nose", (232, 222, 293, 265)))
_CAT_POINTS = (("left eye", (170, 114)), ("right eye", (318, 136)), ("nose", (262, 240)))
CAT_LINKS = ((0, 2), (1, 2))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the inputs are.

    Parameters
    ----------
    root : Path
    """

    root: Path

    @property
    def photos(self) -> Path:
        """Three colour photos."""
        return self.root / "photos"

    @property
    def cat(self) -> Path:
        """One of them."""
        return self.photos / "cat.png"

    @property
    def cat_marks(self) -> Path:
        """Boxes and keypoints of the cat, COCO JSON."""
        return self.root / "cat.json"

    @property
    def coins(self) -> Path:
        """A folder with a gray photo of coins."""
        return self.root / "coins"

    @property
    def coin_labels(self) -> Path:
        """The folder with its label map."""
        return self.root / "coin_labels"

    @property
    def scan(self) -> Path:
        """A folder with a head scan and, beside it, its label map."""
        return self.root / "scan"


def cat_boxes() -> Boxes:
    """Eyes and nose of the cat."""
    return Boxes(np.array([box for _, box in _CAT_BOXES]), "xyxy", [name for name, _ in _CAT_BOXES])


def cat_points() -> Keypoints:
    """Pupils and nose of the cat."""
    return Keypoints(np.array([at for _, at in _CAT_POINTS]), "xy", labels=[name for name, _ in _CAT_POINTS])


def write_inputs(root: Path) -> Inputs:
    """Write all inputs below a folder.

    Raises
    ------
    MissingExtra
        Without scikit-image, nibabel or scikit-learn; the message names the extra ``demo``.
    """
    inputs = Inputs(root)
    data = require("skimage.data", extra="demo")
    for name in ("cat", "coffee", "rocket"):
        write_picture(inputs.photos / f"{name}.png", Picture(getattr(data, name)(), "yxc"))
    inputs.cat_marks.write_text(json.dumps(_cat_described(), indent=1) + "\n", "utf-8")
    coins = np.ascontiguousarray(data.coins())
    write_picture(inputs.coins / "coins.png", Picture(coins, "yx"))
    write_picture(inputs.coin_labels / "coins.png", Picture(coin_labels(coins), "yx"))
    head = _head()
    write_picture(inputs.scan / "head.nii.gz", head)
    write_picture(inputs.scan / "head_gt.nii.gz", Picture(head_labels(head.array), "zyx", head.affine))
    return inputs


def digits(count: int = 64) -> tuple[Bytes, list[int]]:
    """Handwritten digits, ``(count, 8, 8)`` with values to 255, and what they are."""
    loaded = require("sklearn.datasets", extra="demo").load_digits()
    pictures = np.rint(np.minimum(loaded.images[:count], 15) * 17).astype(np.uint8)
    return pictures, [int(digit) for digit in loaded.target[:count]]


def coin_labels(coins: Bytes) -> Bytes:
    """1 on coins, 0 between them: the flooded edges of the picture, from sure background and sure metal.

    Source
    ------
    The method of scikit-image's tutorial on region-based segmentation.
    """
    filters = require("skimage.filters", extra="demo")
    segmentation = require("skimage.segmentation", extra="demo")
    sure = np.zeros(coins.shape, np.int32)
    sure[coins < 30], sure[coins > 150] = 1, 2
    flooded = segmentation.watershed(filters.sobel(coins), sure)
    solid = ndimage.binary_fill_holes(flooded == 2)
    return np.asarray(ndimage.binary_opening(solid, iterations=3)).astype(np.uint8)


def head_labels(head: npt.NDArray[Any]) -> Bytes:
    """0 air, 1 tissue (Otsu's threshold, holes filled), 2 fluid: brighter than its surroundings by a sixth.

    Source
    ------
    Otsu (1979), "A threshold selection method from gray-level histograms".
    """
    smooth = ndimage.gaussian_filter(head.astype(np.float64), (0, 1, 1))
    scaled = np.clip(smooth / np.percentile(smooth, 99.9) * 255, 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(scaled.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    tissue = np.stack([ndimage.binary_fill_holes(one) for one in scaled > level * 0.7])
    # The coil sees what is near it brighter: only a comparison with the surroundings tells fluid.
    inside = tissue.astype(np.float64)
    around = ndimage.gaussian_filter(smooth * inside, (1, 9, 9)) / (ndimage.gaussian_filter(inside, (1, 9, 9)) + 1e-9)
    deep = ndimage.binary_erosion(tissue, np.ones((1, 3, 3), bool), iterations=5)
    fluid = ndimage.binary_opening(deep & (smooth > (1 + 1 / 6) * around), np.ones((1, 2, 2), bool))
    return tissue.astype(np.uint8) + fluid.astype(np.uint8)


def _head() -> Picture:
    """The first time point of nibabel's 4-D sample, with its place in the world."""
    package = Path(require("nibabel", extra="demo").__file__).parent
    sample = read_picture(package / "tests" / "data" / "example4d.nii.gz")
    return Picture(np.ascontiguousarray(sample.array[..., 0]), "zyx", sample.affine)


def _cat_described() -> dict[str, Any]:
    points = [number for _, (x, y) in _CAT_POINTS for number in (x, y, 2)]
    categories = [
        {"id": 1, "name": "eye"},
        {"id": 2, "name": "nose"},
        {
            "id": 3,
            "name": "cat",
            "keypoints": [name for name, _ in _CAT_POINTS],
            "skeleton": [[a + 1, b + 1] for a, b in CAT_LINKS],
        },
    ]
    numbers = {"eye": 1, "nose": 2}
    annotations: list[dict[str, Any]] = [
        {"id": i, "image_id": 1, "category_id": numbers[name], "bbox": [x0, y0, x1 - x0, y1 - y0]}
        for i, (name, (x0, y0, x1, y1)) in enumerate(_CAT_BOXES, 1)
    ]
    annotations.append({"id": 4, "image_id": 1, "category_id": 3, "keypoints": points})
    images = [{"id": 1, "file_name": "cat.png", "height": 300, "width": 451}]
    return {"images": images, "annotations": annotations, "categories": categories}
