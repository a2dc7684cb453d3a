"""The products of a dense layer: equal to their NumPy twins on every target, adjoint to one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _linear

from nnlite.reference import linear as reference
from tests.examples import examples
from tests.ext.cases import MACHINES, SEEDS, TYPES, Case


class Linear(Case):
    """x (N, D), kernel (D, M), bias (M,), dy (N, M)."""

    def __init__(self, batch, inputs, outputs, dtype, machine, seed):
        super().__init__(f"{batch=} {inputs=} {outputs=}", dtype, machine, seed)
        self.x, self.kernel = self.normal(batch, inputs), self.normal(inputs, outputs)
        self.bias, self.dy = self.normal(outputs), self.normal(batch, outputs)
        self.terms = inputs + 1, batch, batch, outputs

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


def cases(types=TYPES):
    sizes = st.one_of(st.integers(1, 40), st.sampled_from([64, 65, 127, 128, 129, 256, 300, 400]))
    batches = st.one_of(st.just(1), st.integers(1, 70))
    return st.builds(Linear, batches, sizes, sizes, types, MACHINES, SEEDS)


@examples(300)
@given(cases(), st.booleans(), st.booleans())
def test_the_products_are_their_twins_with_any_number_of_threads(case, with_bias, relu):
    case.check(_linear, reference, with_bias, relu)


@examples(50)
@given(cases(st.just(np.float64)))
def test_input_gradient_is_the_adjoint_of_forward(case):
    case.check_adjoint(_linear)


@pytest.mark.usefixtures("each_target")
@pytest.mark.parametrize("batch", [1, 2])
def test_relu_keeps_nan(batch):
    y = np.zeros((batch, 20))
    _linear.forward(np.full((batch, 1), np.nan), np.ones((1, 20)), None, y, True)
    assert np.isnan(y).all()
