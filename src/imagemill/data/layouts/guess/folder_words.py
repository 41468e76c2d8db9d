"""Names of folders taken apart into words, and what the words say: a part of the data, images, label maps, nothing.

People call the training part ``train``, ``Training``, ``training_set``, ``trainset``, ``seg_train``, ``images_train``
or ``train2017``. No list of names is long enough; a short list of words is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

__all__ = [
    "Named",
    "Role",
    "is_image_role",
    "is_mask_role",
    "is_wrapper_name",
    "own_words_of",
    "part_of",
    "parts_of",
    "read_name",
    "words_of",
]

Role = Literal["image", "mask"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PARTS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "vald", "dev", "devel", "development"), "val"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
    **dict.fromkeys(("eval", "evaluation", "evaluate"), "eval"),
    **dict.fromkeys(("holdout", "heldout"), "holdout"),
}
"""What is called a part. ``eval`` and ``holdout`` have no fixed meaning: `parts_of` decides it by their neighbours."""
_SHORT = {"tr": "train", "va": "val", "ts": "test", "te": "test"}
"""Parts only behind the name of a role, as in ``imagesTr``: alone they are as likely names of classes."""
_IMAGE = _set(
    "image images img imgs photo photos photograph photographs picture pictures pic pics scan scans jpegimages rgb "
    "frame frames leftimg bild bilder foto fotos imagen imagenes imágenes immagine immagini afbeeldingen obrazy"
)
_MASK = _set(
    "gt groundtruth groundtruths mask masks label labels labelmap labelmaps lbl lbls seg segs segmentation "
    "segmentations annotation annotations annot annots anno annos trimap trimaps"
)
_FILLERS = _set(
    "set sets data dataset datasets database subset split splits part parts full all final orig original originals raw "
    "small big large mini tiny resized cropped clean cleaned folder folders dir file files jpg jpeg png new x px bit "
    "size color colour the of and for input inputs"
)
"""Words that say nothing about which part, or what, a folder holds."""
_NEGATIONS = _set("with without no not non un has have wearing")
_WRAPPERS = _set(
    "archive download downloads export content contents kaggle dataset datasets data input inputs root base "
    "classes categories category objectcategories class"
)
_GLUED = tuple(
    sorted(
        (
            word
            for word in {
                *_PARTS,
                *_IMAGE,
                *_MASK,
                *(_FILLERS - {"and", "the", "new", "all", "big", "raw", "dir", "bit"}),
            }
            if len(word) > 2
        ),
        key=len,
        reverse=True,
    )
)
_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_KNOWN = frozenset((*_PARTS, *_IMAGE, *_MASK, *_FILLERS))


@dataclass(frozen=True, slots=True)
class Named:
    """What the words of a name say.

    Parameters
    ----------
    part : str or None
        ``"train"``, ``"val"``, ``"test"``, or ``"eval"`` and ``"holdout"``, which neighbours decide.
    role : str or None
        ``"image"`` or ``"mask"``: what lies in such a folder.
    rest : tuple of str
        The words that say neither, without numbers; none where all of them say nothing (``set``, ``data``).

    Examples
    --------
    >>> read_name("training_set"), read_name("train_station").rest, read_name("train_masks").role
    (Named(part='train', role=None, rest=()), ('station',), 'mask')
    """

    part: str | None
    role: Role | None
    rest: tuple[str, ...]


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: apart at separators, digits and capitals, and where known words are glued.

    Examples
    --------
    >>> words_of("JPEGImages"), words_of("val2017"), words_of("trainset"), words_of("test-tube")
    (('jpeg', 'images'), ('val', '2017'), ('train', 'set'), ('test', 'tube'))
    """
    words: list[str] = []
    for piece in _PIECES.findall(name):
        word = piece.casefold()
        words += _unglued(word) or [word]
    return tuple(words)


def _unglued(word: str) -> list[str]:
    """Known words that a word consists of; empty where it does not consist of them alone."""
    if word in _KNOWN or len(word) < 6:
        return [word] if word in _KNOWN else []
    for known in _GLUED:
        if word.startswith(known):
            rest = _unglued(word[len(known) :])
            if rest:
                return [known, *rest]
    return []


@lru_cache(maxsize=4096)
def read_name(name: str) -> Named:
    """Say which part, which role and what else a folder's name says.

    Examples
    --------
    >>> read_name("seg_train").part, read_name("imagesTr"), read_name("without_mask").role
    ('train', Named(part='train', role='image', rest=()), None)
    """
    words = [word for word in words_of(name) if not word.isdigit()]
    named: list[str] = []
    rest: list[str] = []
    role: Role | None = None
    for word in _joined(words):
        if word in _PARTS:
            named.append(_PARTS[word])
        elif word in _MASK:
            role = "mask"
        elif word in _IMAGE:
            role = role or "image"
        elif word in _SHORT and role is not None and len(words) == 2:
            named.append(_SHORT[word])
        elif not (role is not None and word in ("class", "object", "fine", "coarse", "jpeg")):
            rest.append(word)
    if all(word in _FILLERS or word == "jpeg" for word in rest):
        rest = []
    if _NEGATIONS & set(words):  # with_mask and without_mask are things that are seen, and no label maps
        role = None
        rest = rest or list(words)
    if role == "mask" and _joined(words)[-1] not in {*_MASK, *_PARTS, *_SHORT, *_FILLERS, "class", "object", "fine"}:
        role = None
    return Named(_one_part(named), role, tuple(rest))


def _joined(words: Sequence[str]) -> list[str]:
    """Words that belong together as one: ``ground truth``, ``hold out``."""
    text = " ".join(words)
    for apart, whole in (
        ("ground truths", "groundtruth"),
        ("ground truth", "groundtruth"),
        ("hold out", "holdout"),
        ("held out", "holdout"),
        ("left img", "leftimg"),
        ("label map", "labelmap"),
    ):
        text = re.sub(rf"\b{apart}\b", whole, text)
    return text.split()


