"""Layouts that keep many images in one array: NumPy, MATLAB, HDF5, IDX, and arrays in memory."""
