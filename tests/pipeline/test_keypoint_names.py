"""Names that change sides: whether a map mirrors is told by the triangle that three nameless points make."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core import coordinate_maps as maps
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.keypoint_names import exchange
from imagemill.engine.annotations.points import mirrors, push
from tests.beside import beside
from tests.engine.test_target_table import CASES

PARTS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
COCO = ["nose", *(f"{side}_{part}" for part in PARTS for side in ("left", "right"))]
SHAPE = (24, 30)
PLACES = np.random.default_rng(5).uniform(4, 20, (17, 2)).round()
TRIANGLE = np.array([[12.0, 10], [16, 10], [12, 13]])
PAIRED = [0] + [i + 1 if i % 2 else i - 1 for i in range(1, 17)]


def moved(pipe: im.Pipeline, points: Any, key: Any = 0, **rest: Any) -> Any:
    return pipe(image=np.zeros((*SHAPE, 3), np.uint8), keypoints=points, key=key, **rest).keypoints


def area(triangle: Any) -> float:
    a, b, c = triangle
    return float((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0])


def check(pipe: im.Pipeline, key: Any = 0, **rest: Any) -> bool:
    """Rows keep their names, and pairs took each other's places if, and only if, the triangle was turned over."""
    plain = moved(pipe, im.Keypoints(np.concatenate([PLACES, TRIANGLE])), key, **rest)
    mirrored = area(plain.array[17:]) * area(TRIANGLE) < 0
    found = moved(pipe, im.Keypoints(PLACES, labels=COCO), key, **rest)
    order = PAIRED if mirrored else list(range(17))
    assert found.labels == COCO
    np.testing.assert_allclose(found.array, plain.array[order], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.visible, plain.visible[order])
    np.testing.assert_array_equal(found.inside, plain.inside[order])
    return mirrored


MIRRORS = [
    im.Flip("x"),
    im.Flip("y"),
    im.Sequential([im.Flip("x"), im.QuarterTurn(1)]),
    im.Sequential([im.Flip("x"), im.Pad(3), im.Rotate(20), im.Elastic(0.3, cells=2), im.Perspective(0.2)]),
    im.Sequential([im.Flip("y"), im.Apply(np.invert), im.Resize((31, 17))]),
]
KEEPS = [
    im.Sequential([im.Flip("x"), im.Flip("y")]),
    im.Sequential([im.Flip("x"), im.Apply(np.invert), im.Flip("x")]),
    im.Sequential([im.Flip("x"), im.Pad(2), im.Flip("x")]),
    im.Rotate(180),
    im.QuarterTurn(3),
    im.Perspective(0.3),
]


@pytest.mark.parametrize("how", [{}, {"fuse": False}, {"backend": "reference"}], ids=["fused", "stepwise", "reference"])
@pytest.mark.parametrize(("transforms", "mirrors"), [*((t, True) for t in MIRRORS), *((t, False) for t in KEEPS)])
def test_pairs_take_each_others_places_in_a_mirror(transforms: Any, mirrors: bool, how: Any) -> None:
    assert check(im.Pipeline([transforms], seed=1, **how)) == mirrors


@pytest.mark.parametrize("transform", [t for t, _ in CASES], ids=[type(t).__name__ for t, _ in CASES])
def test_every_transform_exchanges_names_when_it_mirrors(transform: im.Transform) -> None:
    rest = beside(transform, SHAPE)
    check(im.Pipeline([transform], seed=1), 1, **rest)
    check(im.Pipeline([im.Flip("x"), transform], seed=1), 1, **rest)
    check(im.Pipeline([transform, im.Flip("y", p=0.5)], seed=1), 2, **rest)


SIDES = {
    "a negative zoom": ([[-1.5, 0, 20], [0, 0.7, 2], [0, 0, 1]], True),
    "two negative zooms": ([[-1.5, 0, 20], [0, -0.7, 12], [0, 0, 1]], False),
    "a transpose": ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], True),
    "an anti-transpose and a turn": ([[0, -1, 20], [1, 0, 0], [0, 0, 1]], False),
    "a projection": ([[1, 0.1, 0], [0, 1, 0], [0.001, 0.002, 1]], False),
    "the same in other numbers": ([[-2, -0.2, 0], [0, -2, 0], [-0.002, -0.004, -2]], False),
    "a mirrored projection": ([[2, 0.2, 0], [0, -2, 9], [-0.002, -0.004, -2]], True),
    "a solid one": ([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], True),
    "a solid point": ([[-1, 0, 0, 9], [0, -1, 0, 9], [0, 0, -1, 9], [0, 0, 0, 1]], True),
}


