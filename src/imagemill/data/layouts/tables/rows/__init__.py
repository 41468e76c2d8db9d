"""Rows become records, and records become rows."""
