"""Whole batches of photos or of small pictures in one compiled call."""
