"""How programs are walked through: conditions, loops, functions and where names come from."""

from __future__ import annotations

from typing import Any

import pytest

import imagemill as im
from imagemill.compat.translate.readers.source_text import pipelines_in
from imagemill.core.errors import InputError

REFERENCE = """
import transforms as T
def get_transform(train):
    transforms = []
    transforms.append(T.ToTensor())
    if train:
        transforms.append(T.RandomHorizontalFlip(0.5))
    return T.Compose(transforms)
"""


def names(pipe: im.Pipeline) -> list[str]:
    return [type(transform).__name__ for transform in pipe.transforms]


def test_both_ways_of_a_condition_are_walked() -> None:
    """A copy of the library's own file, as its detection references have it, is that library."""
    with pytest.raises(InputError, match=r"there are get_transform \(train\), get_transform \(not train\)"):
        im.from_torchvision(REFERENCE)
    assert names(im.from_torchvision(REFERENCE, name="get_transform (train)")) == ["Rescale", "ToLayout", "Flip"]
    assert names(im.from_torchvision(REFERENCE, names={"train": False})) == ["Rescale", "ToLayout"]


def test_conditions_are_said_by_their_text() -> None:
    text = """
def build(cfg):
    steps = [A.HorizontalFlip()] if cfg.level == 2 else []
    return A.Compose(steps + ([A.Blur()] if cfg.blur else []) + [A.Transpose()])
"""
    pipe = im.from_albumentations(text, names={"cfg.level == 2": True, "cfg.blur": False})
    assert names(pipe) == ["Flip", "Transpose"]
    assert len(pipelines_in(text)) == 4


def test_branches_that_change_no_pipeline_are_no_ways() -> None:
    noise = "".join(f"if args.flag{n}:\n    print({n})\n" for n in range(40))
    assert list(pipelines_in(noise + "t = A.Compose([A.Blur()])\n")) == ["t"]


def test_functions_of_the_program_are_followed() -> None:
    text = """
def noise(p):
    return A.OneOf([A.GaussNoise(p=1), A.MedianBlur(p=1)], p=p)

class Settings:
    size = 32
    def tail(self):
        return [A.Normalize(), A.ToTensorV2()]
    def build(self, strong=True):
        steps = [A.Resize(self.size, self.size)]
        for limit in (5, 10):
            steps.append(A.Rotate(limit, p=1))
        if not strong:
            steps.pop()
        return A.Compose([noise(0.25), *steps, *self.tail()])
"""
    pipe = im.from_albumentations(text, name="build")
    assert names(pipe) == ["OneOf", "Resize", "Rotate", "Rotate", "Normalize", "ToLayout"]
    assert pipe.transforms[0].p == 0.25
    assert pipe.transforms[3].degrees.bounds == (-10, 10)  # type: ignore[attr-defined]


def test_what_is_put_in_later_is_there() -> None:
    text = """
t = T.Compose([T.RandomCrop(32, padding=4), T.ToTensor()])
t.transforms.insert(0, T.RandomHorizontalFlip())
if cut:
    t.transforms.append(T.RandomErasing())
"""
    assert names(im.from_torchvision(text, names={"cut": True})) == [
        "Flip",
        "Pad",
        "Crop",
        "Rescale",
        "ToLayout",
        "Erasing",
    ]
    assert names(im.from_torchvision(text, names={"cut": False}))[-1] == "ToLayout"


@pytest.mark.parametrize(
    "text",
    [
        "make = lambda size: A.Compose([A.Resize(8, 8), A.Blur()])",
        "class Aug:\n    def go(self, x):\n        return A.Compose([A.Resize(8, 8), A.Blur()])(image=x)['image']",
        "steps = [dict(type='Resize', height=8, width=8), dict(type='Blur')]",
        "steps = [A.Resize(8, 8)]\nsteps.extend([A.Blur()])",
        "def a():\n    yield 1\nt, u = A.Compose([A.Resize(8, 8), A.Blur()]), 3",
        "try:\n    import a\nexcept E:\n    pass\nwith open('x') as f:\n    t = A.Compose([A.Resize(8, 8), A.Blur()])",
        "Shrink = A.Resize\nt = A.Compose([Shrink(8, 8), A.core.composition.OneOf([A.Blur(p=1)], p=0.5)])",
        "from albumentations import Compose as Together, Resize, Blur\nt = Together([Resize(8, 8), Blur()])",
        "match kind:\n    case _:\n        t = A.Compose([A.Resize(8, 8), A.Blur()])",
        "t = {name: A.Compose([A.Resize(8, 8), A.Blur()]) for name in ['one']}",
    ],
)
def test_ways_to_write_the_same(text: str) -> None:
    made = names(im.from_albumentations("\n" + text + "\n"))
    assert made[0] == "Resize"
    assert made[1] in ("BoxBlur", "OneOf")


