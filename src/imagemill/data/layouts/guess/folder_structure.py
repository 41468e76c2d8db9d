"""How the folders of a set are arranged: which are parts, which classes, which say nothing.

The tree of folders is read from the top. What a folder means is decided by its words (`words`) and by its neighbours:
``test`` beside ``train`` is a part, ``test`` beside ``cat`` and ``dog`` is a class. One odd file changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from imagemill.data.layouts.guess.folder_words import (
    is_image_role,
    is_mask_role,
    is_wrapper_name,
    own_words_of,
    parts_of,
    rest_of,
    words_of,
)

__all__ = ["GROUP", "Arrangement", "Says", "arrange", "folder_of"]

GROUP = re.compile(
    r"(patient|pat|pt|p|subject|subj|sub|s|case|study|series|video|vid|clip|sequence|seq|burst|session|visit)[-_ ]?\d+"
    r"[a-z]?"
)
"""Names of folders that hold what must not part, such as ``patient001``; in lower case."""
_BATCH = re.compile(r"(fold|cv|batch|part|chunk|shard|split|set|session|run)[-_ ]?\d+")
"""Names of pieces of one whole, which say no class; in lower case."""
_FOLD = re.compile(r"(k[-_ ]?)?folds?[-_ ]?\d+|cv[-_ ]?\d+")
"""Names of folders that hold the set, or a share of it, once more for cross-validation; in lower case."""
_DEEPEST = 64
"""Folders within folders that are told apart; no arrangement has more meanings."""


@dataclass(frozen=True, slots=True)
class Says:
    """What the folders above an image say of it.

    Parameters
    ----------
    split : str or None
    levels : tuple of str
        Class folders, the most general first.
    label : tuple of str
        The same without sub-folders of a folder that holds images itself, which are no levels of a hierarchy.
    group : str or None
    odd : bool
        Whether they lie beside folders of classes or parts, where no image is expected.
    """

    split: str | None = None
    levels: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    group: str | None = None
    odd: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What was made of a tree of folders.

    Parameters
    ----------
    says : mapping of str to Says
        By the folder that images lie in; ``""`` is the top.
    counts : mapping of str to int
        Images in each folder.
    parts : mapping of str to str
        Folders that were taken for parts, and for which.
    through : tuple of str
        Folders that say nothing and were looked through.
    hierarchical : bool
        Whether classes have levels.
    """

    says: Mapping[str, Says]
    counts: Mapping[str, int]
    parts: Mapping[str, str]
    through: tuple[str, ...]
    hierarchical: bool

    def label(self, folder: str) -> str | None:
        """The class of images in a folder, levels joined by ``/``."""
        says = self.says[folder]
        return "/".join(says.levels if self.hierarchical else says.label) or None

    def images(self) -> int:
        """How many images there are."""
        return sum(self.counts.values())

    def labelled(self) -> Counter[str]:
        """Images of each class."""
        found: Counter[str] = Counter()
        for folder, count in self.counts.items():
            if (label := self.label(folder)) is not None:
                found[label] += count
        return found

    def splits(self) -> Counter[str]:
        """Images of each part."""
        found: Counter[str] = Counter()
        for folder, count in self.counts.items():
            if (split := self.says[folder].split) is not None:
                found[split] += count
        return found

    def bare(self) -> dict[str, int]:
        """Folders whose images have no class, with how many."""
        return {f: n for f, n in self.counts.items() if self.label(f) is None}

    def partless(self) -> dict[str, int]:
        """Folders whose images are in no part, with how many."""
        return {f: n for f, n in self.counts.items() if self.says[f].split is None}

    def groups(self) -> set[str]:
        """Patients, videos..."""
        return {says.group for says in self.says.values() if says.group is not None}


@dataclass(slots=True, eq=False)
class _Node:
    """A folder with images in it or below; `files` are in it."""

    name: str
    path: str
    files: int = 0
    kids: dict[str, _Node] = field(default_factory=dict)
    total: int = 0


def folder_of(key: str) -> str:
    """The folder that a key lies in, as `Arrangement.says` counts folders.

    Examples
    --------
    >>> folder_of("train/cat/1.png"), folder_of("1.png")
    ('train/cat', '')
    """
    folder = key[: max(0, key.rfind("/"))]
    return folder if folder.count("/") < _DEEPEST else "/".join(folder.split("/")[:_DEEPEST])


