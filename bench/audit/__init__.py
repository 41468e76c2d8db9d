"""The audit beside other tools on the same images, and on planted faults."""
