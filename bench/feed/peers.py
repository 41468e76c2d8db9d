"""The other loaders, as their documentation writes them: each function gives an endless iterator of image arrays.

All crop a random part to ``side`` pixels, flip half of the pictures, change brightness and contrast, normalise and
give float32, where they have the means; `bench.feed.tables` says where they have not. ``threads`` is the number of
threads or processes that work, for each of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.feed.data import GENERATOR, MEAN, STD, Files, listed

Batches = Iterator[Any]


def _endless(loader: Any) -> Batches:
    for _ in itertools.count():
        for batch in loader:
            yield batch[0]


def items(folder: str | None, arrays: str | None) -> tuple[Any, list[int]]:
    """Files of a class folder, or arrays ``x`` and ``y`` that lie in a folder as .npy, read into memory."""
    if folder is not None:
        files, labels = listed(Path(folder))
        return [str(file) for file in files], labels
    assert arrays is not None
    return np.load(Path(arrays) / "x.npy"), np.load(Path(arrays) / "y.npy").tolist()


# ------------------------------------------------------------------------------------------- the ceiling


def bare(folder: str, threads: int, batch: int) -> Batches:
    """Reading and decoding with simplejpeg, and nothing else."""
    import simplejpeg

    def some(paths: tuple[Path, ...]) -> list[Any]:
        for path in paths:
            simplejpeg.decode_jpeg(path.read_bytes())
        return [None] * len(paths)

    files, _ = listed(Path(folder))
    parts = itertools.cycle([tuple(files[i : i + batch]) for i in range(0, len(files), batch)])
    with ThreadPoolExecutor(threads) as pool:
        flying = [pool.submit(some, next(parts)) for _ in range(threads + 2)]
        while True:
            yield flying.pop(0).result()
            flying.append(pool.submit(some, next(parts)))


# ------------------------------------------------------------------------------------------- torch


def torch_loader(
    library: str,
    workers: int,
    batch: int,
    side: int,
    folder: str | None = None,
    arrays: str | None = None,
    *,
    drop_last: bool = False,
) -> Any:
    """A DataLoader with Albumentations or torchvision: batches of images and labels."""
    import torch

    found, labels = items(folder, arrays)
    dataset: Any = Files(list(found), labels, library, side)
    how: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0, "drop_last": drop_last}
    return torch.utils.data.DataLoader(dataset, batch_size=batch, shuffle=True, **how)


def data_loader(
    library: str, threads: int, batch: int, side: int, folder: str | None = None, arrays: str | None = None
) -> Batches:
    """The same with as many worker processes as ours has threads."""
    return _endless(torch_loader(library, threads, batch, side, folder, arrays))


# ------------------------------------------------------------------------------------------- Grain


class _Numpy:
    """Files as Grain takes them: numpy instead of torch, channels first."""

    def __init__(self, items: Any, labels: list[int], side: int) -> None:
        self._files = Files(items, labels, "albumentations", side, tensors=False)

    def __call__(self, i: int) -> tuple[Any, int]:
        image, label = self._files[i]
        return np.ascontiguousarray(image.transpose(2, 0, 1)), label


def grain_loader(
    threads: int, batch: int, side: int, folder: str | None = None, arrays: str | None = None, processes: bool = False
) -> Batches:
    """Grain with Albumentations, in its threads, or in processes with one thread each."""
    import sys

    import grain
    from absl import flags

    sys.argv = sys.argv[:1]  # Grain has its processes read the command line
    flags.FLAGS(sys.argv)  # and asks for options that somebody has to have read
    found, labels = items(folder, arrays)
    made = grain.MapDataset.source(range(len(found))).seed(7).shuffle().repeat().map(_Numpy(list(found), labels, side))
    each = 1 if processes else threads
    # What may wait for the consumer: two batches, as with ours.
    read = grain.ReadOptions(num_threads=each, prefetch_buffer_size=2 * batch)
    batches = made.to_iter_dataset(read).batch(batch)
    if processes:
        batches = batches.mp_prefetch(grain.MultiprocessingOptions(num_workers=threads, per_worker_buffer_size=2))
    return _endless(batches)


# ------------------------------------------------------------------------------------------- TensorFlow


def _tensorflow(threads: int) -> tuple[Any, Any]:
    """TensorFlow held to so many threads, and the options that hold a dataset to them."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    options = tf.data.Options()
    options.threading.private_threadpool_size = threads
    options.threading.max_intra_op_parallelism = 1
    return tf, options