def _tree(counts: Mapping[str, int]) -> _Node:
    root = _Node("", "")
    nodes = {"": root}

    def node_of(folder: str) -> _Node:
        known = nodes.get(folder)
        if known is None:
            above, _, name = folder.rpartition("/")
            known = nodes[folder] = node_of(above).kids[name] = _Node(name, folder)
        return known

    for folder in sorted(counts):
        node_of(folder).files = counts[folder]
    # The deepest first, and what is above all others last.
    for folder in sorted(nodes, key=lambda path: -path.count("/") if path else 1):
        node = nodes[folder]
        node.total = node.files + sum(kid.total for kid in node.kids.values())
    return root


def arrange(counts: Mapping[str, int], name: str = "", *, whole: bool = False) -> Arrangement:
    """Read the tree of folders that some images lie in.

    Parameters
    ----------
    counts : mapping of str to int
        Images in each folder, which is relative to the whole, in POSIX form; ``""`` is the top.
    name : str
        What the folder itself is called: archives are often unpacked into a folder within one of the same name.
    whole : bool
        Whether one folder above all others may be a level of a hierarchy; else it is looked through, as it tells no
        image from another.

    Examples
    --------
    >>> found = arrange({"dataset/training_set/cat": 9, "dataset/test_set/cat": 3, "dataset": 1})
    >>> found.says["dataset/test_set/cat"].split, found.label("dataset/test_set/cat"), found.through
    ('test', 'cat', ('dataset',))
    """
    root = _tree(counts)
    root.name = name
    reader = _Reader(whole)
    reader.visit(root, Says())
    return Arrangement(reader.says, reader.counts, reader.parts, tuple(reader.through), reader.deep)


@dataclass(slots=True)
class _Reader:
    """Goes down the tree and notes what each folder says."""

    whole: bool
    says: dict[str, Says] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    through: list[str] = field(default_factory=list)
    deep: bool = False

    def visit(self, node: _Node, above: Says) -> None:
        """Say what the images in a folder are, and go on with the folders in it."""
        if node.files:
            self.says[node.path], self.counts[node.path] = above, node.files
        kids = list(node.kids.values())
        if not kids:
            return
        parts = {} if above.split is not None and above.label else _parts(kids, above)
        groups = above.group is None and all(GROUP.fullmatch(kid.name.casefold()) for kid in kids)
        if node.files and not above.levels and not groups and _are_few(node.files, node.total):
            self.says[node.path] = replace(above, odd=True)
        if parts:
            self._parts(kids, parts, above)
        elif (inner := _looked_through(node, kids, above, whole=self.whole)) is not None:
            self.through.append(inner.path)
            self._below(inner, above)
            for kid in kids:
                if kid is not inner:
                    self.visit(kid, replace(above, odd=_are_few(kid.total, node.total)))
        elif groups:
            for kid in kids:
                self.visit(kid, replace(above, group=kid.name))
        elif self._says_nothing(kids, above):
            for kid in kids:
                self.visit(kid, above)
        else:
            self._classes(node, kids, above)

    def _says_nothing(self, kids: Sequence[_Node], above: Says) -> bool:
        """Whether folders are pieces, whole sets or folds, whose names tell nothing of what is in them."""
        if len(kids) > 1 and _are_batches(kids):
            self.through += [kid.path for kid in kids]
            return True
        return not above.levels and (_are_sets(kids) or all(_FOLD.fullmatch(kid.name.casefold()) for kid in kids))

    def _below(self, inner: _Node, above: Says) -> None:
        """Go on in a folder that says nothing but perhaps a part."""
        part = parts_of([inner.name]).get(inner.name)
        self.visit(inner, above if part is None or above.split is not None else replace(above, split=part))

    def _parts(self, kids: Sequence[_Node], parts: Mapping[str, str], above: Says) -> None:
        own = _own_words(parts)
        inside = {name.casefold() for kid in kids if kid.name in parts for name in kid.kids}
        for kid in kids:
            if kid.name in parts:
                self.parts[kid.path] = parts[kid.name]
                more = (own[kid.name],) if kid.name in own else ()
                split = parts[kid.name] if above.split is None else above.split
                self.visit(kid, replace(above, split=split, levels=above.levels + more, label=above.label + more))
            elif kid.name.casefold() in inside:  # cat/ and dog/ beside test/cat/ and test/dog/: what is left trains
                rest = above if "train" in parts.values() or above.split else replace(above, split="train")
                self._classes(None, [kid], rest)
            else:
                self.visit(kid, above)

    def _classes(self, node: _Node | None, kids: Sequence[_Node], above: Says) -> None:
        """Take folders for classes, or for levels of classes."""
        level = bool(above.levels)
        odd = level and node is not None and _holds_odds_and_ends(node)
        if level and not odd:
            self.deep = True
        for kid in kids:
            levels = (*above.levels, kid.name)
            self.visit(kid, replace(above, levels=levels, label=above.label if odd else (*above.label, kid.name)))


