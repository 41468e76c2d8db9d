"""Which files are label maps, and of which image."""
