"""What other libraries call things and hold pictures in, read without importing them."""
