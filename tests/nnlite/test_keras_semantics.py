"""Keras's exact semantics, row by row: expected values by hand, or by another formula than the library's."""

import math

import numpy as np
import pytest

from nnlite import activations, initializers, layers, losses, optimizers, regularizers
from nnlite.convolution import Geometry, same_padding
from nnlite.models import Sequential


def activate(name, values, dtype=np.float64):
    return activations.get(name).forward(np.array(values, dtype))


def stepped(optimizer, params, gradients, variables=None):
    """The parameters after one step for each gradient."""
    params, grads = np.array(params, np.float64), np.zeros(len(params))
    optimizer.bind(params, grads, variables)
    for gradient in gradients:
        grads[:] = gradient
        optimizer.step()
    return params


# --- padding="same"


@pytest.mark.parametrize(
    "size, kernel, stride, before, after, out",
    [
        (80, 8, 4, 2, 2, 20),
        (20, 4, 2, 1, 1, 10),
        (8, 2, 1, 0, 1, 8),
        (81, 8, 4, 3, 4, 21),
        (5, 1, 3, 0, 0, 2),
    ],
)
def test_same_padding(size, kernel, stride, before, after, out):
    assert same_padding(size, kernel, stride) == (before, after)
    geometry = Geometry.of((size, size, 1), (kernel, kernel), (stride, stride), "same", "conv")
    assert geometry.out == (out, out)


def test_same_padding_puts_the_odd_zero_after():
    layer = layers.Conv2D(1, (1, 2), padding="same", kernel_initializer="ones", input_shape=(1, 3, 1))
    y = Sequential([layer]).predict(np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1))
    assert y.ravel().tolist() == [11.0, 110.0, 100.0]  # x[i] + x[i+1], with a zero behind the last


def test_convolution_does_not_flip_its_kernel():
    layer = layers.Conv2D(1, (1, 2), use_bias=False, input_shape=(1, 3, 1))
    model = Sequential([layer])
    model.set_weights([np.array([1.0, 2.0]).reshape(1, 2, 1, 1)])
    assert model.predict(np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1)).ravel().tolist() == [21.0, 210.0]


# --- BatchNormalization


def test_batch_normalization_uses_the_biased_variance_and_epsilon_in_training():
    model = Sequential([layers.BatchNormalization(input_shape=(1,))], dtype="float64")
    y = model.forward(np.array([[1.0], [3.0]]))  # mean 2, biased variance 1, unbiased 2
    np.testing.assert_allclose(y, [[-1 / math.sqrt(1.001)], [1 / math.sqrt(1.001)]], rtol=1e-14)


def test_batch_normalization_momentum_weighs_the_old_value():
    model = Sequential([layers.BatchNormalization(input_shape=(1,))], dtype="float64")
    model.forward(np.array([[1.0], [3.0]]))
    _, _, mean, variance = model.get_weights()
    assert mean == pytest.approx(0.99 * 0 + 0.01 * 2) and variance == pytest.approx(0.99 * 1 + 0.01 * 1)
    model.forward(np.array([[0.0], [4.0]]))  # variance 4, biased here too
    _, _, mean, variance = model.get_weights()
    assert mean == pytest.approx(0.99 * 0.02 + 0.01 * 2) and variance == pytest.approx(0.99 * 1 + 0.01 * 4)


def test_batch_normalization_predicts_from_the_moving_statistics():
    model = Sequential([layers.BatchNormalization(input_shape=(1,))], dtype="float64")
    model.set_weights([[2.0], [0.5], [1.0], [4.0]])  # Keras's order: gamma, beta, moving mean and variance
    assert model.predict(np.array([[7.0]]))[0, 0] == pytest.approx(2 * (7 - 1) / math.sqrt(4.001) + 0.5)


def test_batch_normalization_takes_the_variance_from_centred_values():
    x = np.float32([[10000], [10001], [10002]])  # E[x^2] - E[x]^2 is off by whole units in float32
    y = Sequential([layers.BatchNormalization(input_shape=(1,))]).forward(x)
    np.testing.assert_allclose(y.ravel(), np.array([-1, 0, 1]) / math.sqrt(2 / 3 + 1e-3), rtol=1e-6)


# --- Adam


def test_adam_has_its_epsilon_outside_the_bias_correction():
    p, m, v = 1.0, 0.0, 0.0
    gradients = [1e-6, -3e-7, 2e-6]  # so small that epsilon's place matters
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p -= 0.001 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + 1e-7)
    ours = stepped(optimizers.Adam(), [1.0], [[g] for g in gradients])[0]
    assert ours == pytest.approx(p, abs=1e-15)
    inside = 1.0 - 0.001 * 1e-6 / (1e-6 + 1e-7)  # the first step with epsilon inside the correction
    assert abs(stepped(optimizers.Adam(), [1.0], [[1e-6]])[0] - inside) > 1e-4


# --- clipping

TWO_VARIABLES = [slice(0, 2), slice(2, 4)]
GRADIENT = [3.0, 4.0, 0.3, 0.4]  # norms 5 and 0.5


