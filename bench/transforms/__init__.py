"""Every transform that another library has as well, one by one: ``python -m bench.transforms.run``."""
