"""A layout is how an array lies, and changes none of its values."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.authoring.layouts import (
    LAYOUTS,
    are_kept,
    has_layout,
    keeping_layouts,
    laid_out,
    layout_of,
)

DTYPES = st.sampled_from(["float64", "float32", "int64", "uint8", "bool", "complex128"])
ARRAYS = DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0)))


@given(ARRAYS, st.sampled_from(["", *LAYOUTS]))
def test_values_shape_and_dtype_stay_and_the_layout_is_what_it_is_called(array, layout):
    found = laid_out(array, layout)
    assert found.shape == array.shape
    assert (
        found.dtype == array.dtype.newbyteorder("=") or found.dtype.newbyteorder("=") == array.dtype
    )
    np.testing.assert_array_equal(found, array)
    if has_layout(layout, array.shape, str(array.dtype)):
        assert layout_of(found) == layout
    elif array.size:
        assert layout_of(found) in ("", "read-only")


@given(hnp.arrays("float32", hnp.array_shapes(min_dims=0), elements=st.floats(width=32)))
def test_tensors_lie_as_arrays_do_where_they_can(array):
    for layout in ("", "strided", "columns"):
        tensor = laid_out(torch.from_numpy(array.copy()), layout)
        np.testing.assert_array_equal(tensor.numpy(), array)
        assert (layout_of(tensor) == layout) == has_layout(layout, array.shape, "float32")


@pytest.mark.parametrize(
    ("layout", "fault"),
    [
        ("strided", np.frombuffer),
        ("columns", lambda x: x.ravel(order="K") - x.ravel()),
        ("read-only", lambda x: x.sort()),
        ("byte order", lambda x: x.view(np.int64).astype("i8") - np.array(x, "f8").view(np.int64)),
    ],
)
def test_each_layout_finds_code_that_looks_at_memory(layout, fault):
    array = np.arange(1.0, 7.0).reshape(2, 3)
    try:
        wrong = np.any(fault(laid_out(array, layout)))
    except (ValueError, BufferError):
        wrong = True
    assert wrong


def test_what_is_between_strided_numbers_is_none_of_them():
    found = laid_out(np.zeros(3), "strided")
    assert found.base[1::2].all()
    assert not found.any()


def test_an_array_of_one_axis_has_no_columns_and_a_number_no_layout():
    assert not has_layout("columns", (4,), "float64")
    assert not has_layout("columns", (4, 1), "float64")
    assert has_layout("strided", (4, 1), "float64")
    assert not any(has_layout(layout, (), "float64") for layout in LAYOUTS)
    assert not any(has_layout(layout, (0, 3), "float64") for layout in LAYOUTS)
    assert not has_layout("byte order", (4,), "uint8")
    with pytest.raises(ValueError, match="layout must be one of strided, columns, read-only, byte"):
        laid_out(np.zeros(2), "rows")


def test_layouts_are_kept_inside_the_block_only():
    with keeping_layouts(True):
        with keeping_layouts(False):
            assert not are_kept()
        assert are_kept()
    assert not are_kept()
