"""The checks can fail: each planted fault is a common one of hand-written backward passes."""

import numpy as np
import pytest

from nnlite import activations, convolution, layers, losses, regularizers
from nnlite.convolution import same_padding
from nnlite.gradcheck import (
    directional_errors,
    gradient_errors,
    layer_errors,
    loss_error,
    scramble,
    smooth_input,
)
from nnlite.models import Sequential

CAUGHT = 1e-4  # a thousand times the bound of test_gradients: no fault is caught by luck


def worst(layer, shape=(3, 4)):
    """The worst error by layers; compiled passes have derivatives of their own."""
    return max(layer_errors(layer, shape, passes="layers").values())


def along_a_direction():
    layer = conv(activation="tanh", input_shape=(5, 4, 3))
    model = Sequential([layer], seed=0, dtype="float64", passes="layers").build()
    return max(directional_errors(model, np.random.default_rng(0).standard_normal((2, 5, 4, 3))).values())


def conv(**arguments):
    return layers.Conv2D(2, 3, 2, "same", **arguments)


def test_the_sound_layers_pass():
    assert worst(layers.Dense(3, "tanh", kernel_regularizer="l1")) < 1e-9
    assert worst(conv(), (2, 5, 4, 3)) < 1e-9
    assert worst(layers.BatchNormalization(), (5, 4)) < 1e-9


def test_sign_error_in_an_activation(monkeypatch):
    def wrong(self, y, dy, dz, right=activations.Tanh.backward):
        return np.negative(right(self, y, dy, dz), out=dz)

    monkeypatch.setattr(activations.Tanh, "backward", wrong)
    assert worst(layers.Dense(3, "tanh")) > CAUGHT and worst(conv(activation="tanh"), (2, 5, 4, 3)) > CAUGHT


def test_mean_for_sum_in_a_bias_gradient():
    class MeanForSum(layers.Dense):
        def backward(self, dy, need_dx=True):
            dx = super().backward(dy, need_dx)
            self.db /= len(dy)
            return dx

    assert worst(MeanForSum(3)) > CAUGHT


def test_mean_for_sum_in_a_loss():
    def summed(prediction, target):
        value, gradient = losses.mean_squared_error(prediction, target)
        return value * prediction.size, gradient  # the gradient is still that of the mean

    rng = np.random.default_rng(0)
    case = rng.standard_normal((3, 2)), rng.standard_normal((3, 2))
    assert loss_error(losses.mean_squared_error, *case) < 1e-9
    assert loss_error(summed, *case) > CAUGHT


@pytest.mark.parametrize("name", ["W", "dW"])
def test_stale_view_of_weights_or_gradients(name):
    class Stale(layers.Dense):
        def bound(self):
            super().bound()
            vars(self)[name] = getattr(self, name).copy()  # no longer a part of model.params or grads

    assert worst(Stale(3)) > CAUGHT


def test_cache_of_the_wrong_pass():
    class Remembering(layers.Dense):
        def forward(self, x, training=False, activate=True):
            self.first = getattr(self, "first", np.array(x))
            y = super().forward(x, training, activate)
            self._cache = (self.first, *self._cache[1:])
            return y

    model = Sequential([Remembering(3, input_shape=(4,))], seed=0, dtype="float64").build()
    model.forward(smooth_input(model, 2, seed=1))
    assert max(gradient_errors(model, smooth_input(model, 2, seed=2)).values()) > CAUGHT


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("path", ["direct", "patches"])
def test_off_by_one_padding_in_the_input_gradient(monkeypatch, path, axis):
    class Shifted(convolution.PATHS[path]):
        def backward(self, kept, dy, y, W, dW, db, dx):
            super().backward(kept, dy, y, W, dW, db, dx)
            dx[...] = np.roll(dx, 1, axis)

    monkeypatch.setattr(layers.conv2d, "default_path", lambda: path)
    assert worst(conv(), (2, 5, 4, 3)) < 1e-9 and along_a_direction() < 1e-9
    monkeypatch.setitem(convolution.PATHS, path, Shifted)
    assert worst(conv(), (2, 5, 4, 3)) > CAUGHT and along_a_direction() > CAUGHT


def test_off_by_one_padding_in_the_geometry(monkeypatch):
    """Forward and backward are wrong alike: only the table of test_keras_semantics.py can tell."""
    monkeypatch.setattr(convolution, "same_padding", lambda *sizes: same_padding(*sizes)[::-1])
    layer = layers.Conv2D(1, (1, 2), padding="same", kernel_initializer="ones", input_shape=(1, 3, 1))
    assert worst(layers.Conv2D(1, (1, 2), padding="same"), (1, 1, 3, 1)) < 1e-9
    y = Sequential([layer]).predict(np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1))
    assert y.ravel().tolist() == [1.0, 11.0, 110.0]  # Keras: [11, 110, 100]


def test_missing_l1_term(monkeypatch):
    monkeypatch.setattr(regularizers.L1L2, "gradient", lambda self, w: np.zeros_like(w))
    assert worst(layers.Dense(3, kernel_regularizer="l1")) > CAUGHT
    assert worst(layers.Dense(3, kernel_regularizer="l2")) > CAUGHT


def test_adding_where_backward_must_overwrite():
    class Adding(layers.Dense):
        def backward(self, dy, need_dx=True):
            before = self.dW.copy()
            dx = super().backward(dy, need_dx)
            self.dW += before
            return dx

    model = Sequential([Adding(3, input_shape=(4,))], seed=0, dtype="float64").build()
    x = smooth_input(model, 2)
    model.forward(x)
    model.backward(np.ones((2, 3)))
    assert max(gradient_errors(model, x).values()) > CAUGHT


def test_batch_normalization_that_forgets_that_mean_and_variance_depend_on_x():
    class Naive(layers.BatchNormalization):
        def backward(self, dy, need_dx=True):
            _, inverse = self._cache
            super().backward(dy, need_dx)
            return dy * inverse * self.gamma.value

    assert worst(Naive(), (5, 4)) > CAUGHT


def test_backward_that_spoils_the_gradient_it_was_given():
    class Spoiling(layers.Dense):
        def backward(self, dy, need_dx=True):
            dy *= 2
            return super().backward(dy, need_dx)

    model = Sequential([layers.Dense(3, input_shape=(4,)), Spoiling(2)], seed=0, dtype="float64").build()
    scramble(model)
    assert max(gradient_errors(model, smooth_input(model, 2)).values()) > CAUGHT
