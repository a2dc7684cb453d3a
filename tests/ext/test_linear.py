"""The products of a dense layer: equal to their NumPy twins on every target, adjoint to one another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlite_ext import _linear, _threads

from nnlite.reference import linear as reference


class Case:
    """x (N, D), kernel (D, M), bias (M,), dy (N, M), all read-only, on one target and number of threads."""

    def __init__(self, batch, inputs, outputs, dtype, target, threads, seed):
        self.text = f"{batch=} {inputs=} {outputs=} {dtype=} {target=} {threads=} {seed=}"
        self.dtype, self.target, self.threads = dtype, target, threads
        rng = np.random.default_rng(seed)
        shapes = (batch, inputs), (inputs, outputs), (outputs,), (batch, outputs)
        self.x, self.kernel, self.bias, self.dy = (rng.standard_normal(s).astype(dtype) for s in shapes)
        for array in (self.x, self.kernel, self.bias, self.dy):
            array.flags.writeable = False

    def choose(self):
        _threads.set_target(self.target)
        _threads.set_num_threads(self.threads)

    def filled(self, shape):
        """An output full of rubbish: every cell must be written."""
        return np.full(shape, np.nan, self.dtype)

    def forward(self, module, bias, relu):
        y = self.filled(self.dy.shape)
        module.forward(self.x, self.kernel, bias, y, relu)
        return y

    def kernel_gradient(self, module):
        dkernel, dbias = self.filled(self.kernel.shape), self.filled(self.bias.shape)
        module.kernel_gradient(self.x, self.dy, dkernel, dbias)
        return dkernel, dbias

    def input_gradient(self, module):
        dx = self.filled(self.x.shape)
        workspace = self.filled(_linear.workspace_size(*self.dy.shape))
        module.input_gradient(self.dy, self.kernel, dx, workspace)
        return dx

    def assert_equal(self, ours, twins, terms):
        """Within the rounding of a sum of `terms` products of standard normal numbers."""
        error = np.abs(ours - twins).max() / (terms * np.finfo(self.dtype).eps)
        assert error < 8, (error, self.text)


BATCHES = st.integers(1, 70)


def cases(batches=BATCHES):
    sizes = st.one_of(st.integers(1, 40), st.sampled_from([64, 65, 127, 128, 129, 256, 300, 400]))
    types, targets = st.sampled_from([np.float32, np.float64]), st.sampled_from(_threads.targets())
    return st.builds(
        Case, batches, sizes, sizes, types, targets, st.integers(1, 2), st.integers(0, 2**32 - 1)
    )


@settings(max_examples=200)
@given(cases(st.one_of(st.just(1), st.integers(1, 70))), st.booleans(), st.booleans())
def test_forward_is_its_twin(case, with_bias, relu):
    case.choose()
    bias = case.bias if with_bias else None
    terms = len(case.kernel) + 1
    case.assert_equal(case.forward(_linear, bias, relu), case.forward(reference, bias, relu), terms)


@settings(max_examples=200)
@given(cases())
def test_kernel_gradient_is_its_twin(case):
    case.choose()
    for ours, twins in zip(case.kernel_gradient(_linear), case.kernel_gradient(reference), strict=True):
        case.assert_equal(ours, twins, len(case.x))


@settings(max_examples=200)
@given(cases())
def test_input_gradient_is_its_twin(case):
    case.choose()
    case.assert_equal(case.input_gradient(_linear), case.input_gradient(reference), case.dy.shape[1])


@settings(max_examples=50)
@given(cases())
def test_input_gradient_is_the_adjoint_of_forward(case):
    """<x W, dy> = <x, dy W'> in float64."""
    if case.dtype is not np.float64:
        return
    case.choose()
    forward, backward = case.forward(_linear, None, False) * case.dy, case.x * case.input_gradient(_linear)
    assert abs(forward.sum() - backward.sum()) <= 1e-13 * max(
        np.abs(forward).sum(), np.abs(backward).sum()
    ), case.text


@settings(max_examples=50)
@given(cases())
def test_threads_do_not_change_a_bit(case):
    results = []
    for threads in (1, 2, 3):
        case.threads = threads
        case.choose()
        results.append(
            (
                case.forward(_linear, case.bias, True),
                *case.kernel_gradient(_linear),
                case.input_gradient(_linear),
            )
        )
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True)), case.text


@pytest.mark.usefixtures("each_target")
@pytest.mark.parametrize("batch", [1, 2])
def test_relu_keeps_nan(batch):
    y = np.zeros((batch, 20))
    _linear.forward(np.full((batch, 1), np.nan), np.ones((1, 20)), None, y, True)
    assert np.isnan(y).all()
