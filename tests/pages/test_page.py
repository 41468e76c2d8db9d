"""A page holds everything, escapes what it is given, asks nothing of the network, and can be read by everybody."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np
import pytest

from imagemill.pages import (
    Beside,
    Card,
    Cards,
    Code,
    Fact,
    Facts,
    Figure,
    Folded,
    Link,
    Part,
    Pictures,
    Section,
    Table,
    Verdict,
    Word,
    fragment,
    page,
)  # fmt: skip
from imagemill.pages.page_style import DARK, LIGHT, LINES, TEXT_ON, contrast, levels
from tests.pages.reading import flaws, read

EVIL = """<script>alert("1")</script> & 'x' {{ 7 * 7 }} \x00\udcff"""
SEEN = """<script>alert("1")</script> & 'x' {{ 7 * 7 }} \ufffd\ufffd"""
BLACK = np.zeros((2, 3, 3), np.uint8)


def test_everything_a_file_may_be_called_is_escaped() -> None:
    blocks = [
        EVIL,
        Facts([Fact(EVIL, EVIL, True)], EVIL),
        Figure(BLACK, EVIL),
        Code(EVIL, EVIL),
        Table(EVIL, [EVIL, "b"], [[EVIL, Word(EVIL, EVIL)]]),
        Folded(EVIL, [EVIL]),
        Part(EVIL, [EVIL]),
        Pictures([Figure(BLACK, EVIL)], EVIL),
        Table(EVIL, [EVIL, "b"], [[Link(EVIL, "content"), Word(EVIL, key=EVIL)]], searched=(EVIL,)),
        Verdict(EVIL, Word(EVIL)),
        Beside([Code(EVIL)]),
        Part(Word("error", EVIL), [EVIL], "part"),
        Cards(EVIL, [Card(Word(EVIL), EVIL, EVIL, "part", [Figure(BLACK, EVIL)])]),
    ]
    text = page(EVIL, [EVIL], [Section(EVIL, blocks)], EVIL)
    reader = read(text)
    assert flaws(text) == []
    assert text.encode("utf-8")
    assert {a["alt"] for a, _ in reader.all("img")} == {SEEN}
    assert reader.all("h1")[0][1] == reader.all("h2")[0][1] == reader.all("footer")[0][1] == SEEN


def test_pictures_are_inside_the_page_unchanged() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)
    [(attributes, _)] = read(page("t", [], [Section("s", [Figure(rgb, "c")])])).all("img")
    data = base64.b64decode(attributes["src"].removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], rgb)
    assert (attributes["width"], attributes["height"]) == ("7", "5")
    gray = np.arange(6, dtype=np.uint8).reshape(2, 3)
    data = base64.b64decode(Figure(gray, "c").uri.removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), gray)


def test_nothing_comes_from_the_network() -> None:
    text = page("t", ["lead"], [Section("s", [Figure(BLACK, "c")])])
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_sections_are_listed_when_there_are_several_and_checks_are_coloured() -> None:
    text = page("t", [], [Section("one", [Facts([Fact("a", "yes", True), Fact("b", "no", False)])]), Section("two")])
    assert '<a href="#part-2">two</a>' in text
    assert '<td class="good">yes</td>' in text
    assert '<td class="bad">no</td>' in text
    assert "<nav" not in page("t", [], [Section("one")])


def test_the_first_thing_a_keyboard_reaches_leads_to_the_content() -> None:
    reader = read(page("t", [], [Section("one"), Section("two")]))
    links = reader.all("a")
    assert links[0][0]["href"] == "#content"
    assert [a["id"] for a, _ in reader.all("main")] == ["content"]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ('<h3>"', "headings"),
        ("<img>", "without words"),
        ('<img src="http://a" alt="b">', "from outside"),
        ("<th>", "scope"),
        ("<svg></svg>", "drawing"),
        ('<div class="scroll"></div>', "keyboard"),
        ('<a href="#gone"></a>', "nowhere"),
        ('<p id="content"></p>', "two of"),
        ("<script>alert(1)</script>", "a script that a browser would not run"),
    ],
)
def test_what_would_shut_somebody_out_is_found(wrong: str, word: str) -> None:
    if wrong.startswith(("<h3", "<th")):
        wrong += f"</{wrong[1:3]}>"
    broken = page("t", [], []).replace("</main>", f"{wrong}</main>")
    assert any(word in flaw for flaw in flaws(broken))


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_what_is_written_can_be_told_from_its_ground(colours: dict[str, str]) -> None:
    pairs = {(text, ground): contrast(colours[text], colours[ground]) for text, on in TEXT_ON.items() for ground in on}
    assert {pair: ratio for pair, ratio in pairs.items() if ratio < 4.5} == {}
    shades = [contrast(ground, text) for ground, text in levels(colours)]
    assert min(shades) >= 4.5
    # Lines need 3:1 (WCAG 2.2, 1.4.11).
    lines = {name: contrast(colours[name], colours["paper"]) for name in (*LINES, "axis", "ink")}
    assert {name: ratio for name, ratio in lines.items() if ratio < 3} == {}


def test_contrast_is_that_of_the_guidelines() -> None:
    # Ratios of well-known pairs, as published for WCAG: #767676 is the lightest gray that passes on white.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.005)
    assert contrast("#0000ff", "#ffffff") == pytest.approx(8.59, abs=0.005)


def test_every_colour_of_text_in_the_style_is_one_that_is_checked() -> None:
    css = re.sub(r"\s", "", read(page("t", [], [])).all("style")[0][1])
    # What comes behind "color:" or, in drawings of letters, "fill:".
    used = set(re.findall(r"[{;]color:var\(--(\w+)\)", css))
    assert used
    assert used <= set(TEXT_ON)


def test_light_dark_and_paper_have_rules() -> None:
    css = read(page("t", [], [])).all("style")[0][1]
    assert "prefers-color-scheme:dark" in css
    assert "@media print" in css
    assert ":focus-visible" in css
    assert DARK["paper"] in css
    # On paper the light colours hold, whatever the screen: their rule comes last.
    assert css.index(f"--paper:{DARK['paper']}") < css.index("@media print") < css.rindex(f"--paper:{LIGHT['paper']}")


def test_a_verdict_is_told_by_a_sign_and_a_word_besides_its_colour() -> None:
    texts = {word: read(fragment([Table("", ["a", "b"], [["x", Word(word)]])])).all("td")[0][1] for word in
             ("helps", "harms", "no difference seen", "diverged", "not shown")}  # fmt: skip
    signs = {text.split()[0] for text in texts.values()}
    assert len(signs) == len(texts)
    assert all(text.endswith(word) for word, text in texts.items())


def test_columns_of_numbers_are_told_from_words() -> None:
    rows = [["a", ".981", "yes"], ["b", "−1.2 [−2, −1]", "2 %"]]
    heads = read(fragment([Table("c", ["", "n", "w"], rows)])).all("th")
    assert [a.get("class") for a, _ in heads[:3]] == [None, "n", None]
    assert [a["scope"] for a, _ in heads] == ["col"] * 3 + ["row"] * 2


def test_a_table_that_is_searched_brings_the_one_script_that_the_page_allows_and_is_whole_without_it() -> None:
    rows = [[Word("warning", key="1"), f"row {number}", f"{number:,}"] for number in range(3000)]
    searched = Table("c", ["level", "what", "n"], rows, heads=2, searched=("level",))
    text = page("t", [], [Section("s", [searched])])
    assert flaws(text) == []
    reader = read(text)
    assert len(reader.all("tr")) == 3001
    assert len(reader.all("script")) == 1
    assert [said for a, said in reader.all("th") if "data-choose" in a] == ["level"]
    assert {a.get("data-key") for a, _ in reader.all("th") if a["scope"] == "row"} == {"1", None}
    plain = page("t", [], [Section("s", [Table("c", ["a"], [["b"]])])])
    assert "<script" not in plain
    assert "script-src" not in plain
    assert "<script" not in fragment([searched])


def test_a_photo_is_a_jpeg_a_fraction_as_large_and_close_to_what_it_shows() -> None:
    y, x = np.mgrid[:96, :128]
    rgb = np.stack([x * 2, y * 2, 255 - x], axis=2).clip(0, 255).astype(np.uint8)
    rgb = np.clip(rgb + np.random.default_rng(0).normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)
    shown = Figure(rgb, "c", photo=True)
    data = base64.b64decode(shown.uri.removeprefix("data:image/jpeg;base64,"))
    again = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(again.astype(int) - rgb).mean() < 6
    assert len(shown.uri) < len(Figure(rgb, "c").uri) / 4


def test_cards_lead_to_the_places_that_say_all() -> None:
    card = Card(Word("error"), "Leak", "2 images", "finding-1", [Figure(BLACK, "a.png")])
    text = page("t", [Verdict("Fit? No.", Word("error")), Cards("First", [card])], [
        Section("s", [Part(Word("error", "Leak"), ["more"], "finding-1")])
    ])  # fmt: skip
    assert flaws(text) == []
    assert [said for a, said in read(text).all("a") if a["href"] == "#finding-1"] == ["Leak"]
    assert [said for _, said in read(text).all("p")][:2] == ["✕ Fit? No.", "2 images"]
    assert "✕ error Leak" in [said for _, said in read(text).all("h3")]
