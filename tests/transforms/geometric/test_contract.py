"""What every geometric transform keeps: files, independence of the batch, identity rows, inputs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op, Warp
from imagemill.core.ranges import Choice, LogUniform, Normal
from imagemill.transforms import geometric
from imagemill.transforms.base import Transform
from imagemill.transforms.geometric import (
    D4,
    Affine,
    Crop,
    CropAndPad,
    CropOrPad,
    Elastic,
    Flip,
    GridDistortion,
    LongestSide,
    OpticalDistortion,
    Pad,
    Perspective,
    QuarterTurn,
    RandomResizedCrop,
    Resample,
    Resize,
    Rotate,
    Shear,
    Shift,
    ShortestSide,
    SquareCrop,
    ThinPlateSpline,
    Transpose,
    Zoom,
)
from imagemill.transforms.reading import from_dict
from tests.transforms.geometric.support import draws_for, frame_of, with_foreground

EXAMPLES = [
    Affine((-10, 10), zoom=LogUniform(0.8, 1.25), shift=(-0.1, 0.1), shear={"x": (-5, 5)}, order=3),
    Affine(matrix=[[1, 0, 2], [0.5, 1, 0], [0, 0, 1]]),
    Crop((3, 4), at="random"),
    Crop(box=(0, 1, 4, 6)),
    CropAndPad((-0.2, 0.3)),
    CropAndPad({"x": (-2, 5)}, {"y": 2}, "pixels", keep_size=False, border="reflect"),
    CropOrPad((5, 9), at="random", fill=2),
    Elastic((0.1, 0.3), cells=(3, 4), border="mirror"),
    Elastic(),
    D4(),
    Flip("y", p=0.5),
    GridDistortion(0.4, cells=(3, 4), border="constant"),
    OpticalDistortion((-0.6, 0.6), order=3),
    LongestSide(12, enlarge=False),
    Pad(multiple_of=4, at="random", fill=3),
    Pad((1, 2, 3, 4), border="reflect"),
    Perspective(border="constant", mask_fill=255),
    QuarterTurn(),
    QuarterTurn(Choice((1, 3), (1, 2))),
    RandomResizedCrop((5, 7), aspect=(0.5, 2)),
    Resample((5, 5)),
    Resample(spacing=(2, 1.5), antialias=False),
    Resize(9, fit="crop"),
    Resize((9, 8), fit="pad", fill=1.5),
    Rotate(Normal(0, 5), frame="fit"),
    Rotate(plane="all"),
    Rotate((-60, 60), frame="grow"),
    Rotate((-60, 60), frame="crop"),
    Shear({"y": 3, "x": (-5, 5)}),
    Shift(pixels={"y": (-3, 3)}, whole=True),
    Shift(millimetres=(-2, 2)),
    ShortestSide((5, 9), longest=11, p=0.5),
    SquareCrop({"choice": [0, 2]}),
    Zoom({"x": (0.9, 1.1)}, order=5),
    ThinPlateSpline((0.1, 0.3), points=3, order=3),
    Transpose(p=0.5),
    Zoom(axes="yx"),
]
every = pytest.mark.parametrize("transform", EXAMPLES, ids=[f"{i}-{type(t).__name__}" for i, t in enumerate(EXAMPLES)])


def listed(op: Op | tuple[Op, ...]) -> tuple[Op, ...]:
    return op if isinstance(op, tuple) else (op,)


def arrays(op: Op) -> list[np.ndarray]:  # type: ignore[type-arg]
    if isinstance(op, Warp):
        return [op.grid]
    return [op.matrix, op.shape] + ([] if op.window is None else [op.window])  # type: ignore[union-attr]


def test_every_transform_has_an_example_here() -> None:
    # Orient takes volumes alone: tests/transforms/test_volumes.py
    assert {type(t).__name__ for t in EXAMPLES} == set(geometric.__all__) - {"Orient"}


@every
def test_files_give_back_the_same_transform(transform: Transform) -> None:
    described = json.loads(json.dumps(transform.to_dict()))
    again = from_dict(described)
    assert again == transform
    assert again.to_dict() == described


@every
def test_a_default_is_left_out_of_files(transform: Transform) -> None:
    ((_, arguments),) = transform.to_dict().items()
    assert "order" not in arguments or arguments["order"] != 1
    assert "p" not in arguments or transform.p < 1


def mixed(n: int, first: int = 0) -> Frame:
    shapes = [(6 + (5 * i) % 7, 7 + (3 * i) % 11) for i in range(first, first + n)]
    frame = frame_of(*shapes, spacing=(2.0, 1.0))
    return with_foreground(frame, [[0.5, 2.5]] * n, [[2.5, 4.5]] * n)


@every
def test_draws_do_not_depend_on_the_batch(transform: Transform) -> None:
    together = listed(transform.draw(draws_for(transform, 32), mixed(32)))
    for i in (0, 7, 31):
        alone = listed(transform.draw(draws_for(transform, 1, first=i), mixed(1, i)))
        for a, b in zip(together, alone, strict=True):
            for whole, single in zip(arrays(a), arrays(b), strict=True):
                np.testing.assert_array_equal(whole[i : i + 1], single)


@every
def test_samples_not_chosen_stay_as_they_are(transform: Transform) -> None:
    frame = mixed(4)
    where = np.array([True, False, True, False])
    for op in listed(transform.draw(draws_for(transform, 4), frame)):
        kept = op.chosen(where, frame)
        if isinstance(kept, Warp):
            np.testing.assert_array_equal(kept.grid[~where], 0)
            continue
        np.testing.assert_array_equal(kept.matrix[~where], np.tile(np.eye(3), (2, 1, 1)))  # type: ignore[union-attr]
        np.testing.assert_array_equal(kept.shape[~where], frame.shape[~where])  # type: ignore[union-attr]
        frame = kept.after(frame)


@every
def test_the_frame_is_not_written_to(transform: Transform) -> None:
    frame = mixed(3)
    shape, affine = frame.shape.copy(), frame.affine.copy()
    frame.shape.flags.writeable = frame.affine.flags.writeable = False
    transform.draw(draws_for(transform, 3), frame)
    np.testing.assert_array_equal(frame.shape, shape)
    np.testing.assert_array_equal(frame.affine, affine)


@every
def test_equal_numbers_give_equal_ops_and_other_seeds_others(transform: Transform) -> None:
    def once(seed: int) -> bytes:
        ops = listed(transform.draw(draws_for(transform, 8, seed=seed), mixed(8)))
        return b"".join(a.tobytes() for op in ops for a in arrays(op))

    drawn = any(d.count > 1 for _, d, _ in transform.distributions()) or (
        getattr(transform, "at", "") == "random" or isinstance(transform, RandomResizedCrop | D4 | GridDistortion)
    )
    assert once(3) == once(3)
    assert (once(3) != once(4)) == drawn
