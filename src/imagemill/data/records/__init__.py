"""One line of a dataset: where its pixels are, the annotations that belong to it, its name and its orientation.

Here: what is true of one record whatever file it came from. Not here: how a layout writes it (`data/layouts`).
"""
