"""The list of layouts as a page: how each is recognised, written, and what it holds."""

from __future__ import annotations

from imagemill.data.layouts.base import CAN_HOLD, Layout
from imagemill.data.layouts.registry import layouts

__all__ = ["page"]

INTRODUCTION = """\
# Layouts

Any of these can be given to `scan`, `prepare`, `augment`, `preview`, `export` and their functions in Python. The layout
is guessed: the one that leaves least of what was seen unexplained is taken. `scan` says why, `scan --why` shows what
was seen and what each layout would take and leave. `--layout NAME` decides where the guess is wrong, and
`--option NAME=VALUE` says more. All but DICOM and the files of labelling tools (labelme, CVAT, Label Studio,
VIA) can be written as well; `augment` writes COCO for those, which these tools take in:

```console
$ imagemill export photos -o out --to coco
$ imagemill export --list
```

Encoded pictures are copied byte for byte unless `--format` asks for another. What a layout has no place for is named at
the end, never dropped silently.
"""

WORDS = {
    "uint16": ("16 bits", "pixels of 16 bits"),
    "float": ("fractions", "pixels of floating point"),
    "channels": ("channels", "counts of channels other than 1, 3 and 4"),
    "volume": ("volume", "stacks of slices"),
    "world": ("place", "millimetres and the place in the scanner"),
    "label": ("label", "one class an image"),
    "hierarchy": ("levels", "classes with levels, such as dog/beagle"),
    "labels": ("labels", "several classes of one image"),
    "mask": ("mask", "a label map"),
    "boxes": ("boxes", "boxes around things"),
    "polygons": ("outlines", "polygons around things"),
    "runs": ("runs", "masks of single things"),
    "keypoints": ("points", "keypoints of things"),
    "split": ("split", "train, val and test"),
    "group": ("group", "patients, videos: what must not part"),
    "attributes": ("columns", "further columns"),
}
"""Column of the table and explanation of each word of `CAN_HOLD`."""

