"""Keras's exact semantics, row by row: expected values by hand, or by another formula than the library's."""

import math

import numpy as np
import pytest

from nnlite import Input, activations, initializers, layers, losses, optimizers, regularizers
from nnlite.convolution import Geometry, same_padding
from nnlite.erf import erf
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


# --- more activations


@pytest.mark.parametrize(
    "name, z, y",
    [
        ("elu", [-1.0, 0.0, 2.0], [math.expm1(-1), 0.0, 2.0]),
        ("leaky_relu", [-1.0, 0.0, 2.0], [-0.2, 0.0, 2.0]),
        ("silu", [-1.0, 0.0, 2.0], [-1 / (1 + math.e), 0.0, 2 / (1 + math.exp(-2))]),
        ("swish", [1.0], [0.7310585786300049]),
        # x P(X <= x) of a standard normal X: the exact form, not the one by tanh, 0.8411919906
        ("gelu", [-1.0, 0.0, 1.0], [-0.15865525393145707, 0.0, 0.8413447460685429]),
    ],
)
def test_activations_by_hand(name, z, y):
    np.testing.assert_allclose(activate(name, z), y, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["elu", "leaky_relu", "silu", "gelu"])
def test_the_same_activations_far_out_and_at_nan(name, dtype):
    z = np.array([-1e4, -40, -6, 40, 1e4, np.nan], dtype)
    used = activations.get(name)
    y = used.forward(z.copy())
    assert np.isfinite(y[:-1]).all() and np.isnan(y[-1]) and y[3:5].tolist() == [40, 1e4]
    assert y[0] == pytest.approx({"elu": -1, "leaky_relu": -2000}.get(name, 0), rel=1e-6)
    dz = used.backward(z if used.reads_input else y, np.ones_like(z), np.empty_like(z))
    assert np.isfinite(dz[:-1]).all() and dz[3:5].tolist() == [1, 1]


@pytest.mark.parametrize("dtype, bound", [("float32", 1.2e-7), ("float64", 3e-16)])
def test_erf(dtype, bound):
    x = np.concatenate([np.linspace(-7, 7, 20_011), np.arange(-97, 98) / 32]).astype(dtype)
    exact = np.array([math.erf(value) for value in x])
    assert np.abs(erf(x) - exact).max() <= bound and erf(x).dtype == dtype
    assert erf(np.array([-np.inf, np.inf])).tolist() == [-1, 1]
    assert erf(np.array([1e-300]))[0] == pytest.approx(2e-300 / math.sqrt(math.pi))
    assert np.isnan(erf(np.array([np.nan]))[0])


# --- more layers


def outputs(layer, x):
    return Sequential([layer], dtype="float64").predict(np.asarray(x, np.float64))


def test_average_pooling_counts_only_pixels_inside_the_image():
    x = np.array([1.0, 2.0, 6.0]).reshape(1, 1, 3, 1)
    y = outputs(layers.AveragePooling2D((1, 2), 1, "same"), x)
    assert y.ravel().tolist() == [1.5, 4.0, 6.0]  # the last window has one pixel
    y = outputs(layers.AveragePooling2D((1, 2)), x)
    assert y.ravel().tolist() == [1.5]  # strides are the pool's size, and what is left over is left out


def test_global_average_pooling():
    x = np.arange(24.0).reshape(1, 2, 3, 4) ** 2
    expected = x[0].reshape(6, 4).sum(axis=0) / 6
    np.testing.assert_allclose(outputs(layers.GlobalAveragePooling2D(), x), [expected], rtol=1e-15)
    kept = outputs(layers.GlobalAveragePooling2D(keepdims=True), x)
    np.testing.assert_allclose(kept, expected.reshape(1, 1, 1, 4), rtol=1e-15)


def test_zero_padding_reads_rows_before_columns_and_top_before_bottom():
    x = np.ones((1, 1, 1, 1))
    for padding, shape in ((1, (3, 3)), ((1, 2), (3, 5)), (((1, 2), (3, 4)), (4, 8))):
        assert outputs(layers.ZeroPadding2D(padding), x).shape == (1, *shape, 1)
    y = outputs(layers.ZeroPadding2D(((1, 2), (3, 4))), x)[0, :, :, 0]
    assert y.sum() == y[1, 3] == 1


def test_reshape_keeps_the_order_of_the_numbers():
    x = np.arange(12.0).reshape(1, 3, 4)
    y = outputs(layers.Reshape((2, -1, 2)), x)
    assert y.shape == (1, 2, 3, 2) and y.ravel().tolist() == list(range(12))


def test_leaky_relu_has_the_slope_of_its_layer():
    assert outputs(layers.LeakyReLU(), [[-1.0, 0.0, 2.0]]).tolist() == [[-0.3, 0.0, 2.0]]
    assert outputs(layers.LeakyReLU(1.5), [[-1.0, 2.0]]).tolist() == [[-1.5, 2.0]]


def test_layer_normalization_uses_the_biased_variance_of_each_example():
    y = outputs(layers.LayerNormalization(), [[1.0, 3.0], [10.0, 50.0]])
    a, b = 1 / math.sqrt(1 + 1e-3), 20 / math.sqrt(400 + 1e-3)
    np.testing.assert_allclose(y, [[-a, a], [-b, b]], rtol=1e-14)


def test_layer_normalization_over_several_axes_has_weights_of_their_shape():
    layer = layers.LayerNormalization([1, 3], input_shape=(2, 3, 4))
    model = Sequential([layer], dtype="float64")
    gamma, beta = np.random.default_rng(0).standard_normal((2, 2, 4))
    model.set_weights([gamma, beta])  # Keras's order
    x = np.random.default_rng(1).standard_normal((5, 2, 3, 4))
    z = (x - x.mean((1, 3), keepdims=True)) / np.sqrt(x.var((1, 3), keepdims=True) + 1e-3)
    expected = np.einsum("nhwc,hc->nhwc", z, gamma) + beta[:, None, :]
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12, atol=1e-14)


# --- Input


def test_input_declares_the_shape_and_is_no_layer():
    stack = [layers.Input((6, 6, 1)), layers.Rescaling(1 / 255), layers.Conv2D(2, 3), layers.Flatten()]
    model = Sequential(stack, seed=0).build()
    assert [type(layer).__name__ for layer in model.layers] == ["Rescaling", "Conv2D", "Flatten"]
    assert model.input_shape == (6, 6, 1) and model.layers[0].handed_over
    pixels = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 1), np.uint8)
    np.testing.assert_array_equal(model.predict(pixels), model.predict(pixels.astype("f4")))


def test_input_leaves_the_compiled_passes():
    model = Sequential([Input(shape=(3,)), layers.Dense(2)]).build()
    assert type(model._passes).__name__ == "CompiledNetwork"
    assert Sequential.from_config(model.get_config()).input_shape == (3,)


def test_an_input_that_cannot_be_meant_is_refused():
    for stack in ([layers.Dense(2), Input((3,))], [Input((3,)), Input((3,))]):
        with pytest.raises(ValueError, match="one Input, before its first layer"):
            Sequential(stack)
    with pytest.raises(ValueError, match=r"Input declares \(3,\), the first layer \(4,\)"):
        Sequential([Input((3,)), layers.Dense(2, input_shape=(4,))]).build()
    with pytest.raises(ValueError, match=r"declares input_shape \(3,\), but the data is \(4,\)"):
        Sequential([Input((3,)), layers.Dense(2)]).predict(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="at least one layer"):
        Sequential([Input((3,))]).build()
    with pytest.raises(TypeError, match="Input has no argument 'batch_size'"):
        Input((3,), batch_size=2)
