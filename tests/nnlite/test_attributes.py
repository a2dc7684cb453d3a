"""To set an attribute of a layer, a model or an optimizer has an effect on every path, or is an error."""

import re

import numpy as np
import pytest

import nnlite as K
from nnlite.layers import Layer

PATHS = ["compiled", "layers"]


def dense(passes="compiled", seed=0):
    """A network that has compiled passes."""
    chain = [K.layers.Dense(6, activation="relu", input_shape=(3,)), K.layers.Dense(2, name="out")]
    return K.Sequential(chain, seed=seed, passes=passes).build()


def deep():
    """A network that runs layer by layer, with all kinds of layers."""
    chain = [
        K.layers.Rescaling(0.5, input_shape=(6, 6, 1)),
        K.layers.Conv2D(4, 3, name="conv"),
        K.layers.BatchNormalization(name="bn"),
        K.layers.MaxPooling2D(),
        K.layers.Flatten(),
        K.layers.Dropout(0.3),
        K.layers.Dense(3, kernel_regularizer="l2", name="out"),
    ]
    return K.Sequential(chain, seed=0).build()


def data(model, rows=32):
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, *model.input_shape)), rng.standard_normal((rows, *model.output_shape))


def weights(layer):
    return [value.tobytes() for value in layer.get_weights()]


# --- trainable


@pytest.mark.parametrize(
    "optimizer", ["SGD()", "SGD(0.1, momentum=0.9)", "Adam()", "AdamW()", "RMSprop(momentum=0.9)"]
)
@pytest.mark.parametrize("make", [dense, lambda: dense("layers"), deep])
def test_a_frozen_layer_keeps_its_weights_and_the_others_learn(make, optimizer):
    model = make()
    model.compile(eval("K.optimizers." + optimizer), "mse")
    x, y = data(model)
    model.fit(x, y, epochs=2, verbose=0)  # the moments are no longer 0
    first = next(layer for layer in model.layers if layer.weights)
    first.trainable = False
    before, last = weights(first), weights(model.layers[-1])
    model.fit(x, y, epochs=2, verbose=0)
    assert weights(first) == before and weights(model.layers[-1]) != last
    first.trainable = True
    model.fit(x, y, epochs=1, verbose=0)
    assert weights(first) != before


@pytest.mark.parametrize("passes", PATHS)
def test_frozen_is_the_same_as_training_the_rest_alone(passes):
    x, y = data(dense())
    whole, rest = dense(passes), K.Sequential([K.layers.Dense(2, input_shape=(6,))]).build()
    rest.set_weights(whole.layers[1].get_weights())
    whole.layers[0].trainable = False
    hidden = np.maximum(x.astype("f4") @ whole.layers[0].W + whole.layers[0].b, 0)
    for model, inputs in ((whole, x), (rest, hidden)):
        model.compile(K.optimizers.Adam(0.01, global_clipnorm=0.5), "mse")
        model.fit(inputs, y, epochs=3, verbose=0, shuffle=False)
    for one, other in zip(whole.layers[1].get_weights(), rest.get_weights()):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_frozen_batch_normalization_uses_its_moving_statistics_in_training():
    model = deep()
    bn = next(layer for layer in model.layers if layer.name == "bn")
    model.compile("sgd", "mse")
    x, y = data(model)
    model.fit(x, y, verbose=0)
    bn.trainable = False
    before = weights(bn)
    model.fit(x, y, verbose=0)
    assert weights(bn) == before
    z = np.random.default_rng(1).standard_normal((5, *bn.output_shape)).astype("f4")
    assert np.array_equal(bn.forward(z, training=True).copy(), bn.forward(z, training=False))


@pytest.mark.parametrize("make", [K.optimizers.Adam, lambda: K.optimizers.SGD(0.1, momentum=0.9)])
@pytest.mark.parametrize("named", [True, False])
def test_a_loop_of_your_own_leaves_frozen_layers_alone(make, named):
    model, optimizer = dense(), make()
    optimizer.bind(model.params, model.grads, *([model.variables] if named else []))

    def step():
        x, y = data(model)
        model.backward(model.forward(x) - y)
        optimizer.step()

    step()  # the moments are no longer 0
    model.layers[0].trainable = False
    first, last = map(weights, model.layers)
    step()
    assert weights(model.layers[0]) == first and weights(model.layers[1]) != last


