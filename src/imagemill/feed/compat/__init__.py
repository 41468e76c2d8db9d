"""Interfaces that other libraries made known, on top of this one's engine."""
