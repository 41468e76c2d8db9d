"""Which layout a path has: the evidence, what folders mean by their names, and what was left over."""
