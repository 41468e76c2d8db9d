"""Generated folders: no label, part or label map is lost without a word, whatever lies beside it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill.data import Source, open_source
from tests.data.layouts.made_folders import KINDS, Made, Meant, write

# IMAGEMILL_FOLDERS=2000 searches as many folders; that takes minutes.
EXAMPLES = int(os.environ.get("IMAGEMILL_FOLDERS", "40"))


def lost(made: Made, source: Source) -> list[str]:
    """What a source has not kept of a folder, and does not speak of either."""
    found = {}
    for record in source:
        mask = record.mask.relative_to(source.root).as_posix() if isinstance(record.mask, Path) else None
        found[record.key] = Meant(record.label, record.split, mask)
    said = " ".join([*map(str, source.problems), *source.notes])
    gone = [
        f"{key}: {meant} became {found.get(key)}"
        for key, meant in made.images.items()
        if found.get(key) != meant and key not in said
    ]
    gone += [f"{key}: not spoken of" for key in made.odd if key not in said and key not in found]
    counted = len(source.passed_over) + len(found)
    everything = len(made.images) + len(made.odd) + sum(not _is_systems(key) for key in made.others)
    return gone + ([f"{counted} files of {everything} accounted for"] if counted != everything else [])


def _is_systems(key: str) -> bool:
    return any(name in key for name in ("Thumbs.db", "__MACOSX", "@eaDir", ".DS_Store"))


@settings(max_examples=EXAMPLES)
@given(st.one_of(*KINDS.values()))
def test_no_label_or_part_is_lost_without_a_word(made: Made) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(write(made, Path(folder)))
        assert not lost(made, source), source.describe()
