"""How far images may change before a model fails: any model, a dataset, and what to change."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.near_words import takes
from imagemill.evaluate.inputs.asked_images import read_asked
from imagemill.evaluate.runners.recipe import Trained
from imagemill.evaluate.stressing.asking import Answered, asked_about, asked_of
from imagemill.evaluate.stressing.open_model import opened
from imagemill.evaluate.stressing.preparing import prepared, spread
from imagemill.evaluate.stressing.profiles import Profile, Profiles
from imagemill.evaluate.stressing.profiling import profiled
from imagemill.evaluate.stressing.sweeps import Over, Sweep, read_sweeps
from imagemill.evaluate.stressing.sweeps_elsewhere import AskSweep, swept_elsewhere
from imagemill.evaluate.stressing.worst_case import WorstGrid
from imagemill.jobs.where_to_run import check_apart
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["stress"]


@takes
def stress(
    model: Any,
    dataset: Any,
    over: Over | None = None,
    *,
    task: str | None = None,
    levels: int = 11,
    refine: int = 2,
    worst: WorstGrid | bool = True,
    limit_images: int | None = None,
    part: str | None = None,
    classes: Sequence[str] | None = None,
    preparation: Pipeline | Path | str | None = None,
    layout: str | None = None,
    scale: str | None = None,
    hold: float = 0.95,
    level: float = 0.95,
    seed: int = 0,
    out: Path | str | None = None,
    on: str | None = None,
    at_once: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Profiles:
    """Measure how far images may change before a model fails.

    For each change: accuracy at each magnitude over the same images, with intervals; the range of magnitudes that
    holds 95 % of clean accuracy, with intervals of its ends; and which classes lose most. For turns and shifts
    together: what is left when each image gets the worst of a grid.

    On label maps the same of Dice: of each image the mean over classes but the background, and of each class. Label
    maps move with their images, and the answer is held against the moved one; intervals are over images, or over
    groups (patients) where the dataset has them.

    Parameters
    ----------
    model : str, Path or object
        A file: ``.keras`` or ``.h5``; ``.pt2`` or TorchScript; ``.onnx``; ``.py`` with ``load()`` or
        ``predict(images)``. A ``torch.nn.Module``, Keras model, estimator of scikit-learn, or trained network. Or a
        function from images ``[n, y, x, C]``, as they are stored, to ``[n, classes]``. Files may run code: open none
        that you do not trust. For label maps it gives class numbers ``[n, (z,) y, x]``, or a number for each class and
        pixel, classes first or last; of two classes also one number for each pixel.
    dataset : Dataset, Path, str, or arrays
        Prepared; its test part is taken, or ``part``. Arrays are ``(x, y)``, or ``((x_train, y_train), (x_test,
        y_test))``, with labels or label maps.
    over : optional
        What to change, as for `profile`: names, groups of names, pipelines or files.
    task : {"classification", "segmentation"}, optional
        Which of the two is asked for, of a dataset with both; labels unless a trained network is for label maps.
    levels, refine : int
        Magnitudes of each change, and how often the gap in which its range ends is halved.
    worst : WorstGrid or bool
        The grid of turns and shifts; False leaves it out.
    limit_images : int, optional
        At most that many images, the same share of every class, drawn by the seed.
    part : str, optional
        Of the dataset; ``"all"`` takes every image.
    classes : sequence of str, optional
        Names, for arrays.
    preparation : Pipeline, Path or str, optional
        All that comes before the model, which then gets what it gives. Otherwise the order of axes and the scale of
        values are found out: by the shape that the model declares, and by which gets most of 256 images right, or the
        highest Dice on 16. What was found is said in `Profiles.notes`.
    layout : {"last", "first", "flat"}, optional
        Order of axes, where it is known: channels last, channels first, one row an image.
    scale : {"0..1", "0..255", "-1..1", "imagenet"}, optional
        Of the values.
    hold, level : float, 0 to 1
        The share of clean accuracy or Dice that ranges hold, and the level of intervals.
    seed : int
        Of the images that are taken.
    out : Path or str, optional
        Writes ``results.json``, ``table.md`` and ``page.html`` there.
    on : str, optional
        Who asks the model about the changes, one each: ``"processes"``, ``"ray"`` for a Ray cluster of this machine
        that is ended with the call, or ``"ray://HOST:PORT"``. This process when left out, and for the worst of a grid.
    at_once : int
        Changes side by side, with `on`.
    progress : callable, optional
        Called with how often all images were asked about, and how often they will have been at most.

    Returns
    -------
    Profiles

    Raises
    ------
    InputError
        When the model does not load or does not fit the images and classes, or a change is none.
    MissingExtra
        When the framework of a file is not installed.

    Notes
    -----
    Source: Engstrom, Tran, Tsipras, Schmidt, Madry (2019), "Exploring the landscape of spatial robustness", ICML, for
    the worst case.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> def bright(images):
    ...     over = images.mean(axis=(1, 2, 3)) >= 100
    ...     return np.stack([~over, over], axis=1).astype(float)
    >>> images = np.full((200, 8, 8, 1), 80, np.uint8)
    >>> images[100:] = 160
    >>> found = im.stress(bright, (images, np.arange(200) // 100), "brightness:0.25..4", worst=False, refine=6)
    >>> print(found["brightness"].above)
    1.24 [1.24, 1.25]
    """
    if on is not None:
        check_apart(on, at_once)
    data = read_asked(dataset, part, classes, task or _task_of(model))
    if limit_images is not None:
        if isinstance(limit_images, bool) or not isinstance(limit_images, int) or limit_images < 1:
            raise ParameterError(f"expected limit_images of 1 or more, got {limit_images!r}")
        by = data.truth if data.task == "classification" else np.zeros(len(data.truth), np.int64)
        data = data.take(spread(by, limit_images, seed))
    if out is not None and Path(out).exists() and not Path(out).is_dir():
        raise InputError(f"expected a folder to write to, got the file {out}; give another name")
    if isinstance(preparation, str | Path):
        preparation = Pipeline.load(Path(preparation))
    if data.task == "classification":
        asked_about(lambda some: some, data.images, data.truth, data.classes)  # before a model is loaded
    sweeps = read_sweeps(over, data.images, levels)
    network = opened(model)
    how: dict[str, Any] = {"preparation": preparation, "layout": layout, "scale": scale}
    predict, notes = prepared(network, data, **how)

    def elsewhere(
        sweeps: Sequence[Sweep], clean: Answered, told: Callable[[], None]
    ) -> tuple[list[Profile], tuple[str, ...]]:
        torch = sys.modules.get("torch")
        threads = 0 if torch is None else int(torch.get_num_threads())
        work = AskSweep(model, data, how, level, hold, refine, clean, threads)
        return swept_elsewhere(work, sweeps, str(on), at_once, told)

    found = profiled(
        asked_of(predict, data, level), over=sweeps, levels=levels, refine=refine, worst=worst, hold=hold,
        model=network.name, progress=progress, elsewhere=None if on is None else elsewhere,
    )  # fmt: skip
    found = replace(found, notes=(*notes, *found.notes))
    if out is not None:
        found.write(out)
    return found


def _task_of(model: Any) -> str | None:
    """What a network that a runner trained is for; nobody knows it of others."""
    return "segmentation" if isinstance(model, Trained) and model.label_maps else None