@pytest.mark.parametrize(("matrix", "mirrored"), SIDES.values(), ids=SIDES)
def test_any_matrix_is_told_by_the_corner_it_makes_of_a_corner(matrix: Any, mirrored: bool) -> None:
    m = np.array(matrix, float)
    d = len(m) - 1
    corner = push((maps.Matrix(m),), np.concatenate([np.zeros((1, d)), 0.01 * np.eye(d)]) + 0.5)
    assert (np.linalg.det(corner[1:] - corner[0]) < 0) == mirrored
    assert mirrors((maps.Matrix(m),)) == mirrored
    assert not mirrors((maps.Matrix(m), maps.Window((9,) * d, 0.0, 0), maps.Matrix(m)))


def test_each_sample_of_a_batch_goes_by_its_own_map() -> None:
    pipe = im.Pipeline([im.Flip("x", p=0.5), im.Flip("y", p=0.5), im.Rotate((-40, 40))], seed=3)
    points = im.Keypoints(PLACES, labels=COCO)
    image = np.zeros((*SHAPE, 3), np.uint8)
    batch = pipe.batch([image] * 24, keypoints=[points] * 24, keys=range(24))
    assert {check(pipe, key) for key in range(24)} == {True, False}
    for key in range(24):
        np.testing.assert_array_equal(batch.keypoints[key].array, moved(pipe, points, key).array)
        again = pipe.replay(batch.recipe[key], image=image, keypoints=points)
        np.testing.assert_array_equal(again.keypoints.array, batch.keypoints[key].array)


@pytest.mark.parametrize(("transform", "mirrors"), [(im.Flip("z"), True), (im.Rotate(30, plane="zx"), False)])
def test_in_a_volume_too(transform: im.Transform, mirrors: bool) -> None:
    points = im.Keypoints([[1, 2, 3], [4, 2, 3], [4, 4, 4]], "zyx", labels=["hip_L", "hip_R", "top"])
    image = im.Image(np.zeros((6, 8, 9), np.float32), "zyx")
    found = im.Pipeline([transform], seed=1)(image=image, keypoints=points, key=0).keypoints
    plain = im.Pipeline([transform], seed=1, swap=())(image=image, keypoints=points, key=0).keypoints
    np.testing.assert_array_equal(found.array, plain.array[[1, 0, 2] if mirrors else [0, 1, 2]])


def test_a_point_that_left_is_told_by_the_row_it_is_in_now() -> None:
    # Flipped, then cropped to the left half: what is there is the right eye of the mirrored face.
    pipe = im.Pipeline([im.Flip("x"), im.Crop(box=(0, 0, 24, 15))], seed=1)
    points = im.Keypoints([[4, 5], [20, 5]], labels=["left_eye", "right_eye"], visible=[True, False])
    found = moved(pipe, points)
    assert found.array.tolist() == [[9, 5], [25, 5]]
    assert (found.inside.tolist(), found.visible.tolist()) == ([True, False], [False, False])


# ------------------------------------------------------------------------------------------------- which names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("left_eye", "right_eye"),
        ("eye_left", "eye_right"),
        ("Left Eye", "Right Eye"),
        ("LEFT-EYE", "RIGHT-EYE"),
        ("leftEye", "rightEye"),
        ("eyeLeft", "eyeRight"),
        ("l_eye", "r_eye"),
        ("eye.L", "eye.R"),
        ("LShoulder", "RShoulder"),
        ("left", "right"),
        ("L", "R"),
        ("left_eye_2", "right_eye_2"),
    ],
)
def test_pairs_are_known_by_their_words(one: str, other: str) -> None:
    found = exchange([one, "nose", other], 3, "auto", None)
    assert found is not None
    assert found[0].tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    "names", [["nose", "chin"], ["leftover", "rightover"], ["lip", "rip"], ["l_eye", "eye"], [1, 2]]
)
def test_names_without_a_pair_stay(names: Any) -> None:
    assert exchange(names, 2, "auto", None) is None


