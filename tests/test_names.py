"""Names from other libraries, slips of the pen and strange values: the answer says what to write, and it works."""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.interop import foreign_names as foreign
from imagemill.transforms.base import REGISTRY
from tests.app.terminal import imagemill

OURS = {name: cls for name, cls in REGISTRY.items() if cls.__module__.startswith("imagemill.")}
PUBLIC = {name: getattr(im, name) for name in im.__all__}

# From the documentation of each library.
FOREIGN = {
    "HorizontalFlip": im.Flip("x", p=0.5),  # Albumentations
    "RandomHorizontalFlip": im.Flip("x", p=0.5),  # torchvision, Kornia
    "Fliplr": im.Flip("x", p=0.5),  # imgaug
    "RandFlipd": im.Flip("x", p=0.5),  # MONAI
    "RandomFlip": im.Flip("x", p=0.5),  # TorchIO, Keras
    "hflip": im.Flip("x", p=0.5),
    "random_horizontal_flip": im.Flip("x", p=0.5),
    "VerticalFlip": im.Flip("y", p=0.5),
    "RandomRotation": im.Rotate((-15, 15)),
    "RandRotated": im.Rotate((-15, 15)),
    "RandomRotate90": im.QuarterTurn(),
    "RandRotate90d": im.QuarterTurn(),
    "RandomTranslation": im.Shift(fraction=(-0.1, 0.1)),
    "RandomZoom": im.Zoom((0.9, 1.1)),
    "CenterCrop": im.Crop((224, 224)),
    "RandomCrop": im.Crop((224, 224), at="random"),
    "PadIfNeeded": im.Pad(size=(256, 256)),
    "DivisiblePadd": im.Pad(multiple_of=32),
    "Resizing": im.Resize((224, 224)),
    "Rescaling": im.Rescale("depth"),
    "ZNormalization": im.Standardize(),
    "NormalizeIntensityd": im.Standardize(),
    "Spacingd": im.Resample(spacing=(1.0, 1.0, 1.0)),
    "RandomGamma": im.Gamma((0.8, 1.25)),
    "ToGray": im.Gray(),
    "RandomGrayscale": im.Gray(p=0.1),
    "RandomBrightnessContrast": im.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2)),
    "FancyPCA": im.Lighting(),
    "InvertImg": im.Invert(),
    "GaussNoise": im.GaussianNoise((0, 0.1)),
    "RandGaussianNoised": im.GaussianNoise((0, 0.1)),
    "RandomErasing": im.Erasing((0.02, 0.33), p=0.5),
    "Cutout": im.CoarseDropout(1, 0.25),
    "RandomBiasField": im.BiasField(),  # TorchIO
    "RandBiasFieldd": im.BiasField(),
    "RandomMotion": im.MotionArtefact(),
    "RandomAnisotropy": im.LowResolution((1.5, 5), one=True),
    "ResizeWithPadOrCropd": im.CropOrPad((224, 224)),
    "ToCanonical": im.Orient("RAS"),
    "Orientationd": im.Orient("RAS"),
    "GaussianSmooth": im.GaussianBlur((0.1, 2)),
    "ImageCompression": im.JPEG((30, 90)),
    "RandomFog": im.Fog(),
    "BBoxSafeRandomCrop": im.BoxSafeCrop(),
    "RandomIoUCrop": im.IoUCrop(),
    "CropForegroundd": im.ForegroundCrop(above=0),
    "RandCropByPosNegLabeld": im.LabelCrop((64, 96, 96), positive=0.5),
    "RandRicianNoised": im.RicianNoise((0, 0.1)),
    "RandomChoice": im.OneOf([im.Flip("x", p=0.5), im.Rotate((-15, 15))]),
}
ABSENT = "RandomSwap RandomGravel RandSwapd AdvancedBlur"


def asked(name: str) -> str:
    with pytest.raises(AttributeError) as caught:
        getattr(im, name)
    assert caught.value.name == name
    return str(caught.value)


@pytest.mark.parametrize("name", FOREIGN)
def test_names_of_other_libraries_say_what_to_write_in_python_and_in_files(name: str) -> None:
    said = asked(name)
    assert said.startswith(f"module 'imagemill' has no attribute {name!r}; write im.")
    assert eval(said.partition("; write ")[2], {"im": im}) == FOREIGN[name]
    with pytest.raises(im.PipelineFileError) as caught:
        im.Pipeline.from_yaml(f"transforms: [{name}]")
    said = str(caught.value).partition("; write ")[2]
    assert im.Pipeline.from_yaml(f"transforms: [{{{said}}}]").transforms == (FOREIGN[name],)


