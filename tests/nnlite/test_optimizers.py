"""Optimizers against the formulas in plain Python; the compiled Adam over many steps and dtypes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite import Sequential, layers, optimizers
from tests.examples import examples


def run(optimizer, params, gradients):
    grads = np.zeros_like(params)
    optimizer.bind(params, grads)
    for gradient in gradients:
        grads[:] = gradient
        optimizer.step()
    return params


def test_sgd_by_hand():
    assert run(optimizers.SGD(0.5), np.array([1.0, 2.0]), [[1.0, -2.0]]).tolist() == [0.5, 3.0]
    assert optimizers.SGD().learning_rate == 0.01


@pytest.mark.parametrize(
    "places", [[], [(0, 2)], [(1, 4)], [(0, 3), (2, 4)], [(2, 4), (0, 2)], [(0, 2), (3, 4)], [(0, 5)]]
)
def test_variables_that_do_not_lie_one_behind_the_other_are_refused(places):
    with pytest.raises(ValueError, match="from 0 to 4"):
        optimizers.Adam().bind(np.zeros(4), np.zeros(4), [slice(*place) for place in places])


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum(nesterov):
    p, v = 1.0, 0.0
    for g in (1.0, -0.5, 2.0):
        v = 0.9 * v - 0.1 * g
        p += 0.9 * v - 0.1 * g if nesterov else v
    ours = run(optimizers.SGD(0.1, momentum=0.9, nesterov=nesterov), np.array([1.0]), [[1.0], [-0.5], [2.0]])
    assert ours[0] == pytest.approx(p, abs=1e-15)


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-5), (np.float64, 1e-13)])
@examples(25)
@given(st.integers(1, 70), st.sampled_from([None, 0.3]), st.sampled_from([None, 0.5]), st.integers(0, 99))
def test_adam_is_its_formula(dtype, tolerance, size, clipvalue, clip, seed):
    rng = np.random.default_rng(seed)
    p, gradients = rng.standard_normal(size), rng.standard_normal((6, size))
    limits = {"clipvalue": clipvalue} if clipvalue else {"global_clipnorm": clip}
    ours = run(optimizers.Adam(0.01, **limits), p.astype(dtype), gradients.astype(dtype))
    m, v = np.zeros(size), np.zeros(size)
    for t, g in enumerate(gradients, start=1):
        if clipvalue:
            g = np.clip(g, -clipvalue, clipvalue)
        elif clip:
            g = g * min(1.0, clip / math.sqrt(np.sum(g * g)))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p = p - 0.01 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
    np.testing.assert_allclose(ours, p, rtol=tolerance, atol=tolerance)


GRADIENTS = [[0.5, -1.0, 2.0], [-0.25, 3.0, 0.125], [1.5, 0.0, -0.75], [4.0, -0.5, 0.25]]
KERAS = {  # of Keras 3.15 in float64, from kernel [1, -2] and bias [0.5], after a step for each row above
    "SGD(0.1, momentum=0.9)": [0.2108, -2.4191, -0.104175],
    "SGD(0.1, momentum=0.9, nesterov=True)": [-0.28528, -2.52719, -0.2062575],
    "SGD(S.PiecewiseConstantDecay([1, 2], [0.1, 0.01, 0.001]))": [0.956, -2.1995, 0.29475],
    "RMSprop(0.01)": [0.923570883824102, -1.9930298816058054, 0.47421124038100365],
    "RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-3)": [
        *(0.92425898623106, -1.991292376549496, 0.46608719181508285)
    ],
    "RMSprop(0.01, centered=True)": [0.9173020963226424, -1.9919655848966547, 0.47246173744297737],
    "RMSprop(0.01, rho=0.7, momentum=0.9, centered=True, clipnorm=1.0)": [
        *(0.8742756365119275, -1.962482758677809, 0.43654513780500714)
    ],
    "Adam(S.CosineDecay(0.1, 3, alpha=0.1))": [0.8501330910915785, -1.9528975216536884, 0.3319671203914271],
    "AdamW(0.1)": [0.7305330546773137, -2.006309456266309, 0.26787175374259753],
    "AdamW(0.1, weight_decay=0.2, global_clipnorm=1.0)": [
        *(0.6450485863264989, -1.8409011881072046, 0.2609427825337349)
    ],
    "AdamW(S.ExponentialDecay(0.1, 2, 0.5), weight_decay=0.1)": [
        *(0.7978134978978307, -1.912201437551309, 0.3132650293331399)
    ],
    "AdamW(0.1, weight_decay=0.2, exclude_from_weight_decay=['bias'])": [
        *(0.6626086311308783, -1.8573384848210224, 0.26848237449693263)
    ],
}


@pytest.mark.parametrize("call", KERAS)
def test_steps_are_kerass(call):
    names = {name: getattr(optimizers, name) for name in ("SGD", "RMSprop", "Adam", "AdamW")}
    optimizer = eval(call, {**names, "S": optimizers.schedules})
    model = Sequential([layers.Dense(1, input_shape=(2,))], dtype="float64").build()
    model.set_weights([[[1.0], [-2.0]], [0.5]])
    optimizer.bind(model.params, model.grads, model.variables)
    for gradient in GRADIENTS:
        model.grads[...] = gradient
        optimizer.step()
    np.testing.assert_allclose(model.params, KERAS[call], rtol=1e-7)


def test_weights_without_names_cannot_be_excluded_from_weight_decay():
    optimizer = optimizers.AdamW(exclude_from_weight_decay=["bias"])
    with pytest.raises(ValueError, match="no names to exclude"):
        optimizer.bind(np.zeros(3), np.zeros(3))
    with pytest.raises(RuntimeError, match="bind"):
        optimizer.step()  # nothing is half done
    with pytest.raises(ValueError, match="var_names must be a list"):
        optimizer.exclude_from_weight_decay("bias")
    bound = optimizers.AdamW().bind(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="before the optimizer is bound"):
        bound.exclude_from_weight_decay(["bias"])


def test_weight_decay_leaves_frozen_layers_alone():
    model = Sequential([layers.Dense(2, input_shape=(2,)), layers.Dense(2, name="last")], seed=0).build()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5).bind(model.params, model.grads, model.variables)
    model.layers[0].trainable = False
    first, last = (layer.W.copy() for layer in model.layers)
    optimizer.step()  # no gradient, so there is decay alone
    assert np.array_equal(model.layers[0].W, first)
    np.testing.assert_allclose(model.layers[1].W, 0.95 * last, rtol=1e-6)


def test_a_variance_that_rounding_makes_negative():
    """Keras's centered RMSprop gives NaN here: v - a^2 of a constant gradient is below -epsilon."""
    params = np.ones(64, np.float32)
    gradient = np.linspace(100, 1000, 64).astype("f4")
    run(optimizers.RMSprop(1e-6, rho=0.5, centered=True), params, [gradient] * 60)
    assert np.isfinite(params).all()


