"""How far a quick kernel may be from the float64 reference: every tolerance of these tests, in one place.

What really holds is noted beside each (white noise, the hardest image there is for an interpolator).
"""

from __future__ import annotations

GREY_MEAN = 0.3
"""Mean error of integer images, in levels. Rounding alone costs 0.25; 0.27 was seen (cv2.resize; 0.25 elsewhere)."""

GREY_999 = 1.0
"""99.9th percentile of the error of uint8 images against the unrounded reference, in levels; 0.74 was seen."""

FLOAT_RELATIVE = 1e-4
"""Worst error of float images, as a part of the data's range; 7e-5 was seen (OpenCV; 1e-7 elsewhere)."""

SPLINE_RELATIVE = 1e-4
"""Worst error of orders 3 and 5, as a part of the data's range; 6e-7 was seen (float32 coefficients)."""

WIDE_INTEGER_RELATIVE = 1e-4
"""Worst error of 16 and 32 bit images beyond rounding, as a part of the data's range."""

LABEL_HALF = 1e-6
"""Labels may differ from the reference only where a coordinate is this near to a half, in pixels."""

EXACT = 0.0
"""Flips, quarter turns, whole shifts and crops: bit for bit."""
