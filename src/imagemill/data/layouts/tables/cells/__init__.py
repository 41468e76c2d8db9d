"""One cell of a table: a path, a picture, a list, a bounding box, a mask as text."""
