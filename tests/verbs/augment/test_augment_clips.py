"""Folders of frames: one draw for all frames of a clip, and another for the next clip."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Picture, load_picture
from tests.app.terminal import imagemill

PIPE = im.Pipeline([im.Flip("x", p=0.5), im.Rotate((-30, 30)), im.Brightness((0.5, 1.5)), im.Resize((12, 14))], seed=4)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Three films of four frames."""
    for film in ("beach", "city", "wood"):
        for at in range(4):
            frame = np.random.default_rng([len(film), at]).integers(0, 200, (16, 20, 3), dtype=np.uint8)
            im.write_picture(tmp_path / f"films/{film}/{at}.png", Picture(frame, "yxc"))
    return tmp_path / "films"


def written(out: Path) -> dict[str, list[np.ndarray]]:
    """Frames that were written, of each film in their order, the first copy."""
    rows = [json.loads(line) for line in (out / "recipes.jsonl").read_text().splitlines()]
    found: dict[str, list[np.ndarray]] = {}
    for row in sorted(rows, key=lambda row: row["key"]):
        if row["copy"] == 0:
            found.setdefault(row["key"].partition("/")[0], []).append(load_picture(out / row["output"]).array)
    return found


def test_frames_are_those_of_the_clip_as_one_array(films: Path, tmp_path: Path) -> None:
    assert im.augment(films, tmp_path / "out", PIPE, copies=2, clips=True, workers=2).made == 24
    drawn = set()
    for film, frames in written(tmp_path / "out").items():
        clip = np.stack([load_picture(films / film / f"{at}.png").array for at in range(4)])
        rows = [json.loads(line) for line in (tmp_path / "out/recipes.jsonl").read_text().splitlines()]
        (key,) = {row["recipe"]["key"] for row in rows if row["key"].startswith(film)}
        np.testing.assert_array_equal(np.stack(frames), PIPE(clip, axes="tyxc", key=key, epoch=0))
        drawn.add(json.dumps(next(row["applied"] for row in rows if row["key"].startswith(film))))
    assert len(drawn) == 3, "each film has a draw of its own"
    rows = [json.loads(line) for line in (tmp_path / "out/recipes.jsonl").read_text().splitlines()]
    made = im.replay(tmp_path / "out", 3, source=films)
    assert made == (tmp_path / "out" / rows[3]["output"]).read_bytes(), "a frame is made again from its line"


def test_the_command_does_the_same_and_a_folder_keeps_to_it(films: Path, tmp_path: Path) -> None:
    PIPE.to_yaml(tmp_path / "pipe.yaml")
    how = ["augment", str(films), "-o", str(tmp_path / "told"), "-p", str(tmp_path / "pipe.yaml"), "--workers", "1"]
    assert imagemill(*how, "--clips").code == 0
    im.augment(films, tmp_path / "out", PIPE, clips=True)
    for film, frames in written(tmp_path / "told").items():
        np.testing.assert_array_equal(np.stack(frames), np.stack(written(tmp_path / "out")[film]))
    with pytest.raises(im.InputError, match="clips"):
        im.augment(films, tmp_path / "out", PIPE)


def test_what_would_move_frames_apart_is_refused(films: Path, tmp_path: Path) -> None:
    for one in (im.ForegroundCrop(above=10), im.MixUp()):
        with pytest.raises(im.InputError, match=f"to all frames of a clip, got {type(one).__name__}"):
            im.augment(films, tmp_path / "out", im.Pipeline([one], seed=1), clips=True)
