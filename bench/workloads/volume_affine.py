"""A volume of 128^3 float32 with a label map: turned about all axes, scaled and shifted."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.harness import Array, Contestant, Run, Workload
from bench.workloads import volumes as v


def _ours(scan: v.Scan) -> Run:
    return v.ours(v.affine_transforms(), scan)


def _ours_fixed(scan: v.Scan) -> Array:
    import imagemill as im

    made: Array = im.Pipeline([im.Affine(matrix=v.fixed_pull())], seed=0)(scan[0], axes="zyx")
    return made


def _torchio(scan: v.Scan) -> Run:
    import torchio as tio

    return v.torchio(tio.RandomAffine(**v.torchio_affine()), scan)


def _batchgenerators(scan: v.Scan) -> Run:
    return v.batchgenerators(scan)


def _monai(scan: v.Scan) -> Run:
    from monai.transforms import RandAffined

    return v.monai(RandAffined(**v.monai_settings()), scan)


def _monai_chain(scan: v.Scan, *, lazy: bool) -> Run:
    from monai.transforms import Compose, RandAffined, RandRotated, RandZoomd

    common = v.monai_settings()
    turn, translate = common.pop("rotate_range")[0], common.pop("translate_range")
    common.pop("scale_range")
    common["mode"] = ("bilinear", "nearest")
    zoom_modes = {**common, "mode": ("trilinear", "nearest")} if not lazy else common
    edge = {"padding_mode": "edge"} if not lazy else {}
    chain = Compose(
        [
            RandRotated(range_x=turn, range_y=turn, range_z=turn, **common),
            RandZoomd(min_zoom=v.SCALE[0], max_zoom=v.SCALE[1], **{**zoom_modes, **edge}),
            RandAffined(translate_range=translate, **common),
        ],
        lazy=lazy,
    )
    return v.monai(chain, scan)


def _simpleitk(scan: v.Scan) -> Run:
    rng = np.random.default_rng(0)

    def run() -> v.Scan:
        pull = v.random_pull(rng)
        return _sitk_resample(scan[0], pull, linear=True), _sitk_resample(scan[1], pull, linear=False)

    return run


def _sitk_resample(values: Array, pull: Array, *, linear: bool) -> Array:
    import SimpleITK

    image = SimpleITK.GetImageFromArray(values)
    swapped = pull[:3, :3][::-1, ::-1]  # its vectors are (x, y, z)
    transform = SimpleITK.AffineTransform(swapped.ravel().tolist(), pull[:3, 3][::-1].tolist())
    filter_ = SimpleITK.ResampleImageFilter()
    filter_.SetReferenceImage(image)
    filter_.SetInterpolator(SimpleITK.sitkLinear if linear else SimpleITK.sitkNearestNeighbor)
    filter_.SetTransform(transform)
    filter_.UseNearestNeighborExtrapolatorOn()
    made: Array = SimpleITK.GetArrayFromImage(filter_.Execute(image))
    return made


def _simpleitk_fixed(scan: v.Scan) -> Array:
    return _sitk_resample(scan[0], v.fixed_pull(), linear=True)


def _scipy(scan: v.Scan) -> Run:
    from scipy import ndimage

    rng = np.random.default_rng(0)

    def run() -> v.Scan:
        m = v.random_pull(rng)
        image = ndimage.affine_transform(scan[0], m, order=1, mode="nearest")
        return image, ndimage.affine_transform(scan[1], m, order=0, mode="nearest")

    return run


def _scipy_fixed(scan: v.Scan) -> Array:
    from scipy import ndimage

    made: Array = ndimage.affine_transform(scan[0], v.fixed_pull(), order=1, mode="nearest")
    return made


def _grid_sample_fixed(scan: v.Scan) -> Array:
    """What MONAI and batchgeneratorsv2 resample with, given the same map."""
    import torch

    pull, side = v.fixed_pull(), v.SIDE
    axes = np.meshgrid(*[np.arange(side, dtype=np.float64)] * 3, indexing="ij")
    where = np.stack([*axes, np.ones_like(axes[0])], axis=-1) @ pull[:3].T
    grid = torch.from_numpy((2 * where[..., ::-1] / (side - 1) - 1).astype(np.float32).copy())
    made: Any = torch.nn.functional.grid_sample(
        torch.from_numpy(scan[0])[None, None], grid[None], padding_mode="border", align_corners=True
    )
    found: Array = made[0, 0].numpy()
    return found


WORKLOADS = (
    Workload(
        "volume-affine",
        "Volume 128^3 float32 and labels: turn about all axes, scale, translate",
        "volume",
        v.scan,
        (
            Contestant("imagemill", _ours, 1, ours=True, fixed=_ours_fixed),
            Contestant(
                "TorchIO RandomAffine", _torchio, 1, ("torchio",), budget=7, note="outside is a constant, not the edge"
            ),
            Contestant(
                "batchgeneratorsv2 SpatialTransform",
                _batchgenerators,
                1,
                ("batchgeneratorsv2",),
                budget=15,
                fixed=_grid_sample_fixed,
                note="labels by nearest neighbour, which is faster than its default",
            ),
            Contestant(
                "MONAI RandAffined",
                _monai,
                1,
                ("monai",),
                budget=15,
                fixed=_grid_sample_fixed,
                note="one fused transform",
            ),
            Contestant("MONAI chain of three", lambda s: _monai_chain(s, lazy=False), 1, ("monai",)),
            Contestant("MONAI chain of three, lazy", lambda s: _monai_chain(s, lazy=True), 1, ("monai",)),
            Contestant("SimpleITK", _simpleitk, 1, ("SimpleITK",), fixed=_simpleitk_fixed),
            Contestant("scipy.ndimage", _scipy, 1, ("scipy",), fixed=_scipy_fixed),
        ),
        v.EXPECTS,
        note="The picture comparison gives all the same matrix; for the two on torch it is their grid_sample.",
    ),
)