def test_a_name_of_elsewhere_is_not_taken_for_the_librarys() -> None:
    text = """
from torchvision import transforms
from mine import GaussianBlur
class Cutout(torch.nn.Module):
    pass
t = transforms.Compose([transforms.ToTensor(), GaussianBlur(3), Cutout(8)])
"""
    with pytest.warns(UserWarning, match=r"GaussianBlur .* from mine, not .*Cutout .* a class of the program"):
        assert names(im.from_torchvision(text)) == ["Rescale", "ToLayout"]


def test_defaults_of_the_command_line_are_taken() -> None:
    text = """
parser = argparse.ArgumentParser()
parser.add_argument('-s', '--img-size', type=int, default=48)
args = parser.parse_args()
t = T.Compose([T.Resize((args.img_size, args.img_size))])
"""
    assert im.from_torchvision(text).transforms[0].size == (48, 48)  # type: ignore[attr-defined]
    assert im.from_torchvision(text, names={"args.img_size": 24}).transforms[0].size == (24, 24)  # type: ignore[attr-defined]


def test_all_that_is_not_known_is_asked_for_at_once() -> None:
    text = "A.Compose([A.Resize(*cfg.size), A.Normalize(cfg.mean, cfg.std)])"
    said = r"Resize .*got cfg.size; Normalize .*got cfg.mean, cfg.std; say them: names=\{'cfg.size': ..., 'cfg.mean'"
    with pytest.raises(InputError, match=said):
        im.from_albumentations(text)
    with pytest.raises(InputError, match="expected conditions that are known, got 'big'"):
        im.from_albumentations("A.Compose([A.Blur() if big else A.Transpose()])")


def test_nothing_that_has_a_counterpart_is_an_error() -> None:
    with pytest.raises(InputError, match="expected a transform that has a counterpart here, got 1 transform"):
        im.from_albumentations("A.Compose([A.Nonsense()])")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("A.Rotate(5), A.IAASharpen()", "mirror"),
        ("A.Rotate(5), A.GaussNoise(var_limit=(10, 50))", "mirror"),
        ("A.Rotate(5), A.RandomResizedCrop(8, 8)", "mirror"),
        ("A.Rotate(5), A.GaussNoise(std_range=(0.1, 0.2))", "constant"),
    ],
)
def test_the_version_is_told_by_names_and_arguments(text: str, version: str) -> None:
    pipe = im.from_albumentations(f"A.Compose([{text}])")
    assert pipe.transforms[0].border == version  # type: ignore[attr-defined]
    assert any("read as Albumentations 1" in note for note in pipe.notes) == (version == "mirror")


@pytest.mark.parametrize(
    ("function", "made"),
    [
        ("lambda x: x * 2 - 1", "Normalize(mean=(0.5,), std=(0.5,), scale='none')"),
        ("lambda t: (t - 0.5) / 0.25", "Normalize(mean=(0.5,), std=(0.25,), scale='none')"),
        ("lambda x: 1 - x", "Invert()"),
        ("lambda x: x.repeat(3, 1, 1)", None),
        ("lambda img: img.convert('RGB')", None),
        ("lambda x: torch.cat([x, x, x], 0)", None),
    ],
)
def test_functions_of_one_line(function: str, made: str | None) -> None:
    from imagemill.pipeline.describe import call

    pipe = im.from_torchvision(f"T.Compose([T.ToTensor(), T.Lambda({function})])")
    assert [call(one) for one in pipe.transforms[2:]] == ([] if made is None else [made])


@pytest.mark.parametrize(
    "function", ["lambda x: x ** 2", "lambda x: x * x", "lambda img: img.convert('L')", "crop", "f(3)"]
)
def test_functions_that_have_to_be_run(function: str) -> None:
    with pytest.warns(UserWarning, match=r"has to be run to be known; put imagemill.Apply\(function\)"):
        im.from_torchvision(f"T.Compose([T.ToTensor(), T.Lambda({function})])")


def test_a_bundle_refers_to_other_places() -> None:
    flips: list[dict[str, Any]] = [
        {"_target_": "RandFlipd", "keys": "@key", "prob": 0.5, "spatial_axis": n} for n in range(2)
    ]
    bundle = {
        "key": "image",
        "train": {
            "fixed": [{"_target_": "Orientationd", "keys": "@key", "axcodes": "RAS"}],
            "random": flips,
            "preprocessing": {"_target_": "Compose", "transforms": "$@train#fixed + @train#random"},
        },
        "validate": {"preprocessing": {"_target_": "Compose", "transforms": "@train::fixed"}},
    }
    assert names(im.from_monai(bundle, name="train#preprocessing")) == ["Orient", "Flip", "Flip"]
    assert names(im.from_monai(bundle, name="validate#preprocessing")) == ["Orient"]
    with pytest.raises(InputError, match="got 2; say which: name='train#preprocessing'"):
        im.from_monai(bundle)
