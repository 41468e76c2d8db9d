"""Planning and execution: ops become a plan, a backend runs it."""
