"""Tables that say which colour of a label map means which class, as tools write them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.remote.remote_path import as_path

__all__ = ["CITYSCAPES", "ColourTable", "find_table", "is_table_name", "read_table"]

_LARGEST = 1 << 22
_NAMES = re.compile(
    r"(class[-_ ]?dict|label[-_ ]?colou?rs?|colou?r[-_ ]?(map|table|code|codes|dict)|classes?[-_ ]?colou?rs?|labelmap|"
    r"colou?rs|palette|label[-_ ]?map|classes|config.*|meta)\.(csv|txt|json)",
    re.I,
)
_THREE = re.compile(r"(?<![\w.])(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})(?![\w.])")
_HEX = re.compile(r"#([0-9a-fA-F]{6})\b")
_COLUMNS = {"r": "r", "red": "r", "g": "g", "green": "g", "b": "b", "blue": "b"}
_NAME_COLUMNS = ("name", "class", "classname", "class_name", "label", "category")


@dataclass(frozen=True, slots=True)
class ColourTable:
    """Classes with their colours.

    Parameters
    ----------
    names : tuple of str
        Classes in the order of their numbers, counted from 0.
    numbers : tuple of pairs of (colour, int)
        Colours as red, green and blue, and the class number that each means.
    said_by : str
        What says so, for messages.

    Examples
    --------
    >>> table = ColourTable(("sky", "road"), (((0, 0, 255), 0), ((90, 90, 90), 1)), "label_colors.txt")
    >>> dict(table.numbers)[90, 90, 90], table.labels
    (1, {'0': 'sky', '1': 'road'})
    """

    names: tuple[str, ...]
    numbers: tuple[tuple[tuple[int, int, int], int], ...]
    said_by: str

    @property
    def labels(self) -> dict[str, str]:
        """Names by numbers, as `Source.info` holds them."""
        return {str(number): name for number, name in enumerate(self.names)}


def is_table_name(key: str) -> bool:
    """Whether a file may hold such a table, by its name.

    Examples
    --------
    >>> is_table_name("CamVid/class_dict.csv"), is_table_name("label_colors.txt"), is_table_name("train.csv")
    (True, True, False)
    """
    return _NAMES.fullmatch(key.rpartition("/")[2]) is not None


def find_table(files: Sequence[tuple[str, Path]]) -> Path | None:
    """The first table of colours among the files of a folder, those nearest to its root first."""
    named = sorted((key.count("/"), key, path) for key, path in files if is_table_name(key))
    return next((path for _, _, path in named if len(_rows(path)) > 1), None)


def read_table(path: Path | str) -> ColourTable:
    r"""Read a table: lines with a name and three numbers, CSV with a header, CVAT's ``labelmap.txt``, JSON.

    Parameters
    ----------
    path : Path or str
        The file, or ``"cityscapes"`` or ``"voc"`` for the colours of these sets.

    Raises
    ------
    SourceError
        When it cannot be read, holds no colours, or gives one colour to two classes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "label_colors.txt"
    ...     _ = file.write_text("64 128 64\tAnimal\n192 0 128\tArchway\n")
    ...     read_table(file).numbers
    (((64, 128, 64), 0), ((192, 0, 128), 1))
    """
    if str(path).casefold() in ("cityscapes", "voc"):
        return CITYSCAPES if str(path).casefold() == "cityscapes" else _voc()
    path = as_path(path)
    if not path.is_file():
        raise SourceError(f"expected a table of colours, got {str(path)!r}, where there is no file; check the path")
    rows = _rows(path)
    if not rows:
        form = "lines such as 'road 128 64 128', or a CSV with the columns name, r, g, b"
        raise SourceError(f"expected colours of classes in {path}, got none; write {form} in UTF-8")
    return _table(rows, path.name)


def _rows(path: Path) -> list[tuple[str, tuple[int, int, int]]]:
    """Names and colours; none where the file holds something else."""
    try:
        if path.stat().st_size > _LARGEST:
            return []
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    return list(_from_json(text) if path.suffix.lower() == ".json" else _from_text(text))


def _table(rows: list[tuple[str, tuple[int, int, int]]], said_by: str) -> ColourTable:
    numbers: dict[tuple[int, int, int], int] = {}
    for number, (name, colour) in enumerate(rows):
        if max(colour) > 255:
            raise SourceError(f"expected colours of 0 to 255 in {said_by}, got {colour} for {name!r}; correct it")
        if colour in numbers:
            first = rows[numbers[colour]][0]
            raise SourceError(
                f"expected a colour of its own for each class in {said_by}, got {colour} for {first!r} and {name!r}; "
                "correct one"
            )
        numbers[colour] = number
    return ColourTable(tuple(name for name, _ in rows), tuple(numbers.items()), said_by)


def _from_text(text: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    columns = _header(lines[0]) if lines else None
    if columns is not None:
        name, channels, separator = columns
        for row in csv.reader(lines[1:], delimiter=separator):
            cells = [row[place].strip() if place < len(row) else "" for place in channels]
            if all(cell.isdigit() for cell in cells):
                label = row[name].strip() if name is not None and name < len(row) else ""
                yield label or f"class_{','.join(cells)}", (int(cells[0]), int(cells[1]), int(cells[2]))
        return
    for line in lines:
        if line.startswith(("//", "# ")) or line == "#":
            continue
        found = _THREE.search(line)
        if found is not None:
            rest = f"{line[: found.start()]} {line[found.end() :]}"
            colour = (int(found[1]), int(found[2]), int(found[3]))
        elif (coded := _HEX.search(line)) is not None:
            rest = f"{line[: coded.start()]} {line[coded.end() :]}"
            colour = tuple(bytes.fromhex(coded[1]))  # type: ignore[assignment]  # six digits are three bytes
        else:
            continue
        name_of = re.sub(r"^[\s,;:\d.()\[\]\"']+|[\s,;:()\[\]\"']+$", "", rest)
        yield name_of or "class_" + ",".join(map(str, colour)), colour


def _header(line: str) -> tuple[int | None, tuple[int, int, int], str] | None:
    """Where name, red, green and blue stand, and what parts them; None where the line is no header."""
    for separator in (",", ";", "\t"):
        words = [word.strip().strip("\"'").casefold() for word in line.split(separator)]
        places = {_COLUMNS[word]: place for place, word in enumerate(words) if word in _COLUMNS}
        if len(places) == 3:
            name = next((words.index(word) for word in _NAME_COLUMNS if word in words), None)
            return name, (places["r"], places["g"], places["b"]), separator
    return None


def _from_json(text: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(found, Mapping) and isinstance(found.get("labels", found.get("classes")), list):
        found = found.get("labels", found.get("classes"))
    pairs: list[tuple[Any, Any]] = []
    if isinstance(found, list):
        pairs = [
            (each.get("readable", each.get("name", each.get("title", each.get("label")))), _colour_in(each))
            for each in found
            if isinstance(each, Mapping)
        ]
    elif isinstance(found, Mapping):
        pairs = list(found.items())
    for name, value in pairs:
        colour = _colour(value)
        if isinstance(name, str) and colour is not None:
            yield name, colour


def _colour_in(row: Mapping[str, Any]) -> Any:
    return next((row[name] for name in ("color", "colour", "rgb", "RGB") if name in row), None)


def _colour(value: Any) -> tuple[int, int, int] | None:
    if isinstance(value, str) and (coded := _HEX.fullmatch(value.strip())) is not None:
        red, green, blue = bytes.fromhex(coded[1])
        return red, green, blue
    if isinstance(value, str) and (found := _THREE.search(value)) is not None:
        return int(found[1]), int(found[2]), int(found[3])
    if isinstance(value, list) and len(value) >= 3 and all(type(part) is int for part in value[:3]):
        return value[0], value[1], value[2]
    return None


def _voc() -> ColourTable:
    """Pascal VOC's colours, which spread the bits of the class number over the channels."""
    text = """background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person
    pottedplant sheep sofa train tvmonitor"""
    names = text.split()
    rows = []
    for number in range(len(names)):
        colour = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                colour[channel] |= (number >> (3 * bit + channel) & 1) << (7 - bit)
        rows.append(((colour[0], colour[1], colour[2]), number))
    void = ((224, 224, 192), 255)  # the border of objects, which is no class
    return ColourTable(tuple(names), (*rows, void), "voc")


