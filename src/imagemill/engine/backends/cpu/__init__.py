"""The CPU backend: OpenCV where it is exact enough, compiled kernels everywhere else."""
