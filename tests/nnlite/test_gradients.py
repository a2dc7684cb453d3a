"""Every backward pass is the derivative of its forward pass: float64, shapes drawn by hypothesis.

The checks are nnlite.gradcheck's own; test_planted_faults.py shows that they catch wrong derivatives.
"""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite import activations, layers, losses
from nnlite.gradcheck import (
    directional_errors,
    gradient_errors,
    layer_errors,
    loss_error,
    numerical_gradient,
    relative_error,
    scramble,
    smooth_input,
)
from nnlite.models import Sequential
from tests.examples import examples
from tests.nnlite.samples import PAIRWISE

pytestmark = pytest.mark.filterwarnings("ignore:.*over one column")  # drawn at random
BOUND = 1e-7
seeds = st.integers(0, 2**32 - 2)
activation_names = st.sampled_from(sorted(activations.REGISTRY))
penalties = st.sampled_from([None, "l1", "l2", {"name": "l1_l2", "l1": 0.02, "l2": 0.3}])
sizes = st.integers(1, 4)
pairs = st.tuples(sizes, sizes)
paddings = st.sampled_from(["same", "valid"])
each_passes = pytest.mark.parametrize("passes", ["compiled", "layers"])
smooth = examples(60)


@st.composite
def images(draw):
    """(N, H, W, C) of an image batch small enough for a numerical gradient."""
    return draw(st.integers(1, 2)), draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(st.integers(1, 3))


@st.composite
def windows(draw, shape):
    """(window, strides, padding) that fit an image batch of this shape."""
    padding = draw(paddings)
    kernel = draw(pairs)
    if padding == "valid":
        kernel = min(kernel[0], shape[1]), min(kernel[1], shape[2])
    return kernel, draw(pairs), padding


@st.composite
def weighted(draw):
    """The arguments that Dense and Conv2D share."""
    return {
        "activation": draw(activation_names),
        "use_bias": draw(st.booleans()),
        "kernel_regularizer": draw(penalties),
        "bias_regularizer": draw(penalties),
    }


WAYS = {"compiled": "compiled", "direct": "layers", "patches": "layers"}  # of a convolution: which passes


@contextlib.contextmanager
def convolutions_go(way):
    """Make the models that are built inside convolve this way."""
    with pytest.MonkeyPatch.context() as patch:
        if way != "compiled":
            patch.setattr(layers.conv2d, "default_path", lambda: way)
        yield


@each_passes
@smooth
@given(
    units=sizes, features=sizes, rows=st.lists(sizes, min_size=1, max_size=2), common=weighted(), seed=seeds
)
def test_dense_backward_is_the_gradient_of_forward(passes, units, features, rows, common, seed):
    errors = layer_errors(layers.Dense(units, **common), (*rows, features), seed, passes=passes)
    assert max(errors.values()) <= BOUND, errors


@pytest.mark.parametrize("way", WAYS)
@examples(150)
@given(data=st.data(), shape=images(), filters=st.integers(1, 3), common=weighted(), seed=seeds)
def test_conv_backward_is_the_gradient_of_forward(way, data, shape, filters, common, seed):
    kernel, strides, padding = data.draw(windows(shape))
    layer = layers.Conv2D(filters, kernel, strides, padding, **common)
    with convolutions_go(way):
        errors = layer_errors(layer, shape, seed, passes=WAYS[way])
    assert max(errors.values()) <= BOUND, errors


@smooth
@given(data=st.data(), shape=images(), seed=seeds)
def test_max_pooling_backward_is_the_gradient_of_forward(data, shape, seed):
    errors = layer_errors(layers.MaxPooling2D(*data.draw(windows(shape))), shape, seed)
    assert max(errors.values()) <= BOUND, errors


@smooth
@given(shape=st.lists(sizes, min_size=1, max_size=3), center=st.booleans(), scale=st.booleans(), seed=seeds)
def test_batch_normalization_backward_is_the_gradient_of_forward(shape, center, scale, seed):
    # rows that nearly agree have a variance near 0, where 1/sqrt(var + epsilon) is too curved
    layer = layers.BatchNormalization(center=center, scale=scale, epsilon=0.1)
    errors = layer_errors(layer, (3, *shape), seed)
    assert max(errors.values()) <= BOUND, errors


@smooth
@given(data=st.data(), shape=images(), seed=seeds)
def test_average_pooling_backward_is_the_gradient_of_forward(data, shape, seed):
    errors = layer_errors(layers.AveragePooling2D(*data.draw(windows(shape))), shape, seed)
    assert max(errors.values()) <= BOUND, errors


@smooth
@given(
    data=st.data(),
    shape=st.lists(sizes, min_size=1, max_size=3),
    center=st.booleans(),
    scale=st.booleans(),
    seed=seeds,
)
def test_layer_normalization_backward_is_the_gradient_of_forward(data, shape, center, scale, seed):
    axes = data.draw(st.sets(st.integers(1, len(shape)), min_size=1))
    layer = layers.LayerNormalization(sorted(axes), 0.1, center, scale)
    errors = layer_errors(layer, (2, *shape), seed)
    assert max(errors.values()) <= BOUND, errors


