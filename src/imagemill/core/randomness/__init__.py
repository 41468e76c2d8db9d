"""Draws as a function of seed, epoch, key and place; and who asks, where nobody said epoch or key."""
