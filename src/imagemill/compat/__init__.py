"""Well-known names from other libraries, run by this one's engine: :mod:`.keras` and :mod:`.gluon`."""
