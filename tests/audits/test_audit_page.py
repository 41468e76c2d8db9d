"""The page of an audit: the verdict and what to mend first, pictures that are counted, ten thousand findings."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.audit_page import as_fragment, as_page
from imagemill.audits.page_pictures import PagePictures
from imagemill.core.findings import worst_first
from imagemill.pages.table_script import SCRIPT
from tests.audits.made_up import folder, photo, write
from tests.pages.reading import flaws, read


@pytest.fixture
def found(tmp_path: Path) -> Audit:
    src = folder(tmp_path / "set", 12)
    write(src / "dog" / "copy.png", photo(3))
    write(src / "dog" / "dark.png", (photo(77) * 0.2).astype(np.uint8))
    return im.audit(src)


def with_findings(found: Audit, count: int) -> Audit:
    keys = found.survey.keys(found.survey.seen)
    many = [
        im.Finding(
            f"rule-{number % 40}", ("error", "warning", "note")[number % 3], f"something is odd in place {number:,}",
            keys[number % 7 : number % 7 + 12], {"images": 12, "share": 0.5}, "look at it, and mend it where it stands",
        )
        for number in range(count)
    ]  # fmt: skip
    return replace(found, findings=tuple(worst_first(many)))


def test_the_first_screen_has_the_verdict_and_the_worst_of_each_rule_with_pictures(found: Audit) -> None:
    text = as_page(found)
    assert flaws(text) == []
    reader = read(text)
    header = text[: text.index("<main")]
    assert "✕</span> Fit to train on? Not as it is: 1 finding to mend first." in header
    assert header.index("Fit to train on?") < header.index("To mend first") < header.index('href="#part-1"')
    cards = [said for _, said in read(header[header.index('<ul class="cards"') : header.index("</ul>") + 5]).all("h3")]
    assert cards[0] == "Contradiction"
    assert "Dark" in cards
    assert len(cards) == len(set(cards)) <= 5
    assert header.count("<img") >= 3
    # Every finding is told below, with what its figures are.
    told = [said for a, said in reader.all("h3")][len(cards) :]
    assert len(told) == len(found.findings)
    assert any("images concerned" in said for _, said in reader.all("td"))


def test_ten_thousand_findings_are_a_page_of_some_megabytes_that_tells_the_worst_and_lists_all(found: Audit) -> None:
    text = as_page(with_findings(found, 10_000))
    assert len(text) < 6_000_000
    assert text.count('id="finding-') == 60
    assert "The other 9,940 are in the table below." in text
    assert text.count('<tr><th scope="row" data-key=') == 10_000
    assert text.count('<table class="searched">') == 1
    assert text.count("<img ") == 200
    assert "200 pictures embedded, at most 200; " in text
    assert text.endswith(
        "Nothing is loaded from elsewhere.</footer></div><script>" + SCRIPT + "</script></body></html>\n"
    )


def test_a_page_of_many_findings_shuts_nobody_out_and_its_cards_are_five_different_rules(found: Audit) -> None:
    many = with_findings(found, 150)
    often = [replace(many.findings[0], message=f"again, {number}") for number in range(6)]
    text = as_page(replace(many, findings=(*often, *many.findings)))
    assert flaws(text) == []
    listed = text[text.index('<ul class="cards"') : text.index("</ul>") + 5]
    titles = [said for _, said in read(listed).all("h3")]
    assert len(titles) == len(set(titles)) == 5
    assert "Again, 0 (and 9 more such)" in listed


def test_pictures_are_counted_and_what_is_not_shown_is_said(found: Audit) -> None:
    pictures = PagePictures(found.survey, 3)
    keys = found.survey.keys(found.survey.seen)
    assert len(pictures.of(keys[:2])) == 2
    assert len(pictures.of(keys[:5])) == 1
    assert (pictures.embedded, pictures.left_out) == (3, 4)
    assert pictures.of(["no such image", "against: nothing"]) == []


def test_a_large_photo_is_shrunk_to_what_is_shown_and_keeps_its_shape(tmp_path: Path) -> None:
    write(tmp_path / "a.jpg", photo(1, 600, 900), 95)
    [shown] = PagePictures(im.audit(tmp_path, checks=[]).survey, 9).of(["a.jpg"])
    assert shown.rgb.shape == (128, 192, 3)
    expected = cv2.resize(photo(1, 600, 900), (192, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(shown.rgb.astype(int) - expected).mean() < 3
    assert shown.uri.startswith("data:image/jpeg")


def test_pixels_of_a_small_image_are_kept_as_they_are(tmp_path: Path) -> None:
    digits = np.random.default_rng(0).integers(0, 256, (2, 8, 8), np.uint8)
    [shown] = PagePictures(im.audit(digits, checks=[]).survey, 9).of(["row-0"])
    assert np.array_equal(shown.rgb[::12, ::12, 0], digits[0])
    assert shown.uri.startswith("data:image/png")


def test_files_that_are_gone_are_shown_as_they_were_seen_and_the_words_say_so(found: Audit, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "set")
    [shown] = PagePictures(found.survey, 9).of(["cat/cat001.png"])
    assert shown.caption == "cat/cat001.png (as it was seen; the file cannot be read any more)"
    assert flaws(as_page(found)) == []


def test_boxes_and_label_maps_are_drawn_where_annotations_are_at_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", np.full((100, 100, 3), 128, np.uint8))
    mask = np.zeros((100, 100), np.uint8)
    mask[60:80, 60:80] = 1
    assert cv2.imwrite(str(tmp_path / "m.png"), mask)
    record = im.Record("a.png", path, tmp_path / "m.png", objects=(im.Instance("cell", (10.0, 20.0, 30.0, 40.0)),))
    pictures = PagePictures(im.audit([record], checks=[]).survey, 9)
    [plain], [drawn] = pictures.of(["a.png"]), pictures.of(["a.png"], annotated=True)
    assert (plain.rgb == 128).all()
    assert drawn.rgb.shape == plain.rgb.shape
    assert tuple(drawn.rgb[20, 25]) == tuple(drawn.rgb[60, 25]) == (255, 60, 40)
    assert (drawn.rgb[70, 70] != 128).all()
    assert (drawn.rgb[40, 25] == 128).all()


def test_a_volume_is_shown_as_it_was_seen_with_its_labels() -> None:
    volume = np.random.default_rng(0).integers(0, 255, (1, 9, 20, 20), np.uint8)
    survey = im.audit(im.from_arrays(volume, axes="zyx"), checks=[]).survey
    [shown] = PagePictures(survey, 9).of(["row-0"])
    glance = survey.glances[0]
    assert glance is not None
    assert glance.view is not None
    times = len(shown.rgb) // len(glance.view)
    assert np.array_equal(shown.rgb[::times, ::times], glance.view)


def test_a_notebook_shows_the_worst_and_says_how_many_more(found: Audit) -> None:
    text = as_fragment(with_findings(found, 100))
    assert text.count("<tr>") == 21
    assert "And 80 more: to_frame() has all, save_html(path) shows them with pictures." in text
    assert "<script" not in text
