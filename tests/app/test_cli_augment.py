"""`imagemill augment`: what it makes, what it prints, how it fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Picture, read_jsonl
from tests.app.terminal import imagemill
from tests.architecture.repository import SRC, environment
from tests.clocks import until
from tests.data.pictures import PIPELINE, cut, digests, label_map, outputs, photo, photos


def test_a_folder_with_a_preset(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "cat/1.png", "dog/1.jpg")
    words = ("--pipeline", "photo", "--size", "32", "--copies", "3", "--seed", "7", "--format", "tif", "--prefix", "p_")
    said = imagemill("augment", source, "-o", tmp_path / "out", *words, "--workers", "2")
    assert said.code == 0, said.err
    assert "2 images (class-folders)" in said.out
    assert "preset photo, 6 transforms of which 5 to 6 run on each image, seed 7 (as given)" in said.out
    assert re.search(r"made\s+6 in .* s", said.out)
    assert re.search(r"failed\s+0 files", said.out)
    made = outputs(tmp_path / "out")
    assert len(made) == 6
    assert all(Path(name).name.startswith("p_1-") and name.endswith(".tif") for name in made)
    assert im.read_picture(tmp_path / "out" / next(iter(made))).array.shape == (32, 32, 3)
    # The same as from Python, byte for byte.
    pipeline = im.Pipeline(im.preset("photo", 32), seed=7)
    im.augment(source, tmp_path / "python", pipeline, copies=3, format="tif", prefix="p_")
    assert digests(tmp_path / "out") == digests(tmp_path / "python")


def test_a_ramp_of_a_file_follows_the_copies(tmp_path: Path) -> None:
    image = photo(tmp_path / "a.png")
    before = im.read_picture(image).array
    pipe = im.Pipeline([im.GainOffset(1, im.Ramp({0: 0, 2: 40}))], seed=1)
    (tmp_path / "ramp.yaml").write_text(pipe.to_yaml(), "utf-8")
    said = imagemill("augment", image, "-o", tmp_path / "out", "-p", tmp_path / "ramp.yaml", "-n", "4")
    assert said.code == 0, said.err
    for row in read_jsonl(tmp_path / "out/recipes.jsonl").rows:
        added = min(20 * row["copy"], 40)
        made = im.read_picture(tmp_path / "out" / row["output"]).array
        np.testing.assert_array_equal(made, np.minimum(before.astype(int) + added, 255))
    assert "0 in epoch 0, 40 in epoch 2" in imagemill("explain", "-p", tmp_path / "ramp.yaml").out


def test_a_single_image_shows_what_was_applied(tmp_path: Path) -> None:
    image = photo(tmp_path / "a.png")
    said = imagemill("augment", image, "-o", tmp_path / "out", "-p", "photo", "-n", "2", "--seed", "7")
    assert said.code == 0, said.err
    assert "30 x 40 x 3 (rows, columns, channels) of uint8" in said.out
    for row in read_jsonl(tmp_path / "out/recipes.jsonl").rows:
        shown = ", ".join(str(im.Applied(a["name"], a["values"])) for a in row["applied"])
        assert "Rotate(degrees=" in shown
        assert f"{row['copy']}  {shown}" in said.out


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((8, 9, 3), "third axis of 3 read as RGB"), ((5, 8, 9), "read as 5 slices"), ((8, 9), "two axes read as gray")],
)
def test_it_says_how_axes_were_read(tmp_path: Path, shape: tuple[int, ...], sentence: str) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    flip = tmp_path / "flip.yaml"
    im.Pipeline([im.Flip("x")], seed=1).to_yaml(flip)
    said = imagemill("augment", tmp_path / "a.npy", "-o", tmp_path / "out", "-p", flip)
    assert said.code == 0, said.err
    assert sentence in said.out


def test_a_scan_with_its_mask(tmp_path: Path) -> None:
    affine = np.diag([4.0, 1.0, 1.0, 1.0])
    rng = np.random.default_rng(0)
    im.write_picture(tmp_path / "s.nii.gz", Picture(rng.random((6, 24, 24)).astype(np.float32), "zyx", affine))
    labels = np.zeros((6, 24, 24), np.uint8)
    labels[2:5, 8:15, 9:16] = 3
    im.write_picture(tmp_path / "l.nii.gz", Picture(labels, "zyx", affine))
    words = ("--masks", tmp_path / "l.nii.gz", "-p", "scan", "--size", "16", "-n", "2")
    said = imagemill("augment", tmp_path / "s.nii.gz", "-o", tmp_path / "out", *words)
    assert said.code == 0, said.err
    assert "read as 6 slices" in said.out
    assert len(outputs(tmp_path / "out")) == 4
    for path in (tmp_path / "out/masks").iterdir():
        assert set(np.unique(im.read_mask(path).array)) <= {0, 3}


# ----------------------------------------------------------------------------------------------- seeds


def test_a_seed_is_made_shown_and_kept_when_continued(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    command = ("augment", source, "-o", tmp_path / "out", "-p", "photo", "-n", "2")
    seed = re.search(r"seed (\d+) \(made now; --seed \1 repeats it\)", imagemill(*command).out)
    assert seed is not None
    photo(source / "b.png", 1)
    again = imagemill(*command)
    assert again.code == 0, again.err
    assert f"seed {seed[1]} (of the run that is continued)" in again.out
    assert re.search(r"already there\s+2", again.out)
    assert re.search(r"made\s+2 ", again.out)


def test_a_files_seed_counts_unless_one_is_given(tmp_path: Path) -> None:
    image = photo(tmp_path / "a.png")
    PIPELINE.to_yaml(tmp_path / "p.yaml")
    command = ("augment", image, "-p", tmp_path / "p.yaml", "-o")
    assert "seed 11 (from the file)" in imagemill(*command, tmp_path / "one").out
    assert "seed 5 (as given)" in imagemill(*command, tmp_path / "two", "--seed", "5").out
    text = (tmp_path / "p.yaml").read_text("utf-8").replace("seed: 11\n", "")
    (tmp_path / "p.yaml").write_text(text, "utf-8")
    assert "(made now; --seed" in imagemill(*command, tmp_path / "three").out


# ---------------------------------------------------------------------------------------------- errors


def _one_line(said_err: str) -> str:
    assert said_err.startswith("error: ")
    assert said_err.count("\n") == 1
    assert "Traceback" not in said_err
    return said_err


@pytest.mark.parametrize(
    ("source", "words", "message"),
    [
        ("no.png", (), "where there is nothing; check the path"),
        ("empty.png", (), "empty.png: expected an image or volume, got an empty file"),
        ("cut.png", (), "cut.png: expected a whole PNG file"),
        ("text.png", (), "text.png: expected "),
        ("five.npy", (), "five.npy: expected 2, 3 or 4 axes, got shape (2, 2, 2, 2, 2)"),
        ("list.txt", (), "line 1: gone.png"),
        ("a.png", ("-p", "foto"), "expected a pipeline file or a preset of photo, crops, segmentation, scan, gray"),
        ("a.png", ("-p", "fotos"), "'fotos'; did you mean 'photo'?"),
        ("a.png", ("-p", "bad.yaml"), "expected the name of a transform, got 'Flop'; did you mean 'Flip'?"),
        ("a.png", ("-p", "good.yaml", "--size", "9"), "expected --size with a preset, got the file"),
        ("a.png", ("--masks", "masks"), "none for 1: a.png"),
        ("a.png", ("--format", "doc"), "expected a format of jpg"),
        ("a.png", ("--format", "nii.gz"), "NIfTI holds volumes, not axes 'yxc'; choose .tiff or .png"),
        ("a.png", ("-o", "a.png"), "expected a folder to write to, got the file"),
    ],
)
def test_errors_are_one_line_and_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    photo(Path("a.png"))
    Path("empty.png").write_bytes(b"")
    cut(Path("a.png"), Path("cut.png"))
    Path("text.png").write_text("hello")
    np.save("five.npy", np.zeros((2,) * 5))
    Path("list.txt").write_text("gone.png\n")
    Path("bad.yaml").write_text("transforms: [{Flop: {}}]\n")
    PIPELINE.to_yaml("good.yaml")
    Path("masks").mkdir()
    said = imagemill("augment", source, "-o", "out", "-p", "photo", *words)
    assert said.code == 2
    assert message in _one_line(said.err)


def test_other_parameters_for_the_same_folder_are_an_error(tmp_path: Path) -> None:
    image = photo(tmp_path / "a.png")
    command = ("augment", image, "-o", tmp_path / "out", "-p", "photo")
    assert imagemill(*command, "-n", "2").code == 0
    said = imagemill(*command, "-n", "1")
    assert said.code == 2
    assert _one_line(said.err).rstrip().endswith("copies (2 before, 1 now); use another folder, or --overwrite")
    assert imagemill(*command, "-n", "3", "--overwrite").code == 0
    assert len(outputs(tmp_path / "out")) == 3


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(im.SourceError):
        imagemill("--debug", "augment", tmp_path / "no", "-o", tmp_path / "out", "-p", "photo")


@pytest.mark.parametrize("mode", ["skip", "quarantine"])
def test_bad_files_are_listed(tmp_path: Path, mode: str) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    cut(source / "a.png", source / "c.png")
    command = ("augment", source, "-o", tmp_path / "out", "-p", "photo", "--on-error", mode)
    said = imagemill(*command)
    assert said.code == 0
    assert re.search(r"failed\s+1 file\b", said.out)
    assert re.search(r"^left out: .*c\.png: expected a whole PNG file", said.err, re.MULTILINE)
    assert ("quarantine" in said.out) == (mode == "quarantine")


def test_nothing_made_at_all_is_not_success(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    cut(tmp_path / "a.png", tmp_path / "in/a.png")
    command = ("augment", tmp_path / "in", "-o", tmp_path / "out", "-p", "photo", "--on-error", "skip")
    assert imagemill(*command).code == 1


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as SIGINT")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(400)))
    arguments = ["augment", str(source), "-o", str(tmp_path / "out"), "-p", "photo", "-n", "20"]
    command = [sys.executable, "-m", "imagemill", *arguments]
    partial = tmp_path / "out/recipes.partial.jsonl"
    with subprocess.Popen(
        command, env=environment(SRC), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        # Noted, not begun: a run that has nothing to keep takes its marks away.
        until(lambda: (partial.exists() and b"\n" in partial.read_bytes()) or process.poll() is not None, "notes")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert said.startswith("stopped; what was made is kept in ")
    assert "run the same command again to continue" in said
    assert "Traceback" not in said
    noted = {(row["key"], row["copy"]) for row in read_jsonl(partial).rows}
    made = len(outputs(tmp_path / "out"))
    assert 0 < len(noted) <= made < 8000
    assert made - len(noted) <= 8  # at most the one task that was just being handed out is made again
    assert not list(tmp_path.rglob("*.part"))


def test_masks_go_beside_images(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.jpg")
    label_map(tmp_path / "masks/a.png")
    words = ("--masks", tmp_path / "masks", "-p", "segmentation", "--size", "16", "-n", "2")
    said = imagemill("augment", tmp_path / "in", "-o", tmp_path / "out", *words)
    assert said.code == 0, said.err
    assert {name.partition("/")[0] for name in outputs(tmp_path / "out")} == {"images", "masks"}
