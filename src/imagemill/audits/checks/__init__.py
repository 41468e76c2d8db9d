"""Checks of a dataset, one a file: each is given what was seen of all images, and says what it found."""
