"""What a dataset is: its layout and why, how many of what, what could not be read, licences and sources."""
