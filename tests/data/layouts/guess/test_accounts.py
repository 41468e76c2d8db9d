"""Every file that a layout writes is one that it reads: none of them is passed over when it is opened again."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagemill.core.errors import SourceError
from imagemill.data import Record, Source, open_source
from imagemill.data.layouts.registry import known_layouts
from imagemill.data.records.instances import Instance
from imagemill.verbs.export.export import export
from tests.data.pictures import label_map, photo

WRITTEN = [layout.name for layout in known_layouts() if layout.name not in ("file", "dicom", "tiff-stack", "nnunet")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    root = tmp_path_factory.mktemp("in")
    records = tuple(
        Record(
            f"{n}.png",
            photo(root / f"{n}.png", n),
            label_map(root / f"{n}_m.png", n),
            label="ab"[n % 2],
            objects=(Instance("eye", (1.0, 2.0, 9.0, 8.0), polygons=((1.0, 2.0, 10.0, 2.0, 10.0, 10.0),)),),
            split=("train", "test")[n // 2],
        )
        for n in range(4)
    )
    return Source(root, "made up", records)


@pytest.mark.parametrize("layout", WRITTEN)
def test_what_was_written_is_read(tmp_path: Path, source: Source, layout: str) -> None:
    try:
        export(source, tmp_path / "out", layout)
    except SourceError as error:
        pytest.skip(str(error))
    back = open_source(tmp_path / "out", layout=layout)
    assert back.passed_over == (), back.describe()
    assert "passed over" not in back.describe()
