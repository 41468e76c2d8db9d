"""What images show, over a whole survey: the object, its colour, the light on it; and which images are one burst."""
