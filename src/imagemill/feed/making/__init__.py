"""One batch, from its number to its arrays: rows read, decoded, augmented, labels put beside."""
