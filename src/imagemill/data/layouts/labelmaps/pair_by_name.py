"""Which files are label maps, and of which image: by the words of folders and names, and by what the names share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagemill.data.layouts.guess.folder_words import is_mask_role, parts_of, read_name, words_of
from imagemill.data.layouts.labelmaps.mask_names import Stem, image_cores, mask_cores, plain, tokens
from imagemill.data.records.record import split_suffix

__all__ = ["Kind", "Pairs", "Reader", "find_pairs", "is_weak", "pair_files", "role_of"]

Files = Sequence[tuple[str, Path]]

_NEGATED = frozenset(("with", "without", "no", "not", "non", "un", "has", "have", "wearing"))
_MORE_ROLES = frozenset(("instances", "instance", "panoptic", "semantic", "manual", "mattes", "matte", "ann"))
"""Words that make a folder one of label maps where `words` does not know them: too rare to be looked for everywhere."""


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """One of several sets of label maps that a folder may hold: where they lie, and how they are called.

    Parameters
    ----------
    folder : str
        The folder, such as ``"masks"``; empty where they lie beside the images.
    affix : str
        What is said in their names, such as ``"gtfine_labelids"``; may be empty.
    """

    folder: str
    affix: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.folder and f"{self.folder}/", self.affix and f"*_{self.affix}")))

    def is_called(self, wanted: str) -> bool:
        """Whether a user's word means this kind: the folder, its last part, or a word of the names."""
        asked = wanted.strip("/").casefold()
        folder, affix = self.folder.casefold(), self.affix.casefold()
        return asked in (folder, folder.rpartition("/")[2], affix, *affix.split("_"), str(self).casefold())


