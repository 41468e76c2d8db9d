"""What every layout must do, as one call a layout's own tests can make."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imagemill.core.errors import ImagemillError, SourceError
from imagemill.data.codecs.base import Picture
from imagemill.data.codecs.registry import is_readable_name, write_picture
from imagemill.data.layouts.base import Guess, Layout, Problem, ReadSource, Source, WriteTarget
from imagemill.data.layouts.outside import check_fit
from imagemill.data.layouts.registry import look_at
from imagemill.data.records.instances import RLE, Instance
from imagemill.data.records.record import Record
from imagemill.testing.damage import cut, damaged, flipped
from imagemill.testing.layout_changes import SEEN, changed, has, said
from imagemill.testing.made_pictures import label_map, picture

__all__ = ["check_layout", "layout_sources"]

Opened = tuple[Path, ReadSource]

_SHAPE = (12, 16)
_DAMAGED = 6
_LARGEST = 1 << 20


def check_layout(
    layout: Layout,
    *,
    path: Path | None = None,
    options: ReadSource | None = None,
    opened: Callable[[Path], Opened] | None = None,
) -> None:
    """Check a layout: it knows its own and nothing else, and what it writes reads back but for what it names as lost.

    Parameters
    ----------
    layout : Layout
        It need not be registered.
    path : Path or None
        A dataset in this layout; for layouts that do not write, all that is tried.
    options : ReadSource or None
        How `path` is read.
    opened : callable or None
        What of a folder that was written is opened, and how; by default the folder.

    Raises
    ------
    AssertionError
        Naming the first promise that is broken.
    InputError
        When it lacks a method, a name or a title.

    Examples
    --------
    >>> from imagemill.data.layouts.registry import layout_named
    >>> check_layout(layout_named("csv"))
    """
    check_fit(layout)
    assert layout.writes or path is not None, "of a layout that does not write a dataset is needed, as `path`"
    open_as = opened or (lambda out: (out, ReadSource()))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _passes_by(layout, root / "others")
        if layout.writes:
            made = layout_sources(root / "made").items()
            taken = [_round_trip(layout, source, root / name, open_as) for name, source in made]
            assert any(taken), f"{layout.name}: at least one source of `layout_sources` can be written"
        else:
            _refuses(layout, layout_sources(root / "made")["photos"], root / "refused")
        if path is not None:
            where = root / "given" / path.name
            where.parent.mkdir()
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, where)
            _knows(layout, where, options or ReadSource())
            _survives(layout, where, where, options or ReadSource())


def layout_sources(root: Path) -> dict[str, Source]:
    """The sources that layouts are asked to write: photos and volumes, with something of each word of `CAN_HOLD`.

    Parameters
    ----------
    root : Path
        A folder for their files.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [len(source) for source in layout_sources(Path(folder)).values()]
    [4, 1, 2]
    """
    photos = _photos(root / "photos")
    one = Source(photos.root, "made up", (Record("1.png", photos.records[0].image),))
    return {"photos": photos, "one photo": one, "volumes": _volumes(root / "volumes")}


def _photos(root: Path) -> Source:
    records = []
    names = (("train", "a/1.png"), ("train", "b/2.png"), ("test", "a/3.png"), ("val", "b/4.png"))
    for number, (split, key) in enumerate(names):
        write_picture(root / key, Picture(picture(number, _SHAPE, 3), "yxc"))
        write_picture(root / "maps" / f"{number}.png", Picture(label_map(number, _SHAPE), "yx"))
        records.append(
            Record(
                *(key, root / key, root / "maps" / f"{number}.png", ("pet/cat", "pet/dog")[number % 2]),
                labels=("furry", "small")[: number % 3],
                objects=_annotations(number),
                split=split,
                group=f"patient{number:03d}",
                size=_SHAPE,
                attributes={"camera": f"c{number}", "iso": 100 * number},
            )
        )
    return Source(
        *(root, "made up", tuple(records)),
        classes=("pet/cat", "pet/dog"),
        categories=("cat", "dog"),
        keypoint_names=("left eye", "right eye", "nose"),
        links=((0, 1), (1, 2)),
    )


def _annotations(number: int) -> tuple[Instance, ...]:
    """Bounding boxes on whole pixels, a polygon, an instance mask, and keypoints."""
    polygon = (2.0, 1.0, 9.0, 1.0, 9.0, 7.0, 2.0, 7.0)
    return (
        Instance("cat", (2.0, 1.0, 7.0, 6.0), polygons=(polygon,)),
        Instance("dog", (1.0, 2.0, float(4 + number), 6.0)),
        Instance("dog", (2.0, 6.0, 2.0, 6.0), rle=RLE(*_SHAPE, (30, 20, 142))),
        Instance("dog", (1.0, 1.0, 9.0, 9.0), keypoints=((3.0, 4.0, 2), (0.0, 0.0, 0), (5.5, 6.25, 1))),
    )


def _volumes(root: Path) -> Source:
    records = []
    for number in range(2):
        affine = np.array([[0, 0.2, 1.5, 3], [0.1, -1.5, 0, number], [2.0, 0, 0.3, -4], [0, 0, 0, 1]])
        file, mask = root / f"{number}.nrrd", root / "maps" / f"{number}.nrrd"
        write_picture(file, Picture(picture(number, (5, 6, 7), None, "int16"), "zyx", affine))
        write_picture(mask, Picture(label_map(number, (5, 6, 7)), "zyx", affine))
        records.append(Record(f"v{number}.nrrd", file, mask, "lung", split="train"))
    return Source(root, "made up", tuple(records))


def _passes_by(layout: Layout, root: Path) -> None:
    """Nothing, and text that means nothing, is nobody's dataset."""
    root.mkdir()
    for name, text in ((None, ""), ("notes.txt", "What I ate today.\n"), ("data.bin", "\1\2\3")):
        if name is not None:
            (root / name).write_text(text, "utf-8")
        found = layout.guess(look_at(root))
        assert found is None, (
            f"{layout.name}: a folder with {name or 'nothing in it'} is not guessed to be one, got {found}"
        )


