"""TIFF, and what the samples of a TIFF file mean."""
