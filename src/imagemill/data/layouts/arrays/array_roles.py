"""Which of several named arrays are images, which are labels, masks, keys, groups and class names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from imagemill.data.layouts.arrays.array_names import COLOURS, NUMBERED, Name, Shape, read_array_name

__all__ = ["PAGES", "Part", "Parts", "find_parts"]

PAGES = ("images", "volume")
"""What the first axis of an array may be told to count: images, or the slices of one volume."""

_Key = tuple[str | None, tuple[str, ...]]
_ORDER = {"train": 0, "val": 1, "test": 2, None: 3}


@dataclass(frozen=True, slots=True)
class Part:
    """Arrays that belong together.

    Parameters
    ----------
    images : str
        Name of the array of images.
    single : bool
        Whether it is one image and not a stack of them along its first axis.
    labels, masks, keys, groups : str or None
        Names of the arrays with one entry an image.
    split : str or None
    columns : tuple of str
        Names of further arrays with one entry an image.
    label : str or None
        The class of all of them, where the array is named after one.
    wrong : str
        What does not fit; the part cannot be taken in then.
    """

    images: str
    single: bool = False
    labels: str | None = None
    masks: str | None = None
    keys: str | None = None
    groups: str | None = None
    split: str | None = None
    columns: tuple[str, ...] = ()
    label: str | None = None
    wrong: str = ""

    @property
    def is_half(self) -> bool:
        """Whether nothing is known of its images, and nothing is wrong with them."""
        return not (self.single or self.label or self.wrong) and len(self.names()) == 1

    def names(self) -> tuple[str, ...]:
        """The arrays that it takes."""
        named = (self.images, self.labels, self.masks, self.keys, self.groups, *self.columns)
        return tuple(name for name in named if name is not None)


@dataclass(frozen=True, slots=True)
class Parts:
    """What `find_parts` makes of named arrays.

    Parameters
    ----------
    parts : list of Part
    classes : str or None
        Name of the array of class names.
    rest : list of str
        Names that say nothing.
    notes : list of str
        What was decided without a name that says it.
    counted : list of str
        Arrays whose first axis is taken to count images, by their shape and name alone.
    """

    parts: list[Part]
    classes: str | None
    rest: list[str]
    notes: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)


def find_parts(
    arrays: Mapping[str, Shape], *, speaking: int = 1, pages: str | None = None, lone: bool = False
) -> Parts:
    """Sort named arrays into parts, by their names and shapes.

    Names are usual ones: ``images``, ``x_train``, ``train_set_y``, ``test_labels``, ``data``, ``target``, ``masks``,
    ``list_classes``, ``arr_0``... Where no name speaks, shapes do: one array of pictures, and one column as long.

    Parameters
    ----------
    arrays : mapping
        Names may be paths; the folders of a path say the split, and what belongs together.
    speaking : int
        How many of a path's last words may say what the array is.
    pages : str or None
        One of `PAGES`: what the user says that the first axis counts.
    lone : bool
        Whether one array of gray pictures, without a name that says it, is a stack of them and not a volume.

    Examples
    --------
    >>> arrays = {"x_train": Shape((9, 8, 8), "u"), "y_train": Shape((9,), "u"), "more": Shape((2, 2), "f")}
    >>> found = find_parts(arrays)
    >>> found.parts[0].images, found.parts[0].labels, found.parts[0].split, found.rest
    ('x_train', 'y_train', 'train', ['more'])
    """
    names = {name: read_array_name(name, speaking) for name in arrays}
    return _Sorting(arrays, names, pages, lone, _class_names(arrays, names)).parts()


@dataclass(slots=True)
class _Sorting:
    """Arrays that are being sorted."""

    arrays: Mapping[str, Shape]
    names: Mapping[str, Name]
    pages: str | None
    lone: bool
    classes: str | None
    buckets: dict[_Key, dict[str, str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)

    def parts(self) -> Parts:
        """Sort them."""
        for name in self.names:
            if name != self.classes:
                self.put(name)
        self.unspoken()
        self.share()
        parts = []
        for (split, stem), roles in self.buckets.items():
            found = self.part(roles, split)
            # A numbered image by itself is one of many in its folder or group, not a part of its own.
            if found is None or (found.single and stem and found.masks is None and found.labels is None):
                self.rest += roles.values()
            else:
                parts.append(found)
                self.rest += [name for name in roles.values() if name not in found.names() and not found.wrong]
        parts = parts or self.numbered() or self.by_class()
        parts = [self.with_columns(part, parts) for part in parts]
        parts.sort(key=lambda part: _ORDER[part.split])
        return Parts(parts, self.classes, self.rest, self.notes, self.counted)

    def put(self, name: str) -> None:
        """Give an array the role that its name says; of two with one role, the name that says more has it."""
        said = self.names[name]
        roles = self.buckets.setdefault((said.split, said.stem), {})
        if said.role is None or (said.role in roles and (said.weak or not self.names[roles[said.role]].weak)):
            self.rest.append(name)
        else:
            self.rest += [roles[said.role]] if said.role in roles else []
            roles[said.role] = name

    def give(self, role: str, name: str) -> dict[str, str]:
        """Give an array of the rest a role."""
        roles = self.buckets.setdefault((self.names[name].split, self.names[name].stem), {})
        roles[role] = name
        self.rest.remove(name)
        return roles

    def unspoken(self) -> None:
        """Give the roles of images and labels to arrays that only shapes tell, where one alone can have it."""
        for roles in self.buckets.values():  # "classes" as numbers, one for each image
            if "classes" in roles and "labels" not in roles:
                roles["labels"] = roles.pop("classes")
        for split in dict.fromkeys(said.split for said in self.names.values()):
            mine = [roles for (of, _), roles in self.buckets.items() if of == split]
            if not any("images" in roles for roles in mine):
                stacks = [name for name in self.free(split) if self.looks_like_stack(name)]
                if len(stacks) == 1:
                    given = self.give("images", stacks[0])
                    mine = [*(roles for roles in mine if roles is not given), given]
                    if not self.lone:
                        self.notes.append(f"{stacks[0]!r} is taken for the images: no other array has such a shape")
            images = [roles["images"] for roles in mine if "images" in roles]
            if len(images) == 1 and not any("labels" in roles or "classes" in roles for roles in mine):
                count = self.arrays[images[0]].lengths[:1]
                columns = [n for n in self.free(split) if self.is_column(n, count) and self.arrays[n].kind != "f"]
                if len(columns) == 1:
                    self.give("labels", columns[0])
                    told = f"{columns[0]!r} is taken for the labels: it is the one column as long as the images"
                    self.notes.append(told)

    def free(self, split: str | None) -> list[str]:
        """Arrays of a split that have no role yet."""
        return [n for n in self.rest if self.names[n].split == split and not NUMBERED.fullmatch(n)]

    def is_column(self, name: str, count: tuple[int, ...]) -> bool:
        """Whether an array has one entry for each of so many images."""
        shape = self.arrays[name]
        return shape.kind in "buifUS" and shape.column == count != (1,)

    def looks_like_stack(self, name: str) -> bool:
        """Whether an array can only be many pictures: by its axes, or because a column is as long."""
        shape = self.arrays[name]
        if shape.kind == "E":
            return bool(shape.lengths)
        if shape.kind not in "buif" or len(shape.lengths) < 3 or shape.single is not None:
            return shape.single is False
        count = shape.lengths[:1]
        column = any(self.is_column(n, count) and a.kind != "f" for n, a in self.arrays.items() if n != name)
        lone = self.lone and sum(a.is_pixels for a in self.arrays.values()) == 1 and shape.lengths[2] not in COLOURS
        return shape.is_colour_stack or len(shape.lengths) > 4 or column or lone

    def share(self) -> None:
        """Bring labels and the like, named in other words than the images, to the images of their split."""
        homes = [(split, roles) for (split, _), roles in self.buckets.items() if "images" in roles]
        for (split, _), roles in self.buckets.items():
            for role, name in list(roles.items()) if "images" not in roles else ():
                fit = [home for of, home in homes if of == split and role not in home]
                count = self.arrays[name].lengths[:1]
                fit = [home for home in fit if self.arrays[home["images"]].lengths[:1] == count] or fit
                if len(fit) == 1:
                    fit[0][role] = roles.pop(role)

    def part(self, roles: Mapping[str, str], split: str | None) -> Part | None:
        """The arrays of one split and stem as a part."""
        images = roles.get("images")
        if images is None or not self.arrays[images].is_pixels:
            return None
        shape = self.arrays[images]
        labels, masks = self.beside(roles, "labels", range(1, 3)), self.beside(roles, "masks", range(3, 6))
        keys, groups = self.beside(roles, "keys", range(1, 2)), self.beside(roles, "groups", range(1, 2))
        named = roles.get("labels")
        # Scans are often kept as "image" and "label", where the label is a map of the same size.
        if masks is None and named is not None and _is_map(self.arrays[named], shape):
            labels, masks = None, named
        column = labels is not None and (len(self.arrays[labels].column) == 1 or len(shape.lengths) > 2)
        counts = bool(column or keys or groups)
        if self.is_single(images, counts=counts):
            return self.single(roles, images, split)
        if not counts and shape.kind != "E" and not split and self.pages is None and shape.single is None:
            self.counted.append(images)
        if labels is None and masks is None and named is not None:
            return self.wrong("as many labels as images", images, named)
        if masks is None and "masks" in roles:
            return self.wrong("a mask for each image", images, roles["masks"])
        return Part(images, single=False, labels=labels, masks=masks, keys=keys, groups=groups, split=split)

    def beside(self, roles: Mapping[str, str], role: str, ranks: range) -> str | None:
        """The array of a role, where it is as long as the images and has one of some ranks."""
        name, count = roles.get(role), self.arrays[roles["images"]].lengths[:1]
        fits = name is not None and len(self.arrays[name].column) in ranks and self.arrays[name].lengths[:1] == count
        return name if fits else None

    def wrong(self, expected: str, images: str, other: str) -> Part:
        """A part that cannot be taken in, because two arrays do not fit."""
        shapes = [" x ".join(map(str, self.arrays[name].lengths)) or "one value" for name in (images, other)]
        got = f"{images!r} of {shapes[0]} and {other!r} of {shapes[1]}"
        return Part(images, wrong=f"expected {expected}, got {got}; mend the one that is wrong")

    def is_single(self, images: str, *, counts: bool) -> bool:
        """Whether an array is one image."""
        shape = self.arrays[images]
        if shape.single is not None:
            return shape.single
        if self.pages is not None and len(shape.lengths) > 2:
            return self.pages == "volume"
        return not _is_stack(shape, self.names[images], counted=counts, lone=self.lone)

    def single(self, roles: Mapping[str, str], images: str, split: str | None) -> Part:
        """One image, with the label or the map that is kept beside it."""
        shape = self.arrays[images]
        labels, masks = roles.get("labels"), roles.get("masks")
        if masks is not None and not _is_map(self.arrays[masks], shape):
            masks = None
        if labels is not None and _is_map(self.arrays[labels], shape):
            labels, masks = None, masks or labels
        if labels is not None and len(self.arrays[labels].lengths) > 1:
            labels = None
        return Part(images, single=True, labels=labels, masks=masks, split=split)

    def with_columns(self, part: Part, parts: Iterable[Part]) -> Part:
        """A part with the columns of the rest that are as long as its images, where no other part has as many."""
        if part.single or part.wrong:
            return part
        count = self.arrays[part.images].lengths[:1]
        rivals = [p for p in parts if p.split == part.split and self.arrays[p.images].lengths[:1] == count]
        found = [n for n in self.rest if self.names[n].split == part.split and self.is_column(n, count)]
        if len(rivals) > 1 or not found:
            return part
        self.rest = [name for name in self.rest if name not in found]
        return replace(part, columns=tuple(found))

    def numbered(self) -> list[Part]:
        """Pair ``arr_0`` with ``arr_1`` and so on: images, then as many labels."""
        parts: list[Part] = []
        names = sorted((n for n in self.rest if NUMBERED.fullmatch(n)), key=lambda n: int(n[4:]))
        at = 0
        while at < len(names):
            shape = self.arrays[names[at]]
            if shape.kind not in "buif" or len(shape.lengths) < 3:
                at += 1
                continue
            after = self.arrays[names[at + 1]] if at + 1 < len(names) else None
            pair = after is not None and len(after.column) in (1, 2) and after.lengths[0] == shape.lengths[0]
            parts.append(Part(names[at], labels=names[at + 1] if pair else None))
            at += 2 if pair else 1
        # Keras keeps its sets as (x_train, y_train), (x_test, y_test).
        if len(parts) == 2 and len(names) == 4 and all(part.labels for part in parts):
            parts = [replace(part, split=split) for part, split in zip(parts, ("train", "test"), strict=True)]
            self.notes.append("two pairs of images and labels without names: read as the train and the test part")
        used = {name for part in parts for name in part.names()}
        self.rest = [name for name in self.rest if name not in used]
        return parts

    def by_class(self) -> list[Part]:
        """Several stacks of pictures of one size, none called images: each is a class, named after its array."""
        stacks = [n for n in self.rest if self.arrays[n].is_colour_stack and self.names[n].role is None]
        kinds = {(self.arrays[name].kind, self.arrays[name].lengths[1:]) for name in stacks}
        labels = [name.rpartition("/")[2] for name in stacks]
        if len(stacks) < 2 or len(kinds) > 1 or len(set(labels)) < len(labels):
            return []
        shown = ", ".join(labels[:5]) + (", ..." if len(labels) > 5 else "")
        self.notes.append(f"no array is called images: each is taken for a class of its own name ({shown})")
        self.rest = [name for name in self.rest if name not in stacks]
        named = zip(stacks, labels, strict=True)
        return [Part(name, label=label, split=self.names[name].split) for name, label in named]


def _class_names(arrays: Mapping[str, Shape], names: Mapping[str, Name]) -> str | None:
    """The array of class names; a column of numbers as long as the images is their labels instead."""
    found = [name for name, said in names.items() if said.role == "classes"]
    if not found:
        return None
    counts = {a.lengths[0] for n, a in arrays.items() if names[n].role == "images" and a.lengths}
    labelled = any(said.role == "labels" for said in names.values())
    name = found[0]
    return None if not labelled and arrays[name].column[:1] and arrays[name].column[0] in counts else name


def _is_map(labels: Shape, images: Shape) -> bool:
    """Whether an array is a label for each pixel: as large as the images, with or without their channels."""
    lengths = images.lengths
    if labels.kind not in "buif" or len(labels.lengths) < 2 or images.kind == "E" or labels.column == lengths[:1]:
        return False
    bare = [lengths, (*lengths, 1)]
    if len(lengths) > 3 or lengths[-1] in COLOURS:
        bare += [lengths[:-1], (*lengths[:-1], 1)]
    if len(lengths) > 3:  # channels first, behind the number of the image
        bare += [(lengths[0], *lengths[2:]), (lengths[0], 1, *lengths[2:])]
    elif lengths[0] in COLOURS:
        bare += [lengths[1:]]
    return labels.lengths in bare


def _is_stack(shape: Shape, name: Name, *, counted: bool, lone: bool) -> bool:
    """Whether the first axis counts images: something beside them counts them, the name says many, or the axes do."""
    lengths = shape.lengths
    if shape.kind == "E":
        return bool(lengths)
    if len(lengths) == 2:  # rows of numbers, one for each label
        return counted
    if counted or len(lengths) > 4:
        return True
    if len(lengths) == 4:
        # A volume of several contrasts is kept as "image"; three channels are colours.
        return (
            name.many or (shape.is_colour_stack and 3 in (lengths[1], lengths[3])) or (lone and shape.is_colour_stack)
        )
    if lengths[2] in COLOURS:
        return False
    # A numbered one is a volume among others, and three planes under a word for anything are colours.
    return lone or (name.many and not name.stem and not (name.weak and lengths[0] in COLOURS))
