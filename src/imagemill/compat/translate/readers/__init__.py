"""Readers of other libraries' pipelines: objects, files, source texts; each gives a `Call`."""
