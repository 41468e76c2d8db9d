"""Where the time of an epoch went, and what would shorten it."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.feed.making.augmenting import Clock

__all__ = ["Meter", "worth"]

_ENOUGH = 0.1
"""Share of the time spent waiting below which the consumer is what takes the time."""


_NOTICED = 0.01
"""Share of the workers' time below which compiling is not worth a line."""


_GAIN = 1.05
"""Times as many images with batches replayed, below which there is nothing to gain: rates vary by as much."""


def worth(now: float, most: float) -> str:
    """What a faster loader would be worth, by images a second now and with batches replayed.

    Examples
    --------
    >>> worth(100, 250)
    '2.50 times as many with batches replayed: no loader gives more'
    """
    said = f"{most / now:.2f} times as many with batches replayed: no loader gives more"
    return said if most >= _GAIN * now else f"{said}, as the step itself takes the time"


@dataclass(slots=True)
class Meter:
    """Seconds of one epoch.

    Parameters
    ----------
    workers : int
    epoch : int
    stored : bool
        Whether pixels come from a store or memory, and need no decoding.
    processes : bool
        Whether the workers are processes.
    """

    workers: int
    epoch: int
    stored: bool
    batches: int = 0
    images: int = 0
    reading: float = 0.0
    augmenting: float = 0.0
    compiling: float = 0.0
    waiting: float = 0.0
    consuming: float = 0.0
    processes: bool = False

    def add(self, clock: Clock, images: int, waited: float) -> None:
        """Count a batch that was handed over."""
        self.batches += 1
        self.images += images
        self.reading += clock.reading
        self.augmenting += clock.augmenting
        self.compiling += clock.compiling
        self.waiting += waited

    def and_also(self, other: Meter) -> None:
        """Count what another epoch of the same loader took."""
        for name in ("batches", "images", "reading", "augmenting", "compiling", "waiting", "consuming"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def shares(self) -> dict[str, float]:
        """Parts of the time: ``reading``, ``augmenting``, ``compiling``, ``idle`` of the workers'; ``waiting``."""
        wall = max(self.waiting + self.consuming, 1e-9)
        threads = max(self.workers, 1) * wall
        reading, augmenting = self.reading / threads, self.augmenting / threads
        compiling = self.compiling / threads
        idle = max(0.0, 1.0 - reading - augmenting - compiling)
        parts = {"reading": reading, "augmenting": augmenting, "compiling": compiling}
        return {**parts, "idle": idle, "waiting": self.waiting / wall}

    def bound(self) -> str:
        """What takes the time: ``"consumer"``, ``"reading"``, ``"augmenting"`` or ``"compiling"``."""
        if self.shares()["waiting"] < _ENOUGH:
            return "consumer"
        took = {"augmenting": self.augmenting, "reading": self.reading, "compiling": self.compiling}
        return max(took, key=lambda name: took[name])

    def describe(self, cores: int, most: float = 0.0) -> str:
        """The shares in words, and what to change.

        Parameters
        ----------
        cores : int
        most : float
            Images a second that the consumer takes of a loader that costs nothing, where that was measured.
        """
        if not self.batches:
            return "\n".join(["nothing measured yet: iterate over the loader first", *self._replayed(most)])
        share, wall = self.shares(), self.waiting + self.consuming
        each = 1e3 / max(self.images, 1)
        return "\n".join(
            [
                f"epoch {self.epoch}: {self.batches:,} batches, {self.images:,} images in {wall:.2f} s, "
                f"{self.images / max(wall, 1e-9):,.0f} images/s, made by {self._who()}",
                f"  reading and decoding  {share['reading']:5.0%}  {self.reading * each:8.3f} ms an image",
                f"  augmenting            {share['augmenting']:5.0%}  {self.augmenting * each:8.3f} ms an image",
                *self._compiled(),
                f"  workers without work  {share['idle']:5.0%}",
                f"  consumer waited       {share['waiting']:5.0%}  of its time, the rest was its own work",
                *self._replayed(most),
                f"bound by {_WORDS[self.bound()]}: {self.advice(cores)}",
            ]
        )

    def _compiled(self) -> list[str]:
        """Said only where it was noticed, as it comes once."""
        share = self.shares()["compiling"]
        return [f"  compiling kernels     {share:5.0%}  {self.compiling:8.2f} s, once"] if share >= _NOTICED else []

    def _replayed(self, most: float) -> list[str]:
        now = self.images / max(self.waiting + self.consuming, 1e-9)
        said = worth(now, most) if self.images else "with batches replayed: no loader gives more"
        return [f"  at most {most:12,.0f}  images/s, {said}"] if most else []

    def _who(self) -> str:
        if not self.workers:
            return "the caller's own thread"
        kind = "process" if self.processes else "thread"
        return f"{self.workers} {kind}{'' if self.workers == 1 else 'es' if self.processes else 's'}"

    def advice(self, cores: int) -> str:
        """What would make it quicker."""
        bound = self.bound()
        if bound == "consumer":
            return "batches are there before they are asked for; only a faster consumer makes this quicker"
        all_of_them = f"'process:{cores}'" if self.processes else cores
        more = f"workers={all_of_them} (now {self.workers}) uses all cores"
        more = more if self.workers < cores else "all cores are at work"
        if bound == "compiling":
            return (
                "kernels are compiled, or loaded, when they are first needed: iterate once more and ask again; "
                "'imagemill warmup' in a terminal compiles them ahead, for all later runs"
            )
        if bound == "augmenting":
            python = "" if self.processes else "; functions in Python run in parallel with workers='process'"
            return f"{more}; pipeline.explain() shows which step takes the time{python}"
        if self.stored:
            return f"{more}; the store is larger than the free memory or on a slow disk: prepare it smaller, or copy it"
        return f"{more}; dataset.prepare(folder, size=...) once saves decoding in every epoch"


_WORDS = {
    "consumer": "the consumer",
    "reading": "reading and decoding",
    "augmenting": "augmenting",
    "compiling": "compiling kernels",
}
