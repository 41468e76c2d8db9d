"""The generator itself: what is drawn, how it is applied, what is learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from imagemill.compat.keras import learned as statistics
from imagemill.compat.keras.affine import _as, _floating, matrices
from imagemill.compat.keras.changing import Reading, changed, moved, moves_of
from imagemill.compat.keras.defaults import (
    Array,
    channels_last,
    data_format_or_default,
    dtype_or_default,
    fresh,
)
from imagemill.compat.keras.draws import Parameters, Ranges, read_ranges, read_zoom
from imagemill.compat.keras.flows import Flows
from imagemill.compat.keras.harmful import dark_brightness, say, two_shifts
from imagemill.core.errors import InputError, ParameterError, blame_caller
from imagemill.core.geometry import Floats
from imagemill.core.near_words import takes
from imagemill.core.randomness.rng import read_seed
from imagemill.engine.buffers import Buffers
from imagemill.engine.tone_values import AS_IT_IS, Finish, finished

__all__ = ["ImageDataGenerator"]


class ImageDataGenerator(Flows):
    """Batches of randomly changed pictures, with the arguments that courses and code bases know.

    Parameters
    ----------
    featurewise_center, featurewise_std_normalization : bool
        Subtract the mean of each channel over the pictures :meth:`fit` saw, and divide by the deviation.
    samplewise_center, samplewise_std_normalization : bool
        The same with each picture's own mean and deviation over all its values.
    zca_whitening : bool
        Take the correlations between pixels out, as learned by :meth:`fit`.
    zca_epsilon : float
        Added to singular values before they divide.
    rotation_range : float
        Turn by up to so many degrees, either way.
    width_shift_range, height_shift_range : float, int or sequence
        A float below 1 is a share of the length, a larger one pixels; a whole number ``k`` draws one of
        0 to ``k - 1`` pixels either way; a sequence is chosen from, either way, also one of two values: no range.
    brightness_range : pair of float, optional
        Factors, applied in 8 bits: pictures are from 0 to 255.
    shear_range : float
        Degrees, either way.
    zoom_range : float or pair of float
        ``z`` means ``1 - z`` to ``1 + z``, along columns and rows apart; above 1 shrinks.
    channel_shift_range : float
        Added to all values, either way, within the range that the picture spans.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}
        What shows beyond the edge.
    cval : float
        The value with ``"constant"``.
    horizontal_flip, vertical_flip : bool
        Turn over half of the pictures.
    rescale : float, optional
        Factor on all values, after the transforms and the function.
    preprocessing_function : callable, optional
        Takes one picture of rank 3, after the transforms, and returns one of the same shape.
    data_format : {"channels_last", "channels_first"}, optional
    validation_split : float
        Share of the pictures that ``subset="validation"`` gives.
    interpolation_order : int
        Of the spline, 0 to 5.
    dtype : dtype, optional
        float32 where Keras is not set otherwise.
    seed : int, optional
        For everything that is not given one of its own; made once and kept when left out.
    exact : bool
        Repeat two slips of Keras 3: width and height shifts exchanged, and rectangles turned about the centre
        of their transpose.

    Source
    ------
    The behaviour of ``ImageDataGenerator`` in Keras 3.15's legacy module and Keras-Preprocessing 1.1.2; where
    they differ, of the former.

    Examples
    --------
    >>> generator = ImageDataGenerator(rotation_range=15, horizontal_flip=True, rescale=1 / 255)
    >>> pictures, labels = np.zeros((10, 32, 32, 3), np.uint8), np.arange(10)
    >>> x, y = next(generator.flow(pictures, labels, batch_size=4, seed=1))
    >>> x.shape, x.dtype.name, len(y)
    ((4, 32, 32, 3), 'float32', 4)
    """

    @takes
    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Array], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
        *,
        seed: int | None = None,
        exact: bool = False,
    ) -> None:
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = brightness_range
        self.shear_range = shear_range
        self.zoom_range = list(read_zoom(zoom_range))
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.data_format = data_format_or_default(data_format)
        self.interpolation_order = interpolation_order
        self.dtype = dtype_or_default(dtype).name
        self.exact = exact
        self.seed = read_seed(seed)
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        self._known: tuple[str, Ranges] | None = None
        self._looked = False
        self._check(validation_split)
        self._validation_split = validation_split
        self._overrule()

    def _check(self, validation_split: float) -> None:
        if validation_split and not 0 < validation_split < 1:
            raise ParameterError(f"`validation_split` must be strictly between 0 and 1, got {validation_split!r}")
        light = self.brightness_range
        if light is not None and (not isinstance(light, tuple | list) or len(light) != 2):
            raise ParameterError(f"brightness_range should be tuple or list of two floats, got {light!r}")
        if np.dtype(self.dtype).kind != "f":
            raise ParameterError(f"expected a floating-point dtype such as 'float32', got {self.dtype!r}")
        _ = self._ranges, self._reading
        for name in ("width_shift_range", "height_shift_range"):
            if (words := two_shifts(name, getattr(self, name))) is not None:
                say(words)

    def _overrule(self) -> None:
        """Options that ask for others switch them on or off, and say so."""
        if self.zca_whitening and not self.featurewise_center:
            self.featurewise_center = True
            say("zca_whitening needs centred pictures: featurewise_center is on as well")
        if self.zca_whitening and self.featurewise_std_normalization:
            self.featurewise_std_normalization = False
            say("zca_whitening scales by itself: featurewise_std_normalization is off")
        if self.featurewise_std_normalization and not self.featurewise_center:
            self.featurewise_center = True
            say("featurewise_std_normalization needs centred pictures: featurewise_center is on as well")
        if self.samplewise_std_normalization and not self.samplewise_center:
            self.samplewise_center = True
            say("samplewise_std_normalization needs centred pictures: samplewise_center is on as well")

    @property
    def _ranges(self) -> Ranges:
        """The ranges as they are now: attributes may be changed after construction."""
        asked: tuple[Any, ...] = (
            self.rotation_range,
            self.width_shift_range,
            self.height_shift_range,
            self.shear_range,
            self.zoom_range,
            self.channel_shift_range,
            self.brightness_range,
            self.horizontal_flip,
            self.vertical_flip,
        )
        # Told apart by what they show: 1 is a choice of pixels, 1.0 a range of them, though they are equal.
        asked = tuple(v.tolist() if isinstance(v, np.ndarray) else v for v in asked)
        known, shown = self._known, repr(asked)
        if known is None or known[0] != shown:
            known = self._known = shown, read_ranges(*asked)
        return known[1]

    # ------------------------------------------------------------------------------------------- one picture

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, Any]:
        """Draw the numbers of one picture.

        Parameters
        ----------
        img_shape : sequence of int
            Of the picture, rank 3.
        seed : int, optional
            The same seed draws the same numbers.

        Returns
        -------
        dict
            ``theta`` and ``shear`` in degrees, ``tx`` and ``ty`` in pixels along the columns and the rows, ``zx``
            and ``zy``, ``flip_horizontal`` and ``flip_vertical``, ``channel_shift_intensity`` and ``brightness``
            (None where they are off).

        Examples
        --------
        >>> drawn = ImageDataGenerator(rotation_range=10).get_random_transform((32, 32, 3), seed=3)
        >>> abs(drawn["theta"]) <= 10, drawn["brightness"]
        (True, None)
        """
        chosen, key = fresh(seed)
        size = int(img_shape[self.row_axis - 1]), int(img_shape[self.col_axis - 1])
        return self._ranges.draw(chosen, 0, [key], size, exact=self.exact).row(0)

    def apply_transform(self, x: Any, transform_parameters: Mapping[str, Any]) -> Array:
        """Change one picture by given numbers, in the order geometry, channel shift, flips, brightness.

        Parameters
        ----------
        x : array, rank 3
        transform_parameters : mapping
            As :meth:`get_random_transform` draws them; what is missing changes nothing.

        Examples
        --------
        >>> picture = np.arange(4, dtype=np.float32).reshape(2, 2, 1)
        >>> ImageDataGenerator().apply_transform(picture, {"flip_horizontal": True})[..., 0].tolist()
        [[1.0, 0.0], [3.0, 2.0]]
        """
        x = np.asarray(x)
        if x.ndim != 3:
            raise InputError(f"expected one picture with channels, of rank 3, got shape {x.shape}")
        drawn = Parameters.one(transform_parameters)
        given = channels_last(_floating(x), self.data_format)[None]
        self._look(given)
        matrix = None if drawn.still else self._matrices(drawn, given.shape[1:3])
        made = changed(given, drawn, matrix, self._reading, dtype=given.dtype, data_format=self.data_format)[0]
        # Brightness gives floating point, whatever comes in.
        return made if drawn.brightness is not None else _as(made, x.dtype)

    def _look(self, pictures: Array) -> None:
        """Say once, of the first pictures, what brightness makes of them."""
        if self._looked or self.brightness_range is None:
            return
        self._looked = True
        if (words := dark_brightness(pictures)) is not None:
            say(words)

    def random_transform(self, x: Any, seed: int | None = None) -> Array:
        """Change one picture by numbers drawn for it."""
        x = np.asarray(x)
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    # ------------------------------------------------------------------------------------------- many pictures

    def _matrices(self, drawn: Parameters, size: tuple[int, int]) -> Floats:
        return matrices(drawn.theta, drawn.tx, drawn.ty, drawn.shear, drawn.zx, drawn.zy, size, exact=self.exact)

    @property
    def _reading(self) -> Reading:
        return Reading(self.interpolation_order, self.fill_mode, self.cval)

    def augmented(
        self,
        images: Array,
        keys: Sequence[Any],
        *,
        epoch: int = 0,
        seed: int | None = None,
        workers: int = 1,
        masks: Array | None = None,
        mask_cval: int = 0,
        buffers: Buffers | None = None,
        rows: Any = None,
        names: Sequence[Any] | None = None,
    ) -> tuple[Array, Array | None]:
        """Transform and standardise a batch; label maps, if any, follow the same geometry.

        Parameters
        ----------
        images : array, rank 4
            Of one size, axes as ``data_format`` says.
        keys : sequence of int or str
            One a picture: seed, epoch and key decide what is drawn, nothing else does.
        epoch : int
        seed : int, optional
            The generator's own when left out.
        workers : int
            Threads; the result does not depend on it.
        masks : array, ``[n, H, W]``, optional
            Label maps; labels are never mixed.
        mask_cval : int
            Label beyond the edge where ``fill_mode`` is constant.
        buffers : Buffers, optional
            Memory of batches that are done with, to be used again.
        rows : array of int, ``[n]``, optional
            Which of ``images`` the batch is made of; keys and label maps are those of these rows.
        names : sequence, optional
            What errors call the pictures; their keys when left out.

        Returns
        -------
        images : array, rank 4, of the generator's dtype
        masks : array, ``[n, H, W]``, or None
        """
        x = channels_last(np.asarray(images), self.data_format)
        dtype, size, ranges = np.dtype(self.dtype), (x.shape[1], x.shape[2]), self._ranges
        drawn = ranges.draw(self.seed if seed is None else seed, epoch, keys, size, exact=self.exact)
        self._look(x)
        matrix = self._matrices(drawn, size) if ranges.moving else None
        # In the same pass where nothing else comes between.
        at_once = self.preprocessing_function is None
        made = changed(
            x,
            drawn,
            matrix,
            self._reading,
            self._finish() if at_once else AS_IT_IS,
            rows=rows,
            dtype=dtype if dtype.itemsize > 4 else np.dtype(np.float32),
            data_format=self.data_format,
            workers=workers,
            buffers=buffers,
        )
        made = (self._whitened(made) if at_once else self._standardized(made, names or keys)).astype(dtype, copy=False)
        if masks is None:
            return made, None
        if matrix is None:
            return made, masks.copy()
        moves = replace(moves_of(drawn, matrix, self._reading), fill=mask_cval)
        return made, moved(masks[..., None], moves, 0, workers=workers)[..., 0]

    def standardize(self, x: Any) -> Array:
        """Apply the function, ``rescale`` and the normalisations, in this order, to one picture or a batch.

        Parameters
        ----------
        x : array, rank 3 or 4
            It is not changed.

        Warns
        -----
        UserWarning
            When a normalisation is on that nothing was learned for.
        """
        x = np.asarray(x)
        x = x.copy() if x.dtype.kind == "f" else x.astype(self.dtype)
        if self.preprocessing_function is None or x.ndim == 4:
            return self._standardized(x)
        alone: Array = self._standardized(x[None])[0]
        return alone

    def _standardized(self, x: Array, names: Sequence[Any] = ()) -> Array:
        """The same, of floating-point pictures of rank 3 or 4 that may be changed; errors call them by ``names``."""
        if self.preprocessing_function is not None:
            x = self._preprocessed(x, names)
        return self._whitened(finished(x, self._finish()))

    def _finish(self) -> Finish:
        """What is on and was learned; says what is on and was not."""
        mean = self.featurewise_center and statistics.fitted("featurewise_center", self.mean)
        std = self.featurewise_std_normalization and statistics.fitted("featurewise_std_normalization", self.std)
        return Finish(
            float(self.rescale or 1),
            self.samplewise_center,
            self.samplewise_std_normalization,
            self.mean if mean else None,
            self.std if std else None,
        )

    def _whitened(self, x: Array) -> Array:
        if self.zca_whitening and statistics.fitted("zca_whitening", self.zca_whitening_matrix):
            x = statistics.whitened(x, self.zca_whitening_matrix)
        return x

    def _preprocessed(self, x: Array, names: Sequence[Any]) -> Array:
        """The user's function on each picture."""
        assert self.preprocessing_function is not None
        parts: list[Array] = []
        for i, picture in enumerate(x):
            named = f"picture {names[i]}" if len(names) else f"picture {i} of {len(x)}"
            try:
                parts.append(np.asarray(self.preprocessing_function(picture)))
            except Exception as error:
                blame_caller(error, f"preprocessing_function, called with {named}")
                raise
            if parts[-1].shape != picture.shape:
                raise InputError(
                    f"expected preprocessing_function to keep the shape {picture.shape}, got {parts[-1].shape} for "
                    f"{named}; resize with target_size instead"
                )
        stacked = np.stack(parts) if parts else x
        made: Array = stacked if stacked.dtype.kind == "f" else stacked.astype(self.dtype)
        return made

    # ------------------------------------------------------------------------------------------- learning

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn what the featurewise normalisations and whitening need.

        Parameters
        ----------
        x : array, rank 4
            Training pictures; ``rescale`` is applied to them first.
        augment : bool
            Learn from transformed pictures.
        rounds : int
            How many times over, with ``augment``.
        seed : int, optional
            Of these transforms.

        Raises
        ------
        InputError
            For another rank, or no picture.

        Warns
        -----
        UserWarning
            When the number of channels is not 1, 3 or 4.

        Examples
        --------
        >>> generator = ImageDataGenerator(featurewise_center=True)
        >>> generator.fit(np.full((2, 4, 4, 1), 7.0))
        >>> generator.mean.tolist()
        [[[7.0]]]
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise InputError(f"Input to `.fit()` should have rank 4, got shape {x.shape}; a batch of one is x[None]")
        if len(x) == 0:
            raise InputError("expected at least one picture to learn from, got none")
        channels = x.shape[self.channel_axis]
        if channels not in (1, 3, 4):
            say(
                f"expected 1, 3 or 4 channels on axis {self.channel_axis} ({self.data_format}), got {channels} in "
                f"pictures of shape {x.shape}"
            )
        if self.rescale:
            x *= x.dtype.type(self.rescale)
        if augment:
            x = self._rounds(x, rounds, self.seed if seed is None else read_seed(seed))
        found = statistics.fit(
            x,
            self.channel_axis,
            centre=self.featurewise_center,
            scale=self.featurewise_std_normalization,
            whiten=self.zca_whitening,
            epsilon=self.zca_epsilon,
        )
        self.mean = self.mean if found.mean is None else found.mean
        self.std = self.std if found.std is None else found.std
        self.zca_whitening_matrix = self.zca_whitening_matrix if found.whitening is None else found.whitening

    def _rounds(self, x: Array, rounds: int, seed: int) -> Array:
        made = []
        view = channels_last(x, self.data_format)
        how: dict[str, Any] = {"dtype": x.dtype, "data_format": self.data_format}
        ranges, size = self._ranges, view.shape[1:3]
        for epoch in range(rounds):
            drawn = ranges.draw(seed, epoch, range(len(x)), size, exact=self.exact)
            matrix = self._matrices(drawn, size) if ranges.moving else None
            made.append(changed(view, drawn, matrix, self._reading, **how))
        return np.concatenate(made)
