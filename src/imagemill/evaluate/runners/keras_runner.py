"""Training one arm with one seed in Keras 3, on any of its backends.

The protocol is that of the PyTorch runner: with one seed all arms have the same initial weights, the same validation
images and the same order of batches. A network may give probabilities or logits; which of the two is seen from what it
gives, and the loss follows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.extras import require
from imagemill.evaluate.inputs.arms import Arm, Population
from imagemill.evaluate.runners.keras_networks import BACKENDS, keras_network, keras_with
from imagemill.evaluate.runners.network_file import Network, of_the_user
from imagemill.evaluate.runners.recipe import DEVICES, Epoch, Recipe, Trained, held_back, preparation
from imagemill.evaluate.runners.training_batches import TrainingBatches, numbered, training_batches
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["KerasRunner"]

Array = npt.NDArray[Any]
_ASKED = 512
"""Images that are asked about at once."""
_DEVICES = {"cpu": "cpu", "cuda": "gpu"}
"""As Keras calls them; without a number, since "cpu:0" on PyTorch makes copies of weights that have no gradients."""


class KerasRunner:
    """Networks of Keras 3.

    Parameters
    ----------
    backend : {"tensorflow", "torch", "jax"}, optional
        Left out: the one that ``KERAS_BACKEND`` or Keras's own settings name. It is part of the runner's name, since
        two backends do not give the same numbers.

    Raises
    ------
    MissingExtra, InputError
        See `keras_with`.
    """

    def __init__(self, backend: str | None = None) -> None:
        if backend is not None and backend not in BACKENDS:
            raise ParameterError(f"expected a backend of {', '.join(BACKENDS)}, got {backend!r}")
        self.keras = keras_with(backend)
        self.name = f"keras-{self.keras.backend.backend()}"
        self.shares_batches = False

    def settled(self, recipe: Recipe) -> Recipe:
        """The recipe with what is trained here where it leaves a choice: float32, on a GPU where the backend sees one.

        Raises
        ------
        ParameterError
            For a device that is not known.
        InputError
            For another precision, or a GPU that is not there.
        """
        if recipe.device not in DEVICES:
            raise ParameterError(f"expected a device of {', '.join(DEVICES)} for Keras, got {recipe.device!r}")
        if recipe.precision not in ("auto", "float32"):
            raise InputError(
                f"expected precision 'float32' for Keras, got {recipe.precision!r}; take the runner 'torch', or set "
                "keras.config.set_dtype_policy in the file of the network"
            )
        there = recipe.device != "cpu" and _sees_gpu(self.keras)
        if recipe.device == "cuda" and not there:
            raise InputError(
                f"expected a GPU for device 'cuda', got none that {self.keras.backend.backend()} can use; take device "
                "'cpu' or 'auto'"
            )
        device = "cuda" if there else "cpu"
        return replace(recipe, device=device, precision="float32")

    def network(self, model: str | Path | Network) -> Network:
        """A network by its name, or from a file; see `keras_network`."""
        return keras_network(model)

    def check(self, network: Network, images: Array, classes: int) -> None:
        """Build the network for images like these once, and raise what is wrong with it."""
        if network.task != "classification":
            raise InputError(f"expected a network of one class an image for Keras, got {network.name!r}; take 'torch'")
        with _seeded(self.keras, 0):
            _built(self.keras, network, images, classes)

    def train(
        self,
        arm: Arm,
        network: Network,
        data: tuple[Any, ...],
        asked: Sequence[Population],
        classes: int,
        seed: int,
        recipe: Recipe,
        on_epoch: Callable[[int, Epoch], None] | None = None,
    ) -> Trained:
        """Train a network on one arm's images and ask it about each population.

        Raises
        ------
        InputError
            When the network cannot be built, or does not give ``[n, classes]``.
        """
        recipe = self.settled(recipe)
        images, labels = data
        kept, held = held_back(labels, recipe.validation, seed)
        checked = Population("validation", images[held], labels[held])
        given = images[kept], labels[kept], None
        names = arm.classes or numbered(classes)
        out = Trained(arm.name, seed, {})
        began = time.perf_counter()
        with (
            _seeded(self.keras, seed),
            self.keras.device(_DEVICES[recipe.device]),
            training_batches(given, arm.pipeline, preparation("channels_last"), seed, recipe, classes=names) as made,
        ):
            model, logits = _built(self.keras, network, images, classes)
            shares = arm.pipeline is not None and arm.pipeline.group > 1
            _compiled(self.keras, model, network, recipe.learning_rate, logits=logits, shares=shares)
            predict = partial(_answers, model, logits)
            batches = _Batches(made)
            for number in range(1, recipe.epochs + 1):
                said = model.fit(batches.epoch(), steps_per_epoch=len(made), shuffle=False, verbose=0).history
                epoch = _epoch(float(said["loss"][0]), float(said["right"][0]), predict, checked)
                out.curve.append(epoch)
                if on_epoch is not None:
                    on_epoch(number, epoch)
                if not np.isfinite(epoch.loss):
                    out = replace(out, diverged=number)
                    break
            out = replace(out, seconds=time.perf_counter() - began, waiting=batches.waiting, images=batches.images)
            if out.diverged is not None:
                return out
            for population in asked:
                out.probabilities[population.name] = predict(population.images)
        return replace(out, predict=predict, network=_onward(self.keras, network, model))


@dataclass(slots=True)
class _Batches:
    """Batches an epoch at a time; counts images, and the seconds that Keras waited for them."""

    made: TrainingBatches
    waiting: float = 0.0
    images: int = 0

    def epoch(self) -> Iterator[tuple[Array, Array]]:
        batches = iter(self.made)
        while True:
            asking = time.perf_counter()
            batch = next(batches, None)
            self.waiting += time.perf_counter() - asking
            if batch is None:
                return
            self.images += len(batch.truth)
            yield batch.images, batch.truth


def _sees_gpu(keras: Any) -> bool:
    """Whether the backend that Keras runs on can compute on a GPU; each says so in its own way."""
    backend = keras.backend.backend()
    if backend == "torch":
        return bool(require("torch", extra="torch").cuda.is_available())
    if backend == "jax":
        return any(one.platform == "gpu" for one in require("jax", extra="jax").devices())
    return bool(require("tensorflow", extra="tf").config.list_physical_devices("GPU"))


def _built(keras: Any, network: Network, images: Array, classes: int) -> tuple[Any, bool]:
    """The network for images like these, tried on some noise, and whether it gives logits."""
    shape = tuple(images.shape[1:])
    with of_the_user(f"build{(shape, classes)} of {network.name!r} to give a network", "mend the function"):
        model = network.build(shape, classes)
    if not isinstance(model, keras.Model):
        raise InputError(f"expected build of {network.name!r} to give a keras.Model, got {type(model).__name__}")
    noise = np.random.Generator(np.random.Philox(0)).random((4, *shape), np.float32)
    with of_the_user(f"network {network.name!r} to take images {[4, *shape]}", "mend its layers"):
        given = keras.ops.convert_to_numpy(model(noise, training=False))
    if given.shape != (4, classes):
        raise InputError(
            f"expected network {network.name!r} to give [n, {classes}] for [n, y, x, C], got {list(given.shape)} "
            "for n = 4"
        )
    shares = (given >= 0).all() and np.allclose(given.sum(axis=1), 1.0, atol=1e-3)
    return model, not shares


def _compiled(keras: Any, model: Any, network: Network, rate: float, *, logits: bool, shares: bool) -> None:
    """Ready to be trained on numbers of classes, or on shares of them where a pipeline mixes images."""
    optimizers = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam}
    losses = keras.losses

    def said(truth: Any, given: Any) -> Any:
        """The share of the class that is said."""
        answer = keras.ops.one_hot(keras.ops.argmax(given, axis=-1), given.shape[-1])
        return keras.ops.sum(truth * keras.ops.cast(answer, truth.dtype), axis=-1)

    metric: Any = keras.metrics.SparseCategoricalAccuracy(name="right")
    model.compile(
        optimizer=optimizers[network.optimizer](rate),
        loss=(losses.CategoricalCrossentropy if shares else losses.SparseCategoricalCrossentropy)(from_logits=logits),
        metrics=[keras.metrics.MeanMetricWrapper(said, name="right") if shares else metric],
    )


def _answers(model: Any, logits: bool, images: Array) -> npt.NDArray[np.float32]:  # noqa: FBT001  # bound by partial
    """What a network says of images that are prepared and not augmented, ``[n, classes]``, rows that sum to 1."""
    plain = Pipeline(preparation("channels_last"), seed=0)
    found = []
    for at in range(0, len(images), _ASKED):
        some = images[at : at + _ASKED]
        made = plain.batch(some, keys=range(at, at + len(some)), epoch=0).image
        given = np.asarray(model.predict_on_batch(made), np.float64)
        if logits:
            given = np.exp(given - given.max(axis=1, keepdims=True))
        found.append((given / given.sum(axis=1, keepdims=True)).astype(np.float32))
    return np.concatenate(found)


def _epoch(loss: float, right: float, predict: Callable[[Array], Array], checked: Population) -> Epoch:
    if not len(checked.labels):
        return Epoch(loss, right, float("nan"), float("nan"))
    said = predict(checked.images).astype(np.float64)
    truth = np.clip(said[np.arange(len(said)), checked.labels], 1e-12, None)
    return Epoch(loss, right, float(-np.log(truth).mean()), float((said.argmax(1) == checked.labels).mean()))


def _onward(keras: Any, network: Network, model: Any) -> Network:
    """A network that starts with these weights; its optimizer begins anew."""

    def build(*_: Any) -> Any:
        again = keras.models.clone_model(model)
        again.set_weights(model.get_weights())
        return again

    return replace(network, build=build)


@contextmanager
def _seeded(keras: Any, seed: int) -> Iterator[None]:
    """Weights, dropout and whatever a network draws follow from the seed; Python's and numpy's draws do not change.

    Keras seeds those two as well, because its layers take their own seeds from them.
    """
    before, numpy_before = random.getstate(), np.random.get_state()  # noqa: NPY002  # the state to put back
    try:
        keras.utils.set_random_seed(seed)
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)  # noqa: NPY002
