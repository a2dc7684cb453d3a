"""Direct convolution: equal to its NumPy twin on every target, and forward and input gradient are adjoint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _conv, _threads

from nnlite.reference import conv as reference
from tests.examples import examples
from tests.ext.cases import MACHINES, SEEDS, TYPES, Case

LIT = st.sampled_from([1, 0.05])
ONE_THREAD = st.tuples(st.sampled_from(_threads.targets()), st.just(1))


@st.composite
def axes(draw):
    """(input size, kernel size, stride, zeros before, zeros after) with at least one output pixel."""
    kernel = draw(st.integers(1, 5))
    before, after = draw(st.integers(0, kernel)), draw(st.integers(0, kernel))
    size = draw(st.integers(max(1, kernel - before - after), 9))
    return size, kernel, draw(st.integers(1, 4)), before, after


def cases(types=TYPES):
    """One convolution with random numbers, on one target, type and number of threads."""
    channels = st.sampled_from([1, 2, 3, 4, 5, 8, 17])
    filters = st.sampled_from([1, 2, 3, 4, 7, 8, 10, 16, 20, 31, 32, 33, 64, 65, 80, 100])
    return st.builds(Conv, st.integers(1, 4), channels, filters, axes(), axes(), types, MACHINES, SEEDS, LIT)


class Conv(Case):
    """x (N, H, W, C), its padded copy, kernel, bias, dy (N, OH, OW, F).

    lit  the share of numbers in x that are not zero
    """

    def __init__(self, images, channels, filters, vertical, horizontal, dtype, machine, seed, lit=1):
        text = f"{images=} {channels=} {filters=} {vertical=} {horizontal=}"
        super().__init__(text, dtype, machine, seed)
        height, kernel_h, stride_h, top, bottom = vertical
        width, kernel_w, stride_w, left, right = horizontal
        self.strides, self.corner = (stride_h, stride_w), (top, left)
        padded = height + top + bottom, width + left + right
        self.output = (padded[0] - kernel_h) // stride_h + 1, (padded[1] - kernel_w) // stride_w + 1
        self.x = self.normal(images, height, width, channels) * (
            self.rng.random((images, height, width, channels)) < lit
        )
        self.padded = np.zeros((images, *padded, channels), dtype)
        reference.pad(self.x, self.padded, *self.corner, 1)
        self.kernel = self.normal(kernel_h, kernel_w, channels, filters)
        self.bias, self.dy = self.normal(filters), self.normal(images, *self.output, filters)
        frame_h, dy_top = _conv.gradient_frame(height, self.output[0], kernel_h, stride_h, top)
        frame_w, dy_left = _conv.gradient_frame(width, self.output[1], kernel_w, stride_w, left)
        self.dy_corner = dy_top, dy_left
        self.padded_dy = np.zeros((images, frame_h, frame_w, filters), dtype)
        reference.pad_gradient(self.dy, None, self.padded_dy, *self.dy_corner)
        for array in (self.x, self.padded, self.padded_dy):
            array.flags.writeable = False
        pixels = self.dy[..., 0].size
        self.terms = kernel_h * kernel_w * channels + 1, pixels, pixels, kernel_h * kernel_w * filters

    def workspace(self):
        """Exactly workspace_size numbers; AddressSanitizer finds a write beyond them."""
        pixels = self.dy[0, ..., 0].size
        return self.filled(_conv.workspace_size(len(self.dy), pixels, self.kernel.size, self.bias.size))

    def forward(self, module, bias, relu):
        y = self.filled(self.dy.shape)
        module.conv_forward(self.padded, self.kernel, bias, y, self.workspace(), *self.strides, relu)
        return y

    def kernel_gradient(self, module):
        dkernel, dbias = self.filled(self.kernel.shape), self.filled(self.bias.shape)
        numbers = (*self.output, *self.dy_corner, *self.strides)
        module.conv_kernel_gradient(self.padded, self.padded_dy, dkernel, dbias, self.workspace(), *numbers)
        return dkernel, dbias

    def input_gradient(self, module):
        dx = self.filled(self.x.shape)
        numbers = (*self.corner, *self.strides)
        module.conv_input_gradient(self.padded_dy, self.kernel, dx, self.workspace(), *numbers)
        return dx


@examples(250)
@given(case=cases(), relu=st.booleans(), with_bias=st.booleans())
def test_the_passes_are_their_twins_with_any_number_of_threads(case, relu, with_bias):
    case.check(_conv, reference, with_bias, relu)


@examples(50)
@given(case=cases(st.just(np.float64)))
def test_input_gradient_is_the_adjoint_of_forward(case):
    case.check_adjoint(_conv)


@pytest.mark.parametrize("target", _threads.targets())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("filters", [32, 40, 128])
@pytest.mark.parametrize("lit", [1, 0.01, 0])
def test_many_pixels_are_summed_in_groups_and_weights_read_from_panels(target, dtype, filters, lit):
    axis = (12, 3, 1, 1, 1)
    case = Conv(11, 5, filters, axis, axis, dtype, (target, 1), filters, lit)
    case.check(_conv, reference, True, False, threads=(2, 5))


@st.composite
def tiled_cases(draw):
    """Kernels of two or three strides over cells of 32 numbers or more, even sides and many pixels: the
    layers that use tiles (ext/conv/winograd.h)."""
    side, stride_h, stride_w = draw(st.sampled_from([2, 3])), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    channels, filters = (
        draw(st.sampled_from([32, 48])) // stride_w,
        draw(st.sampled_from([16, 32, 48, 64, 80])),
    )
    images, height, width = draw(st.sampled_from([(4, 10, 10), (5, 8, 10), (80, 2, 2), (1, 20, 16)]))
    before_h, before_w = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    vertical = ((height + side - 1) * stride_h - before_h, side * stride_h, stride_h, before_h, 0)
    horizontal = ((width + side - 1) * stride_w - before_w, side * stride_w, stride_w, before_w, 0)
    more = (draw(strategy) for strategy in (TYPES, ONE_THREAD, SEEDS, LIT))
    return Conv(images, channels, filters, vertical, horizontal, *more)


@examples(60)
@given(case=tiled_cases(), relu=st.booleans(), with_bias=st.booleans())
def test_tiles_are_their_twin_with_any_number_of_threads(case, relu, with_bias):
    case.check(_conv, reference, with_bias, relu, threads=(2, 5))


@pytest.mark.parametrize("target", _threads.targets())
@pytest.mark.parametrize("side, stride, channels", [(2, 1, 32), (2, 2, 16), (3, 1, 64), (3, 3, 16)])
@pytest.mark.parametrize("pixels", [8, 10])
def test_these_layers_do_use_tiles_and_only_with_many_pixels(target, side, stride, channels, pixels):
    """(1 - 2**30) + 2**30 has lost the one, as no direct sum would: errors are relative to the largest
    number of a tile.
    """
    axis = ((pixels + side - 1) * stride, side * stride, stride, 0, 0)
    case = Conv(4, channels, 32, axis, axis, np.float32, (target, 1), 0)
    for array in (case.padded, case.kernel):
        array.flags.writeable = True
        array[...] = 0
    case.padded[0, 0, 0, 0], case.padded[0, 0, (side - 1) * stride, 0], case.kernel[0, 0, 0] = 1, 2**30, 1
    y, *_ = case.run(_conv, None, False)
    assert np.all(y[0, 0, 0] == (0 if pixels == 10 else 1)) and np.all(y[0, 0, side - 1] == 2**30)
    assert y.sum() == y[0, 0, [0, side - 1]].sum()


BYTES_OR_FLOATS = st.sampled_from([np.uint8, np.float32, np.float64])


@given(cases(), BYTES_OR_FLOATS, st.sampled_from([1.0, 1 / 255]), st.integers(0, 3))
def test_padding_is_its_twin(case, source, scale, more):
    case.choose()
    x = (np.abs(case.x) * 50).astype(source)
    x.flags.writeable = False
    shape = np.array(case.padded.shape) + [0, more, more, 0]
    ours, twins = np.full(shape, 7, case.dtype), np.full(shape, 7, case.dtype)
    _conv.pad(x, ours, *case.corner, scale)
    reference.pad(x, twins, *case.corner, scale)
    np.testing.assert_array_max_ulp(ours, twins, 1)


@given(case=cases(), with_y=st.booleans())
def test_gradient_padding_is_its_twin(case, with_y):
    case.choose()
    y = np.maximum(case.dy[::-1], 0) if with_y else None
    ours, twins = np.full_like(case.padded_dy, 7), np.full_like(case.padded_dy, 7)
    _conv.pad_gradient(case.dy, y, ours, *case.dy_corner)
    reference.pad_gradient(case.dy, y, twins, *case.dy_corner)
    assert np.array_equal(ours, twins)


@given(size=st.integers(1, 20), kernel=st.integers(1, 8), stride=st.integers(1, 8), before=st.integers(0, 8))
def test_gradient_frame_is_its_twin(size, kernel, stride, before):
    output = max((size + before - kernel) // stride + 1, 1)
    arguments = (size, output, kernel, stride, before)
    assert _conv.gradient_frame(*arguments) == reference.gradient_frame(*arguments)


@pytest.mark.usefixtures("each_target")
def test_relu_keeps_nan():
    y = np.zeros((1, 1, 1, 16), "f")
    x, kernel = np.full((1, 1, 1, 1), np.nan, "f"), np.ones((1, 1, 1, 16), "f")
    _conv.conv_forward(x, kernel, None, y, np.empty(16, "f"), 1, 1, True)
    assert np.isnan(y).all()
