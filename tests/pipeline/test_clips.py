"""Videos: the same draw on every frame, noise anew on each, annotations by frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.testing import picture
from imagemill.testing.each import SHIPPED, example_of

T, SHAPE = 4, (16, 20)
CLIP = np.stack([picture(k, SHAPE, 3) for k in range(T)])
WHOLE = (
    *(im.Contrast, im.ColorJitter, im.Rescale, im.Standardize, im.Equalize, im.AutoContrast, im.ClipPercentiles),
    im.HistogramShift,
)
"""What takes numbers of the image: those of a clip are of all its frames."""

FIXED = [
    t
    for t in map(example_of, SHIPPED)
    if not (isinstance(t, im.Orient) or (t.reads() and not isinstance(t, im.SquareCrop)))
    and not any(c.traits().fits for c in (t, *t.children()))
]
"""Not those that go by what is in any of the frames: tests/transforms/test_objects_and_parts.py."""


def stream_free(transform: im.Transform) -> bool:
    """Whether it draws no number for each pixel."""
    return not type(transform).__module__.startswith(("imagemill.transforms.noise", "imagemill.transforms.occlusion"))


@pytest.mark.parametrize("transform", FIXED, ids=[type(t).__name__ for t in FIXED])
def test_every_frame_is_what_it_is_alone_under_the_key_of_the_clip(transform: im.Transform) -> None:
    pipe = im.Pipeline([transform], seed=1)
    out = pipe(image=CLIP, mask=np.ones((T, *SHAPE), np.uint8), axes="tyxc", key="a")
    made = out.image if out.targets["image"].axes[0] == "t" else np.moveaxis(out.image, -1, 0)
    same = [
        np.array_equal(made[t], pipe(image=CLIP[t], mask=np.ones(SHAPE, np.uint8), key="a").image) for t in range(T)
    ]
    if stream_free(transform) and not isinstance(transform, WHOLE):
        assert same == [True] * T
    else:
        assert len(made) == T
        assert same[0] or isinstance(transform, WHOLE)


def test_noise_is_new_on_each_frame_and_the_first_is_that_of_a_single_image() -> None:
    still = np.full((T, *SHAPE), 100, np.uint8)
    for transform in (im.GaussianNoise(0.1), im.ShotNoise(50), im.SaltAndPepper(0.2), im.Erasing(0.3, fill="noise")):
        made = im.Pipeline([transform], seed=1)(still, axes="tyx", key=1)
        assert len({frame.tobytes() for frame in made}) == T
        np.testing.assert_array_equal(made[0], im.Pipeline([transform], seed=1)(still[0], key=1))
    places = im.Pipeline([im.Erasing(0.3, fill="noise")], seed=1)(still, axes="tyx", key=1) != 100
    assert (places.sum(axis=0)[places.any(axis=0)] >= T - 1).all(), "what is hidden lies where it lay"


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_colour_that_reads_the_image_reads_the_whole_clip(backend: str) -> None:
    """As of a volume, whose slices the frames are: no flicker. Contrast turns about the mean of all frames."""
    clip = np.random.default_rng(1).random((T, *SHAPE)).astype(np.float32) * np.arange(1, T + 1)[:, None, None] / T
    clip = clip.astype(np.float32)
    for transform in (im.Contrast(0.5), im.Rescale("minmax"), im.Standardize()):
        pipe = im.Pipeline([transform], seed=1, backend=backend)
        np.testing.assert_allclose(pipe(clip, axes="tyx"), pipe(clip, axes="zyx"), atol=1e-5)
    made = im.Pipeline([im.Contrast(0.5)], seed=1, backend=backend)(clip, axes="tyx")
    np.testing.assert_allclose(made, clip.mean() + 0.5 * (clip - clip.mean()), atol=1e-5)
    eight = CLIP[..., 0].copy()
    eight[2] //= 2
    for filtered in (im.Equalize(), im.AutoContrast(0.1)):
        pipe = im.Pipeline([filtered], seed=1, backend=backend)
        np.testing.assert_array_equal(pipe(eight, axes="tyx"), pipe(eight, axes="zyx"))
    both = im.Pipeline([im.Rotate(20), im.Contrast(0.5)], seed=1, backend=backend)(CLIP, axes="tyxc")
    still = im.Pipeline([im.Rotate(20)], seed=1, backend=backend)(CLIP, axes="tyxc").astype(float)
    wanted = np.clip(still.mean(axis=(0, 1, 2)) @ [0.299, 0.587, 0.114] * 0.5 + 0.5 * still, 0, 255)
    assert np.abs(both - wanted).max() < 1.6


def test_a_crop_around_masks_keeps_what_any_frame_shows() -> None:
    masks = np.zeros((T, 20, 60), np.uint8)
    for t in range(T):
        masks[t, 5:8, 30 + 3 * t : 33 + 3 * t] = 1
    out = im.Pipeline([im.SquareCrop(margin=1)], seed=1)(image=np.zeros((T, 20, 60), np.uint8), mask=masks, axes="tyx")
    assert out.mask.shape == (T, 20, 20)
    assert [int(m.sum()) for m in out.mask] == [9] * T


def test_targets_by_frame() -> None:
    pipe = im.Pipeline([im.Flip("x"), im.Brightness(0.5)], seed=1)
    boxes = [[[t, 2, t + 3, 6]] for t in range(T)]
    out = pipe(
        image=CLIP, mask=CLIP[..., 0] > 99, depth=im.Map(CLIP.astype(np.float32)), boxes=boxes,
        keypoints=[im.Keypoints([[t, 1]], labels=["eye"]) for t in range(T)], label="running", axes="tyxc", key="c",
    )  # fmt: skip
    np.testing.assert_array_equal(out.image, np.rint(CLIP[:, :, ::-1] * 0.5))
    np.testing.assert_array_equal(out.mask, (CLIP[..., 0] > 99)[:, :, ::-1])
    np.testing.assert_array_equal(out.depth, CLIP[:, :, ::-1])
    assert [b.array.tolist() for b in out.boxes] == [[[17 - t, 2, 20 - t, 6]] for t in range(T)]
    assert [k.array.tolist() for k in out.keypoints] == [[[19 - t, 1]] for t in range(T)]
    assert out.label == "running"
    back = out.inverse(mask=out.mask, boxes=out.boxes)
    np.testing.assert_array_equal(back["mask"], CLIP[..., 0] > 99)
    assert [b.array.tolist() for b in back["boxes"]] == boxes
    assert out.seen().all()
    np.testing.assert_array_equal(pipe.replay(out.recipe, image=CLIP, axes="tyxc").image, out.image)


def test_time_stands_where_it_stood_or_in_front_of_the_layout_asked_for() -> None:
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    wanted = pipe(CLIP, axes="tyxc")
    for word in ("tcyx", "yxct", "ctyx"):
        order = ["tyxc".index(letter) for letter in word]
        np.testing.assert_array_equal(pipe(CLIP.transpose(order), axes=word), wanted.transpose(order))
    first = im.Pipeline([im.Flip("x"), im.ToLayout("channels_first")], seed=1)(image=im.Image(CLIP, "tyxc"))
    np.testing.assert_array_equal(first.image, wanted.transpose(0, 3, 1, 2))
    assert first.targets["image"].axes == "tcyx"
    np.testing.assert_array_equal(pipe(list(CLIP), axes="tyxc"), wanted)


def test_a_batch_of_clips_is_the_clips() -> None:
    pipe = im.Pipeline([im.Rotate((-40, 40)), im.GaussianNoise(0.1), im.Contrast((0.5, 1.5)), im.Crop((8, 8))], seed=1)
    clips, keys = [CLIP, CLIP[::-1].copy(), CLIP // 2], ["a", "b", "c"]
    boxes = [[[[1, 1, 9, 9]]] * T] * 3
    batch = pipe.batch(clips, boxes=boxes, label=[1, 2, 3], keys=keys, axes="tyxc")
    assert batch.image.shape == (3, T, 8, 8, 3)
    assert (len(batch), batch.label, [len(b) for b in batch.boxes]) == (3, [1, 2, 3], [T] * 3)
    for i, key in enumerate(keys):
        one = pipe(image=clips[i], boxes=boxes[i], key=key, axes="tyxc")
        np.testing.assert_array_equal(one.image, batch.image[i])
        assert one.applied == batch.applied[i]
        np.testing.assert_array_equal(one.boxes[2].array, batch.boxes[i][2].array)
    np.testing.assert_array_equal(pipe.batch(np.stack(clips), keys=keys, axes="tyxc", workers=2).image, batch.image)
    assert batch.inverse(mask=np.ones((3, T, 8, 8), np.uint8))["mask"][1].shape == (T, *SHAPE)
    assert "16x20, 3 channels" in pipe.explain((T, *SHAPE, 3), axes="tyxc")
    assert pipe.lint((T, *SHAPE, 3), axes="tyxc") == pipe.lint((*SHAPE, 3))


PIPE = im.Pipeline([im.Flip("x")], seed=1)
ONES = np.ones(SHAPE, int)
REFUSED: list[tuple[Any, str]] = [
    (lambda: PIPE(CLIP), r"say its axes: .*'tyxc' for a video"),
    (lambda: PIPE(image=CLIP, mask=np.ones((3, *SHAPE), int), axes="tyxc"), r"as many frames each.*'mask': 3"),
    (lambda: PIPE(image=CLIP, boxes=im.Boxes([[1, 1, 2, 2]]), axes="tyxc"), "value for each frame, got one Boxes"),
    (lambda: PIPE(image=CLIP, mask=im.Mask(ONES, "yx"), axes="tyxc"), "an axis of time, such as 'tyx'"),
    (lambda: PIPE(image=CLIP, mask=ONES, axes="tyxc"), "mask of a video with the axes 'tyxc', got shape"),
    (lambda: PIPE.batch([CLIP, CLIP[:2]], axes="tyxc"), r"clips with as many frames each.*got \[2, 4\] frames"),
    (lambda: PIPE(image=CLIP, axes="tyxc").inverse(mask=ONES), "each of the 4 frames, time first, got 16"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_clip_is_refused(wrong: Any, words: str) -> None:
    with pytest.raises(im.InputError, match=words):
        wrong()


class _ByRow(im.Transform):
    """Moves every sample of a batch by its number."""

    def draw(self, draws: Any, frame: Any) -> Any:
        found = im.Flip("x").draw(draws, frame)
        matrix = found.matrix.copy()
        matrix[:, 0, 2] += np.arange(frame.n)
        return replace(found, matrix=matrix)


def test_geometry_that_differs_from_frame_to_frame_is_refused() -> None:
    with pytest.raises(im.TargetError, match="to move all frames of a video alike, but it goes by what is in each"):
        im.Pipeline([_ByRow()], seed=1)(CLIP, axes="tyxc")
