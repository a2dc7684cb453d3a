"""Direct convolution: equal to its NumPy twin on every target, and forward and input gradient are adjoint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlite_ext import _conv, _threads

from nnlite.reference import conv as reference


@st.composite
def axes(draw):
    """(input size, kernel size, stride, zeros before, zeros after) with at least one output pixel."""
    kernel = draw(st.integers(1, 5))
    before, after = draw(st.integers(0, kernel)), draw(st.integers(0, kernel))
    size = draw(st.integers(max(1, kernel - before - after), 9))
    return size, kernel, draw(st.integers(1, 4)), before, after


@st.composite
def cases(draw):
    """One convolution with random numbers, on one target, type and number of threads."""
    images, channels = draw(st.integers(1, 4)), draw(st.sampled_from([1, 2, 3, 4, 5, 8, 17]))
    filters = draw(st.sampled_from([1, 2, 3, 4, 7, 8, 10, 16, 20, 31, 32, 33, 64, 65, 80, 100]))
    return Case(
        images,
        channels,
        filters,
        draw(axes()),
        draw(axes()),
        draw(st.sampled_from([np.float32, np.float64])),
        draw(st.sampled_from(_threads.targets())),
        draw(st.integers(1, 2)),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from([1, 0.05])),
    )


class Case:
    """x (N, H, W, C), its padded copy, kernel, bias, dy (N, OH, OW, F); `lit` is the share of numbers in x
    that are not zero.
    """

    def __init__(self, images, channels, filters, vertical, horizontal, dtype, target, threads, seed, lit=1):
        self.text = (
            f"{images=} {channels=} {filters=} {vertical=} {horizontal=} {dtype=} {target=} {threads=}"
        )
        self.dtype, self.target, self.threads = dtype, target, threads
        (height, kernel_height, self.stride_h, self.top, bottom) = vertical
        (width, kernel_width, self.stride_w, self.left, right) = horizontal
        self.output = (
            (height + self.top + bottom - kernel_height) // self.stride_h + 1,
            (width + self.left + right - kernel_width) // self.stride_w + 1,
        )
        rng = np.random.default_rng(seed)
        self.x = self.normal(rng, images, height, width, channels)
        self.x[rng.random(self.x.shape) >= lit] = 0
        self.padded = np.zeros(
            (images, height + self.top + bottom, width + self.left + right, channels), dtype
        )
        reference.pad(self.x, self.padded, self.top, self.left, 1)
        self.kernel = self.normal(rng, kernel_height, kernel_width, channels, filters)
        self.bias = self.normal(rng, filters)
        self.dy = self.normal(rng, images, *self.output, filters)
        frame_h, self.dy_top = _conv.gradient_frame(
            height, self.output[0], kernel_height, self.stride_h, self.top
        )
        frame_w, self.dy_left = _conv.gradient_frame(
            width, self.output[1], kernel_width, self.stride_w, self.left
        )
        self.padded_dy = np.zeros((images, frame_h, frame_w, filters), dtype)
        reference.pad_gradient(self.dy, None, self.padded_dy, self.dy_top, self.dy_left)
        for array in (self.x, self.padded, self.kernel, self.bias, self.dy, self.padded_dy):
            array.flags.writeable = False

    def normal(self, rng, *shape):
        return rng.standard_normal(shape).astype(self.dtype)

    def filled(self, shape):
        """An output full of rubbish: every cell must be written."""
        return np.full(shape, np.nan, self.dtype)

    def workspace(self):
        """Exactly workspace_size numbers; AddressSanitizer finds a write beyond them."""
        return self.filled(
            _conv.workspace_size(len(self.dy), self.dy[0, ..., 0].size, self.kernel.size, self.bias.size)
        )

    def choose(self):
        _threads.set_target(self.target)
        _threads.set_num_threads(self.threads)

    def forward(self, module, bias, relu):
        y = self.filled(self.dy.shape)
        module.conv_forward(
            self.padded, self.kernel, bias, y, self.workspace(), self.stride_h, self.stride_w, relu
        )
        return y

    def kernel_gradient(self, module):
        dkernel, dbias = self.filled(self.kernel.shape), self.filled(self.bias.shape)
        module.conv_kernel_gradient(
            self.padded,
            self.padded_dy,
            dkernel,
            dbias,
            self.workspace(),
            *self.output,
            self.dy_top,
            self.dy_left,
            self.stride_h,
            self.stride_w,
        )
        return dkernel, dbias

    def input_gradient(self, module):
        dx = self.filled(self.x.shape)
        module.conv_input_gradient(
            self.padded_dy,
            self.kernel,
            dx,
            self.workspace(),
            self.top,
            self.left,
            self.stride_h,
            self.stride_w,
        )
        return dx

    def assert_equal(self, ours, twins, terms):
        """Within the rounding of a sum of `terms` products of standard normal numbers, one after the
        other.
        """
        error = np.abs(ours - twins).max() / (terms * np.finfo(self.dtype).eps)
        assert error < 8, (error, self.text)


@settings(max_examples=150)
@given(case=cases(), relu=st.booleans(), with_bias=st.booleans())
def test_forward_is_its_twin(case, relu, with_bias):
    case.choose()
    bias = case.bias if with_bias else None
    terms = case.kernel[..., 0].size + 1
    case.assert_equal(case.forward(_conv, bias, relu), case.forward(reference, bias, relu), terms)


@settings(max_examples=150)
@given(case=cases())
def test_kernel_gradient_is_its_twin(case):
    case.choose()
    terms = case.dy[..., 0].size
    for ours, twins in zip(case.kernel_gradient(_conv), case.kernel_gradient(reference), strict=True):
        case.assert_equal(ours, twins, terms)


@settings(max_examples=150)
@given(case=cases())
def test_input_gradient_is_its_twin(case):
    case.choose()
    terms = case.kernel[:, :, 0].size
    case.assert_equal(case.input_gradient(_conv), case.input_gradient(reference), terms)


@settings(max_examples=50)
@given(case=cases())
def test_input_gradient_is_the_adjoint_of_forward(case):
    """<conv(x), dy> = <x, conv'(dy)> in float64."""
    if case.dtype is not np.float64:
        return
    case.choose()
    forward, backward = case.forward(_conv, None, False) * case.dy, case.x * case.input_gradient(_conv)
    assert abs(forward.sum() - backward.sum()) <= 1e-13 * np.abs(forward).sum(), case.text


