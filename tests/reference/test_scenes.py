"""Scenes come from their generator alone, k-means is scipy's, and no pickle runs code."""

import io
import pickle
import struct
from typing import ClassVar

import numpy as np
import pytest
import scipy

from reference.scenes import ArraysOnly, kmeans_colours, load_cifar10, make_scenes

# Scenes


@pytest.mark.parametrize(("count", "size"), [(5, 32), (1, 32), (3, 16)])
def test_scenes_are_colour_pictures_from_0_to_1(count, size):
    scenes = make_scenes(count, np.random.default_rng(0), size)
    assert scenes.shape == (count, 3, size, size)
    assert scenes.dtype == np.float32
    assert scenes.min() >= 0
    assert scenes.max() <= 1


def test_scenes_come_from_their_generator_alone():
    first, again, other = (make_scenes(3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.02
    assert np.abs(first[0] - first[1]).mean() > 0.02


def test_there_is_sky_above_and_meadow_below():
    scenes = make_scenes(50, np.random.default_rng(0))
    red, green, blue = np.moveaxis(scenes, 1, 0)
    assert (blue[:, 0] > green[:, 0]).mean() > 0.9
    assert (green[:, -1] > blue[:, -1]).mean() > 0.9
    assert (green[:, -1] > red[:, -1]).mean() > 0.9


def test_sky_and_meadow_are_equally_bright():
    grey = make_scenes(200, np.random.default_rng(0)).mean(axis=1)
    assert grey[:, 5:8].mean() == pytest.approx(grey[:, -2:].mean(), rel=0.1)


def nearest(scenes, colours):
    return ((scenes[:, None] - colours[None, :, :, None, None]) ** 2).sum(2).argmin(1)


def test_brightness_alone_does_not_tell_the_colour():
    # The best that a table from grey to colour can do, even on the scenes it was made from.
    scenes = make_scenes(150, np.random.default_rng(0))
    colours = kmeans_colours(scenes, 24, np.random.default_rng(1))
    right, grey = nearest(scenes, colours).ravel(), scenes.mean(1).ravel()
    table = np.zeros((50, 24))
    np.add.at(table, ((grey * 49.9).astype(int), right), 1)
    assert 0.4 < table.max(axis=1).sum() / table.sum() < 0.55
    assert np.bincount(right).max() / right.size < 0.15


def test_24_colours_stand_for_all_of_them():
    scenes = make_scenes(100, np.random.default_rng(0))
    colours = kmeans_colours(scenes, 24, np.random.default_rng(1))
    painted = np.moveaxis(colours[nearest(scenes, colours)], -1, 1)
    assert np.sqrt(((painted - scenes) ** 2).mean()) < 0.05


# k-means


def first_centres(pictures, count, rng, pixels):
    every = np.moveaxis(pictures, 1, -1).reshape(-1, 3)
    sample = every[rng.choice(len(every), min(pixels, len(every)), replace=False)]
    distinct = np.unique(sample, axis=0)
    return sample, distinct[rng.choice(len(distinct), count, replace=False)]


@pytest.mark.parametrize("count", [1, 5, 24])
def test_k_means_is_scipys(count):
    pictures = make_scenes(6, np.random.default_rng(3))
    got = kmeans_colours(pictures, count, np.random.default_rng(4), rounds=9, pixels=500)
    sample, start = first_centres(pictures, count, np.random.default_rng(4), 500)
    want, _ = scipy.cluster.vq.kmeans2(sample.astype(float), start.astype(float), 9, minit="matrix")
    np.testing.assert_allclose(got, want[np.argsort(want.sum(1))], rtol=1e-5)
    assert got.dtype == np.float32


def test_colours_are_sorted_and_come_from_the_generator_alone():
    pictures = make_scenes(4, np.random.default_rng(3))
    first, again = (kmeans_colours(pictures, 8, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (np.diff(first.sum(1)) >= 0).all()


def test_a_centre_without_pixels_stays():
    # Two clusters of pixels and three centres: one of them ends without a pixel, and not as NaN.
    pixels = np.repeat([[0.0, 0, 0], [1, 1, 1], [0.1, 0, 0]], [40, 40, 2], axis=0)
    pictures = pixels.T.reshape(1, 3, 1, -1)
    for seed in range(10):
        colours = kmeans_colours(pictures, 3, np.random.default_rng(seed))
        assert np.isfinite(colours).all()


# CIFAR-10


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its texts, which is how CIFAR-10's files are."""

    def save_bytes(self, value):
        self.write(b"T" + struct.pack("<i", len(value)) + value)

    dispatch: ClassVar = {**pickle._Pickler.dispatch, bytes: save_bytes}


def write_batch(path, data, labels):
    with path.open("wb") as file:
        Python2Pickler(file, protocol=2).dump({b"data": data, b"labels": labels})
    path.write_bytes(path.read_bytes().replace(b"numpy._core.", b"numpy.core."))


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(9, 3072), dtype=np.uint8)
    write_batch(tmp_path / "data_batch_1", pictures[:4], [7, 1, 7, 0])
    write_batch(tmp_path / "data_batch_2", pictures[4:6], [3, 7])
    write_batch(tmp_path / "test_batch", pictures[6:], [7, 7, 2])
    return tmp_path, pictures


def test_horses_are_read_from_all_batches(folder):
    path, pictures = folder
    training, validation = load_cifar10(path)
    assert training.dtype == np.float32
    np.testing.assert_allclose(training, pictures[[0, 2, 5]].reshape(-1, 3, 32, 32) / 255.0, 1e-6)
    np.testing.assert_allclose(validation, pictures[[6, 7]].reshape(-1, 3, 32, 32) / 255.0, 1e-6)
    other, _ = load_cifar10(path, category=1)
    assert len(other) == 1


def test_a_folder_without_batches_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="data_batch"):
        load_cifar10(tmp_path)


class Attack:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "attack",
    [Attack(print, "run"), Attack(eval, "1"), Attack(np.save, "x", 1), Attack(np.load, "x")],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_calls_anything_is_refused(tmp_path, attack, protocol):
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps({b"data": attack, b"labels": [7]}, protocol=protocol))
    with pytest.raises(pickle.UnpicklingError, match="no place"):
        load_cifar10(tmp_path)


@pytest.mark.parametrize(
    ("module", "name"), [("os", "ndarray"), ("numpyx", "dtype"), ("numpy", "load")]
)
def test_only_three_names_of_numpy_are_known(module, name):
    with pytest.raises(pickle.UnpicklingError):
        ArraysOnly(io.BytesIO()).find_class(module, name)
