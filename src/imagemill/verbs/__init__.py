"""One room for each verb of the command: what it makes of a dataset, as a function and as a report.

Rooms here do not see each other. They carry a name of their own below ``verbs`` because the functions are public as
``imagemill.scan``, ``imagemill.augment`` and so on, and a package of that name would hide them.
"""
