"""Small networks that are trained on the images of a dataset itself, to ask which of its labels are wrong. PyTorch."""
