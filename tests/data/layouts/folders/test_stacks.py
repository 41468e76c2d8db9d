from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Picture, Source, load_mask, load_picture, write_picture
from imagemill.data.layouts.arrays.in_memory import from_arrays
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.folders.tiff_stacks import TiffStack
from imagemill.data.layouts.registry import guesses, look_at

VOXELS = np.random.default_rng(0).integers(0, 60_000, (12, 5, 6)).astype(np.uint16)


def pages(folder: Path, pattern: str = "scan_z{}.tif", voxels: Any = VOXELS, first: int = 1) -> Path:
    for number, page in enumerate(voxels):
        write_picture(folder / pattern.format(number + first), Picture(page, "yx"))
    return folder


def read(path: Path, **extra: Any) -> Source:
    return TiffStack().read(look_at(path), ReadSource(extra=extra))


def test_pages_are_counted_as_numbers(tmp_path: Path) -> None:
    pages(tmp_path)  # without leading zeros: 10 comes after 9 and not after 1
    assert guesses(look_at(tmp_path))[0][0].name == "tiff-stack"
    source = read(tmp_path, spacing=(2.0, 0.5, 0.25))
    assert [r.key for r in source] == ["scan"]
    picture = load_picture(source.records[0].image)
    assert picture.axes == "zyx"
    np.testing.assert_array_equal(picture.array, VOXELS)
    assert picture.spacing == (2.0, 0.5, 0.25)
    assert picture.affine is not None
    assert (picture.affine @ [1, 1, 1, 1]).tolist() == [0.25, 0.5, 2.0, 1.0]  # x, y, z
    with pytest.raises(SourceError, match="three distances"):
        read(tmp_path, spacing=(1, 0, 1))


def test_photos_with_numbers_are_not_taken_for_slices(tmp_path: Path) -> None:
    pages(tmp_path / "cat", "IMG_{}.tif")
    found = [(layout.name, guess.sure) for layout, guess in guesses(look_at(tmp_path))]
    assert found[0][0] != "tiff-stack"
    assert dict(found)["tiff-stack"] < 0.2
    write_picture(tmp_path / "cat/IMG_13.tif", Picture(VOXELS[0, :4], "yx"))
    assert "tiff-stack" not in {layout.name for layout, _ in guesses(look_at(tmp_path))}


def test_gaps_and_loose_files_are_named(tmp_path: Path) -> None:
    pages(tmp_path)
    (tmp_path / "scan_z5.tif").unlink()
    write_picture(tmp_path / "overview.tif", Picture(VOXELS[0], "yx"))
    source = read(tmp_path)
    assert load_picture(source.records[0].image).array.shape == (11, 5, 6)
    assert "numbers 1 to 12 with 1 missing" in str(source.problems[0])
    assert source.problems[1].name == "overview.tif"


def test_pages_that_differ_are_refused(tmp_path: Path) -> None:
    pages(tmp_path)
    write_picture(tmp_path / "scan_z7.tif", Picture(VOXELS[0].astype(np.float32), "yx"))
    with pytest.raises(CodecError, match=r"scan_z7\.tif: expected uint16"):
        load_picture(read(tmp_path).records[0].image)


def test_pages_of_one_file_as_images(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "film.tif", VOXELS, photometric="minisblack")
    source = read(tmp_path / "film.tif", pages="images")
    assert [r.key for r in source][:2] == ["film/page-00", "film/page-01"]
    assert {r.group for r in source} == {"film"}
    np.testing.assert_array_equal(load_picture(source.records[11].image).array, VOXELS[11])
    assert load_picture(read(tmp_path / "film.tif").records[0].image).axes == "zyx"


def test_volumes_and_masks_go_there_and_back(tmp_path: Path) -> None:
    volumes = [VOXELS, VOXELS[:7].astype(np.float32)]
    source = from_arrays([*volumes, VOXELS[0]], masks=[VOXELS > 9, None, None], keys=["a", "b", "photo"])
    written = TiffStack().write(source, tmp_path / "out", WriteTarget())
    assert written.count == 2
    assert "expected a volume, got a picture" in str(written.problems[0])
    again = read(tmp_path / "out")
    assert [r.key for r in again] == ["images/a", "images/b"]
    for record, voxels in zip(again, volumes, strict=True):
        found = load_picture(record.image).array
        assert found.dtype == voxels.dtype
        np.testing.assert_array_equal(found, voxels)
    np.testing.assert_array_equal(load_mask(again.records[0].mask).array, VOXELS > 9)  # type: ignore[arg-type]


def test_a_thousand_pages(data_root: Path) -> None:
    path = data_root / "tiff/calcium_imaging_1000page_uint16.tif"
    source = read(path, pages="images")
    assert len(source) == 1000
    assert load_picture(source.records[-1].image).array.shape == (30, 40)
