"""nnU-Net's default recipe for volumes: imagemill's preset beside batchgeneratorsv2, one thread, in turns.

Like for like: nnU-Net takes mean and deviation out before it trains, so the preset's first transform, which does so, is
left out. What differs still: batchgeneratorsv2 changes the tensors that it is given. Seconds of the processor are
counted, so that what else runs on the machine does not matter much.

``python -m bench.nnunet_recipe [--count 30] [--size 128]``; needs what ``bench/requirements.txt`` lists.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np

import imagemill as im
from bench.harness import single_thread


def theirs(size: int) -> Any:
    """The recipe as nnU-Net v2 builds it, for patches of one size."""
    import torch
    from batchgeneratorsv2.helpers.scalar_type import RandomScalar  # noqa: F401  # says early that it is not installed
    from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
    from batchgeneratorsv2.transforms.intensity.contrast import BGContrast, ContrastTransform
    from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
    from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
    from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
    from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
    from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
    from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
    from batchgeneratorsv2.transforms.utils.random import RandomTransform

    torch.set_num_threads(1)
    angle = (-np.pi / 6, np.pi / 6)
    spatial = SpatialTransform(
        (size,) * 3,
        patch_center_dist_from_border=0,
        random_crop=False,
        p_elastic_deform=0,
        p_rotation=0.2,
        rotation=angle,
        p_scaling=0.2,
        scaling=(0.7, 1.4),
        p_synchronize_scaling_across_axes=1,
        bg_style_seg_sampling=False,
    )
    light = {"synchronize_channels": False, "p_per_channel": 1}
    gamma = {"gamma": BGContrast((0.7, 1.5)), "p_per_channel": 1, "p_retain_stats": 1, "synchronize_channels": False}
    listed = [
        (GaussianNoiseTransform(noise_variance=(0, 0.1), p_per_channel=1, synchronize_channels=True), 0.1),
        (
            GaussianBlurTransform(
                blur_sigma=(0.5, 1.0),
                synchronize_channels=False,
                synchronize_axes=False,
                p_per_channel=0.5,
                benchmark=True,
            ),
            0.2,
        ),
        (MultiplicativeBrightnessTransform(multiplier_range=BGContrast((0.75, 1.25)), **light), 0.15),
        (ContrastTransform(contrast_range=BGContrast((0.75, 1.25)), preserve_range=True, **light), 0.15),
        (
            SimulateLowResolutionTransform(
                scale=(0.5, 1),
                synchronize_channels=False,
                synchronize_axes=True,
                ignore_axes=(),
                allowed_channels=None,
                p_per_channel=0.5,
            ),
            0.25,
        ),
        (GammaTransform(p_invert_image=1, **gamma), 0.1),
        (GammaTransform(p_invert_image=0, **gamma), 0.3),
    ]
    chain = [spatial, *(RandomTransform(one, apply_probability=p) for one, p in listed), MirrorTransform((0, 1, 2))]
    return ComposeTransforms(chain)


def main() -> None:
    """Print the medians and their ratio."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=30)
    asked.add_argument("--size", type=int, default=128)
    given = asked.parse_args()
    single_thread()
    warnings.simplefilter("ignore")  # what white is matters to what is drawn, not to how long it takes
    import torch

    rng = np.random.default_rng(0)
    scan = rng.normal(size=(given.size,) * 3).astype(np.float32)
    labels = (scan > 1).astype(np.int16)
    ours = list(im.preset("nnunet-3d", given.size).transforms)[1:]  # without Standardize
    peer, pipe = theirs(given.size), im.Pipeline(ours, seed=0)
    image, mask = torch.from_numpy(scan[None]), torch.from_numpy(labels[None])
    for key in range(3 * len(pipe.transforms)):  # every kernel once, on small ones
        small = im.Image(scan[:20, :20, :20], "zyx")
        pipe(image=small, mask=im.Mask(labels[:20, :20, :20], "zyx"), key=f"warm {key}")
    times: dict[str, list[float]] = {"imagemill": [], "batchgeneratorsv2": []}
    for key in range(given.count):
        started = time.process_time()
        pipe(image=im.Image(scan, "zyx"), mask=im.Mask(labels, "zyx"), key=key)
        between = time.process_time()
        peer(image=image, segmentation=mask)
        times["imagemill"].append(between - started)
        times["batchgeneratorsv2"].append(time.process_time() - between)
    for name, found in times.items():
        print(f"{name}: median {1e3 * np.median(found):.0f} ms, mean {1e3 * np.mean(found):.0f} ms of {given.count}")
    middle, mean = (f(times["batchgeneratorsv2"]) / f(times["imagemill"]) for f in (np.median, np.mean))
    print(f"ratio of medians {middle:.1f}, of means {mean:.1f}")


if __name__ == "__main__":
    main()
