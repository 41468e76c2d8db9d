"""The vocabulary of Gluon: :mod:`.transforms`."""
