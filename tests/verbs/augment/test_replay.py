"""Any output again from its recipe, bit for bit; what changed is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Picture, read_jsonl
from tests.data.pictures import PIPELINE, digests, label_map, outputs, photo, photos


@pytest.mark.parametrize("format", ["png", "tif", "jpg", "npy", "webp"])
def test_every_photo_output_comes_again(tmp_path: Path, format: str) -> None:
    source = photos(tmp_path / "in", "a/1.png", "b/2.jpg")
    im.augment(source, tmp_path / "out", PIPELINE, copies=3, format=format, workers=2)
    for number, row in enumerate(read_jsonl(tmp_path / "out/recipes.jsonl").rows):
        wanted = (tmp_path / "out" / row["output"]).read_bytes()
        assert im.replay(tmp_path / "out/recipes.jsonl", row["output"], source) == wanted
        assert im.replay(tmp_path / "out", number, source) == wanted
        made = im.replay(tmp_path / "out", Path(row["output"]).name, source, out=tmp_path / f"x/y.{format}")
        assert made.read_bytes() == wanted


def test_scans_and_their_masks_come_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    affine = np.diag([3.0, 1.2, 1.2, 1.0])
    for name in ("p", "q"):
        im.write_picture(tmp_path / f"in/{name}.nii.gz", Picture(rng.random((8, 20, 22)), "zyx", affine))
        labels = np.zeros((8, 20, 22), np.uint8)
        labels[2:6, 5:15, 6:16] = 1
        im.write_picture(tmp_path / f"in/{name}_gt.nii.gz", Picture(labels, "zyx", affine))
    pipeline = im.Pipeline(im.preset("scan", 16), seed=4)
    im.augment(tmp_path / "in", tmp_path / "out", pipeline, copies=2, masks=tmp_path / "in")
    for name in outputs(tmp_path / "out"):
        again = im.replay(tmp_path / "out", name, tmp_path / "in", masks=tmp_path / "in")
        assert again == (tmp_path / "out" / name).read_bytes()
    assert im.verify(tmp_path / "out", source=tmp_path / "in", masks=tmp_path / "in").ok
    # A folder that says itself which masks are whose need not be told.
    assert im.verify(tmp_path / "out", source=tmp_path / "in").ok


def test_all_come_again_in_another_folder(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a/1.png", "b/2.png")
    label_map(tmp_path / "masks/a/1.png", 1)
    label_map(tmp_path / "masks/b/2.png", 2)
    im.augment(source, tmp_path / "out", PIPELINE, copies=2, masks=tmp_path / "masks")
    assert im.replay_all(tmp_path / "out", source, tmp_path / "new", masks=tmp_path / "masks") == 8
    assert digests(tmp_path / "new") == outputs(tmp_path / "out")
    with pytest.raises(im.InputError, match=r"expected masks, since .* was made with masks"):
        im.replay(tmp_path / "out", 0, source)
    with pytest.raises(im.InputError, match="expected another folder"):
        im.replay_all(tmp_path / "out", source, tmp_path / "out", masks=tmp_path / "masks")


def test_a_list_with_a_file_twice_replays(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.png")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/l.txt").write_text("../in/a.png\n../in/a.png\n", "utf-8")
    im.augment(tmp_path / "lists/l.txt", tmp_path / "out", PIPELINE)
    first, second = read_jsonl(tmp_path / "out/recipes.jsonl").rows
    assert first["sha256"] != second["sha256"]
    for source in (tmp_path / "lists/l.txt",):
        assert im.verify(tmp_path / "out", source=source).ok


def test_a_run_without_fusion_replays_without(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    stepwise = im.Pipeline(PIPELINE.transforms, seed=11, fuse=False)
    im.augment(source, tmp_path / "out", stepwise)
    im.augment(source, tmp_path / "fused", PIPELINE)
    assert outputs(tmp_path / "out") != outputs(tmp_path / "fused")
    assert im.verify(tmp_path / "out", source=source).ok


def test_a_pipeline_that_no_file_holds_is_passed(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    pipeline = im.Pipeline([im.Apply(np.flip, "turn over"), im.Rotate((-9, 9))], seed=3)
    im.augment(source, tmp_path / "out", pipeline)
    assert not (tmp_path / "out/pipeline.yaml").exists()
    with pytest.raises(im.InputError, match="pass the pipeline it ran with"):
        im.verify(tmp_path / "out", source=source)
    assert im.verify(tmp_path / "out", source=source, pipeline=pipeline).ok


def test_changed_and_missing_outputs_are_found(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert im.verify(tmp_path / "out") == im.Verification(4)
    first, second, *_ = outputs(tmp_path / "out")
    (tmp_path / "out" / first).unlink()
    photo(tmp_path / "out" / second, 99)
    found = im.verify(tmp_path / "out")
    assert (found.checked, found.missing, found.changed, found.ok) == (4, (first,), (second,), False)


def test_a_changed_source_is_said_to_be_one(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    im.augment(source, tmp_path / "out", PIPELINE)
    photo(source / "a.png", 5)
    with pytest.raises(im.InputError, match=r"expected a\.png as it was when augmented, got a changed file"):
        im.replay(tmp_path / "out", 0, source)


def test_a_changed_mask_is_noticed(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    label_map(tmp_path / "masks/a.png", 1)
    im.augment(source, tmp_path / "out", PIPELINE, masks=tmp_path / "masks")
    label_map(tmp_path / "masks/a.png", 2)
    with pytest.raises(im.InputError, match=r"expected the recorded bytes of masks/a-.*, got others"):
        im.verify(tmp_path / "out", source=source, masks=tmp_path / "masks")


def test_questions_without_an_answer_are_errors(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a/1.png", "b/1.png")
    im.augment(source, tmp_path / "out", PIPELINE)
    with pytest.raises(im.InputError, match=r"expected one output named 'x\.png', got none; write its path, such as"):
        im.replay(tmp_path / "out", "x.png", source)
    with pytest.raises(im.InputError, match="expected a line from 0 to 1, got 2"):
        im.replay(tmp_path / "out", 2, source)
    with pytest.raises(im.InputError, match=r"expected a file name that ends in \.png"):
        im.replay(tmp_path / "out", 0, source, out=tmp_path / "x.jpg")
    with pytest.raises(im.InputError, match="where there is nothing"):
        im.verify(tmp_path / "nowhere/recipes.jsonl")
    (source / "a/1.png").unlink()
    with pytest.raises(im.InputError, match=r"expected a/1\.png below .*, got nothing there"):
        im.replay(tmp_path / "out", 0, source)
