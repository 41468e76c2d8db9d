"""Known experiments as files: data, networks, arms, a recipe and the figures that others published for them."""
