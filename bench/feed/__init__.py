"""Feeding a training loop: speed beside the usual loaders, and whether the samples stay the same."""
