from __future__ import annotations

import numpy as np

from imagemill.audits.outlying import limit_of, outlyingness
from imagemill.audits.patch_features import Dictionary, described, learnt_dictionary, planes_of
from tests.audits.made_up import Array, photo


def pictures(count: int = 4) -> Array:
    return np.stack([photo(seed, 32, 32) for seed in range(count)])


def by_hand(picture: Array, dictionary: Dictionary) -> Array:
    """One picture, patch by patch, from the words of Coates, Lee and Ng (2011)."""
    count = dictionary.count
    found = np.zeros((4, 2, count))
    for y in range(27):
        for x in range(27):
            patch = picture[y : y + 6, x : x + 6].astype(float).ravel()
            patch = (patch - patch.mean()) / np.sqrt(patch.var() + 10)
            response = patch @ dictionary.filters[:, :count] - dictionary.bias[:count]
            for quarter, (lower, right) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
                if (y >= 13 if lower else y <= 13) and (x >= 13 if right else x <= 13):
                    found[quarter, 0] += np.maximum(response - 0.25, 0)
                    found[quarter, 1] += np.maximum(-response - 0.25, 0)
    return np.sqrt(found).ravel()


def test_a_picture_is_described_by_its_patches() -> None:
    some = pictures()
    dictionary = learnt_dictionary(some, 6, seed=0)
    found = described(some, dictionary)
    assert found.shape == (4, 2, dictionary.width)
    np.testing.assert_allclose(found[1, 0], by_hand(some[1], dictionary), rtol=1e-3, atol=1e-2)


def test_mirrored_pictures_are_described_as_pictures_seen_in_a_mirror() -> None:
    some = pictures()
    dictionary = learnt_dictionary(some, 6, seed=0)
    plain, seen = described(some, dictionary), described(some[:, :, ::-1], dictionary)
    np.testing.assert_allclose(plain[:, 1], seen[:, 0], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(plain[:, 0], seen[:, 1], rtol=1e-3, atol=1e-2)
    assert np.abs(plain[:, 0] - plain[:, 1]).mean() > 0.1


def test_without_the_mirror_the_first_half_is_the_same() -> None:
    some = pictures()
    dictionary = learnt_dictionary(some, 6, seed=0)
    found = described(some, dictionary, mirrored=False)
    assert found.shape == (4, 1, dictionary.width)
    np.testing.assert_allclose(found[:, 0], described(some, dictionary)[:, 0], rtol=1e-4, atol=1e-3)


def test_together_a_picture_and_its_mirror_image_are_the_same() -> None:
    some = pictures()
    dictionary = learnt_dictionary(some, 6, seed=0)
    found = described(some, dictionary, together=True)
    np.testing.assert_allclose(found, described(some[:, :, ::-1], dictionary, together=True), rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(found, described(some, dictionary).sum(axis=1), rtol=1e-5)


def test_threads_change_nothing_and_every_picture_is_counted() -> None:
    some = np.concatenate([pictures()] * 40)
    dictionary = learnt_dictionary(some, 4, seed=0)
    told: list[int] = []
    one = described(some, dictionary, step=told.append)
    assert sum(told) == 160
    assert np.array_equal(one, described(some, dictionary, workers=3))


def test_the_dictionary_is_a_function_of_pictures_and_seed() -> None:
    some = pictures()
    first, again, other = (learnt_dictionary(some, 5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.filters, again.filters)
    assert not np.array_equal(first.filters, other.filters)


def test_whitened_centres_have_length_one() -> None:
    some = pictures()
    dictionary = learnt_dictionary(some, 5, seed=0)
    # A patch that equals the mean of all gives no response: the bias is what the mean would give.
    assert dictionary.bias[:5].tolist() == dictionary.bias[5:].tolist()
    flat = described(np.full((1, 32, 32, 3), 90, np.uint8), dictionary)
    assert np.isfinite(flat).all()


def test_gray_pictures_have_one_channel_and_colour_three() -> None:
    gray = np.repeat(pictures()[..., :1], 3, axis=3)
    assert planes_of(gray).shape[3] == 1
    gray[2, 0, 0, 1] ^= 1
    assert planes_of(gray).shape[3] == 3


def test_the_distance_is_that_to_the_nth_nearest_of_the_others() -> None:
    points = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    distances = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))
    fifth = np.sort(distances, axis=1)[:, 5]  # the first is the point itself
    np.testing.assert_allclose(outlyingness(points), np.log(fifth), rtol=1e-3, atol=1e-4)


def test_more_axes_than_points_give_the_same_distances() -> None:
    points = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(200, 200)))[0][:3].astype(np.float32)
    np.testing.assert_allclose(outlyingness(points), outlyingness(points @ turned), rtol=1e-3, atol=1e-3)


def test_few_outliers_that_resemble_each_other_are_outliers_still() -> None:
    points = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
    points[:12] = 12 + 0.01 * points[:12]
    distances = outlyingness(points)
    assert set(np.flatnonzero(distances > limit_of(distances, 3.0))) == set(range(12))
