"""What a transform that mixes samples must do, besides what every transform must."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from imagemill.core.sample import Batch
from imagemill.core.targets import Boxes, Keypoints
from imagemill.pipeline.groups import group_of
from imagemill.pipeline.pipeline import Pipeline
from imagemill.testing.made_pictures import label_map, picture
from imagemill.transforms.base import Transform, everyone

__all__ = ["check_mixing"]

SEED, N, SHAPE = 11, 12, (13, 18)


def check_mixing(transform: Transform) -> None:
    """Check a transform that mixes: the same in batches of any size that holds whole groups, again, and elsewhere.

    Also: the reference agrees, inputs are left alone, a sample comes again from its recipe and its partners, shares of
    labels sum to 1, a file and a pickle give back an equal transform.

    Parameters
    ----------
    transform : Transform
        One whose labels come out as shares.

    Raises
    ------
    AssertionError
        Naming the first promise that is broken.

    Examples
    --------
    >>> import imagemill as im
    >>> check_mixing(im.CutMix())
    """
    assert pickle.loads(pickle.dumps(transform)) == transform, "a pickle gives back an equal transform"
    (again,) = Pipeline.from_yaml(Pipeline([transform], seed=SEED).to_yaml()).transforms
    assert again == transform, f"a file gives back an equal transform, got {again} of {transform}"
    for dtype in (np.uint8, np.float32):
        given = _columns(transform, dtype)
        before = {name: np.array(given[name]).copy() for name in ("image", "label")}
        whole = _made(transform, given, N)
        for name, values in before.items():
            np.testing.assert_array_equal(np.array(given[name]), values, err_msg="inputs are left alone")
        group = group_of([transform])
        for size in (group, 3 * group):
            for first in range(0, N, size):
                part = _made(transform, given, size, first)
                _same(part, range(size), whole, range(first, first + size), "any batch size gives the same")
        _same(_made(transform, given, N, backend="reference"), range(N), whole, range(N), "the reference agrees", 1)
        for shares in whole.label:
            assert abs(float(shares.sum()) - 1) < 1e-6, f"shares of labels sum to 1, got {shares}"
        _replays(transform, given, whole)


def _columns(transform: Transform, dtype: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"image": np.stack([picture(seed, SHAPE, 3, dtype) for seed in range(N)])}
    if all(one.traits().mixes != "values" for one in everyone([transform])):
        found["mask"] = np.stack([label_map(seed, SHAPE) for seed in range(N)])
    edges = np.array([[2.0, 3.0, 9.0, 11.0], [6.0, 1.0, 17.0, 6.0]])
    found["boxes"] = [Boxes(edges + 0.1 * seed, labels=["cat", "dog"]) for seed in range(N)]
    found["keypoints"] = [Keypoints(edges[:, :2] + 0.1 * seed) for seed in range(N)]
    found["label"] = [np.eye(3)[seed % 3] for seed in range(N)]
    return found


def _made(transform: Transform, given: dict[str, Any], n: int, first: int = 0, backend: str = "cpu") -> Batch:
    some = {name: column[first : first + n] for name, column in given.items()}
    return Pipeline([transform], seed=SEED, backend=backend).batch(keys=range(first, first + n), epoch=2, **some)


def _same(one: Any, rows: Any, two: Any, others: Any, promise: str, levels: float = 0.0) -> None:
    for row, other in zip(rows, others, strict=True):
        for name in getattr(one, "columns", one):
            found, wanted = (
                getattr(made[name][at], "array", made[name][at]) for made, at in ((one, row), (two, other))
            )
            limit = 0.0 if name != "image" else levels if np.asarray(found).dtype.kind in "iu" else 1e-6 * levels
            np.testing.assert_allclose(
                np.asarray(found, float), np.asarray(wanted, float), rtol=0, atol=limit, err_msg=f"{promise}: {name}"
            )


def _replays(transform: Transform, given: dict[str, Any], whole: Batch) -> None:
    own = Pipeline([transform], seed=SEED + 1)  # the recipe knows the seed
    for row in range(0, N, 5):
        recipe = whole.recipe[row]
        at = [int(key) for key in recipe.partners if key is not None]
        partners = [{name: column[other] for name, column in given.items()} for other in at]
        targets = {name: column[row] for name, column in given.items()}
        assert recipe.pipeline == own.digest, "a recipe names its pipeline"
        again = own.replay(recipe.to_dict(), partner=partners, **targets)
        made = {name: [again[name]] for name in again.targets}
        _same(made, [0], whole, [row], "a recipe and the partners give it again")