@settings(max_examples=50)
@given(case=cases())
def test_threads_do_not_change_a_bit(case):
    results = []
    for threads in (1, 2, 3):
        case.threads = threads
        case.choose()
        results.append(
            (case.forward(_conv, case.bias, True), *case.kernel_gradient(_conv), case.input_gradient(_conv))
        )
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True)), case.text


@pytest.mark.parametrize("target", _threads.targets())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("filters", [32, 40, 128])
@pytest.mark.parametrize("lit", [1, 0.01, 0])
def test_many_pixels_are_summed_in_groups_and_weights_read_from_panels(target, dtype, filters, lit):
    axis = (12, 3, 1, 1, 1)
    case = Case(11, 5, filters, axis, axis, dtype, target, 1, filters, lit)
    results = []
    for case.threads in (1, 2, 5):
        case.choose()
        results.append(
            (case.forward(_conv, case.bias, False), *case.kernel_gradient(_conv), case.input_gradient(_conv))
        )
    twins = (
        case.forward(reference, case.bias, False),
        *case.kernel_gradient(reference),
        case.input_gradient(reference),
    )
    for ours, twin, terms in zip(results[0], twins, (46, 11 * 144, 11 * 144, 9 * filters), strict=True):
        case.assert_equal(ours, twin, terms)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@st.composite
def square_cases(draw):
    """Kernels of two or three strides over cells of 32 numbers or more, even sides and many pixels: the
    layers that use tiles (ext/conv/winograd.h)."""
    side, stride_h, stride_w = draw(st.sampled_from([2, 3])), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    channels = draw(st.sampled_from([32, 48])) // stride_w
    images, height, width = draw(st.sampled_from([(4, 10, 10), (5, 8, 10), (80, 2, 2), (1, 20, 16)]))
    before_h, before_w = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    vertical = ((height + side - 1) * stride_h - before_h, side * stride_h, stride_h, before_h, 0)
    horizontal = ((width + side - 1) * stride_w - before_w, side * stride_w, stride_w, before_w, 0)
    return Case(
        images,
        channels,
        draw(st.sampled_from([16, 32, 48, 64, 80])),
        vertical,
        horizontal,
        draw(st.sampled_from([np.float32, np.float64])),
        draw(st.sampled_from(_threads.targets())),
        1,
        draw(st.integers(0, 2**32 - 1)),
        draw(st.sampled_from([1, 0.05])),
    )


