"""What it takes to bring peers up beside each other in one process."""
