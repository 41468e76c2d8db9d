from __future__ import annotations

import itertools
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import InputError
from imagemill.data import name_clashes, output_name
from imagemill.data.records.output_names import MAX_NAME_BYTES

# A small alphabet full of trouble meets itself more often than all of Unicode would.
letters = st.sampled_from([*"aAb_.-/#2 :\\*é\u0301e\u212b\u00c5\ud800日\0", "..", "con", ".jpg", ".JPG", "ß"])
keys = st.lists(letters, min_size=1, max_size=12).map("".join)
long_keys = st.builds(lambda text, n: text * n + ".jpg", keys, st.integers(1, 60))


def _folded(name: str) -> str:
    """How the least distinguishing file systems see a name."""
    return unicodedata.normalize("NFD", name.casefold())


@given(st.sets(keys | long_keys, min_size=2, max_size=8), st.integers(1, 3))
def test_exactly_n_names_for_n_copies_whatever_the_keys(found: set[str], copies: int) -> None:
    names = [output_name(key, copy, copies) for key in found for copy in range(copies)]
    assert len({_folded(name) for name in names}) == len(found) * copies
    assert name_clashes(found) == []


@given(keys | long_keys, st.sampled_from([".png", ".nii.gz", ".tiff"]), st.sampled_from(["", "aug_", "é" * 30]))
def test_every_part_is_safe_everywhere(key: str, suffix: str, prefix: str) -> None:
    name = output_name(key, 7, 10, prefix, suffix)
    path = PurePosixPath(name)
    assert not path.is_absolute()
    assert path.name.endswith("-007" + suffix)
    assert path.name.startswith((unicodedata.normalize("NFC", prefix), "_"))
    for part in path.parts:
        assert part != ".."
        assert 0 < len(part.encode()) <= MAX_NAME_BYTES
        assert not part.startswith(".")
        assert not part.endswith((".", " "))
        assert not set(part) & set('<>:"\\|?*\0')
        assert part.partition(".")[0].lower() not in ("con", "nul")
        assert part == unicodedata.normalize("NFC", part)


@given(keys)
def test_a_name_depends_on_the_key_alone(key: str) -> None:
    assert output_name(key, 3, 4) == output_name(key, 3, 5) == output_name(key, 3, 900)


def test_the_examples_of_the_contract() -> None:
    assert output_name("a/b.jpg").startswith("a/b-")
    assert output_name("a_b.jpg").startswith("a_b-")
    assert output_name("x.png") != output_name("x.jpg")
    assert output_name("x.png").lower() != output_name("X.png").lower()
    assert output_name("caf\u00e9.png") != output_name("cafe\u0301.png")
    assert output_name("p.001_frame01.nii.gz", suffix=".nii.gz").startswith("p.001_frame01-")
    assert output_name("a.jpg#2").startswith("a-")
    assert output_name("a.jpg#2") != output_name("a.jpg")
    assert output_name("../up/a.jpg").startswith("up/a-")
    assert output_name("/top/a.jpg").startswith("top/a-")
    assert output_name("C:/data/a.jpg").startswith("C_-")
    assert output_name("cat/1.jpg", 0, 12_345, prefix="aug_").endswith("-00000.png")


def test_names_stay_as_they_are_from_release_to_release() -> None:
    # Written down: a change here renames every output that users have already made.
    assert output_name("cat/photo.one.jpg", 2, 5) == "cat/photo.one-5a990ae8-002.png"
    assert output_name("a.png#2", 0, 1, "aug_", ".nii.gz") == "aug_a-f46e57b2-000.nii.gz"


def test_class_folders_that_need_cleaning_do_not_merge() -> None:
    folders = {output_name(f"{name}/1.png").split("/")[0] for name in ("a:b", "a?b", "a_b", "con", "x" * 300)}
    assert len(folders) == 5


def test_clashes_are_found() -> None:
    assert name_clashes(["a.png", "b.png", "a.png"]) == [("a.png", "a.png")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 0, 1), "record key"),
        (("a", 1, 1), "count copies from 0"),
        (("a", -1, 1), "count copies from 0"),
        (("a", 0, 0), "count copies from 0"),
        (("a", 0, 1, "x/y"), "prefix"),
        (("a", 0, 1, ".x"), "prefix"),
        (("a", 0, 1, "p" * 101), "at most 100 bytes"),
        (("a", 0, 1, "", "png"), "write it with its dot"),
        (("a", 0, 1, "", "./png"), "suffix"),
        (("a", 0, 1, "", ""), "suffix"),
    ],
)
def test_bad_arguments_are_named(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        output_name(*arguments)  # type: ignore[arg-type]


def test_readable_parts_keep_order_of_copies() -> None:
    names = [output_name("a.png", copy, 12) for copy in range(12)]
    assert all(one < other for one, other in itertools.pairwise(names))
