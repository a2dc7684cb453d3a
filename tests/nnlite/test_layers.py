"""Layers: shapes, values by hand, refused arguments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite import layers
from nnlite.convolution import Geometry
from nnlite.models import Sequential
from tests.examples import examples
from tests.tables import rows


def model_of(*stack, **settings):
    return Sequential(stack, **{"dtype": "float64", "seed": 0, **settings})


def naive_convolution(x, W, b, strides, top, left, out):
    """Seven loops, straight from the definition."""
    n, h, w, _ = x.shape
    kh, kw, _, filters = W.shape
    y = np.zeros((n, *out, filters))
    for i, oy, ox, ky, kx in np.ndindex(n, *out, kh, kw):
        row, column = oy * strides[0] + ky - top, ox * strides[1] + kx - left
        if 0 <= row < h and 0 <= column < w:
            y[i, oy, ox] += x[i, row, column] @ W[ky, kx]
    return y + b


@pytest.mark.parametrize("path", ["direct", "patches", "compiled"])
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float64", 1e-13)])
@examples(40)
@given(data=st.data(), padding=st.sampled_from(["same", "valid"]))
def test_convolution_is_its_definition(path, dtype, tolerance, data, padding):
    n, h, w, c, filters = (data.draw(st.integers(1, top)) for top in (3, 9, 9, 3, 5))
    most = (4, 4) if padding == "same" else (min(4, h), min(4, w))
    kernel = data.draw(st.integers(1, most[0])), data.draw(st.integers(1, most[1]))
    strides = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.standard_normal((n, h, w, c))
    layer = layers.Conv2D(filters, kernel, strides, padding, bias_initializer="random_normal")
    with pytest.MonkeyPatch.context() as patch:
        if path != "compiled":
            patch.setattr(layers.conv2d, "default_path", lambda: path)
        passes = "compiled" if path == "compiled" else "layers"
        model = model_of(layer, dtype=dtype, seed=rng, passes=passes).build((h, w, c))
    y = model.predict(x)
    W, b = model.get_weights()
    geometry = Geometry.of((h, w, c), kernel, strides, padding, "conv")
    expected = naive_convolution(x.astype(dtype), W, b, strides, geometry.top, geometry.left, geometry.out)
    assert np.abs(y - expected).max() <= tolerance * max(1.0, np.abs(expected).max())
    np.testing.assert_array_equal(model.forward(x), y)  # training and prediction are one function here


@pytest.mark.parametrize("shape", [(5,), (2, 5)])
def test_dense_by_hand_keeps_leading_axes(shape):
    model = model_of(layers.Dense(2, input_shape=shape))
    W, b = model.get_weights()
    x = np.random.default_rng(0).standard_normal((3, *shape))
    np.testing.assert_allclose(model.predict(x), x @ W + b, rtol=1e-14)


def test_max_pooling_by_hand():
    def pool(x, *arguments):
        return model_of(layers.MaxPooling2D(*arguments)).predict(x).ravel().tolist()

    x = np.arange(16.0).reshape(1, 4, 4, 1)
    assert pool(x) == [5, 7, 13, 15] and pool(x, 3, 1) == [10, 11, 14, 15]
    assert pool(-x, 3, 2, "same") == [0, -2, -8, -10]  # no zero wins outside


def test_equal_numbers_of_a_window_share_no_gradient():
    model = model_of(layers.MaxPooling2D())
    model.forward(np.ones((1, 2, 2, 1)))
    assert model.backward(np.ones((1, 1, 1, 1)), need_dx=True).ravel().tolist() == [1, 0, 0, 0]


def test_dropout_is_silent_in_prediction_and_keeps_the_mean_in_training():
    model = model_of(layers.Dropout(0.25, input_shape=(1000,)))
    x = np.ones((40, 1000))
    assert (model.predict(x) == 1).all()
    y = model.forward(x).copy()
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert y.mean() == pytest.approx(1.0, abs=0.015)  # standard error 0.003
    assert not np.array_equal(y, model.forward(x))  # another mask each time


def test_rescaling_takes_bytes():
    model = model_of(layers.Rescaling(1 / 255, input_shape=(2,)), layers.Dense(1), dtype="float32")
    x = np.array([[0, 255]], np.uint8)
    np.testing.assert_allclose(model.predict(x), model.predict(x.astype(np.float32)))
    assert model_of(layers.Rescaling(2.0, -1.0)).predict(x).tolist() == [[-1, 509]]


@pytest.mark.parametrize("path", ["direct", "patches"])
def test_a_convolution_that_scales_bytes_itself_gives_what_the_two_layers_give(monkeypatch, path):
    monkeypatch.setattr(layers.conv2d, "default_path", lambda: path)
    frames = np.random.default_rng(0).integers(0, 256, (3, 6, 5, 2), np.uint8)
    scaled = [layers.Rescaling(1 / 255, input_shape=(6, 5, 2)), layers.Conv2D(3, 2, activation="relu")]
    together = model_of(*scaled, passes="layers").build()
    alone = model_of(layers.Conv2D(3, 2, activation="relu", input_shape=(6, 5, 2)), passes="layers").build()
    alone.copy_from(together)
    np.testing.assert_allclose(together.predict(frames), alone.predict(frames / 255), rtol=1e-12)
    dy = np.random.default_rng(1).standard_normal((3, 5, 4, 3))
    gradients = []
    for model, x in ((together, frames), (alone, frames / 255)):
        model.forward(x)
        gradients.append((model.backward(dy, need_dx=True), model.grads))
    np.testing.assert_allclose(gradients[0][0], gradients[1][0] / 255, rtol=1e-12)
    np.testing.assert_allclose(gradients[0][1], gradients[1][1], rtol=1e-12)


def test_flatten_goes_row_by_row():
    x = np.arange(12.0).reshape(1, 2, 3, 2)
    assert model_of(layers.Flatten()).predict(x).ravel().tolist() == list(range(12))


def test_one_backward_for_each_forward_in_training():
    layer = layers.Dense(2, input_shape=(3,))
    model_of(layer).build()
    layer.forward(np.ones((1, 3)))  # keeps nothing
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        layer.backward(np.ones((1, 2)))
    layer.forward(np.ones((1, 3)), training=True)
    layer.backward(np.ones((1, 2)))
    with pytest.raises(RuntimeError, match="one backward per forward"):
        layer.backward(np.ones((1, 2)))


CONFIGURED = [
    layers.Dense(3, "tanh", use_bias=False, kernel_initializer="he_normal", kernel_regularizer="l1"),
    layers.Conv2D(
        2, (2, 3), (2, 1), "same", "relu", bias_regularizer={"name": "l1_l2", "l1": 0.1, "l2": 0.2}
    ),
    layers.Activation("softplus", name="first"),
    layers.Flatten(input_shape=(2, 2)),
    layers.Rescaling(0.5, 1.0),
    layers.BatchNormalization(momentum=0.5, epsilon=0.1, center=False),
    layers.Dropout(0.3),
    layers.MaxPooling2D((2, 1), padding="same"),
    layers.AveragePooling2D(3, (1, 2), "same"),
    layers.GlobalAveragePooling2D(keepdims=True),
    layers.LayerNormalization([1, -1], epsilon=0.1, scale=False),
    layers.LeakyReLU(0.1),
    layers.Reshape((2, -1)),
    layers.ZeroPadding2D(((1, 2), (0, 3))),
    layers.Residual([layers.Dense(3, "gelu", trainable=False), layers.Residual([layers.Dropout(0.1)])]),
]


@pytest.mark.parametrize("layer", CONFIGURED, ids=lambda layer: type(layer).__name__)
def test_config_round_trip(layer):
    again = layers.REGISTRY[type(layer).__name__](**layer.get_config())
    assert again.get_config() == layer.get_config()


def test_every_layer_is_in_the_round_trip():
    assert {type(layer).__name__ for layer in CONFIGURED} == set(layers.REGISTRY)


REFUSED = rows(r"""
    layers.Dense(0)                                         units must be a whole number >= 1, not 0
    layers.Dense(2.5)                                       units
    layers.Conv2D(1, (0, 2))                                kernel_size
    layers.Conv2D(1, 2, strides=(1, 2, 3))                  strides
    layers.Dropout(1.0)                                     rate must be a finite number in \[0, 1\)
    layers.BatchNormalization(momentum=1.0)                 momentum
    layers.Dense(1, input_shape=(0,))                       whole numbers >= 1
    layers.Dense(1, input_shape=(2.5,))                     whole numbers >= 1
    layers.Dense(1, input_shape=(None, 3))                  without the batch axis
    layers.Conv2D(1, 4, input_shape=(3, 5, 1))              \(4, 4\) does not fit .*\(3, 5\)
    layers.Conv2D(1, 2, input_shape=(3,))                   \(height, width, channels\), not \(3,\)
    layers.Conv2D(1, 2, padding="full", input_shape=(3, 3, 1))  'same' or 'valid', not 'full'
    layers.MaxPooling2D(4, input_shape=(3, 5, 1))           does not fit
    layers.Reshape((-1, -1))                                one of which may be -1
    layers.Reshape((4, -1), input_shape=(2, 3))             cannot turn \(2, 3\) into \(4, -1\)
    layers.Reshape((4, 2), input_shape=(2, 3))              cannot turn \(2, 3\) into \(4, 2\)
    layers.ZeroPadding2D(-1)                                padding must be n, .*, not -1
    layers.ZeroPadding2D((1, 2, 3))                         padding must be n, .*, not \(1, 2, 3\)
    layers.ZeroPadding2D(((1, 2), (3, -1)))                 padding must be n
    layers.ZeroPadding2D(1, input_shape=(3,))               \(height, width, channels\), not \(3,\)
    layers.GlobalAveragePooling2D(input_shape=(3,))         \(height, width, channels\), not \(3,\)
    layers.LayerNormalization(0, input_shape=(3,))          axes from 1 to 1, .* not \[0\]
    layers.LayerNormalization(2, input_shape=(3,))          axes from 1 to 1, .* not \[2\]
    layers.LayerNormalization([1, -1], input_shape=(3,))    different axes
    layers.LayerNormalization("last")                       axis must be a whole number
    layers.LeakyReLU(-0.1)                                  negative_slope must be a finite number >= 0
    layers.Residual([])                                     at least one layer
    layers.Residual([layers.Dense(2)], input_shape=(3,))    keep the shape \(3,\); they return \(2,\)
""")


@pytest.mark.parametrize("layer, message", REFUSED)
def test_what_cannot_work_is_refused_with_both_numbers(layer, message):
    with pytest.raises(ValueError, match=message):
        model_of(eval(layer)).build()


@pytest.mark.parametrize("kind", sorted(layers.REGISTRY))
def test_an_unknown_argument_is_answered_with_those_that_there_are(kind):
    needed = {"Dense": {"units": 1}, "Rescaling": {"scale": 1}, "Dropout": {"rate": 0.5}}
    needed |= {"AveragePooling2D": {"pool_size": 2}, "Reshape": {"target_shape": 4}}
    needed["Residual"] = {"layers": [layers.Flatten()]}
    needed["Conv2D"] = {"filters": 1, "kernel_size": 1}
    with pytest.raises(TypeError, match=f"{kind} has no argument 'dilation'; there are .*name.*input_shape"):
        layers.REGISTRY[kind](dilation=2, **needed.get(kind, {}))
