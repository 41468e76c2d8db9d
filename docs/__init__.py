"""What draws and builds the documentation; none of it is part of the package."""
