"""N copies of every image: as many as asked for, named apart, the mask moved along, equal for any workers."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.testing as npt
import pytest

import imagemill as im
from imagemill.data import Picture, read_jsonl
from tests.data.pictures import PIPELINE, cut, digests, label_map, outputs, photo, photos

RECIPES = "recipes.jsonl"


def rows(out: Path) -> list[dict[str, Any]]:
    return read_jsonl(out / RECIPES).rows


# ------------------------------------------------------------------------------------------ counts and names


def test_exactly_n_copies_of_each_come_out(tmp_path: Path) -> None:
    names = ("a/b.png", "a_b.png", "a/c.jpg", "a/c.png", "A/b.png", "d.e.f.png", "ünï cödé.png")
    source = photos(tmp_path / "in", *names)
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=5)
    assert (report.made, report.present, report.failed) == (35, 0, ())
    assert len(outputs(tmp_path / "out")) == 35
    assert len({name.casefold() for name in outputs(tmp_path / "out")}) == 35
    assert len(rows(tmp_path / "out")) == 35


def test_a_list_that_names_a_file_twice_gives_twice_the_copies(tmp_path: Path) -> None:
    photos(tmp_path / "in", "a.png", "b.png")
    (tmp_path / "list.txt").write_text("in/a.png\n# a remark\nin/b.png\nin/a.png\n", "utf-8")
    report = im.augment(tmp_path / "list.txt", tmp_path / "out", PIPELINE, copies=2, format="tif", prefix="x_")
    assert report.made == 6
    made = outputs(tmp_path / "out")
    assert len(made) == 6
    assert all(Path(name).name.startswith("x_") and name.endswith(".tif") for name in made)
    assert {row["key"] for row in rows(tmp_path / "out")} == {"in/a.png", "in/b.png", "in/a.png#2"}


def test_class_folders_stay_and_copies_differ(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "cat/1.png", "dog/1.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=3)
    made = outputs(tmp_path / "out")
    assert {name.partition("/")[0] for name in made} == {"cat", "dog"}
    assert len(set(made.values())) == 6


def test_a_copy_is_what_the_pipeline_gives_for_its_key_and_number(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a/1.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    given = im.read_picture(source / "a/1.png").array
    for row in rows(tmp_path / "out"):
        sample = PIPELINE(image=given, key="a/1.png", epoch=row["copy"])
        npt.assert_array_equal(im.read_picture(tmp_path / "out" / row["output"]).array, sample.image)
        assert row["applied"] == [{"name": a.name, "values": dict(a.values)} for a in sample.applied]
        assert row["recipe"] == sample.recipe.to_dict()


def test_workers_change_nothing_not_even_the_recipes(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(9)))
    for workers in (1, 2, 5):
        im.augment(source, tmp_path / f"out{workers}", PIPELINE, copies=3, workers=workers)
    assert digests(tmp_path / "out1") == digests(tmp_path / "out2") == digests(tmp_path / "out5")


def test_opencv_gets_its_threads_back(tmp_path: Path) -> None:
    import cv2

    before = cv2.getNumThreads()
    during: list[int] = []
    try:
        cv2.setNumThreads(2)
        im.augment(
            photos(tmp_path / "in", "a.png"),
            tmp_path / "out",
            PIPELINE,
            progress=lambda done, total: during.append(cv2.getNumThreads()),
        )
        assert cv2.getNumThreads() == 2
        assert set(during) == {1}
    finally:
        cv2.setNumThreads(before)


def test_files_are_read_once_and_outputs_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = photos(tmp_path / "in", "a.png", "b.jpg")
    opened: list[str] = []
    real_open, real_io = os.open, io.open

    def seen(path: Any, *given: Any, **how: Any) -> Any:
        opened.append(os.path.basename(os.fspath(path)) if isinstance(path, str | os.PathLike) else "")
        return real_open(path, *given, **how)

    def seen_io(path: Any, *given: Any, **how: Any) -> Any:
        opened.append(os.path.basename(os.fspath(path)) if isinstance(path, str | os.PathLike) else "")
        return real_io(path, *given, **how)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", seen)
        patch.setattr(io, "open", seen_io)
        im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert (opened.count("a.png"), opened.count("b.jpg")) == (1, 1)
    made = {row["output"]: row for row in rows(tmp_path / "out")}
    assert not {*made} & {*opened}
    for name, row in made.items():
        assert row["sha256"] == hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest()
        file = tmp_path / "in" / row["key"]
        assert row["source_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert row["source_bytes"] == file.stat().st_size


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=10, progress=lambda *at: said.append(at))
    assert said[0] == (0, 20)
    assert said[-1] == (20, 20)
    assert said == sorted(said)


# ------------------------------------------------------------------------------------------------ masks


def test_masks_move_by_the_same_draw(tmp_path: Path) -> None:
    # The same picture as image and as mask, nearest neighbour for both: they must stay equal.
    for number in range(3):
        label_map(tmp_path / f"in/{number}.png", number)
        label_map(tmp_path / f"masks/{number}_mask.png", number)
    pipeline = im.Pipeline(
        [
            im.Flip("x", p=0.5),
            im.Rotate((-20, 20), order=0, border="constant"),
            im.Shift(pixels=(-6, 6), order=0, border="constant"),
        ],
        seed=2,
    )
    report = im.augment(tmp_path / "in", tmp_path / "out", pipeline, copies=4, masks=tmp_path / "masks", workers=2)
    assert report.made == 12
    for row in rows(tmp_path / "out"):
        assert row["mask"].removeprefix("masks/") == row["output"].removeprefix("images/")
        image = im.read_picture(tmp_path / "out" / row["output"]).array
        mask = im.read_mask(tmp_path / "out" / row["mask"]).array
        npt.assert_array_equal(image, mask)
        assert len(np.unique(mask)) > 1


def test_labels_keep_their_set_and_take_png_where_they_fit(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.jpg")
    labels = np.zeros((30, 40), np.int64)
    labels[5:20, 8:30] = 300
    im.write_picture(tmp_path / "masks/a.npy", Picture(labels, "yx"))
    photo(tmp_path / "in/b.jpg")
    im.write_picture(tmp_path / "masks/b.npy", Picture(-labels, "yx"))
    im.augment(tmp_path / "in", tmp_path / "out", PIPELINE, masks=tmp_path / "masks")
    a, b = rows(tmp_path / "out")
    assert a["mask"].endswith(".png")
    assert b["mask"].endswith(".tif")
    assert set(np.unique(im.read_mask(tmp_path / "out" / a["mask"]).array)) == {0, 300}
    assert set(np.unique(im.read_mask(tmp_path / "out" / b["mask"]).array)) == {0, -300}


def test_images_without_a_mask_are_an_error_unless_allowed(tmp_path: Path) -> None:
    photos(tmp_path / "in", "a.png", "b.png")
    label_map(tmp_path / "masks/a.png")
    with pytest.raises(im.SourceError, match=r"none for 1: b\.png"):
        im.augment(tmp_path / "in", tmp_path / "out", PIPELINE, masks=tmp_path / "masks")
    report = im.augment(tmp_path / "in", tmp_path / "out", PIPELINE, masks=tmp_path / "masks", allow_missing_masks=True)
    assert report.made == 2
    assert [row["mask"] is None for row in rows(tmp_path / "out")] == [False, True]


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.png")
    label_map(tmp_path / "masks/a.png", shape=(30, 35))
    with pytest.raises(im.InputError, match=r"a\.png: expected the mask of the same size as the image, \(30, 40\)"):
        im.augment(tmp_path / "in", tmp_path / "out", PIPELINE, masks=tmp_path / "masks")


# ------------------------------------------------------------------------------------------------ scans


def test_a_scan_keeps_its_world(tmp_path: Path) -> None:
    values = np.zeros((9, 20, 24), np.float32)
    values[4, 9, 14] = 1000.0
    labels = (values > 0).astype(np.uint8) * 7
    affine = np.array([[0, 0.2, 0.9, -30], [0.1, 1.4, 0, 12], [3.0, 0, 0.1, 5], [0, 0, 0, 1]], float)
    im.write_picture(tmp_path / "in/p.nii.gz", Picture(values, "zyx", affine))
    im.write_picture(tmp_path / "in/p_gt.nii.gz", Picture(labels, "zyx", affine))
    pipeline = im.Pipeline([im.Flip("x"), im.Shift(pixels=(2, 2)), im.Crop((7, 12, 18))], seed=1)
    im.augment(tmp_path / "in", tmp_path / "out", pipeline, copies=2, masks=tmp_path / "in")
    assert len(outputs(tmp_path / "out")) == 4
    for row in rows(tmp_path / "out"):
        image = im.read_picture(tmp_path / "out" / row["output"])
        mask = im.read_mask(tmp_path / "out" / row["mask"])
        assert image.affine is not None
        assert mask.affine is not None
        npt.assert_allclose(image.affine, mask.affine, atol=1e-5)
        (at,) = np.argwhere(image.array == 1000)
        npt.assert_array_equal(np.argwhere(mask.array == 7), [at])
        npt.assert_allclose(image.affine @ [*at, 1], affine @ [4, 9, 14, 1], atol=1e-4)


def test_dtypes_images_do_not_have_are_widened_without_loss(tmp_path: Path) -> None:
    for dtype, wanted in (("int8", "int16"), ("int64", "int32"), ("uint32", "int32"), ("bool", "uint8")):
        values = np.arange(24).reshape(4, 6).astype(dtype)
        im.write_picture(tmp_path / f"in/{dtype}.npy", Picture(values, "yx"))
        out = tmp_path / f"out_{dtype}"
        im.augment(tmp_path / f"in/{dtype}.npy", out, im.Pipeline([], seed=0))
        found = im.read_picture(out / rows(out)[0]["output"]).array
        assert found.dtype == wanted
        npt.assert_array_equal(found, values * (255 if dtype == "bool" else 1))


def test_axes_can_be_said(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((5, 12, 14)).astype(np.float32)
    im.write_picture(tmp_path / "a.npy", Picture(values, "zyx"))
    im.augment(tmp_path / "a.npy", tmp_path / "out", im.Pipeline([im.Flip("x")], seed=0), axes="cyx")
    found = im.read_picture(tmp_path / "out" / rows(tmp_path / "out")[0]["output"], axes="yxc").array
    npt.assert_array_equal(found, values.transpose(1, 2, 0)[:, ::-1])


# --------------------------------------------------------------------------------------------- bad files


def test_a_bad_file_stops_the_run_and_is_named(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "c.png")
    cut(source / "a.png", source / "b.png")
    with pytest.raises(im.CodecError, match=r"b\.png: expected"):
        im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    # What was finished is kept and not made again.
    (source / "b.png").unlink()
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert report.present >= 2
    assert report.made + report.present == 4


@pytest.mark.parametrize("mode", ["skip", "quarantine"])
def test_bad_files_are_left_out_counted_and_named(tmp_path: Path, mode: Any) -> None:
    source = photos(tmp_path / "in", "x/a.png", "x/c.png")
    cut(source / "x/a.png", source / "x/b.png")
    (source / "d.jpg").write_bytes(b"no picture at all")
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2, on_error=mode, workers=2)
    assert (report.made, [failure.key for failure in report.failed]) == (4, ["d.jpg", "x/b.png"])
    errors = read_jsonl(tmp_path / "out/errors.jsonl").rows
    assert [(row["key"], row["error"]) for row in errors] == [("d.jpg", "CodecError"), ("x/b.png", "CodecError")]
    assert "x/b.png" in report.summary()
    kept = tmp_path / "out/quarantine"
    assert kept.exists() == (mode == "quarantine")
    if mode == "quarantine":
        assert report.quarantine == kept
        copied = {name: digest for name, digest in digests(kept).items() if name != "origins.jsonl"}
        assert copied == {name: digests(source)[name] for name in ("d.jpg", "x/b.png")}
    # Mended, it is made in the next run, and the list of errors goes.
    photo(source / "x/b.png")
    (source / "d.jpg").unlink()
    again = im.augment(source, tmp_path / "out", PIPELINE, copies=2, on_error=mode)
    assert (again.made, again.present, again.failed) == (2, 4, ())
    assert not (tmp_path / "out/errors.jsonl").exists()


def test_a_format_that_cannot_hold_the_results_is_found_at_the_first_file(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(4)))
    floats = im.Pipeline([im.Rescale(), im.Resize((8, 8))], seed=1)
    with pytest.raises(im.CodecError, match=r"PNG holds .*, not float32; choose .tiff or .npy \(format="):
        im.augment(source, tmp_path / "out", floats, on_error="skip")
    assert outputs(tmp_path / "out") == {}
    # Nothing was made, so the folder is not bound to the wrong format.
    assert im.augment(source, tmp_path / "out", floats, format="npy").made == 4


# ------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"copies": 0}, "expected copies as a whole number of at least 1, got 0"),
        ({"workers": 1.5}, "expected workers as a whole number of at least 1, got 1.5"),
        ({"on_error": "ignore"}, "expected on_error to be one of raise, skip, quarantine, got 'ignore'"),
        ({"channels": "bgr"}, "expected channels to be one of keep, gray, rgb, rgba, got 'bgr'"),
        ({"format": "docx"}, "expected a format of jpg .* got 'docx'"),
        ({"format": "mgz"}, "expected a format of jpg .* got 'mgz'"),
        ({"prefix": "a/b"}, "expected a prefix of at most 100 bytes that can begin a file name, got 'a/b'"),
        ({"pipeline": 3}, "expected a Pipeline, the name of a preset .* got int"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_made(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    source = photos(tmp_path / "in", "a.png")
    given = {"source": source, "out": tmp_path / "out", "pipeline": PIPELINE, **change}
    with pytest.raises(im.InputError, match=message):
        im.augment(**given)
    assert not (tmp_path / "out").exists()


def test_there_must_be_something_to_augment(tmp_path: Path) -> None:
    with pytest.raises(im.SourceError, match="expected a path, a pattern, a list of paths, a data frame"):
        im.augment(3, tmp_path / "out", PIPELINE)
    with pytest.raises(im.SourceError, match="where there is nothing"):
        im.augment(tmp_path / "no", tmp_path / "out", PIPELINE)


def test_the_output_folder_may_not_lie_in_the_source(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    for out in (source, source / "made"):
        with pytest.raises(im.InputError, match="expected an output folder outside the source"):
            im.augment(source, out, PIPELINE)
    (tmp_path / "file").write_text("")
    with pytest.raises(im.InputError, match="got the file"):
        im.augment(source, tmp_path / "file", PIPELINE)


def test_recipes_name_no_folder_of_this_machine(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a/b.png")
    label_map(tmp_path / "masks/a/b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2, masks=tmp_path / "masks")
    for name in (RECIPES, "job.json", "pipeline.yaml"):
        assert str(tmp_path) not in (tmp_path / "out" / name).read_text("utf-8")
    assert json.loads((tmp_path / "out/job.json").read_text("utf-8"))["copies"] == 2
    assert im.Pipeline.load(tmp_path / "out/pipeline.yaml") == PIPELINE


def test_how_files_were_read_is_told_once_a_file_and_progress_knows_the_end(tmp_path: Path) -> None:
    for n in range(3):
        im.write_picture(tmp_path / "in" / f"{n}.png", im.Picture(np.full((4, 4), n, np.uint8), "yx"))
    # The content is believed, and the note says so.
    (tmp_path / "in/0.png").rename(tmp_path / "in/0.jpg")
    (tmp_path / "in/1.png").rename(tmp_path / "in/1.jpg")
    seen: list[tuple[int, int]] = []
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    report = im.augment(
        tmp_path / "in", tmp_path / "out", pipe, copies=9, format="png", progress=lambda *at: seen.append(at)
    )
    (note,) = report.notes
    assert note.endswith("(2 files)")  # nine copies, in two tasks each
    assert "PNG" in note.upper()
    assert seen[0] == (0, 27)
    assert seen[-1] == (27, 27)
