"""How well the audit finds what was planted, on real images."""
