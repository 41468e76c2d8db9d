"""Frameworks that train one network of one arm with one seed, and ask it: PyTorch and others, behind one protocol."""
