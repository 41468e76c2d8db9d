"""Which records go into which part, and what has to stay together: groups, and pictures of the same content."""
