"""The words every other part shares: targets, frames, ops, ranges, draws, errors. Needs numpy only."""
