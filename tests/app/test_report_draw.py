"""What is drawn is where it belongs, in the colour it should have, and inputs stay as they were."""

from __future__ import annotations

import numpy as np
import pytest

from imagemill.app.figures.draw_annotations import (
    PALETTE,
    colours_of,
    draw_boxes,
    draw_mask,
    draw_points,
    label_colour,
    readable_on,
)

GRAY = np.full((40, 60, 3), 90, np.uint8)


def painted(rgb: np.ndarray) -> np.ndarray:
    return (rgb != GRAY).any(axis=-1)


def test_mask_colours_lie_on_the_labelled_pixels_and_nowhere_else():
    labels = np.zeros((40, 60), np.uint16)
    labels[10:20, 5:15], labels[20:30, 30:50] = 1, 300
    out = draw_mask(GRAY, labels, opacity=0.5, outline=1)
    np.testing.assert_array_equal(painted(out), labels != 0)
    blend = np.rint(90 * 0.5 + np.array(label_colour(1)) * 0.5)
    np.testing.assert_array_equal(out[15, 10], blend)
    np.testing.assert_array_equal(out[10, 10], label_colour(1))  # the outline is opaque
    np.testing.assert_array_equal(out[20, 40], label_colour(300))


def test_outline_follows_the_border_between_two_labels():
    labels = np.ones((6, 6), np.uint8)
    labels[:, 3:] = 2
    out = draw_mask(np.zeros((6, 6, 3), np.uint8), labels, opacity=0.0, outline=1)
    edge = (out != 0).any(axis=-1)
    assert edge[:, 2:4].all()
    assert not edge[:, [0, 1, 4, 5]].any()


def test_a_mask_of_bool_and_a_single_pixel_picture_are_fine():
    out = draw_mask(np.zeros((1, 1, 3), np.uint8), np.array([[True]]), opacity=1.0)
    assert out[0, 0].tolist() == list(label_colour(1))


def test_boxes_cover_exactly_the_pixels_inside_their_edges():
    out = draw_boxes(GRAY, np.array([[4.5, 9.5, 14.5, 29.5]]), width=1)
    wanted = np.zeros((40, 60), bool)
    wanted[5:15, 10:30] = True
    wanted[6:14, 11:29] = False
    np.testing.assert_array_equal(painted(out), wanted)


@pytest.mark.parametrize("edges", [[-9.0, -9.0, 99.0, 99.0], [5.5, 5.5, 5.5, 5.5], [80.0, 80.0, 90.0, 90.0]])
def test_boxes_outside_or_without_area_stay_inside_the_picture(edges):
    out = draw_boxes(GRAY, np.array([edges]), labels=["a box with a rather long name"])
    assert out.shape == GRAY.shape
    assert painted(out).any()


def test_equal_labels_share_a_colour_and_tags_are_written():
    edges = np.array([[20.5, 2.5, 35.5, 20.5], [20.5, 25.5, 35.5, 40.5], [20.5, 45.5, 35.5, 57.5]])
    out = draw_boxes(GRAY, edges, labels=["cat", "dog", "cat"])
    left, middle, right = out[34, 10], out[34, 30], out[34, 50]
    assert left.tolist() == right.tolist() != middle.tolist()
    untagged = draw_boxes(GRAY, edges, labels=["cat", "dog", "cat"], text_pixels=0)
    above = (out != untagged).any(axis=-1)[:21]
    assert above.any()


def test_points_are_discs_around_their_place_and_hidden_ones_are_left_out():
    points = np.array([[10.0, 12.0], [30.0, 50.0]])
    out = draw_points(GRAY, points, np.array([True, False]), radius=3)
    assert out[10, 12].tolist() == list(label_colour(1))
    rows, columns = np.nonzero(painted(out))
    assert abs(rows.mean() - 10) < 0.3
    assert abs(columns.mean() - 12) < 0.3
    assert rows.max() < 20


def test_links_join_only_points_that_are_seen():
    points = np.array([[5.0, 5.0], [5.0, 50.0], [35.0, 50.0]])
    out = draw_points(GRAY, points, np.array([True, True, False]), links=[(0, 1), (1, 2)], radius=2)
    assert painted(out)[5, 25:30].all()
    assert not painted(out)[20].any()


def test_points_far_outside_do_no_harm():
    far = np.array([[1e12, -1e12]])
    np.testing.assert_array_equal(draw_points(GRAY, far), GRAY)


def test_nothing_is_drawn_in_place():
    before = GRAY.copy()
    draw_mask(GRAY, np.ones((40, 60), np.uint8))
    draw_boxes(GRAY, np.array([[1.0, 1.0, 9.0, 9.0]]), labels=["x"])
    draw_points(GRAY, np.array([[3.0, 3.0]]))
    np.testing.assert_array_equal(GRAY, before)


def test_text_stands_out_on_every_colour():
    def luminance(colour):
        c = np.array(colour) / 255
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for colour in PALETTE.tolist():
        bright, dark = sorted((luminance(colour), luminance(readable_on(tuple(colour)))), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) > 4.5, colour  # WCAG 2, level AA


def test_colours_come_in_order_of_first_appearance_after_those_taken():
    assert colours_of(["b", "a", "b"], after=2) == {"b": label_colour(3), "a": label_colour(4)}