@settings(max_examples=60)
@given(case=square_cases(), relu=st.booleans(), with_bias=st.booleans())
def test_squares_are_their_twin_whatever_the_threads(case, relu, with_bias):
    bias = case.bias if with_bias else None
    results = []
    for case.threads in (1, 2, 5):
        case.choose()
        results.append(
            (case.forward(_conv, bias, relu), *case.kernel_gradient(_conv), case.input_gradient(_conv))
        )
    twins = (
        case.forward(reference, bias, relu),
        *case.kernel_gradient(reference),
        case.input_gradient(reference),
    )
    taps, pixels = case.kernel[..., 0].size, case.dy[..., 0].size
    for ours, twin, terms in zip(results[0], twins, (taps + 1, pixels, pixels, case.kernel[:, :, 0].size)):
        case.assert_equal(ours, twin, terms)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other)), case.text


@pytest.mark.parametrize("target", _threads.targets())
@pytest.mark.parametrize("side, stride, channels", [(2, 1, 32), (2, 2, 16), (3, 1, 64), (3, 3, 16)])
@pytest.mark.parametrize("pixels", [8, 10])
def test_these_layers_do_go_by_squares_and_only_with_many_pixels(target, side, stride, channels, pixels):
    """(1 - 2**30) + 2**30 has lost the one, as no direct sum would: errors are relative to the largest
    number of a square.
    """
    axis = ((pixels + side - 1) * stride, side * stride, stride, 0, 0)
    case = Case(4, channels, 32, axis, axis, np.float32, target, 1, 0)
    for array in (case.padded, case.kernel):
        array.flags.writeable = True
        array[...] = 0
    case.padded[0, 0, 0, 0], case.padded[0, 0, (side - 1) * stride, 0], case.kernel[0, 0, 0] = 1, 2**30, 1
    case.choose()
    y = case.forward(_conv, None, False)
    assert np.all(y[0, 0, 0] == (0 if pixels == 10 else 1)) and np.all(y[0, 0, side - 1] == 2**30)
    assert y.sum() == y[0, 0, [0, side - 1]].sum()


@given(
    case=cases(),
    source=st.sampled_from([np.uint8, np.float32, np.float64]),
    scale=st.sampled_from([1.0, 1 / 255]),
    more=st.integers(0, 3),
)
def test_padding_is_its_twin(case, source, scale, more):
    case.choose()
    x = (np.abs(case.x) * 50).astype(source)
    x.flags.writeable = False
    shape = np.array(case.padded.shape) + [0, more, more, 0]
    ours, twins = np.full(shape, 7, case.dtype), np.full(shape, 7, case.dtype)
    _conv.pad(x, ours, case.top, case.left, scale)
    reference.pad(x, twins, case.top, case.left, scale)
    np.testing.assert_array_max_ulp(ours, twins, 1)


@given(case=cases(), with_y=st.booleans())
def test_gradient_padding_is_its_twin(case, with_y):
    case.choose()
    y = np.maximum(case.dy[::-1], 0) if with_y else None
    ours, twins = np.full_like(case.padded_dy, 7), np.full_like(case.padded_dy, 7)
    _conv.pad_gradient(case.dy, y, ours, case.dy_top, case.dy_left)
    reference.pad_gradient(case.dy, y, twins, case.dy_top, case.dy_left)
    assert np.array_equal(ours, twins)


@given(size=st.integers(1, 20), kernel=st.integers(1, 8), stride=st.integers(1, 8), before=st.integers(0, 8))
def test_gradient_frame_is_its_twin(size, kernel, stride, before):
    output = max((size + before - kernel) // stride + 1, 1)
    arguments = (size, output, kernel, stride, before)
    assert _conv.gradient_frame(*arguments) == reference.gradient_frame(*arguments)


@pytest.mark.parametrize("target", _threads.targets())
def test_relu_keeps_nan(target):
    _threads.set_target(target)
    y = np.zeros((1, 1, 1, 16), np.float32)
    _conv.conv_forward(
        np.full((1, 1, 1, 1), np.nan, "f"),
        np.ones((1, 1, 1, 16), "f"),
        None,
        y,
        np.empty(16, "f"),
        1,
        1,
        True,
    )
    assert np.isnan(y).all()
