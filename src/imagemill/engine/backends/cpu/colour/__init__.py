"""Colour runs on the CPU."""
