"""What the figures of findings are, in words that stand beside them on the page."""

from __future__ import annotations

__all__ = ["NUMBERS"]

NUMBERS = {
    "accuracy": "share that a simple probe told right, on images it did not learn from",
    "against": "images of the others",
    "annotations": "boxes, polygons or keypoints concerned",
    "chance": "share that is right by always giving the commonest answer",
    "change": "of the mean, from the dataset to the others; a factor where the sentence says times",
    "classes": "classes concerned",
    "contents": "different images, each counted once however often it is there",
    "correlation": "rank correlation, -1 to 1",
    "distance": "share of the images that would have to be of another kind to be alike",
    "extra": "images beyond the first of each content",
    "high": "upper end of the interval",
    "images": "images concerned",
    "largest": "images of the largest class",
    "low": "lower end of the interval",
    "mean": "images of a class on average",
    "median": "middle value in the dataset",
    "median_against": "middle value in the others",
    "outside": "share of the others outside the middle 98 % of the dataset; 0.02 where nothing differs",
    "p": "chance of a difference as large where there is none, adjusted for the number of questions",
    "share": "of all images",
    "smallest": "images of the smallest class",
}
"""By the names of `Finding.numbers`; a name that is missing here is shown without words."""