def test_gradients_around_frozen_layers():
    chain = [
        K.layers.Conv2D(3, 3, activation="tanh", input_shape=(5, 5, 2), trainable=False),
        K.layers.BatchNormalization(),
        K.layers.Conv2D(2, 3, activation="tanh"),
        K.layers.BatchNormalization(trainable=False),
        K.layers.Flatten(),
        K.layers.Dense(2),
    ]
    model = K.Sequential(chain, seed=0, dtype="float64").build()
    model.state[...] = np.random.default_rng(0).uniform(0.5, 2, model.state.shape)
    errors = K.gradcheck.gradient_errors(model, np.random.default_rng(1).standard_normal((3, 5, 5, 2)))
    assert max(errors.values()) < 1e-7, errors
    assert not chain[0].dW.any() and chain[2].dW.any()


def test_penalties_of_a_frozen_layer_do_not_count():
    model = dense()
    model = K.Sequential([K.layers.Dense(2, kernel_regularizer="l2", input_shape=(3,))], seed=0).build()
    assert model.penalty() > 0
    model.trainable = False
    assert model.penalty() == 0 and not model.trainable


def test_trainable_is_saved_cloned_and_counted(tmp_path, capsys):
    model = dense()
    model.layers[0].trainable = False
    model.save(tmp_path / "m.safetensors")
    for other in (K.load_model(tmp_path / "m.safetensors"), K.clone_model(model)):
        assert [layer.trainable for layer in other.layers] == [False, True]
    model.summary()
    assert "Trainable params: 14\nNon-trainable params: 24" in capsys.readouterr().out


def test_nothing_frozen_means_the_bytes_of_before():
    runs = []
    for freeze in (False, True):
        model = dense()
        if freeze:
            model.layers[0].trainable = False
            model.layers[0].trainable = True
        model.compile("adam", "mse")
        model.fit(*data(model), epochs=2, verbose=0, seed=0)
        runs.append(model.params.tobytes())
    assert runs[0] == runs[1]


# --- other attributes that work