def test_a_declared_pair_counts_and_nothing_else() -> None:
    labels, flip = ["left_eye", "right_eye", "port", "starboard"], im.Pipeline([im.Flip("x")], seed=1)
    places = [[1, 1], [2, 2], [3, 3], [4, 4]]
    for pipe, points in (
        (flip, im.Keypoints(places, labels=labels, swap=(("port", "starboard"),))),
        (flip.replace(swap=[["starboard", "port"]]), im.Keypoints(places, labels=labels)),
        (flip.replace(swap=[["starboard", "port"]]), im.Keypoints(places, labels=np.array(labels))),
    ):
        found = moved(pipe, points)
        assert found.array[:, 1].tolist() == [1, 2, 4, 3]
        assert list(found.labels) == labels
    assert moved(flip, im.Keypoints(places, labels=labels, swap=())).array[:, 1].tolist() == [1, 2, 3, 4]
    assert moved(flip, im.Keypoints(places, labels=labels)).array[:, 1].tolist() == [2, 1, 3, 4]
    assert moved(flip, im.Keypoints(places)).array[:, 1].tolist() == [1, 2, 3, 4]
    # Without labels, by row; of each thing where there are several.
    assert moved(flip, im.Keypoints(places, swap=((0, 3),))).array[:, 1].tolist() == [4, 2, 3, 1]
    two = im.Keypoints(places, instance=[0, 0, 7, 7], swap=((0, 1),))
    assert moved(flip, two).array[:, 1].tolist() == [2, 1, 4, 3]


def test_several_things_exchange_within_themselves() -> None:
    flip = im.Pipeline([im.Flip("x")], seed=1)
    labels = ["nose", "left_eye", "right_eye"] * 2
    places = np.arange(12.0).reshape(6, 2)
    assert moved(flip, im.Keypoints(places, labels=labels)).array[:, 1].tolist() == [1, 5, 3, 7, 11, 9]
    # One has only a left eye, the other only a right one: they are not each other's.
    apart = im.Keypoints(places[:2], labels=["left_eye", "right_eye"], instance=[0, 1])
    found = moved(flip, apart)
    assert (found.array[:, 1].tolist(), found.labels) == ([1, 3], ["right_eye", "left_eye"])


def test_a_lone_point_is_renamed() -> None:
    flip = im.Pipeline([im.Flip("x")], seed=1)
    found = moved(flip, im.Keypoints([[3, 4]], labels=["left_eye"]))
    assert (found.array.tolist(), found.labels) == ([[26, 4]], ["right_eye"])
    arrays = moved(flip, im.Keypoints([[3, 4], [5, 5]], labels=np.array(["left_hip", "left_hip"])))
    assert arrays.labels.tolist() == ["right_hip", "right_hip"]
    # A name of somebody's own whose other side is nowhere to be seen may have none.
    assert moved(flip, im.Keypoints([[3, 4]], labels=["left_ventricle"])).labels == ["left_ventricle"]
    mixed = moved(flip, im.Keypoints([[1, 1], [2, 2], [3, 3]], labels=["left_eye", "right_eye", "left_eye"]))
    assert mixed.labels == ["right_eye", "left_eye", "right_eye"]


# ------------------------------------------------------------------------------------------------- files, refusals


def test_swap_is_part_of_a_pipeline_and_its_file() -> None:
    plain = im.Pipeline([im.Flip("x")], seed=1)
    for swap in ((("a", "b"),), ()):
        pipe = plain.replace(swap=swap)
        for same in (im.Pipeline.from_yaml(pipe.to_yaml()), pickle.loads(pickle.dumps(pipe)), pipe.with_seed(1)):
            assert (same, same.swap, same.digest) == (pipe, swap, pipe.digest)
        assert pipe != plain
        assert pipe.digest != plain.digest
        assert f"swap={swap!r}" in repr(pipe)
    assert "swap" not in plain.to_dict()