def _cityscapes() -> ColourTable:
    """Of the set's own scripts; where several classes have one colour, the one that is evaluated or the first."""
    text = """unlabeled 0 0 0|ego vehicle|rectification border|out of roi|static|dynamic 111 74 0|ground 81 0 81
    |road 128 64 128|sidewalk 244 35 232|parking 250 170 160|rail track 230 150 140|building 70 70 70|wall 102 102 156
    |fence 190 153 153|guard rail 180 165 180|bridge 150 100 100|tunnel 150 120 90|pole 153 153 153|polegroup
    |traffic light 250 170 30|traffic sign 220 220 0|vegetation 107 142 35|terrain 152 251 152|sky 70 130 180
    |person 220 20 60|rider 255 0 0|car 0 0 142|truck 0 0 70|bus 0 60 100|caravan 0 0 90|trailer 0 0 110|train 0 80 100
    |motorcycle 0 0 230|bicycle 119 11 32"""
    names, numbers = [], []
    for number, row in enumerate(text.split("|")):
        found = _THREE.search(row)
        names.append(row[: found.start() if found else None].strip())
        if found:
            numbers.append(((int(found[1]), int(found[2]), int(found[3])), number))
    return ColourTable(tuple(names), tuple(numbers), "cityscapes")


CITYSCAPES = _cityscapes()
"""The classes of Cityscapes by their ``labelIds``."""