def _one_part(named: Sequence[str]) -> str | None:
    """One part of those that a name says: ``trainval`` is for training, ``test-dev`` for testing."""
    said = set(named)
    if len(said) <= 1:
        return named[0] if named else None
    if said <= {"train", "val", "eval"}:
        return "train"
    return "test" if said == {"test", "val"} and named[0] == "test" else None


def part_of(name: str) -> str | None:
    """The part that a folder or list is named after, or None; its other words must say nothing.

    Examples
    --------
    >>> part_of("Training"), part_of("val2017"), part_of("Test_Images"), part_of("test_tube"), part_of("cats")
    ('train', 'val', 'test', None, None)
    """
    named = read_name(name)
    return None if named.part is None or named.rest else {"eval": "val", "holdout": "test"}.get(named.part, named.part)


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """The parts that folders beside each other are named after; their other words may say something if all share them.

    Parameters
    ----------
    names : iterable of str
        Names of folders with one parent.

    Returns
    -------
    dict of str to str
        From a name to ``"train"``, ``"val"`` or ``"test"``; names of no part are left out. ``eval`` is the validation
        part, or the test part where there is another for validation; ``holdout`` is the test part, or the validation
        part where there is another for testing.

    Examples
    --------
    >>> parts_of(["seg_train", "seg_test"]), parts_of(["train", "eval"]), parts_of(["train", "val", "eval"])["eval"]
    ({'seg_train': 'train', 'seg_test': 'test'}, {'train': 'train', 'eval': 'val'}, 'test')
    >>> parts_of(["train_station", "harbour"]), parts_of(["train_station", "test_tube"])
    ({}, {})
    >>> parts_of(["rps", "rps-test-set"])
    {'rps-test-set': 'test', 'rps': 'train'}
    """
    read = {name: read_name(name) for name in names}
    by_rest: dict[tuple[str, ...], set[str]] = {}
    for named in read.values():
        if named.part is not None:
            by_rest.setdefault(named.rest, set()).add(named.part)
    found = {
        name: named.part
        for name, named in read.items()
        if named.part is not None and (not named.rest or len(by_rest[named.rest]) > 1)
    }
    found |= _left_to_train(read, by_rest)
    said = set(found.values())
    meant = {part: part for part in said}
    if "eval" in said:
        meant["eval"] = "val" if "val" not in said else "test" if "test" not in said else "val"
    if "holdout" in said:
        taken = said | {meant.get("eval", "")}
        meant["holdout"] = "test" if "test" not in taken else "val" if "val" not in taken else "test"
    return {name: meant[part] for name, part in found.items()}


def _left_to_train(read: Mapping[str, Named], by_rest: Mapping[tuple[str, ...], set[str]]) -> dict[str, str]:
    """Of two names that differ by a part alone (``rps``, ``rps-test-set``), that part; the other is for training."""
    if len(read) != 2 or len(by_rest) != 1:
        return {}
    ((_, parts),) = by_rest.items()
    ways = {own_words_of(name) for name in read}
    plain = [name for name, named in read.items() if named.part is None]
    if ways == {()} or len(ways) > 1 or len(plain) != 1 or len(parts) != 1 or "train" in parts:
        return {}
    return {name: "train" if name in plain else next(iter(parts)) for name in sorted(read, key=plain.__contains__)}


def own_words_of(name: str) -> tuple[str, ...]:
    """The words of a name that say something of its own: no part, no role, no ``set``.

    Examples
    --------
    >>> own_words_of("rps-test-set"), own_words_of("training_data")
    (('rps',), ())
    """
    return tuple(word for word in read_name(name).rest if word not in _FILLERS)


def rest_of(name: str) -> str:
    """What a name says besides part and role, as it is written.

    Examples
    --------
    >>> rest_of("trainA"), rest_of("Big_Cats-train"), rest_of("training_set")
    ('A', 'Big_Cats', '')
    """
    rest = read_name(name).rest
    found = [piece for piece in _PIECES.finditer(name) if piece[0].casefold() in rest]
    if not found or len(found) != len(rest):
        return "_".join(rest)
    text = name[found[0].start() : found[-1].end()]
    return text if len(words_of(text)) == len(rest) else "_".join(piece[0] for piece in found)


def is_image_role(name: str) -> bool:
    """Whether a folder's name says that it holds images and nothing else, such as ``images`` or ``JPEGImages``.

    Examples
    --------
    >>> is_image_role("Train_Images"), is_image_role("imgs"), is_image_role("images_of_cats"), is_image_role("cat")
    (True, True, False, False)
    """
    named = read_name(name)
    return named.role == "image" and not named.rest


def is_mask_role(name: str) -> bool:
    """Whether a folder's name says that it holds label maps, such as ``masks`` or ``ISIC_GroundTruth``.

    Examples
    --------
    >>> is_mask_role("semantic_masks"), is_mask_role("trainannot"), is_mask_role("gtFine"), is_mask_role("with_mask")
    (True, True, True, False)
    """
    return read_name(name).role == "mask"


def is_wrapper_name(name: str) -> bool:
    """Whether a folder's name says nothing of what lies in it, such as ``dataset``, ``data`` or ``archive (1)``.

    Examples
    --------
    >>> is_wrapper_name("Dataset_v2"), is_wrapper_name("PetImages"), is_wrapper_name("cat")
    (True, True, False)
    """
    words = [word for word in words_of(name) if not word.isdigit() and word != "v"]
    return any(word in _WRAPPERS or word in _IMAGE for word in words) or not words
