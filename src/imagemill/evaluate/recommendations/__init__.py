"""Which augmentation would cover what sets the user's own images apart from the training images.

Here: what is measured on images (`measures`), how two populations of images are compared, and which transform, in which
range, turns one into the other. Not here: training, and whether the proposal helps, which `compare` says.
"""
