"""Photos and other pictures of few channels, one file a format; EXIF and colour profiles."""