@pytest.mark.parametrize("wrong", ["coco", [("a",)], [("a", "b", "c")], 3, [("a", "b"), ("b", "c")], [("a", "a")]])
def test_pairs_that_are_none_are_refused(wrong: Any) -> None:
    with pytest.raises(ParameterError, match=r"expected swap as 'auto', or pairs"):
        im.Pipeline([], swap=wrong)
    with pytest.raises(ParameterError, match=r"expected swap as 'auto', or pairs"):
        im.Keypoints([[1, 2]], swap=wrong)


def test_instances_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="1 instances, one per point, got"):
        im.Keypoints([[1, 2]], instance=[1, 2])


# ------------------------------------------------------------------------------------------------- data sets


@pytest.fixture
def coco(tmp_path: Any) -> Any:
    """Two people with COCO's keypoints, one of them without a box, and a cat with keypoints of its own."""
    import json

    def flat(first: int, count: int) -> list[int]:
        return [value for i in range(count) for value in (first + i, 3 + i, 2)]

    im.write_picture(tmp_path / "a.png", im.Picture(np.zeros((30, 40), np.uint8), "yx"))
    im.write_picture(tmp_path / "b.png", im.Picture(np.zeros((30, 40), np.uint8), "yx"))
    person = {"image_id": 1, "category_id": 1, "num_keypoints": 17, "iscrowd": 0}
    cat = {"id": 3, "image_id": 1, "category_id": 2, "bbox": [1, 1, 9, 9], "keypoints": flat(20, 2), "num_keypoints": 2}
    said = {
        "images": [
            {"id": i, "file_name": f"{name}.png", "width": 40, "height": 30} for i, name in ((1, "a"), (2, "b"))
        ],
        "annotations": [
            {**person, "id": 1, "bbox": [2, 2, 20, 20], "keypoints": flat(4, 17)},
            {**person, "id": 2, "bbox": [5, 2, 22, 20], "keypoints": flat(7, 17)},
            cat,
        ],
        "categories": [
            {"id": 1, "name": "person", "keypoints": COCO, "skeleton": [[1, 2]]},
            {"id": 2, "name": "cat", "keypoints": ["ear_l", "ear_r"], "skeleton": []},
        ],
    }
    (tmp_path / "coco.json").write_text(json.dumps(said))
    return tmp_path / "coco.json"


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("workers", [1, "process:1"])
def test_a_loader_knows_the_names_and_exchanges_them(coco: Any, prepared: bool, workers: Any, tmp_path: Any) -> None:
    dataset = im.open(coco)
    if prepared:
        im.prepare(coco, tmp_path / "store", size=(30, 40), split=0.0)
        dataset = im.open(tmp_path / "store")
    pipe = im.Pipeline([im.Flip("x", p=0.5)], seed=1)
    seen = set()
    with im.Loader(dataset, pipe, batch_size=2, seed=1, shuffle=False, workers=workers) as loader:
        for _ in range(6):
            for batch in loader:
                found = batch.keypoints[[str(key)[0] for key in batch.keys].index("a")]
                assert list(found.labels) == [*COCO, *COCO, "ear_l", "ear_r"]
                assert found.instance.tolist() == [0] * 17 + [1] * 17 + [2] * 2
                flipped = found.array[0, 0] > 20
                seen.add(bool(flipped))
                order = [*PAIRED, *(17 + np.array(PAIRED)), 35, 34] if flipped else list(range(36))
                given_ = np.concatenate([np.arange(4, 21), np.arange(7, 24), [20, 21]])
                assert found.array[:, 0].tolist() == (39 - given_ if flipped else given_)[order].tolist()
                empty = batch.keypoints[[str(key)[0] for key in batch.keys].index("b")]
                assert (len(empty), list(empty.labels)) == (0, [])
    assert seen == {True, False}


def test_a_dataset_knows_them_too(coco: Any) -> None:
    sample = im.open(coco)[0]
    assert sample.keypoints.labels[:3] == ["nose", "left_eye", "right_eye"]
    assert sample.boxes.index.tolist() == [0, 1, 2]
