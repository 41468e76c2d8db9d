"""Resampling on the CPU: exact moves, maps that scale axes apart, warps, splines."""
