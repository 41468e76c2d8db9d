"""Pipelines are written and read exactly; what cannot be read is named, with the nearest known word."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import imagemill as im
from imagemill.testing import pipelines

NESTED = im.Pipeline(
    [
        im.OneOf(
            [
                im.Sequential([im.Flip("x"), im.Rotate(im.Normal(0, 5.5), order=3)], p=0.5),
                im.SomeOf(
                    [im.Zoom(im.LogUniform(0.5, 2)), im.Shift(pixels={"x": (-3, 3), "y": 1})], count=im.Choice((1, 2))
                ),
                im.Affine(matrix=[[1, 0, 2.5], [0, 1, 0], [0, 0, 1]], border="constant", fill=0.1, mask_fill=3),
            ],
            weights=[1, 2.5, 1e-7],
        ),
        im.ToneGain([64, 128.5], [(0.5, 1), im.Choice((1, 2), (1, 3)), 1]),
        im.Lighting(1, basis=([0.3, 0.2, 0.1], [[1, 0, 0], [0, 1, 0], [0, 0, 1]])),
        im.Pad((1, 2, 3, 4)),
        im.Resize((8,)),
        im.Normalize((0.1, 0.2, 0.3), (1, 2, 3), scale="none"),
        im.ToLayout("channels_first"),
    ],
    seed=2**64 - 1,
)
FORMS = {"dict": (im.Pipeline.to_dict, im.Pipeline.from_dict)} | {
    "json": (im.Pipeline.to_json, im.Pipeline.from_json),
    "yaml": (im.Pipeline.to_yaml, im.Pipeline.from_yaml),
}


@pytest.mark.parametrize("form", FORMS)
def test_nested_pipelines_come_back_exactly(form: str) -> None:
    write, read = FORMS[form]
    again = read(write(NESTED))
    assert again == NESTED
    assert hash(again) == hash(NESTED)
    assert again.to_dict() == NESTED.to_dict()
    assert (again.digest, again.seed) == (NESTED.digest, 2**64 - 1)


@settings(max_examples=40)
@given(pipelines(longest=6))
def test_any_pipeline_comes_back_exactly(pipeline: im.Pipeline) -> None:
    for write, read in FORMS.values():
        again = read(write(pipeline))
        assert again.to_dict() == pipeline.to_dict()
        assert again == pipeline


@settings(max_examples=40)
@given(pipelines(longest=6))
def test_the_repr_of_any_pipeline_evaluates_to_it(pipeline: im.Pipeline) -> None:
    assert evaluated(pipeline) == pipeline


def evaluated(pipeline: im.Pipeline) -> Any:
    return eval(repr(pipeline), {name: getattr(im, name) for name in im.__all__})


def test_the_repr_of_a_nested_pipeline_evaluates_to_it() -> None:
    assert evaluated(NESTED) == NESTED
    assert evaluated(im.Pipeline([], seed=3)) == im.Pipeline([], seed=3)


def test_the_repr_of_functions_at_least_reads_well() -> None:
    shown = repr(im.Pipeline([im.Apply(np.invert), im.OneOf([im.Apply(np.invert), im.Flip("y")])], seed=1))
    assert "OneOf([Apply(p=1.0, function=<ufunc 'invert'>, name=None), Flip(axis='y')])" in shown


def test_every_preset_comes_back() -> None:
    for name in im.PRESETS:
        pipe = im.Pipeline(im.preset(name), seed=1)
        assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe
        assert evaluated(pipe) == pipe


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_files_are_written_and_loaded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pïpe{suffix}"
    (NESTED.to_json if suffix == ".json" else NESTED.to_yaml)(path)
    assert im.Pipeline.load(path) == NESTED
    assert im.Pipeline.load(str(path)) == NESTED


def test_names_alone_and_missing_seeds_are_fine() -> None:
    pipe = im.Pipeline.from_yaml("transforms: [Invert, {Rotate: }, {OneOf: {transforms: [Invert, {Flip: {axis: y}}]}}]")
    assert pipe.transforms == (im.Invert(), im.Rotate(), im.OneOf([im.Invert(), im.Flip("y")]))
    assert 0 <= pipe.seed < 2**64


REFUSED = [
    ({"transfroms": []}, r"expected the keys \['imagemill', 'seed', 'transforms'\], got also \['transfroms'\]"),
    ({"imagemill": 99, "transforms": []}, "expected format 1, got 99; it was written by another version"),
    ({"seed": 1}, "expected a list under 'transforms', got None"),
    ([], "expected a mapping with .*got list"),
    ({"transforms": [{"Rotat": {}}]}, "the name of a transform, got 'Rotat'; did you mean 'Rotate'"),
    ({"transforms": [{"OneOf": {"transforms": [{"Flop": {}}]}}]}, "got 'Flop'; did you mean 'Flip'"),
    (
        {"transforms": [{"Rotate": {"degres": 5}}]},
        r"a parameter of Rotate \(p, degrees.*got 'degres'; did you mean 'degrees'",
    ),
    ({"transforms": [{"Rotate": 5}]}, "the parameters of Rotate as a mapping"),
    ({"transforms": [{"Rotate": {}, "Flip": {}}]}, r"a transform as \{Name: \{parameter: value\}\}"),
    ({"transforms": [{"Resize": {}}]}, "expected Resize to say size; add it"),
    ({"transforms": [5]}, "a transform as"),
]


@pytest.mark.parametrize(("described", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_known_is_refused_by_name(described: Any, message: str) -> None:
    with pytest.raises(im.PipelineFileError, match=message):
        im.Pipeline.from_dict(described)


BROKEN = {
    "a.json": ("{", im.PipelineFileError, "expected JSON, got an error at line 1"),
    "a.yaml": ("transforms: [", im.PipelineFileError, "expected YAML, got:"),
    "b.yaml": ("transforms: [{Rotate: {degrees: 999}}]", im.ParameterError, r"Rotate\(degrees=...\) within -360..360"),
    "c.yml": ("transforms: [{Rotat: {}}]", im.PipelineFileError, "did you mean 'Rotate'"),
    "d.yaml": ("!!python/object/apply:os.getcwd []", im.PipelineFileError, "expected YAML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_errors_while_loading_name_the_file(tmp_path: Path, name: str) -> None:
    text, error, message = BROKEN[name]
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(error, match=f"{name}: .*{message}"):
        im.Pipeline.load(path)


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(im.PipelineFileError, match=r"a pipeline file at .*none\.yaml"):
        im.Pipeline.load(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\xff")
    with pytest.raises(im.PipelineFileError, match=r"a pipeline file at .*bytes\.yaml, got: 'utf-8'"):
        im.Pipeline.load(tmp_path / "bytes.yaml")


def test_what_a_file_cannot_hold_is_refused_when_written() -> None:
    with pytest.raises(im.ParameterError, match=r"that a file can hold, got Apply\(invert\)"):
        im.Pipeline([im.Apply(np.invert)], seed=1).to_dict()

    class Odd:
        """A distribution of one's own."""

        bounds = (0.0, 1.0)
        count = math.inf

        def sample(self, u: Any) -> Any:
            return u**2

    pipe = im.Pipeline([im.Rotate(Odd())], seed=1)
    assert pipe(np.zeros((4, 4))).shape == (4, 4)
    with pytest.raises(im.ParameterError, match="own distributions to write to a file, got Odd"):
        pipe.to_yaml()
    assert len(pipe.digest) == 16


def test_equality_is_about_transforms_and_seed() -> None:
    one = im.Pipeline([im.Flip("x")], seed=1)
    assert one == im.Pipeline([im.Flip("x")], seed=1, fuse=False)
    assert one != im.Pipeline([im.Flip("x")], seed=2)
    assert one != im.Pipeline([im.Flip("y")], seed=1)
    assert one != "a pipeline"
    assert one.digest == im.Pipeline([im.Flip("x")], seed=2).digest
    assert one.digest != im.Pipeline([im.Flip("x", p=0.5)], seed=1).digest
