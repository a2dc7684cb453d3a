"""A layer's kernels on random arrays of one type, on one instruction set and number of threads."""

import numpy as np
from hypothesis import strategies as st
from nnlite_ext import _threads

SEEDS = st.integers(0, 2**32 - 1)
TYPES = st.sampled_from([np.float32, np.float64])
MACHINES = st.tuples(st.sampled_from(_threads.targets()), st.integers(1, 2))  # target, threads


def choose(target, threads):
    _threads.set_target(target)
    _threads.set_num_threads(threads)


class Case:
    """Runs the forward pass and the gradients of a layer; a subclass makes x, kernel, bias and dy.

    terms  the number of products in each sum of the forward pass, both gradients of weights, and dx
    """

    def __init__(self, text, dtype, machine, seed):
        self.text, self.dtype = f"{text} {dtype=} {machine=} {seed=}", dtype
        self.target, self.threads = machine
        self.rng = np.random.default_rng(seed)

    def choose(self):
        choose(self.target, self.threads)

    def normal(self, *shape):
        """A read-only array of standard normal numbers."""
        array = self.rng.standard_normal(shape).astype(self.dtype)
        array.flags.writeable = False
        return array

    def filled(self, shape):
        """An output full of rubbish: every cell must be written."""
        return np.full(shape, np.nan, self.dtype)

    def run(self, module, bias, relu):
        """(y, dkernel, dbias, dx) by the kernels of a module."""
        self.choose()
        return (self.forward(module, bias, relu), *self.kernel_gradient(module), self.input_gradient(module))

    def check(self, module, reference, with_bias, relu, threads=(1, 2, 3)):
        """Results are those of the NumPy twin, and the same to the bit with any number of threads."""
        bias, results = self.bias if with_bias else None, []
        for count in (self.threads, *threads):
            self.threads = count
            results.append(self.run(module, bias, relu))
        for ours, twin, terms in zip(results[0], self.run(reference, bias, relu), self.terms, strict=True):
            # within the rounding of a sum of products of standard normal numbers, one after the other
            error = np.abs(ours - twin).max() / (terms * np.finfo(self.dtype).eps)
            assert error < 8, (error, self.text)
        for other in results[1:]:
            assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True)), self.text

    def check_adjoint(self, module):
        """<forward(x), dy> = <x, backward(dy)>, for float64."""
        y, *_, dx = self.run(module, None, False)
        forward, backward = y * self.dy, self.x * dx
        scale = max(np.abs(forward).sum(), np.abs(backward).sum())
        assert abs(forward.sum() - backward.sum()) <= 1e-13 * scale, self.text
