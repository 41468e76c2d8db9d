"""Transforms of scans, 128^3 float32: ours, and how each peer says the same, with the same numbers.

``tio`` is torchio, ``mn`` monai.transforms, ``bg`` the transforms of batchgeneratorsv2 by name.
"""

# ruff: noqa: E501  # a line a peer

from __future__ import annotations

from bench.transforms.rows import Row

SIDES = ("TorchIO", "batchgeneratorsv2", "MONAI")
"""Whom volumes are tried with, in the order of the columns."""

ROWS = (
    Row("Flip", "im.Flip('x')", tio="tio.Flip(2)", mn="mn.Flip(2)"),
    Row("QuarterTurn", "im.QuarterTurn(1)", mn="mn.Rotate90(1, (1, 2))"),
    Row("Rotate, all axes", "im.Rotate(15, plane='all')", tio="tio.Affine(1, 15, 0)",
        bg="bg.SpatialTransform((128,) * 3, 0, False, p_rotation=1, rotation=(.26, .26))", mn="mn.Affine((.26, .26, .26), padding_mode='border', image_only=True)"),
    Row("Zoom", "im.Zoom(1.2)", tio="tio.Affine(1.2, 0, 0)", bg="bg.SpatialTransform((128,) * 3, 0, False, p_scaling=1, scaling=(.83, .83))", mn="mn.Zoom(1.2, mode='bilinear')"),
    Row("Shift", "im.Shift(pixels=2.5)", tio="tio.Affine(1, 0, 2.5)", mn="mn.Affine(translate_params=(2.5, 2.5, 2.5), padding_mode='border', image_only=True)"),
    Row("Elastic", "im.Elastic(.2)", tio="tio.RandomElasticDeformation()", bg="bg.SpatialTransform((128,) * 3, 0, False, p_elastic_deform=1)",
        mn="mn.Rand3DElastic((8, 8), (200, 200), prob=1, padding_mode='border')"),
    Row("Resample", "im.Resample((96, 96, 96))", tio="tio.Resize(96)", mn="mn.Resize((96, 96, 96), mode='trilinear')"),
    Row("Crop, centre", "im.Crop(96)", tio="tio.CropOrPad(96)", mn="mn.CenterSpatialCrop(96)"),
    Row("Crop, random", "im.Crop(96, at='random')", mn="mn.RandSpatialCrop(96, random_size=False)"),
    Row("CropOrPad", "im.CropOrPad((160, 96, 128))", tio="tio.CropOrPad((160, 96, 128))", mn="mn.ResizeWithPadOrCrop((160, 96, 128))"),
    Row("Brightness", "im.Brightness(1.2)", bg="bg.MultiplicativeBrightnessTransform((1.2, 1.2), False)", mn="mn.ScaleIntensity(minv=None, maxv=None, factor=.2)"),
    Row("Contrast", "im.Contrast(1.2)", bg="bg.ContrastTransform((1.2, 1.2), False, False)"),
    Row("Gamma", "im.Gamma(1.5)", tio="tio.Gamma(1.5)", mn="mn.AdjustContrast(1.5)"),
    Row("Gamma, own range", "im.Gamma(1.5, within='range', keep=True)", bg="bg.GammaTransform((1.5, 1.5), 0, False, 1, 1)", mn="mn.AdjustContrast(1.5, retain_stats=True)"),
    Row("Window", "im.Window(.5, .8)", mn="mn.ScaleIntensityRange(.1, .9, 0, 1, clip=True)"),
    Row("Rescale", "im.Rescale('minmax')", tio="tio.RescaleIntensity((0, 1))", mn="mn.ScaleIntensity(0, 1)"),
    Row("Standardize", "im.Standardize()", tio="tio.ZNormalization()", mn="mn.NormalizeIntensity()"),
    Row("ClipPercentiles", "im.ClipPercentiles(1, 99)", mn="mn.ClipIntensityPercentiles(1, 99)"),
    Row("GaussianBlur", "im.GaussianBlur(1)", tio="tio.Blur(1)", bg="bg.GaussianBlurTransform((1., 1.), False, False, 1)", mn="mn.GaussianSmooth(1)"),
    Row("MedianBlur", "im.MedianBlur(3)", mn="mn.MedianSmooth(1)", slow=True),
    Row("GaussianNoise", "im.GaussianNoise(.1)", tio="tio.Noise(0, .1, 1)", bg="bg.GaussianNoiseTransform((.01, .01), 1, True)", mn="mn.RandGaussianNoise(1, 0, .1, sample_std=False)"),
    Row("BiasField", "im.BiasField(.5)", tio="tio.RandomBiasField(.5)", mn="mn.RandBiasField(prob=1)"),
    Row("MotionArtefact", "im.MotionArtefact()", tio="tio.RandomMotion()", slow=True),
    Row("Ghosting", "im.Ghosting()", tio="tio.RandomGhosting()"),
    Row("Spike", "im.Spike()", tio="tio.RandomSpike()", mn="mn.KSpaceSpikeNoise((64, 70, 60))"),
    Row("LowResolution", "im.LowResolution(2)", tio="tio.RandomAnisotropy(downsampling=2)", bg="bg.SimulateLowResolutionTransform((.5, .5), False, True, (), None, 1)",
        mn="mn.RandSimulateLowResolution(1, zoom_range=(.5, .5))"),
    Row("GibbsRinging", "im.GibbsRinging(.5)", mn="mn.GibbsNoise(.5)"),
    Row("RicianNoise", "im.RicianNoise(.1)", mn="mn.RandRicianNoise(1, 0, .1, sample_std=False)"),
    Row("HistogramShift", "im.HistogramShift(10)", mn="mn.RandHistogramShift(10, 1)"),
    Row("DeviationShift", "im.DeviationShift(.3)", mn="mn.StdShiftIntensity(.3)"),
    Row("PatchSwap", "im.PatchSwap((15, 15, 15), 100)", tio="tio.RandomSwap(15, 100)"),
    Row("GridDistortion", "im.GridDistortion(.1)", mn="mn.RandGridDistortion(5, 1, (-.1, .1), mode='bilinear')"),
    Row("CoarseDropout", "im.CoarseDropout(3, .2)", mn="mn.RandCoarseDropout(3, (26, 26, 26), fill_value=0, prob=1)"),
    Row("Erasing, cuboids of noise", "im.CoarseDropout(3, .2, fill='noise')", mn="mn.RandCoarseShuffle(3, (26, 26, 26), prob=1)"),
    Row("ToDtype", "im.ToDtype('float16')", mn="mn.CastToType(torch.float16)", out="float16"),
)  # fmt: skip
