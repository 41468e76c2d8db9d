"""What weather means, against small sums, and by any backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.engine.altering.weather_layers import BY_DEFINITION, flakes, mud, plasma, streaks
from imagemill.engine.backends.cpu.altering.layer_tools import QUICK
from imagemill.testing import picture

STREAM = np.array([5, 6], np.uint32)
WEATHER = [im.Fog(1), im.Snow(0.3, 0.6), im.Frost(0.5), im.Rain(0.01), im.Shadow(0.5), im.SunFlare(0.3, 0.4, 0.1, 0.9),
           im.Spatter(0.2), im.Spatter(0.5, 1, 1, kind="mud")]  # fmt: skip


def run(transform: im.Transform, image: Any, backend: str = "cpu", **how: Any) -> Any:
    return im.Pipeline([transform], seed=1, backend=backend)(image, key=3, **how)


@pytest.mark.parametrize("transform", WEATHER, ids=lambda t: f"{type(t).__name__} {getattr(t, 'kind', '')}")
def test_all_types_and_backends_have_the_same_weather(transform: im.Transform) -> None:
    photo = picture(1, (33, 40), 3)
    made = run(transform, photo, "reference")
    assert np.abs(made.astype(int) - photo).max() > 20
    assert np.abs(made.astype(int) - run(transform, photo)).max() <= 1
    wide = run(transform, photo.astype(np.uint16) * 257)
    assert np.abs(wide / 257 - made).max() <= 1
    floats = run(transform, photo / np.float32(255))
    np.testing.assert_allclose(np.clip(floats, 0, 1) * 255, made, atol=0.6)
    # Slices of a volume all have the same; gray has it in gray.
    gray = np.ascontiguousarray(photo[..., 0])
    scan = run(transform, im.Image(np.stack([gray, gray]), axes="zyx"))
    np.testing.assert_array_equal(scan[0], scan[1])


@pytest.mark.parametrize("decay", [1.4, 2.0])
def test_clouds_are_the_same_by_definition_and_quickly_and_fill_0_to_1(decay: float) -> None:
    found = plasma((64, 64), decay, STREAM, BY_DEFINITION)
    np.testing.assert_array_equal(found, plasma((64, 64), decay, STREAM, QUICK))
    assert (found.min(), found.max()) == (0, 1)


def test_clouds_repeat_at_their_edges_and_are_smoother_the_greater_the_decay() -> None:
    rough = [float(np.abs(np.diff(plasma((64, 64), decay, STREAM, QUICK))).mean()) for decay in (1.1, 1.4, 2.0, 3.0)]
    assert rough == sorted(rough, reverse=True)
    cloud = plasma((64, 64), 2.0, STREAM, QUICK)
    inside, across = np.abs(np.diff(cloud, axis=1)).max(), np.abs(cloud[:, 0] - cloud[:, -1]).max()
    assert across < 3 * inside


def test_clouds_of_two_pixels_by_hand() -> None:
    u = 2 * QUICK.uniform(STREAM, 2, 4).reshape(2, 2) - 1
    # The corner is 0, the middle its number; each edge has its number and the mean of two corners and two middles.
    made = np.array([[0, u[1, 1] / 2 + u[0, 1]], [u[1, 1] / 2 + u[1, 0], u[1, 1]]])
    wanted = (made - made.min()) / np.ptp(made)
    np.testing.assert_allclose(plasma((2, 2), 2.0, STREAM, QUICK), wanted)


class _Given:
    """Numbers that are given, in place of random ones."""

    clouds = staticmethod(BY_DEFINITION.clouds)

    def __init__(self, numbers: Any) -> None:
        self.numbers = numbers

    def uniform(self, _stream: Any, _field: int, count: int) -> Any:
        return self.numbers.reshape(count)


def test_numbers_become_smaller_by_the_square_of_the_decay() -> None:
    u = np.full((4, 4), 0.5)  # nothing is added
    u[2, 2] = 1.0  # the middle of the first scale becomes 1, its edges 0.5
    calm = plasma((4, 4), 2.0, STREAM, _Given(u))  # type: ignore[arg-type]  # all that clouds ask for
    assert calm[1, 1] == pytest.approx(0.5)  # the mean of 0, 0.5, 0.5 and 1
    u[1, 1] = 1.0
    made = plasma((4, 4), 2.0, STREAM, _Given(u))  # type: ignore[arg-type]  # all that clouds ask for
    assert made[1, 1] == pytest.approx(0.5 + 1 / 2.0**2)


@pytest.mark.parametrize("most", [3.5, 20, 200])
def test_distances_are_scipys_to_the_last_bit(most: float) -> None:
    for inside in (
        picture(4, (60, 70), None, noise=True) > 20,
        picture(4, (40, 90), None) > 60,
        np.eye(9, 12) == 0,
        np.ones((3, 50), bool),
        np.zeros((4, 4), bool),
    ):
        np.testing.assert_array_equal(QUICK.distance(inside, most), BY_DEFINITION.distance(inside, most))


@pytest.mark.parametrize(("size", "few", "pixels"), [((7, 12), (5, 7), 2.3), ((30, 9), (31, 10), 1.0)])
def test_magnified_layers_are_the_same_to_the_last_bit(size: Any, few: Any, pixels: float) -> None:
    layer = picture(5, few, None, np.float64, noise=True)
    found = QUICK.magnified(layer, size, pixels)
    np.testing.assert_array_equal(found, BY_DEFINITION.magnified(layer, size, pixels))


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (40, 33)])
def test_strokes_are_sums_through_the_kernel(shape: tuple[int, int]) -> None:
    layer, rng = picture(6, shape, None, np.float64, noise=True) / 255, np.random.default_rng(1)
    for side in (1, 3, 15):
        kernel = rng.random((side, side)) * (rng.random((side, side)) < 0.3)
        found, wanted = QUICK.strokes(layer, kernel), BY_DEFINITION.strokes(layer, kernel)
        np.testing.assert_allclose(found, wanted, atol=2e-6 * max(kernel.sum(), 1))


def test_ice_is_the_same_but_for_single_precision() -> None:
    rng = np.random.default_rng(7)
    cloud, needles = rng.random((20, 31)), [5 * rng.random((20, 31), np.float32) for _ in range(3)]
    wanted = BY_DEFINITION.ice(cloud, needles)
    assert np.ptp(wanted) > 0.3
    np.testing.assert_allclose(QUICK.ice(cloud, needles), wanted, atol=1e-6)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_fog_keeps_the_brightest_value_and_hides_what_is_dark(backend: str) -> None:
    flat = np.full((32, 32), 0.5)
    made = run(im.Fog(1.5), flat, backend)
    # (x + t f) m / (m + t) with x = m = 0.5 and t = 1.5: from 0.125 where there is none to 0.5 where it is thickest.
    assert made.min() == pytest.approx(0.125)
    assert made.max() == pytest.approx(0.5)
    np.testing.assert_array_equal(run(im.Fog(0), flat, backend), flat)
    np.testing.assert_array_equal(run(im.Fog(1), np.zeros((9, 9)), backend), 0)


def test_flakes_are_as_many_as_the_threshold_leaves() -> None:
    kernel = np.ones((1, 1))
    layer = flakes((200, 200), 0.1, 0.4, 1, kernel, STREAM, QUICK)
    # A normal number of deviation 0.3 about 0.1 reaches 0.4 in 15.9 % of all cases.
    assert (layer > 0).mean() == pytest.approx(0.159, abs=0.01)
    assert layer[layer > 0].min() >= 0.4
    large = flakes((200, 200), 0.1, 0.4, 8, kernel, STREAM, QUICK)
    assert np.abs(np.diff(large)).mean() < np.abs(np.diff(layer)).mean() / 2


def test_snow_falls_twice_and_bleaches_as_it_says() -> None:
    photo = picture(2, (40, 40), 3, np.float64) / 255
    calm = {"level": -1, "threshold": 2}  # no number is that high
    np.testing.assert_allclose(run(im.Snow(**calm, bleach=0), photo), photo)
    gray = photo @ [0.299, 0.587, 0.114]
    wanted = 0.7 * photo + 0.3 * np.maximum(photo, 1.5 * gray[..., None] + 0.5)
    np.testing.assert_allclose(run(im.Snow(**calm, bleach=0.3), photo), wanted)
    night = run(im.Snow(bleach=0), np.zeros((40, 40)))
    np.testing.assert_allclose(night, night[::-1, ::-1])


def test_rain_is_between_the_day_and_its_drops() -> None:
    flat = np.full((60, 60), 0.4)
    made = run(im.Rain(0.02, 12, 90, 0.5, 0.5), flat)
    assert made.min() == pytest.approx(0.2)  # between streaks: half of the light
    assert made.max() <= 0.2 * 0.5 + 0.8 * 0.5 + 1e-9
    columns = (made > 0.2001).any(axis=0).mean()
    rows = (run(im.Rain(0.02, 12, 0, 0.5, 0.5), flat) > 0.2001).any(axis=1).mean()
    assert columns == pytest.approx(rows, abs=0.15)
    np.testing.assert_allclose(run(im.Rain(0, dim=1), flat), flat)
    layer = streaks((100, 100), 0.01, np.ones((1, 1)), STREAM, QUICK)
    assert (layer > 0).mean() == pytest.approx(0.01, abs=0.004)


def test_mud_hides_and_water_brightens() -> None:
    photo = np.full((60, 60, 3), 0.5)
    wet = run(im.Spatter(0.3, 2, 0.6), photo)
    assert (wet >= 0.5 - 1e-12).all()
    assert 0.05 < (wet > 0.5001).any(axis=-1).mean() <= 0.35
    dirty = run(im.Spatter(0.5, 2, 1, kind="mud"), photo)
    assert dirty[..., 2].min() == pytest.approx(20 / 255, abs=0.01)
    assert mud((80, 80), 0.0, 1.0, 1.5, STREAM, QUICK).max() <= 1
    np.testing.assert_allclose(run(im.Spatter(0.3, 2, 0), photo), photo)


def test_shadows_take_a_share_of_the_light_and_nothing_else() -> None:
    photo = 0.1 + picture(3, (50, 70), 3, np.float64)
    made = run(im.Shadow(0.4, 0.6, rim=0.5), photo)
    ratio = made / photo
    assert set(np.round(np.unique(ratio), 6)) >= {0.6, 1.0}
    assert ((ratio > 0.6 - 1e-9) & (ratio < 1 + 1e-9)).all()
    inside = (ratio < 0.61).all(axis=-1)
    # Convex: between two of its pixels in a row there is no gap.
    for row in inside:
        where = np.flatnonzero(row)
        assert not len(where) or where[-1] - where[0] + 1 == len(where)
    darker = run(im.Shadow(0.4, 2, count=8, rim=0.5), photo) / photo
    assert darker.min() == pytest.approx(0.6**8, rel=0.7)


def test_the_sun_is_where_it_is_said_to_be() -> None:
    black = np.zeros((81, 101, 3))
    made = run(im.SunFlare(0.25, 0.6, 0.05, 1.0, ghosts=0), black)
    assert made[20, 60].min() == made.max() == pytest.approx(1.0)
    where = np.argwhere(made[..., 0] > 0.8)
    np.testing.assert_allclose(where.mean(axis=0), (20, 60), atol=0.1)
    np.testing.assert_allclose(run(im.SunFlare(0.5, 0.5, 0.1, 0), black), 0)
    np.testing.assert_allclose(run(im.SunFlare(), np.ones((20, 20))), 1)
    ghosts = run(im.SunFlare(0.25, 0.6, 0.05, 1.0, ghosts=8), black) - made
    assert ghosts.max() > 0.05
