"""Training on from a network that was trained before."""

from __future__ import annotations

import numpy as np

from imagemill.evaluate.inputs.arms import Arm, populations
from imagemill.evaluate.runners.recipe import Recipe, Trained
from imagemill.evaluate.runners.torch_networks import NETWORKS, Network
from imagemill.evaluate.runners.torch_runner import train
from tests.evaluate.made_up import sides


def test_training_starts_from_the_weights_of_another_run_and_leaves_that_run_alone() -> None:
    data = sides()
    asked = populations(*data.test, ())

    def run(rate: float, seed: int, start: Network = NETWORKS["dense"]) -> Trained:
        return train(Arm("none"), start, data.train, asked, 2, seed, Recipe(1, 16, rate, workers=0))

    first = run(1e-3, 0)
    # With a learning rate of next to nothing the answers are those of the run it starts from, whatever the seed.
    still = run(1e-12, 5, first.network)
    np.testing.assert_allclose(still.probabilities["clean"], first.probabilities["clean"], atol=1e-6)
    assert np.abs(run(1e-12, 5).probabilities["clean"] - first.probabilities["clean"]).max() > 0.01
    assert first.predict is not None
    assert np.abs(run(1e-1, 0, first.network).probabilities["clean"] - first.probabilities["clean"]).max() > 0.01
    np.testing.assert_array_equal(first.predict(data.test[0]), first.probabilities["clean"])
