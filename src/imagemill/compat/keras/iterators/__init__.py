"""Batches of pictures from arrays, folders and tables."""