SAID: dict[str, tuple[str, str]] = {
    "file": (
        "A single file with a picture or volume, by its suffix or its first bytes.",
        "One image goes in, its label map beside it as `<name>_mask`.",
    ),
    "list": (
        "A text file with a path per line, relative to it; lines that begin with `#` are passed over. Also a "
        "folder with "
        "`list.txt`.",
        "The images by their keys, and `list.txt` in the source's order.",
    ),
    "folder": (
        "Any folder with images somewhere below it, when nothing else fits. Folders named like `patient001` make "
        "groups.",
        "The images by their keys.",
    ),
    "class-folders": (
        "Images lie in folders that mean neither a part, a role nor a patient, also below folders that say nothing "
        "(`dataset`, `images`). One odd image beside them is left out and named, many are images without a class; "
        "sub-folders of a class have its label.",
        "`<class>/<name>`. Needs labels; levels of a label are joined with `-`.",
    ),
    "split-folders": (
        "Images lie below `train`, `val` or `test`, right there or in class folders; or classes have such folders. "
        "Words decide: `training_set`, `seg_train`, `images_val`, `train2017`, `holdout`; `eval` is `val`, or `test` "
        "beside a `val`. One such word among other names (`test` beside `cat` and `dog`) is a class.",
        "`<split>/<class>/<name>`, or `<split>/<name>` without labels. Needs splits.",
    ),
    "class-tree": (
        "Class folders lie within class folders, as deep as they are each, also below folders of splits.",
        "`[<split>/]<level>/<level>/<name>`. Needs labels.",
    ),
    "image-masks": (
        "Label maps in folders named after them (`masks`, `train_masks`, `trainannot`, `gtFine`, `labelsTr`, "
        "`..._GroundTruth`), beside the images (`<name>_mask`, `_gt`, `_L`, `mask_<name>`), in a folder per sample, or "
        "in a folder of the same names that shows regions where its neighbour shows photos. Several files of one image "
        "become one label map, numbered from 1 (`--option merge=union` makes all 1). Of several kinds class numbers "
        "are taken, or `--option masks=KIND` says which (`none`: all are images). Colours become class numbers by a "
        "table beside them (`class_dict.csv`, `label_colors.txt`, `labelmap.txt`) or by `--option colours=FILE`. "
        "`train.txt` and others say parts. One file per modality (`flair`, `t1`, `ct`...) makes channels. "
        "`--mask-pattern 'images/(.*)\\.jpg=>maps/\\1.png'` says it for anything else, in every layout.",
        "`[<split>/]images/<name>` and `[<split>/]masks/<name>`. Needs label maps; a group is kept where its "
        "folder is "
        "named like `patient001`.",
    ),
    "coco": (
        "A JSON file with `images`, `annotations` and `categories`, alone or in a folder. "
        "`--option annotations=NAME` chooses among several, `--option images=FOLDER` says where the pictures are. "
        "Pictures are also found by the end of their path, as it was on another machine. The root category that "
        "Roboflow writes is no class; annotations without a place are classes of pictures; captions are a column; "
        "panoptic segments are not read. A picture of which nothing that was annotated could be taken in counts as "
        "not annotated.",
        "`annotations/instances[_<split>].json` and `images/`. Label, labels and group become fields of an image; "
        "numbers "
        "of images come back as a column `id`. An image that nobody annotated reads back so (`annotated`); other "
        "tools take it for an empty one.",
    ),
    "yolo": (
        "Text files named like the pictures, with lines of a class number and 4 numbers from 0 to 1, in `labels`, "
        "another folder (`--option labels=NAME`) or beside them, with a `data.yaml`, Darknet's `obj.data`, or a list "
        "of class names. Reads outlines, turned boxes (as outlines of 4 points) and keypoints as well (`kpt_shape`, or "
        "`--option kpt_shape=17,3`). An empty text file is a background; a picture without one is not annotated "
        "(`--option missing=background` takes it for empty).",
        "`images/`, `labels/` and `data.yaml`. Crowds are left out, since there is no mark for them.",
    ),
    "yolo-polygons": (
        "Read as `yolo`.",
        "As `yolo`, with outlines; those in several parts become one, joined by seams without area.",
    ),
    "yolo-pose": (
        "Read as `yolo`. Keypoints have the names that `kpt_names` gives, and those that `flip_idx` exchanges in a "
        "mirror are called left and right.",
        "As `yolo`, with keypoints behind the boxes; `kpt_shape`, `flip_idx` and `kpt_names` in `data.yaml`.",
    ),
    "voc": (
        "XML files of annotations with pictures named like them.",
        "`JPEGImages/`, `Annotations/`, `SegmentationClass/`, `ImageSets/Main/`. Boxes are rounded to whole pixels; "
        "crowds become difficult boxes. Pictures keep their format, whatever the folder is called.",
    ),
    "labelme": (
        "JSON files with `shapes` and `imagePath`, one for each picture; a picture that is not there is taken from "
        "`imageData`. Shapes of one `group_id` are one thing, with points as its keypoints; flags are classes of the "
        "picture. Lines are passed over and counted.",
        "",
    ),
    "cvat": (
        "XML files that begin with `<annotations>`, for images or for a video whose frames lie there as pictures "
        "(`frame_000000.png`). What is turned becomes an outline, a cuboid the box around it, tags are classes of the "
        "picture, a video is a group. Polylines are passed over and counted.",
        "",
    ),
    "label-studio": (
        "JSON of tasks with results (also JSON-MIN and `completions`). Pictures are found by the end of their address. "
        "Choices are classes of the picture, other data columns; the first annotation of a task is read, predictions "
        "are not.",
        "",
    ),
    "via": (
        "JSON or CSV of the VGG Image Annotator, versions 1 and 2. `--option category=NAME` says which attribute of a "
        "region is its class.",
        "",
    ),
    "csv": (
        "A CSV file with a column of paths, addresses, base64 or pixels, also without a header; a row for each "
        "image, or for each thing in one. Columns are found by what stands in them; `--option column.label=species` "
        "says others, `--option images=DIR` where the files are, `--option separator=;` another separator. See "
        "[read a table](../how-to/read-a-table.md).",
        "`images.csv` and `images/`; with `--embed` one file. Objects stand in a cell as JSON.",
    ),
    "tsv": ("As `csv`, with tabs.", "`images.tsv` and `images/`; as `csv`."),
    "json": (
        "A JSON file with a list of rows, a mapping of columns or of rows, files by class or part, or classes by "
        "file; also with an object per line. Values may be pixels as lists of numbers.",
        "`images.json` and `images/`; with `--embed` one file.",
    ),
    "jsonl": ("A file with a JSON object per line.", "`images.jsonl` and `images/`; with `--embed` one file."),
    "parquet": (
        "Parquet files with a column of paths, bytes, or Hugging Face images under any name, one file or several "
        "(`train-00000.parquet`).",
        "`images.parquet` and `images/`; with `--embed` one file, which Hugging Face datasets show as images.",
    ),
    "arrow": ("As `parquet`, for Arrow IPC files and streams.", "`images.arrow` and `images/`; as `parquet`."),
    "huggingface": (
        "Images with `metadata.csv`, `metadata.jsonl` or `metadata.parquet` in their folder or above it.",
        "`images/` and `metadata.jsonl`, for each split in a folder of its own. Records come back ordered by split.",
    ),
    "webdataset": (
        "Tar files, also by a pattern (`train-{0000..0009}.tar`). With `.cls`, `.json`, `.txt` or `.seg.png` beside a "
        "picture, what stands before the first dot of a name is the sample; pictures that differ behind it stay apart. "
        "Without, folders in the tar are splits and classes.",
        "Shards of about 256 MB for each split, with the same bytes every time. Records come back ordered by split.",
    ),
    "tfrecord": (
        "TFRecord files of `tf.train.Example`, by the checksum of their first record: `.tfrecord`, `.record`, shards "
        "(`train-00000-of-01024`), gzip. Pictures are encoded, raw (`image_raw` with `height`, `width`, `depth`; "
        "`--option shape=28,28,1` where nothing says them) or lists of numbers. `label_map.pbtxt`, `labels.txt` and "
        "`label.labels.txt` name classes.",
        "Shards of about 256 MB for each split. Corners of boxes are kept in single precision.",
    ),
    "idx": (
        "Files that begin like those of MNIST, plain or gzip; what is left of a name without `images` and "
        "`labels` says "
        "the split. A `classes.txt` names the classes.",
        "`[<split>-]images-idx3-ubyte` and `[<split>-]labels-idx1-ubyte`, `--format gz` compressed. One size and "
        "type; "
        "keys are counted anew.",
    ),
    "npz": (
        "NumPy archives, `.npy` files side by side, and MATLAB files: `x_train`, `y_train`..., `images` and `labels`, "
        "or one image with its mask. Columns as long as the images are kept. `--option pages=images` says that the "
        "first axis counts images, `pages=volume` that it counts slices, `axes=cyx` names the axes of one image, "
        "`classes=FILE` the classes. Pickles are never loaded.",
        "`images.npz`, or the file that `-o` names. One size and type.",
    ),
    "hdf5": (
        "HDF5 files, by their signature, MATLAB 7.3 among them: a group per class (groups within groups are levels; "
        "attributes `name` and `label` name and number it) with a dataset per image or one stack, or stacks of images "
        "and labels under their usual names, also in two files (`x.h5`, `y.h5`). Options as for `npz`. Links that lead "
        "out of the file are refused.",
        "`images.h5`, or the file that `-o` names; pixels, or with `--embed` the bytes of the pictures.",
    ),
    "nnunet": (
        "`dataset.json` beside `imagesTr`, of nnU-Net (both versions) and of the Medical Segmentation Decathlon.",
        "`imagesTr`, `labelsTr`, `imagesTs`, `labelsTs` and `dataset.json`. Knows train and test alone: the rest "
        "becomes "
        "train.",
    ),
    "dicom": (
        "Files that begin like DICOM, or a `DICOMDIR`. Slices of a series are sorted by position into volumes; "
        "the patient "
        "is the group.",
        "",
    ),
    "tiff-stack": (
        "Runs of numbered TIFF files of one size, as slices of a volume. `--option spacing=5,1,1` says millimetres "
        "(z, y, x); `--option pages=images` takes the pages of one file for images.",
        "A folder of slices per volume, below `images/` and `masks/` where there are label maps.",
    ),
}
"""How each layout is recognised, and how it is written."""


