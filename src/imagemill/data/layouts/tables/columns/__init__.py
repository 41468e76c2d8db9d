"""What a column of a table says: by what stands in it, and by its name."""
