"""The page holds everything, escapes what it is given, and asks nothing of the network."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np

from imagemill.app.figures.html import Code, Fact, Figure, Section, page

EVIL = """<script>alert("1")</script> & 'x' {{ 7 * 7 }}"""


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_everything_a_file_may_be_called_is_escaped():
    figure = Figure(np.zeros((2, 3, 3), np.uint8), EVIL)
    text = page(EVIL, [EVIL], [Section(EVIL, [EVIL], [Fact(EVIL, EVIL, True)], [figure], [Code(EVIL, EVIL)])])
    reader = read(text)
    assert "script" not in reader.tags
    assert "49" not in re.sub(r"base64,[^\"]*", "", text).replace("#", "")
    assert text.count("&lt;script&gt;") >= 9
    assert dict(reader.attributes)["alt"] == EVIL


def test_pictures_are_inside_the_page_unchanged():
    rgb = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)
    reader = read(page("t", [], [Section("s", figures=[Figure(rgb, "c")])]))
    source = dict(reader.attributes)["src"]
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], rgb)
    assert ("width", "7") in reader.attributes
    assert ("height", "5") in reader.attributes


def test_nothing_comes_from_the_network():
    text = page("t", ["lead"], [Section("s", figures=[Figure(np.zeros((2, 2, 3), np.uint8), "c")])])
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_sections_are_listed_when_there_are_several_and_checks_are_coloured():
    text = page("t", [], [Section("one", facts=[Fact("a", "yes", True), Fact("b", "no", False)]), Section("two")])
    assert '<a href="#part-2">two</a>' in text
    assert '<td class="good">yes</td>' in text
    assert '<td class="bad">no</td>' in text
    assert "prefers-color-scheme: dark" in text
