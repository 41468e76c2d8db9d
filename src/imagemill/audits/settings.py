"""Every threshold of the audit, with its reason; a project sets its own by name."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from imagemill.core.errors import ParameterError

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Thresholds of the checks.

    Parameters
    ----------
    enough, start : int
        Images of a class to be comfortable with, and to start with; a rule of thumb of the field.
    part_of_mean, part_of_largest : float, 0 to 1
        A class below this share of the mean class, or of the largest, is called small.
    dark : float, 0 to 1
        An image is dark when 99 of 100 of its pixels are below this brightness. CleanVision's default is 0.32.
    light : float, 0 to 1
        An image is light when 95 of 100 of its pixels are above ``1 - light``. CleanVision's default is 0.05.
    aspect : float, 0 to 1
        An image whose shorter side is below this share of the longer. CleanVision's default is 0.35.
    information : float, bits
        Entropy of the gray values below which an image has little in it; 3 bits are CleanVision's default of 0.3 of
        ten bits.
    darker : float, 0 to 1
        An image is dark as well when the hundredth of its pixels that is brightest is below this share of what it is in
        the median image, and below half of white: one stop and a half under the rest.
    blurred : float
        How many robust deviations below the median of the set the detail of an image lies, in logarithms; at the scale
        a network sees, so that a large photo that is soft only when it is enlarged is not called blurred.
    sharpness : float
        An image is called blurred only below this detail, whatever the set is like: the difference between the sharpest
        hundredth of its pixels and their neighbours, as a share of its range of values.
    noisy : float
        Standard deviation of the noise, as a share of white, above which an image is called noisy.
    odd_size : float
        How many times the distance of the quartiles a side may lie beyond them. Tukey (1977) calls 3 "far out", as
        CleanVision does.
    odd_share : float, 0 to 1
        A kind of pixels (channels, depth) that fewer images than this share have is named image by image.
    graphic : float, 0 to 1
        An image is like a drawing or a screenshot when more than this share of its pixels equal the next, where in the
        median image less than half as many do.
    clipped : float, 0 to 1
        Share of values at black or white, where the rest of the set has less than half of it.
    copies : float
        How alike two images have to be, beyond what images of this set are alike anyway: the odds, in tens, against
        a pair as alike as this among those of different content.
    level : float, 0 to 1
        Level of intervals and of tests.
    shortcut : float, 0 to 1
        What the class is told from (the border, the file) has to reach this share of what the whole image reaches.
    folds : int
        Parts of a cross-validation.
    burst : float, seconds
        Images that one camera took with no longer pause than this are one burst, and count once for variety.
    in_bursts : float, 0 to 1
        Share of the images of a class that bursts may hold beyond the first of each.
    colour_share, feature_share, stage_share : float, 0 to 1
        Least share of the images of a class that each of its colours, each secondary feature (stem, no stem) and each
        stage of a progression (ripe, spoiled, bitten) should have; rules of thumb of the field.
    same_size : float
        How many times as long as the smallest the largest object of a class is at least, over the middle four fifths;
        sizes of photos of one kind of thing differ by 1.5 and more, of digits that were made alike by 1.3.
    same_place : float, 0 to 1
        How far the centres of objects of a class lie apart at least, as a share of a side, over the middle four fifths:
        0.11 and more in photos, 0.03 in digits that were centred.
    same_turn : float, degrees
        Deviation of the direction of longer axes below which all objects of a class lie alike.
    one_light : float, 0 to 1
        A class is shown in one light when more than this share of its images has that kind of light.
    same_light : float, 0 to 1
        How far apart the brightness of images of a class is at least, as a share of white, over the middle four fifths:
        0.26 and more in photos, 0.06 under one microscope.
    label_errors : float, 0 to 1
        Share of wrong labels that a set may have: one in twenty-five, above which cleaning pays before more training.
    odd_scan : float
        How many robust deviations from the median, in logarithms, a scan's spacing, size or range of values or the
        volume of a label lies that is called odd; 3.5 as Iglewicz and Hoaglin (1993) say.
    usual : float, 0 to 1
        Share of the label maps in which a label is one piece, so that several pieces are odd in the others.
    island : float, 0 to 1
        A piece that holds less than this share of its label in an image is called an island.
    padded : float, 0 to 1
        Share of blank slices at the ends of a volume from which on they are said.
    tiny_box : float, pixels
        Area of a bounding box below which nothing is seen: 2 x 2 pixels.
    same_box : float, 0 to 1
        Intersection over union from which on two bounding boxes of an image are called the same.

    outlying : float
        How many times the distance of the quartiles an image may lie farther from others than the upper quartile, in
        logarithms of distances.
    centres : int
        Of patches that features are made of: more tell more, and cost as much more time.
    networks : int
        How many times over every image is told by networks, where labels are, with other folds each time; what they say
        is averaged.

    Examples
    --------
    >>> Settings(dark=0.2).dark
    0.2
    """

    enough: int = 1000
    start: int = 100
    part_of_mean: float = 0.2
    part_of_largest: float = 0.1
    dark: float = 0.32
    light: float = 0.05
    aspect: float = 0.35
    information: float = 3.0
    darker: float = 0.5
    blurred: float = 4.5
    sharpness: float = 0.35
    noisy: float = 0.06
    odd_size: float = 3.0
    odd_share: float = 0.05
    graphic: float = 0.6
    clipped: float = 0.3
    copies: float = 3.0
    level: float = 0.95
    shortcut: float = 0.8
    folds: int = 5
    burst: float = 3.0
    in_bursts: float = 0.2
    colour_share: float = 0.1
    feature_share: float = 0.05
    stage_share: float = 0.2
    same_size: float = 1.35
    same_place: float = 0.06
    same_turn: float = 10.0
    one_light: float = 0.9
    same_light: float = 0.1
    label_errors: float = 0.04
    odd_scan: float = 3.5
    usual: float = 0.8
    island: float = 0.01
    padded: float = 0.2
    tiny_box: float = 4.0
    same_box: float = 0.95
    outlying: float = 3.0
    centres: int = 200
    networks: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value < 0:
                raise ParameterError(f"expected a number of 0 or more for {field.name}, got {value!r}")
            if field.name in _SHARES and value > 1:
                raise ParameterError(f"expected a share from 0 to 1 for {field.name}, got {value!r}")

    @classmethod
    def of(cls, given: dict[str, Any]) -> Settings:
        """Settings by name.

        Raises
        ------
        ParameterError
            For a name that is none, with those there are.
        """
        known = [field.name for field in fields(cls)]
        if wrong := sorted(set(given) - set(known)):
            raise ParameterError(f"expected settings of {', '.join(known)}; got {', '.join(wrong)}")
        return cls(**given)


_SHARES = (
    "part_of_mean", "part_of_largest", "dark", "darker", "light", "graphic", "aspect", "odd_share", "clipped",
    "level", "shortcut",
    "label_errors", "usual", "island", "padded", "same_box",
    "in_bursts", "colour_share", "feature_share", "stage_share", "same_place", "one_light", "same_light",
)  # fmt: skip
