"""One leaf per family of file formats, and one door to all of them."""
