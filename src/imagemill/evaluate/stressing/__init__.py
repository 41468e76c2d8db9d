"""How far images may change before a network fails: accuracy against magnitude, ranges that hold, the worst case."""
