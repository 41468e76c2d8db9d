"""In what order an epoch reads its rows, how it is cut into batches and shared, and where it can be resumed."""
