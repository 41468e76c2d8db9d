"""Numbers taken from single images: position, size, turn, tone, polarity, sharpness, noise, stroke width, colour cast.

Each is a pure function of images and knows nothing of populations or transforms.
"""
