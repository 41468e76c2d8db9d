"""Numbers taken from images: position, size, turn, tone, polarity, sharpness, noise, stroke width, colour cast.

Here: measures, each a pure function of images, and in `differences` whether two populations of images differ in one of
them. Not here: what follows from it, a finding (`audits`) or a transform (`evaluate`).
"""
