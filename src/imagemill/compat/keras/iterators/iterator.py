"""What all iterators share: which samples come when, for ``next()`` without end and for ``model.fit`` by number.

The order of an epoch and every sample's draws are functions of the seed, the epoch and the sample's key. So it is
all the same whether batches are asked for by number, in any order and from any thread, or one after the other.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from imagemill.compat.keras.defaults import FORMATS
from imagemill.compat.keras.draws import epoch_order
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.extras import require
from imagemill.core.randomness.rng import read_seed
from imagemill.engine.buffers import Buffers

__all__ = ["Iterator"]

Rows = npt.NDArray[np.int64]


def _for_keras(cls: Any) -> Any:
    """The class itself, or where Keras can be imported, one that is a ``PyDataset`` as well."""
    loaded = getattr(sys.modules.get("keras"), "utils", None)
    base = _py_dataset() if loaded is None else loaded.PyDataset
    return cls if base is None or issubclass(cls, base) else _both(cls, base)


@cache
def _py_dataset() -> Any:
    """Keras's base class, or None; looked for once, as an import that fails takes as long every time."""
    if importlib.util.find_spec("keras") is None:
        return None
    try:
        return require("keras", extra="keras").utils.PyDataset
    except ImportError:
        # Keras without the backend it is set to: iterators are of use all the same.
        return None


@cache
def _both(cls: Any, base: Any) -> Any:
    # Ours first: it iterates without end, as these iterators always did.
    return type(cls.__name__, (cls, base), {"__module__": cls.__module__, "__doc__": cls.__doc__})


class Iterator:
    """Batches by number and without end; subclasses say what a batch is.

    Parameters
    ----------
    n : int
        Samples.
    batch_size : int
    shuffle : bool
        Mix the samples anew in each epoch.
    seed : int, optional
        Made once and kept in ``seed`` when left out.
    workers : int
        Threads that read and transform; the batches do not depend on it.
    keys : sequence of int or str, optional
        One a sample, what its draws belong to; positions when left out.

    Examples
    --------
    >>> class Numbers(Iterator):
    ...     def _get_batches_of_transformed_samples(self, index_array, epoch=None):
    ...         return index_array.tolist()
    >>> numbers = Numbers(5, batch_size=2, shuffle=False, seed=0)
    >>> len(numbers), numbers[2], [next(numbers) for _ in range(4)]
    (3, [4], [[0, 1], [2, 3], [4], [0, 1]])
    """

    white_list_formats = FORMATS

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make it a ``keras.utils.PyDataset`` as well where Keras is installed."""
        made: Self = object.__new__(_for_keras(cls))
        return made

    def __init__(
        self,
        n: int,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        *,
        workers: int = 1,
        keys: Sequence[Any] | None = None,
    ) -> None:
        # Without samples there is nothing to divide: code that only looks at an iterator makes it of zeros.
        least = 1 if n else 0
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < least:
            raise ParameterError(f"expected batch_size as a whole number of at least {least}, got {batch_size!r}")
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise ParameterError(f"expected workers as a whole number of at least 1, got {workers!r}")
        super().__init__()
        self.n = n
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.seed = read_seed(seed)
        self.epoch = 0
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        # Not given to Keras: with workers of its own, an epoch begins with batches left over from building the model.
        self.threads = workers
        self._keys: Sequence[Any] = range(n) if keys is None else keys
        self._buffers = Buffers()
        self._order: tuple[int | None, Rows] | None = None

    @property
    def index_array(self) -> Rows:
        """The samples of the present epoch in order."""
        return self._ordered(self.epoch)

    def _ordered(self, epoch: int) -> Rows:
        mixed = self.shuffle and self.n > 0
        known = self._order
        if known is None or known[0] != (epoch if mixed else None):
            known = (epoch, epoch_order(self.seed, epoch, self._keys)) if mixed else (None, np.arange(self.n))
            self._order = known
        return known[1]

    def __len__(self) -> int:
        return -(-self.n // self.batch_size) if self.n else 0

    def __getitem__(self, idx: int) -> Any:
        number = idx + len(self) if idx < 0 else idx
        if not 0 <= number < len(self):
            # An IndexError would end a for loop without a word.
            raise InputError(f"Asked to retrieve element {idx}: expected a batch from 0 to {len(self) - 1}")
        with self.lock:
            self.total_batches_seen += 1
            epoch = self.epoch
        return self._batch(number, epoch)

    def _batch(self, number: int, epoch: int) -> Any:
        rows = self._ordered(epoch)[number * self.batch_size : (number + 1) * self.batch_size]
        return self._get_batches_of_transformed_samples(rows, epoch)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch: another order, other draws."""
        with self.lock:
            self.epoch += 1
            self.batch_index = 0

    def reset(self) -> None:
        """Let ``next()`` begin the epoch again."""
        self.batch_index = 0

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        with self.lock:
            number, epoch = self.batch_index, self.epoch
            self.total_batches_seen += 1
            if number + 1 < len(self):
                self.batch_index += 1
            else:
                self.batch_index, self.epoch = 0, epoch + 1
        return self._batch(number, epoch)

    next = __next__

    def get_state(self) -> dict[str, int]:
        """Where ``next()`` is, in plain values.

        Examples
        --------
        >>> Iterator(5, batch_size=2, shuffle=True, seed=7).get_state()
        {'seed': 7, 'epoch': 0, 'batch': 0}
        """
        with self.lock:
            return {"seed": self.seed, "epoch": self.epoch, "batch": self.batch_index}

    def set_state(self, state: dict[str, int]) -> None:
        """Go on from where another iterator over the same samples was."""
        if set(state) != {"seed", "epoch", "batch"} or not 0 <= state["batch"] < max(len(self), 1):
            raise InputError(f"expected a state of seed, epoch and batch, from get_state(), got {state!r}")
        with self.lock:
            self.seed, self.epoch, self.batch_index = read_seed(state["seed"]), state["epoch"], state["batch"]
            self._order = None

    def keys_of(self, rows: Rows) -> Any:
        """What the draws of some samples belong to."""
        if isinstance(self._keys, range):
            return self._keys.start + rows
        return [self._keys[i] for i in rows.tolist()]

    def _get_batches_of_transformed_samples(self, index_array: Rows, epoch: int | None = None) -> Any:
        raise NotImplementedError(f"expected {type(self).__name__} to say what a batch is")
