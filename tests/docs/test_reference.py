from __future__ import annotations

from imagemill.compat.translate import catalogue as translation_catalogue
from imagemill.data.codecs import catalogue as format_catalogue
from imagemill.data.layouts import catalogue as layout_catalogue
from imagemill.data.layouts.registry import known_layouts
from imagemill.transforms import catalogue
from imagemill.transforms.base import REGISTRY
from tests.architecture.repository import ROOT


def test_the_reference_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "reference" / "transforms.md").read_text("utf-8")
    assert written == catalogue.page(), "run: make docs"


def test_every_transform_of_the_package_is_on_the_page() -> None:
    page = catalogue.page()
    shipped = [name for name, cls in REGISTRY.items() if cls.__module__.startswith("imagemill.")]
    assert len(shipped) > 30
    assert [name for name in shipped if f"### {name}\n" not in page] == []


def test_the_page_of_layouts_is_the_generated_one() -> None:
    written = (ROOT / "docs" / "reference" / "layouts.md").read_text(encoding="utf-8")
    assert written == layout_catalogue.page(), "run: make docs"


def test_the_page_of_formats_is_the_generated_one() -> None:
    written = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    assert written == format_catalogue.page(), "run: make docs"


def test_the_page_of_other_libraries_is_the_generated_one() -> None:
    written = (ROOT / "docs" / "reference" / "translation.md").read_text(encoding="utf-8")
    assert written == translation_catalogue.page(), "run: make docs"


def test_every_layout_is_explained() -> None:
    assert [layout.name for layout in known_layouts() if not layout.recognised] == []
    assert [layout.name for layout in known_layouts() if bool(layout.written) != layout.writes] == []
    assert {word for layout in known_layouts() for word in layout.holds} <= {*layout_catalogue.WORDS, "image"}
