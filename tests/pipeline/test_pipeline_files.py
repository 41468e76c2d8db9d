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
    assert "OneOf([Apply(function=<ufunc 'invert'>), Flip(axis='y')])" in shown


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
    (
        {"transfroms": []},
        r"expected the keys \['boxes', .*'transforms'\], got also \['transfroms'\]",
    ),
    ({"imagemill": 99, "transforms": []}, "expected format 1, got 99; it was written by another version"),
    ({"seed": 1}, "expected a list under 'transforms', got None"),
    ([], "expected a mapping with .*got list"),
    ({"transforms": [{"Rotat": {}}]}, "the name of a transform, got 'Rotat'; did you mean 'Rotate'"),
    ({"transforms": [{"OneOf": {"transforms": [{"Flop": {}}]}}]}, "got 'Flop'; did you mean 'Flip'"),
    (
        {"transforms": [{"Rotate": {"degres": 5}}]},
        r"a parameter of Rotate \(degrees, .*, p\), got 'degres'; did you mean 'degrees'",
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
    with pytest.raises(im.PipelineFileError, match=r"a pipeline file, got .*none\.yaml', where there is none"):
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


PLACES: dict[str, tuple[str, str]] = {
    "value.yaml": (
        "seed: 3\ntransforms:\n- Flip: {axis: x}\n- Rotate:\n    degrees: [1, 2]\n    border: cnstant\n",
        r"step 2 \(Rotate\), line 6: expected Rotate\(border=...\).*did you mean 'constant'",
    ),
    "parameter.yaml": (
        "transforms:\n- Flip\n- Rotate:\n    order: 1\n    degree: 5\n",
        r"step 2 \(Rotate\), line 5: .*'degree'; did you mean 'degrees'",
    ),
    "nested.yaml": (
        "transforms:\n- OneOf:\n    transforms:\n    - Flip\n    - Rotate: {degrees: 999}\n",
        r"step 1 \(OneOf\), in it 2 \(Rotate\), line 5: expected Rotate\(degrees=...\)",
    ),
    "together.yaml": (
        "transforms:\n- Flip\n- ColorJitter:\n    p: 0.5\n",
        r"step 2 \(ColorJitter\), line 3: expected ColorJitter to get",
    ),
    "name.yaml": ("transforms:\n- Flip\n\n- Rotat\n", "step 2, line 4: .*did you mean 'Rotate'"),
    "missing.yaml": ("transforms:\n- Resize:\n", r"step 1 \(Resize\), line 2: expected Resize to say size"),
    "twice.yaml": ("transforms:\n- Rotate:\n    degrees: 3\n    degrees: 4\n", "line 4: .*'degrees' twice"),
    "twice-on-top.yaml": ("transforms: []\nseed: 1\ntransforms: []\n", "line 3: .*'transforms' twice"),
    "tab.yaml": ("transforms:\n- Rotate:\n\tdegrees: 3\n", "line 3, column 1: expected spaces in front, got a tab"),
    "open.yaml": ("transforms:\n- Rotate: {degrees: 3\n", "line 3, column 1: expected YAML"),
    "version.yaml": ("transforms: []\nimagemill: 2\n", "line 2: expected format 1, got 2; .*update"),
    "seed.yaml": ("transforms: []\nseed: -1\n", "line 2: expected a seed"),
    "key.yaml": ("seed: 1\ntransfroms: []\n", r"line 2: expected the keys .* got also \['transfroms'\]"),
    "flat.yaml": ("transforms:\n- Flip:\n  axis: x\n", "step 1, line 2: .*put the parameters below Flip"),
    "two.yaml": ("transforms:\n- Flip:\n  Rotate:\n", "step 1, line 2: .*give each a '-' of its own"),
    "itself.yaml": ("transforms: &a [*a]\n", "line 1: .*contains itself"),
    "empty.yaml": ("", ".*got nothing; write 'transforms:' and below it a list"),
    "blank.yaml": ("# soon\n", ".*got nothing; write"),
    "list.yaml": ("- Flip\n", ".*got list; write 'transforms:'"),
    "word.yaml": ("transforms: Flip\n", "line 1: expected a list under 'transforms', got 'Flip'; write"),
    "axis.yaml": ("transforms:\n- Shift:\n    pixels: {a: 1}\n", ".*line 3: .*to name axes out of z, y and x"),
    "nan.yaml": ("transforms:\n- Rotate: {degrees: [.nan, 1]}\n", r".*line 2: Rotate\(degrees=...\): .*finite"),
    "order.yaml": ("transforms:\n- Rotate: {degrees: [5, 1]}\n", r".*line 2: Rotate\(degrees=...\): .*swap the two"),
    "name.json": ('{"transforms": [\n\t"Flip",\n\t"Rotat"]}', "step 2, line 3: .*did you mean 'Rotate'"),
    "value.json": (
        '{"transforms": [\n\t{"Flip": {\n\t"axis": "q"}}]}',
        r"step 1 \(Flip\), line 3: expected Flip\(axis",
    ),
    "twice.json": ('{"transforms": [],\n"transforms": []}', "line 2: .*'transforms' twice"),
    "comma.json": ('{"transforms": [\n],}', ".*at line 2"),
}


@pytest.mark.parametrize("name", PLACES)
def test_errors_name_the_file_the_transform_and_the_line(tmp_path: Path, name: str) -> None:
    text, message = PLACES[name]
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises((im.PipelineFileError, im.ParameterError), match=f"^{path}: {message}"):
        im.Pipeline.load(path)


def test_what_editors_and_people_write_is_read(tmp_path: Path) -> None:
    marked = tmp_path / "marked.json"
    marked.write_text('{"transforms": ["Flip"]}', "utf-8-sig")
    assert im.Pipeline.load(marked).transforms == (im.Flip("x"),)
    (tmp_path / "UPPER.JSON").write_text('{"transforms":\t["Flip"]}', "utf-8")
    assert im.Pipeline.load(tmp_path / "UPPER.JSON").transforms == (im.Flip("x"),)
    # YAML 1.1 takes this for text, and nobody else does.
    assert im.Pipeline.from_yaml("transforms: [{Flip: {p: 1e-3}}]").transforms == (im.Flip("x", p=0.001),)
    shared = "transforms:\n- Flip: &half {p: 0.5}\n- Flip: {<<: *half, axis: y}\n"
    assert im.Pipeline.from_yaml(shared).transforms == (im.Flip("x", p=0.5), im.Flip("y", p=0.5))


def test_aliases_of_aliases_cost_no_more_than_they_say() -> None:
    layers = "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(im.PipelineFileError, match="expected the keys"):
        im.Pipeline.from_yaml(f"a: &a [1]\n{layers}transforms: []\n")