@pytest.mark.parametrize("passes", PATHS)
def test_another_activation_counts_at_once(passes):
    model, x = dense(passes), data(dense())[0]
    before = model.predict(x)
    model.layers[0].activation = "tanh"
    first, last = model.layers
    expected = np.tanh(x.astype("f4") @ first.W + first.b) @ last.W + last.b
    assert not np.array_equal(model.predict(x), before)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.forward(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("passes", PATHS)
@pytest.mark.parametrize("name", ["W", "kernel", "b", "bias"])
def test_an_array_set_on_a_layer_is_copied_into_the_model(passes, name):
    model = dense(passes)
    x, y = data(model)
    layer = model.layers[1]
    new = np.full_like(layer.W if name in ("W", "kernel") else layer.b, 0.25)
    setattr(layer, name, new)
    assert np.shares_memory(layer.W, model.params) and np.shares_memory(layer.b, model.params)
    hidden = np.maximum(x.astype("f4") @ model.layers[0].W + model.layers[0].b, 0)
    np.testing.assert_allclose(model.predict(x), hidden @ layer.W + layer.b, rtol=1e-5, atol=1e-6)
    assert (layer.W if name in ("W", "kernel") else layer.b).ravel()[0] == 0.25
    layer.W *= 2  # in place is the same
    assert np.shares_memory(layer.W, model.params)


def test_whole_arrays_are_copied_too():
    model = dense()
    model.params = np.ones(model.params.size)
    assert (model.layers[0].W == 1).all()
    optimizer = K.optimizers.Adam().bind(model.params, model.grads, model.variables)
    held = optimizer.m
    optimizer.m = np.ones(model.params.size)
    assert optimizer.m is held and (held == 1).all()
    weight = model.layers[0].kernel
    weight.value = np.zeros(weight.shape)
    assert not model.layers[0].W.any()
    with pytest.raises(ValueError, match=r"params has the shape \(38,\), not \(3,\)"):
        model.params = np.ones(3)
    with pytest.raises(ValueError, match=r"W has the shape \(3, 6\), not \(6, 3\)"):
        model.layers[0].W = np.ones((6, 3))


def test_stop_training_ends_fit_after_the_epoch():
    model, calls = dense(), []

    def loss(prediction, target):
        calls.append(1)
        model.stop_training = len(calls) >= 3
        return K.losses.mse(prediction, target)

    model.compile("sgd", loss)
    assert model.fit(*data(model), epochs=9, batch_size=16, verbose=0).epoch == [0, 1]
    assert model.fit(*data(model), epochs=2, verbose=0).epoch == [0]  # each fit begins anew


# --- attributes that would be ignored

REFUSED = """
    model.layers[0].trainble = False                          no 'trainble'.*did you mean 'trainable'
    model.layers[0].units = 5                                 units of a Dense is fixed
    model.layers[0].use_bias = False                          use_bias of a Dense is fixed
    model.layers[0].kernel_regularizer = "l2"                 kernel_regularizer of a Dense is fixed
    model.layers[0].bias_initializer = "ones"                 bias_initializer of a Dense is fixed
    model.layers[0].kernel_constraint = None                  no 'kernel_constraint'
    model.layers[0].activity_regularizer = "l2"               no 'activity_regularizer'
    model.layers[0].name = "other"                            name of a Dense is fixed
    model.layers[0].dtype = "float64"                         dtype
    model.layers[0].weights = []                              weights
    model.layers[0].output_shape = (3,)                       output_shape
    model.layers[0].input_shape = (4,)                        input_shape of a Dense is fixed
    model.layers[0].forward = len                             forward is a method
    K.layers.Dense(2).units = 3                               units of a Dense is fixed
    K.layers.Dropout(0.5).rate = 0.1                          rate of a Dropout is fixed
    K.layers.Dropout(0.5).seed = 3                            seed is a method
    K.layers.BatchNormalization().momentum = 0.5              momentum of a BatchNormalization is fixed
    K.layers.BatchNormalization().axis = 1                    no 'axis'
    K.layers.Conv2D(3, 3).strides = (2, 2)                    strides of a Conv2D is fixed
    K.layers.Conv2D(3, 3).dilation_rate = 2                   no 'dilation_rate'
    K.layers.MaxPooling2D().pool_size = 3                     pool_size of a MaxPooling2D is fixed
    K.layers.Rescaling(2.0).scale = 3.0                       scale of a Rescaling is fixed
    model.optimizer = "adam"                                  optimizer
    model.loss = "mse"                                        no 'loss'
    model.metrics = ["acc"]                                   no 'metrics'
    model.layers = []                                         layers
    model.layers.append(K.layers.Dense(2))                    append
    model.dtype = "float64"                                   dtype of a Sequential is fixed
    model.stop_trainig = True                                 no 'stop_trainig'.*did you mean 'stop_training'
    model.run_eagerly = True                                  no 'run_eagerly'
    K.optimizers.Adam().weight_decay = 0.1                    no 'weight_decay'
    K.optimizers.Adam().amsgrad = True                        no 'amsgrad'
    K.optimizers.SGD().momentum = 0.9                         momentum of a SGD is fixed
    K.optimizers.SGD().beta_1 = 0.9                           no 'beta_1'
    K.activations.Relu().negative_slope = 0.1                 no 'negative_slope'
    K.initializers.GlorotUniform().scale = 3                  no 'scale'
    K.regularizers.L2().l3 = 3                                no 'l3'
    bare.layers[0].b = 0.0                                    was made without b
    bare.layers[0].bias = 0.0                                 was made without bias
    bare.layers[1].gamma = 0.0                                was made without gamma
"""
CASES = [re.split(r"\s{3,}", line.strip()) for line in REFUSED.strip().splitlines()]


@pytest.mark.parametrize("statement, message", CASES, ids=[case[0] for case in CASES])
def test_what_would_have_no_effect_is_refused(statement, message):
    chain = [K.layers.Dense(3, use_bias=False, input_shape=(2,)), K.layers.BatchNormalization(scale=False)]
    scope = {"K": K, "model": dense(), "bare": K.Sequential(chain).build()}
    with pytest.raises(AttributeError, match=message):
        exec(statement, scope)


def test_a_class_of_your_own_may_set_what_it_likes():
    class Shift(Layer):
        def __init__(self, by, **common):
            self.by = by  # even before super().__init__()
            super().__init__(**common)
            self.name_of = str.upper  # in place of a method

        def name_of(self):
            return "shift"

        def build(self, input_shape):
            return input_shape

        def forward(self, x, training=False):
            self.seen = len(x)
            return x + self.by

    model = K.Sequential([Shift(1.0, input_shape=(2,))]).build()
    model.layers[0].by = 3.0
    assert (model.predict(np.zeros((4, 2))) == 3).all() and model.layers[0].seen == 4
    with pytest.raises(AttributeError, match="input_shape of a Shift is fixed"):
        model.layers[0].input_shape = (3,)
