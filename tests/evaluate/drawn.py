"""Images drawn with known truth: a bar of given place, length, width, turn, tone, blur and noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def bar(
    *,
    side: int = 64,
    at: tuple[float, float] = (0.0, 0.0),
    length: float = 24.0,
    width: float = 8.0,
    degrees: float = 0.0,
    light: float = 0.8,
    dark: float = 0.2,
) -> np.ndarray:
    """A gray image ``[side, side]`` of a bar, its edges smooth over one pixel; ``degrees`` counter-clockwise."""
    down, right = np.indices((side, side)) - (side - 1) / 2
    down, right = down - at[0], right - at[1]
    turn = np.radians(degrees)
    along = right * np.cos(turn) - down * np.sin(turn)
    across = right * np.sin(turn) + down * np.cos(turn)
    inside = np.clip(length / 2 + 0.5 - abs(along), 0, 1) * np.clip(width / 2 + 0.5 - abs(across), 0, 1)
    return dark + (light - dark) * inside


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(image, sigma, mode="nearest")


def glyphs(
    count: int, seed: int, *, classes: int = 2, side: int = 16, colours: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Small light bars on dark: upright thin ones are class 0, thick ones class 1, and so on; 8 bits."""
    draws = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    images = np.stack(
        [
            bar(
                side=side,
                at=(draws.normal(0, 0.3), draws.normal(0, 0.3)),
                length=side * draws.uniform(0.45, 0.55),
                width=2 + 1.2 * label + draws.uniform(-0.2, 0.2),
                degrees=80 + draws.normal(0, 6),
                light=draws.uniform(0.6, 0.8),
                dark=0.1,
            )
            for label in labels
        ]
    )
    gray = (images * 255).round().astype(np.uint8)
    return np.repeat(gray[..., None], colours, axis=3), labels.astype(np.int64)
