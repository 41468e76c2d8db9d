"""Names of files taken apart: what says "label map" or "image" in them, and what is left for pairing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Stem", "hints_at_masks", "image_cores", "mask_cores", "plain", "tokens"]

_WORDS = (
    r"masks?|msk|gt|ground[-_ ]?truths?|segs?|segm|segmentations?|segmented|labels?|lbls?|label[-_ ]?maps?|annots?"
    r"|annos?|annotations?|trimaps?|mattes?|manual|gtfine|gtcoarse|(?:fine|coarse)?label(?:train)?ids?|instanceids?|panoptic"
)
"""Each of these alone says that a file is a label map."""
_MORE = r"instances?|color|colour|semantic|class|object|binary|bw|fine|coarse|ids?|rgb|indexed|viz|vis|overlay|preview"
"""These say so beside one of the words above, or in a folder of label maps."""
_IMAGE = r"images?|imgs?|im|photos?|pictures?|pics?|raw|rgb|orig|original|leftimg8bit|sat|scan|input|training|test"
_NUMBER = r"(?:[-_. ]?\(?\d+\)?)?"
_SEP = r"[-_. ]+"

_MASK_END = re.compile(
    rf"(.*?)((?:{_SEP}(?:{_WORDS}|{_MORE}))*{_SEP}(?:{_WORDS})(?:{_SEP}(?:{_MORE}|{_WORDS}))*)({_NUMBER})", re.I
)
_MASK_END_LOOSE = re.compile(rf"(.+?)((?:{_SEP}(?:{_WORDS}|{_MORE}))+)({_NUMBER})", re.I)
_MASK_START = re.compile(rf"((?:(?:{_WORDS}){_SEP})+)(.+)", re.I)
_MASK_WHOLE = re.compile(rf"((?:{_WORDS})(?:{_SEP}(?:{_WORDS}|{_MORE}))*)({_NUMBER})", re.I)
_LEFT = re.compile(r"(.+)_L")  # CamVid: 0016E5_00390.png and 0016E5_00390_L.png
_NUMBERED = re.compile(r"(.+?)[-_. ]\(?\d+\)?")
_IMAGE_END = re.compile(rf"(.+?){_SEP}(?:{_IMAGE}|0000)", re.I)  # nnU-Net calls the only channel of a case 0000
_IMAGE_START = re.compile(rf"(?:{_IMAGE}){_SEP}(.+)", re.I)
_IMAGE_WHOLE = re.compile(rf"(?:{_IMAGE})", re.I)
_HINTS = (
    *("mask", "msk", "gt", "truth", "seg", "label", "lbl", "annot", "anno", "ann_", "/ann/", "-ann", "trimap", "matte"),
    *("manual", "instance", "panoptic", "semantic"),
)
_TOKENS = re.compile(r"[^\W\d_]+|\d+|[\W_]+")


@dataclass(frozen=True, slots=True)
class Stem:
    """One way to take a label map's name apart.

    Parameters
    ----------
    core : str
        What its image may be called.
    affix : str
        The words that say what it is, in lower case and without what parts them.
    several : bool
        Whether a number at the end was left out: one of several label maps of an image.
    sure : bool
        Whether the affix alone says that it is a label map, whatever folder it is in.
    """

    core: str
    affix: str
    several: bool
    sure: bool


def hints_at_masks(keys: Iterable[str]) -> bool:
    """Whether there is anything in some keys that a label map could be known by: quick, and true of too many."""
    text = "\n".join(keys)
    lower = text.lower()
    return "_L." in text or any(hint in lower for hint in _HINTS)


def plain(text: str) -> str:
    """A name in one spelling: accents as one character with their letter (NFC), as some file systems part them."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def tokens(stem: str) -> list[str]:
    """Letters, digits and what stands between them.

    Examples
    --------
    >>> tokens("img_01a")
    ['img', '_', '01', 'a']
    """
    return _TOKENS.findall(stem)


@lru_cache(maxsize=1 << 16)
def mask_cores(stem: str) -> tuple[Stem, ...]:
    """Every way to take a label map's stem apart, the plainest first.

    Examples
    --------
    >>> [(way.core, way.affix, way.several) for way in mask_cores("a_mask_1")]
    [('a_mask_1', '', False), ('a', 'mask', True), ('a_mask', '', True)]
    >>> mask_cores("berlin_gtFine_labelIds")[1].core, mask_cores("mask_a")[1].core, mask_cores("label")[1].core
    ('berlin', 'a', '')
    """
    ways = [Stem(stem, "", several=False, sure=False)]
    if found := _MASK_START.fullmatch(stem):
        ways.append(Stem(found[2], _affix(found[1]), several=False, sure=True))
    if found := _MASK_WHOLE.fullmatch(stem):
        ways.append(Stem("", _affix(found[1]), bool(found[2]), sure=True))
    if (found := _MASK_END.fullmatch(stem)) and found[1]:
        ways.append(Stem(found[1], _affix(found[2]), bool(found[3]), sure=True))
    elif found := _MASK_END_LOOSE.fullmatch(stem):
        ways.append(Stem(found[1], _affix(found[2]), bool(found[3]), sure=False))
    if found := _LEFT.fullmatch(stem):
        ways.append(Stem(found[1], "l", several=False, sure=True))
    if found := _NUMBERED.fullmatch(stem):
        ways.append(Stem(found[1], "", several=True, sure=False))
    kept: dict[tuple[str, bool], Stem] = {}
    for way in ways:
        kept.setdefault((way.core, way.several), way)
    return tuple(kept.values())


def image_cores(stem: str) -> tuple[str, ...]:
    """What an image's label map may call it: its stem, and its stem without words such as ``img``.

    Examples
    --------
    >>> image_cores("21_training"), image_cores("img_7"), image_cores("image"), image_cores("cat")
    (('21_training', '21'), ('img_7', '7'), ('image', ''), ('cat',))
    """
    cores = [stem]
    if _IMAGE_WHOLE.fullmatch(stem):
        cores.append("")
    for way in (_IMAGE_END, _IMAGE_START):
        if found := way.fullmatch(stem):
            cores.append(found[1])
    return tuple(dict.fromkeys(cores))


def _affix(text: str) -> str:
    return "_".join(part for part in re.split(r"[-_. ]+", text.lower()) if part)
