"""Rewrites of a plan, one a file; the planner runs them in order and each can be switched off."""
