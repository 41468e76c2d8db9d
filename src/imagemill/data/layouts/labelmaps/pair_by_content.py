"""Label maps that no word gives away: files named like others beside them that show regions where those show photos."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from imagemill.data.layouts.labelmaps.mask_names import plain
from imagemill.data.layouts.labelmaps.pair_by_name import Kind, Pairs
from imagemill.data.layouts.labelmaps.pixel_evidence import shown_by
from imagemill.data.records.record import split_suffix

__all__ = ["alike_folders", "beside_by_ends"]

Files = Sequence[tuple[str, Path]]

_MOST = 6
"""More folders beside each other are classes."""
_LOOKED_AT = 200
"""Names that are compared before all are."""
_SHARE = 0.8


def alike_folders(files: Files) -> frozenset[tuple[str, ...]]:
    """Folders with files named like those of a folder beside them, that show label maps where those show photos.

    Such as ``X`` and ``Y``, ``input`` and ``target``, ``clip_img`` and ``matting``. Files of classes may well have the
    same names; then both show photos, and neither is taken.
    """
    inside: dict[tuple[str, ...], dict[str, dict[str, Path]]] = defaultdict(lambda: defaultdict(dict))
    names: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for folders in {tuple(folder.split("/")) for folder in {key.rpartition("/")[0] for key, _ in files} if folder}:
        for depth, name in enumerate(folders):
            names[folders[:depth]].add(name)
    few = {above for above, kids in names.items() if 2 <= len(kids) <= _MOST}
    if not few:
        return frozenset()
    for key, path in files:
        parts = key.split("/")
        for depth in range(len(parts) - 1):
            if (above := tuple(parts[:depth])) in few:
                rest = "/".join((*parts[depth + 1 : -1], split_suffix(parts[-1])[0]))
                inside[above][parts[depth]].setdefault(plain(rest), path)
    found: set[tuple[str, ...]] = set()
    for above, kids in inside.items():
        found |= {(*above, name) for name in _maps_among(kids)}
    return frozenset(found)


def _maps_among(kids: Mapping[str, Mapping[str, Path]]) -> set[str]:
    """Names of the folders that show label maps, where another has the same names and shows photos."""
    alike: set[str] = set()
    for name, stems in kids.items():
        for other, others in kids.items():
            if name != other and _share(stems, others) >= _SHARE:
                alike |= {name, other}
    if len(alike) < 2:
        return set()
    shown = {name: shown_by(list(kids[name].values())).labels for name in sorted(alike)}
    return {name for name, labels in shown.items() if labels} if any(one is False for one in shown.values()) else set()


def _share(stems: Mapping[str, Path], others: Mapping[str, Path]) -> float:
    """How many of some names, spread evenly, are also among others."""
    some = list(stems)[:: max(1, len(stems) // _LOOKED_AT)]
    return sum(stem in others for stem in some) / len(some)


def beside_by_ends(files: Files) -> Pairs | None:
    """Label maps beside their images that end in what no word explains, such as ``x_1stHO.png`` beside ``x.jpg``.

    The same end has to be there for most images, and what it names has to show label maps where the images show photos.
    """
    some = [key for key, _ in files[:: max(1, len(files) // _LOOKED_AT)]]
    if sum(_has_partner(key, files) for key in some) < len(some) / 5:
        return None
    stems: dict[tuple[str, str], str] = {}
    for key, _ in files:
        folder, _, name = key.rpartition("/")
        stems.setdefault((folder, plain(split_suffix(name)[0])), key)
    ends = {end for at in stems if (end := _end(at, stems)) is not None}
    path_of = dict(files)
    held: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (folder, stem), key in stems.items():
        end = _end((folder, stem), stems)
        if end in ends:
            held[str(end)].append((stems[folder, stem[: -len(str(end))]], key))
    shown = {end: shown_by([path_of[key] for _, key in pairs]) for end, pairs in held.items() if len(pairs) > 1}
    ends_of_maps = {end for end, one in shown.items() if one.labels}
    masks = {key for end in ends_of_maps for _, key in held[end]}
    images = [(key, path) for key, path in files if key not in masks]
    if not masks or shown_by([path for _, path in images]).labels is not False:
        return None
    found = Pairs(images)
    for end in sorted(ends_of_maps):
        kind = Kind("", end.strip("-_. ").lower())
        for image, mask in held[end]:
            found.found[image][kind].append(mask)
            found.rules.setdefault(kind, f"{image.rpartition('/')[2]} with {mask.rpartition('/')[2]}")
        found.weak.add(kind)
    return found


def _has_partner(key: str, files: Files) -> bool:
    """Whether there is a file called like the beginning of another; `files` are in the order of their keys."""
    start = key.rfind("/") + 1
    for place in range(len(key) - 1, start, -1):
        if key[place] in "-_. ":
            begun = key[:place] + "."
            there = bisect_left(files, begun, key=lambda pair: pair[0])
            if there < len(files) and files[there][0].startswith(begun) and files[there][0] != key:
                return True
    return False


def _end(at: tuple[str, str], stems: Mapping[tuple[str, str], str]) -> str | None:
    """What a name has behind that of another file in its folder; None where there is none, or only a number."""
    folder, stem = at
    for place in range(len(stem) - 1, 0, -1):
        if stem[place] in "-_. " and (folder, stem[:place]) in stems:
            end = stem[place:]
            return None if end[1:].isdigit() else end
    return None
