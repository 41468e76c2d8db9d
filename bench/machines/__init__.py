"""More than one machine: the same bytes, what it costs, and what grows."""
