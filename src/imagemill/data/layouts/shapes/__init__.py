"""Annotations inside a picture, whatever layout they came from: RLE, polygons, edges, the picture's extent."""
