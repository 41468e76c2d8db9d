"""Side by side with every peer: ratios measured in one process, in one run, on one machine.

Nothing here is imported by the package or needed by its tests. Peers are imported inside the functions that use
them, so that every module of ``bench`` loads without any of them.
"""