def tf_data(
    threads: int, batch: int, side: int, folder: str | None = None, arrays: str | None = None, window: bool = False
) -> Batches:
    """tf.data: read, decode, map, batch, prefetch; with ``window`` only the part that was drawn is decoded."""
    tf, options = _tensorflow(threads)
    found, labels = items(folder, arrays)
    mean, std = np.asarray(MEAN, np.float32), np.asarray(STD, np.float32)

    def drawn(shape: Any) -> Any:
        return tf.image.sample_distorted_bounding_box(
            shape, tf.zeros((1, 0, 4)), aspect_ratio_range=(3 / 4, 4 / 3), area_range=(0.08, 1.0),
            use_image_if_no_bounding_boxes=True,
        )[:2]  # fmt: skip

    def cut(item: Any) -> Any:
        if window:
            data = tf.io.read_file(item)
            begin, size = drawn(tf.image.extract_jpeg_shape(data))
            return tf.io.decode_and_crop_jpeg(data, tf.concat([begin[:2], size[:2]], 0), channels=3)
        image = item if folder is None else tf.io.decode_jpeg(tf.io.read_file(item), channels=3)
        return tf.slice(image, *drawn(tf.shape(image)))

    def load(item: Any, label: Any) -> tuple[Any, Any]:
        image = tf.image.resize(tf.image.convert_image_dtype(cut(item), tf.float32), (side, side))
        image = tf.image.random_flip_left_right(tf.ensure_shape(image, (side, side, 3)))
        image = tf.image.random_contrast(tf.image.random_brightness(image, 0.2), 0.8, 1.2)
        return (tf.clip_by_value(image, 0.0, 1.0) - mean) / std, label

    made = tf.data.Dataset.from_tensor_slices((found, np.asarray(labels))).shuffle(len(found))
    made = made.map(load, num_parallel_calls=threads).batch(batch).prefetch(2)
    return _endless(made.with_options(options))


def keras_layers(folder: str, threads: int, batch: int, side: int) -> Batches:
    """``image_dataset_from_directory``, whole pictures resized by it, and preprocessing layers in ``map``."""
    _, options = _tensorflow(threads)
    import keras

    whole = side * 8 // 7  # 256 for 224
    made = keras.utils.image_dataset_from_directory(folder, image_size=(whole, whole), batch_size=batch, verbose=False)
    layers = [
        keras.layers.RandomCrop(side, side),
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomBrightness(0.2),
        keras.layers.RandomContrast(0.2),
        keras.layers.Normalization(mean=[255 * m for m in MEAN], variance=[(255 * s) ** 2 for s in STD]),
    ]

    def augment(images: Any, labels: Any) -> tuple[Any, Any]:
        for layer in layers:
            images = layer(images, training=True)
        return images, labels

    return _endless(made.map(augment, num_parallel_calls=threads).prefetch(2).with_options(options))


# ------------------------------------------------------------------------------------------- the old generator


def _fed(flow: Any, threads: int, *, processes: bool = False) -> Batches:
    """As ``model.fit`` of Keras 3 reads it: with one worker no thread of its own, with more of them threads."""
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    flow.workers = threads
    flow.use_multiprocessing = processes
    flow.max_queue_size = threads + 2
    while True:
        for batch in PyDatasetAdapter(flow).get_numpy_iterator():
            yield batch[0]
        flow.on_epoch_end()


def legacy_folder(folder: str, threads: int, batch: int, side: int) -> Batches:
    """The ImageDataGenerator of Keras 2 as Keras 3 keeps it, over a folder."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    made = ImageDataGenerator(
        width_shift_range=0.2, height_shift_range=0.2, zoom_range=(0.5, 1.0), horizontal_flip=True,
        brightness_range=(0.8, 1.2), rescale=1 / 255, featurewise_center=True, featurewise_std_normalization=True,
    )  # fmt: skip
    made.mean, made.std = np.asarray(MEAN, np.float32), np.asarray(STD, np.float32)
    return _fed(made.flow_from_directory(folder, target_size=(side, side), batch_size=batch), threads)


def legacy_arrays(arrays: str, threads: int, batch: int, processes: bool = False) -> Batches:
    """The same over arrays."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    x, y = items(None, arrays)
    return _fed(ImageDataGenerator(**GENERATOR).flow(x, y, batch_size=batch), threads, processes=processes)
