"""Do image, label map, boxes and points still agree after the chain? Measured on a drawn disc.

A disc lies in the image and in the label map, a point marks its centre, and a box its outline. Afterwards the centre
is found again four times: as the centre of mass of what is bright, of what is labelled, as the point, and as the
middle of the box. Distances from the first say how far the others have drifted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.harness import Array
from bench.quality import OVER, SIDE, Chain, albumentations, counted, drawn_chains, installed, ours, torchvision

RADIUS = 20.0
SHAPE = (301, 400)  # an odd and an even side: conventions differ there
Found = dict[str, Array]


def _disc(at: Array) -> Array:
    """Coverage of each pixel, 0..1."""
    axes = [(np.arange(n * OVER) + 0.5) / OVER - 0.5 for n in SHAPE]
    inside = (axes[0][:, None] - at[0]) ** 2 + (axes[1] - at[1]) ** 2 <= RADIUS**2
    mean: Array = inside.reshape(SHAPE[0], OVER, SHAPE[1], OVER).mean(axis=(1, 3))
    return mean


def _centre_of_mass(weights: Array) -> Array:
    y, x = np.indices(weights.shape)
    centre: Array = np.array([(weights * y).sum(), (weights * x).sum()]) / weights.sum()
    return centre


def _read(image: Array, mask: Array, box: Any, point: Any) -> Found:
    """The centre four times, ``(y, x)`` in pixel indices; a box's first edge is 0, half a pixel before index 0."""
    box, point = np.asarray(box, dtype=np.float64).ravel(), np.asarray(point, dtype=np.float64).ravel()
    return {
        "image": _centre_of_mass(image.astype(np.float64)),
        "mask": _centre_of_mass(mask.astype(np.float64)),
        "boxes": np.array([box[1] + box[3], box[0] + box[2]]) / 2 - 0.5,
        "points": point[::-1],
    }


def _targets(at: Array) -> tuple[Array, Array, list[list[float]], list[list[float]]]:
    cover = _disc(at)
    image = np.repeat(np.rint(255 * cover).astype(np.uint8)[..., None], 3, axis=2)
    y, x = at
    outline = [[x - RADIUS + 0.5, y - RADIUS + 0.5, x + RADIUS + 0.5, y + RADIUS + 0.5]]
    return image, (cover >= 0.5).astype(np.uint8), outline, [[float(x), float(y)]]


def _ours(at: Array, chain: Chain) -> Found:
    import imagemill as im

    image, mask, box, point = _targets(at)
    made = ours(
        image, chain, mask=mask, boxes=im.Boxes(np.array(box)), keypoints=im.Keypoints(np.array(point), format="xy")
    )
    return _read(made.image[..., 0], made.mask, made.boxes.array, made.keypoints.array)


def _albumentations(at: Array, chain: Chain) -> Found:
    image, mask, box, point = _targets(at)
    made = albumentations(image, chain, mask=mask, bboxes=np.array(box), keypoints=np.array(point), names=[0])
    return _read(made["image"][..., 0], made["mask"], made["bboxes"], made["keypoints"])


def _torchvision(at: Array, chain: Chain) -> Found:
    import torch
    from torchvision import tv_tensors

    image, mask, box, point = _targets(at)
    pixels = tv_tensors.Image(np.ascontiguousarray(image.transpose(2, 0, 1)))
    boxes = tv_tensors.BoundingBoxes(torch.tensor(box), format="XYXY", canvas_size=SHAPE)
    points = tv_tensors.KeyPoints(torch.tensor(point), canvas_size=SHAPE)
    values = (pixels, tv_tensors.Mask(torch.from_numpy(mask)), boxes, points)
    moved = [torchvision(v, chain).numpy() for v in values]
    return _read(moved[0][0], *moved[1:])


LIBRARIES = {"imagemill": _ours, "Albumentations": _albumentations, "torchvision v2": _torchvision}


def _place(rng: np.random.Generator, chain: Chain) -> Array | None:
    """A place in the source whose disc stays in sight all the way, or None after some tries."""
    from scipy import ndimage

    seen = ndimage.binary_erosion(counted(chain), iterations=45)
    ys, xs = np.nonzero(seen)
    if len(ys) == 0:
        return None
    i = rng.integers(len(ys))
    place: Array = (np.linalg.multi_dot(chain.pulls()) @ [ys[i], xs[i], 1])[:2]
    return place


def drift(trials: int) -> dict[str, dict[str, float]]:
    """Largest distance in output pixels from the image's disc, by library and target."""
    rng = np.random.default_rng(1)
    usable = {name: run for name, run in LIBRARIES.items() if installed(name)}
    worst: dict[str, dict[str, float]] = {name: {} for name in usable}
    done = 0
    for chain in drawn_chains(20 * trials, SHAPE, 1):
        at = _place(rng, chain)
        if at is None:
            continue
        for name, run in usable.items():
            found = run(at, chain)
            for target in ("mask", "boxes", "points"):
                distance = float(np.linalg.norm(found[target] - found["image"]))
                worst[name][target] = max(worst[name].get(target, 0.0), distance)
        done += 1
        if done == trials:
            return worst
    raise AssertionError(f"expected {trials} chains that keep a disc in sight, found {done}")


def lines(*, trials: int) -> list[str]:
    """The table."""
    worst = drift(trials)
    table = [
        "### Agreement of image, label map, boxes and points",
        "",
        *(__doc__ or "").splitlines()[2:],
        "",
        f"Largest distance from the image's disc in pixels, over {trials} chains, output {SIDE}x{SIDE}.",
        "",
        "| library | label map | middle of the box | point |",
        "|---|---:|---:|---:|",
    ]
    for name, by in worst.items():
        table.append(f"| {name} | {by['mask']:.2f} | {by['boxes']:.2f} | {by['points']:.2f} |")
    return table
