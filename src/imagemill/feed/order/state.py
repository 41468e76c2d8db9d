"""Where a loader is, in a few plain values, and whether another one may go on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from imagemill.core.errors import InputError
from imagemill.feed.making.making import Maker

__all__ = ["State", "refuse_other"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class State:
    """A place in a run, and everything that decides what comes after it.

    Parameters
    ----------
    epoch, batch : int
        The batch that comes next.
    seed : int
    dataset, pipeline, order : str
        Digests.
    together : int
        Rows of all ranks in one batch: ranks and their batch size may change as long as this stays.
    """

    epoch: int
    batch: int
    seed: int
    dataset: str
    pipeline: str
    order: str
    together: int

    @classmethod
    def of(cls, maker: Maker, epoch: int, batch: int) -> Self:
        """The state of a loader."""
        weights = maker.order.weights
        order = f"{maker.order.shuffle!r} {maker.shares.drop_last}"
        if weights is not None:
            order += " " + hashlib.blake2b(weights.tobytes(), digest_size=8).hexdigest()
        pipeline = {name: pipe.digest for name, pipe in maker.pipelines.items()}
        said = f"{maker.pipeline and maker.pipeline.digest} {sorted(pipeline.items())}"
        said += f" {maker.options} {maker.reduced} {maker.replace}"
        digest = hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
        return cls(epoch, batch, maker.seed, maker.rows.fingerprint(), digest, order, maker.shares.together)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON or a checkpoint."""
        return {"imagemill": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        InputError
        """
        names = {f.name for f in fields(cls)}
        if not isinstance(values, Mapping) or set(values) != names | {"imagemill"} or values["imagemill"] != FORMAT:
            raise InputError("expected what loader.state_dict() gave, got something else; load the right entry")
        found = cls(**{name: values[name] for name in names})
        for name in ("epoch", "batch", "seed", "together"):
            value = getattr(found, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InputError(f"expected the state's {name} as a number from 0, got {value!r}; load another one")
        return found


def refuse_other(state: State, here: State, *, seed_given: bool = True) -> None:
    """Refuse a state of a loader that goes on differently.

    Parameters
    ----------
    state, here : State
    seed_given : bool
        Whether somebody chose the seed of the loader here; one that was made with it is never that of the state.

    Raises
    ------
    InputError
        Naming what differs.
    """
    differ = [name for name in _WORDS if getattr(state, name) != getattr(here, name)]
    if not differ:
        return
    said = ", ".join(_WORDS[name] for name in differ)
    do = "build it as it was"
    if "seed" in differ and not seed_given:
        # Two loaders of which neither was given one: what it was is known only here.
        do = 'this loader was given none, and made one; build it with seed=state["seed"]'
        do += ", and all else as it was" if len(differ) > 1 else ""
    raise InputError(f"expected the state of an equal loader, got one with another {said}; {do}")


_WORDS = {
    "seed": "seed",
    "dataset": "dataset",
    "pipeline": "pipeline (or channels, reduced, decode, on_error)",
    "order": "order (shuffle, weights, drop_last)",
    "together": "number of rows in a batch of all ranks (batch_size x world_size)",
}
