"""Shards on a Ray cluster: an engine beside threads and processes. Ray places workers and moves bytes."""
