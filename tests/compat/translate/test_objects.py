"""Objects of MONAI and TorchIO, by stand-ins that keep what theirs keep; nothing of them is installed here."""

from __future__ import annotations

from typing import Any

import pytest

import imagemill as im
from imagemill.core.errors import InputError


def kind(module: str, name: str, *arguments: str) -> Any:
    """A class whose constructor has arguments of these names, and keeps what it is given by other names."""
    required = "".join(f", {one}=None" for one in arguments)
    space: dict[str, Any] = {"__name__": module}
    exec(f"class {name}:\n    def __init__(self{required}): ...\n    def __call__(self): ...", space)
    made = space[name]

    def build(**kept: Any) -> Any:
        found = made()
        vars(found).update(kept)
        return found

    return build


def monai(name: str, *arguments: str) -> Any:
    return kind("monai.transforms.spatial.array", name, *arguments)


def torchio(name: str, *arguments: str) -> Any:
    return kind("torchio.transforms", name, *arguments)


def said(pipe: im.Pipeline) -> list[str]:
    from imagemill.pipeline.describe import call

    return [call(one) for one in pipe.transforms]


def test_a_transform_of_dictionaries_is_a_shell_around_the_one_that_works() -> None:
    """`RandFlipd` keeps its own chance and a `Flip`; the inner chance is 1."""
    flip = monai("Flip", "spatial_axis")(spatial_axis=1)
    names = ("prob", "mean", "std", "sample_std")
    noise = monai("RandGaussianNoise", *names)(prob=1.0, mean=0.0, std=0.2, sample_std=True)
    steps = (
        monai("RandFlipd", "keys", "prob", "spatial_axis")(keys=("image",), prob=0.25, flipper=flip),
        monai("RandGaussianNoised", "keys", *names)(keys=("image",), prob=0.5, rand_gaussian_noise=noise),
    )
    pipe = im.from_monai(monai("Compose", "transforms")(transforms=steps), seed=1)
    assert said(pipe) == ["Flip(p=0.25, axis='y')", "GaussianNoise(p=0.5, std=(0.0, 0.2))"]


def test_a_shell_is_looked_into_as_deep_as_it_goes() -> None:
    grid = monai("RandAffineGrid", "rotate_range")(
        rotate_range=(0, 0, 0.5), shear_range=(), translate_range=(), scale_range=(0.1, 0.1, 0.1)
    )
    inner = monai("RandAffine", "prob")(prob=1.0, rand_affine_grid=grid, spatial_size=None)
    names = ("keys", "prob", "rotate_range", "shear_range", "translate_range", "scale_range", "spatial_size", "mode")
    outer = monai("RandAffined", *names)(keys=("image",), prob=0.3, rand_affine=inner, mode=("bilinear", "nearest"))
    (made,) = im.from_monai(outer, seed=1).transforms
    assert made.p == 0.3
    turn, zoom = made.children()
    assert turn.degrees.bounds == pytest.approx((-28.6479, 28.6479), abs=1e-3)  # type: ignore[attr-defined]
    assert zoom.factor["z"].bounds == pytest.approx((1 / 1.1, 1 / 0.9))  # type: ignore[attr-defined]


def test_what_an_object_does_not_keep_is_said() -> None:
    shift = monai("RandShiftIntensity", "offsets", "safe", "prob", "channel_wise")(
        offsets=(-0.1, 0.1), prob=0.5, channel_wise=False
    )
    pipe = im.from_monai(shift, seed=1)
    assert said(pipe) == ["GainOffset(p=0.5, alpha=1, beta=(-0.1, 0.1))"]
    assert pipe.notes == ("RandShiftIntensity: the object does not keep safe: taken as by default",)
    with pytest.raises(InputError, match="expected RandScaleIntensity to keep its factors, and it does not"):
        im.from_monai(monai("RandScaleIntensity", "factors", "prob")(prob=0.5))


def test_chances_and_ranges_of_torchio_have_names_of_their_own() -> None:
    steps = [
        torchio("RandomGamma", "log_gamma")(log_gamma_range=(0.0, 0.0), probability=0.5),
        torchio("RandomNoise", "mean", "std")(mean_range=(0, 0), std_range=(0, 0.25), probability=1),
        torchio("RandomBlur", "std")(std_ranges=(0.0, 1.0, 0.0, 1.0, 0.0, 2.0), probability=1),
        torchio("RandomMotion", "degrees", "translation", "num_transforms")(
            degrees_range=(-5, 5), translation_range=(-3, 3), num_transforms=3, probability=1
        ),
    ]
    pipe = im.from_torchio(torchio("Compose", "transforms")(transforms=steps, probability=1), seed=1)
    assert said(pipe) == [
        "Gamma(p=0.5, gamma=1.0)",
        "GaussianNoise(std=(0.0, 0.25))",
        "GaussianBlur(sigma={'z': [0.0, 2.0], 'y': [0.0, 1.0], 'x': [0.0, 1.0]}, unit='millimetres')",
        "MotionArtefact(degrees=(-5.0, 5.0), millimetres=(-3.0, 3.0), count=3)",
    ]


def test_a_choice_of_torchio_is_a_dictionary_of_shares() -> None:
    flips = {torchio("RandomFlip", "axes")(axes=(n,), flip_probability=1, probability=1): 1 - n / 4 for n in (0, 1)}
    (choice,) = im.from_torchio(
        torchio("OneOf", "transforms")(transforms_dict=flips, probability=0.5), seed=1
    ).transforms
    assert (choice.p, choice.weights) == (0.5, (1.0, 0.75))  # type: ignore[attr-defined]


def test_images_that_were_left_out_there_are_named() -> None:
    noise = torchio("RandomNoise", "std", "include")(std_range=(0, 0.1), include=["t1"], probability=1)
    assert im.from_torchio(noise).notes == (
        "RandomNoise: include=['t1'] is left out: every image of a sample is changed, and label maps as ever",
    )