@pytest.mark.parametrize(
    "optimizer, text",
    [
        (optimizers.Adam(), "Adam()"),
        (optimizers.AdamW(0.1, exclude_from_weight_decay=["bias"]), "AdamW(learning_rate=0.1, exclude_from_"),
        (optimizers.SGD(momentum=0.9, clipnorm=1), "SGD(clipnorm=1.0, momentum=0.9)"),
        (optimizers.RMSprop(lr=0.1, centered=True), "RMSprop(learning_rate=0.1, centered=True)"),
    ],
)
def test_an_optimizer_shows_how_it_was_made(optimizer, text):
    assert repr(optimizer).startswith(text)


KINDS = [optimizers.SGD, lambda: optimizers.SGD(momentum=0.9), optimizers.Adam, optimizers.AdamW]
KINDS += [optimizers.RMSprop, lambda: optimizers.RMSprop(momentum=0.5, centered=True)]


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(make, bad):
    optimizer, params, grads = make(), np.ones(5), np.zeros(5)
    optimizer.bind(params, grads)
    grads[:] = 1.0
    optimizer.step()
    before, state = params.copy(), optimizer.get_state()
    grads[3] = bad
    with pytest.raises(FloatingPointError, match="step 2"):
        optimizer.step()
    assert params.tolist() == before.tolist()
    assert all(np.array_equal(state[name], value) for name, value in optimizer.get_state().items())


@pytest.mark.parametrize("make", [*KINDS, lambda: optimizers.Adam(0.1, clipnorm=1.0)])
def test_state_carries_on_exactly(make):
    gradients = np.random.default_rng(0).standard_normal((8, 4))
    straight = run(make(), np.ones(4), gradients)
    first, params, grads = make(), np.ones(4), np.zeros(4)
    run(first, params, gradients[:4])
    second = make().bind(params, grads)
    second.set_state(first.get_state())
    for gradient in gradients[4:]:
        grads[:] = gradient
        second.step()
    assert params.tolist() == straight.tolist()


def test_a_state_that_does_not_fit_is_refused():
    optimizer = optimizers.Adam().bind(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="'m'"):
        optimizer.set_state({"iterations": np.array(1), "m": np.zeros(2), "v": np.zeros(3)})


def test_lr_is_learning_rate():
    optimizer = optimizers.Adam(lr=3e-4, clipvalue=1.0)
    assert optimizer.learning_rate == optimizer.lr == 3e-4
    optimizer.lr = 1e-4
    assert optimizer.learning_rate == 1e-4


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"learning_rate": -1}, "learning_rate"),
        ({"learning_rate": math.nan}, "learning_rate"),
        ({"clipnorm": 0}, "clipnorm must be a finite number > 0, not 0"),
        ({"clipnorm": 1, "clipvalue": 1}, "one kind of clipping"),
    ],
)
@pytest.mark.parametrize("kind", optimizers.REGISTRY.values())
def test_values_that_cannot_work(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        kind(**wrong)


def test_names_and_configs():
    assert type(optimizers.get("sgd")) is optimizers.SGD and type(optimizers.get("Adam")) is optimizers.Adam
    sgd = optimizers.SGD(0.2, momentum=0.5, nesterov=True)
    rest = [kind(0.2, clipnorm=3.0) for kind in optimizers.REGISTRY.values()]
    for optimizer in (sgd, optimizers.AdamW(exclude_from_weight_decay=["bias"]), *rest):
        assert optimizers.get(optimizer.get_config()).get_config() == optimizer.get_config()
    with pytest.raises(TypeError, match="clipping.*there are learning_rate"):
        optimizers.Adam(clipping=1)
    with pytest.raises(ValueError, match="there are adam, adamw, rmsprop, sgd"):
        optimizers.get("ftrl")


def test_arrays_that_do_not_match_are_refused():
    for params, grads in ((3, 4), ((2, 2), (2, 2))):
        with pytest.raises(ValueError, match="flat and alike"):
            optimizers.SGD().bind(np.zeros(params), np.zeros(grads))
