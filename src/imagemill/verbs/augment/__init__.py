"""Augmented copies of every image as files with their annotations, the recipe of each, and making them again."""
