"""AugMix: the sum of an image and of what its chains make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import imagemill as im
from imagemill.core.errors import ParameterError, TargetError
from imagemill.testing import picture

PHOTO = picture(3, (24, 30), 3)


def fan_of(transform: im.Transform, n: int, **how: Any) -> Any:
    pipe = im.Pipeline([transform], seed=2)
    draft = pipe.draw(im.transforms.Frame.of(24, 30, channels=3, n=n), range(n))
    return draft.ops[0][1]


def test_shares_are_dirichlet_and_beta() -> None:
    weight = fan_of(im.AugMix(alpha=0.8), 3000).weight
    np.testing.assert_allclose(weight.sum(axis=1), 1, atol=1e-12)
    assert stats.kstest(weight[:, 0], stats.beta(0.8, 0.8).cdf).pvalue > 0.01
    # The shares of a Dirichlet distribution are beta by themselves: one against the sum of the others.
    first = weight[:, 1] / weight[:, 1:].sum(axis=1)
    assert stats.kstest(first, stats.beta(0.8, 1.6).cdf).pvalue > 0.01


def test_it_is_the_weighted_sum_of_what_its_chains_make() -> None:
    from imagemill.engine.target_table import rule

    pipe = im.Pipeline([im.AugMix(severity=6, geometry=True)], seed=2, backend="reference")
    draft = pipe.draw(im.transforms.Frame.of(24, 30, channels=3), ["a"])
    (step,) = pipe.plan(draft).steps
    versions = [PHOTO.astype(float)]
    for plan in step.plans:
        value = PHOTO
        for inner in plan.steps:
            value = rule(inner, "image")(inner, 0, value, pipe.backend, None)
        versions.append(value.astype(float))
    wanted = sum(share * version for share, version in zip(step.op.weight[0], versions, strict=True))
    made = pipe(image=PHOTO, key="a").image
    assert np.abs(made - wanted).max() <= 0.5 + 1e-9
    assert any((version != PHOTO).any() for version in versions[1:])


def test_chains_have_one_to_three_operations_equally_often() -> None:
    fan, n = fan_of(im.AugMix(width=1), 3000), 3000
    ran = np.zeros(n, int)
    for _, op in fan.chains[0][0]:
        ran += np.ones(n, int) if getattr(op, "where", None) is None else op.where
    counts = np.bincount(ran, minlength=4)
    assert counts[0] == 0
    assert counts[1:4] / n == pytest.approx([1 / 3] * 3, abs=0.03)


def test_what_has_a_place_stays_or_is_refused() -> None:
    mask, boxes = (PHOTO[..., 0] > 100).astype(np.uint8), im.Boxes([[2, 2, 9, 9]])
    made = im.Pipeline([im.AugMix()], seed=1)(image=PHOTO, mask=mask, boxes=boxes, label="cat")
    np.testing.assert_array_equal(made.mask, mask)
    assert made.boxes.array.tolist() == [[2, 2, 9, 9]]
    assert (made.image != PHOTO).any()
    moved = im.Pipeline([im.AugMix(geometry=True)], seed=1)
    assert (moved(image=PHOTO, label="cat").image != PHOTO).any()
    for name, value in {"mask": mask, "boxes": boxes, "keypoints": [[3, 4]]}.items():
        with pytest.raises(TargetError, match=r"AugMix\(geometry=False\)"):
            moved(image=PHOTO, **{name: value})


def test_it_goes_into_files_and_batches() -> None:
    pipe = im.Pipeline([im.AugMix(severity=5, width=2, geometry=True, p=0.7)], seed=1)
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe
    batch = pipe.batch([PHOTO] * 6, keys=range(6))
    for key in range(6):
        np.testing.assert_array_equal(pipe(PHOTO, key=key), batch.image[key])
    with pytest.raises(ParameterError, match=r"from 0\.1 to 10"):
        im.AugMix(11)
