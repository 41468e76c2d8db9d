"""Ready-made datasets: what courses and papers train on, as sources like any other.

Three come with installed packages and need no network; the others are downloaded once, from where their makers
offer them, and compared with the published checksums. A folder that has them already is used instead.

>>> from imagemill.datasets import SOURCES, digits
>>> digits().describe().split("; ")[1]
'10 classes: 0 178, 1 182, 2 177, 3 183, 4 181, 5 182, 6 181, 7 179, 8 174, 9 180'
>>> [loan.name for loan in SOURCES.values() if not loan.downloads]
['digits', 'cat', 'sample_scan']
"""

from __future__ import annotations

from imagemill.datasets.catalogue import SOURCES, Download, Loan
from imagemill.datasets.lend import cat, cifar10, digits, fashion_mnist, flowers, load, mnist, sample_scan

__all__ = [
    "SOURCES",
    "Download",
    "Loan",
    "cat",
    "cifar10",
    "digits",
    "fashion_mnist",
    "flowers",
    "load",
    "mnist",
    "sample_scan",
]
