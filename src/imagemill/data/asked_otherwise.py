"""What people ask a dataset for who come from another library: an answer for each, and what to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, NoReturn

import polars as pl

from imagemill.core.errors import InputError
from imagemill.core.near_words import no_attribute
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["AskedOtherwise", "refuse_pipeline"]

_LOADED = "imagemill.Loader(dataset, pipeline, batch_size=32) gives batches"
_NAMES = "dataset.table['label'] has their names, dataset.classes these in the order of their numbers"
_ANSWERS = {
    **dict.fromkeys(("labels", "targets", "y"), _NAMES),
    **dict.fromkeys(("batch", "loader", "fit", "repeat", "prefetch", "transform", "transforms", "augment"), _LOADED),
    "set_transform": "imagemill.augmented(dataset, pipeline) augments its images",
    # Keras asks for the first of these before it says what it does not take.
    "shape": "for model.fit write imagemill.Loader(dataset, pipeline).keras(); one image has dataset[0].image.shape",
}
_CALLED = {"class_names": "classes", "features": "table", "columns": "table", "keys": "table", "take": "select",
           "head": "select", "train_test_split": "split", "df": "table", "dataframe": "to_pandas"}  # fmt: skip


class AskedOtherwise:
    """Answers for who takes a dataset for a table, an array, or the dataset of a library."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]
    table: Any

    def __post_init__(self) -> None:
        """Refuse a path where the table is meant."""
        table = self.table
        if not isinstance(table, pl.DataFrame):
            got = f"{table!r:.60}" if isinstance(table, str | Path) else f"a {type(table).__name__}"
            do = "imagemill.open(...) makes a dataset of a folder, a file, a pattern or arrays"
            raise InputError(f"expected the table of a dataset, got {got}; {do}")

    def __getattr__(self, name: str) -> Any:
        # Tools look for private names, copies half made for any.
        if name.startswith("_") or name in type(self).__dataclass_fields__:
            raise AttributeError(name)
        table = self.table
        answers = _ANSWERS if name not in table.columns else {name: f"write dataset.table[{name!r}]"}
        raise no_attribute(self, name, answers, _CALLED)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: whoever makes arrays of what it is given (``model.fit``) would get the rows one by one."""
        do = "for Keras write model.fit(imagemill.Loader(dataset, pipeline).keras()); its table is dataset.to_pandas()"
        raise InputError(f"expected arrays, got a Dataset of images; {do}")


def refuse_pipeline(function: object) -> None:
    """Say what to write where a pipeline is given as a function of the table's rows.

    Raises
    ------
    InputError
    """
    if isinstance(function, Pipeline):
        do = "imagemill.augmented(dataset, pipeline) augments its images, imagemill.Loader gives batches of them"
        raise InputError(f"expected a function of a row of the table, got a pipeline; {do}")
