"""The ready-made datasets: names, sizes, licences, addresses and checksums, as a table.

Sizes and sha256 digests are those that TensorFlow Datasets records for the same files, MD5 digests those that the
makers (CIFAR-10, Fashion-MNIST) or the mirrors (MNIST) publish beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ["NOT_STATED", "SOURCES", "Download", "Loan"]

NOT_STATED = "not stated"
"""The licence of a set whose makers name none: ask them before you pass it on or sell what was made of it."""


@dataclass(frozen=True, slots=True)
class Download:
    """One file of a set, as its makers offer it.

    Parameters
    ----------
    name : str
        Its name; ``.tar.gz`` and ``.tgz`` are unpacked, without their outermost folder.
    urls : tuple of str
        Where it can be had; the next is asked when one does not answer.
    size : int
        Bytes.
    sha256, md5 : str or None
        Digests of the whole file, in hex; both are compared, where they are known. Without either, the sha256 of
        what came first is recorded beside it.
    unpacked : int
        Most bytes that an archive may unpack to.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    sha256: str | None = None
    md5: str | None = None
    unpacked: int = 0


@dataclass(frozen=True, slots=True)
class Loan:
    """One ready-made dataset.

    Parameters
    ----------
    name : str
        For `load` and the command, such as ``"mnist"``.
    title : str
        What it is, for people.
    classes : tuple of str
        Class names in the order of their numbers; empty where there are none.
    images : mapping of str to int
        Number of images in each part; the part ``"all"`` stands for a set that is not split.
    pixels : str
        Size and kind of the images, in words.
    licence : str
        As its makers state it, for all pictures; "not stated" where they do not.
    citation : str
        What to cite.
    home : str
        Where its makers describe it.
    layout : str
        The layout in which it is written to a folder, unless asked otherwise.
    downloads : tuple of Download
        Its files; empty where an installed package brings it.
    package : str
        The package that brings it; empty where it is downloaded.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    images: Mapping[str, int]
    pixels: str
    licence: str
    citation: str
    home: str
    layout: str
    downloads: tuple[Download, ...] = field(default=())
    package: str = ""

    @property
    def count(self) -> int:
        """Number of images."""
        return sum(self.images.values())

    @property
    def size(self) -> int:
        """Bytes to download; 0 where an installed package brings the set."""
        return sum(one.size for one in self.downloads)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses asked first, one for each file."""
        return tuple(one.urls[0] for one in self.downloads)


_MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
_FASHION = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
_FLOWERS = (
    "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
    "http://download.tensorflow.org/example_images/flower_photos.tgz",
)
_IDX = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def _idx(places: tuple[str, ...], *known: tuple[int, str, str]) -> tuple[Download, ...]:
    """The four files of MNIST and its relatives."""
    names = [f"{name}-ubyte.gz" for name in _IDX]
    return tuple(
        Download(name, tuple(place + name for place in places), size, sha256, md5)
        for name, (size, sha256, md5) in zip(names, known, strict=True)
    )


_ALL = (
    Loan(
        "digits",
        "handwritten digits, 8 x 8 pixels",
        tuple("0123456789"),
        {"all": 1_797},
        "8 x 8 gray",
        "CC BY 4.0",
        "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998",
        "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        "class-folders",
        package="scikit-learn",
    ),
    Loan(
        "cat",
        "one photo of a cat",
        ("cat",),
        {"all": 1},
        "300 x 451 RGB",
        "CC0",
        "Stéfan van der Walt: Chelsea the cat, in scikit-image",
        "https://scikit-image.org/docs/stable/api/skimage.data.html",
        "class-folders",
        package="scikit-image",
    ),
    Loan(
        "sample_scan",
        "one head scan, 4-D NIfTI",
        (),
        {"all": 1},
        "24 slices of 96 x 128, 2 time points, int16",
        NOT_STATED,
        "Brett et al.: nibabel, access to neuro-imaging files, https://nipy.org/nibabel",
        "https://nipy.org/nibabel",
        "folder",
        package="nibabel",
    ),
    Loan(
        "mnist",
        "handwritten digits (MNIST)",
        tuple("0123456789"),
        {"train": 60_000, "test": 10_000},
        "28 x 28 gray",
        NOT_STATED,
        "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, 1998",
        "http://yann.lecun.com/exdb/mnist/",
        "split-folders",
        _idx(
            _MNIST,
            (
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            ),
            (
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "d53e105ee54ea40749a09fcbcd1e9432",
            ),
            (
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "9fb629c4189551a2d022fa330f9573f3",
            ),
            (
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
    ),
    Loan(
        "fashion_mnist",
        "pieces of clothing (Fashion-MNIST)",
        # The makers write "T-shirt/top"; a slash would make it a class "top" below a class "T-shirt".
        (
            "T-shirt or top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        {"train": 60_000, "test": 10_000},
        "28 x 28 gray",
        "MIT",
        "Xiao, Rasul, Vollgraf: Fashion-MNIST, a Novel Image Dataset for Benchmarking, arXiv 1708.07747, 2017",
        "https://github.com/zalandoresearch/fashion-mnist",
        "split-folders",
        _idx(
            _FASHION,
            (
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            ),
            (
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "25c81989df183df01b3e8a0aad5dffbe",
            ),
            (
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "bef4ecab320f06d8554ea6380940ec79",
            ),
            (
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
    ),
    Loan(
        "cifar10",
        "small photos of ten kinds of objects (CIFAR-10)",
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        {"train": 50_000, "test": 10_000},
        "32 x 32 RGB",
        NOT_STATED,
        "Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        "split-folders",
        (
            # The binary version: the one for Python is made of pickles, which can run any code when they are read.
            Download(
                "cifar-10-binary.tar.gz",
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                "c32a1d4ab5d03f1284b67883e8d87530",
                unpacked=200_000_000,
            ),
        ),
    ),
    Loan(
        "flowers",
        "photos of five kinds of flowers",
        ("daisy", "dandelion", "roses", "sunflowers", "tulips"),
        {"all": 3_670},
        "RGB of many sizes",
        "CC BY 2.0",
        "The TensorFlow Team: Flowers, http://download.tensorflow.org/example_images/flower_photos.tgz, 2019",
        "https://www.tensorflow.org/datasets/catalog/tf_flowers",
        "class-folders",
        (
            Download(
                "flower_photos.tgz",
                _FLOWERS,
                228_813_984,
                "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
                unpacked=300_000_000,
            ),
        ),
    ),
)

SOURCES: Mapping[str, Loan] = MappingProxyType({loan.name: loan for loan in _ALL})
"""Every ready-made dataset, by name.

Examples
--------
>>> SOURCES["mnist"].count, SOURCES["mnist"].licence
(70000, 'not stated')
"""