@smooth
@given(data=st.data(), channels=st.integers(1, 3), passes=st.sampled_from(["direct", "patches"]), seed=seeds)
def test_residual_backward_is_the_gradient_of_forward(data, channels, passes, seed):
    shape = 2, 3, 4, channels
    inner = [data.draw(middle_layers(shape)) for _ in range(data.draw(st.integers(0, 2)))]
    # back to the shape of x, whatever the layers before have made of it
    keeps = [layers.Flatten(), layers.Dense(12 * channels, **data.draw(weighted()))]
    block = layers.Residual([*inner, *keeps, layers.Reshape((3, 4, -1))])
    nested = layers.Residual([layers.Dropout(0.3), block, layers.LayerNormalization(epsilon=0.1)])
    with convolutions_go(passes):
        errors = layer_errors(nested, shape, seed)
    assert max(errors.values()) <= BOUND, errors


@smooth
@given(rate=st.floats(0.0, 0.9), shape=st.lists(sizes, min_size=2, max_size=4), seed=seeds)
def test_dropout_backward_is_the_gradient_of_forward(rate, shape, seed):
    errors = layer_errors(layers.Dropout(rate), tuple(shape), seed)
    assert max(errors.values()) <= BOUND, errors


@pytest.mark.parametrize("name", sorted(activations.REGISTRY))
@examples(10)
@given(shape=st.lists(sizes, min_size=2, max_size=4), seed=seeds)
def test_activation_backward_is_the_gradient_of_forward(name, shape, seed):
    errors = layer_errors(layers.Activation(name), tuple(shape), seed)
    assert max(errors.values()) <= BOUND, errors


def test_reshaping_and_scaling_backward_is_the_gradient_of_forward():
    mean, padded = layers.GlobalAveragePooling2D, layers.ZeroPadding2D(((1, 0), (2, 3)))
    shapes = layers.Flatten(), layers.Reshape((3, -1)), padded, mean(), mean(keepdims=True)
    for layer in (*shapes, layers.Rescaling(0.25, -0.5), layers.LeakyReLU()):
        errors = layer_errors(layer, (2, 3, 2, 2))
        assert max(errors.values()) <= BOUND, errors


@st.composite
def networks(draw):
    """A whole model for images or vectors: up to three middle layers of any kind, one or two Dense on top."""
    passes = draw(st.sampled_from(["compiled", "layers"]))
    if draw(st.booleans()):
        shape = draw(images())[1:]
        middle = [draw(middle_layers((1, *shape))) for _ in range(draw(st.integers(1, 3)))]
        middle.append(layers.Flatten())
    else:
        shape = (draw(sizes),)
        middle = [layers.Dense(draw(sizes), **draw(weighted())) for _ in range(draw(st.integers(0, 2)))]
        middle += [layers.BatchNormalization(epsilon=0.1)] * draw(st.integers(0, 1))
    top = [layers.Dense(draw(sizes), **draw(weighted())) for _ in range(draw(st.integers(1, 2)))]
    return Sequential([*middle, *top], seed=draw(seeds), dtype="float64", passes=passes).build(shape)


MIDDLE = {
    "leaky": layers.LeakyReLU,
    "layer norm": lambda: layers.LayerNormalization(epsilon=0.1),
    "frame": lambda: layers.ZeroPadding2D((0, 1)),
    "residual": lambda: layers.Residual([layers.Activation("gelu"), layers.BatchNormalization(epsilon=0.1)]),
}


@st.composite
def middle_layers(draw, shape):
    """Any layer from image to image; windows are padded, so they fit every size."""
    kernel, strides, _ = draw(windows(shape))
    kinds = ["conv", "conv", "pool", "average", "norm", "dropout", "activation", "scale", *MIDDLE]
    kind = draw(st.sampled_from(kinds))
    if kind == "conv":
        return layers.Conv2D(draw(st.integers(1, 3)), kernel, strides, "same", **draw(weighted()))
    if kind == "pool":
        return layers.MaxPooling2D(kernel, strides, "same")
    if kind in MIDDLE:
        return MIDDLE[kind]()
    if kind == "average":
        return layers.AveragePooling2D(kernel, strides, "same")
    if kind == "norm":
        return layers.BatchNormalization(epsilon=0.1)
    if kind == "dropout":
        return layers.Dropout(draw(st.floats(0.0, 0.8)))
    if kind == "activation":
        return layers.Activation(draw(activation_names))
    return layers.Rescaling(0.5, draw(st.sampled_from([0.0, 0.1])))


@examples(150)
@given(model=networks(), n=st.integers(2, 3), seed=seeds)
def test_whole_network_backward_is_the_gradient_of_forward(model, n, seed):
    scramble(model, seed)
    errors = gradient_errors(model, smooth_input(model, n, seed, margin=3e-4), seed)
    assert max(errors.values()) <= BOUND, errors


# fewer numbers than a vector register holds, as many, and more
wide = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 24, 32, 33])


