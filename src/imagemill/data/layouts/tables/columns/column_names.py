"""Usual names of columns: the roles they suggest, and the parts of a dataset that cells name."""

from __future__ import annotations

from collections.abc import Sequence

from imagemill.data.layouts.tables.columns.box_columns import squashed

__all__ = [
    "ATTRIBUTE",
    "CLASS_WORDS",
    "LICENCE_COLUMNS",
    "MAYBE",
    "NO_LABEL",
    "ROLES",
    "SOURCE_COLUMNS",
    "flag_splits",
    "normal_split",
    "plain_name",
    "rank_of",
    "role_of",
]

ATTRIBUTE = "attribute."
"""What a written attribute's column begins with where its own name would be taken for something else."""

ROLES: dict[str, tuple[str, ...]] = {
    "key": ("key", "record_key"),
    "image": (
        *(
            "image",
            "img",
            "picture",
            "photo",
            "image_path",
            "img_path",
            "file_name",
            "filename",
            "filepath",
            "file_path",
        ),
        *("path", "file", "image_file", "image_file_name", "image_filename", "url", "image_url", "img_url", "uri"),
        *("image_uri", "pixels", "image_bytes"),
    ),
    "mask": ("mask", "mask_path", "mask_file_name", "mask_file", "segmentation", "segmentation_path", "seg"),
    "label": (
        *("label", "class", "category", "target", "species", "class_name", "label_name", "category_name"),
        *("label_text", "class_label", "fine_label", "breed"),
    ),
    "labels": ("labels", "classes", "tags"),
    "runs": ("encoded_pixels", "rle", "rle_mask", "mask_rle", "segmentation_rle"),
    "split": ("split", "subset", "fold", "partition"),
    "group": ("group", "patient", "patient_id", "patientid", "subject", "subject_id", "video", "video_id"),
    "boxes": ("objects", "boxes", "bboxes", "bbox"),
    "categories": ("categories", "box_labels", "box_categories"),
    "height": ("height", "image_height"),
    "width": ("width", "image_width"),
}
"""The usual names of columns for each role, the likeliest first."""

MAYBE: dict[str, frozenset[str]] = {
    "image": frozenset(
        (
            *(
                "imageid",
                "imgid",
                "imagename",
                "imgname",
                "id",
                "uid",
                "idcode",
                "name",
                "location",
                "filepaths",
                "files",
            ),
            *("images", "photos", "pic", "pictureid", "photoid", "fname", "imageindex", "imagelabel", "imageidclassid"),
            *("fileid", "source", "src", "href", "link", "imagelink", "photourl", "thumbnail", "data", "content"),
        )
    ),
    "label": frozenset(
        (
            *(
                "classid",
                "labelid",
                "categoryid",
                "classname",
                "labels",
                "y",
                "cls",
                "emotion",
                "diagnosis",
                "dx",
                "type",
            ),
            *(
                "kind",
                "cat",
                "genus",
                "variety",
                "digit",
                "character",
                "disease",
                "finding",
                "level",
                "grade",
                "output",
            ),
            *("classindex", "classnumber", "targetname", "answer", "result", "letter", "family", "animal", "object"),
        )
    ),
    "labels": frozenset(("attributeids", "findinglabels", "keywords", "genres", "labelnames", "labelids")),
    "runs": frozenset(("annotation", "annotations", "segmentation", "mask", "pixels", "encodedpixels")),
    "split": frozenset(("set", "usage", "phase", "dataset", "datasplit", "mode", "stage")),
}
"""Names, squashed, that suggest a role where the cells agree."""

LICENCE_COLUMNS = (
    *("licence", "license", "licencename", "licensename", "licenceurl", "licenseurl", "licenceid", "licenseid"),
    *("licences", "licenses", "rights", "usageterms"),
)
"""Names, squashed, of columns that say an image's licence; the first that says something counts."""

SOURCE_COLUMNS = (
    *("source", "sourceurl", "credit", "credits", "creditline", "copyright", "attribution", "author", "creator"),
    *("photographer", "owner", "provenance", "page", "homepage", "flickrurl", "cocourl", "originalurl"),
)
"""Names, squashed, of columns that say where an image comes from; the first that says something counts."""

NO_LABEL = frozenset(
    (
        *LICENCE_COLUMNS,
        *SOURCE_COLUMNS,
        *("age", "sex", "gender", "date", "time", "timestamp", "year", "month", "day", "camera", "device", "site"),
        *("user", "country", "city", "index"),
        *("width", "height", "depth", "channels", "size", "format", "mode", "rotation", "orientation", "version"),
        *("confidence", "score", "fold", "quality", "comment", "note", "caption", "description", "title", "split"),
        *("difficult", "truncated", "occluded", "pose", "iscrowd", "area", "domain", "count", "number", "price"),
    )
)
"""Names, squashed, of columns that are no class although their cells may look like one."""

_SPLITS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "publictest"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "privatetest"), "test"),
}
_FLAGS = {"istrain": ("train", "test"), "istraining": ("train", "test"), "isvalid": ("val", "train"),
          "istrainingimg": ("train", "test"), "isval": ("val", "train"), "isvalidation": ("val", "train"),
          "istest": ("test", "train"), "train": ("train", "test"), "valid": ("val", "train")}  # fmt: skip
_BY_NAME = {name: role for role, names in ROLES.items() for name in names}
_SQUASHED = {squashed(name): role for name, role in _BY_NAME.items()}


def normal_split(text: str) -> str | None:
    """Bring a split's name into the three usual words; None where it is none.

    Examples
    --------
    >>> normal_split("Validation"), normal_split("PrivateTest"), normal_split("fold 3")
    ('val', 'test', None)
    """
    return _SPLITS.get(text.strip().lower()) or _SPLITS.get(squashed(text))


def flag_splits(name: str) -> tuple[str, str] | None:
    """What yes and no mean in a column such as ``is_train``; None for any other name.

    Examples
    --------
    >>> flag_splits("is_valid"), flag_splits("is_cat")
    (('val', 'train'), None)
    """
    return _FLAGS.get(squashed(name))


def plain_name(name: str) -> str:
    """A name in lower case with underscores."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def role_of(name: str) -> str | None:
    """The role that a column's name suggests; only the last part of a dotted name counts.

    Examples
    --------
    >>> role_of("Image Path"), role_of("meta.split"), role_of("price")
    ('image', 'split', None)
    """
    if name.startswith(ATTRIBUTE):
        return None
    last = plain_name(name).rpartition(".")[2]
    return _BY_NAME.get(plain_name(name)) or _BY_NAME.get(last) or _SQUASHED.get(squashed(last))


def rank_of(name: str, usual: Sequence[str]) -> tuple[bool, int]:
    """How likely a name is among the usual ones of a role: smaller is likelier."""
    plain = plain_name(name)
    last = plain.rpartition(".")[2]
    short = [squashed(one) for one in usual]
    place = usual.index(plain) if plain in usual else short.index(squashed(last)) if squashed(last) in short else 99
    return plain not in usual, place


CLASS_WORDS = frozenset(("kind", "class", "label", "category", "species", "breed", "diagnosis", "target"))
"""Words in the names of columns that hold classes."""
