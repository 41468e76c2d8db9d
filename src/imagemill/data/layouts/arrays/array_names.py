"""What names of arrays say: images, labels, masks, keys, groups, class names, and of which part."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from imagemill.data.layouts.arrays.containers import split_name
from imagemill.data.layouts.guess.folder_words import words_of

__all__ = ["COLOURS", "NUMBERED", "Name", "Shape", "array_words", "is_image_word", "read_array_name", "role_of"]

COLOURS = (1, 3, 4)
"""Lengths of an axis of channels: gray, RGB, RGBA."""

NUMBERED = re.compile(r"arr_\d+")
"""What `numpy.savez` calls arrays that nobody named: their order says what they are."""

_WORDS = {
    "images": ("x", "image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "frames"),
    "labels": (
        *("y", "label", "labels", "lbl", "lbls", "target", "targets", "class", "cls", "category"),
        *("gt", "groundtruth", "truth", "annotation", "annotations"),
    ),
    "masks": ("mask", "masks", "seg", "segs", "segmentation", "segmentations", "labelmap", "labelmaps"),
    "keys": ("key", "keys", "name", "names", "file", "files", "filename", "filenames", "path", "paths", "id", "ids"),
    "groups": ("group", "groups", "patient", "patients", "subject", "subjects", "patientid", "subjectid"),
    "classes": ("classes", "classnames", "labelnames", "targetnames", "categories"),
}
_ROLE_OF = {word: role for role, words in _WORDS.items() for word in words}
# Words for arrays of any kind: images where nothing else is.
_WEAK = frozenset(
    (
        *("data", "dataset", "datasets", "dset", "pixels", "features", "input", "inputs", "samples", "arr", "array"),
        *("arrays", "stack", "volumes", "scans", "values"),
    )
)
_MANY = frozenset(("images", "imgs", "photos", "pictures", "frames", "x")) | _WEAK
# Words that say nothing of an array: train_set_x, X_train_orig, list_classes.
_NOISE = frozenset(("set", "split", "of", "the", "orig", "all", "np", "list", "part"))
_DIGITS = re.compile(r"\d+")
_SPLIT_WORDS = ("training", "train", "validation", "valid", "val", "testing", "test")


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of an array, and the kind of its dtype as NumPy has it (``"b"``, ``"u"``, ``"i"``, ``"f"``, ``"U"``...).

    Encoded pictures count as ``"E"``, whatever holds their bytes. `single` is whether the array is one image, where
    somebody says so.
    """

    lengths: tuple[int, ...]
    kind: str
    single: bool | None = None

    @property
    def is_pixels(self) -> bool:
        """Whether it may be images: numbers of rank 2 and more, or encoded pictures."""
        return self.kind == "E" or (self.kind in "buif" and len(self.lengths) >= 2)

    @property
    def is_colour_stack(self) -> bool:
        """Whether all axes but the first are those of a colour picture, channels last or first."""
        lengths = self.lengths
        colours = len(lengths) == 4 and (lengths[3] in COLOURS or lengths[1] in COLOURS)
        return self.kind in "buif" and colours and len(self.column) > 2 and self.single is not True

    @property
    def column(self) -> tuple[int, ...]:
        """The shape without axes of length 1 at its end, as labels of shape ``(n, 1, 1, 1)`` have them."""
        lengths = self.lengths
        while len(lengths) > 1 and lengths[-1] == 1:
            lengths = lengths[:-1]
        return lengths


@dataclass(frozen=True, slots=True)
class Name:
    """What a name says."""

    role: str | None
    weak: bool
    many: bool
    split: str | None
    stem: tuple[str, ...]


def array_words(name: str) -> list[str]:
    """The words of an array's name in lower case, also where a part and a role are one word.

    Examples
    --------
    >>> array_words("X_train_orig"), array_words("trainImages"), array_words("ytest"), array_words("t10k-labels")
    (['x', 'train', 'orig'], ['train', 'images'], ['y', 'test'], ['test', 'labels'])
    """
    return [part for word in words_of(name.replace("t10k", "test")) for part in _parted(word)]


