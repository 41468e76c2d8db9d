"""Filters, noise and erasures on the CPU."""
