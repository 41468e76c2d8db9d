"""Annotations inside a picture, whatever layout they came from: RLE, outlines, edges, the picture's extent."""
