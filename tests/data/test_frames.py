"""Data frames of pandas and Polars, and tables of Arrow, wherever a dataset is taken: as a CSV file of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import polars as pl
import pytest

import imagemill as im

KINDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "polars": pl.DataFrame,
    "arrow": lambda columns: pl.DataFrame(columns).to_arrow(),
    "pandas": lambda columns: pytest.importorskip("pandas").DataFrame(columns),
}


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    paths: list[str] = []
    for name in ("cat/1", "cat/2", "dog/1", "dog/2"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(np.full((6, 8, 3), len(paths) * 40, np.uint8)).save(path)
        paths.append(str(path))
    return paths


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_is_read_as_a_file_of_it_would_be(kind: str, photos: list[str], tmp_path: Path) -> None:
    columns = {"path": photos, "kind": ["a", "b", "a", "b"], "year": [1999, 2001, 2002, 2003]}
    frame = KINDS[kind](columns)
    pl.DataFrame(columns).write_csv(tmp_path / "photos" / "table.csv")
    made, filed = im.open(frame), im.open(tmp_path / "photos" / "table.csv")
    assert made.classes == filed.classes == ("a", "b")
    assert made.table.equals(filed.table)
    for one, other in zip(made, filed, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_paths_start_at_the_current_folder_or_where_images_says(
    photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = pl.DataFrame({"file": [str(Path(path).relative_to(tmp_path / "photos")) for path in photos]})
    monkeypatch.chdir(tmp_path / "photos")
    assert list(im.open(named).table["key"]) == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(im.SourceError, match=r"where there is nothing.*paths start at the current folder"):
        im.open(named)
    assert len(im.open(named, images=str(tmp_path / "photos"))) == 4
    # What lies below the current folder is not searched for names.
    with pytest.raises(im.SourceError, match="images='DIR'"):
        im.open(pl.DataFrame({"file": ["2.png"], "label": ["a"]}))


def test_a_column_is_a_list_of_paths_and_options_of_lists_count(photos: list[str], tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    for column in (pl.Series(photos), pandas.Series(photos)):
        assert len(im.open(column)) == 4
    masks = tmp_path / "masks"
    for path in photos:
        im.write_picture(
            masks / Path(path).relative_to(tmp_path / "photos"), im.Picture(np.ones((6, 8), np.uint8), "yx")
        )
    for what in (photos, pl.DataFrame({"image": photos})):
        assert im.open(what, masks=masks)[0].mask.all()
        with pytest.raises(im.InputError, match=r"columns=\{'label': 'y'\}"):
            im.open(what, label="y")


def test_cells_may_hold_pixels_and_nothing(photos: list[str]) -> None:
    pandas = pytest.importorskip("pandas")
    arrays = [np.full((4, 5, 3), i, np.uint8) for i in range(3)]
    for cells in (arrays, [PIL.Image.fromarray(one) for one in arrays]):
        made = im.open(pandas.DataFrame({"image": cells, "label": ["a", "b", "a"]}))
        assert [int(one.image[0, 0, 0]) for one in made] == [0, 1, 2]
    some = pandas.DataFrame({"image": photos, "label": ["a", None, pandas.NA, float("nan")]}, dtype=object)
    assert im.open(some).table["label"].to_list() == ["a", None, None, None]


def test_boxes_of_many_rows_are_annotations_of_one_image(photos: list[str]) -> None:
    rows = {"file": photos[:1] * 2, "xmin": [1, 2], "ymin": [1, 2], "xmax": [3, 5], "ymax": [3, 6], "class": ["a", "b"]}
    (one,) = im.open(pl.DataFrame(rows))
    np.testing.assert_array_equal(one.boxes.array, [[1, 1, 3, 3], [2, 2, 5, 6]])


def test_verbs_take_what_a_dataset_can_be_opened_of(
    photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.DataFrame({"path": photos, "label": ["a", "b", "a", "b"]})
    flip = im.Pipeline([im.Flip("x")], seed=1)
    with im.Loader(frame, flip, batch_size=4, shuffle=False) as loader:
        images, labels = next(iter(loader))
    assert images.shape == (4, 6, 8, 3)
    assert labels.tolist() == [0, 1, 0, 1]
    monkeypatch.chdir(tmp_path / "photos")  # outputs may lie beside: no folder was searched
    for number, what in enumerate((frame, im.open(frame), photos, (np.zeros((4, 6, 8, 3), np.uint8), [0, 1, 0, 1]))):
        assert im.prepare(what, f"store{number}").made == 4
        assert im.augment(what, f"more{number}", flip, format="png").made == 4
    assert "4 images" in repr(im.audit(frame))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pl.DataFrame({"a": [1, 2]}), "a column of images in the DataFrame, got 'a'"),
        (pl.DataFrame({"a": []}), "a row for each image, got one without rows"),
    ],
)
def test_frames_without_images_are_refused(frame: Any, words: str) -> None:
    with pytest.raises(im.SourceError, match=words):
        im.open(frame)


def test_what_pandas_allows_and_no_file_has() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(im.SourceError, match=r"different names of columns in a DataFrame, got \['y'\] twice"):
        im.open(pandas.DataFrame([["a.png", 1, 2]], columns=["file", "y", "y"]))
    with pytest.raises(im.SourceError, match=r"the index 'file' is no column: frame.reset_index\(\)"):
        im.open(pandas.DataFrame({"file": ["a.png"], "y": [1]}).set_index("file"))
    with pytest.raises(im.InputError, match=r"got a DataFrame; imagemill.open makes a dataset of it"):
        im.scan(pandas.DataFrame({"file": ["a.png"]}))