def _round_trip(layout: Layout, source: Source, out: Path, opened: Callable[[Path], Opened]) -> bool:
    """Write a source and read it again; False where the layout takes none of it."""
    untold: str | None = None
    try:
        made = layout.write(source, out, WriteTarget())
    except SourceError as error:
        untold = "" if ";" in str(error) else str(error)
    assert not untold, f"{layout.name}: what it does not take it says, and behind a semicolon what to do: {untold}"
    if untold is not None:
        return False
    if not made.count:
        assert made.problems, f"{layout.name}: what was not written is among the problems"
        return False
    where, options = opened(out)
    back = _knows(layout, where, options)
    assert back.problems == (), f"{layout.name}: what it wrote is whole, got {back.problems[0]}"
    _compare(layout, source, back, made.lost, whole=not made.problems)
    _mixes_nothing(layout, source, out, opened)
    _survives(layout, out, where, options)
    return True


def _compare(layout: Layout, source: Source, back: Source, lost: tuple[str, ...], *, whole: bool) -> None:
    found = changed(source, back)
    if "label" not in layout.holds:
        found.pop("hierarchy", None)  # it went with the label
    for word, how in found.items():
        if word == "image":
            assert not whole, f"{layout.name} changed pixels, and no problem says so: {how}"
        else:
            assert said(lost, word), f"{layout.name} changed {word} silently: {how}; said {lost}"
    for word in SEEN:
        if has(source, word) and word not in layout.holds and (word != "hierarchy" or "label" in layout.holds):
            # Encoded files keep their own place; folders named like patients are groups to whoever reads them.
            kept = not whole or word == "affine" or (word == "group" and "patient" in source.records[0].key)
            assert word in found or kept, f"{layout.name} kept {word}, which is not among what it `holds`"


def _knows(layout: Layout, where: Path, options: ReadSource) -> Source:
    """A dataset of its own: guessed where guessing is its business, and read."""
    look = look_at(where)
    guess = layout.guess(look)
    if guess is not None:
        assert isinstance(guess, Guess), f"{layout.name}: guess() gives a Guess or None, got {type(guess).__name__}"
        assert 0 < guess.sure <= 1, f"{layout.name}: sure is within 0 and 1, got {guess.sure}"
        assert guess.why, f"{layout.name}: a guess says why"
    source = layout.read(look, options)
    assert isinstance(source, Source), f"{layout.name}: read() gives a Source, got {type(source).__name__}"
    assert len(source), f"{layout.name}: its dataset has records"
    keys = [record.key for record in source]
    assert len(set(keys)) == len(keys), f"{layout.name}: every key is there once"
    again = layout.read(look_at(where), options)
    assert [record.key for record in again] == keys, f"{layout.name}: reads in the same order each time"
    assert all(isinstance(one, Problem) for one in source.problems), f"{layout.name}: problems are of type Problem"
    return source


def _mixes_nothing(layout: Layout, source: Source, out: Path, opened: Callable[[Path], Opened]) -> None:
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} if out.is_dir() else {}
    try:
        layout.write(source, out, WriteTarget())
    except SourceError:
        after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} if out.is_dir() else {}
        assert after == before, f"{layout.name}: what it refuses to overwrite stays as it was"
    else:
        raise AssertionError(f"{layout.name}: it does not write over an earlier dataset unless told to")
    layout.write(source, out, WriteTarget(overwrite=True))
    where, options = opened(out)
    assert len(layout.read(look_at(where), options)), f"{layout.name}: overwrites where it is told to"


def _refuses(layout: Layout, source: Source, out: Path) -> None:
    try:
        layout.write(source, out, WriteTarget())
    except SourceError:
        assert not out.exists(), f"{layout.name}: where it does not write it makes no folder"
    else:
        raise AssertionError(f"{layout.name}: write() of a layout that does not write raises SourceError")


def _survives(layout: Layout, root: Path, where: Path, options: ReadSource) -> None:
    """Damaged annotations are a SourceError, or problems of what could be read; nothing else is raised."""
    files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    small = [path for path in files if path.stat().st_size < _LARGEST]
    for file in [path for path in small if not is_readable_name(path) and not path.name.startswith(".")][:4]:
        whole = file.read_bytes()
        variants = [b"", *(cut(whole, share) for share in (0.2, 0.5, 0.9))]
        variants += [flipped(whole, seed) for seed in range(_DAMAGED)]
        variants += [damaged(whole, seed) for seed in range(_DAMAGED)]
        for number, content in enumerate(variants):
            file.write_bytes(content)
            try:
                look = look_at(where)
                layout.guess(look)
                layout.read(look, options)
            except ImagemillError:
                continue
            except Exception as error:
                what = f"{layout.name}: {file.name} damaged ({number}) raised {type(error).__name__}: {error}"
                raise AssertionError(f"{what}; expected a SourceError, or a problem of the source") from error
        file.write_bytes(whole)
