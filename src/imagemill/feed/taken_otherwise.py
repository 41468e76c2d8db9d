"""What people ask a loader for who come from another one: an answer for each, and what to write."""

from __future__ import annotations

from typing import Any, NoReturn

from imagemill.core.errors import InputError
from imagemill.core.near_words import no_attribute

__all__ = ["TakenOtherwise"]

_ANSWERS = {
    "dataset": "loader.rows says how many rows it has: len(loader.dataset) of PyTorch",
    "sampler": "shuffle=, weights= and balance= of Loader say the order, loader.set_epoch(n) the epoch",
    "steps_per_epoch": "len(loader) are the batches of an epoch",
    "shape": "for model.fit write loader.keras(); a batch has one: next(iter(loader)).image.shape",
    "fit": "model.fit(loader.keras()) trains with Keras; for statistics of a dataset see imagemill.prepare",
}
_CALLED = {"num_workers": "workers", "class_indices": "classes", "class_names": "classes", "samples": "rows",
           "n": "rows", "to": "torch", "cuda": "torch"}  # fmt: skip


class TakenOtherwise:
    """Answers for who takes a loader for an iterator, a list of batches, an array, or the loader of a library."""

    def __next__(self) -> NoReturn:
        """Refuse: a loop is an epoch, and belongs to who began it."""
        do = "write next(iter(loader)) for one batch, or loop: for images, labels in loader"
        raise InputError(f"expected a loop over batches, got next(loader); {do}")

    def __getitem__(self, number: Any) -> NoReturn:
        """Refuse: batches have numbers only within an epoch."""
        do = "loader.batch(0) makes any batch of the epoch, loader.torch_dataset() is for a DataLoader of PyTorch"
        raise InputError(f"expected a loop over batches, got loader[{number!r}]; {do}")

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: whoever makes arrays of what it is given (``model.fit``) would get the loader itself."""
        do = "for Keras write model.fit(loader.keras()), else loop: for images, labels in loader"
        raise InputError(f"expected arrays, got a Loader, which makes batches; {do}")

    def __getattr__(self, name: str) -> Any:
        # Tools look for private names, copies half made for any.
        if name.startswith("_"):
            raise AttributeError(name)
        raise no_attribute(self, name, _ANSWERS, _CALLED)
