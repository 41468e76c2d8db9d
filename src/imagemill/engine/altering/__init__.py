"""What filters, noise and erasures mean, in float64; every backend's kernels are tested against it."""
