"""A dataset in another layout, with what that layout can hold kept and the rest named."""
