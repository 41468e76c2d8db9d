"""Further images and maps of numbers move with their image, into folders of their names, and come again by replay."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Picture, load_picture
from tests.app.terminal import imagemill

PIPE = im.Pipeline(
    [im.Flip("x", p=0.5), im.Rotate((-30, 30), border="constant"), im.Invert(), im.Resize((24, 20))], seed=4
)


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Photos with depth as 32-bit TIFF and as PNG of 16 bits, and a second photo."""
    for n in range(3):
        rng = np.random.default_rng(n)
        photo = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        im.write_picture(tmp_path / f"rooms/rgb/{n}.png", Picture(photo, "yxc"))
        im.write_picture(tmp_path / f"rooms/depth/{n}.png", Picture((photo[..., 0] * 9).astype(np.uint16), "yx"))
        im.write_picture(tmp_path / f"rooms/dose/{n}.tif", Picture(photo[..., 1].astype(np.float32) / 7, "yx"))
        im.write_picture(tmp_path / f"rooms/nir/{n}.png", Picture(photo[..., 2], "yx"))
    return tmp_path / "rooms"


def opened(rooms: Path) -> im.Source:
    return im.open_source(rooms, maps={"depth": "depth", "dose": "dose"}, views={"nir": "nir"})


def test_copies_are_what_a_call_makes_of_all_together(rooms: Path, tmp_path: Path) -> None:
    report = im.augment(opened(rooms), tmp_path / "out", PIPE, copies=2, workers=2)
    assert report.made == 6
    assert not any("left out" in note for note in report.notes)
    rows = [json.loads(line) for line in (tmp_path / "out/recipes.jsonl").read_text().splitlines()]
    row = rows[3]
    record = next(r for r in opened(rooms) if r.key == row["key"])
    read = {name: load_picture(one.pixels).array for name, one in record.further.items()}
    wanted = PIPE(
        image=load_picture(record.image).array,
        depth=im.Map(read["depth"]),
        dose=im.Map(read["dose"]),
        nir=im.Image(read["nir"]),
        key=row["key"],
        epoch=row["copy"],
    )
    made = {name: load_picture(tmp_path / "out" / one["output"]).array for name, one in row["further"].items()}
    assert sorted(made) == ["depth", "dose", "nir"]
    for name, array in made.items():
        assert array.dtype == wanted[name].dtype, name
        np.testing.assert_array_equal(array, wanted[name], err_msg=name)
    assert row["further"]["depth"]["output"] == row["output"].replace("images/", "depth/")
    assert row["further"]["dose"]["output"].endswith(".tif")


def test_what_was_made_opens_as_what_it_was_made_of(rooms: Path, tmp_path: Path) -> None:
    im.augment(opened(rooms), tmp_path / "out", PIPE, copies=2)
    again = im.open_source(tmp_path / "out", maps={"depth": "depth", "dose": "dose"}, views={"nir": "nir"})
    assert len(again) == 6
    assert all(sorted(record.further) == ["depth", "dose", "nir"] for record in again)


def test_a_rerun_mends_replays_and_checks_them(rooms: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    im.augment(opened(rooms), out, PIPE)
    victim = sorted((out / "depth").rglob("*.png"))[0]
    before = victim.read_bytes()
    assert im.replay(out, victim.relative_to(out).as_posix(), opened(rooms)) == before
    assert im.verify(out, source=opened(rooms)).ok
    victim.unlink()
    assert im.verify(out).missing == (victim.relative_to(out).as_posix(),)
    assert im.augment(opened(rooms), out, PIPE).made == 1
    assert victim.read_bytes() == before
    victim.write_bytes(b"other")
    assert im.verify(out).changed == (victim.relative_to(out).as_posix(),)
    assert im.replay_all(out, opened(rooms), tmp_path / "again") == 12
    assert (tmp_path / "again" / victim.relative_to(out)).read_bytes() == before
    with pytest.raises(im.InputError, match=r"expected a dose for .* maps=\{'dose': ...\}"):
        im.replay(out, sorted((out / "dose").rglob("*.tif"))[0].relative_to(out).as_posix(), rooms)
    im.augment(opened(rooms), out, PIPE.replace(seed=9), overwrite=True)
    assert len(list((out / "depth").rglob("*.png"))) == 3


def test_a_source_without_them_is_another_job(rooms: Path, tmp_path: Path) -> None:
    im.augment(opened(rooms), tmp_path / "out", PIPE)
    with pytest.raises(im.InputError, match="got other further"):
        im.augment(im.open_source(rooms, maps={"depth": "depth"}), tmp_path / "out", PIPE)


def test_layouts_that_keep_pixels_in_files_of_their_own_leave_them_out_and_say_so(rooms: Path, tmp_path: Path) -> None:
    report = im.augment(opened(rooms), tmp_path / "out", PIPE, to="webdataset")
    assert any("depth, dose, nir" in note and "left out" in note for note in report.notes)


def test_depth_in_a_lossy_format_is_written_without_loss(rooms: Path, tmp_path: Path) -> None:
    for path in (rooms / "depth").iterdir():
        gray = (load_picture(path).array // 9).astype(np.uint8)
        path.unlink()
        im.write_picture(path.with_suffix(".jpg"), Picture(gray, "yx"))
    im.augment(im.open_source(rooms / "rgb", maps={"depth": rooms / "depth"}), tmp_path / "out", PIPE)
    assert {path.suffix for path in (tmp_path / "out/depth").rglob("*.*")} == {".png"}


def test_the_command_line_has_them(rooms: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PIPE.to_yaml())
    words = ["augment", str(rooms), "-o", str(tmp_path / "out"), "-p", str(tmp_path / "p.yaml"), "--seed", "4"]
    words += ["--option", "map.depth=depth", "--option", "map.dose=dose", "--option", "view.nir=nir"]
    said = imagemill(*words)
    assert said.code == 0, said.err
    im.augment(opened(rooms), tmp_path / "py", PIPE)
    for path in sorted((tmp_path / "py").rglob("*.*")):
        if path.suffix in (".png", ".tif"):
            assert (tmp_path / "out" / path.relative_to(tmp_path / "py")).read_bytes() == path.read_bytes()
