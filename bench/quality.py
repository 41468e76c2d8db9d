"""How near the geometry chain comes to the truth, and whether image, label map, boxes and points still agree.

The truth is what a camera would have seen. A scene is known at any place: a photo read by cubic splines, or a drawing
given by a formula. The source picture is the scene averaged over source pixels, the truth the scene averaged over
output pixels (8x8 places in each) carried through the product of all maps in float64. Every library then gets the
source and the same parameters, transform by transform. Pixels count where no frame between two transforms cut
anything away, so that only interpolation is compared, not what lies beyond the edge.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench import inputs
from bench.harness import Array, psnr

OVER, SIDE, MARGIN = 8, 224, 3
Scene = Callable[[Array], Array]
"""Values at places ``(2, ...)`` given in source pixels."""


@dataclass(frozen=True)
class Chain:
    """Parameters of one chain: all libraries get these."""

    shape: tuple[int, int]
    flip: bool
    degrees: float  # counter-clockwise on screen
    scale: float  # above 1 magnifies
    shift: tuple[int, int]  # pixels down and right
    part: tuple[int, int, int, int]  # top, left, height, width

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Chain:
        """As the geometry workload draws, parts large enough that nobody has to shrink by more than two."""
        height, width = shape
        h, w = (int(n * rng.uniform(0.5, 0.95)) for n in shape)
        top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        move = (int(rng.integers(-height // 20, height // 20)), int(rng.integers(-width // 20, width // 20)))
        degrees = float(rng.uniform(3, 15) * rng.choice([-1, 1]))
        return cls(shape, bool(rng.random() < 0.5), degrees, float(rng.uniform(0.8, 1.2)), move, (top, left, h, w))

    def pulls(self) -> list[Array]:
        """Output-to-input matrices ``(y, x, 1)``, in the order the transforms are applied."""
        centre = np.array([(n - 1) / 2 for n in self.shape])
        a = np.deg2rad(self.degrees)
        turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        top, left, h, w = self.part
        zoom = np.diag([h / SIDE, w / SIDE])
        cut = np.array([top - 0.5, left - 0.5]) + 0.5 * np.diag(zoom)
        mirror = np.diag([1.0, -1.0 if self.flip else 1.0])
        return [
            _matrix(mirror, centre - mirror @ centre),
            _matrix(turn, centre - turn @ centre),
            _matrix(np.eye(2) / self.scale, centre - centre / self.scale),
            _matrix(np.eye(2), -np.array(self.shift, dtype=np.float64)),
            _matrix(zoom, cut),
        ]


def _matrix(linear: Array, offset: Array) -> Array:
    m = np.eye(3)
    m[:2, :2], m[:2, 2] = linear, offset
    return m


def _places(side: int | tuple[int, int], over: int) -> Array:
    """Places inside each pixel, ``(2, height * over, width * over)``, in pixels."""
    height, width = (side, side) if isinstance(side, int) else side
    axes = [(np.arange(n * over) + 0.5) / over - 0.5 for n in (height, width)]
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def _mapped(m: Array, places: Array) -> Array:
    return np.tensordot(m[:2, :2], places, 1) + m[:2, 2].reshape(2, 1, 1)


def _pixels(values: Array, over: int) -> Array:
    height, width = values.shape[0] // over, values.shape[1] // over
    mean: Array = values.reshape(height, over, width, over).mean(axis=(1, 3))
    return mean


def truth(scene: Scene, chain: Chain) -> Array:
    """The scene as seen through the chain, float64, 0..255."""
    total = np.linalg.multi_dot(chain.pulls())
    return _pixels(scene(_mapped(total, _places(SIDE, OVER))), OVER)


def counted(chain: Chain) -> Array:
    """Output pixels whose whole way back stays inside every frame."""
    places = _places(SIDE, 1)
    inside = np.ones((SIDE, SIDE), dtype=bool)
    for m in reversed(chain.pulls()):
        places = _mapped(m, places)
        for values, length in zip(places, chain.shape, strict=True):
            inside &= (values >= MARGIN) & (values <= length - 1 - MARGIN)
    return inside


# ------------------------------------------------------------------------------------------------ scenes


def photo_scenes(n: int) -> list[tuple[str, tuple[int, int], Scene]]:
    """Photos of twice the source's size, read between their pixels by cubic splines."""
    import cv2
    from scipy import ndimage

    found: list[tuple[str, tuple[int, int], Scene]] = []
    for photo in inputs.photos_of_one_size(64)[:: 64 // n][:n]:
        fine = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float64)
        spline = ndimage.spline_filter(fine, 3, mode="reflect")

        def scene(places: Array, spline: Array = spline) -> Array:
            # Two scene pixels to a source pixel, outer edges on outer edges.
            at = 2 * places + 0.5
            made: Array = ndimage.map_coordinates(spline, at, order=3, mode="reflect", prefilter=False)
            return np.clip(made, 0, 255)

        found.append(("photos", (fine.shape[0] // 2, fine.shape[1] // 2), scene))
    return found


def drawn_scenes() -> list[tuple[str, tuple[int, int], Scene]]:
    """Rings that grow finer towards the corners, up to a quarter of the sampling rate, and a fan of edges."""
    shape = (240, 320)
    centre = np.array([(n - 1) / 2 for n in shape]).reshape(2, 1, 1)

    def rings(places: Array) -> Array:
        r2: Array = ((places - centre) ** 2).sum(axis=0)
        return 127.5 + 110 * np.cos(np.pi * 0.25 * r2 / 200)

    def fan(places: Array) -> Array:
        y, x = places - centre
        return np.where(np.sin(12 * np.arctan2(y, x)) > 0, 220.0, 35.0)

    return [("rings", shape, rings), ("fan of edges", shape, fan)]


def _source(scene: Scene, shape: tuple[int, int]) -> Array:
    gray = _pixels(scene(_places(shape, OVER)), OVER)
    return np.repeat(np.rint(gray).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


# ------------------------------------------------------------------------------------------------ libraries


def ours(source: Array, chain: Chain, *, fuse: bool = True, order: int = 1, **targets: Any) -> Any:
    """The chain through imagemill, with values instead of ranges."""
    import imagemill as im

    top, left, h, w = chain.part
    dy, dx = chain.shift
    transforms = [
        *([im.Flip("x")] if chain.flip else []),
        im.Rotate(chain.degrees, order=order),
        im.Zoom(chain.scale, order=order),
        im.Shift(pixels={"y": dy, "x": dx}, order=order),
        im.Crop(box=(top, left, top + h, left + w)),
        im.Resize((SIDE, SIDE), order=order),
    ]
    return im.Pipeline(transforms, seed=0, fuse=fuse)(image=source, **targets)


def albumentations(source: Array, chain: Chain, *, as_one: bool = False, **targets: Any) -> Any:
    """The chain through Albumentations, as five transforms or with its Affine doing three at once."""
    import albumentations as alb
    import cv2

    top, left, h, w = chain.part
    dy, dx = chain.shift
    common: dict[str, Any] = {"border_mode": cv2.BORDER_REPLICATE, "p": 1}
    turn, zoom = {"rotate": (chain.degrees,) * 2}, {"scale": (chain.scale,) * 2}
    move = {"translate_px": {"x": (dx, dx), "y": (dy, dy)}}
    affine: list[dict[str, Any]] = [turn | zoom | move] if as_one else [turn, zoom, move]
    compose = alb.Compose(
        [
            *([alb.HorizontalFlip(p=1)] if chain.flip else []),
            *[alb.Affine(**common, **words) for words in affine],
            alb.Crop(left, top, left + w, top + h),
            alb.Resize(SIDE, SIDE),
        ],
        bbox_params=alb.BboxParams("pascal_voc", label_fields=["names"]) if "bboxes" in targets else None,
        keypoint_params=alb.KeypointParams("xy", remove_invisible=False) if "keypoints" in targets else None,
    )
    return compose(image=source, **targets)


def torchvision(value: Any, chain: Chain) -> Any:
    """The chain through torchvision's functions; ``value`` is one of its tensors."""
    from torchvision.transforms.v2 import InterpolationMode, functional

    linear = {"interpolation": InterpolationMode.BILINEAR}
    dy, dx = chain.shift
    x = functional.horizontal_flip(value) if chain.flip else value
    x = functional.rotate(x, chain.degrees, **linear)
    x = functional.affine(x, 0, [0, 0], chain.scale, [0.0, 0.0], **linear)
    x = functional.affine(x, 0, [dx, dy], 1.0, [0.0, 0.0], **linear)
    return functional.resized_crop(x, *chain.part, size=[SIDE, SIDE], antialias=True)


def _torchvision_image(source: Array, chain: Chain) -> Array:
    import torch

    made: Array = torchvision(torch.from_numpy(np.ascontiguousarray(source.transpose(2, 0, 1))), chain).numpy()
    return made.transpose(1, 2, 0)


LIBRARIES: dict[str, Callable[[Array, Chain], Array]] = {
    "imagemill": lambda s, c: ours(s, c).image,
    "imagemill, order=3": lambda s, c: ours(s, c, order=3).image,
    "imagemill, fuse=False": lambda s, c: ours(s, c, fuse=False).image,
    "Albumentations, five transforms": lambda s, c: albumentations(s, c)["image"],
    "Albumentations, Affine as one": lambda s, c: albumentations(s, c, as_one=True)["image"],
    "torchvision v2": _torchvision_image,
}


def installed(name: str) -> bool:
    """Whether the library that a name of the tables begins with can be used."""
    return name.startswith("imagemill") or find_spec(name.split(",")[0].split()[0].lower()) is not None


def edge_energy(picture: Array, where: Array) -> float:
    """Mean squared difference of neighbours, where both count."""
    down, right = np.diff(picture, axis=0)[:, :-1], np.diff(picture, axis=1)[:-1]
    both = where[:-1, :-1] & where[1:, :-1] & where[:-1, 1:]
    return float(np.mean((down**2 + right**2)[both]))


@dataclass(frozen=True)
class Near:
    """Mean over the chains: decibels, and edge energy relative to the truth's."""

    decibels: float
    edges: float


def nearness(*, photos: int, chains: int) -> dict[str, dict[str, Near]]:
    """For every kind of scene and library, how near it comes."""
    rng = np.random.default_rng(0)
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for kind, shape, scene in [*photo_scenes(photos), *drawn_scenes()]:
        source = _source(scene, shape)
        for _ in range(1 if kind == "photos" else chains):
            chain = Chain.draw(rng, shape)
            wanted, where = truth(scene, chain), counted(chain)
            for name, run in LIBRARIES.items():
                if not installed(name):
                    continue
                made = run(source, chain)[..., 0].astype(np.float64)
                # One peak for all, so that a dull picture does not count as a good one.
                noise = psnr(np.append(wanted[where], [0, 255]), np.append(made[where], [0, 255]))
                edges = edge_energy(made, where) / edge_energy(wanted, where)
                found.setdefault(kind, {}).setdefault(name, []).append((noise, edges))
    return {
        kind: {n: Near(statistics.fmean(d for d, _ in v), statistics.fmean(e for _, e in v)) for n, v in by.items()}
        for kind, by in found.items()
    }


def section(*, quick: bool) -> tuple[str, dict[str, dict[str, Near]]]:
    """The part of the report, and its numbers."""
    from bench import agreement
    from bench.peers import torchvision_cpu

    if installed("torchvision v2"):
        torchvision_cpu.load()
    near = nearness(photos=3 if quick else 12, chains=2 if quick else 6)
    kinds = list(near)
    lines = [
        "## Nearness to the truth: the geometry chain",
        "",
        *[line.strip() for line in (__doc__ or "").splitlines()[2:]],
        "",
        "Decibels of peak signal to noise, and in brackets edge energy relative to the truth's (1 is as sharp).",
        "",
        f"| library | {' | '.join(kinds)} |",
        f"|---|{'---:|' * len(kinds)}",
    ]
    for name in LIBRARIES:
        if not installed(name):
            lines.append(f"| {name} | absent |" + " |" * (len(kinds) - 1))
            continue
        cells = [f"{near[k][name].decibels:.2f} ({near[k][name].edges:.2f})" for k in kinds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    against = "Albumentations, five transforms"
    if not installed(against):
        return "\n".join([*lines, "", *agreement.lines(trials=4 if quick else 24)]), near
    gains = [near[k]["imagemill"].decibels - near[k][against].decibels for k in kinds]
    verdict = "met" if gains[0] >= 2 else "MISSED"
    lines += [
        "",
        "imagemill minus Albumentations' five transforms: "
        + ", ".join(f"{g:+.2f} dB on {k}" for g, k in zip(gains, kinds, strict=True))
        + f" (meant: +2 dB on photos; {verdict}).",
        "",
        *agreement.lines(trials=4 if quick else 24),
    ]
    return "\n".join(lines), near


def drawn_chains(count: int, shape: tuple[int, int], seed: int) -> Sequence[Chain]:
    """Chains for the other table."""
    rng = np.random.default_rng(seed)
    return [Chain.draw(rng, shape) for _ in range(count)]
