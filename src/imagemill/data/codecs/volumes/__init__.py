"""Scans: formats that know where their voxels lie in the world."""
