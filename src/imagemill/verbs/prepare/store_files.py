"""The files of a store, from rows that lie ready."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data import store
from imagemill.data.splits.split import PARTS
from imagemill.verbs.prepare import assemble, statistics
from imagemill.verbs.prepare.assemble import Files, Fitted, Line
from imagemill.verbs.prepare.class_numbers import LabelPlan
from imagemill.verbs.prepare.manifest_file import write_manifest
from imagemill.verbs.prepare.manifest_rows import ManifestRows
from imagemill.verbs.prepare.parameters import Parameters
from imagemill.verbs.prepare.picture_form import Form

__all__ = ["StoreFiles"]

_OURS = re.compile(rf"(?:{'|'.join(PARTS)})(?:-\d{{5,}})?\.arrow")


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """What a store is written as.

    Parameters
    ----------
    out : Path
    form : Form
    labels : LabelPlan
    asked : Parameters
    """

    out: Path
    form: Form
    labels: LabelPlan
    asked: Parameters

    def write(
        self,
        lines: Mapping[str, Sequence[Line]],
        files: Files,
        rows: ManifestRows,
        said: Mapping[str, Any],
    ) -> None:
        """Write all files; the description goes first and comes back last, so that a torn store is known as one."""
        how = self.asked.standardize
        train = lines.get("train", ())
        # Sums of whole numbers do not depend on how images are grouped: they are taken of what is written, on the way.
        beside = how == "none" and self.form.dtype.kind == "u" and len(train) > 0
        moments = assemble.moments_of(len(train), self.form) if beside else None
        fitted = None if beside else assemble.fit_statistics(train, files, self.form, whiten=how == "zca")
        if fitted is None and how != "none":
            raise InputError("expected training images to fit statistics on, got none; change the split")
        mask_dtype = assemble.mask_type(lines.values(), files, self.form) if self.form.masks else None
        (self.out / store.DESCRIPTION).unlink(missing_ok=True)
        applied = fitted if how != "none" else None
        parts = self._parts(lines)
        wanted = store.files_of({"parts": parts})
        names = {f"{one.name}.arrow" for one in wanted}
        for path in self._written_before():
            if path.name not in names:
                path.unlink(missing_ok=True)
        for one in wanted:
            some = lines[one.part][one.first : one.first + one.count]
            path = self.out / f"{one.name}.arrow"
            step = assemble.Standardizing(how, applied, moments if one.part == "train" else None)
            assemble.write_rows(path, some, files, self.form, self.labels, mask_dtype, step)
        if moments is not None:
            fitted = Fitted(moments.end(), None)
        write_manifest(self.out / store.MANIFEST, rows, rows.besides())
        if fitted is not None:
            assemble.write_statistics(self.out / store.STATISTICS, fitted)
        else:
            (self.out / store.STATISTICS).unlink(missing_ok=True)
        assemble.write_json(self.out / store.DESCRIPTION, self._description(lines, fitted, mask_dtype, said))

    def _parts(self, lines: Mapping[str, Sequence[Line]]) -> dict[str, dict[str, Any]]:
        rows = self.asked.file_rows
        if rows is None:
            return {part: {"file": f"{part}.arrow", "count": len(found)} for part, found in lines.items()}
        return {
            part: {"file": f"{part}-*.arrow", "count": len(found), "file_rows": rows} for part, found in lines.items()
        }

    def _written_before(self) -> list[Path]:
        """Files of parts that an earlier run wrote, in one file each or in many."""
        return [path for path in self.out.glob("*.arrow") if _OURS.fullmatch(path.name)]

    def _description(
        self, lines: Mapping[str, Sequence[Line]], fitted: Fitted | None, mask_dtype: Any, said: Mapping[str, Any]
    ) -> dict[str, Any]:
        from importlib.metadata import version  # slow to load, and not needed where nothing is written

        import pyarrow as pa

        form = self.form
        parts = self._parts(lines)
        mask = None if mask_dtype is None else {"shape": list(form.spatial), "dtype": mask_dtype.name}
        flat = {"shape": list(form.spatial), "dtype": "float32"}
        described = {
            "format": store.FORMAT,
            "parts": parts,
            "image": {"shape": list(form.shape), "axes": form.axes, "dtype": form.dtype.name},
            "mask": mask,
            **({"maps": dict.fromkeys(form.maps, flat)} if form.maps else {}),
            "label": {"form": self.labels.form, "dtype": self.labels.dtype, "level": self.labels.level},
            **said,
            "statistics": None if fitted is None else _plain(fitted, form),
            "standardized": self.asked.standardize,
        }
        # These stand behind the statistics: the order is part of the bytes.
        for name in ("split", "parameters", "fingerprint"):
            described[name] = described.pop(name)
        versions = {"imagemill": _version(), "pyarrow": pa.__version__, "polars": version("polars")}
        return {**described, "versions": versions}


def _version() -> str:
    # The package around this module; importing it by name here would reach up past every room.
    return str(getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""))


def _plain(fitted: Fitted, form: Form) -> dict[str, Any]:
    found = fitted.statistics
    return {
        "of": "train",
        "count": found.count,
        "mean": found.mean,
        "std": found.std,
        "channel_mean": found.channel_mean.tolist(),
        "channel_std": found.channel_std.tolist(),
        "white": {"uint8": 255, "uint16": 65535}.get(form.dtype.name, 1),
        "epsilon": statistics.EPSILON,
        "file": store.STATISTICS,
    }
