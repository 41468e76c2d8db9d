"""Pictures and datasets that are cut off or have other bytes in them: named, and what lies beside them is made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imagemill.data.records.record import split_suffix
from imagemill.testing.damage import cuts, damaged, flipped
from imagemill.testing.samples import sample_datasets, sample_files
from tests.data.hostile.room import Call, good, run

FLIPS = 12


def _variants(data: bytes) -> list[bytes]:
    bytes_changed = [flipped(data, seed) for seed in range(FLIPS)]
    return [*cuts(data), *bytes_changed, *(damaged(data, seed) for seed in range(FLIPS))]


@pytest.mark.parametrize("kind", ["photos", "volumes"])
def test_damaged_pictures_are_named_and_good_ones_beside_them_made(tmp_path: Path, kind: str) -> None:
    volume = {name for name in sample_files() if name.startswith(("scan.", "stack.")) and name != "scan.dcm"}
    folder, cut_off, count = tmp_path / "pictures", set[str](), 0
    for name, data in sample_files().items():
        if (name in volume) != (kind == "volumes"):
            continue
        stem, suffix = split_suffix(name)
        for number, part in enumerate(_variants(data)):
            key = f"{stem}-{suffix[1:]}/{number}{suffix}"
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(part)
            count += 1
            if number < 10:
                cut_off.add(key)
    goods = [f"good/{n}{'.nii.gz' if kind == 'volumes' else '.png'}" for n in range(3)]
    for number, key in enumerate(goods):
        good(folder / key, number)
    more = {"layout": "folder"}
    scanned, prepared, augmented = run(
        tmp_path,
        [
            ("scan", folder, more),
            ("prepare", folder, {**more, "out": str(tmp_path / "out-store")}),
            ("augment", folder, {"out": str(tmp_path / "out-copies"), "format": "tif"}),
        ],
    )
    for one in (scanned, prepared, augmented):
        named = set(one["named"])
        assert cut_off <= named, sorted(cut_off - named)
        assert not named & set(goods)
        assert all("expected" in message and ", got" in message for message in one["named"].values())
    assert scanned["opened"] + len(scanned["named"]) == count + len(goods) == scanned["images"]
    for one in (prepared, augmented):  # nothing is lost between what was made and what was named
        assert one["images"] + len(one["named"]) == count + len(goods)
    lines = (tmp_path / "out-copies" / "errors.jsonl").read_text().splitlines()
    assert len(lines) == len(augmented["named"])


def test_damaged_datasets_of_every_layout_are_named(tmp_path: Path) -> None:
    sets = sample_datasets(tmp_path / "whole")
    calls: list[Call] = []
    for name, root in sets.items():
        own = [p for p in sorted(root.rglob("*")) if p.is_file() and p.suffix not in (".png", ".gz", ".tif")]
        own = [p for p in own if not p.name.startswith(".")][:2]
        layout = name.removesuffix("-embedded")
        for path in own:
            for number, part in enumerate(_variants(path.read_bytes())):
                copy = tmp_path / "damaged" / f"{name}-{path.name}-{number}"
                shutil.copytree(root, copy, copy_function=_link)
                target = copy / path.relative_to(root)
                target.unlink()
                target.write_bytes(part)
                calls.append(("scan", copy, {"layout": layout, "workers": 1}))
    assert len(calls) > 800
    found = run(tmp_path, calls)
    assert {one["outcome"] for one in found} == {"read", "SourceError"}


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    for number in range(4):
        good(tmp_path / "whole" / ("cat", "dog")[number % 2] / f"{number}.png", number)
    run(tmp_path, [("prepare", tmp_path / "whole", {"out": str(tmp_path / "out-store")})])
    calls: list[Call] = []
    for path in sorted((tmp_path / "out-store").iterdir()):
        for number, part in enumerate(_variants(path.read_bytes()) if path.is_file() else ()):
            copy = tmp_path / "damaged" / f"{path.name}-{number}"
            shutil.copytree(tmp_path / "out-store", copy)
            (copy / path.name).write_bytes(part)
            calls.append(("open", copy, {}))
    found = run(tmp_path, calls)
    assert {one["outcome"] for one in found} == {"read", "SourceError"}
