"""Batches made ahead, in threads or in other processes, and handed over in order."""