@pytest.mark.parametrize(
    "clipping, clipped",
    [
        ({"clipvalue": 1.0}, [1.0, 1.0, 0.3, 0.4]),
        ({"clipnorm": 1.0}, [0.6, 0.8, 0.3, 0.4]),
        ({"global_clipnorm": 1.0}, [g / math.sqrt(25.25) for g in GRADIENT]),
        ({"global_clipnorm": 6.0}, GRADIENT),
    ],
)
def test_clipping_by_element_by_variable_and_over_all(clipping, clipped):
    change = stepped(optimizers.SGD(learning_rate=1.0, **clipping), np.zeros(4), [GRADIENT], TWO_VARIABLES)
    np.testing.assert_allclose(change, np.negative(clipped), rtol=1e-12)
    plain = {"beta_1": 0.0, "beta_2": 0.0, "epsilon": 1.0, "learning_rate": 1.0}  # p = -g / (|g| + 1)
    adam = optimizers.Adam(**plain, **clipping)
    change = stepped(adam, np.zeros(4), [GRADIENT], TWO_VARIABLES)
    np.testing.assert_allclose(change, [-g / (abs(g) + 1) for g in clipped], rtol=1e-12)


# --- glorot_normal


def test_glorot_normal_is_cut_at_two_sigma_and_rescaled():
    values = initializers.GlorotNormal()((300, 500), np.random.default_rng(0))
    sigma = math.sqrt(2 / 800)
    assert values.std() == pytest.approx(sigma, rel=0.01)  # 150,000 draws: standard error 0.15 %
    assert np.abs(values).max() <= 2 * sigma / 0.8796 and np.abs(values).max() > 2 * sigma


# --- categorical_crossentropy


def test_crossentropy_after_a_softmax_layer_is_taken_from_the_logits():
    model = Sequential([layers.Dense(2, "softmax", input_shape=(1,))])
    # softmax rounds to (0, 1): its log would be -inf, or log(1e-7) clipped
    model.set_weights([[[0.0, 200.0]], [0.0, 0.0]])
    model.compile("sgd", "categorical_crossentropy")
    assert model.evaluate(np.ones((1, 1)), np.array([[1.0, 0.0]])) == pytest.approx(200.0)
    assert model.train_on_batch(np.ones((1, 1)), np.array([[1.0, 0.0]])) == pytest.approx(200.0)
    np.testing.assert_allclose(model.grads, [-1, 1, -1, 1])  # softmax - target, not 0


def test_crossentropy_on_given_probabilities_renormalises_and_clips():
    value, _ = losses.categorical_crossentropy(np.array([[1.0, 3.0]]), np.array([[1.0, 0.0]]))
    assert value == pytest.approx(-math.log(0.25))
    value, _ = losses.categorical_crossentropy(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]))
    assert value == pytest.approx(-math.log(1e-7))


# --- mean squared error


def test_mse_is_the_mean_over_all_outputs():
    prediction, target = np.array([[1.0, 2.0, 3.0]] * 2), np.array([[1.0, 2.0, 0.0]] * 2)
    value, gradient = losses.mean_squared_error(prediction, target)
    assert value == pytest.approx(9 / 3)
    np.testing.assert_allclose(gradient, [[0, 0, 2 * 3 / 6]] * 2)  # 1/A of what one column alone would give


# --- L1


def test_l1_is_a_hundredth_by_default_and_flat_at_zero():
    penalty = regularizers.get("l1")
    w = np.array([-2.0, 0.0, 3.0])
    assert penalty.value(w) == pytest.approx(0.05)
    assert penalty.gradient(w).tolist() == [-0.01, 0.0, 0.01]


def test_the_penalty_is_part_of_the_loss_and_of_the_gradient():
    layer = layers.Dense(1, use_bias=False, kernel_regularizer="l1", input_shape=(1,))
    model = Sequential([layer], dtype="float64")
    model.set_weights([[[2.0]]])
    model.compile(optimizers.SGD(1.0), "mse")
    assert model.train_on_batch([[1.0]], [[5.0]]) == pytest.approx(9 + 0.02)
    assert model.get_weights()[0][0, 0] == pytest.approx(2 + 6 - 0.01)


# --- activations far out

FAR = [-1e4, -800.0, -30.0, -1.0, 0.0, 1.0, 30.0, 800.0, 1e4]


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 3e-7), (np.float64, 1e-15)])
def test_sigmoid_and_softplus_are_finite_and_accurate(dtype, tolerance):
    def sigmoid(x):
        return 1 / (1 + math.exp(-x)) if x > -700 else 0.0

    def softplus(x):
        return max(x, 0.0) + math.log1p(math.exp(-abs(x)))

    for function in (sigmoid, softplus):
        with np.errstate(all="raise", under="ignore"):
            y = activate(function.__name__, FAR, dtype)
        np.testing.assert_allclose(y, [function(x) for x in FAR], rtol=tolerance, atol=1e-37)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_and_log_softmax_are_finite_and_accurate(dtype):
    with np.errstate(all="raise", under="ignore"):
        y = activate("softmax", [FAR, np.negative(FAR)], dtype)
        log_y = losses.log_softmax(np.array([[0.0, -1e4], [1e4, 1e4]], dtype))
    assert np.isfinite(y).all() and y[0].argmax() == 8
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(log_y, [[0, -1e4], [-math.log(2)] * 2], rtol=1e-6)  # log(softmax): -inf