def page() -> str:
    """The page as Markdown."""
    names = [word for word in CAN_HOLD if word in WORDS]
    legend = [f"* {column}: {meaning}" for column, meaning in (WORDS[word] for word in names)]
    head = ["", "layout", *(WORDS[word][0] for word in names), ""]
    rows = ["|".join(head), "|".join(["", "---", *("---" for _ in names), ""])]
    for layout in layouts():
        marks = ("•" if word in layout.holds else "" for word in names)
        rows.append("|".join(["", f"[{layout.name}](#{layout.name})", *marks, ""]))
    parts = [INTRODUCTION, "## What they hold\n", "\n".join(rows), "", *legend, "", "## One by one\n"]
    return "\n".join([*parts, *(_section(layout, names) for layout in layouts())])


def _section(layout: Layout, names: list[str]) -> str:
    recognised, written = SAID[layout.name]
    lines = [f"### {layout.name}\n", f"This is: {layout.title}.\n", f"* Recognised: {recognised}"]
    if not written:
        return "\n".join([*lines, "* Read only.\n"])
    lost = [WORDS[word][0] for word in names if word not in layout.holds]
    lines += [f"* Written (`--to {layout.name}`): {written}"]
    lines += [f"* Has no place for: {', '.join(lost)}.\n" if lost else "* Loses nothing.\n"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
