"""The digits held back, and those released."""

import zlib
from pathlib import Path

import numpy as np

from reference.held_back.digits import held_back_digits

DATA = Path(__file__).parents[2] / "assignments" / "hw4_conv_layers" / "data"


CRC_RELEASED, CRC_HELD = 2937525432, 459147905


def released_digits():
    with np.load(DATA / "digits.npz", allow_pickle=False) as digits:
        return digits["images"], digits["labels"]


def test_the_two_parts_are_the_whole_set_and_share_no_digit():
    images, labels = released_digits()
    held_images, held_labels = held_back_digits()
    assert images.shape == (1347, 8, 8)
    assert images.dtype == labels.dtype == np.uint8
    assert held_images.shape == (450, 1, 8, 8)
    assert np.bincount(held_labels).tolist() == [45] * 10
    # As many of each as there are in the 1,797 digits of the set.
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(labels).tolist() == [count - 45 for count in counts]
    held = {image.tobytes() for image in np.uint8(held_images * 16)}
    assert len(held) == 450
    assert not held & {image.tobytes() for image in images}


def test_the_digits_are_those_that_were_taken():
    images, labels = released_digits()
    held_images, held_labels = held_back_digits()
    assert images.max() == 16
    assert held_images.max() == 1
    assert zlib.crc32(images.tobytes() + labels.tobytes()) == CRC_RELEASED
    assert (
        zlib.crc32(np.uint8(held_images * 16).tobytes() + bytes(held_labels.tolist())) == CRC_HELD
    )


def test_the_data_says_its_licence():
    text = (DATA / "README.md").read_text()
    assert "CC BY 4.0" in text
    assert "10.24432/C50P49" in text