@pytest.mark.parametrize("name", ABSENT.split())
def test_what_is_not_here_is_said_not_to_be_here(name: str) -> None:
    assert "; imagemill has no transform for " in asked(name)
    with pytest.raises(im.PipelineFileError, match="imagemill has no transform for"):
        im.Pipeline.from_yaml(f"transforms: [{name}]")


@pytest.mark.parametrize("code", sorted(set(foreign._TRANSFORMS.values())))
def test_every_advice_can_be_followed(code: str) -> None:
    code = code.removeprefix("~")
    made = eval(code, PUBLIC | {"function": np.invert})
    assert isinstance(made, im.Transform)
    if "Apply" not in code and not code[0].islower():
        in_place = {name: [f.name for f in dataclasses.fields(cls) if not f.kw_only] for name, cls in OURS.items()}
        written = foreign._flow(foreign._tree(code, in_place))
        assert im.Pipeline.from_yaml(f"transforms:\n- {written}").transforms == (made,)


def test_policies_are_functions_that_files_write_out() -> None:
    assert asked("RandAugment") == "module 'imagemill' has no attribute 'RandAugment'; write im.rand_augment()"
    with pytest.raises(im.PipelineFileError, match=r"a policy is written out: im.Pipeline\(\[im.rand_augment\(\)\]\)"):
        im.Pipeline.from_yaml("transforms: [RandAugment]")


def test_no_advice_is_about_a_name_that_is_here() -> None:
    here = {name.lower() for name in im.__all__}
    assert not [name for name in foreign._OTHER if name in im.__all__]
    assert not [name for name in foreign._ABSENT if name in here]
    # Where a name is here it is found behind a prefix only, and means the same class.
    for name, code in foreign._BY_NAME.items():
        if name in here and name != "crop":
            assert re.match(r"~?(\w+)", code)[1].lower().endswith(name)
    # What is no transform names something public.
    for name, said in foreign._OTHER.items():
        first = re.match(r"(\w+)(?:\.(\w+))?", said)
        assert first[1] in im.__all__, name
        assert first[2] is None or hasattr(getattr(im, first[1]), first[2])
    keras = importlib.import_module("imagemill.compat.keras")
    assert all(hasattr(keras, name) for name in foreign._GENERATORS)


def test_slips_of_the_pen_find_the_name() -> None:
    assert asked("Rotat").endswith("did you mean im.Rotate?")
    assert asked("rotate").endswith("did you mean im.Rotate?")
    assert asked("Pipline").endswith("did you mean im.Pipeline?")
    assert asked("Compose").endswith("write im.Pipeline([...])")
    assert asked("ImageDataGenerator").endswith("write from imagemill.compat.keras import ImageDataGenerator")
    assert asked("Zzyzx") == "module 'imagemill' has no attribute 'Zzyzx'"


def imported(name: str) -> str:
    with pytest.raises(ImportError) as caught:
        exec(f"from imagemill import Flip, {name}")
    assert caught.value.name == "imagemill"
    return str(caught.value)


def test_an_import_of_a_name_that_is_not_here_says_the_one_that_was_meant() -> None:
    said = imported("HorizontalFlip")
    assert said == "cannot import name 'HorizontalFlip' from 'imagemill'; write im.Flip(\"x\", p=0.5)"
    assert imported("Rotat").endswith("did you mean im.Rotate?")
    assert imported("rotate as r").endswith("did you mean im.Rotate?")
    assert imported("Zzyzx").startswith("cannot import name 'Zzyzx' from 'imagemill' (")  # in Python's own words
    # Modules are no names of ours, and are found as ever.
    exec("from imagemill import pipeline, jobs, compat")


def test_asking_whether_a_name_is_here_stays_possible() -> None:
    assert not hasattr(im, "HorizontalFlip")
    assert not hasattr(im, "__wrapped__")
    assert getattr(im, "GaussNoise", None) is None


