"""What no comparison can be made of is said before anything is trained, in a word that helps."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.evaluate.comparisons.compare import Step, compare
from imagemill.evaluate.inputs.arms import read_arms
from imagemill.evaluate.inputs.experiment_data import Data
from imagemill.evaluate.runners.torch_networks import Network, network_named
from tests.evaluate.made_up import sides

FLIP = im.Pipeline([im.Flip("x", p=0.5)], seed=0)
QUICK: dict[str, Any] = {"model": "dense", "epochs": 1, "batch_size": 16, "workers": 0, "seeds": 1}


def never(step: Step) -> None:
    raise AssertionError(f"something was trained: {step}")


def refused(message: str, data: Any = None, arms: Any = None, **more: Any) -> None:
    """It is an error of ours with that message, and nothing was trained."""
    given, chosen = sides() if data is None else data, {"flip": FLIP} if arms is None else arms
    with pytest.raises(im.ImagemillError, match=message):
        compare(given, chosen, **{**QUICK, "progress": never, **more})


def with_images(x: np.ndarray, rows: int = 40) -> tuple[Any, Any]:
    y = np.arange(len(x)) % 2
    return (x[rows:], y[rows:]), (x[:rows], y[:rows])


# ----------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"learning_rate": 0.0}, r"expected a learning_rate above 0, got 0\.0"),
        ({"learning_rate": -1e-3}, "learning_rate above 0"),
        ({"learning_rate": float("nan")}, "learning_rate above 0, got nan"),
        ({"learning_rate": float("inf")}, "learning_rate above 0, got inf"),
        ({"level": 95}, "expected a level between 0 and 1, such as 0.95, got 95"),
        ({"level": 0.0}, "expected a level"),
        ({"workers": -1}, "expected workers of 0 or more, got -1"),
        ({"seeds": 0}, "expected seeds of 1 or more, got 0"),
        ({"epochs": 1.5}, "expected epochs of 1 or more, got 1.5"),
        ({"batch_size": 0}, "expected batch_size of 1 or more, got 0"),
        ({"epochs": True}, "expected epochs of 1 or more, got True"),
        ({"runner": "caffe"}, "expected a runner of .*torch.*, got 'caffe'"),
    ],
)
def test_numbers_that_train_nothing(given: dict[str, Any], message: str) -> None:
    refused(message, **given)


def test_a_batch_larger_than_the_data_is_one_batch() -> None:
    found = compare(sides(20, 10), [FLIP], **{**QUICK, "batch_size": 1000})
    assert found.runs[0].images == 18  # two are held back


# ----------------------------------------------------------------------------------------------- images


def test_pixels_that_are_no_numbers_or_beyond_what_a_picture_holds() -> None:
    x = np.random.default_rng(0).random((90, 8, 8, 1)).astype(np.float32)
    compare(with_images(x), [FLIP], **QUICK)
    gap = x.copy()
    gap[45, 2, 3] = np.nan
    gap[50, 0, 0] = np.inf
    refused(
        "training images of numbers, got NaN or infinity in 2 of 50, the first in training image 5,", with_images(gap)
    )
    gap = x.copy()
    gap[3, 2, 3] = np.nan
    refused("test images of numbers, got NaN or infinity in 1 of 40, the first in test image 3", with_images(gap))
    refused(r"floating-point training images from 0 to 1, got 0\.\d+ to 25\d\.\d+; scale them", with_images(x * 255))
    refused(r"floating-point training images from 0 to 1, got -\d", with_images(x - 0.5))


@pytest.mark.parametrize(("dtype", "channels"), [("uint16", 1), ("uint8", 4), ("uint8", 3), ("uint16", 3)])
def test_sixteen_bits_and_alpha_are_trained_on(dtype: str, channels: int) -> None:
    draws = np.random.default_rng(0)
    x = draws.integers(0, np.iinfo(dtype).max, (90, 8, 8, channels), dtype)
    found = compare(with_images(x), [FLIP], **QUICK)
    assert (found.design["train_images"], found.diverged) == (50, {})


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((90, 8, 8, 1), np.int64),
            "training images that are images, got: .* got int64",
        ),
        (np.zeros((90, 8, 8, 1), bool), "training images that are images, got: .* got bool"),
        (np.zeros((90, 64), np.uint8), r"expected images \[n, y, x, C\], got \(50, 64\)"),
        (np.full((90, 8, 8, 1), None), "training images that are images, got: .* got object"),
        (np.zeros((90, 0, 8, 1), np.uint8), "training images that are images, got: .* empty array"),
    ],
)
def test_arrays_that_are_no_images(images: np.ndarray, message: str) -> None:
    refused(message, with_images(images))


def test_images_of_many_sizes_in_a_list() -> None:
    x = [np.zeros((8 + n % 3, 8, 1), np.uint8) for n in range(90)]
    refused("train images of one size and type, got a list that is no array", ((x, [0, 1] * 45), (x, [0, 1] * 45)))


def test_labels_that_are_no_numbers_from_zero() -> None:
    (x, y), test = sides().train, sides().test
    refused("a number from 0 for each train image, got float64", ((x, y + 0.5), test))
    refused(r"a number from 0 for each train image, got int64 \(64, 2\)", ((x, np.eye(2, dtype=int)[y]), test))
    refused("a number from 0 for each train image, got <U", ((x, y.astype(str)), test))
    refused("expected test labels from 0 to 1, got 0 to 2", ((x, y), (test[0], test[1] + (np.arange(40) == 1))))


# ------------------------------------------------------------------------------- what figures mean less for


def test_test_images_that_were_trained_on_are_counted(tmp_path: Path) -> None:
    data = sides(64, 40)
    leaked = Data(data.train, (np.concatenate([data.test[0][:-3], data.train[0][3:6]]), data.test[1]), data.classes)
    found = compare(leaked, [FLIP], out=tmp_path / "out", **QUICK)
    note = "3 of 40 test images are among the training images, pixel for pixel: they can be right by heart; split again"
    assert found.notes == (note,)
    assert note in repr(found)
    assert json.loads((tmp_path / "out" / "results.json").read_text())["notes"] == [note]
    assert compare(data, [FLIP], **QUICK).notes == ()


def test_three_test_images_and_classes_that_differ_only_in_case_are_said() -> None:
    data = sides(64, 3, classes=("Cat", "cat"))
    found = compare(data, [FLIP], **{**QUICK, "seeds": 3})
    assert found.notes == (
        "3 test images: one more that is right is 33.3 points; test on more",
        "classes that differ only in case are taken for different ones: Cat, cat",
    )
    assert len(found.effects) == 1


# ----------------------------------------------------------------------------------------------- arms


def test_a_pipeline_that_fails_on_one_image_of_many_is_found_before_training() -> None:
    x = np.random.default_rng(1).integers(0, 200, (1340, 8, 8, 1)).astype(np.uint8)
    x[40 + 1234, 0, 0] = 255  # the only white one

    def picky(values: np.ndarray) -> np.ndarray:
        if values.max() == 255:
            raise ZeroDivisionError("white")
        return values

    message = (
        "expected arm 'picky' to run on the training images, got ZeroDivisionError: white with training image 1234,"
    )
    refused(message, with_images(x), {"picky": im.Pipeline([im.Apply(picky)])})
    x[7, 0, 0] = 255
    message = "stressed population 'picky' to run on the test images, got ZeroDivisionError: white with test image 7,"
    refused(message, with_images(x), stress={"picky": im.Pipeline([im.Apply(picky)])})


def test_a_pipeline_that_gives_no_numbers_another_size_or_type() -> None:
    x = np.random.default_rng(0).random((90, 8, 8, 1)).astype(np.float32)
    x[47] = 0

    def shares(values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return values / values.max()

    refused("arm 'shares' to give numbers, got NaN or infinity in training image 7,", with_images(x), {
        "shares": im.Pipeline([im.Apply(shares)])
    })  # fmt: skip
    refused("keep images of 8x8x1, got 6x6x1; end it with Resize", None, {"cut": im.Pipeline([im.Crop(6)])})
    for last in (im.Normalize([0.5], [0.2]), im.Rescale(), im.ToDtype("float32")):
        refused("give uint8 as it gets, got float32; leave Rescale, Normalize", None, {"a": im.Pipeline([last])})
    refused("keep images of 8x8x1, got 1x8x8", None, {"first": im.Pipeline([im.ToLayout("channels_first")])})


def test_a_pipeline_with_a_seed_of_its_own_is_drawn_by_the_seeds_of_the_comparison() -> None:
    one, other = (im.Pipeline([im.Rotate((-20, 20))], seed=seed) for seed in (1, 2))
    found = [compare(sides(), {"turned": arm}, **QUICK).to_dict() for arm in (one, other)]
    assert found[0] == found[1]


def test_names_of_presets_are_arms_in_the_size_of_the_images(tmp_path: Path) -> None:
    found = compare(sides(), ["gray"], **QUICK)
    assert list(found.design["arms"]) == ["none", "gray"]
    (_, arm) = read_arms(["gray"], (8, 8))
    assert arm.pipeline is not None
    assert arm.pipeline.transforms == im.preset("gray", 8).transforms
    (_, wide) = read_arms(["photo"], (8, 12))
    assert wide.pipeline is not None
    assert wide.pipeline(np.zeros((8, 12, 3), np.uint8)).shape == (8, 12, 3)
    (tmp_path / "gray.yaml").write_text("transforms: [Flip: {axis: y}]")
    refused(r"expected another name for each arm, got \['gray'\] twice", None, ["gray", tmp_path / "gray.yaml"])
    for name, message in [
        ("grey", "expected a pipeline file or a preset of photo, .*, got 'grey'; did you mean 'gray'?"),
        ("quite-else", "got 'quite-else'; check the name or the path"),
        ("absent.yaml", "absent.yaml"),
        (7, "expected a pipeline, a file or a preset for each arm, got 7"),
    ]:
        refused(message, None, [name])
    refused("absent.yaml", stress=["absent.yaml"])


# ----------------------------------------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.exit(3)", "to load, got SystemExit: 3; mend the file"),
        ("def build(:", "to load, got SyntaxError"),
        (
            "def build(shape, classes):\n    raise KeyError('depth')",
            r"build.* of 'mine' to give a network, got KeyError",
        ),
        ("def build(shape, classes):\n    raise SystemExit", r"of 'mine' to give a network, got SystemExit"),
        ("def build(shape):\n    ...", "to give a network, got TypeError: build"),
        (
            "import torch\ndef build(shape, classes):\n    return torch.nn.Linear(7, classes)",
            r"network 'mine' to take images \[2, 1, 8, 8\], got RuntimeError: .*; mend its layers",
        ),
    ],
)
def test_a_model_file_that_ends_the_program_or_fails(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    refused(message, model=tmp_path / "mine.py")


def test_what_a_model_file_prints_is_not_what_the_command_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text("print('loading')\ndef build(shape, classes): ...")
    network_named(tmp_path / "mine.py")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "loading\n")


def fragile(*, when: Any) -> Network:
    """A network whose loss, or answers, are no numbers when it is told so."""

    def build(shape: Any, classes: int) -> Any:
        class Fragile(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.last = torch.nn.Linear(shape[1] * shape[2], classes)

            def forward(self, x: Any) -> Any:
                told = self.last(x.flatten(1))
                return told / 0 if when(self, x) else told

        return Fragile()

    return Network("fragile", build)


def test_an_arm_that_diverges_with_one_seed_is_compared_over_the_others(tmp_path: Path) -> None:
    white = im.Pipeline([im.Brightness(4)], seed=0)
    lost = torch.initial_seed

    def with_seed_one(module: Any, x: Any) -> bool:
        return bool(module.training and lost() == 1 and x.max() > 0.99)

    asked = {**QUICK, "seeds": 4, "model": fragile(when=with_seed_one), "out": tmp_path}
    found = compare(sides(), {"white": white, "flip": FLIP}, **asked)
    assert found.diverged == {"white": (1,)}
    assert (found.effect("white").here.pairs, found.effect("flip").here.pairs) == (3, 4)
    assert len(found.metrics["white", "clean"]) == 3
    assert "white: diverged with seeds 1" in repr(found)
    assert json.loads((tmp_path / "results.json").read_text())["effects"][0]["these_images"]["pairs"] == 3
    # From what was kept, the same.
    assert compare(sides(), {"white": white, "flip": FLIP}, **asked).to_dict() == found.to_dict()


def test_answers_that_are_no_numbers_are_those_of_a_network_that_diverged(tmp_path: Path) -> None:
    def asked_about(module: Any, x: Any) -> bool:
        return bool(not module.training and len(x) == 40)  # the test images, and nothing else

    found = compare(sides(), [FLIP], out=tmp_path, **{**QUICK, "model": fragile(when=asked_about)})
    assert found.diverged == {"none": (0,), "pipeline-1": (0,)}
    json.loads((tmp_path / "results.json").read_text())


# ----------------------------------------------------------------------------------------------- wild


def prepared(path: Path, data: Data, names: tuple[str, ...]) -> Path:
    im.prepare(im.from_arrays(*data.train, classes=names), path, split=(1.0, 0.0, 0.0))
    return path


def test_wild_images_of_some_of_the_classes_and_of_others(tmp_path: Path) -> None:
    data = sides(60, 20, classes=("left", "right"))
    only = Data((data.train[0][::2], data.train[1][::2] * 0), data.test, data.classes)
    found = compare(data, [FLIP], wild=prepared(tmp_path / "some", only, ("left",)), **QUICK)
    assert found.design["test_images"]["wild"] == 30
    assert np.isnan(found.metrics["none", "wild"][0].recall[1])
    cased = prepared(tmp_path / "cased", data, ("Left", "RIGHT"))
    refused(r"got \['Left', 'RIGHT'\] too; rename them, as they differ only in case", data, wild=cased)
    other = prepared(tmp_path / "other", data, ("left", "up"))
    refused(r"expected wild images of the classes left, right, got \['up'\] too; leave those out", data, wild=other)


# ----------------------------------------------------------------------------------------------- OUT


def test_an_empty_folder_is_taken_and_one_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    compare(sides(), [FLIP], out=tmp_path / "empty", **QUICK)
    assert (tmp_path / "empty" / "results.json").is_file()
    (tmp_path / "file").write_text("x")
    refused("expected a folder to write to, got the file", out=tmp_path / "file")
    refused("expected a disk that takes the file, got .*file", out=tmp_path / "file" / "out")
    (tmp_path / "empty" / "notes").mkdir()
    compare(sides(), [FLIP], out=tmp_path / "empty", **QUICK)  # what others put beside is left alone


def test_a_full_disk_says_so_and_what_was_kept_is_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved, count = np.savez, 0

    def full(file: Any, **arrays: Any) -> None:
        nonlocal count
        count += 1
        if count == 2:
            file.write(b"PK")
            raise OSError(errno.ENOSPC, "No space left on device")
        saved(file, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(
            im.ImagemillError, match=r"flip-0\.npz: expected a disk that takes the file, got .*No space"
        ):
            compare(sides(), {"flip": FLIP}, out=tmp_path, **QUICK)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["none-0.npz"]
    seen: list[Step] = []
    compare(sides(), {"flip": FLIP}, out=tmp_path, **{**QUICK, "progress": seen.append})
    assert [step.said is None for step in seen] == [True, False]


def test_kept_files_that_are_broken_are_named_before_anything_is_trained(tmp_path: Path) -> None:
    compare(sides(), {"flip": FLIP}, out=tmp_path, **QUICK)
    (tmp_path / "results.json").write_text("{")  # made anew: nothing is read from it
    whole = (tmp_path / "runs" / "flip-0.npz").read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"no archive", whole[:100] + b"\0" * 400 + whole[500:]):
        (tmp_path / "runs" / "flip-0.npz").write_bytes(broken)
        refused(
            r"flip-0\.npz to hold a run, got a broken file .*; delete that file, and it is trained again", out=tmp_path
        )
    (tmp_path / "runs" / "flip-0.npz").unlink()
    torn = tmp_path / "runs" / ".flip-0.npz.1f-0123abcd.part"
    torn.write_bytes(whole[:50])
    seen: list[Step] = []
    compare(sides(), {"flip": FLIP}, out=tmp_path, **{**QUICK, "progress": seen.append})
    assert [(step.arm, step.said is None) for step in seen] == [("none", True), ("flip", False)]
    assert not torn.exists()
    json.loads((tmp_path / "results.json").read_text())
    for text in ("{", "[]", ""):
        (tmp_path / "design.json").write_text(text)
        refused(
            "design.json to hold the design of a comparison, got a broken file .*; take another folder", out=tmp_path
        )
