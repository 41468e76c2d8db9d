"""A row of the bench, and what runs its expressions: each peer as its own users call it, on one image and on many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Run = Callable[[], Any]

LIBRARIES = {
    "A": "Albumentations",
    "T": "torchvision",
    "K": "Kornia",
    "rs": "kornia-rs",
    "cv": "OpenCV",
    "pil": "Pillow",
    "tio": "TorchIO",
    "bg": "batchgeneratorsv2",
    "mn": "MONAI",
}
CEILINGS = ("OpenCV", "Pillow")
"""Functions without a pipeline about them: nothing is drawn, checked or kept."""


@dataclass(frozen=True, init=False)
class Row:
    """One transform and its peers.

    Parameters
    ----------
    name : str
    ours : str
        An expression that makes our transform.
    out : str
        Dtype that comes out.
    slow : bool
        Left out by the quick run.
    batches : bool
        Whether images of one size come out in one size.
    **peers : str
        By the short names of :data:`LIBRARIES`.
    """

    name: str
    ours: str
    out: str
    slow: bool
    batches: bool
    peers: dict[str, str] = field(hash=False)

    def __init__(
        self, name: str, ours: str, *, out: str = "", slow: bool = False, batches: bool = True, **peers: str
    ) -> None:
        values: dict[str, Any] = {"name": name, "ours": ours, "out": out, "slow": slow, "batches": batches}
        values["peers"] = {LIBRARIES[short]: text for short, text in peers.items()}
        for key, value in values.items():
            object.__setattr__(self, key, value)


def names() -> dict[str, Any]:
    """What expressions may speak of; libraries that are missing are left out."""
    import cv2
    from PIL import Image, ImageEnhance, ImageFilter, ImageOps

    import imagemill as im

    found: dict[str, Any] = {"im": im, "np": np, "cv2": cv2, "Image": Image, "ImageOps": ImageOps}
    found |= {"ImageFilter": ImageFilter, "ImageEnhance": ImageEnhance}
    found["TURN"] = cv2.getRotationMatrix2D((249.5, 187), 20, 1.0)
    found["TABLE8"] = np.arange(256, dtype=np.uint8)[::-1].copy()
    found["TABLE"] = found["TABLE8"].tolist() * 3
    found["SEPIA"] = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    for load in (_albumentations, _torch, _kornia, _rust, _scans):
        try:
            found |= load()
        except ImportError as error:
            print(f"left out: {error}")
    return found


def _albumentations() -> dict[str, Any]:
    import albumentations

    return {"A": albumentations}


def _torch() -> dict[str, Any]:
    from bench.peers.torchvision_cpu import load

    load()
    import torch
    from torchvision.transforms import InterpolationMode, v2

    return {"T": v2, "torch": torch, "BILINEAR": InterpolationMode.BILINEAR}


def _kornia() -> dict[str, Any]:
    import kornia.augmentation

    return {"K": kornia.augmentation}


def _rust() -> dict[str, Any]:
    import kornia_rs

    return {"rs": kornia_rs.imgproc}


def _scans() -> dict[str, Any]:
    from importlib import import_module
    from types import SimpleNamespace

    import monai.transforms
    import torch
    import torchio

    places = {
        "spatial.spatial": ["SpatialTransform"],
        "spatial.low_resolution": ["SimulateLowResolutionTransform"],
        "intensity.brightness": ["MultiplicativeBrightnessTransform"],
        "intensity.contrast": ["ContrastTransform"],
        "intensity.gamma": ["GammaTransform"],
        "intensity.gaussian_noise": ["GaussianNoiseTransform"],
        "noise.gaussian_blur": ["GaussianBlurTransform"],
    }
    listed = [
        (name, getattr(import_module(f"batchgeneratorsv2.transforms.{place}"), name))
        for place, classes in places.items()
        for name in classes
    ]
    return {"tio": torchio, "mn": monai.transforms, "bg": SimpleNamespace(**dict(listed)), "torch": torch}


# ------------------------------------------------------------------------------------------- how each is called


def single(library: str, text: str, image: Array, scope: dict[str, Any]) -> Run:
    """One image at a time, as an array or tensor of its own that lies in memory in order."""
    if library == "imagemill":
        pipe = scope["im"].Pipeline([eval(text, scope)], seed=0)
        return (lambda: pipe(image)) if image.ndim == 3 and image.shape[2] == 3 else (lambda: pipe(image, axes="zyx"))
    if library == "Albumentations":
        chain = scope["A"].Compose([eval(text, scope)])
        return lambda: np.ascontiguousarray(chain(image=image)["image"])
    if library in ("torchvision", "Kornia", "TorchIO", "batchgeneratorsv2", "MONAI"):
        return _on_tensor(library, text, _tensor(library, image[None], scope)[0], scope)
    if library == "OpenCV" or library == "kornia-rs":
        call = eval(f"lambda x: {text}", scope)
        return lambda: call(image)
    call, picture = eval(f"lambda x: {text}", scope), scope["Image"].fromarray(image)
    return lambda: call(picture)


def many(library: str, text: str, images: Array, scope: dict[str, Any]) -> Run:
    """A batch into one array or tensor; libraries that take one image at a time do so, and results are put together."""
    if library == "imagemill":
        pipe = scope["im"].Pipeline([eval(text, scope)], seed=0)
        return lambda: pipe.batch(images).image
    if library in ("torchvision", "Kornia"):
        return _on_tensor(library, text, _tensor(library, images, scope), scope)
    runs = [single(library, text, image, scope) for image in images]
    first = runs[0]()
    if not isinstance(first, np.ndarray):
        return lambda: [run() for run in runs]
    out = np.empty((len(images), *first.shape), first.dtype)

    def run_all() -> Array:
        for i, run in enumerate(runs):
            out[i] = run()
        return out

    return run_all


def _tensor(library: str, images: Array, scope: dict[str, Any]) -> Any:
    """Channels first; Kornia takes floats only."""
    if images.ndim == 4 and images.shape[-1] != 3:
        return scope["torch"].from_numpy(images[:, None].copy())
    tensor = scope["torch"].from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return tensor.float().div_(255) if library == "Kornia" else tensor


def _on_tensor(library: str, text: str, tensor: Any, scope: dict[str, Any]) -> Run:
    made = eval(text, scope)
    if library == "batchgeneratorsv2":
        return lambda: made(image=tensor)["image"].contiguous()
    return lambda: made(tensor).contiguous()