MEANT: list[tuple[Any, str]] = [
    (lambda: im.Rotate(degree=10), r"Rotate \(degrees, .*\), got 'degree'; did you mean 'degrees'\?"),
    (lambda: im.Rotate(limit=10), "got 'limit'; did you mean 'degrees'"),
    (lambda: im.Flip(prob=0.5), "did you mean 'p'"),
    (lambda: im.Zoom(scale=(0.9, 1.1)), "did you mean 'factor'"),
    (lambda: im.RandomResizedCrop(224, scale=(0.5, 1)), "did you mean 'area'"),
    (lambda: im.RandomResizedCrop(224, ratio=(1, 1)), "did you mean 'aspect'"),
    (lambda: im.Shift(translate=0.1), "did you mean 'fraction'"),
    (lambda: im.Resize(height=3, width=4), "did you mean 'size'"),
    (lambda: im.Affine(padding_mode="nearest"), "did you mean 'border'"),
    (lambda: im.Affine(interpolation=1), "did you mean 'order'"),
    (lambda: im.OneOf([im.Flip("x")], probs=[1]), "did you mean 'weights'"),
    (lambda: im.Flip("x", 0.5), r"Flip\(axis\), got 2 values in place; give others by name: mode=.*, p=\.\.\."),
    (lambda: im.Rotate(5, degrees=5), "once, got it in place and by name"),
    (lambda: im.Resize(), r"expected Resize to say size; write Resize\(size=...\)"),
    (lambda: im.Rotate(cheese=1), r"got 'cheese'$"),
]


@pytest.mark.parametrize(("wrong", "message"), MEANT, ids=[m for _, m in MEANT])
def test_parameters_that_are_not_there_name_the_one_that_was_meant(wrong: Any, message: str) -> None:
    with pytest.raises(im.ParameterError, match=message):
        wrong()
    with pytest.raises(TypeError, match=message):  # what Python itself raises
        wrong()


@dataclasses.dataclass(frozen=True, slots=True)
class _Own(im.Transform):
    size: int = 3


class _Made(im.Rotate):
    def __init__(self, amount: float) -> None:
        super().__init__(degrees=amount, wrong=3)


def test_a_transform_of_ones_own_is_answered_too_and_its_own_constructor_left_alone() -> None:
    with pytest.raises(im.ParameterError, match="did you mean 'size'"):
        _Own(siz=4)
    with pytest.raises(TypeError, match="unexpected keyword argument 'cheese'") as caught:
        _Made(cheese=3)
    assert not isinstance(caught.value, im.ImagemillError)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'wrong'"):
        _Made(3)


NEEDED = {
    "name": "fog",
    "size": 4, "transforms": [im.Flip("x")], "mean": 0.5, "dtype": "uint8", "layout": "channels_first",
    "function": np.invert, "edges": [3], "gains": [1, 2], "length": 4, "references": np.eye(3), "chance": {0: 1},
}  # fmt: skip
ODD = [
    None, True, "x", "", -1, 1.5, float("nan"), float("inf"), 10**400, [], [1], [2, 1], [1, 2, 3], ["a", "b"], [[1]],
    {}, {"a": 1}, {"y": "z"}, {"y": 1, 2: 3}, {"choice": 3}, {"uniform": [1]}, {"normal": ["a", "b"]}, (1, (2, 3)),
    [None, 1], np.zeros(3), np.array([1, 2]), object(), b"x",
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(OURS))
def test_no_value_of_a_parameter_leaves_anything_but_an_error_of_ours(name: str) -> None:
    cls = OURS[name]
    given = {f.name: NEEDED[f.name] for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING}
    given |= {"std": 1.0} if name == "Normalize" else {}
    given |= {"transforms": {"cat": [im.Flip("x")]}} if name == "PerClass" else {}
    refused: list[str] = []
    for field in dataclasses.fields(cls):
        for value in ODD:
            try:
                cls(**{**given, field.name: value})
            except im.ParameterError as error:
                refused.append(str(error))
    assert len(refused) > 10
    assert not [said for said in refused if name not in said]


@pytest.mark.parametrize("name", ["HorizontalFlip", "Invert", "RandomRotation", "LongestMaxSize"])
def test_a_transforms_name_in_place_of_a_pipeline_says_which_file_to_write(name: str, tmp_path: Path) -> None:
    said = imagemill("explain", "-p", name)
    assert said.code == 2
    (tmp_path / "alone.yaml").write_text(re.search(r"that says '(.*)'", said.err)[1], "utf-8")
    assert imagemill("explain", "-p", tmp_path / "alone.yaml").code == 0
