"""Folders of images: all below one, one per class, one per split, one per level of a hierarchy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.folder_names import (
    Place,
    group_finder,
    is_image_role,
    place_of,
    safe_stems,
    split_named,
)
from imagemill.data.layouts.guess.folder_structure import Arrangement, Says, arrange
from imagemill.data.layouts.plain_folders import nothing_there, with_masks
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.records.record import Record

__all__ = ["ClassFolders", "ClassTree", "Folder", "SplitFolders"]

_PIXELS = frozenset(("image", "uint16", "float", "channels", "volume", "affine"))


def _plural(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _guess(look: Look, sure: float, why: str, *carries: str) -> Guess:
    """A guess of a layout that takes what it has a place for: images with a class or a part where it carries these."""
    found = look.arrangement
    want = {"label", "split"} & set(carries)

    def fits(folder: str) -> bool:
        says = found.says[folder]
        told = {"label": bool(says.label), "split": says.split is not None}
        return not want or (not says.odd and any(told[one] for one in want))

    good = {folder for folder in found.says if fits(folder)}
    takes = frozenset(key for (key, _), folder in zip(look.images, look.folders, strict=True) if folder in good)
    return Guess(sure, why, takes, frozenset((*carries, *(("group",) if found.groups() else ()))))


class Folder(Layout):
    """All images below a folder, without labels."""

    name = "folder"
    title = "all images below a folder"
    holds = _PIXELS
    place = 30
    writes = True
    recognised = (
        "Any folder with images somewhere below it, when nothing else fits. Folders named like `patient001` make "
        "groups."
    )
    written = "The images by their keys."

    def guess(self, look: Look) -> Guess | None:
        """Say whether there is any image."""
        if not look.is_folder or not look.images:
            return None
        return _guess(look, 0.2, f"{_plural(look.arrangement.images(), 'image', 'images')} below it")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read all images; those in folders of patients, videos... get groups."""
        _folder_only(look, self.name)
        return _labelled(look, options, self.name, lambda _: ())

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write the images by their keys."""
        with exporting(out, self.name, options) as job:
            _write(job, source, {record.key: record.key for record in source})
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


class ClassFolders(Layout):
    """One folder per class, in one level."""

    name = "class-folders"
    title = "one folder per class"
    holds = _PIXELS | {"label"}
    place = 40
    writes = True
    recognised = (
        "Images lie in folders that mean neither a part, a role nor a patient, also below folders that say nothing "
        "(`dataset`, `images`). One odd image beside them is left out and named, many are images without a class; "
        "sub-folders of a class have its label."
    )
    written = "`<class>/<name>`. Needs labels; levels of a label are joined with `-`."

    def guess(self, look: Look) -> Guess | None:
        """Say whether images lie in folders that mean neither a split, a role nor a patient."""
        found = look.arrangement if look.is_folder else None
        if found is None or found.hierarchical or found.splits() or not found.labelled():
            return None
        folders = _plural(len(found.labelled()), "folder", "folders")
        bare = sum(found.bare().values())
        every = "every image lies" if not bare else f"{found.images() - bare} of {found.images()} images lie"
        return _guess(
            look,
            0.6,
            f"{every} in {'one of ' if len(found.labelled()) > 1 or not bare else ''}{folders} named like classes",
            "label",
        )

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the images; the folder of each that says a class is its label, the first of several."""
        _folder_only(look, self.name)
        return _labelled(look, options, self.name, lambda levels: levels[:1])

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``<class>/<name>``; further folders of a key are joined into the name with ``-``."""
        _need_labels(source, self.name)
        with exporting(out, self.name, options) as job:
            flat = {r.key: _flat(r.label) for r in source if r.label is not None}
            job.lose("levels of labels", "joined with '-'", sum("/" in (r.label or "") for r in source))
            wanted = {}
            for record in source:
                if record.label is None:
                    job.problem(record.key, "expected a label, got none; choose 'folder' or a table for this set")
                    continue
                wanted[record.key] = f"{flat[record.key]}/{'-'.join(_own_parts(record))}"
            _write(job, source, wanted, classes=flat)
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


class SplitFolders(Layout):
    """A folder per split, over class folders or images."""

    name = "split-folders"
    title = "train, val and test folders, over class folders or images"
    holds = _PIXELS | {"label", "split"}
    place = 50
    writes = True
    recognised = (
        "Images lie below `train`, `val` or `test`, right there or in class folders; or classes have such folders. "
        "Words decide: `training_set`, `seg_train`, `images_val`, `train2017`, `holdout`; `eval` is `val`, or "
        "`test` beside a `val`. One such word among other names (`test` beside `cat` and `dog`) is a class."
    )
    written = "`<split>/<class>/<name>`, or `<split>/<name>` without labels. Needs splits."

    def guess(self, look: Look) -> Guess | None:
        """Say whether images lie in folders of splits, right there or in class folders."""
        found = look.arrangement if look.is_folder else None
        if found is None or not found.splits():
            return None
        counts, images = found.splits(), found.images()
        if found.hierarchical and found.labelled():
            return None
        carries = ("split", "label") if found.labelled() else ("split",)
        every = "every image lies" if sum(counts.values()) == images else f"{sum(counts.values())} of {images} lie"
        below = "class folders" if found.labelled() else "images"
        why = f"{every} below a folder of a split ({' '.join(sorted(counts))}), with {below} in it"
        return _guess(look, 0.7, why, *carries)

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the images; a folder below the split's is the class."""
        _folder_only(look, self.name)
        return _labelled(look, options, self.name, lambda levels: levels[:1])

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``<split>/<class>/<name>``; unlabelled sources ``<split>/<name>``."""
        _need_splits(source, self.name)
        labelled = any(record.label is not None for record in source)
        with exporting(out, self.name, options) as job:
            flat = {r.key: _flat(r.label) for r in source if r.label is not None}
            job.lose("levels of labels", "joined with '-'", sum("/" in (r.label or "") for r in source))
            wanted = {}
            for record in source:
                if record.split is None or (labelled and record.label is None):
                    what = "split" if record.split is None else "label"
                    job.problem(record.key, f"expected a {what}, got none; split the source first, or choose a table")
                    continue
                middle = f"{flat[record.key]}/" if labelled else ""
                wanted[record.key] = f"{record.split}/{middle}{'-'.join(_own_parts(record))}"
            _write(job, source, wanted, classes=flat)
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


class ClassTree(Layout):
    """A hierarchy of class folders."""

    name = "class-tree"
    title = "a hierarchy of class folders (species/breed), also below split folders"
    holds = _PIXELS | {"label", "hierarchy", "split"}
    place = 60
    writes = True
    recognised = "Class folders lie within class folders, as deep as they are each, also below folders of splits."
    written = "`[<split>/]<level>/<level>/<name>`. Needs labels."

    def guess(self, look: Look) -> Guess | None:
        """Say whether images lie in class folders of several levels; these need not be equally deep."""
        found = look.arrangement if look.is_folder else None
        if found is None or not found.hierarchical or not found.labelled():
            return None
        deep = sorted({label.count("/") + 1 for label in found.labelled()})
        shown = str(deep[0]) if len(deep) == 1 else f"{deep[0]} to {deep[-1]}"
        why = f"images lie {shown} class folders deep, like levels of a hierarchy"
        return _guess(look, 0.55, why, "label", *(("split",) if found.splits() else ()))

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the images; their folders, joined by ``/``, are the label."""
        _folder_only(look, self.name)
        return _labelled(look, options, self.name, lambda levels: levels)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``[<split>/]<level>/<level>/<name>``."""
        _need_labels(source, self.name)
        some = any(record.split is not None for record in source)
        with exporting(out, self.name, options) as job:
            wanted, classes = {}, {}
            for record in source:
                if record.label is None or (some and record.split is None):
                    what = "label" if record.label is None else "split"
                    job.problem(record.key, f"expected a {what}, got none; choose 'folder' or a table for this set")
                    continue
                classes[record.key] = record.label
                first = f"{record.split}/" if some else ""
                wanted[record.key] = f"{first}{record.label}/{'-'.join(_own_parts(record))}"
            _write(job, source, wanted, classes=classes)
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


def _folder_only(look: Look, name: str) -> None:
    if not look.is_folder:
        raise SourceError(f"expected a folder for the layout {name!r}, got the file {look.path}; give its folder")


def _labelled(
    look: Look, options: ReadSource, name: str, levels: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> Source:
    """A source whose labels are folders."""
    if not look.images:
        raise nothing_there(look)
    arranged = _arranged(look, name)
    says = _says(look, name, arranged)
    finder, said = group_finder((), options.extra)
    group = finder if said else None
    notes = [*_said_of(arranged, name, says), said]
    records: list[Record] = []
    problems: list[Problem] = []
    groups: set[str] = set()
    labels = {f: "/".join(levels(s.levels if name == "class-tree" else s.label)) or None for f, s in says.items()}
    for (key, path), folder in zip(look.images, look.folders, strict=True):
        place = says[folder]
        if place.odd and name != "folder":
            problems.append(_beside(key, look))
            continue
        owner = place.group if group is None else group(key)
        if owner is not None:
            groups.add(owner)
        records.append(
            Record(key, path, label=labels[folder], split=place.split if name != "folder" else None, group=owner)
        )
    notes += _left_bare(records, name)
    if group is None and groups:
        notes.append("group: the folder of each image")
    kept = tuple(note for note in notes if note)
    return with_masks(Source(look.path, name, tuple(records), notes=kept, problems=tuple(problems)), options)


def _beside(key: str, look: Look) -> Problem:
    """The finding that an image lies where none is expected."""
    found = look.arrangement
    what = "class folder" if found.labelled() else "folder of a part"
    some = _some(sorted(found.labelled() or set(found.parts)), 3)
    msg = f"{key}: expected every image in a {what} ({some}), got this one beside them and left it out"
    return Problem(key, f"{msg}; move it into one, or pass layout='folder' to take all images without classes")


def _arranged(look: Look, name: str) -> Arrangement:
    """The arrangement that a layout goes by; a tree keeps the one folder above all others as its first level."""
    if name == "class-tree" and look.arrangement.through:
        return arrange(Counter(look.folders), look.path.resolve().name, whole=True)
    return look.arrangement


def _says(look: Look, name: str, found: Arrangement) -> Mapping[str, Says]:
    """What folders say, or what they must mean to whoever asks for a layout that they do not look like."""
    if name == "split-folders" and not found.splits():
        said = {folder: _plain_parts(folder) for folder in found.says}
        if not any(place.split for place in said.values()):
            raise SourceError(
                f"expected every image of {look.path} below a folder named train, val or test, got some elsewhere; "
                "choose another layout, or move them"
            )
        return said
    if name in ("class-folders", "class-tree") and not found.labelled():
        return {folder: _plain_levels(folder) for folder in found.says}
    return found.says


def _plain_parts(folder: str) -> Says:
    names = folder.split("/")
    at = next((n for n, one in enumerate(names) if split_named(one)), None)
    if at is None:
        return Says()
    rest = tuple(one for one in names[at + 1 :] if not is_image_role(one))
    return Says(split_named(names[at]), rest, rest)


def _plain_levels(folder: str) -> Says:
    levels = tuple(folder.split("/")) if folder else ()
    return Says(None, levels, levels)


def _said_of(found: Arrangement, name: str, says: Mapping[str, Says]) -> Iterator[str]:
    """What was made of the folders where their names do not say it plainly."""
    if says is not found.says:
        return
    if found.through and any(not is_image_role(folder.rpartition("/")[2]) for folder in found.through):
        verb = "says" if len(found.through) == 1 else "say"
        yield f"looked through {_some(found.through)}, which {verb} no class"
    meant = {folder: part for folder, part in found.parts.items() if folder.rpartition("/")[2].lower() != part}
    if meant:
        yield "parts: " + _some([f"{folder} is {part}" for folder, part in sorted(meant.items())])
    if found.splits() and (rest := {f: n for f, n in found.partless().items() if not says[f].odd}):
        yield f"{_plural(sum(rest.values()), 'image lies', 'images lie')} in no part: {_some(sorted(rest))}"
    if name not in ("class-tree", "folder"):
        inner = {folder: found.counts[folder] for folder, place in says.items() if place.levels != place.label}
        if inner and not found.hierarchical:
            many = _plural(sum(inner.values()), "image", "images")
            yield (
                f"{many} in sub-folders of class folders ({_some(sorted(inner))}) have the class's label; "
                "pass layout='class-tree' to make them levels"
            )


def _left_bare(records: Sequence[Record], name: str) -> Iterator[str]:
    """Name what has no label where others have one."""
    bare = [record.key for record in records if record.label is None]
    if bare and name != "folder" and (name != "split-folders" or len(bare) < len(records)):
        yield f"{len(bare)} lie in no class folder and have no label: {_some(bare)}"


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _need_labels(source: Source, name: str) -> None:
    if all(record.label is None for record in source):
        raise SourceError(f"expected a source with labels for the layout {name!r}, got none; choose folder or a table")


def _need_splits(source: Source, name: str) -> None:
    if all(record.split is None for record in source):
        raise SourceError(
            f"expected a source with splits for the layout {name!r}, got none; split it first, or choose class-folders"
        )


def _flat(label: str | None) -> str:
    return (label or "").replace("/", "-")


def _own_parts(record: Record) -> tuple[str, ...]:
    """The parts of a key that say neither split nor role nor class."""
    key = record.key
    place = (
        place_of(key)
        if record.split is not None
        else Place(None, role=False, folders=tuple(key.split("/")[:-1]), name="")
    )
    folders = place.folders
    for levels in ((record.label or "").split("/"), [_flat(record.label)]):
        if record.label is not None and list(folders[: len(levels)]) == levels:
            folders = folders[len(levels) :]
            break
    return (*folders, key.rpartition("/")[2])


def _write(job: Export, source: Source, wanted: dict[str, str], classes: dict[str, str] | None = None) -> None:
    """Write images to the places that were found for them; say where a class had to be renamed."""
    stems = safe_stems(wanted, apart=job.options.format is not None)
    renamed: set[str] = set()
    for record in source:
        if record.key not in wanted:
            continue
        stem = stems[record.key]
        label = (classes or {}).get(record.key)
        if label is not None and f"/{label}/" not in f"/{stem}" and label not in renamed:
            renamed.add(label)
            job.lose(f"class name {label!r}", f"written as {stem.rsplit('/', 1)[0]!r}, which every file system takes")
        job.image(record, stem)
    if classes and source.classes and list(source.classes) != sorted(source.classes):
        job.lose("order of classes", "folders count in alphabetical order")


LAYOUTS: tuple[Layout, ...] = (
    Folder(),
    ClassFolders(),
    SplitFolders(),
    ClassTree(),
)
