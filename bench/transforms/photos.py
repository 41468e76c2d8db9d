"""Transforms of photos: ours, and how each peer says the same, with the same numbers.

A line each. What is random there and here has fixed parameters, but for places and noise. In expressions ``x`` is the
photo as that peer takes it: ``(375, 500, 3)`` bytes for OpenCV and kornia-rs, an image for Pillow. The others are
transforms: ``A`` is albumentations, ``T`` torchvision.transforms.v2, ``K`` kornia.augmentation, ``rs`` kornia_rs.imgproc.
"""

# ruff: noqa: E501  # a line a peer

from __future__ import annotations

from bench.transforms.rows import Row

SIDES = ("Albumentations", "torchvision", "Kornia", "kornia-rs", "OpenCV", "Pillow")
"""Whom photos are tried with, in the order of the columns; the last two are single calls of a library of functions."""

ROWS = (
    # Geometry.
    Row("Flip", "im.Flip('x')", A="A.HorizontalFlip(p=1)", T="T.RandomHorizontalFlip(1)", K="K.RandomHorizontalFlip(p=1)",
        rs="rs.horizontal_flip(x)", cv="cv2.flip(x, 1)", pil="ImageOps.mirror(x)"),
    Row("Flip, upside down", "im.Flip('y')", A="A.VerticalFlip(p=1)", T="T.RandomVerticalFlip(1)", K="K.RandomVerticalFlip(p=1)",
        rs="rs.vertical_flip(x)", cv="cv2.flip(x, 0)", pil="ImageOps.flip(x)"),
    Row("Transpose", "im.Transpose()", A="A.Transpose(p=1)", cv="cv2.transpose(x)", pil="x.transpose(Image.Transpose.TRANSPOSE)"),
    Row("D4", "im.D4()", A="A.D4(p=1)", batches=False),
    Row("QuarterTurn", "im.QuarterTurn()", A="A.RandomRotate90(p=1)", K="K.RandomRotation90((0, 3), p=1)", batches=False),
    Row("Rotate", "im.Rotate(20)", A="A.Rotate((20, 20), border_mode=cv2.BORDER_REPLICATE, p=1)", T="T.RandomRotation((20, 20), BILINEAR)",
        K="K.RandomRotation((20., 20.), p=1)", cv="cv2.warpAffine(x, TURN, (500, 375), borderMode=cv2.BORDER_REPLICATE)",
        pil="x.rotate(20, Image.Resampling.BILINEAR)"),
    Row("Affine", "im.Affine(20, 1.2, shift={'y': -.1, 'x': .1}, shear=10)",
        A="A.Affine(1.2, {'x': (.1, .1), 'y': (-.1, -.1)}, rotate=20, shear={'x': 10, 'y': 0}, border_mode=cv2.BORDER_REPLICATE, p=1)",
        T="T.RandomAffine((20, 20), (.1, .1), (1.2, 1.2), (10, 10), BILINEAR)", K="K.RandomAffine((20., 20.), (.1, .1), (1.2, 1.2), (10., 10.), p=1)",
        cv="cv2.warpAffine(x, TURN, (500, 375), borderMode=cv2.BORDER_REPLICATE)", pil="x.transform((500, 375), Image.Transform.AFFINE, TURN.ravel(), Image.Resampling.BILINEAR)"),
    Row("Shear", "im.Shear(10)", A="A.Affine(shear={'x': (10, 10), 'y': (0, 0)}, border_mode=cv2.BORDER_REPLICATE, p=1)",
        T="T.RandomAffine(0, shear=(10, 10), interpolation=BILINEAR)", K="K.RandomShear((10., 10.), p=1)"),
    Row("Shift", "im.Shift(fraction={'y': .0521, 'x': .0521})", A="A.Affine(translate_percent=(.0521, .0521), border_mode=cv2.BORDER_REPLICATE, p=1)",
        T="T.RandomAffine(0, (.1, .1), interpolation=BILINEAR)", K="K.RandomTranslate((.1, .1), (.1, .1), p=1)"),
    Row("Zoom", "im.Zoom(1.2)", A="A.Affine(1.2, border_mode=cv2.BORDER_REPLICATE, p=1)", T="T.RandomAffine(0, scale=(1.2, 1.2), interpolation=BILINEAR)",
        K="K.RandomAffine(0., scale=(1.2, 1.2), p=1)"),
    Row("Perspective", "im.Perspective(.1)", A="A.Perspective((.1, .1), border_mode=cv2.BORDER_REPLICATE, p=1)", T="T.RandomPerspective(.2, 1)", K="K.RandomPerspective(.2, p=1)"),
    Row("Elastic", "im.Elastic(.2)", A="A.ElasticTransform(200, 12, approximate=True, border_mode=cv2.BORDER_REPLICATE, p=1)", T="T.ElasticTransform(200., 12.)",
        K="K.RandomElasticTransform((63, 63), (12., 12.), (1., 1.), p=1)"),
    Row("GridDistortion", "im.GridDistortion(.3)", A="A.GridDistortion(5, (-.3, .3), border_mode=cv2.BORDER_REPLICATE, p=1)"),
    Row("OpticalDistortion", "im.OpticalDistortion(.1)", A="A.OpticalDistortion((.1, .1), border_mode=cv2.BORDER_REPLICATE, p=1)"),
    Row("Crop, centre", "im.Crop(224)", A="A.CenterCrop(224, 224)", T="T.CenterCrop(224)", K="K.CenterCrop(224)", cv="x[75:299, 138:362].copy()", pil="x.crop((138, 75, 362, 299))"),
    Row("Crop, random", "im.Crop(224, at='random')", A="A.RandomCrop(224, 224)", T="T.RandomCrop(224)", K="K.RandomCrop((224, 224))"),
    Row("RandomResizedCrop", "im.RandomResizedCrop(224)", A="A.RandomResizedCrop((224, 224))", T="T.RandomResizedCrop(224)", K="K.RandomResizedCrop((224, 224))"),
    Row("Resize, smaller", "im.Resize((224, 224))", A="A.Resize(224, 224, cv2.INTER_AREA)", T="T.Resize((224, 224))", K="K.Resize((224, 224))",
        rs="rs.resize(x, (224, 224), 'bilinear')", cv="cv2.resize(x, (224, 224), interpolation=cv2.INTER_AREA)", pil="x.resize((224, 224), Image.Resampling.BILINEAR)"),
    Row("Resize, larger", "im.Resize((480, 640))", A="A.Resize(480, 640)", T="T.Resize((480, 640))", K="K.Resize((480, 640))",
        rs="rs.resize(x, (480, 640), 'bilinear')", cv="cv2.resize(x, (640, 480))", pil="x.resize((640, 480), Image.Resampling.BILINEAR)"),
    Row("LongestSide", "im.LongestSide(320)", A="A.LongestMaxSize(320)", K="K.LongestMaxSize(320)", cv="cv2.resize(x, (320, 240))"),
    Row("ShortestSide", "im.ShortestSide(256)", A="A.SmallestMaxSize(256)", T="T.Resize(256)", K="K.SmallestMaxSize(256)", cv="cv2.resize(x, (341, 256))"),
    Row("Pad", "im.Pad((20, 30))", A="A.Pad((20, 30))", T="T.Pad((30, 20))", cv="cv2.copyMakeBorder(x, 20, 20, 30, 30, cv2.BORDER_CONSTANT)", pil="ImageOps.expand(x, (30, 20))"),
    Row("Pad, to a size", "im.Pad(size=(512, 512))", A="A.PadIfNeeded(512, 512)", K="K.PadTo((512, 512))", cv="cv2.copyMakeBorder(x, 68, 69, 6, 6, cv2.BORDER_CONSTANT)"),
    # Colour.
    Row("Brightness", "im.Brightness(1.2)", A="A.RandomBrightnessContrast((0, 0), (.2, .2), p=1)", T="T.ColorJitter((1.2, 1.2))", K="K.ColorJitter((1.2, 1.2), p=1)",
        cv="cv2.convertScaleAbs(x, alpha=1.2)", pil="ImageEnhance.Brightness(x).enhance(1.2)"),
    Row("GainOffset", "im.GainOffset(1.2, 10)", A="A.RandomBrightnessContrast((.04, .04), (.2, .2), p=1)", cv="cv2.convertScaleAbs(x, alpha=1.2, beta=10)"),
    Row("Contrast", "im.Contrast(1.2)", A="A.ColorJitter((1, 1), (1.2, 1.2), (1, 1), (0, 0), p=1)", T="T.ColorJitter(contrast=(1.2, 1.2))", K="K.ColorJitter(contrast=(1.2, 1.2), p=1)",
        pil="ImageEnhance.Contrast(x).enhance(1.2)"),
    Row("Saturation", "im.Saturation(1.3)", A="A.ColorJitter((1, 1), (1, 1), (1.3, 1.3), (0, 0), p=1)", T="T.ColorJitter(saturation=(1.3, 1.3))", K="K.ColorJitter(saturation=(1.3, 1.3), p=1)",
        pil="ImageEnhance.Color(x).enhance(1.3)"),
    Row("Hue", "im.Hue(10)", A="A.HueSaturationValue((5, 5), (0, 0), (0, 0), p=1)", T="T.ColorJitter(hue=(.028, .028))", K="K.ColorJitter(hue=(.028, .028), p=1)"),
    Row("ColorJitter", "im.ColorJitter(1.2, 1.2, 1.3, 10)", A="A.ColorJitter((1.2, 1.2), (1.2, 1.2), (1.3, 1.3), (.028, .028), p=1)",
        T="T.ColorJitter((1.2, 1.2), (1.2, 1.2), (1.3, 1.3), (.028, .028))", K="K.ColorJitter((1.2, 1.2), (1.2, 1.2), (1.3, 1.3), (.028, .028), p=1)"),
    Row("Gamma", "im.Gamma(1.5)", A="A.RandomGamma((150, 150), p=1)", K="K.RandomGamma((1.5, 1.5), p=1)", pil="x.point(TABLE)"),
    Row("Gray", "im.Gray()", A="A.ToGray(p=1)", T="T.Grayscale(3)", K="K.RandomGrayscale(p=1)", cv="cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)", pil="x.convert('L').convert('RGB')"),
    Row("Invert", "im.Invert()", A="A.InvertImg(p=1)", T="T.RandomInvert(1)", K="K.RandomInvert(p=1)", cv="cv2.bitwise_not(x)", pil="ImageOps.invert(x)"),
    Row("Sepia", "im.Sepia(1)", A="A.ToSepia(p=1)", rs="rs.sepia_from_rgb(x)", cv="cv2.transform(x, SEPIA)"),
    Row("ChannelShift", "im.ChannelShift((-.08, .08))", A="A.RGBShift((-20, 20), (-20, 20), (-20, 20), p=1)", K="K.RandomRGBShift(.08, .08, .08, p=1)"),
    Row("ChannelShuffle", "im.ChannelShuffle()", A="A.ChannelShuffle(p=1)", T="T.RandomChannelPermutation()", K="K.RandomChannelShuffle(p=1)", cv="cv2.cvtColor(x, cv2.COLOR_RGB2BGR)"),
    Row("ChannelDropout", "im.ChannelDropout()", A="A.ChannelDropout((1, 1), p=1)", K="K.RandomChannelDropout(p=1)"),
    Row("ColorTemperature", "im.ColorTemperature()", A="A.PlanckianJitter(p=1)", K="K.RandomPlanckianJitter(p=1)"),
    Row("ToneCurve", "im.ToneCurve()", A="A.RandomToneCurve(.1, p=1)", cv="cv2.LUT(x, TABLE8)"),
    Row("Lighting", "im.Lighting()", A="A.FancyPCA(.1, p=1)"),
    Row("Posterize", "im.Posterize(4)", A="A.Posterize(4, p=1)", T="T.RandomPosterize(4, 1)", K="K.RandomPosterize((4., 4.), p=1)", cv="cv2.LUT(x, TABLE8)", pil="ImageOps.posterize(x, 4)"),
    Row("Solarize", "im.Solarize(.5)", A="A.Solarize((.5, .5), p=1)", T="T.RandomSolarize(128, 1)", K="K.RandomSolarize((.5, .5), (0., 0.), p=1)", cv="cv2.LUT(x, TABLE8)", pil="ImageOps.solarize(x, 128)"),
    Row("Equalize", "im.Equalize()", A="A.Equalize(p=1)", T="T.RandomEqualize(1)", K="K.RandomEqualize(p=1)", pil="ImageOps.equalize(x)"),
    Row("AutoContrast", "im.AutoContrast()", A="A.AutoContrast(method='pil', p=1)", T="T.RandomAutocontrast(1)", K="K.RandomAutoContrast(p=1)", pil="ImageOps.autocontrast(x)"),
    Row("CLAHE", "im.CLAHE(4)", A="A.CLAHE((4, 4), p=1)", K="K.RandomClahe((4., 4.), p=1)"),
    Row("Normalize", "im.Normalize('imagenet')", A="A.Normalize()", T="T.Compose([T.ToDtype(torch.float32, scale=True), T.Normalize((.485, .456, .406), (.229, .224, .225))])",
        K="K.Normalize((.485, .456, .406), (.229, .224, .225))", out="float32"),
    Row("ToDtype", "im.ToDtype('float32', scale=True)", A="A.ToFloat()", T="T.ToDtype(torch.float32, scale=True)", cv="np.multiply(x, np.float32(1 / 255))", out="float32"),
    # Filters.
    Row("GaussianBlur", "im.GaussianBlur(1.5)", A="A.GaussianBlur(0, (1.5, 1.5), p=1)", T="T.GaussianBlur(11, (1.5, 1.5))", K="K.RandomGaussianBlur((11, 11), (1.5, 1.5), p=1)",
        rs="rs.gaussian_blur(x, (11, 11), (1.5, 1.5))", cv="cv2.GaussianBlur(x, (0, 0), 1.5)", pil="x.filter(ImageFilter.GaussianBlur(1.5))"),
    Row("BoxBlur", "im.BoxBlur(5)", A="A.Blur((5, 5), p=1)", K="K.RandomBoxBlur((5, 5), p=1)", rs="rs.box_blur(x, (5, 5))", cv="cv2.blur(x, (5, 5))", pil="x.filter(ImageFilter.BoxBlur(2))"),
    Row("MedianBlur", "im.MedianBlur(5)", A="A.MedianBlur((5, 5), p=1)", K="K.RandomMedianBlur((5, 5), p=1)", rs="rs.median_blur(x, 5)", cv="cv2.medianBlur(x, 5)", pil="x.filter(ImageFilter.MedianFilter(5))"),
    Row("MotionBlur", "im.MotionBlur(7, 30)", A="A.MotionBlur((7, 7), angle_range=(30, 30), p=1)", K="K.RandomMotionBlur(7, 30., 0., p=1)"),
    Row("DefocusBlur", "im.DefocusBlur(3)", A="A.Defocus((3, 3), p=1)"),
    Row("ZoomBlur", "im.ZoomBlur(1.2)", A="A.ZoomBlur((1.2, 1.2), (.02, .02), p=1)"),
    Row("Sharpen", "im.Sharpen(2)", A="A.Sharpen((.3, .3), (1., 1.), p=1)", T="T.RandomAdjustSharpness(2, 1)", K="K.RandomSharpness(2., p=1)", pil="ImageEnhance.Sharpness(x).enhance(2)"),
    Row("UnsharpMask", "im.UnsharpMask(.4, 1.5)", A="A.UnsharpMask((7, 7), (1.5, 1.5), (.4, .4), 0, p=1)", pil="x.filter(ImageFilter.UnsharpMask(1.5, 40, 0))"),
    Row("Emboss", "im.Emboss(.3)", A="A.Emboss((.3, .3), (.5, .5), p=1)", pil="x.filter(ImageFilter.EMBOSS)"),
    # Noise.
    Row("GaussianNoise", "im.GaussianNoise(.1)", A="A.GaussNoise((.1, .1), p=1)", T="T.GaussianNoise(sigma=.1)", K="K.RandomGaussianNoise(std=.1, p=1)"),
    Row("ShotNoise", "im.ShotNoise(200)", A="A.ShotNoise((.1, .1), p=1)"),
    Row("ISONoise", "im.ISONoise()", A="A.ISONoise(p=1)"),
    Row("SpeckleNoise", "im.SpeckleNoise(.1)", A="A.MultiplicativeNoise((.8, 1.2), elementwise=True, per_channel=True, p=1)"),
    Row("SaltAndPepper", "im.SaltAndPepper(.05)", A="A.SaltAndPepper((.05, .05), (.5, .5), p=1)", K="K.RandomSaltAndPepperNoise((.05, .05), (.5, .5), p=1)"),
    Row("PixelDropout", "im.PixelDropout(.05)", A="A.PixelDropout(.05, p=1)"),
    # Hidden parts.
    Row("CoarseDropout", "im.CoarseDropout(3, .2)", A="A.CoarseDropout((3, 3), (.2, .2), (.2, .2), p=1)"),
    Row("Erasing", "im.Erasing()", A="A.Erasing(p=1)", T="T.RandomErasing(1)", K="K.RandomErasing(p=1)"),
    Row("GridMask", "im.GridMask(.25, .5, 0)", A="A.GridDropout(.5, p=1)"),
)  # fmt: skip