def _parted(word: str) -> list[str]:
    """``xtrain`` as ``x``, ``train``; other words as they are."""
    for split in _SPLIT_WORDS:
        for rest, pair in (
            (word.removeprefix(split), [split, word.removeprefix(split)]),
            (word.removesuffix(split), [word.removesuffix(split), split]),
        ):
            if rest != word and (rest in _ROLE_OF or rest in _WEAK):
                return pair
    return [word]


def is_image_word(name: str) -> bool:
    """Whether a name says that pictures are in it, and nothing else, as ``images`` and ``data`` do.

    Examples
    --------
    >>> is_image_word("images"), is_image_word("Dataset"), is_image_word("cat")
    (True, True, False)
    """
    words = array_words(name)
    return bool(words) and all(_ROLE_OF.get(word) == "images" or word in _WEAK for word in words) and words != ["x"]


def role_of(name: str, speaking: int = 1) -> str | None:
    """What a name says that an array is: images, labels, masks, keys, groups or classes; None where it says nothing.

    Parameters
    ----------
    name : str
    speaking : int
        As for `find_parts`.

    Examples
    --------
    >>> role_of("train_set_y"), role_of("imgs_mask_train"), role_of("cat")
    ('labels', 'masks', None)
    """
    return read_array_name(name, speaking).role


def read_array_name(name: str, speaking: int) -> Name:
    """What a name says: the last word that speaks says the role, the nearest one the split.

    Examples
    --------
    >>> read_array_name("images_07", 1).stem, read_array_name("y_train", 1).split
    (('07',), 'train')
    """
    # Names by the ten thousand differ in numbers alone, and those say nothing but which belong together.
    numbers = iter(_DIGITS.findall(name.replace("t10k", "test")))
    said = _read(_DIGITS.sub("0", name.replace("t10k", "test")), speaking)
    if "0" not in said.stem:
        return said
    return replace(said, stem=tuple(next(numbers, "0") if word == "0" else word for word in said.stem))


@lru_cache(maxsize=4096)
def _read(name: str, speaking: int) -> Name:
    """What a name says: the last word that speaks says the role, the nearest one the split."""
    pieces = name.split("/")
    role, weak, many = None, False, False
    if NUMBERED.fullmatch(pieces[-1]):  # numpy.savez without names: the order says it
        return Name(None, weak=False, many=False, split=None, stem=(pieces[-1],))
    for piece in reversed(pieces[-speaking:]):
        words = [word for word in array_words(piece) if split_name(word) is None and word not in _NOISE]
        found, by_word = _role(words)
        if found is not None and (role is None or (weak and not by_word)):
            role, weak, many = found, by_word, any(word in _MANY for word in words)
    splits = [split for piece in reversed(pieces) for word in reversed(words_of(piece)) if (split := split_name(word))]
    known = {*_ROLE_OF, *_WEAK, *_NOISE}
    stem = tuple(w for piece in pieces for w in array_words(piece) if split_name(w) is None and w not in known)
    return Name(role, weak, many, splits[0] if splits else None, stem)


def _role(words: Iterable[str]) -> tuple[str | None, bool]:
    """The role that some words say together, and whether only a weak word says it."""
    roles = {_ROLE_OF[word] for word in words if word in _ROLE_OF}
    if not roles:
        return ("images", True) if any(word in _WEAK for word in words) else (None, False)
    if "masks" in roles:
        return (None, False) if "keys" in roles else ("masks", False)
    if "groups" in roles:
        return "groups", False
    if "classes" in roles and "keys" not in roles:
        return "classes", False
    if roles & {"labels", "classes"}:
        if "keys" in roles:  # class_names are the names of the classes, class_ids are labels
            ids = {"id", "ids"} & set(words)
            return ("labels", False) if ids and "name" not in words else ("classes", False)
        return "labels", False
    return ("keys", False) if "keys" in roles else ("images", False)