def _are_batches(kids: Sequence[_Node]) -> bool:
    """Whether folders are one thing in several pieces: ``images_001``, ``images_002``; ``fold1/cat``, ``fold2/cat``."""
    if all(is_image_role(kid.name) for kid in kids):
        return len({re.sub(r"\d", "", kid.name.casefold()) for kid in kids}) == 1
    names = [{name.casefold() for name in kid.kids} for kid in kids]
    return all(_BATCH.fullmatch(kid.name.casefold()) for kid in kids) and bool(set.intersection(*names))


def _are_few(files: int, total: int) -> bool:
    """Whether images beside folders of classes or parts are odd ones: one, or up to a tenth of all."""
    return 2 * files < total and files <= max(1, total // 10)


def _are_sets(kids: Sequence[_Node]) -> bool:
    """Whether folders are whole sets, each arranged in its own way, and no classes: some have parts or label maps."""
    arranged = sum(
        bool(parts_of(kid.kids)) or (any(map(is_image_role, kid.kids)) and any(map(is_mask_role, kid.kids)))
        for kid in kids
    )
    return arranged > 1 and 2 * arranged < len(kids)


def _holds_odds_and_ends(node: _Node) -> bool:
    """Whether the folders in a class folder are none of its levels: it holds images itself, and not just a few."""
    below = node.total - node.files
    return bool(node.files) and (len(node.kids) == 1 or node.files >= below)


def _parts(kids: Sequence[_Node], above: Says) -> dict[str, str]:
    """The folders of a folder that are parts of the data; empty where none is."""
    found = parts_of(kid.name for kid in kids)
    if not found:
        return {}
    others = [kid for kid in kids if kid.name not in found]
    distinct = len(set(found.values()))
    inside = {name.casefold() for kid in kids if kid.name in found for name in kid.kids}
    if not others:
        return found if distinct > 1 or not above.label else {}
    if distinct > 1:
        # Parts have folders in them that their neighbours lack, or are most of what is there.
        deeper = bool(inside) and not all(kid.kids for kid in others)
        return found if deeper or len(others) < len(found) or _share_names(others, inside) else {}
    # One such word among other names is a class, unless what is in it is named like its neighbours.
    beside = {kid.name.casefold() for kid in others}
    same = len(others) == 1 and _share_names(others, inside) and len(inside) > 1
    return found if inside & beside or same else {}


def _share_names(others: Sequence[_Node], inside: set[str]) -> bool:
    return all(inside & {name.casefold() for name in kid.kids} for kid in others)


def _own_words(parts: Mapping[str, str]) -> dict[str, str]:
    """What names of parts say besides the part, where it tells them apart: the ``cats`` of ``cats_train``."""
    rests = {name: rest_of(name) for name in parts}
    differ = len({own_words_of(name) for name in parts}) > 1
    return rests if differ and all(rests.values()) else {}


def _looked_through(node: _Node, kids: Sequence[_Node], above: Says, *, whole: bool) -> _Node | None:
    """The one folder that everything lies in and that says nothing; None where there is none."""
    inner = max(kids, key=lambda kid: kid.total)
    same = words_of(inner.name) == words_of(node.name) and bool(node.name)
    quiet = same or is_image_role(inner.name) or (is_wrapper_name(inner.name) and not above.label)
    if len(kids) == 1:
        if quiet:
            return inner
        # Whatever it is called: what is in it are parts, or the same name again, as archives are unpacked, or folders
        # that tell images apart, which one folder above all of them does not.
        if above.label or inner.files or GROUP.fullmatch(inner.name.casefold()):
            return None
        return inner if (_widens(inner) and not whole) or _leads_to_parts(inner, above) else None
    others = [kid for kid in kids if kid is not inner]
    small = _are_few(sum(kid.total for kid in others), node.total)
    return inner if quiet and inner.kids and small and not any(kid.kids for kid in others) else None


def _widens(node: _Node) -> bool:
    """Whether a folder, or one after the other alone in it, holds several."""
    while len(node.kids) == 1 and not node.files:
        (node,) = node.kids.values()
    return len(node.kids) > 1 and not node.files


def _leads_to_parts(node: _Node, above: Says) -> bool:
    """Whether a folder holds parts, or one folder after the other that ends in parts or has its own name."""
    kids = list(node.kids.values())
    if len(kids) == 1 and not node.files:
        return words_of(kids[0].name) == words_of(node.name) or bool(kids[0].kids and _leads_to_parts(kids[0], above))
    return bool(kids) and bool(_parts(kids, above))
