"""What networks say of the class of every image, each image by networks that never learnt from it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.audits.networks.one_training import Plan, planned, seconds_each, trained_and_asked
from imagemill.core.extras import require
from imagemill.core.interrupts import as_interrupts

__all__ = ["cost", "told_by_networks"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_NETWORKS = 1000
"""Of one seed at most, so that those of the next are others."""
_TIMED = 128
_ASKED, _PIECES = 0.3, 0.65
"""What asking about an image costs, of what training on the whole of it does, and what training does on average."""


def told_by_networks(
    images: Array,
    labels: Rows,
    folds: tuple[Rows, ...],
    *,
    mirrored: bool,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Logarithms of the probability of each class ``[n, classes]``: means of the networks that left an image out.

    The same for a seed, whatever the workers: each network is trained by one thread.

    Parameters
    ----------
    images : array ``[n, side, side, C]`` uint8
        A side of 32, or of a multiple.
    labels : array ``[n]`` of int from 0
    folds : tuple of arrays ``[n]``
        Of each round, the fold of every image; a network for each fold learns from the others.
    mirrored : bool
        Whether an image and its mirror image are the same.
    seed : int
    workers : int
        Networks that are trained at once.
    progress : callable, optional
        Called with how many images networks were trained on, and how many there will be.

    Raises
    ------
    MissingExtra
        Without PyTorch (extra ``torch``).

    Examples
    --------
    >>> draws = np.random.default_rng(0)
    >>> labels = np.tile([0, 1], 60)
    >>> images = (draws.normal(100, 20, (120, 32, 32, 1)) + 60 * labels[:, None, None, None]).astype(np.uint8)
    >>> told = told_by_networks(images, labels, (np.arange(120) // 2 % 2,), mirrored=True)
    >>> bool((told.argmax(axis=1) == labels).mean() > 0.9)
    True
    """
    torch = require("torch", extra="torch")
    tasks = _tasks(folds)
    total = sum(passes for *_, passes in tasks)
    stop, lock, done = threading.Event(), threading.Lock(), 0

    def step(more: int) -> None:
        nonlocal done
        if stop.is_set():
            raise InterruptedError
        with lock:
            done += more
            if progress is not None:
                progress(done, total)

    def one(number: int) -> Floats:
        torch.set_num_threads(1)
        of, fold, plan, _ = tasks[number]
        learnt, asked = np.flatnonzero(of != fold), np.flatnonzero(of == fold)
        own = _NETWORKS * seed + number
        return trained_and_asked(images, labels, learnt, asked, plan, mirrored=mirrored, seed=own, step=step)

    threads = torch.get_num_threads()
    try:
        with as_interrupts(), ThreadPoolExecutor(workers) as pool:
            asked = [pool.submit(one, number) for number in range(len(tasks))]
            try:
                for ended in as_completed(asked):
                    ended.result()
            except BaseException:
                stop.set()  # the pool waits for its threads, which end at their next step
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        torch.set_num_threads(threads)
    found = np.zeros((len(labels), int(labels.max()) + 1), np.float32)
    for (of, fold, *_), one_told in zip(tasks, asked, strict=True):
        found[of == fold] += one_told.result() / len(folds)
    return found


def _tasks(folds: tuple[Rows, ...]) -> list[tuple[Rows, int, Plan, int]]:
    """Of each network: the folds of its round, the one it leaves out, its plan, and the images it is trained on."""
    found = []
    for of in folds:
        every = np.unique(of).tolist()
        plan = planned(len(of), len(every))
        for fold in every:
            batches = max(1, int((of != fold).sum()) // plan.batch)
            found.append((of, fold, plan, plan.epochs * batches * plan.batch))
    return found


def cost(images: Array, folds: tuple[Rows, ...], *, mirrored: bool) -> float:
    """Seconds of one core that `told_by_networks` will take, about: measured on some of the images.

    Parameters
    ----------
    images, folds, mirrored
        As `told_by_networks` takes them.
    """
    passes = sum(passes for *_, passes in _tasks(folds))
    whole = seconds_each(images[:_TIMED])
    asked = _ASKED * (2 if mirrored else 1) * len(images) * len(folds)
    return whole * (passes * _PIECES + asked)
