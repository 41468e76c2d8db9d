"""Training on from a network that was trained before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.evaluate.inputs.arms import Arm, populations
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.runners.torch_networks import NETWORKS
from imagemill.evaluate.runners.torch_runner import TorchRunner
from tests.evaluate.made_up import sides


def test_training_starts_from_the_weights_of_another_run_and_leaves_that_run_alone() -> None:
    data, network = sides(), NETWORKS["dense"]
    asked = populations(*data.test, ())

    def run(rate: float, seed: int, **start: Any) -> Any:
        recipe = Recipe(1, 16, rate, workers=0)
        return TorchRunner().train(Arm("none"), network, data.train, asked, 2, seed, recipe, **start)

    first = run(1e-3, 0)
    # With a learning rate of next to nothing the answers are those of the run it starts from, whatever the seed.
    still = run(1e-12, 5, start=first)
    np.testing.assert_allclose(still.probabilities["clean"], first.probabilities["clean"], atol=1e-6)
    bare = run(1e-12, 5)
    assert np.abs(bare.probabilities["clean"] - first.probabilities["clean"]).max() > 0.01
    run(1e-1, 0, start=first)
    np.testing.assert_array_equal(first.predict(data.test[0]), first.probabilities["clean"])
    with pytest.raises(im.InputError, match="expected a run to start from that holds its network"):
        run(1e-3, 0, start=replace(first, network=None))