@dataclass(slots=True)
class Pairs:
    """Label maps of images.

    Parameters
    ----------
    images : list of (str, Path)
        What is no label map.
    found : dict
        From an image's key to the kinds of label maps that it has, each with their keys.
    weak : set of Kind
        Those that no word, or one among others, calls label maps: what they show has to say so.
    loose : list of str
        Keys of label maps that belong to no image.
    rules : dict of Kind to str
        For kinds whose names are others than their images', one pair of names.
    by_folder : bool
        Whether folders named after label maps say which they are.
    far : set of Kind
        Those of which some pair rests on the file's name alone, its folders being others.
    """

    images: list[tuple[str, Path]]
    weak: set[Kind] = field(default_factory=set)
    found: dict[str, dict[Kind, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    loose: list[str] = field(default_factory=list)
    rules: dict[Kind, str] = field(default_factory=dict)
    by_folder: bool = False
    far: set[Kind] = field(default_factory=set)

    def kinds(self) -> Counter[Kind]:
        """How many images each kind has label maps of."""
        return Counter(kind for kinds in self.found.values() for kind in kinds)


@dataclass(frozen=True, slots=True)
class _Name:
    """A key taken apart."""

    key: str
    folders: tuple[str, ...]
    """All of its folders, as they are."""
    split: str | None
    strict: tuple[str, ...]
    """What folders say apart from parts and roles."""
    bare: tuple[str, ...]
    """Folders that are named after neither a part nor a role."""
    mask: int | None
    """Which folder makes it a label map."""
    stem: str


def role_of(folder: str) -> str | None:
    """What a folder's name says that it holds: ``"image"``, ``"mask"``, or nothing."""
    role = read_name(folder).role
    return "mask" if role is None and is_weak(folder) else role


def is_weak(folder: str) -> bool:
    """Whether a folder's name speaks of label maps in a word that is not its last: ``masks_human``, ``labels-ah``."""
    words = words_of(folder)
    if is_mask_role(folder) or folder.isdigit() or _NEGATED & set(words):
        return False
    return any(word in _MORE_ROLES or is_mask_role(word) for word in words)


class Reader:
    """Takes keys apart; folders that stand beside each other decide together what is a part."""

    def __init__(
        self, keys: Sequence[str], wanted: str | None = None, held: frozenset[tuple[str, ...]] = frozenset()
    ) -> None:
        self._held = held
        self._wanted = None if wanted is None else wanted.strip("/").rpartition("/")[2].casefold()
        beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for folders in {tuple(key.split("/")[:-1]) for key in keys}:
            for depth, name in enumerate(folders):
                beside[folders[:depth]].add(name)
        self._parts = {parent: parts_of(sorted(names)) for parent, names in beside.items()}
        self._folders: dict[tuple[str, ...], tuple[str | None, tuple[str, ...], tuple[str, ...], int | None]] = {}
        # A folder around all others says nothing of what lies in it.
        first = keys[0].split("/")[:-1] if keys else []
        self._common = 0
        for depth, name in enumerate(first[:-1]):
            if beside[tuple(first[:depth])] != {name} or any(key.count("/") < depth + 2 for key in keys):
                break
            self._common = depth + 1

    def read(self, key: str) -> _Name:
        """Take a key apart."""
        *folders, name = key.split("/")
        at = tuple(folders)
        if at not in self._folders:
            self._folders[at] = self._read(at)
        split, strict, bare, mask = self._folders[at]
        return _Name(key, at, split, strict, bare, mask, plain(split_suffix(name)[0]))

    def _read(self, folders: tuple[str, ...]) -> tuple[str | None, tuple[str, ...], tuple[str, ...], int | None]:
        split: str | None = None
        strict: list[str] = []
        bare: list[str] = []
        mask: int | None = None
        for depth, name in enumerate(folders):
            part = self._parts[folders[:depth]].get(name)
            said = read_name(name)
            role = role_of(name) if depth >= self._common else None
            if name.casefold() == self._wanted or folders[: depth + 1] in self._held:
                role = "mask"
            split = split or part
            if role is not None:
                mask = depth if role == "mask" else None
                strict += said.rest
            elif part is None:
                strict.append(plain(name).casefold())
                bare.append(plain(name).casefold())
        return split, tuple(strict), tuple(bare), mask


_Slot = Callable[[_Name], tuple[object, ...]]
_SLOTS: tuple[tuple[_Slot, bool], ...] = (
    (lambda name: (name.split, *name.strict), False),
    (lambda name: (name.split, *name.bare), False),
    (lambda name: tuple(name.bare), False),
    (lambda _: (), True),
)
"""Where a file is, the most exact first; the last is the name alone, which has to be the only one of its kind."""


def find_pairs(
    files: Files, wanted: str | None = None, folders: frozenset[tuple[str, ...]] = frozenset()
) -> Pairs | None:
    """Tell label maps from images among the files of a folder, and pair them; None where there is none.

    Parameters
    ----------
    files : sequence of (str, Path)
        Keys and paths of files that can be read.
    wanted : str or None
        A folder that holds label maps, whatever its name says.
    folders : frozenset of tuple of str
        More such folders, by their paths, that something else than their names gave away.

    Examples
    --------
    >>> keys = ["train/a.jpg", "train/b.jpg", "train_masks/a_mask.gif"]
    >>> pairs = find_pairs([(key, Path(key)) for key in keys])
    >>> [key for key, _ in pairs.images], {key: list(kinds.values()) for key, kinds in pairs.found.items()}
    (['train/a.jpg', 'train/b.jpg'], {'train/a.jpg': [['train_masks/a_mask.gif']]})
    """
    reader = Reader([key for key, _ in files], wanted, folders)
    names = [reader.read(key) for key, _ in files]
    masks = [name for name in names if name.mask is not None]
    images = [name for name in names if name.mask is None]
    if not images:
        return None
    path_of = dict(files)
    apart, images = _beside(images)
    pairs = Pairs([(name.key, path_of[name.key]) for name in images], by_folder=bool(masks))
    for name, key, way in apart:
        _add(pairs, name, key, Kind("", way.affix), way)
    _pair(images, masks, pairs)
    return pairs if pairs.found or pairs.loose else None


def pair_files(images: Files, masks: Files) -> Pairs:
    """Pair images with files that are known to be label maps, from another folder."""
    pairs = Pairs(list(images), by_folder=True)
    left, right = Reader([key for key, _ in images]), Reader([key for key, _ in masks])
    _pair([left.read(key) for key, _ in images], [right.read(key) for key, _ in masks], pairs)
    return pairs


def _pair(images: list[_Name], masks: list[_Name], pairs: Pairs) -> None:
    """Pair what folders say are label maps: by words, then by what all names share, then by folders of one image."""
    rest = masks
    for turn in (plain, str.casefold):
        for slot, alone in _SLOTS:
            if rest:
                rest = _by_words(images, rest, slot, turn, alone=alone, pairs=pairs)
    if rest:
        rest = _by_shared_parts(images, rest, pairs)
    if rest:
        rest = _by_folder(images, rest, pairs)
    pairs.loose += [name.key for name in rest]


def _by_words(
    images: list[_Name], masks: list[_Name], slot: _Slot, turn: Callable[[str], str], *, alone: bool, pairs: Pairs
) -> list[_Name]:
    """Pair names that are the same apart from words; give the label maps that are left."""
    index: list[dict[tuple[object, ...], list[_Name]]] = [defaultdict(list), defaultdict(list)]
    for name in images:
        for place, core in enumerate(image_cores(name.stem)):
            index[min(place, 1)][slot(name), turn(core)].append(name)
    rest = []
    for mask in masks:
        for way in mask_cores(mask.stem):
            at = (slot(mask), turn(way.core))
            found = index[0].get(at) or index[1].get(at) or []
            if not found or (alone and len({name.key for name in found}) > 1):
                continue
            kind = _kind(mask, found[0], way, alone=alone)
            for name in found:
                _add(pairs, name, mask.key, kind, way)
            if alone:
                pairs.far.add(kind)
            if mask.mask is not None and not is_mask_role(mask.folders[mask.mask]):
                pairs.weak.add(kind)
            break
        else:
            rest.append(mask)
    return rest


def _kind(mask: _Name, image: _Name, way: Stem, *, alone: bool) -> Kind:
    """The kind of a label map: the folder that says so, with further folders where the image has others."""
    if mask.mask is None:
        return Kind("", way.affix)
    if alone:
        return Kind("/".join(name for name in mask.folders if name not in image.folders), way.affix)
    return Kind(mask.folders[mask.mask], way.affix)


def _add(pairs: Pairs, image: _Name, mask: str, kind: Kind, way: Stem) -> None:
    pairs.found[image.key][kind].append(mask)
    if way.affix or way.several or way.core != image.stem:
        pairs.rules.setdefault(kind, f"{image.key.rpartition('/')[2]} with {mask.rpartition('/')[2]}")


def _beside(names: list[_Name]) -> tuple[list[tuple[_Name, str, Stem]], list[_Name]]:
    """Label maps in the folder of their image, known by the words in their names; and what is none."""
    ways = {name.key: [way for way in mask_cores(name.stem) if way.sure] for name in names}
    # An image is what is called like no label map; only then may "image.png" and "mask.png" be a pair.
    index: dict[tuple[tuple[str, ...], str], list[_Name]] = defaultdict(list)
    plainly: dict[tuple[str, ...], list[_Name]] = defaultdict(list)
    for name in names:
        index[name.folders, name.stem.casefold()].append(name)
        if not ways[name.key]:
            plainly[name.folders].append(name)
            for core in image_cores(name.stem)[1:]:
                index[name.folders, core.casefold()].append(name)
    found, kept = [], []
    for name in names:
        pair = next(_partners(name, ways[name.key], index, plainly), None)
        if pair is None:
            kept.append(name)
        else:
            found.append(pair)
    hidden = {key for _, key, _ in found}
    return [pair for pair in found if pair[0].key not in hidden], kept


def _partners(
    name: _Name,
    ways: list[Stem],
    index: Mapping[tuple[tuple[str, ...], str], list[_Name]],
    plainly: Mapping[tuple[str, ...], list[_Name]],
) -> Iterator[tuple[_Name, str, Stem]]:
    for way in ways:
        found = [image for image in index.get((name.folders, way.core.casefold()), ()) if image.key != name.key]
        if not found and not way.core and len(plainly[name.folders]) == 1 and name.folders:
            found = plainly[name.folders]
        for image in found:
            yield image, name.key, way


def _by_shared_parts(images: list[_Name], masks: list[_Name], pairs: Pairs) -> list[_Name]:
    """Pair names of which all images share one beginning or end, and all label maps of a folder another."""
    rest = masks
    for group_of, place in ((_role_folder, _placed), (lambda name: name.folders, _nowhere)):
        free = [name for name in images if name.key not in pairs.found or place is _nowhere]
        groups: dict[object, list[_Name]] = defaultdict(list)
        for mask in rest:
            groups[group_of(mask)].append(mask)
        rest = []
        for group in groups.values():
            best: dict[str, _Name] = {}
            if len(group) > 1 and len(free) > 1:
                for left in _variants(free):
                    for right in _variants(group):
                        best = max(best, _meet(free, left, group, right, place), key=len)
            if len(best) < 0.9 * len(group):
                best = {}
            for mask in group:
                if mask.key in best:
                    image, way = best[mask.key], Stem("", "", several=False, sure=False)
                    _add(pairs, image, mask.key, _kind(mask, image, way, alone=place is _nowhere), way)
                else:
                    rest.append(mask)
    return rest


def _role_folder(name: _Name) -> object:
    return None if name.mask is None else name.folders[name.mask]


def _placed(name: _Name) -> tuple[object, ...]:
    return (name.split, name.bare)


def _nowhere(_: _Name) -> tuple[object, ...]:
    return ()


def _variants(names: list[_Name]) -> list[list[str]]:
    """The stems as they are, without the beginning they share, without the end, and without both."""
    apart = [tokens(name.stem) for name in names]
    least = min(map(len, apart)) - 1
    start = next((n for n in range(least) if len({parts[n] for parts in apart}) > 1), max(least, 0))
    end = next((n for n in range(least - start) if len({parts[-1 - n] for parts in apart}) > 1), max(least - start, 0))
    cut = {(first, last) for first in (0, start) for last in (0, end)}
    return [["".join(parts[a : len(parts) - b]) for parts in apart] for a, b in sorted(cut)]


def _meet(images: list[_Name], left: list[str], masks: list[_Name], right: list[str], place: _Slot) -> dict[str, _Name]:
    """Images by the keys of label maps where exactly one of each has the same core in the same place."""
    of_images: dict[tuple[object, ...], list[_Name]] = defaultdict(list)
    of_masks: dict[tuple[object, ...], list[_Name]] = defaultdict(list)
    for where, names, cores in ((of_images, images, left), (of_masks, masks, right)):
        for name, core in zip(names, cores, strict=True):
            where[place(name), core].append(name)
    return {
        found[0].key: of_images[at][0]
        for at, found in of_masks.items()
        if len(found) == 1 and len(of_images.get(at, ())) == 1
    }


def _by_folder(images: list[_Name], masks: list[_Name], pairs: Pairs) -> list[_Name]:
    """Pair all label maps of a sample's folder with its one image, where samples have folders of their own."""
    here: dict[tuple[object, ...], list[_Name]] = defaultdict(list)
    for name in images:
        if name.bare:
            here[name.split, name.bare].append(name)
    called: dict[tuple[object, ...], list[_Name]] = defaultdict(list)
    for name in images:
        called[name.split, name.bare, name.stem.casefold()].append(name)
    several = sum(len(found) == 1 for found in here.values()) > 1
    rest = []
    for mask in masks:
        found = here.get((mask.split, mask.bare), [])
        fits = len(found) == 1 and (several or found[0].stem.casefold() == mask.bare[-1])
        if not fits and mask.bare:  # masks/<image>/*.png
            found = called.get((mask.split, mask.bare[:-1], mask.bare[-1]), [])
            fits = len(found) == 1
        if fits and mask.mask is not None:
            kind = Kind(mask.folders[mask.mask], "")
            pairs.rules.setdefault(
                kind, f"{found[0].key.rpartition('/')[2]} with the files of {'/'.join(mask.folders)}"
            )
            pairs.found[found[0].key][kind].append(mask.key)
        else:
            rest.append(mask)
    return rest
