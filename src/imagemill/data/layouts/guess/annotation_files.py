"""Which tool wrote an annotation file, by what is in its first and last bytes.

Layouts of tables ask it too: a file that a tool wrote is no table of images, whatever columns could be seen in it.
"""

from __future__ import annotations

import re
from pathlib import Path

from imagemill.data.layouts.tools.json_file import peek

__all__ = ["coco_content", "is_cvat", "is_labelme", "is_tasks", "is_via", "speaks_for_itself"]

_COCO_LISTS = re.compile(rb'"(images|annotations|categories)"\s*:\s*\[')
_CAPTION = re.compile(rb'"caption"\s*:')
_PLACED = re.compile(rb'"(bbox|segmentation|keypoints)"\s*:')
_SHAPES = re.compile(rb'"shapes"\s*:\s*\[')
_PICTURE = re.compile(rb'"image(Path|Data)"\s*:')
_TASKS = re.compile(rb"^\s*\[?\s*\{")
_RESULTS = re.compile(rb'"(annotations|completions)"\s*:\s*\[')
_DATA = re.compile(rb'"data"\s*:\s*\{')
_MINIMAL = re.compile(rb'"(rectangle|polygon|keypoint|brush|ellipse)labels"\s*:')
_VIA = re.compile(rb'"_via_img_metadata"\s*:|"filename"\s*:[^{}\[\]]*"regions"\s*:|"shape_attributes"\s*:')
_VIA_COLUMNS = (b"filename", b"region_shape_attributes", b"region_attributes")
_CVAT = re.compile(rb"<annotations[\s>]")
_CVAT_PARTS = re.compile(rb"<(meta|image|track)[\s>]")
_SHORT = 1 << 16


def coco_content(path: Path) -> str:
    """What a COCO file holds: ``"annotations"``, ``"captions"``, ``"panoptic segments"``; empty where it is none."""
    data, longer = peek(path)
    keys = {found.decode() for found in _COCO_LISTS.findall(data)}
    # The middle of a long file is not seen: there two of the three words are enough.
    enough = {"images", "categories"} <= keys or (longer and len(keys) >= 2)
    if b'"segments_info"' in data:
        return "panoptic segments" if enough else ""
    if _CAPTION.search(data) and not _PLACED.search(data):
        return "captions" if {"images", "annotations"} <= keys else ""
    return "annotations" if enough else ""


def is_labelme(path: Path) -> bool:
    """Whether a JSON file has shapes and the path of a picture, as labelme writes them."""
    data, longer = peek(path, _SHORT)
    # Of a file with the picture in it only the ends are seen: what follows the picture, or what comes before it.
    return _PICTURE.search(data) is not None and (longer or _SHAPES.search(data) is not None)


def is_tasks(path: Path) -> bool:
    """Whether a JSON file has tasks with results, as Label Studio writes them."""
    data, _ = peek(path)
    if not _TASKS.match(data.removeprefix(b"\xef\xbb\xbf")):
        return False
    if _DATA.search(data) and _RESULTS.search(data) and b'"result"' in data:
        return True
    return _MINIMAL.search(data) is not None and b'"original_width"' in data


def is_via(path: Path) -> bool:
    """Whether a JSON or CSV file has regions of pictures, as VIA writes them."""
    data, _ = peek(path, _SHORT)
    if path.suffix.lower() == ".csv":
        return all(name in data.split(b"\n", 1)[0] for name in _VIA_COLUMNS)
    return b'"regions"' in data and _VIA.search(data) is not None and b'"annotations"' not in data


def is_cvat(path: Path) -> bool:
    """Whether an XML file begins with annotations, as CVAT writes them."""
    start = peek(path, _SHORT)[0]
    return _CVAT.search(start[:4096]) is not None and _CVAT_PARTS.search(start) is not None


def speaks_for_itself(path: Path) -> bool:
    """Whether a tool wrote a JSON or CSV file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.json"
    ...     _ = file.write_text('{"shapes": [], "imagePath": "a.jpg"}')
    ...     speaks_for_itself(file)
    True
    """
    if path.suffix.lower() == ".csv":
        return is_via(path)
    return bool(coco_content(path)) or is_labelme(path) or is_tasks(path) or is_via(path)
