"""What every transform must do, as one call a transform's own tests can make."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.core.errors import TargetError
from imagemill.core.sample import Sample
from imagemill.core.targets import Boxes, Image, Instances, Keypoints, Label, Map, Mask, Polygons, RotatedBoxes
from imagemill.pipeline.groups import group_of
from imagemill.pipeline.pipeline import Pipeline
from imagemill.testing.checks import assert_backends_agree
from imagemill.testing.derived import accepts
from imagemill.testing.made_pictures import label_map, picture
from imagemill.testing.mixing_contract import check_mixing
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.gain_offset import GainOffset

__all__ = ["check_transform"]

FORMS = {"rgb": (3, (13, 18)), "gray": (1, (13, 18)), "volume": (1, (7, 13, 18))}
"""Channels and shape of the images that are tried."""

SEED = 11
KEYS = ("a.png", "b.png", "c.png")
ROUNDING = 2e-6
"""float32 holds seven digits: what fusing may change, as a share of the largest value."""


def check_transform(transform: Transform, *, forms: Sequence[str] | None = None, written: bool = True) -> None:
    """Check a transform: it is the same fused, on any backend, in any batch and process, and loses no target.

    One that mixes samples is checked by `check_mixing`.

    Also: inputs are left alone, what does not move pixels leaves masks and annotations where they are,
    a file and a pickle give back an equal transform, and the same key draws the same again.

    Parameters
    ----------
    transform : Transform
        One whose parameters are random shows most.
    forms : sequence of {"rgb", "gray", "volume"}, optional
        The images it is for; by default all that it does not refuse with a ParameterError or TargetError.
    written : bool
        Whether a file can hold it; not so what takes a function.

    Raises
    ------
    AssertionError
        Naming the first promise that is broken.

    Examples
    --------
    >>> import imagemill as im
    >>> check_transform(im.Rotate((-10, 10)))
    """
    if group_of([transform]) > 1:
        check_mixing(transform)
        return
    _round_trips(transform, written=written)
    taken = [form for form, (channels, shape) in FORMS.items() if accepts(transform, shape, channels)]
    refused = sorted({*(forms or ())} - {*taken})
    assert not refused, f"it takes images that it is for: {', '.join(refused)}"
    assert taken, f"it takes one of {', '.join(FORMS)} at least"
    for form in forms or taken:
        channels, shape = FORMS[form]
        for dtype in (np.uint8, np.float64):
            # Polygons and instance masks go by the geometry, which the type of the image does not change.
            shapes = dtype is np.uint8 and form != "gray"
            given = [_targets(seed, shape, channels, dtype, shapes=shapes) for seed in range(len(KEYS))]
            _loses_nothing(transform, given[0])
            alone = _repeats(transform, given)
            _batches(transform, given, alone)
            assert_backends_agree(Pipeline([transform], seed=SEED), key=KEYS[0], **given[0])
        _fuses(transform, given[0])


def _targets(seed: int, shape: tuple[int, ...], channels: int, dtype: Any, *, shapes: bool = True) -> dict[str, Any]:
    axes = "zyx"[3 - len(shape) :]
    values = picture(seed, shape, channels if channels > 1 else None, dtype)
    centre = [side / 2 for side in shape]
    found = {
        "image": Image(values, axes + ("c" if channels > 1 else "")),
        "mask": Mask(label_map(seed, shape), axes),
        "depth": Map(picture(seed + 9, shape, None, np.float32), axes, fill=-1.0),
        "boxes": Boxes(np.array([[c - 2 for c in centre] + [c + 2 for c in centre]]), axes + axes, labels=["cat"]),
        "keypoints": Keypoints(np.array([centre, [c + 1 for c in centre]]), axes, labels=["eye", "ear"]),
        "label": "cat",
    }
    if shapes:
        found["instances"] = Instances(label_map(seed, shape)[None] > 0)
    if shapes and len(shape) == 2:
        y, x = centre
        star = [(x - 4, y - 3), (x + 5, y - 2), (x, y), (x + 3, y + 4)]
        found |= {"polygons": Polygons([star]), "rotated_boxes": RotatedBoxes(np.array([[x, y, 6.0, 3.0, 20.0]]))}
    return found


def _round_trips(transform: Transform, *, written: bool) -> None:
    name = type(transform).__name__
    assert repr(transform).startswith(f"{name}("), f"repr() names the transform, {name}, got {transform!r}"
    pipe = Pipeline([transform], seed=SEED)
    assert pickle.loads(pickle.dumps(transform)) == transform, "a pickle gives back an equal transform"
    if written:
        for text, read in ((pipe.to_yaml(), Pipeline.from_yaml), (pipe.to_json(), Pipeline.from_json)):
            (again,) = read(text).transforms
            assert again == transform, f"a file gives back an equal transform, got {again} of {transform}"
            assert repr(again) == repr(transform), f"a file gives back the same repr(), got {again} of {transform}"


def _arrays(sample: Sample | dict[str, Any]) -> dict[str, Any]:
    targets: dict[str, Any] = sample.targets if isinstance(sample, Sample) else sample  # type: ignore[assignment]
    found = {name: t.array for name, t in targets.items() if not isinstance(t, Polygons | Label | str)}
    return found | {name: _corners(t) for name, t in targets.items() if isinstance(t, Polygons)}


def _corners(polygons: Polygons) -> Any:
    return np.concatenate([*polygons.parts, np.zeros((0, 2))])


def _same(found: Any, wanted: Any, promise: str) -> None:
    assert found.keys() == wanted.keys(), promise
    for name, values in wanted.items():
        assert found[name].dtype == values.dtype, f"{promise}: {name} is {found[name].dtype} and {values.dtype}"
        np.testing.assert_array_equal(found[name], values, err_msg=f"{promise}: {name}")


def _run(pipe: Pipeline, given: dict[str, Any], key: str) -> Sample:
    made = pipe(key=key, **given)
    assert isinstance(made, Sample)
    return made


def _loses_nothing(transform: Transform, given: dict[str, Any]) -> None:
    before = {name: values.copy() for name, values in _arrays(given).items()}
    try:
        found = _run(Pipeline([transform], seed=SEED), given, KEYS[0])
    except (TargetError, ValueError) as error:
        raise AssertionError(f"every kind of target is moved or left as it is, got {error}") from error
    _same(_arrays(given), before, "inputs are left alone")
    assert list(found.targets) == list(given), f"no target is lost: {list(given)} became {list(found.targets)}"
    label = found.targets["label"]
    assert isinstance(label, Label), "a label stays one"
    assert found.label == "cat", "a label stays what it is"
    after = _arrays(found)
    moves = transform.traits().moves or any(child.traits().moves for child in transform.children())
    if transform.traits().recolours and not moves:
        for name in sorted(after.keys() - {"image"}):
            np.testing.assert_array_equal(after[name], before[name], err_msg=f"colour leaves {name} as they are")
    new = set(np.unique(after["mask"]).tolist()) - set(np.unique(before["mask"]).tolist()) - {0}
    assert not new, f"label maps keep to their labels, got {sorted(new)} besides"


def _repeats(transform: Transform, given: list[dict[str, Any]]) -> list[Sample]:
    """One sample after the other, twice: the second time by a copy, in another order."""
    pipe, twin = Pipeline([transform], seed=SEED), Pipeline([transform], seed=SEED)
    alone = [_run(pipe, targets, key) for targets, key in zip(given, KEYS, strict=True)]
    again = [_run(twin, given[i], KEYS[i]) for i in reversed(range(len(KEYS)))][::-1]
    for one, two in zip(alone, again, strict=True):
        assert one.applied == two.applied, f"the same key draws the same again, got {two.applied} after {one.applied}"
        _same(_arrays(two), _arrays(one), "the same key gives the same again")
    return alone


def _batches(transform: Transform, given: list[dict[str, Any]], alone: list[Sample]) -> None:
    if len({(s.image.shape, s.image.dtype) for s in alone}) > 1:
        return  # a batch has one size
    columns: dict[str, Any] = {name: [targets[name] for targets in given] for name in given[0]}
    batch = Pipeline([transform], seed=SEED).batch(**columns, keys=KEYS)
    for row, one in enumerate(alone):
        here = {name: column[row] for name, column in batch.columns.items()}
        rasters = {name: value for name, value in here.items() if isinstance(value, np.ndarray)}
        found = rasters | _arrays({name: value for name, value in here.items() if name not in rasters})
        wanted = _arrays(one)
        assert batch.applied[row] == one.applied, f"a sample draws the same in any batch, got {batch.applied[row]}"
        _same(found, wanted, "a sample of a batch is what it is alone")


def _fuses(transform: Transform, given: dict[str, Any]) -> None:
    """Alone, and with a gain behind it that fuses with whatever it drew; on the reference, in float64."""
    if transform.children():
        return  # several resamples in a row become one, which is nearer to the truth than the chain
    for rest in ([], [GainOffset(0.5, 0.1)]):
        fused, steps = (
            _run(Pipeline([transform, *rest], seed=SEED, backend="reference", fuse=fuse), given, KEYS[0])
            for fuse in (True, False)
        )
        found, wanted = (s.image.astype(np.float64) for s in (fused, steps))
        assert found.shape == wanted.shape, f"fused and step by step have one size, got {found.shape}, {wanted.shape}"
        if rest and steps.image.dtype.kind != "f":
            continue  # whole numbers may be rounded the other way
        limit = ROUNDING * max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(found, wanted, rtol=0, atol=limit, err_msg="fused is the same as step by step")
