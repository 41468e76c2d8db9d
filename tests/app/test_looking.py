"""Batches, samples, datasets, pipelines and audits show themselves, in notebooks and outside."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import ImageShow

import imagemill as im
from imagemill.app.figures.figure_array import drawing

RED, GREEN = (255, 0, 0), (0, 255, 0)


def plain(colour: tuple[int, int, int], shape: tuple[int, int] = (40, 60)) -> np.ndarray:
    return np.full((*shape, 3), colour, np.uint8)


def count(figure: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((np.asarray(figure) == colour).all(axis=-1).sum())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(20):
        name, colour = ("cat", RED) if number < 10 else ("dog", GREEN)
        im.write_picture(tmp_path / f"set/{name}/{number}.png", im.Picture(plain(colour), "yxc"))
    return tmp_path / "set"


def test_a_batch_is_drawn_whatever_its_layout_and_type() -> None:
    photos = [plain(RED), plain(GREEN)]
    for extra in ([], [im.ToLayout("channels_first")], [im.ToDtype("float32"), im.ToLayout("channels_first")]):
        batch = im.Pipeline([im.Resize((40, 60)), *extra], seed=1).batch(photos, keys=["a", "b"])
        figure = batch.plot()
        # 60 columns are magnified four times, as tiles of 260 hold.
        assert count(figure, RED) == count(figure, GREEN) == 160 * 240
        assert count(batch.plot(1), GREEN) == 0


def test_a_batch_draws_what_moved_along() -> None:
    photos = [np.zeros((40, 40, 3), np.uint8)] * 2
    masks = [np.pad(np.full((10, 10), 5, np.uint8), 15)] * 2
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    bare = pipe.batch(photos).plot()
    marked = pipe.batch(photos, mask=masks).plot()
    boxed = pipe.batch(photos, boxes=[[[5, 5, 20, 20]]] * 2).plot()
    assert bare.shape != marked.shape  # the legend takes a line
    assert (np.asarray(boxed) != np.asarray(bare)).any()


def test_captions_leave_out_what_happened_to_all_alike() -> None:
    pipe = im.Pipeline([im.Rotate((-9, 9)), im.Resize((32, 32))], seed=1)
    html = pipe.batch([plain(RED)] * 3, keys=["x/a", "x/b", "x/c"])._repr_html_()
    assert html.count("<figure") == 3
    assert html.count("Rotate") == 2 * 3  # in the caption, and for screen readers
    assert "Resize" not in html
    assert "x/<wbr>b" in html


def test_html_holds_the_pictures_themselves() -> None:
    html = im.Pipeline([], seed=1).batch([plain(RED)])._repr_html_()
    (data,) = re.findall(r"base64,([^\"]+)", html)
    read = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert read is not None
    assert np.abs(read.astype(int).mean(axis=(0, 1)) - RED).max() < 3


def test_html_of_a_batch_without_images_says_so() -> None:
    html = im.Pipeline([], seed=1).batch(first=[im.Image(plain(RED))])._repr_html_()
    assert "expected pictures, got none" in html


def test_text_in_captions_is_no_markup() -> None:
    html = im.Pipeline([], seed=1).batch([plain(RED)], keys=["<b>"])._repr_html_()
    assert "<b>" not in html


def test_a_dataset_shows_rows_spread_over_it_and_files_that_cannot_be_read(folder: Path) -> None:
    photos = im.open(folder)
    assert count(photos.plot(2), RED) == count(photos.plot(2), GREEN) > 0
    (folder / "cat/0.png").write_bytes(b"no picture")
    html = photos._repr_html_()
    assert html.count("<figure") == 12
    assert "cat/<wbr>0.png<br>" in html
    assert "expected" in html


def test_scans_of_a_dataset_are_each_shown_on_their_own_scale(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number, white in enumerate((10, 10_000)):
        scan = rng.integers(0, white, (6, 30, 30)).astype(np.uint16)
        im.write_picture(tmp_path / f"{number}.tif", im.Picture(scan, "zyx"))
    figure = np.asarray(im.open(tmp_path).plot(2)).astype(float)
    tiles = figure[60:280, 20:250, 0], figure[60:280, 300:500, 0]
    assert abs(tiles[0].mean() - tiles[1].mean()) < 20


def test_a_sample_shows_itself(folder: Path) -> None:
    sample = im.open(folder)[0]
    assert count(sample.plot(), RED) > 0
    assert "label" in sample._repr_html_()


@pytest.mark.parametrize("number", [0, -1, True, "all"])
def test_a_number_of_pictures_is_asked_for(number: object) -> None:
    batch = im.Pipeline([], seed=1).batch([plain(RED)])
    with pytest.raises(im.InputError, match="number of pictures from 1"):
        batch.plot(number)  # type: ignore[arg-type]


def test_a_pipeline_previews_arrays_and_files(folder: Path) -> None:
    pipe = im.Pipeline([im.Flip("x", p=0.5)], seed=1)
    four = pipe.preview(plain(RED), n=4)
    assert count(four, RED) == 4 * 160 * 240
    assert np.array_equal(four, im.grid(pipe, plain(RED), rows=2, columns=2))
    assert count(pipe.preview(folder / "cat/0.png", n=5, columns=5), RED) == 5 * 160 * 240
    with pytest.raises(im.InputError, match="expected n from 1 to 1024, got 0"):
        pipe.preview(plain(RED), n=0)


def test_pipelines_and_loaders_have_html(folder: Path) -> None:
    pipe = im.Pipeline([im.Rotate((-5, 5)), im.Resize((8, 8))], seed=3)
    assert "Rotate             degrees -5..5" in pipe._repr_html_()
    html = im.Loader(folder, pipe, batch_size=4)._repr_html_()
    assert html.startswith("<pre>Loader(20 rows")
    assert "Rotate" in html


def test_an_audit_draws_what_it_found(folder: Path) -> None:
    for number in range(20):  # of which two are alike
        picture = np.random.default_rng(max(number, 1)).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        im.write_picture(folder / f"{'cat' if number % 2 else 'dog'}/{number}.png", im.Picture(picture, "yxc"))
    found = im.audit(folder)
    assert found.plot(4).shape[0] > 100
    rule = next(one for one in found.findings if one.places)
    assert found.plot(1, rule=rule).shape == found.plot(1, rule=rule.rule).shape
    with pytest.raises(im.InputError, match="expected a finding that names images, got 'nothing'"):
        found.plot(rule="nothing")


def test_a_drawing_is_an_array_that_saves_itself(tmp_path: Path) -> None:
    figure = drawing(plain(RED))
    assert (str(figure), repr(figure)) == ("Drawing of 60 x 40 pixels: show() or save(path)",) * 2
    figure.save(tmp_path / "a.png")
    assert np.array_equal(im.read_picture(tmp_path / "a.png").array, figure)
    assert (figure._repr_png_() or b"").startswith(b"\x89PNG")
    assert figure[0]._repr_png_() is None
    assert repr(figure[0, 0]) == "array([255,   0,   0], dtype=uint8)"


def test_where_there_is_no_viewer_it_says_where_the_figure_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ImageShow, "show", lambda image: False)
    monkeypatch.setenv("DISPLAY", ":0")
    drawing(plain(RED)).show()
    path = capsys.readouterr().err.strip().rpartition(" ")[2]
    assert np.array_equal(im.read_picture(path).array, plain(RED))


def test_a_viewer_is_given_the_figure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[np.ndarray] = []

    def show(image: object) -> bool:
        seen.append(np.asarray(image))
        return True

    monkeypatch.setattr(ImageShow, "show", show)
    monkeypatch.setenv("DISPLAY", ":0")
    im.Pipeline([], seed=1).batch([plain(RED)]).show(1)
    assert count(seen[0], RED) > 0
    assert capsys.readouterr().err == ""


def test_a_notebook_shows_it_below_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    shell = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown.append))
    figure = drawing(plain(RED))
    figure.show()
    assert shown == [figure] or shown[0] is figure
