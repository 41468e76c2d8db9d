"""Bounding boxes, polygons and keypoints through the maps of the pixels."""
