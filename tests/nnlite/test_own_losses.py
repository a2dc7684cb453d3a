"""Losses of one's own, as a class and as a function; weights of examples; what objects say of themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnlite as K
from nnlite.gradcheck import loss_error
from tests.nnlite.lines import X, Y, line, weights
from tests.nnlite.samples import PAIRWISE
from tests.tables import rows


class Square(K.losses.Loss):
    """The mean squared error once more, example by example."""

    def value(self, prediction, target):
        return np.square(prediction - target).mean(axis=1)

    def gradient(self, prediction, target):
        return 2 * (prediction - target) / prediction.shape[1]


def example(seed=0, shape=(5, 3)):
    rng = np.random.default_rng(seed)
    prediction, sign = rng.uniform(0.3, 0.7, shape), rng.choice([-1, 1], shape)
    distance = rng.choice([rng.uniform(0.05, 0.15, shape), rng.uniform(0.21, 0.29, shape)])  # no kinks
    return prediction, prediction + sign * distance, rng.uniform(0, 3, shape[0])


def test_a_class_of_ones_own_gives_mean_weighted_mean_and_gradients():
    prediction, target, weight = example()
    for weights_ in (None, weight):
        mine, built_in = Square()(prediction, target, weights_), K.losses.mse(prediction, target, weights_)
        assert mine[0] == pytest.approx(built_in[0])
        np.testing.assert_allclose(mine[1], built_in[1])
    assert loss_error(Square(), prediction, target) < 1e-9


LOSSES = [*(loss for loss in PAIRWISE if loss is not K.losses.huber), K.losses.Huber(0.2), Square()]


@pytest.mark.parametrize("loss", LOSSES)
@given(seed=st.integers(0, 99), shape=st.sampled_from([(4, 2), (1, 3), (3, 2, 2)]))
def test_weighted_losses_are_sums_over_examples_and_their_gradients_are_right(loss, seed, shape):
    if isinstance(loss, Square):
        shape = shape[:2]
    prediction, target, weight = example(seed, shape)
    alone = [loss(prediction[n : n + 1], target[n : n + 1])[0] for n in range(len(weight))]
    assert loss(prediction, target, weight)[0] == pytest.approx(np.mean(weight * alone))
    np.testing.assert_allclose(loss.value(prediction, target), alone)
    assert loss_error(lambda p, t: loss(p, t, weight), prediction, target) < 1e-7
    summed = loss.gradient(prediction, target) / len(weight)
    np.testing.assert_allclose(loss(prediction, target)[1], summed, rtol=1e-6, atol=1e-12)


def test_a_class_trains_like_the_built_in_loss():
    mine, built_in = line(loss=Square), line()
    for model in (mine, built_in):
        model.fit(X, Y, 3, epochs=3, verbose=0, seed=0, class_weight={0: 2.0})
    assert weights(mine) == pytest.approx(weights(built_in), rel=1e-6)


def test_a_function_is_called_by_the_names_of_its_parameters():
    def ours(prediction, target):
        return K.losses.mse(prediction, target)

    def keras(y_true, y_pred):
        return K.losses.mse(y_pred, y_true)

    fitted = []
    for loss in ("mse", ours, keras):
        model = line(loss=loss)
        model.fit(X, Y, verbose=0, seed=0)
        fitted.append(weights(model))
    assert fitted[0] == fitted[1] == fitted[2]


def only_value(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


def values(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2, axis=-1)


def short(prediction, target):
    return 0.0, np.zeros(3)


def endless(prediction, target):
    return 0.0, np.full_like(prediction, np.inf)


class Shapeless(Square):
    """A mean in place of one number for each example."""

    def value(self, prediction, target):
        return np.mean(prediction - target)


class Endless(Square):
    """A gradient of NaN."""

    def gradient(self, prediction, target):
        return prediction * np.nan


REFUSED = rows("""
    only_value              ValueError  only_value must return \\(value, gradient\\): .* not float
    values                  ValueError  values must return \\(value, gradient\\): .* not ndarray
    short                   ValueError  short's gradient must have the prediction's shape \\(8, 1\\)
    endless                 FloatingPointError  endless's gradient holds NaN or infinity
    Shapeless()             ValueError  Shapeless.value must return \\(8,\\), one for each example, not
    Endless()               FloatingPointError  Endless.gradient returned NaN or infinity
    K.losses.Loss()         TypeError   Loss has no value
    lambda p, t: (0, p)     TypeError   named prediction and target.*it has \\(p, t\\)
    lambda y_true, y_true_: 0  TypeError  named prediction and target
    lambda *, y_true, y_pred: 0  TypeError  named prediction and target
""")


@pytest.mark.parametrize("loss, error, message", REFUSED)
def test_what_is_no_loss_is_refused_before_a_weight_changes(loss, error, message):
    errors = {kind.__name__: kind for kind in (ValueError, TypeError, FloatingPointError)}
    model = line()
    before = weights(model)
    with pytest.raises(errors[error], match=message) as caught:
        model.compile("sgd", eval(loss))
        model.fit(X, Y, batch_size=8, verbose=0)
    assert weights(model) == before and "\n" not in str(caught.value)


def test_a_function_of_the_mean_cannot_be_weighted():
    def mine(prediction, target):
        return K.losses.mse(prediction, target)

    model = line(loss=mine)
    before = weights(model)
    with pytest.raises(ValueError, match="mine gives the mean of a batch.*make it a class: losses.Loss"):
        model.fit(X, Y, verbose=0, sample_weight=np.ones(8))
    assert weights(model) == before


def test_a_loss_of_logits_on_an_activated_output_is_refused():
    model = K.Sequential([K.layers.Dense(3, activation="softmax", input_shape=(1,))], seed=0)
    model.compile("sgd", K.losses.CategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="reads logits, but the model ends in softmax"):
        model.fit(X, np.eye(3)[[0] * 8], verbose=0)


def test_classes_of_losses_train_like_their_names():
    for name, cls in (
        ("mse", K.losses.MeanSquaredError),
        ("huber", K.losses.Huber),
        ("mae", K.losses.MeanAbsoluteError),
    ):
        models = [line(loss=loss) for loss in (name, cls, cls(), getattr(K.losses, name))]
        for model in models:
            model.fit(X, Y, verbose=0, seed=0)
        assert len({tuple(weights(model)) for model in models}) == 1


# --- reprs


def mine(prediction, target):
    return 0.0, prediction


REPRS = rows("""
    K.layers.Dense(4)                                        Dense(units=4)
    K.layers.Dense(4, bias_regularizer="l2")                 Dense(units=4, bias_regularizer=l2(l2=0.01))
    K.layers.Conv2D(8, 3, padding="same")     Conv2D(filters=8, kernel_size=(3, 3), padding='same')
    K.losses.Huber(delta=2.0)                                Huber(delta=2.0)
    K.losses.mse                                             MeanSquaredError()
    K.metrics.AUC(curve="PR", name="area")                   AUC(curve='PR', name='area')
    K.losses.get(mine)                                       mine
    K.callbacks.EarlyStopping(patience=3)                    EarlyStopping(patience=3)
    K.callbacks.History()                                    History(0 epochs)
    K.Sequential([K.layers.Dense(1), K.layers.Flatten()])    Sequential([Dense(units=1), Flatten()])
""")


@pytest.mark.parametrize("call, expected", REPRS)
def test_objects_say_what_they_are(call, expected):
    assert repr(eval(call)) == expected


def test_a_history_says_its_last_values():
    assert repr(line(learning_rate=0).fit(X, Y, epochs=2, verbose=0)) == "History(2 epochs; last: loss=6.875)"
