"""Whole comparisons on a task of two sides: verdicts, pairing, resuming, and what is refused before training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.evaluate.comparisons.compare import Step, compare
from imagemill.evaluate.inputs.arms import Arm, populations
from imagemill.evaluate.inputs.experiment_data import Data, read_data
from imagemill.evaluate.runners.recipe import Recipe, held_back
from imagemill.evaluate.runners.torch_networks import NETWORKS, Network, network_named
from imagemill.evaluate.runners.torch_runner import train
from tests.evaluate.made_up import sides

FLIP = im.Pipeline([im.Flip("x", p=0.5)], seed=0)
SHIFT = im.Pipeline([im.Shift(pixels={"y": (-1, 1)}, whole=True)], seed=0)
QUICK: dict[str, Any] = {"model": "dense", "epochs": 2, "batch_size": 16, "workers": 0}


def test_an_arm_that_mixes_the_classes_up_is_called_harmful() -> None:
    found = compare(sides(160), {"mirrored": FLIP, "shifted": SHIFT}, seeds=8, **QUICK)
    assert [arm for arm, _ in found.metrics] == ["none", "mirrored", "shifted"]
    harm = found.effect("mirrored")
    assert harm.here.verdict == "harms", harm
    assert harm.here.high < 0
    assert found.effect("shifted").here.verdict != "harms"
    assert "mirrored on clean test images: harms" in repr(found)


def test_the_arms_of_a_seed_share_weights_order_and_validation_and_seeds_do_not() -> None:
    data, network, recipe = sides(), NETWORKS["dense"], Recipe(1, 16, workers=0)
    asked = populations(*data.test, ())
    still = im.Pipeline([im.Rotate(0)], seed=99)  # does nothing, under a seed of its own

    def answers(arm: Arm, seed: int) -> np.ndarray:
        return train(arm, network, data.train, asked, 2, seed, recipe).probabilities["clean"]

    bare = answers(Arm("none"), 0)
    np.testing.assert_array_equal(bare, answers(Arm("none"), 0))
    np.testing.assert_array_equal(bare, answers(Arm("still", still), 0))
    assert not np.array_equal(bare, answers(Arm("none"), 1))


def test_validation_images_are_as_many_of_every_class_and_others_for_every_seed() -> None:
    labels = np.repeat([0, 1, 2], [40, 20, 2])
    held = []
    for seed in range(4):
        kept, back = held_back(labels, 0.1, seed)
        assert sorted([*kept, *back]) == list(range(62))
        assert np.bincount(labels[back]).tolist() == [4, 2, 1]
        held.append(tuple(back))
    assert len(set(held)) == 4
    assert len(held_back(labels, 0.0, 0)[1]) == 0


def test_the_same_result_with_more_threads_that_augment() -> None:
    found = [compare(sides(), [FLIP], seeds=1, **{**QUICK, "workers": w}).to_dict() for w in (0, 2)]
    assert found[0] == found[1]


def test_stressed_images_are_asked_about_and_what_each_network_said_is_kept(tmp_path: Path) -> None:
    found = compare(sides(), [FLIP], seeds=1, stress=["invert", "shift:4px"], out=tmp_path / "out", **QUICK)
    assert {population for _, population in found.metrics} == {"clean", "invert", "shift:4px"}
    # Inverted, the dark side is bright: what is right turns wrong.
    clean, inverted = (found.metrics["none", name][0].accuracy for name in ("clean", "invert"))
    assert clean > 0.9
    assert inverted < 0.1
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    assert held["design"]["test_images"] == {"clean": 40, "invert": 40, "shift:4px": 40}
    assert len(held["metrics"]) == 6
    assert (tmp_path / "out" / "table.md").read_text().startswith("| arm | clean | invert | shift:4px |")


def test_stressed_populations_of_pipelines_have_the_names_that_are_given() -> None:
    dark, turned = im.Pipeline([im.Brightness(0.5)]), im.Pipeline([im.QuarterTurn(1)])
    found = compare(sides(32, 10), [FLIP], seeds=1, stress={"dark": dark, "turned": turned}, **QUICK)
    assert {population for _, population in found.metrics} == {"clean", "dark", "turned"}
    with pytest.raises(im.InputError, match="got 'stressed' twice; name them"):
        compare(sides(32, 10), [FLIP], seeds=1, stress=[dark, turned], **QUICK)


class _Stopped(BaseException):
    pass


@pytest.mark.parametrize("after", range(1, 8))
def test_a_comparison_that_was_stopped_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, after: int) -> None:
    whole = compare(sides(32, 10), [FLIP], seeds=2, out=tmp_path / "whole", **QUICK)
    calls: list[Step] = []

    def stop(step: Step) -> None:
        calls.append(step)
        if len(calls) == after:
            raise _Stopped

    with pytest.raises(_Stopped):
        compare(sides(32, 10), [FLIP], seeds=2, out=tmp_path / "twice", progress=stop, **QUICK)
    done = len(list((tmp_path / "twice" / "runs").glob("*.npz")))
    assert done == after // 2  # a run is kept before its last epoch is told
    again: list[Step] = []
    compare(sides(32, 10), [FLIP], seeds=2, out=tmp_path / "twice", progress=again.append, **QUICK)
    assert sum(step.said is None for step in again) == done  # these were there
    results = [(tmp_path / name / "results.json").read_bytes() for name in ("whole", "twice")]
    assert results[0] == results[1]
    assert json.loads(results[0]) == json.loads(json.dumps(whole.to_dict()))


def test_more_seeds_go_on_from_those_that_are_there_and_another_design_is_refused(tmp_path: Path) -> None:
    compare(sides(32, 10), [FLIP], seeds=1, out=tmp_path, **QUICK)
    seen: list[Step] = []
    compare(sides(32, 10), [FLIP], seeds=2, out=tmp_path, progress=seen.append, **QUICK)
    assert [step.said is None for step in seen if step.seed == 0] == [True, True]
    with pytest.raises(im.InputError, match="got another recipe"):
        compare(sides(32, 10), [FLIP], seeds=2, out=tmp_path, **{**QUICK, "epochs": 3})
    with pytest.raises(im.InputError, match="got another data"):
        compare(sides(34, 10), [FLIP], seeds=2, out=tmp_path, **QUICK)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(im.InputError, match="expected an empty folder"):
        compare(sides(32, 10), [FLIP], seeds=2, out=tmp_path / "other", **QUICK)


def test_an_arm_that_diverges_is_said_to_and_the_others_go_on() -> None:
    limit = 0.99

    def build(shape: Any, classes: int) -> Any:
        class Fragile(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.last = torch.nn.Linear(shape[1] * shape[2], classes)

            def forward(self, x: Any) -> Any:
                told = self.last(x.flatten(1))
                return told / 0 if self.training and x.max() > limit else told

        return Fragile()

    white = im.Pipeline([im.Brightness(4)], seed=0)
    found = compare(sides(), {"white": white, "shifted": SHIFT}, **{**QUICK, "model": Network("fragile", build)})
    assert found.diverged == {"white": (0, 1, 2)}
    assert [effect.arm for effect in found.effects] == ["shifted"]
    assert "white: diverged with seeds 0, 1, 2" in repr(found)
    assert "| white | diverged |" in found.table()
    json.dumps(found.to_dict(), allow_nan=False)
    limit = 0.0  # now nothing trains
    lost = compare(sides(), {"white": white}, **{**QUICK, "model": Network("fragile", build)})
    assert set(lost.diverged) == {"none", "white"}
    assert "can detect: nothing: no seed trained both" in repr(lost)


def test_what_does_not_fit_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    data = sides()

    def never(step: Step) -> None:
        raise AssertionError(step)

    wrong: list[tuple[Any, Any, dict[str, Any], str]] = [
        (data, [im.Pipeline([im.Resize(4)])], {}, "keep images of 8x8x1, got 4x4x1; end it with Resize"),
        (data, [im.Pipeline([im.ToDtype("float32")])], {}, "give uint8 as it gets, got float32; leave Rescale"),
        (data, [im.Pipeline([im.Flip("z")])], {}, "expected arm 'pipeline-1' to run on the training images"),
        (data, [], {}, "expected a pipeline to compare with no augmentation"),
        (data, {"none": FLIP}, {}, r"another name for each arm, got \['none'\] twice"),
        (data, {"a/b": FLIP}, {}, "names of arms that a file can have"),
        (data, [FLIP], {"model": "vgg"}, "expected a model of dense"),
        (data, [FLIP], {"stress": ["shift:far"]}, "in numbers, such as shift:4px"),
        (data, [FLIP], {"stress": ["blurr"]}, "did you mean 'blur'"),
        (data, [FLIP], {"seeds": 0}, "expected seeds of 1 or more, got 0"),
        (
            sides(65, 2, classes=("left", "right", "up")),
            [FLIP],
            {},
            "every class in the test part, got none",
        ),
        (sides(3), [FLIP], {}, r"two training images or more of every class, got one"),
        (data, [FLIP], {"model": "cnn"}, "images of at least 12 pixels a side"),
    ]
    for given, arms, more, message in wrong:
        with pytest.raises(im.InputError, match=message):
            compare(given, arms, progress=never, out=tmp_path / "out", **{**QUICK, **more})


def test_a_model_file_is_run_and_its_faults_are_said(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\n"
        "def build(shape, classes):\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(shape[1] * shape[2], classes))\n"
    )
    assert compare(sides(), [FLIP], seeds=1, **{**QUICK, "model": file}).design["model"] == "mine"
    for text, message in [
        ("import no_such_module", "to load, got ModuleNotFoundError"),
        ("x = 1", r"to define build\(shape, classes\)"),
        ("OPTIMIZER = 'sgd'\ndef build(s, c): ...", "to be 'rmsprop' or 'adam', got 'sgd'"),
    ]:
        file.write_text(text)
        with pytest.raises(im.InputError, match=message):
            network_named(file)
    file.write_text("def build(shape, classes):\n    return 3\n")
    with pytest.raises(im.InputError, match=r"to give a torch\.nn\.Module, got int"):
        compare(sides(), [FLIP], seeds=1, **{**QUICK, "model": file})
    with pytest.raises(im.InputError, match="got no file"):
        network_named(tmp_path / "absent.py")


def test_a_prepared_dataset_is_compared_on_its_own_parts_and_wild_images_join(tmp_path: Path) -> None:
    data = sides(60, 1)
    source = im.from_arrays(*data.train, classes=data.classes)
    im.prepare(source, tmp_path / "set", split=(0.6, 0.0, 0.4))
    read = read_data(tmp_path / "set")
    assert (len(read.train[1]), len(read.test[1]), read.classes) == (36, 24, ("left", "right"))
    found = compare(tmp_path / "set", [FLIP], seeds=1, wild=tmp_path / "set", **QUICK)
    assert found.design["test_images"] == {"clean": 24, "wild": 60}
    with pytest.raises(im.InputError, match="expected a prepared dataset"):
        read_data(im.open(source))
    # A validation part is not left out without a word: it joins what is trained on.
    im.prepare(source, tmp_path / "three", split=(0.4, 0.2, 0.4))
    assert len(read_data(tmp_path / "three").train[1]) == 36
    im.prepare(source, tmp_path / "one", split=(1.0, 0.0, 0.0))
    with pytest.raises(im.InputError, match="expected a part 'test'"):
        read_data(tmp_path / "one")


def test_classes_without_images_in_the_test_part_never_reach_training() -> None:
    data = sides()
    alone = Data(data.train, (data.test[0][:4], np.zeros(4, np.int64)), data.classes)
    with pytest.raises(im.InputError, match=r"in the test part, got none of \['right'\]"):
        compare(alone, [FLIP], **QUICK)


def test_arrays_are_compared_as_people_hold_them() -> None:
    (x, y), test = sides().train, sides().test
    found = compare(((x[..., 0], y.astype(np.uint8)), (test[0][..., 0], test[1])), [FLIP], seeds=1, **QUICK)
    assert (found.design["train_images"], found.design["classes"]) == (64, ["0", "1"])
    unlabelled = np.where(np.arange(len(y)) == 3, -1, y)
    wrong: list[tuple[Any, str]] = [
        ((x, y), r"expected \(\(x_train, y_train\), \(x_test, y_test\)\)"),
        (((x, unlabelled), test), "train labels from 0 to 1, got -1 to 1; -1 is an image without a label"),
        (((x, y[:-1]), test), "a number from 0 for each train image"),
        (((x, y.astype(float)), test), "a number from 0 for each train image, got float64"),
        (((x[:, None], y), test), r"expected images \[n, y, x, C\]"),
        (((x[:, :4], y), test), "training and test images alike"),
    ]
    for given, message in wrong:
        with pytest.raises(im.InputError, match=message):
            compare(given, [FLIP], **QUICK)