@pytest.mark.parametrize("way", WAYS)
@examples(80)
@given(data=st.data(), size=st.tuples(*[st.integers(1, 14)] * 2), n=st.integers(1, 4), seed=seeds)
def test_wide_convolutions_along_a_direction(way, data, size, n, seed):
    channels, filters = data.draw(wide), data.draw(wide)
    kernel, strides, padding = data.draw(windows((n, *size, channels)))
    layer = layers.Conv2D(filters, kernel, strides, padding, "tanh", input_shape=(*size, channels))
    with convolutions_go(way):
        model = Sequential([layer], seed=seed, dtype="float64", passes=WAYS[way]).build()
    scramble(model, seed)
    # away from where tanh is flat, however many taps a sum has
    model.params *= 0.5 / np.sqrt(layer.W[..., 0].size)
    x = np.random.default_rng(seed).standard_normal((n, *size, channels))
    errors = directional_errors(model, x, seed)
    assert max(errors.values()) <= BOUND, errors


@each_passes
@examples(40)
@given(units=st.lists(wide, min_size=1, max_size=4), features=wide, n=wide, seed=seeds)
def test_wide_dense_networks_along_a_direction(passes, units, features, n, seed):
    stack = [layers.Dense(width, "softplus", input_shape=(features,)) for width in units]
    stack.append(layers.Dense(3, "softmax"))
    model = Sequential(stack, seed=seed, dtype="float64", passes=passes).build()
    errors = directional_errors(model, np.random.default_rng(seed).standard_normal((n, features)), seed)
    assert max(errors.values()) <= BOUND, errors


def test_the_pixel_network_along_a_direction():
    """The Catcher article's network at its full size, with a smooth activation in place of relu."""
    common = {"padding": "same", "activation": "tanh", "kernel_initializer": "glorot_normal"}
    convs = [layers.Conv2D(*sizes, **common) for sizes in ((32, 8, 4), (64, 4, 2), (64, 3, 1))]
    chain = [layers.Rescaling(0.5, input_shape=(80, 80, 4)), *convs, layers.Flatten()]
    chain += [layers.Dense(256, "tanh"), layers.Dense(3)]
    model = Sequential(chain, seed=0, dtype="float64").build()
    errors = directional_errors(model, np.random.default_rng(1).standard_normal((2, 80, 80, 4)))
    assert max(errors.values()) <= BOUND, errors


@each_passes
@pytest.mark.parametrize(
    "activation, loss, logits",
    [
        ("softmax", losses.categorical_crossentropy, False),
        ("softmax", losses.categorical_crossentropy_from_logits, True),
        ("sigmoid", losses.binary_crossentropy, False),
        ("sigmoid", losses.binary_crossentropy_from_logits, True),
        ("linear", losses.mean_squared_error, False),
        ("tanh", losses.huber, False),
    ],
)
def test_gradient_of_a_loss_through_a_network(passes, activation, loss, logits):
    """The gradient of loss + penalties with respect to every weight."""
    first = layers.Dense(5, "tanh", input_shape=(3,), kernel_regularizer="l1")
    chain = [first, layers.Dense(4, activation, kernel_regularizer="l2")]
    model = Sequential(chain, seed=1, dtype="float64", passes=passes).build()
    scramble(model, 2)
    rng = np.random.default_rng(3)
    x, target = rng.standard_normal((6, 3)), np.eye(4)[rng.integers(4, size=6)]

    def objective():
        return loss(model.forward(x, logits), target)[0] + model.penalty()

    model.backward(loss(model.forward(x, logits), target)[1])
    claimed = model.grads.copy()
    error = relative_error(claimed, numerical_gradient(objective, model.params))
    assert error <= BOUND, error


@st.composite
def predictions(draw):
    """(prediction, target) whose differences are not near 0 and 1, the kinks of mae and huber."""
    shape = tuple(draw(st.lists(sizes, min_size=1, max_size=3)))
    rng = np.random.default_rng(draw(seeds))
    target = rng.standard_normal(shape)
    distance = rng.choice([rng.uniform(0.01, 0.9, shape), rng.uniform(1.1, 5, shape)])
    return target + rng.choice([-1, 1], shape) * distance, target


@pytest.mark.parametrize("loss", PAIRWISE[:3])
@smooth
@given(case=predictions())
def test_regression_loss_gradient(loss, case):
    error = loss_error(loss, *case)
    assert error <= BOUND, error


@pytest.mark.parametrize("loss", PAIRWISE[3:])
@smooth
@given(shape=st.lists(sizes, min_size=2, max_size=3), seed=seeds)
def test_classification_loss_gradient(loss, shape, seed):
    rng = np.random.default_rng(seed)
    target = rng.uniform(0, 1, shape)  # any weights, not only one-hot rows
    probabilities = rng.uniform(0.05, 0.95, shape)  # rows that do not sum to 1: they are renormalised
    error = loss_error(loss, rng.normal(0, 3, shape) if loss.from_logits else probabilities, target)
    assert error <= BOUND, error


def test_a_float32_model_is_refused():
    model = Sequential([layers.Dense(2, input_shape=(3,))]).build()
    with pytest.raises(ValueError, match="float64"):
        gradient_errors(model, np.zeros((1, 3)))
