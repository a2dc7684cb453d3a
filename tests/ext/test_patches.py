"""im2col and col2im: equal to their twins, and adjoint to each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _patches

from nnlite.reference import patches as reference
from tests.examples import examples

drawn = examples(150)


@st.composite
def patches(draw):
    """x (N, H, W, C), kernel, strides, pads (top, bottom, left, right) of (OH, OW) windows that fit."""
    n, h, w, c = (draw(st.integers(1, top)) for top in (3, 9, 9, 4))
    top, bottom, left, right = pads = tuple(draw(st.integers(0, 3)) for _ in range(4))
    kernel = draw(st.integers(1, h + top + bottom)), draw(st.integers(1, w + left + right))
    strides = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    out = (h + top + bottom - kernel[0]) // strides[0] + 1, (w + left + right - kernel[1]) // strides[1] + 1
    x = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal((n, h, w, c))
    return x, kernel, strides, pads, out


def gather(x, kernel, strides, pads, out):
    col = np.full((len(x), *out, np.prod(kernel) * x.shape[3]), np.nan, x.dtype)  # an unwritten cell shows
    _patches.im2col(x, *kernel, *strides, pads[0], pads[2], col)
    return col


def scatter(col, shape, kernel, strides, pads):
    x = np.full(shape, np.nan, col.dtype)
    _patches.col2im(col, *kernel, *strides, pads[0], pads[2], x)
    return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@drawn
@given(case=patches())
def test_im2col_is_its_twin_to_the_bit(dtype, case):
    x, kernel, strides, pads, out = case
    x = x.astype(dtype)
    col = gather(x, kernel, strides, pads, out)
    np.testing.assert_array_equal(col.reshape(-1, col.shape[-1]), reference.im2col(x, kernel, strides, pads))


@pytest.mark.parametrize("dtype, bound", [(np.float32, 1e-5), (np.float64, 1e-14)])
@drawn
@given(case=patches())
def test_col2im_is_its_twin(dtype, bound, case):
    x, kernel, strides, pads, out = case
    shape = len(x), *out, np.prod(kernel) * x.shape[3]
    col = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    ours = scatter(col, x.shape, kernel, strides, pads)
    twin = reference.col2im(col, x.shape, kernel, strides, pads)
    assert np.abs(ours - twin).max() <= bound * max(1.0, np.abs(twin).max())  # the order of a sum is free


@drawn
@given(case=patches())
def test_col2im_is_the_adjoint_of_im2col(case):
    """<im2col(x), c> = <x, col2im(c)> for every x and c."""
    x, kernel, strides, pads, out = case
    col = gather(x, kernel, strides, pads, out)
    other = np.random.default_rng(2).standard_normal(col.shape)
    left = np.sum(col * other)
    right = np.sum(x * scatter(other, x.shape, kernel, strides, pads))
    scale = max(1.0, np.linalg.norm(col) * np.linalg.norm(other))
    assert abs(left - right) / scale <= 1e-13


def test_an_image_wholly_outside_the_window_gives_zeros():
    x = np.ones((1, 1, 1, 2))
    col = gather(x, (1, 1), (1, 1), (3, 0, 3, 0), (4, 4))
    assert col.sum() == 2.0 and col[0, 3, 3].tolist() == [1.0, 1.0]
